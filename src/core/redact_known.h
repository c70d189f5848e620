/*
 * redact_known: takes secrets out of text by their values, in whatever encoding they stand there.
 */
#ifndef MDE_REDACT_KNOWN_H
#define MDE_REDACT_KNOWN_H

#include <stddef.h>

#include "redaction.h"
#include "buffer.h"
#include "text.h"

/*
 * Takes out the given values, in whatever mixture of plain, percent-encoded, form-encoded and
 * JSON-escaped bytes, and their base64 and base64url forms wherever in a longer base64 text they
 * begin; also when only their first 16 bytes are there, or the text ends within them. Then does
 * what mde_redact_text does. Values of fewer than 4 bytes are passed over: they are in every text.
 *
 * Appends to `out` and returns what mde_buffer_append returns; after a failure the contents of
 * `out` are of no use. mde_redact_limit says how long a limit always suffices, for `out` and for
 * `scratch`, an empty secret, which is cleared afterwards.
 */
int mde_redact_known(struct mde_buffer *out, struct mde_buffer *scratch, struct mde_text text,
                     const struct mde_text *values, size_t count);

#endif
