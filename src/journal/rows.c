#include "rows.h"

#include <string.h>

/* Pushes a value; false, and nothing pushed, if the column cannot have it. */
static bool push_value(lua_State *L, sqlite3_stmt *statement, int column)
{
  const char *declared = sqlite3_column_decltype(statement, column);
  bool is_text =
      declared != NULL && (strcmp(declared, "TEXT") == 0 || strcmp(declared, "BLOB") == 0);
  switch (sqlite3_column_type(statement, column)) {
  case SQLITE_NULL:
    lua_pushnil(L);
    return true;
  case SQLITE_INTEGER:
    if (is_text) return false;
    lua_pushinteger(L, (lua_Integer)sqlite3_column_int64(statement, column));
    return true;
  case SQLITE_FLOAT:
    if (is_text) return false;
    lua_pushnumber(L, sqlite3_column_double(statement, column));
    return true;
  default: {
    if (!is_text) return false;
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t length = (size_t)sqlite3_column_bytes(statement, column);
    lua_pushlstring(L, bytes != NULL ? bytes : "", length);
    return true;
  }
  }
}

/* Pushes a table of the row. */
static bool push_row(lua_State *L, sqlite3_stmt *statement)
{
  int count = sqlite3_column_count(statement);
  lua_createtable(L, 0, count);
  for (int column = 0; column < count; column++) {
    if (!push_value(L, statement, column)) return false;
    lua_setfield(L, -2, sqlite3_column_name(statement, column));
  }
  return true;
}

struct reading {
  sqlite3_stmt *statement;
  int status;
};

/* (reading) -> a list. Raises for memory. */
static int read_all(lua_State *L)
{
  struct reading *reading = lua_touserdata(L, 1);
  lua_newtable(L);
  for (int count = 1; (reading->status = sqlite3_step(reading->statement)) == SQLITE_ROW; count++) {
    if (!push_row(L, reading->statement)) {
      reading->status = SQLITE_CORRUPT;
      break;
    }
    lua_rawseti(L, 2, count);
  }
  lua_settop(L, 2);
  return 1;
}

bool mde_rows_read(lua_State *L, struct mde_connection *connection, enum mde_statement statement,
                   struct mde_problem *problem)
{
  luaL_checkstack(L, 8, "mde.journal");
  lua_pushcfunction(L, read_all);
  /* A userdata that Lua owns: LuaJIT cannot hold every pointer. */
  struct reading *reading = mde_newuserdata(L, sizeof *reading);
  *reading = (struct reading){connection->statements[statement], SQLITE_DONE};
  lua_pushvalue(L, -1);
  lua_insert(L, -3); /* the reading, read_all, the reading */
  int raised = lua_pcall(L, 1, 1, 0);
  bool is_read = mde_connection_end(connection, statement, reading->status, problem);
  lua_remove(L, -2); /* the reading */
  if (raised != 0) lua_error(L);
  if (!is_read) lua_pop(L, 1);
  return is_read;
}

/* Gives the next of the list, its first upvalue; the second counts. */
static int next_row(lua_State *L)
{
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(2)) + 1;
  lua_pushinteger(L, count);
  lua_replace(L, lua_upvalueindex(2));
  lua_rawgeti(L, lua_upvalueindex(1), (int)count);
  return 1;
}

void mde_rows_make_iterator(lua_State *L)
{
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_row, 2);
}
