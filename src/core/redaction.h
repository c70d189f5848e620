/*
 * redaction: a text that is copied into a secret, with a mark in the place of what is taken out.
 *
 * What may not be shown is found by others, which walk through the text: by its name or its form in
 * redact.c, by its value in redact_known.c.
 */
#ifndef MDE_REDACTION_H
#define MDE_REDACTION_H

#include <stddef.h>

#include "buffer.h"
#include "text.h"

#define MDE_REDACTED "[redacted]"

struct mde_redaction {
  struct mde_buffer *out;
  const char *start;
  const char *at; /* where the walk is */
  const char *end;
  const char *copied; /* everything before it is in `out` */
  int status;         /* MDE_BUFFER_OK, or why `out` is incomplete */
};

/* How long a limit of `out` always suffices for a text of `length` bytes, whatever is taken out. */
size_t mde_redact_limit(size_t length);

/* At the beginning of `text`, of which nothing has been copied. The text has to stay. */
void mde_redaction_begin(struct mde_redaction *redaction, struct mde_buffer *out,
                         struct mde_text text);

/* Writes bytes that are not the text's. After a failure it does nothing, and so do the others. */
void mde_redaction_write(struct mde_redaction *redaction, const char *bytes, size_t length);

/* Copies what has not been copied yet, up to `to`. */
void mde_redaction_copy(struct mde_redaction *redaction, const char *to);

/*
 * Puts the mark in the place of the bytes from `from` to `to`, which have not been copied, and goes
 * on behind them. In the place of no bytes there is no mark.
 */
void mde_redaction_take_out(struct mde_redaction *redaction, const char *from, const char *to);

/* Copies the rest. Returns `status`. */
int mde_redaction_finish(struct mde_redaction *redaction);

#endif
