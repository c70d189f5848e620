/*
 * indicator: whether a text can be the value of an indicator, and whom an indicator would hit.
 *
 * An indicator tells all devices of a tenant what to allow or to block. So the value must be what its
 * type says, in one form that cannot be read as another; and what everybody needs, or what means no
 * one thing, is found here before it is sent.
 *
 * Nothing here allocates.
 */
#ifndef MDE_INDICATOR_H
#define MDE_INDICATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

enum mde_indicator_type {
  MDE_INDICATOR_TYPE_FILE_SHA1,
  MDE_INDICATOR_TYPE_FILE_SHA256,
  MDE_INDICATOR_TYPE_FILE_MD5,
  MDE_INDICATOR_TYPE_CERTIFICATE_THUMBPRINT, /* a SHA-1 */
  MDE_INDICATOR_TYPE_IP_ADDRESS,
  MDE_INDICATOR_TYPE_DOMAIN_NAME,
  MDE_INDICATOR_TYPE_URL
};

enum {
  MDE_INDICATOR_TYPES = MDE_INDICATOR_TYPE_URL + 1,
  MDE_INDICATOR_URL_MAX = 2048, /* bytes; no page says how long one may be */
  MDE_INDICATOR_DOMAIN_MAX = 253
};

enum mde_indicator_flaw {
  MDE_INDICATOR_FLAW_NONE,
  MDE_INDICATOR_FLAW_EMPTY,
  MDE_INDICATOR_FLAW_NOT_A_HASH, /* anything but hexadecimal digits */
  MDE_INDICATOR_FLAW_OTHER_HASH, /* hexadecimal digits, but not so many as the type has */
  MDE_INDICATOR_FLAW_NOT_AN_ADDRESS,
  MDE_INDICATOR_FLAW_RANGE, /* an address with a slash and a length: the service takes no range */
  MDE_INDICATOR_FLAW_AMBIGUOUS, /* an address with a needless zero, which some read as octal */
  MDE_INDICATOR_FLAW_NOT_A_DOMAIN, /* neither labels of letters, digits, - and _, nor up to 253 bytes */
  MDE_INDICATOR_FLAW_WILDCARD, /* a star in a domain: the domain alone means what is below it, too */
  MDE_INDICATOR_FLAW_ADDRESS,  /* an address in the place of a domain */
  MDE_INDICATOR_FLAW_URL,      /* a URL in the place of a domain */
  MDE_INDICATOR_FLAW_NOT_A_URL, /* no scheme http or https, no host, or what must be percent-encoded */
  MDE_INDICATOR_FLAW_USER_IN_URL, /* a user before the host, which hides it */
  MDE_INDICATOR_FLAW_TOO_LONG     /* a URL of more than MDE_INDICATOR_URL_MAX bytes */
};

/* Why a text is no value of a type; MDE_INDICATOR_FLAW_NONE if it is one. */
enum mde_indicator_flaw mde_indicator_flaw(enum mde_indicator_type type, struct mde_text value);

/* What an indicator would hit that nobody means. In the order in which they are looked for. */
enum mde_indicator_reach {
  MDE_INDICATOR_REACH_NARROW,
  MDE_INDICATOR_REACH_EMPTY_FILE,  /* the hash of a file of no bytes, which is everywhere */
  MDE_INDICATOR_REACH_ANY_ADDRESS, /* 0.0.0.0/8, ::, 255.255.255.255, and multicast: no host */
  MDE_INDICATOR_REACH_OWN_ADDRESS, /* loopback and link local: each device itself */
  MDE_INDICATOR_REACH_PRIVATE,     /* RFC 1918, RFC 6598, fc00::/7: hosts of one's own */
  MDE_INDICATOR_REACH_TOP_LEVEL, /* a name without a dot, or one under which others are registered */
  MDE_INDICATOR_REACH_VITAL /* a domain that devices need for sign-in, updates and Defender itself */
};

/*
 * Whom a value without a flaw would hit. Of a URL its host counts: without a path it hits the whole of
 * it; REACH_VITAL of a URL with a path is REACH_NARROW, since it is one page. Slashes and dots alone do
 * not count as a path, nor does an empty query. Which domains are top-level or vital is a short list,
 * and not complete: REACH_NARROW is no promise.
 */
enum mde_indicator_reach mde_indicator_reach(enum mde_indicator_type type, struct mde_text value);

#endif
