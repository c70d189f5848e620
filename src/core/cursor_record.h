/*
 * cursor_record: a cursor (cursor.h) as bytes, so that the next process goes on where this one ends.
 *
 * It is records, each of which replaces what an earlier one said: what has changed since the last
 * one is put behind what is there. Each has a sum over all that stands before it. So what is damaged
 * is noticed, and what was being written when the machine stopped is told from that: it is a little,
 * and at the end.
 */
#ifndef MDE_CURSOR_RECORD_H
#define MDE_CURSOR_RECORD_H

#include "cursor.h"

enum {
  MDE_CURSOR_RECORD_MAX = 256, /* bytes of one, with the beginning of all before the first */
  MDE_CURSOR_TAIL_MAX = 1024   /* bytes that may stand behind the others and not be safe yet */
};

/*
 * Writes the next record of what has changed and returns its length; 0: nothing has. The records in
 * their order, all of them, are the cursor. The mark comes behind the alerts that it has passed.
 *
 * What could not be written means that all is to be written again: mde_cursor_rewrite, and the new
 * records in the place of the old. So does what has, with those before it that are not safe yet,
 * more than MDE_CURSOR_TAIL_MAX bytes; and mde_cursor_must_rewrite.
 */
size_t mde_cursor_next_record(struct mde_cursor *cursor, unsigned char out[MDE_CURSOR_RECORD_MAX]);

/* Whether the records, with those that are to come, have more ids than may be known, since they still
   have those that were forgotten: they could not be read again. */
bool mde_cursor_must_rewrite(const struct mde_cursor *cursor);

/* All that is known is to be written again, from the beginning. */
void mde_cursor_rewrite(struct mde_cursor *cursor);

/* How many bytes all of it takes, written from the beginning. */
size_t mde_cursor_size(const struct mde_cursor *cursor);

enum mde_cursor_unpacked {
  MDE_CURSOR_UNPACKED_OK,
  MDE_CURSOR_UNPACKED_OTHER,   /* it is of another version, or no cursor at all */
  MDE_CURSOR_UNPACKED_MODE,    /* of the other mode */
  MDE_CURSOR_UNPACKED_DAMAGED, /* not what the records were */
  MDE_CURSOR_UNPACKED_NO_MEMORY
};

/*
 * Takes what the records tell in the place of what is known, and `first` too. Unless it returns
 * MDE_CURSOR_UNPACKED_OK the cursor is as it was made.
 *
 * `*used`: how many bytes of them are whole records. The rest, at most MDE_CURSOR_TAIL_MAX, is what
 * was being written when the machine stopped, and was not safe yet. It is left out; if there is any,
 * all is to be written again (mde_cursor_rewrite) before the next record is.
 */
enum mde_cursor_unpacked mde_cursor_unpack(struct mde_cursor *cursor, const unsigned char *bytes,
                                           size_t length, size_t *used);

#endif
