/*
 * indicator: a byte that says which type, and any bytes as a value.
 */
#include "indicator.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  if (length == 0) return 0;
  enum mde_indicator_type type = (enum mde_indicator_type)(bytes[0] % MDE_INDICATOR_TYPES);
  /* A block of its own, so that a byte too many is seen. */
  char *block = malloc(length);
  require(block != NULL);
  memcpy(block, bytes + 1, length - 1);
  struct mde_text value = {.bytes = block, .length = length - 1};
  if (mde_indicator_flaw(type, value) == MDE_INDICATOR_FLAW_NONE) {
    require(value.length > 0 && value.length <= MDE_INDICATOR_URL_MAX);
    /* What is shown of it, and stands in a filter, is plain ASCII. */
    for (size_t i = 0; i < value.length; i++)
      require(block[i] > ' ' && block[i] < 0x7f);
    enum mde_indicator_reach reach = mde_indicator_reach(type, value);
    /* Case says nothing about whom it hits. */
    for (size_t i = 0; i < value.length; i++)
      block[i] = (char)mde_ascii_upper(block[i]);
    require(mde_indicator_flaw(type, value) == MDE_INDICATOR_FLAW_NONE);
    require(type == MDE_INDICATOR_TYPE_URL || mde_indicator_reach(type, value) == reach);
  }
  free(block);
  return 0;
}
