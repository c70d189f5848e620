/*
 * mde.core.timestamp: times as the service and OData read and write them (src/core/timestamp.h).
 */
#include "compat.h"

#include "timestamp.h"

/* read(text) -> Unix seconds with a fraction | nil, also for what is no text */
static int timestamp_read(lua_State *L)
{
  struct mde_text text = {NULL, 0};
  if (lua_type(L, 1) == LUA_TSTRING) text.bytes = lua_tolstring(L, 1, &text.length);
  int64_t ticks = mde_timestamp(text);
  if (ticks == MDE_NO_TIME)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)ticks / (lua_Number)MDE_TICKS_PER_SECOND);
  return 1;
}

static int push_time(lua_State *L, enum mde_timestamp_form form)
{
  char text[MDE_TIMESTAMP_SIZE];
  size_t length = mde_timestamp_write(luaL_checknumber(L, 1), form, text);
  if (length > 0)
    lua_pushlstring(L, text, length);
  else
    lua_pushnil(L);
  return 1;
}

/* write(seconds) -> "2026-02-03T10:11:12.25Z", to the microsecond | nil if no year has it */
static int timestamp_write(lua_State *L)
{
  return push_time(L, MDE_TIMESTAMP_FORM_MICROSECOND);
}

/* whole(seconds) -> "2026-02-03T10:11:12Z", the second that it lies in | nil if no year has it */
static int timestamp_whole(lua_State *L)
{
  return push_time(L, MDE_TIMESTAMP_FORM_SECOND);
}

static const luaL_Reg functions[] = {
    {"read", timestamp_read},
    {"write", timestamp_write},
    {"whole", timestamp_whole},
    {NULL, NULL},
};

void mde_open_timestamp(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
