/*
 * own_file: a file in which the library keeps something, for its owner alone: how it is opened,
 * locked, read and written.
 *
 * The lock belongs to the open file, not to the process (F_OFD_SETLK, elsewhere flock), so it also
 * stands between two Lua states of one process, and goes with the process that dies.
 */
#ifndef MDE_OWN_FILE_H
#define MDE_OWN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor; negative: errno tells. `flags`: those of open beside the usual ones. A symbolic link
   is not followed. With O_CREAT it is made for its owner alone. */
int mde_own_file_open(const char *path, int flags);

/* Why it could not be opened. */
const char *mde_own_file_refusal(int error);

/* What speaks against keeping anything in the file; NULL: nothing. */
const char *mde_own_file_flaw(int descriptor);

/* Takes the lock, or gives it back. 0; negative: errno tells, and mde_own_file_is_taken whether
   another open file has it. Never waits. */
int mde_own_file_lock(int descriptor, bool wanted);
bool mde_own_file_is_taken(int error);

/* Whether another open file has the lock: 1, 0; negative: errno tells. */
int mde_own_file_ask_lock(int descriptor);

/* How many bytes could be read, which is fewer at the end of the file; negative: errno tells. */
ssize_t mde_own_file_read(int descriptor, void *bytes, size_t length, uint64_t place);

/* Whether all were written; if not, errno tells. */
bool mde_own_file_write(int descriptor, const void *bytes, size_t length, uint64_t place);

#endif
