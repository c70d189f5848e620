/*
 * mde.core.text: letters and order, whatever the process's locale is (src/core/text.h); and what is
 * UTF-8 (src/core/utf8.h).
 */
#include "text_value.h"

#include "text.h"
#include "utf8.h"

/* Most texts are as they are to be. */
static int push_mapped(lua_State *L, int (*map)(int))
{
  struct mde_text text = mde_check_text(L, 1);
  size_t same = 0;
  while (same < text.length && (char)map(text.bytes[same]) == text.bytes[same])
    same++;
  if (same == text.length && lua_type(L, 1) == LUA_TSTRING) {
    lua_settop(L, 1);
    return 1;
  }
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < text.length; i++)
    luaL_addchar(&buffer, (char)map(text.bytes[i]));
  luaL_pushresult(&buffer);
  return 1;
}

/* lower(text) -> text, A to Z as a to z */
static int text_lower(lua_State *L)
{
  return push_mapped(L, mde_ascii_lower);
}

/* upper(text) -> text, a to z as A to Z */
static int text_upper(lua_State *L)
{
  return push_mapped(L, mde_ascii_upper);
}

/* before(a, b) -> whether a comes first in the order of bytes */
static int text_before(lua_State *L)
{
  lua_pushboolean(L, mde_text_before(mde_check_text(L, 1), mde_check_text(L, 2)));
  return 1;
}

/* is_utf8(text) -> whether all of it is UTF-8 */
static int text_is_utf8(lua_State *L)
{
  lua_pushboolean(L, mde_utf8_is_valid(mde_check_text(L, 1)));
  return 1;
}

/* trim(text) -> text without the white space around it */
static int text_trim(lua_State *L)
{
  struct mde_text trimmed = mde_utf8_trim(mde_check_text(L, 1));
  lua_pushlstring(L, trimmed.bytes, trimmed.length);
  return 1;
}

/* has_control(text) -> whether there is a control character in it */
static int text_has_control(lua_State *L)
{
  lua_pushboolean(L, mde_utf8_has_control(mde_check_text(L, 1)));
  return 1;
}

static const luaL_Reg functions[] = {
    {"lower", text_lower},
    {"upper", text_upper},
    {"before", text_before},
    {"is_utf8", text_is_utf8},
    {"trim", text_trim},
    {"has_control", text_has_control},
    {NULL, NULL},
};

void mde_open_text(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
