/*
 * redact_known: any bytes, with a value that is planted in the seeds and one that the bytes begin
 * with: the first byte says how long that is. The room suffices, and the planted value never comes
 * through where it stands as it is.
 */
#include <stdint.h>
#include <stdlib.h>

#include "redact_known.h"
#include "target.h"

static void *allocate(void *context, void *block, size_t old_size, size_t new_size)
{
  (void)context;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

static struct mde_text contents(const struct mde_buffer *secret)
{
  struct mde_text text = {.bytes = secret->bytes, .length = secret->length};
  return text;
}

static bool contains(struct mde_text text, struct mde_text part)
{
  for (size_t i = 0; i + part.length <= text.length; i++)
    if (memcmp(text.bytes + i, part.bytes, part.length) == 0) return true;
  return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = (const char *)bytes, .length = length};
  if (length == 0) text.bytes = "";
  struct mde_allocator allocator = {.allocate = allocate};
  struct mde_buffer out;
  struct mde_buffer scratch;
  struct mde_text mark = {MDE_REDACTED, sizeof MDE_REDACTED - 1};
  struct mde_text values[2] = {{"pl4nted/va+lue", 14}, {text.bytes, 0}};
  if (text.length > 0) {
    size_t count = (unsigned char)text.bytes[0] % 32;
    text.bytes++;
    text.length--;
    values[1].bytes = text.bytes;
    values[1].length = count < text.length ? count : text.length;
  }
  mde_buffer_init(&out, allocator, mde_redact_limit(text.length));
  mde_buffer_init(&scratch, allocator, mde_redact_limit(text.length));
  require(mde_redact_known(&out, &scratch, text, values, 2) == MDE_BUFFER_OK);
  require(scratch.length == 0);
  if (!contains(mark, values[1])) require(!contains(contents(&out), values[0]));
  mde_buffer_clear(&out);
  return 0;
}
