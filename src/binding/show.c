/*
 * mde.core.show: what is safe on a terminal and within one line, and its columns (src/core/show.h).
 */
#include "text_value.h"

#include "show.h"

static size_t write_line(struct mde_text text, char *out, size_t size)
{
  return mde_show_safe(text, MDE_SHOW_FORM_LINE, out, size);
}

static size_t write_json(struct mde_text text, char *out, size_t size)
{
  return mde_show_safe(text, MDE_SHOW_FORM_JSON, out, size);
}

/* Pushes the text made safe; most texts are as they are. */
static int push_safe(lua_State *L, size_t (*write)(struct mde_text, char *, size_t))
{
  struct mde_text text = mde_check_text(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && write(text, NULL, 0) == text.length)
    lua_settop(L, 1);
  else
    mde_push_changed(L, text, write);
  return 1;
}

/* line(text) -> the text, with \xHH where a byte would act or not show */
static int show_line(lua_State *L)
{
  return push_safe(L, write_line);
}

/* json(text) -> what stands between the quotes of a string of JSON */
static int show_json(lua_State *L)
{
  return push_safe(L, write_json);
}

/* columns(text) -> how many columns a safe text takes */
static int show_columns(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)mde_show_columns(mde_check_text(L, 1)));
  return 1;
}

/* beginning(text, columns) -> as much of a safe text as fits, and how many columns it takes */
static int show_beginning(lua_State *L)
{
  struct mde_text text = mde_check_text(L, 1);
  lua_Integer columns = luaL_checkinteger(L, 2);
  size_t taken;
  struct mde_text beginning = mde_show_beginning(text, columns > 0 ? (size_t)columns : 0, &taken);
  lua_pushlstring(L, beginning.bytes, beginning.length);
  lua_pushinteger(L, (lua_Integer)taken);
  return 2;
}

static const luaL_Reg functions[] = {
    {"line", show_line},           {"json", show_json}, {"columns", show_columns},
    {"beginning", show_beginning}, {NULL, NULL},
};

void mde_open_show(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
