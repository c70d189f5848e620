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

/*
 * What is left of a text without the white space (unicode.h) around it. A byte that is not UTF-8 is
 * none, whatever a locale says of it: the last one of a letter would be cut off for it.
 */
struct mde_text mde_utf8_trim(struct mde_text text);

/* Whether a text has a control character (unicode.h) in it. */
bool mde_utf8_has_control(struct mde_text text);

#endif
