/*
 * place: where a journal may lie, and how its file comes to be.
 *
 * Nothing here keeps a descriptor of a journal that may be open: closing any would take SQLite's
 * locks from it.
 */
#ifndef MDE_JOURNAL_PLACE_H
#define MDE_JOURNAL_PLACE_H

#include "problem.h"

/*
 * Makes an empty file that its owner alone may read and write, whatever the umask. Never one that
 * is there: "exists". "missing": the directory is. "read_only", "no_space", "io".
 */
bool mde_place_create(const char *path, struct mde_problem *problem);

/*
 * Makes a directory that its owner alone may look into, and those above it that are missing; one
 * that is there is left as it is. "read_only", "no_space", "missing" if something above it is a
 * file, "io".
 */
bool mde_place_make_directory(const char *path, struct mde_problem *problem);

/* Puts what was made by somebody else into the file on the disk for good. */
bool mde_place_sync(const char *path, struct mde_problem *problem);

/*
 * "missing", or "not_a_journal" if it is no regular file. With `trusted` also "unsafe": another
 * user owns it or may write it, and what a journal says is run.
 */
bool mde_place_check_file(const char *path, bool trusted, struct mde_problem *problem);

/*
 * Looks at the rollback journal of SQLite beside a journal, before SQLite does; one that is not
 * there will do. "damaged": at its end it names a super-journal, a file that SQLite deletes when it
 * has rolled back. Only a transaction of several databases has one, and a journal never is in one.
 * "io": it is no regular file, or cannot be read.
 */
bool mde_place_check_beside(const char *beside, struct mde_problem *problem);

/* "damaged": the file is shorter than that. */
bool mde_place_check_length(const char *path, double bytes, struct mde_problem *problem);

/*
 * "network": the path, or if it is not there its directory, is on a file system that is shared, or
 * made by another process. Locks cannot be trusted there. Without an answer it is not refused.
 */
bool mde_place_check_local(const char *path, struct mde_problem *problem);

/* "no_space": fewer bytes than that are free for this user where the path is. */
bool mde_place_check_space(const char *path, double bytes, struct mde_problem *problem);

#endif
