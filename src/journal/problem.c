#include "problem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool mde_problem_set(struct mde_problem *problem, const char *code, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  problem->code = code;
  vsnprintf(problem->message, sizeof problem->message, format, arguments);
  va_end(arguments);
  return false;
}

/* What a status is to us. The first that fits; the last fits all. */
static const struct kind {
  int status;
  const char *code;
  const char *advice;
} kinds[] = {
    {SQLITE_READONLY_DBMOVED, "missing",
     "the file was moved or deleted while it was open; put it back and go on"},
    {SQLITE_IOERR_NOMEM, "memory", "this machine has not enough memory"},
    {SQLITE_FULL, "full", "make room on its disk and go on"},
    {SQLITE_BUSY, "busy", "another process has it; see which one (fuser, lsof) and go on"},
    {SQLITE_LOCKED, "busy", "another process has it; see which one (fuser, lsof) and go on"},
    {SQLITE_CORRUPT, "damaged",
     "take a copy that is whole; `sqlite3 FILE .recover` shows the rest"},
    {SQLITE_NOTADB, "not_a_journal", "name the journal of a run"},
    {SQLITE_READONLY, "read_only", "copy it, and FILE-journal with it, to where it may be written"},
    {SQLITE_PERM, "read_only", "copy it, and FILE-journal with it, to where it may be written"},
    {SQLITE_CONSTRAINT, "constraint", "nothing was changed"},
    {SQLITE_TOOBIG, "constraint", "nothing was changed"},
    {SQLITE_NOMEM, "memory", "this machine has not enough memory"},
    {SQLITE_CANTOPEN, "io", "see whether its directory may be read and written"},
    {0, "io", "see whether its disk is well (dmesg), and go on"},
};

static const struct kind *kind_of(int status)
{
  const struct kind *kind = kinds;
  while (kind->status != 0 && kind->status != status && kind->status != (status & 0xff))
    kind++;
  return kind;
}

bool mde_problem_of_sqlite(struct mde_problem *problem, int status, sqlite3 *handle,
                           const char *doing)
{
  const char *path = handle != NULL ? sqlite3_db_filename(handle, "main") : NULL;
  const struct kind *kind = kind_of(status);
  /* Of some calls SQLite says no more than that they failed. */
  if (strcmp(kind->code, "io") == 0 && path != NULL && access(path, F_OK) != 0)
    kind = kind_of(SQLITE_READONLY_DBMOVED);
  /* Of a constraint, SQLite's message names columns of ours; others may quote the file. */
  bool is_constraint = (status & 0xff) == SQLITE_CONSTRAINT && handle != NULL;
  return mde_problem_set(problem, kind->code, "could not %s in the journal %s: %s; %s", doing,
                         path != NULL ? path : "",
                         is_constraint ? sqlite3_errmsg(handle) : sqlite3_errstr(status),
                         kind->advice);
}
