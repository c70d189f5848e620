/*
 * redact: takes the secrets out of text that is about to be shown, logged or kept, as far as their
 * names, the schemes before them or their own form tell them. For those that are known by their
 * values see redact_known.h.
 *
 * The text may be anything: a form, JSON (also cut off, also inside a string of JSON), a URL,
 * header lines, a message for people, or noise. Where it is in doubt, too much is taken out rather
 * than too little. What is taken out is replaced by MDE_REDACTED. Doing it twice is the same as
 * once, but that a mark can let the user information of a URL seem to reach further; then more is
 * taken out.
 */
#ifndef MDE_REDACT_H
#define MDE_REDACT_H

#include "redaction.h"
#include "buffer.h"
#include "text.h"

/*
 * Both of these append to `out` and return what mde_buffer_append returns; after a failure the
 * contents of `out` are of no use. mde_redact_limit says how long a limit always suffices.
 */

/*
 * Takes out the values of client_secret, client_assertion, access_token, refresh_token, id_token,
 * assertion, password and sig, credentials behind Authorization and Bearer, JSON Web Tokens
 * wherever they stand, and the user information of URLs.
 */
int mde_redact_text(struct mde_buffer *out, struct mde_text text);

/*
 * A header's value. Of Authorization and Proxy-Authorization only the scheme stays; Cookie,
 * Set-Cookie, Secret and X-Identity-Header go as a whole; the rest is treated as text.
 */
int mde_redact_header(struct mde_buffer *out, struct mde_text name, struct mde_text value);

#endif
