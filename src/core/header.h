/*
 * header: what stands inside the values of HTTP headers: dates, Retry-After, challenges.
 *
 * Nothing here allocates. Results are numbers, or spans of the text that was passed in.
 */
#ifndef MDE_HEADER_H
#define MDE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* Whether `c` may stand in a token (RFC 9110, 5.6.2): a header's name, a method, a scheme. */
bool mde_header_is_token_byte(char c);

/* Whether a text is a token: of such bytes alone, and not empty. */
bool mde_header_is_token(struct mde_text text);

/*
 * Reads one of the three date forms of RFC 9110, 5.6.7, and nothing around it. The name of the day
 * has to be one, but not the right one. A leap second counts as the second after it.
 *
 * `now` (Unix seconds) decides on the century of a two-digit year: the date is the latest one that
 * is not more than 50 years after now.
 */
bool mde_header_date(struct mde_text text, int64_t now, int64_t *unix_seconds);

/*
 * Reads digits with an optional fraction, and nothing else. Of more than 1e18 the last digits do
 * not count: that is beyond any wait as it is.
 */
bool mde_header_number(struct mde_text text, double *number);

/* The longest wait that is ever reported, in seconds; what is longer is cut to it. */
#define MDE_HEADER_MAX_WAIT_SECONDS 2147483647.0

/* The headers that say when to come back, and the Date of the same response. */
struct mde_retry_headers {
  struct mde_text retry_after_ms;
  struct mde_text x_ms_retry_after_ms;
  struct mde_text retry_after;
  struct mde_text date;
};

enum {
  MDE_RETRY_AFTER_NONE = 0,    /* none of the three is there */
  MDE_RETRY_AFTER_FOUND = 1,   /* *seconds is how long to wait, counted from now; never negative */
  MDE_RETRY_AFTER_INVALID = -1 /* at least one is there, and none can be understood */
};

/*
 * The first of the three that can be understood counts, in the order of the fields above. The first
 * two hold milliseconds, the third seconds or a date, all with an optional fraction. A date is
 * taken relative to the response's own Date, since the two clocks may differ, or to `now` (Unix
 * seconds) if that is absent or unreadable; one in the past means 0.
 *
 * A header that came several times arrives joined by commas. Then each part has to be understood,
 * and the longest wait counts, because a wait is never shortened.
 */
int mde_header_retry_after(const struct mde_retry_headers *headers, double now, double *seconds);

/* One piece of a WWW-Authenticate value. */
enum mde_challenge_piece {
  MDE_CHALLENGE_PIECE_MALFORMED = -1,
  MDE_CHALLENGE_PIECE_END = 0,
  MDE_CHALLENGE_PIECE_SCHEME,   /* `name`: a new challenge begins */
  MDE_CHALLENGE_PIECE_TOKEN68,  /* `value`: the credential-like blob of the current challenge */
  MDE_CHALLENGE_PIECE_PARAMETER /* `name` and `value` of the current challenge; see `quoted` */
};

struct mde_challenge_reader {
  const char *at;
  const char *end;
  int state;
  /* The piece just read. */
  struct mde_text name;
  struct mde_text value;
  bool quoted; /* `value` lay between quotes (not part of it) and may hold backslash pairs */
};

void mde_challenge_reader_init(struct mde_challenge_reader *reader, struct mde_text text);

/* The next piece. After END or MALFORMED the reader must not be asked again. */
enum mde_challenge_piece mde_challenge_next(struct mde_challenge_reader *reader);

/*
 * Takes the backslashes out of a quoted value. Writes at most `size` bytes to `out`, and returns
 * how many there are in all: never more than `value.length`.
 */
size_t mde_header_unquote(struct mde_text value, char *out, size_t size);

#endif
