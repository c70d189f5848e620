/*
 * mde.journal: the record of a run, a SQLite file. What its functions take and return stands in
 * journal.meta.lua; the verbs of a run are in record.c.
 *
 *   journal.create(path, fields) -> a journal | nil, message, code
 *   journal.open(path [, { untrusted=, timeout= }]) -> a journal | nil, message, code
 *   journal.make_directory(path) -> true | nil, message, code
 *   journal.version -> "SQLite 3.40.1"
 */
#include "record.h"

#include <string.h>

#include "fields.h"
#include "place.h"

#define DEFAULT_TIMEOUT_SECONDS 10

MDE_EXPORT int luaopen_mde_journal(lua_State *L);

/* ---- opening and closing */

static const char *check_path(lua_State *L, int index)
{
  size_t length;
  luaL_checktype(L, index, LUA_TSTRING);
  const char *path = lua_tolstring(L, index, &length);
  luaL_argcheck(L, length > 0 && length == strlen(path), index,
                "a path is not empty and has no NUL");
  return path;
}

/* Pushes a journal that is closed. */
static struct mde_connection *push_closed(lua_State *L)
{
  struct mde_connection *connection = mde_newuserdata(L, sizeof *connection);
  mde_connection_init(connection);
  luaL_getmetatable(L, MDE_JOURNAL_FILE);
  lua_setmetatable(L, -2);
  return connection;
}

/* (a half made journal, the run's fields): writes them. */
static int write_run(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = lua_touserdata(L, 1);
  mde_fields_check(L, 2, connection->statements[MDE_RUN_INSERT]);
  mde_fields_bind(L, 2, connection->statements[MDE_RUN_INSERT]);
  if (mde_connection_write(connection, MDE_RUN_INSERT, NULL, &problem) &&
      mde_connection_commit(connection, &problem)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  return mde_record_push_problem(L, &problem);
}

static int journal_create(lua_State *L)
{
  struct mde_problem problem;
  const char *path = check_path(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  struct mde_connection *connection = push_closed(L);
  if (!mde_connection_create(connection, path, &problem))
    return mde_record_push_problem(L, &problem);
  lua_pushcfunction(L, write_run);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 2);
  int raised = lua_pcall(L, 2, 3, 0); /* true, or nil, message, code */
  if (raised != 0) {
    mde_connection_close(connection);
    return luaL_error(L, "%s", lua_tostring(L, -1));
  }
  if (!lua_toboolean(L, -3)) {
    mde_connection_close(connection);
    return 3;
  }
  lua_settop(L, 3);
  return 1;
}

static int journal_open(lua_State *L)
{
  bool untrusted = false;
  lua_Number timeout = DEFAULT_TIMEOUT_SECONDS;
  struct mde_problem problem;
  const char *path = check_path(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "untrusted");
    untrusted = lua_toboolean(L, -1);
    if (mde_field(L, 2, "timeout")) timeout = luaL_checknumber(L, -1);
  }
  luaL_argcheck(L, timeout >= 0 && timeout <= 3600, 2, "timeout is 0 to 3600 seconds");
  struct mde_connection *connection = push_closed(L);
  if (!mde_connection_open(connection, path, (int)(timeout * 1000), untrusted, &problem))
    return mde_record_push_problem(L, &problem);
  return 1;
}

static int journal_make_directory(lua_State *L)
{
  struct mde_problem problem;
  const char *path = check_path(L, 1);
  if (!mde_place_make_directory(path, &problem)) return mde_record_push_problem(L, &problem);
  lua_pushboolean(L, 1);
  return 1;
}

/* close(): a second time is harmless. What is not committed is rolled back. */
static int file_close(lua_State *L)
{
  mde_connection_close(luaL_checkudata(L, 1, MDE_JOURNAL_FILE));
  return 0;
}

/* ---- transactions, and the file as a whole */

static int push_result(lua_State *L, bool done, const struct mde_problem *problem)
{
  if (!done) return mde_record_push_problem(L, problem);
  lua_pushboolean(L, 1);
  return 1;
}

/* Raises unless a transaction is under way, or none is. */
static void check_transaction(lua_State *L, const struct mde_connection *connection, bool wanted)
{
  bool is_open = connection->transaction != MDE_TRANSACTION_NONE;
  if (wanted && !is_open) luaL_error(L, "no transaction was begun");
  if (!wanted && is_open) luaL_error(L, "a transaction is under way");
}

static int file_begin(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_transaction(L, connection, false);
  return push_result(L, mde_connection_begin(connection, &problem), &problem);
}

static int file_commit(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_transaction(L, connection, true);
  return push_result(L, mde_connection_commit(connection, &problem), &problem);
}

static int file_rollback(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  return push_result(L, mde_connection_rollback(connection, &problem), &problem);
}

static int file_reserve(lua_State *L)
{
  struct mde_problem problem;
  lua_Number bytes = luaL_checknumber(L, 2);
  luaL_argcheck(L, bytes >= 0 && bytes <= MDE_MAX_RESERVE, 2, "it is 0 to 200 million bytes");
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_transaction(L, connection, false);
  return push_result(L, mde_connection_reserve(connection, bytes, &problem), &problem);
}

static int file_copy(lua_State *L)
{
  struct mde_problem problem;
  const char *path = check_path(L, 2);
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_transaction(L, connection, false);
  return push_result(L, mde_connection_copy(connection, path, &problem), &problem);
}

static int file_finish(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_transaction(L, connection, false);
  return push_result(L, mde_connection_finish(connection, &problem), &problem);
}

static const luaL_Reg functions[] = {
    {"create", journal_create},
    {"open", journal_open},
    {"make_directory", journal_make_directory},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"begin", file_begin},       {"commit", file_commit},
    {"rollback", file_rollback}, {"reserve", file_reserve},
    {"copy", file_copy},         {"finish", file_finish},
    {"close", file_close},       {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", file_close},
    {"__close", file_close},
    {NULL, NULL},
};

int luaopen_mde_journal(lua_State *L)
{
  luaL_checkstack(L, 8, "mde.journal");
  mde_connection_initialize_process();
  mde_metatable(L, MDE_JOURNAL_FILE, methods, metamethods);
  lua_getfield(L, -1, "__index");
  mde_setfuncs(L, mde_record_methods);
  lua_pop(L, 2);
  lua_newtable(L);
  mde_setfuncs(L, functions);
  lua_pushfstring(L, "SQLite %s", sqlite3_libversion());
  lua_setfield(L, -2, "version");
  return 1;
}
