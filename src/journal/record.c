#include "record.h"

#include <stdarg.h>

#include "fields.h"
#include "rows.h"

int mde_record_push_problem(lua_State *L, const struct mde_problem *problem)
{
  lua_pushnil(L);
  lua_pushstring(L, problem->message);
  lua_pushstring(L, problem->code);
  return 3;
}

struct mde_connection *mde_record_connection(lua_State *L)
{
  struct mde_connection *connection = luaL_checkudata(L, 1, MDE_JOURNAL_FILE);
  struct mde_problem problem;
  if (mde_connection_check(connection, &problem)) return connection;
  mde_record_push_problem(L, &problem);
  return NULL;
}

/* ---- ends of a method */

static int push_true(lua_State *L)
{
  lua_pushboolean(L, 1);
  return 1;
}

static int push_inserted(lua_State *L, struct mde_connection *connection)
{
  lua_pushinteger(L, (lua_Integer)sqlite3_last_insert_rowid(connection->handle));
  return 1;
}

__attribute__((format(printf, 2, 3))) static int refuse(lua_State *L, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  lua_pushnil(L);
  lua_pushvfstring(L, format, arguments);
  lua_pushliteral(L, "constraint");
  va_end(arguments);
  return 3;
}

/* ---- what the methods have in common */

/* Binds the arguments after the journal, which are called so. */
static void bind_arguments(lua_State *L, sqlite3_stmt *statement, const char *const *names)
{
  for (int i = 0; names[i] != NULL; i++)
    mde_fields_bind_argument(L, i + 2, statement, names[i]);
}

/* Writes the fields of the table that is the second argument. */
static bool write_fields(lua_State *L, struct mde_connection *connection,
                         enum mde_statement statement, int *changes, struct mde_problem *problem)
{
  mde_fields_bind(L, 2, connection->statements[statement]);
  return mde_connection_write(connection, statement, changes, problem);
}

/* The number that a table's fields find, 0 if nothing. False: it could not be read. */
static bool find_number(lua_State *L, struct mde_connection *connection,
                        enum mde_statement statement, lua_Integer *number,
                        struct mde_problem *problem)
{
  mde_fields_bind(L, 2, connection->statements[statement]);
  if (!mde_rows_read(L, connection, statement, problem)) return false;
  lua_rawgeti(L, -1, 1);
  *number = 0;
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "n");
    *number = lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return true;
}

/* Inserts the fields of a table -> the row's number. */
static int insert_fields(lua_State *L, enum mde_statement statement)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  mde_fields_check(L, 2, connection->statements[statement]);
  if (!write_fields(L, connection, statement, NULL, &problem))
    return mde_record_push_problem(L, &problem);
  return push_inserted(L, connection);
}

/* Changes one row by the arguments -> true. If no row can be changed: `refusal`. */
static int change_by_arguments(lua_State *L, enum mde_statement statement, const char *const *names,
                               const char *refusal)
{
  int changes = 0;
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  bind_arguments(L, connection->statements[statement], names);
  if (!mde_connection_write(connection, statement, &changes, &problem))
    return mde_record_push_problem(L, &problem);
  return changes > 0 ? push_true(L) : refuse(L, "%s", refusal);
}

/* Whether the arguments find a row -> boolean. */
static int is_found(lua_State *L, enum mde_statement statement, const char *const *names)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  bind_arguments(L, connection->statements[statement], names);
  if (!mde_rows_read(L, connection, statement, &problem))
    return mde_record_push_problem(L, &problem);
  lua_pushboolean(L, mde_rawlen(L, -1) > 0);
  return 1;
}

/* Sees that what the arguments say stands there, by `put` unless it does -> true. */
static int ensure(lua_State *L, enum mde_statement put, enum mde_statement is,
                  const char *const *names, const char *refusal)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  bind_arguments(L, connection->statements[put], names);
  if (!mde_connection_write(connection, put, NULL, &problem))
    return mde_record_push_problem(L, &problem);
  int count = is_found(L, is, names);
  if (count != 1 || lua_toboolean(L, -1)) return count;
  return refuse(L, "%s", refusal);
}

/* ---- the run, its sessions and modules */

/* run() -> its row */
static int record_run(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  if (!mde_rows_read(L, connection, MDE_RUN, &problem)) return mde_record_push_problem(L, &problem);
  lua_rawgeti(L, -1, 1);
  if (lua_istable(L, -1)) return 1;
  mde_problem_of_sqlite(&problem, SQLITE_CORRUPT, connection->handle, "read the run");
  return mde_record_push_problem(L, &problem);
}

/* set_plan(digest) */
static int record_set_plan(lua_State *L)
{
  static const char *const names[] = {"digest", NULL};
  luaL_checktype(L, 2, LUA_TSTRING);
  return change_by_arguments(L, MDE_RUN_PLAN, names, "the run has another plan already");
}

/* take(now) -> true | nil, message, "taken", the time */
static int record_take(lua_State *L)
{
  static const char *const names[] = {"now", NULL};
  int changes = 0;
  struct mde_problem problem;
  luaL_checktype(L, 2, LUA_TNUMBER);
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  bind_arguments(L, connection->statements[MDE_RUN_TAKE], names);
  if (!mde_connection_write(connection, MDE_RUN_TAKE, &changes, &problem))
    return mde_record_push_problem(L, &problem);
  if (changes > 0) return push_true(L);
  int count = record_run(L);
  if (count != 1) return count;
  lua_pushnil(L);
  lua_pushliteral(L, "the plan was taken already; continue with the run that took it (resume)");
  lua_pushliteral(L, "taken");
  lua_getfield(L, -4, "taken");
  return 4;
}

/* set_state(state, why) */
static int record_set_state(lua_State *L)
{
  static const char *const names[] = {"state", "why", NULL};
  luaL_checktype(L, 2, LUA_TSTRING);
  return change_by_arguments(L, MDE_RUN_STATE, names, "the journal has no run");
}

/* begin_session { ... } -> n */
static int record_begin_session(lua_State *L)
{
  return insert_fields(L, MDE_SESSION_INSERT);
}

/* end_session(n, ended) */
static int record_end_session(lua_State *L)
{
  static const char *const names[] = {"n", "ended", NULL};
  luaL_checknumber(L, 3);
  return change_by_arguments(L, MDE_SESSION_END, names, "the journal has no such session");
}

/* module { name=, path=, digest= }: the newest of a name stays */
static int record_module(lua_State *L)
{
  int count = insert_fields(L, MDE_MODULE_PUT);
  return count == 1 ? push_true(L) : count;
}

/* ---- devices and the plan */

/* device { id=, ... } -> n */
static int record_device(lua_State *L)
{
  lua_Integer number;
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  mde_fields_check(L, 2, connection->statements[MDE_DEVICE_INSERT]);
  if (!find_number(L, connection, MDE_DEVICE_FIND, &number, &problem))
    return mde_record_push_problem(L, &problem);
  if (!write_fields(L, connection, number == 0 ? MDE_DEVICE_INSERT : MDE_DEVICE_UPDATE, NULL,
                    &problem))
    return mde_record_push_problem(L, &problem);
  if (number == 0) return push_inserted(L, connection);
  lua_pushinteger(L, number);
  return 1;
}

/* asked(name, device) */
static int record_asked(lua_State *L)
{
  static const char *const names[] = {"name", "device", NULL};
  return ensure(L, MDE_ASKED_PUT, MDE_ASKED_IS, names,
                "the name means another machine in this run, or the machine is not in the journal");
}

/* find_asked(name) -> a device's id | false */
static int record_find_asked(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  mde_fields_bind_argument(L, 2, connection->statements[MDE_ASKED_FIND], "name");
  if (!mde_rows_read(L, connection, MDE_ASKED_FIND, &problem))
    return mde_record_push_problem(L, &problem);
  lua_rawgeti(L, -1, 1);
  if (lua_istable(L, -1))
    lua_getfield(L, -1, "id");
  else
    lua_pushboolean(L, 0);
  return 1;
}

static const char *const names_of_plan[] = {"device", "verb", "incident", NULL};

/* planned(device, verb, incident) */
static int record_planned(lua_State *L)
{
  return ensure(L, MDE_PLANNED_PUT, MDE_PLANNED_IS, names_of_plan,
                "the machine is not in the journal");
}

/* is_planned(device, verb, incident) -> boolean */
static int record_is_planned(lua_State *L)
{
  return is_found(L, MDE_PLANNED_IS, names_of_plan);
}

/* ---- steps */

/* Raises unless the table has what makes a step. */
static void check_step(lua_State *L, struct mde_connection *connection,
                       enum mde_statement statement)
{
  mde_fields_check(L, 2, connection->statements[statement]);
  lua_getfield(L, 2, "device");
  lua_getfield(L, 2, "verb");
  if (lua_isnil(L, -1) || lua_isnil(L, -2)) luaL_error(L, "a step has a device and a verb");
  lua_pop(L, 2);
}

/* sending { ... } -> n */
static int record_sending(lua_State *L)
{
  int changes = 0;
  lua_Integer number;
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_step(L, connection, MDE_STEP_SENDING);
  if (!find_number(L, connection, MDE_STEP_FIND, &number, &problem))
    return mde_record_push_problem(L, &problem);
  if (!write_fields(L, connection, number == 0 ? MDE_STEP_SENDING : MDE_STEP_SENDING_AGAIN,
                    &changes, &problem))
    return mde_record_push_problem(L, &problem);
  if (number == 0) return push_inserted(L, connection);
  if (changes == 0)
    return refuse(L,
                  "step %d has its result already, or another operation id: it is not to be "
                  "sent again",
                  (int)number);
  lua_pushinteger(L, number);
  return 1;
}

/* settled { ... } -> n: an answer for which nothing was sent */
static int record_settled(lua_State *L)
{
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_step(L, connection, MDE_STEP_SETTLED);
  return insert_fields(L, MDE_STEP_SETTLED);
}

/* Ends a method that changed no step: false if the step is there, and stays as it is. */
static int return_unchanged(lua_State *L, struct mde_connection *connection, int number)
{
  struct mde_problem problem;
  sqlite3_stmt *statement = connection->statements[MDE_STEP_IS];
  mde_fields_bind_argument(L, number, statement, "step");
  if (!mde_rows_read(L, connection, MDE_STEP_IS, &problem))
    return mde_record_push_problem(L, &problem);
  if (mde_rawlen(L, -1) == 0) return refuse(L, "the journal has no such step");
  lua_pushboolean(L, 0);
  return 1;
}

/* result { step=, outcome=, ... } -> true | false: a stronger result stands, and stays */
static int record_result(lua_State *L)
{
  int changes = 0;
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  mde_fields_check(L, 2, connection->statements[MDE_STEP_RESULT]);
  lua_getfield(L, 2, "outcome");
  if (lua_isnil(L, -1)) return luaL_error(L, "a result has an outcome");
  if (!write_fields(L, connection, MDE_STEP_RESULT, &changes, &problem))
    return mde_record_push_problem(L, &problem);
  if (changes > 0) return push_true(L);
  lua_getfield(L, 2, "step");
  return return_unchanged(L, connection, lua_gettop(L));
}

/* status(step, status, at) -> true | false: a final status stands, and stays */
static int record_status(lua_State *L)
{
  static const char *const names[] = {"step", "status", "at", NULL};
  int changes = 0;
  struct mde_problem problem;
  luaL_checktype(L, 3, LUA_TSTRING);
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  bind_arguments(L, connection->statements[MDE_STEP_STATUS], names);
  if (!mde_connection_write(connection, MDE_STEP_STATUS, &changes, &problem))
    return mde_record_push_problem(L, &problem);
  return changes > 0 ? push_true(L) : return_unchanged(L, connection, 2);
}

/* reached(step, session) */
static int record_reached(lua_State *L)
{
  static const char *const names[] = {"step", "session", NULL};
  return change_by_arguments(L, MDE_STEP_REACHED, names, "the journal has no such step");
}

/* forget(step): the last attempt, of which certainly nothing was sent, or a refusal */
static int record_forget(lua_State *L)
{
  int changes = 0;
  struct mde_problem problem;
  static const char *const names[] = {"step", NULL};
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  bind_arguments(L, connection->statements[MDE_STEP_ONE_FEWER], names);
  if (!mde_connection_write(connection, MDE_STEP_ONE_FEWER, &changes, &problem))
    return mde_record_push_problem(L, &problem);
  if (changes > 0) return push_true(L);
  return change_by_arguments(L, MDE_STEP_DELETE, names,
                             "the journal has no such step, or its result is not to be forgotten");
}

/* find { device=, verb=, ... } -> the step | false */
static int record_find(lua_State *L)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  check_step(L, connection, MDE_STEP_FIND);
  mde_fields_bind(L, 2, connection->statements[MDE_STEP_FIND]);
  if (!mde_rows_read(L, connection, MDE_STEP_FIND, &problem))
    return mde_record_push_problem(L, &problem);
  lua_rawgeti(L, -1, 1);
  if (lua_isnil(L, -1)) lua_pushboolean(L, 0);
  return 1;
}

/* event { at=, step=, kind=, detail= } -> n */
static int record_event(lua_State *L)
{
  return insert_fields(L, MDE_EVENT_INSERT);
}

/* ---- iterators */

static int iterate(lua_State *L, enum mde_statement statement)
{
  struct mde_problem problem;
  struct mde_connection *connection = mde_record_connection(L);
  if (connection == NULL) return 3;
  if (!mde_rows_read(L, connection, statement, &problem))
    return mde_record_push_problem(L, &problem);
  mde_rows_make_iterator(L);
  return 1;
}

/* steps([which]) */
static int record_steps(lua_State *L)
{
  static const char *const whiches[] = {"all", "open", "pending", NULL};
  static const enum mde_statement statements[] = {MDE_STEPS, MDE_STEPS_OPEN, MDE_STEPS_PENDING};
  return iterate(L, statements[luaL_checkoption(L, 2, "all", whiches)]);
}

static int record_devices(lua_State *L)
{
  return iterate(L, MDE_DEVICES);
}

static int record_modules(lua_State *L)
{
  return iterate(L, MDE_MODULES);
}

static int record_names(lua_State *L)
{
  return iterate(L, MDE_ASKED);
}

static int record_sessions(lua_State *L)
{
  return iterate(L, MDE_SESSIONS);
}

static int record_events(lua_State *L)
{
  return iterate(L, MDE_EVENTS);
}

static int record_plan_rows(lua_State *L)
{
  return iterate(L, MDE_PLANNED);
}

const luaL_Reg mde_record_methods[] = {
    {"run", record_run},
    {"set_plan", record_set_plan},
    {"take", record_take},
    {"set_state", record_set_state},
    {"begin_session", record_begin_session},
    {"end_session", record_end_session},
    {"module", record_module},
    {"device", record_device},
    {"asked", record_asked},
    {"find_asked", record_find_asked},
    {"planned", record_planned},
    {"is_planned", record_is_planned},
    {"sending", record_sending},
    {"settled", record_settled},
    {"result", record_result},
    {"status", record_status},
    {"reached", record_reached},
    {"forget", record_forget},
    {"find", record_find},
    {"event", record_event},
    {"steps", record_steps},
    {"devices", record_devices},
    {"modules", record_modules},
    {"names", record_names},
    {"sessions", record_sessions},
    {"events", record_events},
    {"plan_rows", record_plan_rows},
    {NULL, NULL},
};
