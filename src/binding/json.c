/*
 * mde.core.json: what a decoder does not tell (src/core/json.h), and the pass over a decoded reply
 * that makes nulls absent and integral numbers integers.
 *
 * A decoder of JSON leaves a sentinel where a null was and, depending on its build, floats where
 * integers were and NaN where there was no JSON at all. One walk over the tables mends all three.
 */
#include "compat.h"

#include <math.h>

#include "json.h"
#include "json_digits.h"
#include "json_repair.h"

/* The largest integer up to which a double holds every one exactly. */
#define MAX_EXACT_INTEGER 9007199254740992.0

enum { VALUE = 1, NULL_SENTINEL = 2 };

/* Pushes the integer that the number on top is and returns true; or pushes nothing. */
static bool push_integer(lua_State *L, lua_Number number)
{
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, -1) || floor(number) != number || fabs(number) > MAX_EXACT_INTEGER)
    return false;
  lua_pushinteger(L, (lua_Integer)number);
  return true;
#else
  (void)L;
  (void)number;
  return false;
#endif
}

/* Closes the gaps that nulls leave in the list on top, which has `length` places. */
static void compact(lua_State *L, int length)
{
  int kept = 0;
  for (int i = 1; i <= length; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_rawequal(L, -1, NULL_SENTINEL)) {
      lua_pop(L, 1);
      continue;
    }
    lua_rawseti(L, -2, ++kept);
  }
  while (length > kept) {
    lua_pushnil(L);
    lua_rawseti(L, -2, length--);
  }
}

/*
 * Cleans the table on top and returns NULL, or why it cannot be, with the stack in disorder then.
 * Only fields that exist are assigned to, which is allowed while a table is walked through.
 */
static const char *clean(lua_State *L, int depth)
{
  bool has_gaps = false;
  if (depth > MDE_JSON_MAX_DEPTH) return "is nested too deeply";
  luaL_checkstack(L, 6, "json");
  lua_pushnil(L);
  while (lua_next(L, -2)) { /* table, key, value */
    const char *problem = NULL;
    switch (lua_type(L, -1)) {
    case LUA_TTABLE:
      problem = clean(L, depth + 1);
      break;
    case LUA_TNUMBER: {
      lua_Number number = lua_tonumber(L, -1);
      if (!isfinite(number)) {
        problem = "holds a number that is not finite";
      } else if (push_integer(L, number)) {
        lua_pushvalue(L, -3);
        lua_insert(L, -2);
        lua_rawset(L, -5);
      }
      break;
    }
    default:
      if (!lua_rawequal(L, -1, NULL_SENTINEL)) break;
      if (lua_type(L, -2) == LUA_TNUMBER) {
        has_gaps = true;
      } else {
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, -5);
      }
    }
    if (problem != NULL) return problem;
    lua_pop(L, 1);
  }
  if (has_gaps) compact(L, (int)mde_rawlen(L, -1));
  return NULL;
}

/*
 * clean(value, null) -> the same value, changed in place: fields that are `null` are gone, lists
 * closed up, integral floats integers (where Lua has them) | nil and a phrase if it holds NaN or an
 * infinity or more than 64 levels of tables; it is of no use then.
 */
static int json_clean(lua_State *L)
{
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  const char *problem = NULL;
  lua_pushvalue(L, VALUE);
  if (lua_istable(L, -1)) {
    problem = clean(L, 1);
  } else if (lua_type(L, -1) == LUA_TNUMBER) {
    lua_Number number = lua_tonumber(L, -1);
    if (!isfinite(number))
      problem = "is a number that is not finite";
    else
      push_integer(L, number);
  } else if (!lua_isnil(L, NULL_SENTINEL) && lua_rawequal(L, -1, NULL_SENTINEL)) {
    lua_pushnil(L);
  }
  if (problem == NULL) return 1;
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

/* list(text, name) -> how many items the list has that is this member of an object | nil: none */
static int json_list(lua_State *L)
{
  struct mde_text text, name;
  size_t count;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  name.bytes = luaL_checklstring(L, 2, &name.length);
  if (mde_json_list(text, name, &count))
    lua_pushinteger(L, (lua_Integer)count);
  else
    lua_pushnil(L);
  return 1;
}

/* repair(text) -> the text, with what is malformed in it replaced (src/core/json_repair.h) */
static int json_repair(lua_State *L)
{
  struct mde_text text;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  char *out = lua_newuserdata(L, mde_json_repair(text, NULL) + 1);
  lua_pushlstring(L, out, mde_json_repair(text, out));
  return 1;
}

/* digits(text) -> the text, with whole numbers beyond 2^53 as strings (src/core/json_digits.h) */
static int json_digits(lua_State *L)
{
  struct mde_text text;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  size_t length = mde_json_digits(text, NULL);
  if (length == text.length) {
    lua_settop(L, 1);
    return 1;
  }
  char *out = lua_newuserdata(L, length);
  lua_pushlstring(L, out, mde_json_digits(text, out));
  return 1;
}

static const luaL_Reg functions[] = {
    {"clean", json_clean}, {"digits", json_digits}, {"list", json_list}, {"repair", json_repair},
    {NULL, NULL},
};

void mde_open_json(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
