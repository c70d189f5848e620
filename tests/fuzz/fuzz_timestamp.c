/*
 * timestamp: any bytes as a time of the service's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool holds)
{
  if (!holds) abort();
}

static bool is_short(struct mde_text text)
{
  return text.length == 19;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  int64_t ticks = mde_timestamp(text);
  if (ticks == MDE_NO_TIME) return 0;
  /* From the year 0 to 9999, a day more for the offset. */
  require(ticks >= -62167305600 * MDE_TICKS_PER_SECOND);
  require(ticks <= 253402387200 * MDE_TICKS_PER_SECOND);
  /* No zone is UTC; an offset moves it by as much. */
  if (is_short(text)) {
    char longer[32];
    memcpy(longer, text.bytes, 19);
    memcpy(longer + 19, ".0000001Z", 9);
    require(mde_timestamp((struct mde_text){longer, 28}) == ticks + 1);
    memcpy(longer + 19, "+01:30", 6);
    int64_t earlier = mde_timestamp((struct mde_text){longer, 25});
    require(earlier == MDE_NO_TIME || earlier == ticks - 5400 * MDE_TICKS_PER_SECOND);
  }
  return 0;
}
