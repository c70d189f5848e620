#define _GNU_SOURCE 1 /* pthread_atfork */

#include "connection.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"
#include "schema.h"

enum { MAX_VALUE_BYTES = 256 * 1024 * 1024, TIMES_RESERVED = 3, DEFAULT_WAIT = 10000 };

static unsigned long fork_generation;

static void after_fork_in_child(void)
{
  fork_generation++;
}

static void watch_forks(void)
{
  pthread_atfork(NULL, NULL, after_fork_in_child);
}

void mde_connection_initialize_process(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
}

void mde_connection_init(struct mde_connection *connection)
{
  *connection = (struct mde_connection){.handle = NULL};
}

/* ---- opening and closing */

/* The file that SQLite keeps beside it, to be freed; NULL: there is no memory. */
static char *rollback_journal_of(const char *path)
{
  return sqlite3_mprintf("%s-journal", path);
}

static void delete_files(const char *path)
{
  char *beside = rollback_journal_of(path);
  unlink(path);
  if (beside != NULL) unlink(beside);
  sqlite3_free(beside);
}

/* A path that SQLite takes for nothing else: not for a URI, not for ":memory:". To be freed. */
static char *plain_path(const char *path)
{
  return sqlite3_mprintf(path[0] == '/' ? "%s" : "./%s", path);
}

static bool open_handle(struct mde_connection *connection, const char *path, int milliseconds,
                        struct mde_problem *problem)
{
  char *plain = plain_path(path);
  int status = plain == NULL ? SQLITE_NOMEM
                             : sqlite3_open_v2(plain, &connection->handle,
                                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  sqlite3_free(plain);
  if (status != SQLITE_OK)
    return mde_problem_of_sqlite(problem, status, connection->handle, "open what is");
  sqlite3 *handle = connection->handle;
  connection->generation = fork_generation;
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, milliseconds);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  return true;
}

static bool run(sqlite3 *handle, const char *text, struct mde_problem *problem)
{
  int status = sqlite3_exec(handle, text, NULL, NULL, NULL);
  return status == SQLITE_OK ||
         mde_problem_of_sqlite(problem, status, handle, "choose how to write");
}

/*
 * How it is written. PERSIST, since no other mode can write down what was sent on a full disk, and
 * secure_delete, without which the space that is reserved would not exist. None of it is kept in
 * the file.
 */
static const char settings[] = "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; "
                               "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; "
                               "PRAGMA locking_mode=NORMAL; PRAGMA foreign_keys=ON; "
                               "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON";

/* The mode that the file is in after it was asked for. */
static bool set_journal_mode(sqlite3 *handle, const char *text, const char *mode,
                             struct mde_problem *problem)
{
  sqlite3_stmt *statement = NULL;
  int status = sqlite3_prepare_v2(handle, text, -1, &statement, NULL);
  if (status == SQLITE_OK) status = sqlite3_step(statement);
  bool is_set = false;
  if (status == SQLITE_ROW) {
    const char *now = (const char *)sqlite3_column_text(statement, 0);
    is_set = now != NULL && strcmp(now, mode) == 0;
  }
  sqlite3_finalize(statement);
  if (status == SQLITE_ROW) status = SQLITE_BUSY;
  return is_set || mde_problem_of_sqlite(problem, status, handle, "choose how to write");
}

static bool set_up(sqlite3 *handle, struct mde_problem *problem)
{
  return run(handle, settings, problem) &&
         set_journal_mode(handle, "PRAGMA journal_mode=PERSIST", "persist", problem);
}

static bool prepare(struct mde_connection *connection, struct mde_problem *problem)
{
  int status = mde_statements_prepare(connection->handle, connection->statements);
  return status == SQLITE_OK ||
         mde_problem_of_sqlite(problem, status, connection->handle, "prepare the statements");
}

static bool fill_new(struct mde_connection *connection, struct mde_problem *problem)
{
  sqlite3 *handle = connection->handle;
  return set_up(handle, problem) && run(handle, "BEGIN IMMEDIATE", problem) &&
         mde_schema_create(handle, problem) && prepare(connection, problem);
}

bool mde_connection_create(struct mde_connection *connection, const char *path,
                           struct mde_problem *problem)
{
  if (!mde_place_check_local(path, problem) || !mde_place_create(path, problem)) return false;
  if (!open_handle(connection, path, DEFAULT_WAIT, problem)) {
    mde_connection_close(connection);
    delete_files(path);
    return false;
  }
  connection->is_half_made = true;
  if (!fill_new(connection, problem)) {
    mde_connection_close(connection);
    return false;
  }
  connection->transaction = MDE_TRANSACTION_OPEN;
  return true;
}

static bool look_at(struct mde_connection *connection, struct mde_problem *problem)
{
  sqlite3 *handle = connection->handle;
  return mde_schema_check(handle, problem) && set_up(handle, problem) &&
         mde_schema_check_pages(handle, problem) && prepare(connection, problem);
}

/* SQLite has looked at nothing yet, and says which file it takes after all symbolic links. */
static bool check_beside(struct mde_connection *connection, struct mde_problem *problem)
{
  char *beside = rollback_journal_of(sqlite3_db_filename(connection->handle, "main"));
  bool is_sound = beside == NULL ? mde_problem_of_sqlite(problem, SQLITE_NOMEM, connection->handle,
                                                         "look beside what is")
                                 : mde_place_check_beside(beside, problem);
  sqlite3_free(beside);
  return is_sound;
}

bool mde_connection_open(struct mde_connection *connection, const char *path, int milliseconds,
                         bool untrusted, struct mde_problem *problem)
{
  if (mde_place_check_file(path, !untrusted, problem) && mde_place_check_local(path, problem) &&
      open_handle(connection, path, milliseconds, problem) && check_beside(connection, problem) &&
      look_at(connection, problem)) {
    connection->is_untrusted = untrusted;
    return true;
  }
  mde_connection_close(connection);
  return false;
}

void mde_connection_close(struct mde_connection *connection)
{
  sqlite3 *handle = connection->handle;
  connection->handle = NULL;
  /* What belongs to the parent is not ours to close: that would roll back what it is doing. */
  if (handle == NULL || connection->generation != fork_generation) return;
  char *half_made =
      connection->is_half_made ? sqlite3_mprintf("%s", sqlite3_db_filename(handle, "main")) : NULL;
  mde_statements_finalize(connection->statements);
  sqlite3_close_v2(handle);
  if (half_made != NULL) delete_files(half_made);
  sqlite3_free(half_made);
  mde_connection_init(connection);
}

bool mde_connection_check(const struct mde_connection *connection, struct mde_problem *problem)
{
  if (connection->handle == NULL)
    return mde_problem_set(problem, "closed", "the journal is closed; open it again");
  return connection->generation == fork_generation ||
         mde_problem_set(problem, "forked",
                         "the journal was opened before this process was forked, and belongs to "
                         "the parent; open it again here");
}

/* ---- statements and transactions */

/* Nothing of the transaction stays, and who began it is to hear of it. */
static void fail_transaction(struct mde_connection *connection, const struct mde_problem *problem)
{
  if (connection->transaction != MDE_TRANSACTION_OPEN) return;
  connection->transaction = MDE_TRANSACTION_FAILED;
  mde_problem_set(&connection->failed, problem->code,
                  "nothing of this transaction was written, since one part of it failed: %.*s",
                  MDE_PROBLEM_LENGTH - 128, problem->message);
}

/* Ends SQLite's transaction if one is open: it ends some by itself. */
static void undo(struct mde_connection *connection)
{
  if (sqlite3_get_autocommit(connection->handle)) return;
  sqlite3_step(connection->statements[MDE_ROLLBACK]);
  sqlite3_reset(connection->statements[MDE_ROLLBACK]);
}

bool mde_connection_end(struct mde_connection *connection, enum mde_statement statement, int status,
                        struct mde_problem *problem)
{
  sqlite3_stmt *prepared = connection->statements[statement];
  bool is_done = status == SQLITE_DONE || status == SQLITE_ROW;
  if (!is_done)
    mde_problem_of_sqlite(problem, status, connection->handle, mde_statement_purpose(statement));
  bool writes = !sqlite3_stmt_readonly(prepared);
  sqlite3_reset(prepared);
  sqlite3_clear_bindings(prepared);
  if (is_done) return true;
  if (writes || sqlite3_get_autocommit(connection->handle)) {
    fail_transaction(connection, problem);
    undo(connection);
  }
  return false;
}

static bool step(struct mde_connection *connection, enum mde_statement statement, int *changes,
                 struct mde_problem *problem)
{
  int status = sqlite3_step(connection->statements[statement]);
  if (status == SQLITE_DONE && changes != NULL) *changes = sqlite3_changes(connection->handle);
  return mde_connection_end(connection, statement, status, problem);
}

bool mde_connection_write(struct mde_connection *connection, enum mde_statement statement,
                          int *changes, struct mde_problem *problem)
{
  bool is_forbidden = connection->is_untrusted && statement != MDE_COPY;
  if (!is_forbidden && connection->transaction != MDE_TRANSACTION_FAILED)
    return step(connection, statement, changes, problem);
  sqlite3_clear_bindings(connection->statements[statement]);
  if (is_forbidden)
    return mde_problem_set(
        problem, "read_only",
        "the journal %s was opened as one from elsewhere (untrusted), and nothing "
        "is written into it",
        sqlite3_db_filename(connection->handle, "main"));
  *problem = connection->failed;
  return false;
}

bool mde_connection_begin(struct mde_connection *connection, struct mde_problem *problem)
{
  if (!mde_connection_write(connection, MDE_BEGIN, NULL, problem)) return false;
  connection->transaction = MDE_TRANSACTION_OPEN;
  return true;
}

bool mde_connection_commit(struct mde_connection *connection, struct mde_problem *problem)
{
  bool is_whole = mde_connection_write(connection, MDE_COMMIT, NULL, problem);
  undo(connection);
  connection->transaction = MDE_TRANSACTION_NONE;
  if (is_whole) connection->is_half_made = false;
  return is_whole;
}

bool mde_connection_rollback(struct mde_connection *connection, struct mde_problem *problem)
{
  bool is_open = !sqlite3_get_autocommit(connection->handle);
  connection->transaction = MDE_TRANSACTION_NONE;
  return !is_open || step(connection, MDE_ROLLBACK, NULL, problem);
}

/* ---- the file as a whole */

bool mde_connection_reserve(struct mde_connection *connection, double bytes,
                            struct mde_problem *problem)
{
  const char *path = sqlite3_db_filename(connection->handle, "main");
  if (!mde_place_check_space(path, TIMES_RESERVED * bytes, problem)) return false;
  /* A process that was killed in between left the last one in its place. */
  if (!mde_connection_write(connection, MDE_RESERVE_EMPTY, NULL, problem)) return false;
  sqlite3_bind_double(connection->statements[MDE_RESERVE_FILL], 1, bytes);
  return mde_connection_write(connection, MDE_RESERVE_FILL, NULL, problem) &&
         mde_connection_write(connection, MDE_RESERVE_EMPTY, NULL, problem);
}

static bool copy_to(struct mde_connection *connection, const char *path,
                    struct mde_problem *problem)
{
  char *plain = plain_path(path);
  if (plain == NULL)
    return mde_problem_of_sqlite(problem, SQLITE_NOMEM, connection->handle, "copy what is");
  sqlite3_bind_text(connection->statements[MDE_COPY], 1, plain, -1, SQLITE_STATIC);
  bool is_copied = mde_connection_write(connection, MDE_COPY, NULL, problem);
  sqlite3_free(plain);
  return is_copied && mde_place_sync(path, problem);
}

bool mde_connection_copy(struct mde_connection *connection, const char *path,
                         struct mde_problem *problem)
{
  if (!mde_place_create(path, problem)) return false;
  if (copy_to(connection, path, problem)) return true;
  delete_files(path);
  return false;
}

bool mde_connection_finish(struct mde_connection *connection, struct mde_problem *problem)
{
  sqlite3 *handle = connection->handle;
  if (!set_journal_mode(handle, "PRAGMA journal_mode=DELETE", "delete", problem)) return false;
  char *beside = rollback_journal_of(sqlite3_db_filename(handle, "main"));
  /* SQLite leaves it where somebody else has the file. */
  bool is_left = beside != NULL && access(beside, F_OK) == 0;
  sqlite3_free(beside);
  if (is_left) {
    set_journal_mode(handle, "PRAGMA journal_mode=PERSIST", "persist", problem);
    return mde_problem_of_sqlite(problem, SQLITE_BUSY, handle, "make one file of what is");
  }
  mde_connection_close(connection);
  return true;
}
