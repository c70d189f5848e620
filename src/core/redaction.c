#include "redaction.h"

#include <stdint.h>

size_t mde_redact_limit(size_t length)
{
  /* A known value grows from 4 bytes to 10 at most, and what surrounds that at most threefold. */
  return length > SIZE_MAX / 16 ? SIZE_MAX : length * 9 + 64;
}

void mde_redaction_begin(struct mde_redaction *redaction, struct mde_buffer *out,
                         struct mde_text text)
{
  if (text.bytes == NULL) text.bytes = "";
  redaction->out = out;
  redaction->start = text.bytes;
  redaction->at = text.bytes;
  redaction->end = text.bytes + text.length;
  redaction->copied = text.bytes;
  redaction->status = MDE_BUFFER_OK;
}

void mde_redaction_write(struct mde_redaction *redaction, const char *bytes, size_t length)
{
  if (redaction->status == MDE_BUFFER_OK)
    redaction->status = mde_buffer_append(redaction->out, bytes, length);
}

void mde_redaction_copy(struct mde_redaction *redaction, const char *to)
{
  mde_redaction_write(redaction, redaction->copied, (size_t)(to - redaction->copied));
  redaction->copied = to;
}

void mde_redaction_take_out(struct mde_redaction *redaction, const char *from, const char *to)
{
  if (from < to) {
    mde_redaction_copy(redaction, from);
    mde_redaction_write(redaction, MDE_REDACTED, sizeof MDE_REDACTED - 1);
    redaction->copied = to;
  }
  redaction->at = to;
}

int mde_redaction_finish(struct mde_redaction *redaction)
{
  mde_redaction_copy(redaction, redaction->end);
  return redaction->status;
}
