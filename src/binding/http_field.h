/*
 * http_field: a header field as Lua has it, for every module that hands heads on.
 */
#ifndef MDE_HTTP_FIELD_H
#define MDE_HTTP_FIELD_H

#include "compat.h"

#include "http1.h"

/* Adds a field to the table on the top, its name in lower case; a second one of a name is joined to
 * the first. */
static inline void mde_push_http_field(lua_State *L, const struct mde_http1_field *field)
{
  luaL_Buffer name;
  luaL_buffinit(L, &name);
  for (size_t i = 0; i < field->name.length; i++)
    luaL_addchar(&name, (char)mde_ascii_lower(field->name.bytes[i]));
  luaL_pushresult(&name);
  lua_pushvalue(L, -1);
  lua_rawget(L, -3); /* fields, name, former value or nil */
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, field->value.bytes, field->value.length);
  } else {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, field->value.bytes, field->value.length);
    lua_concat(L, 3);
  }
  lua_rawset(L, -3);
}

#endif
