/*
 * mde.core.nearest: which machines have names like one that none has (src/core/nearest.h).
 */
#include "compat.h"

#include "name.h"
#include "nearest.h"
#include "timestamp.h"

#define NEAREST "mde.core.nearest.names"

/* The user value holds the texts that the names point into. */
struct names {
  size_t count;
  struct mde_nearest_name list[];
};

static struct mde_text text_field(lua_State *L, int index, const char *name)
{
  struct mde_text text = {NULL, 0};
  if (mde_field(L, index, name) && lua_type(L, -1) == LUA_TSTRING)
    text.bytes = lua_tolstring(L, -1, &text.length);
  return text;
}

/* Pushes the one form of a name; an empty one if it is longer than any that can be asked for. */
static struct mde_text push_normal(lua_State *L, struct mde_text name)
{
  char normal[MDE_NEAREST_MAX_BYTES];
  size_t length = mde_name_normal(name, normal, sizeof normal);
  lua_pushlstring(L, normal, length <= sizeof normal ? length : 0);
  struct mde_text text;
  text.bytes = lua_tolstring(L, -1, &text.length);
  return text;
}

/*
 * new(machines) -> what is to be known of their names for any number of searches. One without a
 * name is like none.
 */
static int nearest_new(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  size_t count = mde_rawlen(L, 1);
  struct names *names = mde_newuserdata(L, sizeof *names + count * sizeof *names->list);
  names->count = 0;
  lua_createtable(L, (int)count, 0);
  lua_pushvalue(L, -1);
  mde_setuservalue(L, 2);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (int)(i + 1));
    luaL_argcheck(L, lua_istable(L, -1), 1, "a list of machines expected");
    struct mde_text name = text_field(L, 4, "computerDnsName");
    struct mde_text last_seen = text_field(L, 4, "lastSeen");
    int64_t time = last_seen.bytes == NULL ? MDE_NO_TIME : mde_timestamp(last_seen);
    names->list[i] = mde_nearest_read(push_normal(L, name), time);
    lua_rawseti(L, 3, (int)(i + 1));
    lua_settop(L, 3);
  }
  names->count = count;
  lua_settop(L, 2);
  luaL_getmetatable(L, NEAREST);
  lua_setmetatable(L, 2);
  return 1;
}

/* names:find(name) -> the places of the machines with the nearest names, the nearest first */
static int nearest_find(lua_State *L)
{
  const struct names *names = luaL_checkudata(L, 1, NEAREST);
  struct mde_text asked;
  asked.bytes = luaL_checklstring(L, 2, &asked.length);
  struct mde_nearest_found found[MDE_NEAREST_MAX];
  size_t count = mde_nearest_find(names->list, names->count, push_normal(L, asked), found);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, (lua_Integer)(found[i].index + 1));
    lua_rawseti(L, -2, (int)(i + 1));
  }
  return 1;
}

static const luaL_Reg functions[] = {{"new", nearest_new}, {NULL, NULL}};

static const luaL_Reg methods[] = {{"find", nearest_find}, {NULL, NULL}};

static const luaL_Reg no_metamethods[] = {{NULL, NULL}};

void mde_open_nearest(lua_State *L)
{
  mde_metatable(L, NEAREST, methods, no_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
