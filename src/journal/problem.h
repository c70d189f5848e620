/*
 * problem: why something could not be done with a journal: a code for programs, a line for people.
 *
 * The codes: exists, missing, network, no_space, full, io, busy, damaged, not_a_journal, newer,
 * foreign_schema, read_only, unsafe, constraint, taken, memory, closed, forked. What a file from
 * elsewhere chose is never in a line.
 */
#ifndef MDE_JOURNAL_PROBLEM_H
#define MDE_JOURNAL_PROBLEM_H

#include <sqlite3.h>
#include <stdbool.h>

#define MDE_PROBLEM_LENGTH 1024

struct mde_problem {
  const char *code; /* NULL: there is no problem */
  char message[MDE_PROBLEM_LENGTH];
};

/* Writes it. False, so that a function which fails can end with it. */
__attribute__((format(printf, 3, 4))) bool
mde_problem_set(struct mde_problem *problem, const char *code, const char *format, ...);

/* The same for what SQLite returned, `status`, when it was asked to `doing` ("record a device")
 * with this connection. */
bool mde_problem_of_sqlite(struct mde_problem *problem, int status, sqlite3 *handle,
                           const char *doing);

#endif
