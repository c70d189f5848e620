/*
 * mde.core.timestamp: times as the service and OData read them (src/core/timestamp.h). What reads
 * one is mde.core.history.time.
 */
#include "compat.h"

#include "timestamp.h"

static int push_written(lua_State *L, enum mde_timestamp_form form)
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
  return push_written(L, MDE_TIMESTAMP_FORM_MICROSECOND);
}

/* whole(seconds) -> "2026-02-03T10:11:12Z", the second that it lies in | nil if no year has it */
static int timestamp_whole(lua_State *L)
{
  return push_written(L, MDE_TIMESTAMP_FORM_SECOND);
}

static const luaL_Reg functions[] = {
    {"write", timestamp_write},
    {"whole", timestamp_whole},
    {NULL, NULL},
};

void mde_open_timestamp(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
