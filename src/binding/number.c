/*
 * mde.core.number: numbers as text, whatever the process's locale is (src/core/number.h).
 */
#include "compat.h"

#include <math.h>

#include "number.h"

/* The largest integer up to which a double holds every one exactly. */
#define MAX_EXACT_INTEGER 9007199254740992.0

/* write(number) -> text that reads back as the same number */
static int number_write(lua_State *L)
{
  char text[MDE_NUMBER_SIZE];
  lua_Number number = luaL_checknumber(L, 1);
#if LUA_VERSION_NUM >= 503
  /* More of an integer than a double holds stays: no locale changes its digits. */
  if (lua_isinteger(L, 1)) {
    luaL_tolstring(L, 1, NULL);
    return 1;
  }
#endif
  size_t length = mde_number_write(number, text);
  lua_pushlstring(L, text, length);
  return 1;
}

/* whole(number) -> text of the whole number that is next to it */
static int number_whole(lua_State *L)
{
  char text[MDE_NUMBER_SIZE];
  lua_pushlstring(L, text, mde_number_write(floor(luaL_checknumber(L, 1) + 0.5), text));
  return 1;
}

/* read(text) -> number, an integer where it is one | nil if the text is no decimal number */
static int number_read(lua_State *L)
{
  struct mde_text text;
  double number;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  if (!mde_number_read(text, &number)) {
    lua_pushnil(L);
    return 1;
  }
#if LUA_VERSION_NUM >= 503
  if (floor(number) == number && fabs(number) <= MAX_EXACT_INTEGER) {
    lua_pushinteger(L, (lua_Integer)number);
    return 1;
  }
#endif
  lua_pushnumber(L, number);
  return 1;
}

/* point() -> what other code of this process writes in the place of the point */
static int number_point(lua_State *L)
{
  char point[MDE_NUMBER_POINT_SIZE];
  lua_pushlstring(L, point, mde_number_point(point));
  return 1;
}

static const luaL_Reg functions[] = {
    {"write", number_write},
    {"whole", number_whole},
    {"read", number_read},
    {"point", number_point},
    {NULL, NULL},
};

void mde_open_number(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
