#include "fields.h"

#include <string.h>

/* The number of a parameter, whatever it takes; 0: the statement has none of that name. */
static int find_parameter(sqlite3_stmt *statement, const char *name)
{
  int count = sqlite3_bind_parameter_count(statement);
  while (count > 0 && strcmp(sqlite3_bind_parameter_name(statement, count) + 1, name) != 0)
    count--;
  return count;
}

static void bind_number(lua_State *L, int index, sqlite3_stmt *statement, int parameter)
{
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, index)) {
    sqlite3_bind_int64(statement, parameter, lua_tointeger(L, index));
    return;
  }
#endif
  sqlite3_bind_double(statement, parameter, lua_tonumber(L, index));
}

static bool is_finite(lua_Number number)
{
  return number - number == 0;
}

/* Binds the value at `index`; NULL, or what it should have been. */
static const char *bind(lua_State *L, int index, sqlite3_stmt *statement, int parameter)
{
  char takes = sqlite3_bind_parameter_name(statement, parameter)[0];
  size_t length;
  if (lua_isnil(L, index)) {
    sqlite3_bind_null(statement, parameter);
    return NULL;
  }
  if (takes == '$') {
    if (lua_type(L, index) != LUA_TNUMBER || !is_finite(lua_tonumber(L, index)))
      return "a finite number";
    bind_number(L, index, statement, parameter);
    return NULL;
  }
  if (lua_type(L, index) != LUA_TSTRING) return "a string";
  const char *bytes = lua_tolstring(L, index, &length);
  if (takes == '@')
    sqlite3_bind_blob64(statement, parameter, bytes, length, SQLITE_STATIC);
  else
    sqlite3_bind_text64(statement, parameter, bytes, length, SQLITE_STATIC, SQLITE_UTF8);
  return NULL;
}

void mde_fields_check(lua_State *L, int index, sqlite3_stmt *statement)
{
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "a field's name must be a string");
    const char *name = lua_tostring(L, -1);
    if (find_parameter(statement, name) == 0) luaL_error(L, "unknown field '%s'", name);
  }
}

void mde_fields_bind(lua_State *L, int index, sqlite3_stmt *statement)
{
  for (int i = sqlite3_bind_parameter_count(statement); i > 0; i--) {
    const char *name = sqlite3_bind_parameter_name(statement, i) + 1;
    lua_pushstring(L, name);
    lua_rawget(L, index);
    const char *wanted = bind(L, -1, statement, i);
    if (wanted != NULL)
      luaL_error(L, "field '%s' must be %s, not %s", name, wanted, luaL_typename(L, -1));
    lua_pop(L, 1);
  }
}

void mde_fields_bind_argument(lua_State *L, int index, sqlite3_stmt *statement, const char *name)
{
  if (lua_isnone(L, index)) lua_settop(L, index);
  const char *wanted = bind(L, index, statement, find_parameter(statement, name));
  if (wanted != NULL)
    luaL_argerror(
        L, index,
        lua_pushfstring(L, "%s must be %s, not %s", name, wanted, luaL_typename(L, index)));
}
