/*
 * odata: values on their way into a URL, and what text they may be.
 *
 * Each of these decisions is made by the one function here and by no other. Nothing here allocates:
 * what writes text does it as snprintf does, at most `size` bytes to `out`, and returns how many
 * there are in all; no NUL is added.
 */
#ifndef MDE_ODATA_H
#define MDE_ODATA_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* A string as OData writes it: in single quotes, with the quotes inside doubled. */
size_t mde_odata_literal(struct mde_text text, char *out, size_t size);

/* Percent-encodes every byte but A-Z a-z 0-9 - . _ ~ , with upper-case digits. */
size_t mde_odata_encode(struct mde_text text, char *out, size_t size);

/* What mde_odata_decode returns when a percent sign is not followed by two hexadecimal digits. */
#define MDE_ODATA_MALFORMED ((size_t)-1)

/* The reverse; with `plus_is_space` as in a form, where a space is written as a plus sign. */
size_t mde_odata_decode(struct mde_text text, bool plus_is_space, char *out, size_t size);

enum { MDE_ODATA_FLAW_SIZE = 64 }; /* room enough for any flaw, its NUL included */

enum mde_odata_flaw {
  MDE_ODATA_FLAW_NONE,
  MDE_ODATA_FLAW_CONTROL_CHARACTER,
  MDE_ODATA_FLAW_NOT_UTF8
};

/*
 * Why a name or a value cannot have this text: it must be UTF-8 without control characters. If it
 * cannot, `flaw` is set to what is wrong with it, in ASCII; completes `the name "..." `.
 */
enum mde_odata_flaw mde_odata_flaw(struct mde_text text, char flaw[MDE_ODATA_FLAW_SIZE]);

#endif
