/*
 * redact: takes the secrets out of text that is about to be shown, logged or kept.
 *
 * The text may be anything: a form, JSON (also cut off, also inside a string of JSON), a URL,
 * header lines, a message for people, or noise. Where it is in doubt, too much is taken out rather
 * than too little. What is taken out is replaced by MDE_REDACTED. Doing it twice is the same as
 * once, but that a mark can let the user information of a URL seem to reach further; then more is
 * taken out.
 */
#ifndef MDE_REDACT_H
#define MDE_REDACT_H

#include <stddef.h>

#include "secret.h"
#include "text.h"

#define MDE_REDACTED "[redacted]"

/*
 * All of these append to `out` and return what mde_secret_append returns; after a failure the
 * contents of `out` are of no use. mde_redact_limit says how long a limit always suffices.
 */
size_t mde_redact_limit(size_t length);

/*
 * Takes out the values of client_secret, client_assertion, access_token, refresh_token, id_token,
 * assertion, password and sig, credentials behind Authorization and Bearer, JSON Web Tokens
 * wherever they stand, and the user information of URLs.
 */
int mde_redact_text(struct mde_secret *out, struct mde_text text);

/*
 * A header's value. Of Authorization and Proxy-Authorization only the scheme stays; Cookie,
 * Set-Cookie, Secret and X-Identity-Header go as a whole; the rest is treated as text.
 */
int mde_redact_header(struct mde_secret *out, struct mde_text name, struct mde_text value);

/*
 * Takes out the given values, in whatever mixture of plain, percent-encoded, form-encoded and
 * JSON-escaped bytes, and their base64 and base64url forms wherever in a longer base64 text they
 * begin; also when only their first 16 bytes are there, or the text ends within them. Then does
 * what mde_redact_text does. Values of fewer than 4 bytes are passed over: they are in every text.
 *
 * `scratch` is an empty secret, which is cleared afterwards.
 */
int mde_redact_known(struct mde_secret *out, struct mde_secret *scratch, struct mde_text text,
                     const struct mde_text *values, size_t count);

#endif
