#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "place.h"

#define APPLICATION_ID 0x6d646552 /* "mdeR" */

/* As SQLite keeps them: nothing in front, one blank after CREATE TABLE. */
static const char *const definitions[] = {
    "CREATE TABLE run(one INTEGER PRIMARY KEY CHECK(one=1), id TEXT NOT NULL, "
    "verb TEXT NOT NULL CHECK(verb IN('plan','run','undo')), undoes TEXT, tenant TEXT NOT NULL, "
    "client TEXT NOT NULL, base_url TEXT NOT NULL, playbook TEXT NOT NULL, text BLOB NOT NULL, "
    "digest BLOB NOT NULL CHECK(length(digest)=32), arguments TEXT NOT NULL, "
    "settings TEXT NOT NULL, plan BLOB CHECK(plan IS NULL OR length(plan)=32), "
    "made REAL NOT NULL, taken REAL, state TEXT NOT NULL "
    "CHECK(state IN('planned','running','paused','stopped','broken','complete')), why TEXT)",

    "CREATE TABLE session(n INTEGER PRIMARY KEY, began REAL NOT NULL, ended REAL, "
    "host TEXT NOT NULL, boot TEXT, pid INTEGER NOT NULL, who TEXT, mde TEXT NOT NULL, "
    "digest BLOB NOT NULL CHECK(length(digest)=32))",

    "CREATE TABLE module(name TEXT PRIMARY KEY NOT NULL, path TEXT NOT NULL, "
    "digest BLOB NOT NULL CHECK(length(digest)=32))",

    /* length() of a text ends at a NUL. */
    "CREATE TABLE device(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE CHECK(length(id)=40 "
    "AND length(CAST(id AS BLOB))=40 AND id NOT GLOB '*[^0-9a-f]*'), name TEXT, platform TEXT, "
    "facts TEXT, wave INTEGER, decision TEXT, rule TEXT, why TEXT)",

    "CREATE TABLE asked(name TEXT PRIMARY KEY NOT NULL, "
    "device INTEGER NOT NULL REFERENCES device)",

    "CREATE TABLE planned(device INTEGER NOT NULL REFERENCES device, verb TEXT NOT NULL, "
    "incident TEXT NOT NULL, PRIMARY KEY(device,verb,incident))",

    "CREATE TABLE step(n INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session, "
    "device INTEGER NOT NULL REFERENCES device, verb TEXT NOT NULL, incident TEXT NOT NULL, "
    "key TEXT NOT NULL, occurrence INTEGER NOT NULL "
    "CHECK(typeof(occurrence)='integer' AND occurrence>0), operation TEXT, comment TEXT, "
    "arguments TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, sent REAL, sent_service REAL, "
    "answered REAL, outcome TEXT "
    "CHECK(outcome IN('accepted','already_active','superseded','refused','unknown')), "
    "action TEXT, row TEXT, error TEXT, status TEXT, status_at REAL, expires REAL, "
    "reached INTEGER, UNIQUE(device,verb,incident,key,occurrence), "
    "UNIQUE(operation,device,verb), CHECK(outcome IS NULL OR answered IS NOT NULL), "
    "CHECK(CASE WHEN attempts>0 THEN operation IS NOT NULL AND comment IS NOT NULL "
    "AND sent IS NOT NULL ELSE outcome IS NOT NULL AND outcome<>'unknown' END))",

    "CREATE INDEX step_open ON step(n) WHERE outcome IS NULL OR outcome='unknown'",

    "CREATE INDEX step_pending ON step(n) WHERE outcome='accepted' AND "
    "(status IS NULL OR status IN('Pending','InProgress'))",

    "CREATE TABLE event(n INTEGER PRIMARY KEY, at REAL NOT NULL, "
    "step INTEGER REFERENCES step ON DELETE SET NULL, kind TEXT NOT NULL, detail TEXT)",

    /* Empty but for a moment: what was in it is space of the file's own. */
    "CREATE TABLE reserve(bytes BLOB NOT NULL)",
};

enum { DEFINITIONS = sizeof definitions / sizeof definitions[0] };

static bool run(sqlite3 *handle, const char *text, struct mde_problem *problem)
{
  int status = sqlite3_exec(handle, text, NULL, NULL, NULL);
  return status == SQLITE_OK || mde_problem_of_sqlite(problem, status, handle, "make the tables");
}

bool mde_schema_create(sqlite3 *handle, struct mde_problem *problem)
{
  char marks[96];
  for (size_t i = 0; i < DEFINITIONS; i++)
    if (!run(handle, definitions[i], problem)) return false;
  snprintf(marks, sizeof marks, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID,
           MDE_SCHEMA_FORMAT);
  return run(handle, marks, problem);
}

/* ---- what a file is */

/* The number that a pragma gives. */
static bool read_number(sqlite3 *handle, const char *text, int *number, struct mde_problem *problem)
{
  sqlite3_stmt *statement = NULL;
  int status = sqlite3_prepare_v2(handle, text, -1, &statement, NULL);
  if (status == SQLITE_OK) status = sqlite3_step(statement);
  if (status == SQLITE_ROW) *number = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return status == SQLITE_ROW ||
         mde_problem_of_sqlite(problem, status, handle, "recognize what is");
}

static const char *path_of(sqlite3 *handle)
{
  return sqlite3_db_filename(handle, "main");
}

static bool check_marks(sqlite3 *handle, struct mde_problem *problem)
{
  int application, format, pages;
  if (!read_number(handle, "PRAGMA page_count", &pages, problem)) return false;
  if (pages == 0)
    return mde_problem_set(problem, "not_a_journal",
                           "%s is empty: what made it ended before it wrote anything, and nothing "
                           "was sent; delete it",
                           path_of(handle));
  if (!read_number(handle, "PRAGMA application_id", &application, problem) ||
      !read_number(handle, "PRAGMA user_version", &format, problem))
    return false;
  if (application != APPLICATION_ID)
    return mde_problem_set(problem, "not_a_journal",
                           "%s is a database of something else; name the journal of a run",
                           path_of(handle));
  if (format > MDE_SCHEMA_FORMAT)
    return mde_problem_set(
        problem, "newer",
        "the journal %s is of format %d, and this version of mde knows up to %d; "
        "use the version that made it, or a newer one",
        path_of(handle), format, MDE_SCHEMA_FORMAT);
  if (format != MDE_SCHEMA_FORMAT)
    return mde_problem_set(problem, "foreign_schema",
                           "the journal %s is of format %d, which no version of mde has written",
                           path_of(handle), format);
  return true;
}

static bool is_defined(const char *text)
{
  for (size_t i = 0; i < DEFINITIONS; i++)
    if (strcmp(text, definitions[i]) == 0) return true;
  return false;
}

/* Names are unique, so as many as ours, and each one of ours, are all of ours. */
static bool check_definitions(sqlite3 *handle, struct mde_problem *problem)
{
  sqlite3_stmt *statement = NULL;
  /* The indexes that SQLite makes of itself have none. */
  int status = sqlite3_prepare_v2(handle, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL", -1,
                                  &statement, NULL);
  size_t count = 0;
  bool is_ours = true;
  while (status == SQLITE_OK || status == SQLITE_ROW) {
    status = sqlite3_step(statement);
    if (status != SQLITE_ROW) break;
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    is_ours = is_ours && text != NULL && is_defined(text);
    count++;
  }
  sqlite3_finalize(statement);
  if (status != SQLITE_DONE)
    return mde_problem_of_sqlite(problem, status, handle, "recognize what is");
  return (is_ours && count == DEFINITIONS) ||
         mde_problem_set(problem, "foreign_schema",
                         "the tables of the journal %s were changed by something else than mde; "
                         "take a copy that is as it was",
                         path_of(handle));
}

bool mde_schema_check(sqlite3 *handle, struct mde_problem *problem)
{
  return check_marks(handle, problem) && check_definitions(handle, problem);
}

/* SQLite itself is content with the beginning of the last page. */
static bool check_length(sqlite3 *handle, struct mde_problem *problem)
{
  int pages, size;
  return read_number(handle, "PRAGMA page_count", &pages, problem) &&
         read_number(handle, "PRAGMA page_size", &size, problem) &&
         mde_place_check_length(path_of(handle), (double)pages * size, problem);
}

bool mde_schema_check_pages(sqlite3 *handle, struct mde_problem *problem)
{
  if (!check_length(handle, problem)) return false;
  sqlite3_stmt *statement = NULL;
  int status = sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
  if (status == SQLITE_OK) status = sqlite3_step(statement);
  bool whole = false;
  if (status == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    whole = text != NULL && strcmp(text, "ok") == 0;
  }
  sqlite3_finalize(statement);
  if (status == SQLITE_ROW && !whole) status = SQLITE_CORRUPT;
  return whole || mde_problem_of_sqlite(problem, status, handle, "read all that is");
}
