/*
 * mde.core.service_time: what time it is at the service (src/core/service_time.h), for Lua.
 */
#include "compat.h"
#include "service_time.h"

#define SERVICE_TIME "mde.core.service_time.value"

static struct mde_service_time *check_time(lua_State *L)
{
  return luaL_checkudata(L, 1, SERVICE_TIME);
}

/* new() -> a value that has heard nobody */
static int service_time_new(lua_State *L)
{
  struct mde_service_time *time = mde_newuserdata(L, sizeof *time);
  mde_service_time_init(time);
  luaL_getmetatable(L, SERVICE_TIME);
  lua_setmetatable(L, -2);
  return 1;
}

/*
 * time:hear("api"|"token", ticked, told) -> whether it counts that a witness said that it was
 * `told` (Unix seconds) then
 */
static int service_time_hear(lua_State *L)
{
  static const char *const names[] = {"api", "token", NULL};
  static const enum mde_witness witnesses[] = {MDE_WITNESS_API, MDE_WITNESS_TOKEN};
  struct mde_service_time *time = check_time(L);
  enum mde_witness witness = witnesses[luaL_checkoption(L, 2, NULL, names)];
  lua_pushboolean(
      L, mde_service_time_hear(time, witness, luaL_checknumber(L, 3), luaL_checknumber(L, 4)));
  return 1;
}

/* time:row(ticked, local, created) -> whether that moved the time forward */
static int service_time_row(lua_State *L)
{
  struct mde_service_time *time = check_time(L);
  lua_pushboolean(L, mde_service_time_row(time, luaL_checknumber(L, 2), luaL_checknumber(L, 3),
                                          luaL_checknumber(L, 4)));
  return 1;
}

static int push_number(lua_State *L, double (*of)(const struct mde_service_time *, double, double))
{
  struct mde_service_time *time = check_time(L);
  lua_pushnumber(L, of(time, luaL_checknumber(L, 2), luaL_checknumber(L, 3)));
  return 1;
}

/* time:at(ticked, local) -> Unix seconds */
static int service_time_at(lua_State *L)
{
  return push_number(L, mde_service_time_at);
}

/* time:agreed(ticked, local) -> Unix seconds, by the witnesses alone */
static int service_time_agreed(lua_State *L)
{
  return push_number(L, mde_service_time_agreed);
}

/* time:latest(ticked, local) -> Unix seconds after which no action can have been created */
static int service_time_latest(lua_State *L)
{
  return push_number(L, mde_service_time_latest);
}

/* time:spread(ticked, local) -> by how many seconds the witnesses differ at most */
static int service_time_spread(lua_State *L)
{
  return push_number(L, mde_service_time_spread);
}

static const luaL_Reg methods[] = {
    {"hear", service_time_hear},
    {"row", service_time_row},
    {"at", service_time_at},
    {"agreed", service_time_agreed},
    {"latest", service_time_latest},
    {"spread", service_time_spread},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {{NULL, NULL}};

static const luaL_Reg functions[] = {{"new", service_time_new}, {NULL, NULL}};

void mde_open_service_time(lua_State *L)
{
  mde_metatable(L, SERVICE_TIME, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
  lua_pushnumber(L, MDE_SERVICE_TIME_MAX_AHEAD_SECONDS);
  lua_setfield(L, -2, "MAX_AHEAD_SECONDS");
}
