/*
 * connection: one open journal: its SQLite handle, its statements, its transaction.
 *
 * Knows no Lua. A connection belongs to one Lua state and to the process that opened it: after a
 * fork the child can neither use nor close it (it forgets it).
 *
 * Every write is a transaction of its own, on the disk when it returns (synchronous=FULL), unless
 * mde_connection_begin came before. Any write that fails within such a transaction rolls it back
 * whole, and all that follows up to its commit or rollback fails for the same reason: so the commit
 * tells whether everything was written. A commit that fails has rolled back, as far as SQLite can
 * tell: what the disk refused to confirm may be there when the file is opened again.
 */
#ifndef MDE_JOURNAL_CONNECTION_H
#define MDE_JOURNAL_CONNECTION_H

#include "problem.h"
#include "statements.h"

#define MDE_MAX_RESERVE 200e6

enum mde_transaction {
  MDE_TRANSACTION_NONE,
  MDE_TRANSACTION_OPEN,
  MDE_TRANSACTION_FAILED /* rolled back already, and not yet ended by who began it */
};

struct mde_connection {
  sqlite3 *handle; /* NULL: closed */
  sqlite3_stmt *statements[MDE_STATEMENTS];
  unsigned long generation; /* of forks, when it was opened */
  enum mde_transaction transaction;
  struct mde_problem failed; /* why, in a failed transaction */
  bool is_half_made;         /* close deletes the file */
  bool is_untrusted;         /* nothing may be written */
};

/* Starts the counting of forks, once for the process. */
void mde_connection_initialize_process(void);

/* A closed one. */
void mde_connection_init(struct mde_connection *connection);

/*
 * Makes the file at `path`, for its owner alone, and its tables. A transaction is open then, for
 * the row of the run; until that is committed the file is half made. Fails closed, without a file:
 * "exists", "missing", "network", "read_only", "no_space", "full", "io", "memory".
 */
bool mde_connection_create(struct mde_connection *connection, const char *path,
                           struct mde_problem *problem);

/*
 * Opens a journal, also one that a dead process left in the middle of a commit. A commit waits for
 * others at most so many milliseconds. `untrusted`: nothing can be written. Fails closed:
 * "missing", "network", "unsafe", "not_a_journal", "newer", "foreign_schema", "damaged", "busy",
 * "read_only", "io", "memory".
 */
bool mde_connection_open(struct mde_connection *connection, const char *path, int milliseconds,
                         bool untrusted, struct mde_problem *problem);

/* Rolls back what is open. Harmless when repeated; in the child of a fork it forgets the handle. */
void mde_connection_close(struct mde_connection *connection);

/* Whether it can be used: "closed" or "forked". */
bool mde_connection_check(const struct mde_connection *connection, struct mde_problem *problem);

/* Ends a statement: resets it and forgets what was bound. `status`: what its last step said. Every
 * failure passes through here, for the sake of the transaction. */
bool mde_connection_end(struct mde_connection *connection, enum mde_statement statement, int status,
                        struct mde_problem *problem);

/* Does a statement that writes, with what is bound. `changes`: how many rows; may be NULL. */
bool mde_connection_write(struct mde_connection *connection, enum mde_statement statement,
                          int *changes, struct mde_problem *problem);

/* One transaction around many writes. Call begin in none, commit and rollback in one. */
bool mde_connection_begin(struct mde_connection *connection, struct mde_problem *problem);
bool mde_connection_commit(struct mde_connection *connection, struct mde_problem *problem);
bool mde_connection_rollback(struct mde_connection *connection, struct mde_problem *problem);

/*
 * Makes so many bytes the file's own, and the same for its rollback journal, so that results can be
 * written when the disk is full. At most MDE_MAX_RESERVE, not in a transaction. "no_space" unless three times as much is free.
 */
bool mde_connection_reserve(struct mde_connection *connection, double bytes,
                            struct mde_problem *problem);

/* Writes all that is committed to a new file, for its owner alone. Not in a transaction. "exists"
 * and what mde_connection_create says; then nothing is left there. */
bool mde_connection_copy(struct mde_connection *connection, const char *path,
                         struct mde_problem *problem);

/* Makes one file of it, which can be mailed, and closes. Not in a transaction. "busy": somebody
 * reads it; it stays open. */
bool mde_connection_finish(struct mde_connection *connection, struct mde_problem *problem);

#endif
