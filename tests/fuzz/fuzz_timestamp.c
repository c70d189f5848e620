/*
 * timestamp: any bytes as a time of the service's, and as seconds that are written as one.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "target.h"
#include "timestamp.h"

static bool is_short(struct mde_text text)
{
  return text.length == 19;
}

/* Written to the second, and to the microsecond where a double holds them. */
static void read_back(double seconds)
{
  char text[MDE_TIMESTAMP_SIZE];
  size_t length = mde_timestamp_write(seconds, MDE_TIMESTAMP_FORM_SECOND, text);
  require(length == strlen(text));
  bool is_written = seconds >= -62167219200 && seconds < 253402300800;
  require(is_written == (length == 20));
  require(is_written || length == 0);
  int64_t ticks = mde_timestamp((struct mde_text){text, length});
  bool is_read = is_written && seconds >= -62104060800; /* the year 2 */
  require(is_read == (ticks != MDE_NO_TIME));
  if (!is_read) return;
  require(ticks == (int64_t)floor(seconds) * MDE_TICKS_PER_SECOND);
  length = mde_timestamp_write(seconds, MDE_TIMESTAMP_FORM_MICROSECOND, text);
  require(length == strlen(text) && length < sizeof text);
  ticks = mde_timestamp((struct mde_text){text, length});
  double again = (double)ticks / (double)MDE_TICKS_PER_SECOND;
  require(fabs(again - seconds) <= 5e-7 + fabs(seconds) * 4e-16);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  double seconds;
  if (length >= sizeof seconds) {
    memcpy(&seconds, bytes, sizeof seconds);
    read_back(seconds);
    /* Most doubles are far from any time. */
    read_back(fmod(seconds, 3e11));
  }
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  int64_t ticks = mde_timestamp(text);
  if (ticks == MDE_NO_TIME) return 0;
  /* From the year 0 to 9999, a day more for the offset. */
  require(ticks >= -62167305600 * MDE_TICKS_PER_SECOND);
  require(ticks <= 253402387200 * MDE_TICKS_PER_SECOND);
  read_back((double)ticks / (double)MDE_TICKS_PER_SECOND);
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
