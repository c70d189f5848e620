/*
 * utf8: reads UTF-8 one code point at a time, strictly.
 *
 * Overlong forms, surrogates and anything past U+10FFFF are malformed, as RFC 3629 has it.
 */
#ifndef MDE_UTF8_H
#define MDE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

/*
 * Reads the code point at `*at`, which must not lie past `end`.
 *
 * Returns 1 and moves `*at` behind it; 0 at the end; -1 if the bytes there are not UTF-8 (cut off
 * counts), leaving `*at` on the first of them and `*code_point` as it was.
 */
int mde_utf8_next(const char **at, const char *end, uint32_t *code_point);

/* Whether all of it is UTF-8. */
bool mde_utf8_is_valid(struct mde_text text);

#endif
