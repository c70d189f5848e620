/*
 * json_digits: keeps the digits of whole numbers that a decoder of JSON would round.
 *
 * A decoder may make a double of every number, and a double holds every whole number only up to
 * 2^53. The ids that a hunting query finds are whole numbers of 64 bits.
 */
#ifndef MDE_JSON_DIGITS_H
#define MDE_JSON_DIGITS_H

#include <stddef.h>

#include "text.h"

/* How many times as long as a text what comes of it may be. */
enum { MDE_JSON_DIGITS_GROWTH = 2 };

/*
 * Writes the text to `out` with quotes around each whole number beyond 2^53 either way, so that it is
 * decoded as a string; everything else stays as it is, and so does a text that is no JSON outside its
 * numbers. `out` has room for MDE_JSON_DIGITS_GROWTH times the length; NULL only counts. Returns the
 * length of what is written.
 */
size_t mde_json_digits(struct mde_text text, char *out);

#endif
