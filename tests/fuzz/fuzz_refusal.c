/*
 * refusal: any bytes as the message of an answer that is not a success.
 */
#include <stdint.h>

#include "refusal.h"
#include "target.h"

static void require_inside(struct mde_text part, struct mde_text text)
{
  require(part.bytes >= text.bytes && part.length <= text.length &&
          part.bytes + part.length <= text.bytes + text.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text message = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  struct mde_text required, present;
  double seconds = -1;
  bool waits = mde_refusal_wait(message, &seconds);
  require(seconds >= 0 && seconds < MDE_REFUSAL_ABSURD_SECONDS);
  require(waits || seconds <= 0);
  mde_refusal_is_not_provisioned(message);
  if (mde_refusal_is_active(message, (struct mde_text){NULL, 0}))
    require(!mde_refusal_is_active((struct mde_text){NULL, 0}, message));
  if (mde_refusal_roles(message, &required, &present)) {
    require_inside(required, message);
    require_inside(present, message);
    require(required.bytes + required.length < present.bytes);
  }
  return 0;
}
