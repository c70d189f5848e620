/*
 * odata: values on their way into a URL, and what a device's name may look like.
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

/* 40 hexadecimal digits. */
bool mde_odata_is_machine_id(struct mde_text text);

/* Hexadecimal digits in groups of 8-4-4-4-12. */
bool mde_odata_is_guid(struct mde_text text);

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

enum mde_device_kind {
  MDE_DEVICE_KIND_NONE,
  MDE_DEVICE_KIND_MACHINE_ID,
  MDE_DEVICE_KIND_GUID,
  MDE_DEVICE_KIND_FULL_NAME, /* a name with a dot inside */
  MDE_DEVICE_KIND_BARE_NAME,
  MDE_DEVICE_KIND_IP_ADDRESS
};

enum {
  MDE_DEVICE_MAX_BYTES = 255,  /* the longest text, in bytes, that can mean a device */
  MDE_DEVICE_REASON_SIZE = 128 /* room enough for any reason, its NUL included */
};

struct mde_device {
  enum mde_device_kind kind;
  char canonical[MDE_DEVICE_MAX_BYTES]; /* ids and addresses in lower case, names in their own */
  size_t length;
  char reason[MDE_DEVICE_REASON_SIZE]; /* kind NONE: why; completes `the device "..." `. ASCII. */
};

/*
 * What a text that is to mean a device looks like. Of a name, blanks around it and one dot at its
 * end are left out (see name.h); an id stands alone. Names are opaque: quotes, spaces, % & # + and
 * any other script are legal in them. No device's name has control characters or / \ : * ? < > |,
 * and what looks like an id that was damaged on its way is refused rather than looked for as a
 * name.
 */
void mde_odata_device(struct mde_text text, struct mde_device *device);

#endif
