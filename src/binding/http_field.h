/*
 * http_field: a header field as Lua has it, for every module that hands heads on.
 */
#ifndef MDE_HTTP_FIELD_H
#define MDE_HTTP_FIELD_H

#include "compat.h"

#include "http1.h"

/* Pushes the value of a field, in one line. */
static inline void mde_push_http_value(lua_State *L, const struct mde_http1_field *field)
{
  struct mde_text rest = field->value, line;
  luaL_Buffer value;
  if (!field->folded) {
    lua_pushlstring(L, rest.bytes, rest.length);
    return;
  }
  luaL_buffinit(L, &value);
  for (bool first = true; mde_http1_unfold(&rest, &line); first = false) {
    if (!first) luaL_addchar(&value, ' ');
    luaL_addlstring(&value, line.bytes, line.length);
  }
  luaL_pushresult(&value);
}

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
    mde_push_http_value(L, field);
  } else {
    lua_pushliteral(L, ", ");
    mde_push_http_value(L, field);
    lua_concat(L, 3);
  }
  lua_rawset(L, -3);
}

#endif
