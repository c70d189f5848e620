/*
 * json_repair: makes JSON of a reply that is nearly that, so that one malformed value costs that
 * value and not everything that stands beside it.
 *
 * In strings, what is no character becomes U+FFFD: half of a surrogate pair, an escape that there
 * is not, a NUL, bytes that are not UTF-8 (RFC 8259, 7 and 8.1). Between them, what is no value
 * becomes null: NaN, a number that RFC 8259, 6 does not have or a double does not hold, any other
 * word; and so does a list or an object that is nested more than MDE_JSON_MAX_DEPTH deep. A byte
 * order mark before it all is left out. Nothing else changes: a text that is cut stays cut, for a
 * decoder to refuse.
 */
#ifndef MDE_JSON_REPAIR_H
#define MDE_JSON_REPAIR_H

#include <stddef.h>

#include "text.h"

/* Bytes that may come of one byte. */
enum { MDE_JSON_REPAIR_GROWTH = 4 };

/*
 * Writes the repaired text to `out`, which has room for MDE_JSON_REPAIR_GROWTH times the length of
 * the text; NULL only counts. Returns its length.
 */
size_t mde_json_repair(struct mde_text text, char *out);

#endif
