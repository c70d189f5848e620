/*
 * packed_change: a change as bytes, so that another process can go on where one has died.
 *
 * The order is not in them: who keeps the bytes keeps its texts beside them. The times of one
 * process's clock say nothing to another, so they are packed as ages. Two changes that would do the
 * same are the same bytes.
 */
#ifndef MDE_PACKED_CHANGE_H
#define MDE_PACKED_CHANGE_H

#include "change.h"

enum { MDE_PACKED_CHANGE_MAX = 64 + 25 * MDE_SEEN_MAX };

/* Writes at most MDE_PACKED_CHANGE_MAX bytes to `out` and says how many. `now`: by the clock of a
   moment. */
size_t mde_change_pack(const struct mde_change *change, int64_t now,
                       unsigned char out[MDE_PACKED_CHANGE_MAX]);

/*
 * Reads them. `now`: by the clock of this process; `away`: ticks since they were written, by any
 * clock that both processes have; what is not certain is too much rather than too little. False for
 * anything but what mde_change_pack writes; `*change` is unset then. What had left when it was
 * packed is to be told as lost.
 */
bool mde_change_unpack(struct mde_change *change, const unsigned char *bytes, size_t size,
                       int64_t now, int64_t away);

#endif
