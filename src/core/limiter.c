#include "limiter.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

void mde_limiter_init(struct mde_limiter *limiter, struct mde_allocator allocator,
                      const struct mde_window *windows, size_t count)
{
  *limiter =
      (struct mde_limiter){.allocator = allocator, .window_count = count, .forgotten = -INFINITY};
  for (size_t i = 0; i < count; i++) {
    limiter->windows[i] = windows[i];
    if (windows[i].count > limiter->capacity) limiter->capacity = windows[i].count;
  }
}

void mde_limiter_clear(struct mde_limiter *limiter)
{
  double *sends = limiter->sends;
  limiter->sends = NULL;
  limiter->first = limiter->length = 0;
  limiter->forgotten = -INFINITY;
  mde_release(&limiter->allocator, sends, limiter->capacity * sizeof *sends);
}

/* The place of the send with this many older ones. */
static double *place_of(const struct mde_limiter *limiter, size_t older)
{
  size_t place = limiter->first + older;
  return &limiter->sends[place < limiter->capacity ? place : place - limiter->capacity];
}

static double send_at(const struct mde_limiter *limiter, size_t older)
{
  return *place_of(limiter, older);
}

static double leaves(const struct mde_window *window, double send)
{
  return send + window->seconds;
}

/* A window has room once the send that fills it, the count-th last, has left it. */
double mde_limiter_wait(const struct mde_limiter *limiter, double now, size_t reserve)
{
  double longest = 0;
  for (size_t i = 0; i < limiter->window_count; i++) {
    const struct mde_window *window = &limiter->windows[i];
    if (window->count <= reserve) return -1;
    size_t count = window->count - reserve;
    if (limiter->length < count) continue;
    double wait = leaves(window, send_at(limiter, limiter->length - count)) - now;
    if (wait > longest) longest = wait;
  }
  return longest;
}

/* How many sends are still in the window: the latest ones, which binary search tells. */
static size_t used(const struct mde_limiter *limiter, const struct mde_window *window, double now)
{
  size_t gone = 0;
  size_t end = limiter->length;
  while (gone < end) {
    size_t middle = gone + (end - gone) / 2;
    if (leaves(window, send_at(limiter, middle)) <= now)
      gone = middle + 1;
    else
      end = middle;
  }
  return limiter->length - gone;
}

size_t mde_limiter_remaining(const struct mde_limiter *limiter, double now)
{
  size_t remaining = limiter->capacity;
  for (size_t i = 0; i < limiter->window_count; i++) {
    const struct mde_window *window = &limiter->windows[i];
    size_t taken = used(limiter, window, now);
    size_t left = taken < window->count ? window->count - taken : 0;
    if (left < remaining) remaining = left;
  }
  return remaining;
}

double mde_limiter_reset(const struct mde_limiter *limiter, double now)
{
  double longest = 0;
  for (size_t i = 0; limiter->length > 0 && i < limiter->window_count; i++) {
    double wait = leaves(&limiter->windows[i], send_at(limiter, limiter->length - 1)) - now;
    if (wait > longest) longest = wait;
  }
  return longest;
}

static void drop_oldest(struct mde_limiter *limiter)
{
  limiter->first = limiter->first + 1 < limiter->capacity ? limiter->first + 1 : 0;
  limiter->length--;
}

/* Makes the ring, if it is not there. */
static bool have_ring(struct mde_limiter *limiter)
{
  if (limiter->sends == NULL)
    limiter->sends = mde_allocate(&limiter->allocator, limiter->capacity * sizeof *limiter->sends);
  return limiter->sends != NULL;
}

bool mde_limiter_take(struct mde_limiter *limiter, double time)
{
  if (limiter->capacity == 0) return true;
  if (!have_ring(limiter)) return false;
  if (limiter->length == limiter->capacity) {
    double oldest = send_at(limiter, 0);
    double left_out = time < oldest ? time : oldest;
    if (left_out > limiter->forgotten) limiter->forgotten = left_out;
    if (time < oldest) return true;
    drop_oldest(limiter);
  }
  size_t older = limiter->length++;
  for (; older > 0 && send_at(limiter, older - 1) > time; older--)
    *place_of(limiter, older) = send_at(limiter, older - 1);
  *place_of(limiter, older) = time;
  return true;
}

bool mde_limiter_give_back(struct mde_limiter *limiter, double time)
{
  size_t older = limiter->length;
  while (older > 0 && send_at(limiter, older - 1) != time)
    older--;
  if (older == 0) return false;
  for (older--; older > 0; older--)
    *place_of(limiter, older) = send_at(limiter, older - 1);
  if (limiter->forgotten > -INFINITY)
    *place_of(limiter, 0) = limiter->forgotten;
  else
    drop_oldest(limiter);
  return true;
}

enum { PACKED = 8 };

size_t mde_limiter_packed_size(const struct mde_limiter *limiter)
{
  return PACKED * (1 + limiter->length);
}

static void pack(double time, unsigned char *bytes)
{
  uint64_t bits;
  memcpy(&bits, &time, sizeof bits);
  for (int i = 0; i < PACKED; i++)
    bytes[i] = (unsigned char)(bits >> (8 * i));
}

static double unpack(const unsigned char *bytes)
{
  uint64_t bits = 0;
  for (int i = 0; i < PACKED; i++)
    bits |= (uint64_t)bytes[i] << (8 * i);
  double time;
  memcpy(&time, &bits, sizeof time);
  return time;
}

void mde_limiter_pack(const struct mde_limiter *limiter, unsigned char *bytes)
{
  pack(limiter->forgotten, bytes);
  for (size_t i = 0; i < limiter->length; i++)
    pack(send_at(limiter, i), bytes + PACKED * (1 + i));
}

/* Whether the bytes are sends, ascending, none before the latest that was forgotten. */
static bool are_sends(const unsigned char *bytes, size_t count)
{
  double before = unpack(bytes);
  if (isnan(before) || before == INFINITY) return false;
  for (size_t i = 1; i <= count; i++) {
    double time = unpack(bytes + PACKED * i);
    if (!isfinite(time) || time < before) return false;
    before = time;
  }
  return true;
}

enum mde_unpack_status mde_limiter_unpack(struct mde_limiter *limiter, const unsigned char *bytes,
                                          size_t length)
{
  mde_limiter_clear(limiter);
  if (length < PACKED || length % PACKED != 0) return MDE_UNPACK_STATUS_DAMAGED;
  size_t known = length / PACKED - 1;
  if (!are_sends(bytes, known)) return MDE_UNPACK_STATUS_DAMAGED;
  /* The latest that was forgotten is a send like the others, where there is a place for it. */
  if (unpack(bytes) == -INFINITY)
    bytes += PACKED;
  else
    known++;
  size_t left_out = known > limiter->capacity ? known - limiter->capacity : 0;
  if (known > left_out && !have_ring(limiter)) return MDE_UNPACK_STATUS_NO_MEMORY;
  if (left_out > 0) limiter->forgotten = unpack(bytes + PACKED * (left_out - 1));
  limiter->length = known - left_out;
  for (size_t i = 0; i < limiter->length; i++)
    limiter->sends[i] = unpack(bytes + PACKED * (left_out + i));
  return MDE_UNPACK_STATUS_OK;
}
