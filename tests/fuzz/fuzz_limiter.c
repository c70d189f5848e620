/*
 * limiter: what another process left in a store, and then sends at any time. The first byte chooses
 * the windows, the second how much of the rest is what stands in the store.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "limiter.h"
#include "target.h"

enum { MOST_PACKED = 8 * 64 };

static double time_at(const uint8_t *bytes)
{
  return number_at(bytes) / 16.0;
}

/* What is packed and unpacked is the same limiter. */
static void hand_over(const struct mde_limiter *limiter, struct mde_limiter *other, double now)
{
  unsigned char packed[MOST_PACKED];
  size_t size = mde_limiter_packed_size(limiter);
  require(size <= sizeof packed);
  mde_limiter_pack(limiter, packed);
  require(mde_limiter_unpack(other, packed, size) == MDE_UNPACK_STATUS_OK);
  require(mde_limiter_wait(other, now, 0) == mde_limiter_wait(limiter, now, 0));
  require(mde_limiter_remaining(other, now) == mde_limiter_remaining(limiter, now));
  require(mde_limiter_reset(other, now) == mde_limiter_reset(limiter, now));
}

static void use(struct mde_limiter *limiter, struct mde_limiter *other, const uint8_t *bytes,
                size_t length)
{
  size_t limit = limiter->windows[0].count;
  for (size_t at = 0; at + 3 <= length; at += 3) {
    double time = time_at(bytes + at + 1);
    double wait = mde_limiter_wait(limiter, time, bytes[at] / 4 % 4);
    size_t remaining = mde_limiter_remaining(limiter, time);
    require(!isnan(wait));
    require(remaining <= limit);
    if (wait == 0) require(remaining > bytes[at] / 4u % 4);
    if (wait > 0) require(mde_limiter_wait(limiter, time + wait, bytes[at] / 4 % 4) <= wait);
    if (bytes[at] & 1) require(mde_limiter_take(limiter, time));
    if (bytes[at] & 2) mde_limiter_give_back(limiter, time);
    require(limiter->length <= limiter->capacity);
    hand_over(limiter, other, time);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_allocator allocator = {.allocate = reallocate};
  struct mde_limiter limiter;
  struct mde_limiter other;
  if (length < 2) return 0;
  struct mde_window windows[] = {{.count = bytes[0] % 8u, .seconds = 60},
                                 {.count = bytes[0] / 8u, .seconds = 600}};
  size_t count = 1 + bytes[0] % 2u;
  mde_limiter_init(&limiter, allocator, windows, count);
  mde_limiter_init(&other, allocator, windows, count);
  size_t stored = bytes[1] < length - 2 ? bytes[1] : length - 2;
  enum mde_unpack_status result = mde_limiter_unpack(&limiter, bytes + 2, stored);
  require(result != MDE_UNPACK_STATUS_NO_MEMORY);
  if (result == MDE_UNPACK_STATUS_DAMAGED) require(limiter.length == 0);
  use(&limiter, &other, bytes + 2 + stored, length - 2 - stored);
  mde_limiter_clear(&limiter);
  mde_limiter_clear(&other);
  return 0;
}
