/*
 * waves: any bytes as what a user may say of waves and of their gates. Up to the first NUL they are
 * read; behind it each byte is something that happens in waves of these sizes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "waves.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool holds)
{
  if (!holds) abort();
}

static void require_inside(struct mde_text part, struct mde_text text)
{
  require(part.length == 0 || (part.bytes >= text.bytes && part.length <= text.length &&
                               part.bytes + part.length <= text.bytes + text.length));
}

static void play(const struct mde_waves_sizes *sizes, const struct mde_gate_rule *rule,
                 const uint8_t *bytes, size_t length)
{
  struct mde_waves waves;
  mde_waves_init(&waves, sizes, rule, length > 0 ? bytes[0] : 0);
  for (size_t i = 1; i < length; i++) {
    struct mde_wave_counts counts = {.succeeded = waves.sent, .failed = bytes[i] / 64u};
    switch (bytes[i] % 8) {
    case 0:
      mde_waves_open(&waves);
      break;
    case 1:
      mde_waves_judge(&waves, waves.wave, &counts, bytes[i]);
      break;
    case 2:
    case 3:
      mde_waves_ended(&waves, bytes[i] % 8 == 2);
      break;
    default:
      mde_waves_admit(&waves);
    }
    require(waves.in_flight <= mde_waves_size(&waves) - waves.sent);
    require(waves.sent <= mde_waves_size(&waves));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const uint8_t *end = length > 0 ? memchr(bytes, '\0', length) : NULL;
  struct mde_text text = {(const char *)bytes, end == NULL ? length : (size_t)(end - bytes)};
  struct mde_waves_sizes sizes;
  struct mde_gate_rule rule = mde_gate_default();
  struct mde_text item;
  if (mde_gate_read(text, &rule, &item) == MDE_WAVES_FLAW_NONE) {
    require(rule.succeeded <= 100 && rule.failed <= 100);
    require(rule.wait >= 0 && rule.wait <= MDE_GATE_MAX_SECONDS);
  } else {
    require_inside(item, text);
    rule = mde_gate_default();
  }
  if (mde_waves_read(text, &sizes, &item) == MDE_WAVES_FLAW_NONE) {
    require(sizes.count <= MDE_WAVES_MAX_SIZES && (sizes.count > 0 || sizes.has_rest));
    for (size_t i = 0; i < sizes.count; i++)
      require(sizes.sizes[i] >= 1 && sizes.sizes[i] <= MDE_WAVES_MAX_SIZE);
    if (end != NULL) play(&sizes, &rule, end + 1, length - text.length - 1);
  } else {
    require_inside(item, text);
  }
  return 0;
}
