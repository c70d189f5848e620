/*
 * pem: the blocks of a PEM text, with their lines put back where they were lost on the way.
 *
 * A variable, a secret of Kubernetes or an editor turns line ends into blanks or into the two
 * characters \n, joins the end of a block to the beginning of the next, or puts a byte order mark
 * in front. In base64 there is neither a blank nor a backslash, so what was meant is certain.
 */
#ifndef MDE_PEM_H
#define MDE_PEM_H

#include "buffer.h"
#include "text.h"

enum {
  MDE_PEM_OK = 0,
  MDE_PEM_NO_MEMORY = -1,
  MDE_PEM_TOO_LONG = -2, /* the limit of `out` would be passed */
  MDE_PEM_UTF16 = -3,    /* not read: it would have to be guessed what else was changed */
  MDE_PEM_NOT_CLOSED =
      -4,           /* a block without its END was left out: it was cut, or that marker spoilt */
  MDE_PEM_FLAT = -5 /* one with headers (an encrypted key) all in one line was left out */
};

/*
 * Appends every block of `given` to `out`, each marker and 64 characters of base64 on a line of
 * their own, and nothing of what stands between the blocks. Nothing at all where there is no block.
 * With MDE_PEM_NOT_CLOSED and MDE_PEM_FLAT the other blocks are there; after any other failure the
 * contents of `out` are of no use. A second mending changes nothing.
 */
int mde_pem_mend(struct mde_buffer *out, struct mde_text given);

/* A limit of `out` that always suffices for `length` bytes. */
size_t mde_pem_limit(size_t length);

#endif
