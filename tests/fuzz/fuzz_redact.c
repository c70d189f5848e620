/*
 * redact: any bytes, as a text and as a header's value. The room suffices; doing it twice is the
 * same as once, but for URLs.
 */
#include <stdint.h>
#include <stdlib.h>

#include "redact.h"
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

static bool has_url(struct mde_text text)
{
  struct mde_text plain = {"://", 3};
  struct mde_text escaped = {":\\/", 3};
  struct mde_text half_escaped = {":/\\/", 4};
  return contains(text, plain) || contains(text, escaped) || contains(text, half_escaped);
}

static void redact_text(struct mde_text text)
{
  struct mde_allocator allocator = {.allocate = allocate};
  struct mde_buffer once;
  struct mde_buffer twice;
  mde_buffer_init(&once, allocator, mde_redact_limit(text.length));
  require(mde_redact_text(&once, text) == MDE_BUFFER_OK);
  mde_buffer_init(&twice, allocator, mde_redact_limit(once.length));
  require(mde_redact_text(&twice, contents(&once)) == MDE_BUFFER_OK);
  if (!has_url(contents(&once)))
    require(once.length == twice.length &&
            (once.length == 0 || memcmp(once.bytes, twice.bytes, once.length) == 0));
  mde_buffer_clear(&once);
  mde_buffer_clear(&twice);
}

static void redact_header(struct mde_text value)
{
  struct mde_allocator allocator = {.allocate = allocate};
  struct mde_text name = {"authorization", 13};
  struct mde_buffer out;
  mde_buffer_init(&out, allocator, mde_redact_limit(value.length));
  require(mde_redact_header(&out, name, value) == MDE_BUFFER_OK);
  require(out.length <= sizeof "AWS4-HMAC-SHA256" + sizeof MDE_REDACTED + value.length);
  mde_buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = (const char *)bytes, .length = length};
  if (length == 0) text.bytes = "";
  redact_text(text);
  redact_header(text);
  return 0;
}
