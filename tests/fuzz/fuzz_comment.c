/* comment: any bytes as a comment from the service, and as what a user wants to send. */
#include <assert.h>
#include <stdint.h>

#include "comment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mde_text incident = {"INC-4711", 8};
static const struct mde_text operation = {"abcdefghijklmnop", 16};

/* `text`: what is left of the input without suffixes. */
static void check_composed(struct mde_text whole, struct mde_text input, struct mde_text text,
                           bool changed)
{
  struct mde_comment again = mde_comment_parse(whole);
  assert(mde_text_same(again.incident, incident));
  assert(mde_text_same(again.operation, operation));
  assert(again.text.length == text.length);
  assert(changed == !mde_text_same(again.text, input));
  assert(mde_comment_compare(whole, whole) == MDE_COMMENT_MATCH_SAME);
  /* Wherever the service cuts it, no suffix but ours is at the end. */
  for (size_t cut = 0; cut < whole.length; cut++)
    assert(mde_comment_parse((struct mde_text){whole.bytes, cut}).operation.bytes == NULL);
}

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
  bool changed = false;
  if (mde_comment_compose(out, &length, &changed, input, incident, operation) ==
      MDE_COMMENT_STATUS_OK)
    check_composed((struct mde_text){out, length}, input, text, changed);

  char made[MDE_COMMENT_MAX_TEXT_BYTES];
  size_t made_length = mde_comment_make(made, input);
  assert(made_length > 0 && made_length <= sizeof made);
  struct mde_text own = {made, made_length};
  int status = mde_comment_compose(out, &length, &changed, own, incident, operation);
  assert(status == MDE_COMMENT_STATUS_OK || status == MDE_COMMENT_STATUS_EMPTY);
  return 0;
}
