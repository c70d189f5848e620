/*
 * mde.core.waves: how many changes of a run may be sent before those that were sent are looked at,
 * and which devices come first (src/core/waves.h).
 *
 * In Lua the waves are a list of their sizes, { 5, 45, "rest" }, and count from 1.
 */
#include "actions.h"

#include "timestamp.h"
#include "waves.h"

#include <math.h>

#define WAVES "mde.waves"

static struct mde_waves *check_waves(lua_State *L)
{
  return luaL_checkudata(L, 1, WAVES);
}

static bool is_whole(double number, double least, double most)
{
  return number >= least && number <= most && number == floor(number);
}

/* Larger than any count, and the sum of several fits into an int. */
static const double MOST = 100000000.0;

static size_t check_count(lua_State *L, int index)
{
  double count = luaL_checknumber(L, index);
  luaL_argcheck(L, is_whole(count, 0, MOST), index, "a whole number from 0 to 100000000 expected");
  return (size_t)count;
}

/* ---- what a user may say */

static int push_flaw(lua_State *L, enum mde_waves_flaw flaw, struct mde_text item)
{
  static const char *const names[] = {
      [MDE_WAVES_FLAW_EMPTY] = "empty",       [MDE_WAVES_FLAW_NUMBER] = "number",
      [MDE_WAVES_FLAW_ZERO] = "zero",         [MDE_WAVES_FLAW_LARGE] = "large",
      [MDE_WAVES_FLAW_NOT_LAST] = "not_last", [MDE_WAVES_FLAW_MANY] = "many",
      [MDE_WAVES_FLAW_NAME] = "name",         [MDE_WAVES_FLAW_TWICE] = "twice",
      [MDE_WAVES_FLAW_PERCENT] = "percent",   [MDE_WAVES_FLAW_TIME] = "time",
  };
  lua_pushnil(L);
  lua_pushstring(L, names[flaw]);
  lua_pushlstring(L, item.length > 0 ? item.bytes : "", item.length);
  return 3;
}

static int push_sizes(lua_State *L, const struct mde_waves_sizes *sizes)
{
  lua_createtable(L, (int)sizes->count + 1, 0);
  for (size_t i = 0; i < sizes->count; i++) {
    lua_pushinteger(L, (lua_Integer)sizes->sizes[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  if (sizes->has_rest) {
    lua_pushliteral(L, "rest");
    lua_rawseti(L, -2, (int)sizes->count + 1);
  }
  return 1;
}

/* default(planned) -> the sizes for so many devices */
static int waves_default(lua_State *L)
{
  struct mde_waves_sizes sizes = mde_waves_default(check_count(L, 1));
  return push_sizes(L, &sizes);
}

/* read(text) -> the sizes; or nil, what is wrong, and the part that it is wrong with */
static int waves_read(lua_State *L)
{
  struct mde_waves_sizes sizes;
  struct mde_text item;
  enum mde_waves_flaw flaw = mde_waves_read(mde_check_text(L, 1), &sizes, &item);
  return flaw == MDE_WAVES_FLAW_NONE ? push_sizes(L, &sizes) : push_flaw(L, flaw, item);
}

/* read_gate(text) -> { succeeded, failed, wait }; or nil, what is wrong, and with which part */
static int waves_read_gate(lua_State *L)
{
  struct mde_gate_rule rule = mde_gate_default();
  struct mde_text item;
  enum mde_waves_flaw flaw = mde_gate_read(mde_check_text(L, 1), &rule, &item);
  if (flaw != MDE_WAVES_FLAW_NONE) return push_flaw(L, flaw, item);
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, (lua_Integer)rule.succeeded);
  lua_setfield(L, -2, "succeeded");
  lua_pushinteger(L, (lua_Integer)rule.failed);
  lua_setfield(L, -2, "failed");
  lua_pushnumber(L, (lua_Number)rule.wait);
  lua_setfield(L, -2, "wait");
  return 1;
}

static bool is_rest(lua_State *L)
{
  if (lua_type(L, -1) != LUA_TSTRING) return false;
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  return length == 4 && memcmp(text, "rest", 4) == 0;
}

static struct mde_waves_sizes check_sizes(lua_State *L, int index)
{
  struct mde_waves_sizes sizes = {.count = 0};
  luaL_checktype(L, index, LUA_TTABLE);
  size_t length = mde_rawlen(L, index);
  luaL_argcheck(L, length >= 1, index, "a list of sizes expected");
  for (size_t i = 1; i <= length; i++) {
    lua_rawgeti(L, index, (int)i);
    sizes.has_rest = i == length && is_rest(L);
    if (!sizes.has_rest) {
      double size = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
      luaL_argcheck(L, is_whole(size, 1, MDE_WAVES_MAX_SIZE), index,
                    "a size is a whole number from 1 to 100000, or the last is \"rest\"");
      luaL_argcheck(L, sizes.count < MDE_WAVES_MAX_SIZES, index, "at most 16 sizes expected");
      sizes.sizes[sizes.count++] = (size_t)size;
    }
    lua_pop(L, 1);
  }
  return sizes;
}

/* A number in a field of the table at `index`, or `otherwise`. */
static double number_field(lua_State *L, int index, const char *name, double most, double otherwise)
{
  double number = otherwise;
  if (mde_field(L, index, name)) {
    number = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(number >= 0 && number <= most))
      luaL_error(L, "%s: a number from 0 to %d expected", name, (int)most);
  }
  lua_pop(L, 1);
  return number;
}

static size_t count_field(lua_State *L, int index, const char *name, double most, size_t otherwise)
{
  double number = number_field(L, index, name, most, (double)otherwise);
  if (number != floor(number)) luaL_error(L, "%s: a whole number expected", name);
  return (size_t)number;
}

static struct mde_gate_rule check_gate(lua_State *L, int index)
{
  struct mde_gate_rule rule = mde_gate_default();
  if (lua_isnoneornil(L, index)) return rule;
  luaL_checktype(L, index, LUA_TTABLE);
  rule.succeeded = (unsigned)count_field(L, index, "succeeded", 100, rule.succeeded);
  rule.failed = (unsigned)count_field(L, index, "failed", 100, rule.failed);
  rule.wait = number_field(L, index, "wait", MDE_GATE_MAX_SECONDS, rule.wait);
  return rule;
}

/* ---- the waves of a run */

/* new(sizes [, gate [, sent_before]]) -> the waves of a run */
static int waves_new(lua_State *L)
{
  struct mde_waves_sizes sizes = check_sizes(L, 1);
  struct mde_gate_rule rule = check_gate(L, 2);
  size_t sent_before = lua_isnoneornil(L, 3) ? 0 : check_count(L, 3);
  mde_waves_init(mde_newuserdata(L, sizeof(struct mde_waves)), &sizes, &rule, sent_before);
  luaL_getmetatable(L, WAVES);
  lua_setmetatable(L, -2);
  return 1;
}

/* waves:admit() -> "go": it has a place, and ended() must follow; "wait", "gate" or "paused" */
static int waves_admit(lua_State *L)
{
  static const char *const names[] = {
      [MDE_WAVES_GO] = "go",
      [MDE_WAVES_WAIT] = "wait",
      [MDE_WAVES_GATE] = "gate",
      [MDE_WAVES_PAUSED] = "paused",
  };
  lua_pushstring(L, names[mde_waves_admit(check_waves(L))]);
  return 1;
}

/* waves:ended(sent): one that was admitted has ended; it went, or may have, or gives back its place */
static int waves_ended(lua_State *L)
{
  struct mde_waves *waves = check_waves(L);
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  if (!mde_waves_ended(waves, lua_toboolean(L, 2) != 0))
    return luaL_error(L, "none that was admitted is left to end");
  return 0;
}

/* waves:position() -> the wave, its size (nil: the rest), what it sent, before it, in flight */
static int waves_position(lua_State *L)
{
  const struct mde_waves *waves = check_waves(L);
  lua_pushinteger(L, (lua_Integer)waves->wave + 1);
  if (mde_waves_size(waves) == SIZE_MAX)
    lua_pushnil(L);
  else
    lua_pushinteger(L, (lua_Integer)mde_waves_size(waves));
  lua_pushinteger(L, (lua_Integer)waves->sent);
  lua_pushinteger(L, (lua_Integer)waves->before);
  lua_pushinteger(L, (lua_Integer)waves->in_flight);
  return 5;
}

/* Pushes "open"; "wait", seconds; or "closed", the reason, the number, and what was needed. */
static int push_verdict(lua_State *L, struct mde_gate_verdict verdict)
{
  static const char *const reasons[] = {
      [MDE_GATE_REASON_NONE] = NULL,
      [MDE_GATE_REASON_COUNT] = "count",
      [MDE_GATE_REASON_FAILED] = "failed",
      [MDE_GATE_REASON_UNKNOWN] = "unknown",
      [MDE_GATE_REASON_SUCCEEDED] = "succeeded",
  };
  switch (verdict.gate) {
  case MDE_GATE_OPEN:
    lua_pushliteral(L, "open");
    return 1;
  case MDE_GATE_WAIT:
    lua_pushliteral(L, "wait");
    lua_pushnumber(L, (lua_Number)verdict.wait);
    return 2;
  case MDE_GATE_CLOSED:
    lua_pushliteral(L, "closed");
    lua_pushstring(L, reasons[verdict.reason]);
    lua_pushinteger(L, (lua_Integer)verdict.number);
    lua_pushinteger(L, (lua_Integer)verdict.needed);
    return 4;
  case MDE_GATE_NOT_REACHED:
    break;
  }
  return luaL_error(L, "not all of this wave has gone, or it has no gate");
}

/* waves:judge(wave, counts, waited) -> what push_verdict pushes. Raises if it is not at its gate. */
static int waves_judge(lua_State *L)
{
  struct mde_waves *waves = check_waves(L);
  double wave = luaL_checknumber(L, 2);
  luaL_argcheck(L, is_whole(wave, 1, MOST), 2, "a wave, from 1, expected");
  luaL_checktype(L, 3, LUA_TTABLE);
  double waited = luaL_checknumber(L, 4);
  luaL_argcheck(L, isfinite(waited), 4, "a finite number expected");
  struct mde_wave_counts counts = {
      .succeeded = count_field(L, 3, "succeeded", MOST, 0),
      .failed = count_field(L, 3, "failed", MOST, 0),
      .cancelled = count_field(L, 3, "cancelled", MOST, 0),
      .pending = count_field(L, 3, "pending", MOST, 0),
      .unknown = count_field(L, 3, "unknown", MOST, 0),
  };
  return push_verdict(L, mde_waves_judge(waves, (size_t)wave - 1, &counts, waited));
}

/* waves:open() -> whether a gate was reached, which a person has opened now */
static int waves_open(lua_State *L)
{
  lua_pushboolean(L, mde_waves_open(check_waves(L)));
  return 1;
}

/* waves:paused() -> nil, or the reason, the number, and what was needed, of the gate that closed */
static int waves_paused(lua_State *L)
{
  const struct mde_waves *waves = check_waves(L);
  if (waves->closed.gate != MDE_GATE_CLOSED) {
    lua_pushnil(L);
    return 1;
  }
  return push_verdict(L, waves->closed) - 1;
}

/* ---- who comes first */

/* A time as the service writes it, or in Unix seconds; anything else means no time. */
static int64_t last_seen_at(lua_State *L, int index)
{
  int64_t time = MDE_NO_TIME;
  lua_getfield(L, index, "last_seen");
  if (lua_type(L, -1) == LUA_TSTRING) {
    struct mde_text text;
    text.bytes = lua_tolstring(L, -1, &text.length);
    time = mde_timestamp(text);
  } else if (lua_type(L, -1) == LUA_TNUMBER && !isnan(lua_tonumber(L, -1))) {
    time = mde_ticks_not_after(lua_tonumber(L, -1));
  }
  lua_pop(L, 1);
  return time;
}

/* order(devices, leaders) -> the places of the devices, in the order in which they are best sent */
static int waves_order(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t leaders = lua_isnoneornil(L, 2) ? SIZE_MAX : check_count(L, 2);
  size_t count = mde_rawlen(L, 1);
  struct mde_waves_device *devices = mde_newuserdata(L, (count + 1) * sizeof *devices);
  size_t *order = mde_newuserdata(L, (count + 1) * sizeof *order);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (int)(i + 1));
    luaL_argcheck(L, lua_istable(L, -1), 1, "a list of devices expected");
    int device = lua_gettop(L);
    devices[i].platform = mde_text_field(L, device, "platform");
    devices[i].last_seen = last_seen_at(L, device);
    lua_settop(L, device - 1);
  }
  mde_waves_order(devices, count, leaders, order);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, (lua_Integer)(order[i] + 1));
    lua_rawseti(L, -2, (int)(i + 1));
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"default", waves_default}, {"read", waves_read},   {"read_gate", waves_read_gate},
    {"new", waves_new},         {"order", waves_order}, {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"admit", waves_admit}, {"ended", waves_ended}, {"position", waves_position},
    {"judge", waves_judge}, {"open", waves_open},   {"paused", waves_paused},
    {NULL, NULL},
};

static const luaL_Reg no_metamethods[] = {{NULL, NULL}};

void mde_open_waves(lua_State *L)
{
  mde_metatable(L, WAVES, methods, no_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
