/*
 * schema: the tables of a journal, and whether a file has exactly them.
 *
 * A file says what it is by its application_id ("mdeR") and its user_version, the format. Times are
 * Unix seconds, digests 32 bytes, texts bytes that are UTF-8 unless a stranger chose them. What is
 * JSON is not looked into. `incident` and `key` are '' if they are absent.
 */
#ifndef MDE_JOURNAL_SCHEMA_H
#define MDE_JOURNAL_SCHEMA_H

#include "problem.h"

#define MDE_SCHEMA_FORMAT 1

/* Makes the tables and marks the file, within the transaction that is under way. */
bool mde_schema_create(sqlite3 *handle, struct mde_problem *problem);

/*
 * Whether the file is a journal of this format with these tables, word for word, and no others:
 * otherwise "not_a_journal", "newer" or "foreign_schema"; "damaged", "busy" and "io" as ever. What
 * the file says of itself is not run.
 */
bool mde_schema_check(sqlite3 *handle, struct mde_problem *problem);

/* Whether its pages and rows hang together (PRAGMA quick_check): "damaged". */
bool mde_schema_check_pages(sqlite3 *handle, struct mde_problem *problem);

#endif
