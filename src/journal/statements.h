/*
 * statements: everything that is ever said to SQLite about a run, prepared once for a connection.
 *
 * A parameter's first character says what it takes: `:name` a text, `@name` bytes, `$name` a
 * number. Any may be NULL; where a column must not be, SQLite refuses ("constraint").
 */
#ifndef MDE_JOURNAL_STATEMENTS_H
#define MDE_JOURNAL_STATEMENTS_H

#include <sqlite3.h>

enum mde_statement {
  MDE_BEGIN,
  MDE_COMMIT,
  MDE_ROLLBACK,
  MDE_RUN,
  MDE_RUN_INSERT,
  MDE_RUN_PLAN,
  MDE_RUN_TAKE,
  MDE_RUN_STATE,
  MDE_SESSIONS,
  MDE_SESSION_INSERT,
  MDE_SESSION_END,
  MDE_MODULES,
  MDE_MODULE_PUT,
  MDE_DEVICES,
  MDE_DEVICE_FIND,
  MDE_DEVICE_INSERT,
  MDE_DEVICE_UPDATE,
  MDE_ASKED,
  MDE_ASKED_FIND,
  MDE_ASKED_IS,
  MDE_ASKED_PUT,
  MDE_PLANNED,
  MDE_PLANNED_IS,
  MDE_PLANNED_PUT,
  MDE_STEPS,
  MDE_STEPS_OPEN,
  MDE_STEPS_PENDING,
  MDE_STEP_FIND,
  MDE_STEP_IS,
  MDE_STEP_SENDING,
  MDE_STEP_SENDING_AGAIN,
  MDE_STEP_SETTLED,
  MDE_STEP_RESULT,
  MDE_STEP_STATUS,
  MDE_STEP_REACHED,
  MDE_STEP_ONE_FEWER,
  MDE_STEP_DELETE,
  MDE_EVENTS,
  MDE_EVENT_INSERT,
  MDE_RESERVE_FILL,
  MDE_RESERVE_EMPTY,
  MDE_COPY,
  MDE_STATEMENTS /* how many there are */
};

/* Prepares all. SQLITE_OK, or why not; what was prepared is then to be finalized all the same. */
int mde_statements_prepare(sqlite3 *handle, sqlite3_stmt *statements[MDE_STATEMENTS]);

void mde_statements_finalize(sqlite3_stmt *statements[MDE_STATEMENTS]);

/* For messages: what it does, "record a device". */
const char *mde_statement_purpose(enum mde_statement statement);

#endif
