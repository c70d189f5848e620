/*
 * mde.core.stop_rules: when a run of many devices must not go on (src/core/stop_rules.h).
 */
#include "actions.h"

#include "stop_rules.h"

#include <math.h>

#define STOP_RULES "mde.stop_rules"

static struct mde_stop_rules *check_rules(lua_State *L)
{
  return luaL_checkudata(L, 1, STOP_RULES);
}

static size_t *limit_named(struct mde_stop_limits *limits, const char *name)
{
  if (strcmp(name, "forbidden_in_a_row") == 0) return &limits->forbidden_in_a_row;
  if (strcmp(name, "unknown_in_a_row") == 0) return &limits->unknown_in_a_row;
  if (strcmp(name, "unknown_last") == 0) return &limits->unknown_last;
  if (strcmp(name, "unknown_percent") == 0) return &limits->unknown_percent;
  if (strcmp(name, "superseded") == 0) return &limits->superseded;
  return NULL;
}

static struct mde_stop_limits check_limits(lua_State *L, int index)
{
  struct mde_stop_limits limits = mde_stop_limits_default();
  if (lua_isnoneornil(L, index)) return limits;
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    size_t *limit =
        lua_type(L, -2) == LUA_TSTRING ? limit_named(&limits, lua_tostring(L, -2)) : NULL;
    luaL_argcheck(L, limit != NULL, index, "no stop rule has such a threshold");
    double number = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    bool is_whole = number >= 1 && number <= MDE_STOP_MAX && number == floor(number);
    *limit = is_whole ? (size_t)number : 0;
    if (!mde_stop_limits_are_valid(&limits))
      luaL_error(L, "the threshold %s is out of its range", lua_tostring(L, -2));
  }
  return limits;
}

/* new([thresholds]) -> the rules of a run that has just begun */
static int stop_rules_new(lua_State *L)
{
  struct mde_stop_limits limits = check_limits(L, 1);
  mde_stop_rules_init(mde_newuserdata(L, sizeof(struct mde_stop_rules)), &limits);
  luaL_getmetatable(L, STOP_RULES);
  lua_setmetatable(L, -2);
  return 1;
}

/* Pushes nil to go on, or a table. */
static int push_stop(lua_State *L, struct mde_stop stop)
{
  static const char *const kinds[] = {
      [MDE_STOP_GO_ON] = NULL,
      [MDE_STOP_ABORT] = "abort",
      [MDE_STOP_PAUSE] = "pause",
      [MDE_STOP_STOP] = "stop",
  };
  if (stop.kind == MDE_STOP_GO_ON) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 6);
  lua_pushstring(L, kinds[stop.kind]);
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, mde_stop_rule_name(stop.rule));
  lua_setfield(L, -2, "rule");
  lua_pushinteger(L, (lua_Integer)stop.count);
  lua_setfield(L, -2, "count");
  lua_pushinteger(L, (lua_Integer)stop.limit);
  lua_setfield(L, -2, "limit");
  if (stop.of > 0) {
    lua_pushinteger(L, (lua_Integer)stop.of);
    lua_setfield(L, -2, "of");
  }
  if (stop.rule == MDE_STOP_RULE_CAP && !isnan(stop.retry_at)) {
    lua_pushnumber(L, (lua_Number)stop.retry_at);
    lua_setfield(L, -2, "retry_at");
  }
  return 1;
}

static enum mde_stop_event check_event(lua_State *L, int index)
{
  const char *names[MDE_STOP_EVENTS + 1] = {NULL};
  for (int event = 0; event < MDE_STOP_EVENTS; event++)
    names[event] = mde_stop_event_name((enum mde_stop_event)event);
  return (enum mde_stop_event)luaL_checkoption(L, index, NULL, names);
}

/*
 * rules:note(event [, device or retry_at]) -> nil: the run goes on; or why it stops
 *
 * "forbidden" may be told the device, "cap" when it has room again.
 */
static int stop_rules_note(lua_State *L)
{
  struct mde_stop_rules *rules = check_rules(L);
  enum mde_stop_event event = check_event(L, 2);
  struct mde_text device = {NULL, 0};
  double retry_at = NAN;
  bool has_value = !lua_isnoneornil(L, 3);
  if (event == MDE_STOP_EVENT_FORBIDDEN && has_value) device = mde_check_text(L, 3);
  if (event == MDE_STOP_EVENT_CAP && has_value) retry_at = luaL_checknumber(L, 3);
  return push_stop(L, mde_stop_rules_note(rules, event, device, retry_at));
}

/* rules:stopped() -> nil, or why the run has stopped */
static int stop_rules_stopped(lua_State *L)
{
  return push_stop(L, check_rules(L)->stop);
}

static const luaL_Reg functions[] = {{"new", stop_rules_new}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"note", stop_rules_note},
    {"stopped", stop_rules_stopped},
    {NULL, NULL},
};

static const luaL_Reg no_metamethods[] = {{NULL, NULL}};

void mde_open_stop_rules(lua_State *L)
{
  mde_metatable(L, STOP_RULES, methods, no_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
