/*
 * url: what a URL says, what may be shown of it, and whose its host is. No other file takes a URL
 * apart or judges a host; redact.h finds the users of URLs in running text.
 *
 *   URL        scheme "://" [ user "@" ] host [ ":" port ] path [ "?" query ]
 *
 * is RFC 3986's `URI` with an authority and without a fragment. Of what that allows, only what all
 * readers read alike is taken:
 *
 *   scheme     3.1: a letter, then letters, digits, + - .
 *   user       3.2.1, and " < > ^ ` { | } beside it, which nobody takes for a delimiter
 *   host       3.2.2: four decimal numbers without needless zeros; an IPv6 address in brackets, if
 *              it is link-local with or without a zone as RFC 6874 writes it (%25eth0); or a name:
 *              labels of 1 to 63 letters, digits, - and _, at most 253 bytes, and a dot may stand
 *              at the end. No name is percent-encoded or goes beyond ASCII: one of another script
 *              is written with A-labels (RFC 5890 2.3.2.1). No name's last label is a number,
 *              decimal or hexadecimal: inet_aton, by which many resolvers go, takes 127.1, 0x7f.1,
 *              0177.0.0.1 and 2130706433 for addresses (RFC 6943 3.1.1)
 *   port       3.2.3: nothing, or a number from 1 to 65535
 *   path       3.3: nothing, or a slash and pchar and slashes
 *   query      3.4: pchar, slashes and question marks
 *
 * Everywhere a percent sign has two hexadecimal digits behind it (2.1).
 *
 * Nothing here allocates. What writes text does it as snprintf does, at most `size` bytes to `out`,
 * and returns how many there are in all; no NUL is added.
 */
#ifndef MDE_URL_H
#define MDE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Each text is a part of the one that was read. */
struct mde_url {
  struct mde_text scheme;    /* absent where a setting may leave it out, and does */
  struct mde_text user;      /* absent without an @ */
  struct mde_text authority; /* host and port as they stand there, without the user */
  struct mde_text host;      /* without brackets, with its zone */
  struct mde_text port_text; /* absent without a colon */
  struct mde_text path;      /* empty, or begins with a slash */
  struct mde_text query;     /* absent without a question mark */
  int port;                  /* 0: none is named */
};

enum mde_url_flaw {
  MDE_URL_FLAW_NONE,
  MDE_URL_FLAW_SCHEME,    /* none, or no :// behind it */
  MDE_URL_FLAW_CHARACTER, /* one that has to be percent-encoded where it stands */
  MDE_URL_FLAW_USER,      /* one that cannot be; also a second @ before the path */
  MDE_URL_FLAW_NO_HOST,
  MDE_URL_FLAW_HOST /* or port: one that cannot be */
};

/*
 * Takes a URL apart. After a flaw nothing else of `url` is of use. `place`, if not NULL, is set to
 * where a character stands that must not be there, from 0, and otherwise to 0.
 */
enum mde_url_flaw mde_url_parse(struct mde_text text, struct mde_url *url, size_t *place);

/* The port that is named; else 443 or 80 (RFC 9110 4.2), or 0 for another scheme. */
int mde_url_port(const struct mde_url *url);

/* ---- whose a host is */

enum mde_url_class {
  MDE_URL_CLASS_FOREIGN,
  /*
   * localhost and the names that end in .localhost (RFC 6761 6.3), 127.0.0.0/8, ::1 in any
   * spelling, and ::ffff:127.0.0.0/104, which is the same as an IPv6 socket has it
   */
  MDE_URL_CLASS_THIS_MACHINE,
  /* 169.254.0.0/16 (RFC 3927), fe80::/10, and the first as an IPv6 socket has it. */
  MDE_URL_CLASS_LINK_LOCAL,
  /*
   * A domain in which Microsoft signs in, or Defender for Endpoint or Microsoft Graph answers, or a
   * name below one
   */
  MDE_URL_CLASS_MICROSOFT
};

/*
 * Whose a host is, by its text alone: nothing is looked up. With or without brackets; a name's case
 * and one dot at its end (RFC 1034 3.1) do not count. What is no host as above is foreign.
 */
enum mde_url_class mde_url_class(struct mde_text host);

/*
 * Whether a text is a domain: a name as above that has a dot in it and none at its end, and no
 * address.
 */
bool mde_url_is_domain(struct mde_text text);

/* A cloud, by where it signs in. */
enum mde_url_cloud {
  MDE_URL_CLOUD_UNKNOWN,
  MDE_URL_CLOUD_PUBLIC, /* GCC signs in here, too, though its API's host ends in .us */
  MDE_URL_CLOUD_US_GOVERNMENT,
  MDE_URL_CLOUD_CHINA
};

/*
 * Where a host of Microsoft's signs in, or takes tokens from. Unknown for a host of another class,
 * and for a sovereign cloud's. Two hosts of two known clouds do not belong together.
 */
enum mde_url_cloud mde_url_cloud(struct mde_text host);

/*
 * Same scheme, host and port (RFC 6454 5), with the default ports; IPv6 addresses by their value.
 */
bool mde_url_same_origin(const struct mde_url *a, const struct mde_url *b);

/* ---- URLs of settings */

enum mde_url_setting {
  MDE_URL_SETTING_OK,
  MDE_URL_SETTING_MALFORMED,
  MDE_URL_SETTING_INSECURE /* http where https has to be */
};

/*
 * The https URL of a host: no user, no query, no empty port, and of the path's bytes only letters,
 * digits, - . _ ~ and slashes. The scheme may be left out, as Microsoft's libraries take
 * AZURE_AUTHORITY_HOST, if the text begins as a host does: with a name that has a dot, with
 * localhost, or with something before a colon. Another single word could be anything.
 */
enum mde_url_setting mde_url_https(struct mde_text text, struct mde_url *url);

/*
 * The one form of what mde_url_https has read (RFC 3986 6.2.2.1, 6.2.3): scheme and host in small
 * letters, no port 443, no slashes at the end.
 */
size_t mde_url_normal(const struct mde_url *url, char *out, size_t size);

/*
 * The URL of a managed identity's endpoint: the same with a scheme, and http for a host that is
 * this machine or link-local.
 */
enum mde_url_setting mde_url_endpoint(struct mde_text text, struct mde_url *url);

/*
 * A proxy's URL: http, https, socks4, socks4a, socks5 or socks5h, or no scheme, which means http;
 * no path but a slash, no query. Its user is a name, and behind the first colon a password.
 * Decoded, neither has a control character, and the name has no colon (RFC 7617 2).
 */
bool mde_url_proxy(struct mde_text text, struct mde_url *url);

/* What may be shown of it: scheme in small letters, host, and the port if one is named. */
size_t mde_url_proxy_shown(const struct mde_url *url, char *out, size_t size);

/* Its user, decoded, with a colon behind a name that stands alone; not for an absent one. */
size_t mde_url_proxy_user(const struct mde_url *url, char *out, size_t size);

/* ---- URLs of requests */

enum { MDE_URL_PROBLEM_SIZE = 96 }; /* room enough for any problem, its NUL included */

/*
 * Whether a request may go to a URL: https, or with `plain` http to this machine or to a link-local
 * host; and no user. If it may not, `problem` says why: a sentence about `url`, in ASCII, without a
 * part of it.
 */
bool mde_url_request(struct mde_text text, bool plain, struct mde_url *url,
                     char problem[MDE_URL_PROBLEM_SIZE]);

/* ---- what may be shown */

/*
 * Whether two readers may see another user or host in a text that is meant as a URL. Some strip
 * blanks and controls or stop at them, take a backslash for a slash, fold other scripts into ASCII,
 * or decode before they look. And a password that is not percent-encoded as it should be may have
 * any delimiter in it. So these are ambiguous:
 *
 *   - a byte that is not visible ASCII, or a backslash, anywhere
 *   - more than one @, or one behind the authority
 *   - a percent sign in the authority, neither before the @ nor behind a bracket
 *   - something else than a port behind the host, or a bracket without its other: a password may
 *     have begun there, and be cut off
 *
 * A text without :// begins with its authority.
 */
bool mde_url_is_ambiguous(struct mde_text text);

/*
 * What may be shown of any text that is meant as a URL. MDE_REDACTED stands in the place of the
 * user, of what is behind the first ? or #, and, where it is ambiguous, of all behind the scheme.
 */
size_t mde_url_shown(struct mde_text text, char *out, size_t size);

#endif
