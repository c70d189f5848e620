/*
 * base64: bytes as text (RFC 4648): plain with padding, or the alphabet for URLs without.
 *
 * Nothing here allocates: what writes does it as snprintf does, at most `size` bytes to `out`, and
 * returns how many there are in all; no NUL is added.
 */
#ifndef MDE_BASE64_H
#define MDE_BASE64_H

#include <stddef.h>

#include "text.h"

/* With `+` and `/`, padded (RFC 4648, 4). */
size_t mde_base64_encode(struct mde_text bytes, char *out, size_t size);

/* With `-` and `_`, without padding, as JSON Web Signatures have it (RFC 7515, 2). */
size_t mde_base64_encode_url(struct mde_text bytes, char *out, size_t size);

/* What mde_base64_decode returns for a text that is none. */
#define MDE_BASE64_MALFORMED ((size_t)-1)

/*
 * The reverse of both, padded or not: services do not agree on what they send. MDE_BASE64_MALFORMED
 * for any other character, both alphabets in one text, padding of a wrong length, a single
 * character left over, or bits left over that are not zero.
 */
size_t mde_base64_decode(struct mde_text text, char *out, size_t size);

#endif
