/* comment: any bytes as a comment from the service, and as what a user wants to send. */
#include <assert.h>
#include <stdint.h>

#include "comment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct mde_text input = {(const char *)data, size};
  struct mde_comment parts = mde_comment_parse(input);
  assert(parts.text.length <= size);
  assert(parts.operation.bytes == NULL || mde_operation_valid(parts.operation));
  assert(parts.incident.bytes == NULL || parts.operation.bytes != NULL);

  /* However many suffixes there are, only the user's text is left of them. */
  struct mde_text text = input;
  for (size_t before = size + 1; text.length < before;) {
    before = text.length;
    text = mde_comment_parse(text).text;
  }

  char out[MDE_COMMENT_MAX_BYTES];
  size_t length = 0;
  struct mde_text incident = {"INC-4711", 8};
  struct mde_text operation = {"abcdefghijklmnop", 16};
  if (mde_comment_compose(out, &length, input, incident, operation) != MDE_COMMENT_STATUS_OK)
    return 0;
  struct mde_text whole = {out, length};
  struct mde_comment again = mde_comment_parse(whole);
  assert(mde_text_same(again.incident, incident));
  assert(mde_text_same(again.operation, operation));
  assert(mde_text_same(again.text, text));
  assert(mde_comment_compare(whole, whole) == MDE_COMMENT_MATCH_SAME);
  return 0;
}
