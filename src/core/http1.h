/*
 * http1: reads the heads and the chunked bodies of HTTP/1.1 (RFC 9112), strictly.
 *
 * What two readers could understand differently is refused, because that is how requests are
 * smuggled: bare line feeds, a space before the colon, two different lengths. Of an answer, behind
 * which nobody smuggles if the connection ends with it, RFC 9112 has more understood: folded lines
 * (5.2), a length beside chunks, which say where it ends (6.3), and "chunked" named twice.
 * Nothing here allocates; the results point into the input.
 */
#ifndef MDE_HTTP1_H
#define MDE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum {
  MDE_HTTP1_MAX_HEAD_BYTES = 65536,    /* the empty line of a head included */
  MDE_HTTP1_MAX_FIELDS = 128,          /* of a head */
  MDE_HTTP1_MAX_OVERHEAD_BYTES = 16384 /* of chunk extensions and trailers, in one whole body */
};

/* The longest body that can be announced: the integers that a double holds exactly. */
#define MDE_HTTP1_MAX_BODY_BYTES INT64_C(9007199254740991)

enum mde_http1_body {
  MDE_HTTP1_BODY_NONE,
  MDE_HTTP1_BODY_CHUNKED,
  MDE_HTTP1_BODY_LENGTH,     /* mde_http1_head.length bytes */
  MDE_HTTP1_BODY_UNTIL_CLOSE /* responses only */
};

struct mde_http1_field {
  struct mde_text name;  /* as it was sent */
  struct mde_text value; /* without the blanks around it; folded lines as they came */
  bool folded;           /* the value may have line ends in it: mde_http1_unfold */
};

struct mde_http1_head {
  struct mde_text method; /* requests: a token */
  struct mde_text target; /* requests: visible ASCII */
  int status;             /* responses: 100 to 999 */
  struct mde_text reason; /* responses: may be empty */
  int minor_version;      /* 0 or 1 */
  enum mde_http1_body body;
  int64_t length;
  bool reusable; /* responses: see mde_http1_response */
  bool doubtful; /* responses: another reader could see something else in it */
  size_t field_count;
  struct mde_http1_field fields[MDE_HTTP1_MAX_FIELDS];
  const char *problem; /* after _BAD and _TOO_LONG: what is wrong, a phrase */
};

enum {
  MDE_HTTP1_MORE = 0,
  MDE_HTTP1_BAD = -1,     /* malformed */
  MDE_HTTP1_TOO_LONG = -2 /* a head or a body that passes its limit */
};

/*
 * Reads a request's head at the start of `input`. Returns how many bytes it takes up;
 * MDE_HTTP1_MORE if it is not complete; or MDE_HTTP1_BAD or MDE_HTTP1_TOO_LONG, as early as that is
 * certain.
 */
int mde_http1_request(struct mde_text input, struct mde_http1_head *head);

/*
 * The same for a response to a request of that method, on which the body depends: HEAD has none,
 * nor has CONNECT with a 2xx, of which Content-Length and Transfer-Encoding are not even read. An
 * absent method counts as GET. Interim (1xx) answers are answers like any other.
 *
 * `reusable`: the connection may carry another request once the body has been read and nothing lies
 * behind it. That is so only if nobody can doubt where the answer ends: HTTP/1.1, no "close", a
 * length or chunks and not both, nothing folded or doubled, and a status that says how the request
 * ended (2xx or 4xx). The body behind a 204, or the late answer behind a gateway's 504, would
 * otherwise be taken for the answer to the next request.
 */
int mde_http1_response(struct mde_text input, struct mde_text request_method,
                       struct mde_http1_head *head);

/*
 * Takes the next line off the front of a field's value that may be folded, without the blanks
 * around it: the lines with a blank between each two are the value. Returns false at the end.
 */
bool mde_http1_unfold(struct mde_text *value, struct mde_text *line);

/* A chunked body that is being decoded. Its fields are nobody else's business, but `problem`. */
struct mde_http1_chunks {
  int state;
  int digits;          /* of the size being read */
  uint64_t left;       /* bytes of the current chunk that are still to come */
  uint64_t decoded;    /* bytes of body so far, those announced included */
  uint64_t limit;      /* the most that `decoded` may become */
  size_t overhead;     /* bytes of extensions and trailers so far */
  const char *problem; /* after _BAD and _TOO_LONG: what is wrong, a phrase */
};

enum { MDE_HTTP1_DATA = 1, MDE_HTTP1_DONE = 2 };

/* A decoder that refuses bodies of more than `limit` bytes. */
void mde_http1_chunks_init(struct mde_http1_chunks *chunks, uint64_t limit);

/*
 * Takes bytes off the front of `input`, as far as they go, and moves it behind what was taken.
 *
 * MDE_HTTP1_DATA: `data`, a part of the input, belongs to the body; ask again for the rest.
 * MDE_HTTP1_MORE: the input is used up. MDE_HTTP1_DONE: the body is complete; the input stands
 * behind it. MDE_HTTP1_BAD: this is no chunked body. MDE_HTTP1_TOO_LONG: it passes the limit. The
 * last three stay what they are.
 */
int mde_http1_chunks_next(struct mde_http1_chunks *chunks, struct mde_text *input,
                          struct mde_text *data);

#endif
