/*
 * cap: what another process left in a store, and then what happens at any time. The first byte
 * chooses the limit, the second how much of the rest is what stands in the store; the checksum of
 * that is put right, since no input would find it.
 *
 * A list of its own says what was sent. What may go is counted there a second way: never more than
 * the limit in any hour, unless they lift it. Packing and unpacking changes nothing; so do giving
 * back what was just taken, and merging the same list a second time.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cap.h"
#include "target.h"

enum { MOST_SENDS = 4096, MOST_ROWS = 8, SUM = 8, IDS = 5 };

static const struct mde_allocator allocator = {.allocate = reallocate};

/* ---- packed */

struct packed {
  unsigned char *bytes;
  size_t size;
};

static struct packed pack(const struct mde_cap *cap, double now)
{
  struct packed packed = {.size = mde_cap_packed_size(cap, now)};
  packed.bytes = malloc(packed.size);
  require(packed.bytes != NULL);
  mde_cap_pack(cap, now, packed.bytes);
  return packed;
}

static bool are_same(struct packed a, struct packed b)
{
  bool same = a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
  free(a.bytes);
  free(b.bytes);
  return same;
}

/* What is unpacked is the same cap, and is packed to the same bytes. */
static void hand_over(const struct mde_cap *cap, double now)
{
  struct packed packed = pack(cap, now);
  struct mde_cap other;
  mde_cap_init(&other, allocator, cap->limit);
  enum mde_cap_unpacked result = mde_cap_unpack(&other, packed.bytes, packed.size, now);
  if (result == MDE_CAP_UNPACKED_OK) {
    require(mde_cap_is_whole(&other) == mde_cap_is_whole(cap));
    require(mde_cap_remaining(&other, now) == mde_cap_remaining(cap, now));
    require(mde_cap_wait(&other, now) == mde_cap_wait(cap, now));
    require(are_same(packed, pack(&other, now)));
  } else {
    require(result == MDE_CAP_UNPACKED_CLOCK);
    require(other.length == 0 && !other.was_merged);
    free(packed.bytes);
  }
  mde_cap_clear(&other);
}

/* ---- what was sent, by a list of its own */

struct known {
  struct mde_cap_send sends[MOST_SENDS];
  size_t count;
};

static const char *const names[IDS] = {"abcdefgh", "abcdefghi", "bcdefghi", "ABCDEFGH", "0"};

static struct mde_text name_of(uint8_t byte)
{
  const char *name = names[byte % IDS];
  return (struct mde_text){name, strlen(name)};
}

static double time_at(const uint8_t *bytes)
{
  return number_at(bytes) / 4.0;
}

/* How many were sent within the hour before. */
static size_t sent_by(const struct known *known, double time)
{
  size_t count = 0;
  for (size_t i = 0; i < known->count; i++)
    if (known->sends[i].at + MDE_CAP_SECONDS > time) count++;
  return count;
}

static struct mde_cap_send send_of(struct mde_text id, double at)
{
  struct mde_cap_send send = {.at = at, .length = (unsigned char)id.length};
  for (size_t i = 0; i < id.length; i++)
    send.id[i] = (char)mde_ascii_lower(id.bytes[i]);
  return send;
}

static bool are_one(const struct mde_cap_send *a, const struct mde_cap_send *b)
{
  return a->at == b->at && a->length == b->length && memcmp(a->id, b->id, sizeof a->id) == 0;
}

static void add(struct known *known, struct mde_cap_send send)
{
  require(known->count < MOST_SENDS);
  known->sends[known->count++] = send;
}

static void forget(struct known *known, struct mde_cap_send send)
{
  size_t i = 0;
  for (; i < known->count && !are_one(&known->sends[i], &send);)
    i++;
  require(i < known->count);
  known->sends[i] = known->sends[--known->count];
}

/* The list tells it what it could not know; what it knew and is in the hour is there still. */
static void learn(struct known *known, const struct mde_cap *cap)
{
  for (size_t i = 0; i < known->count; i++) {
    if (known->sends[i].at + MDE_CAP_SECONDS <= cap->latest) continue;
    size_t place = 0;
    while (place < cap->length && !are_one(&cap->sends[place], &known->sends[i]))
      place++;
    require(place < cap->length || cap->limit == MDE_CAP_NONE);
  }
  known->count = 0;
  for (size_t i = 0; i < cap->length; i++)
    add(known, cap->sends[i]);
}

static void take(struct mde_cap *cap, struct known *known, struct mde_text id, double now,
                 bool all_the_same)
{
  struct packed before = pack(cap, now);
  size_t remaining = mde_cap_remaining(cap, now);
  double wait = mde_cap_wait(cap, now), at;
  bool is_whole = mde_cap_is_whole(cap);
  require((wait == 0) == (remaining > 0));
  enum mde_cap_answer answer = mde_cap_take(cap, id, now, all_the_same, &at);
  require(at >= now);
  if (answer != MDE_CAP_TAKEN) {
    require(!all_the_same);
    require(answer == (is_whole ? MDE_CAP_FULL : MDE_CAP_UNCOUNTED));
    require(!is_whole || remaining == 0);
    require(are_same(before, pack(cap, now)));
    return;
  }
  if (!all_the_same) require(is_whole && sent_by(known, at) < cap->limit);
  if (cap->limit == MDE_CAP_NONE) {
    free(before.bytes);
    return;
  }
  require(mde_cap_give_back(cap, id, at));
  require(are_same(before, pack(cap, now)));
  require(mde_cap_take(cap, id, now, true, &at) == MDE_CAP_TAKEN);
  require(mde_cap_remaining(cap, now) == (remaining > 0 ? remaining - 1 : 0));
  add(known, send_of(id, at));
}

static size_t list_of(struct mde_cap_send list[MOST_ROWS], const uint8_t *bytes, size_t rows,
                      double now)
{
  size_t count = 0;
  static const char *const comments[] = {"x [mde:abcdefgh]", "x [mde:I-1:ABCDEFGH]", "x",
                                         "[mde:bcdefghi]"};
  for (size_t i = 0; i < rows; i++) {
    const char *comment = comments[bytes[i] % 4];
    struct mde_action_text row = {.comment = {comment, strlen(comment)}};
    if (bytes[i] & 4) row.id = (struct mde_text){"id", 2};
    if (bytes[i] & 8) row.created = (struct mde_text){"1970-01-01T01:00:00.0000000Z", 28};
    if (mde_cap_counts(&row, &mde_responses[MDE_RESPONSE_RESTRICT], (struct mde_text){NULL, 0},
                       bytes[i] * 32.0, now, &list[count])) {
      require(list[count].at <= now);
      count++;
    }
  }
  return count;
}

/* Twice, each time in doubt, and the second time from its end. */
static void merge(struct mde_cap *cap, const uint8_t *bytes, size_t rows, double now)
{
  struct mde_cap_send list[MOST_ROWS], again[MOST_ROWS];
  size_t count = list_of(list, bytes, rows, now);
  for (size_t i = 0; i < count; i++)
    again[i] = list[count - 1 - i];
  size_t before = mde_cap_remaining(cap, now);
  mde_cap_doubt(cap);
  require(mde_cap_merge(cap, list, count, now));
  require(mde_cap_is_whole(cap));
  require(mde_cap_remaining(cap, now) <= before);
  if (cap->limit == 0 || cap->limit == MDE_CAP_NONE) return;
  struct packed once = pack(cap, now);
  mde_cap_doubt(cap);
  require(mde_cap_merge(cap, again, count, now));
  require(are_same(once, pack(cap, now)));
}

static void use(struct mde_cap *cap, struct known *known, const uint8_t *bytes, size_t length)
{
  for (size_t at = 0; at + 4 + MOST_ROWS <= length; at += 4) {
    double now = time_at(bytes + at + 2);
    struct mde_text id = name_of(bytes[at + 1]);
    switch (bytes[at] % 8) {
    case 0:
    case 1:
    case 2:
      take(cap, known, id, now, false);
      break;
    case 3:
      take(cap, known, id, now, true);
      break;
    case 4:
      if (mde_cap_give_back(cap, id, now)) forget(known, send_of(id, now));
      break;
    case 5:
      if (mde_cap_went(cap, id, now, now + bytes[at + 1])) {
        forget(known, send_of(id, now));
        add(known, send_of(id, now + bytes[at + 1]));
      }
      break;
    case 6:
      merge(cap, bytes + at + 4, bytes[at + 1] % (MOST_ROWS + 1u), now);
      learn(known, cap);
      break;
    default:
      mde_cap_doubt(cap);
      break;
    }
    for (size_t i = 1; i < cap->length; i++)
      require(cap->sends[i - 1].at <= cap->sends[i].at);
    require(cap->length <= cap->capacity);
    hand_over(cap, now);
  }
}

static void mend_checksum(uint8_t *bytes, size_t length)
{
  if (length < SUM) return;
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length - SUM; i++)
    sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
  for (size_t i = 0; i < SUM; i++)
    bytes[length - SUM + i] = (uint8_t)(sum >> (8 * i));
}

/* What another left: taken as a whole, or not at all. */
static void read_stored(struct mde_cap *cap, const uint8_t *bytes, size_t length)
{
  uint8_t *stored = malloc(length > 0 ? length : 1);
  require(stored != NULL);
  memcpy(stored, bytes, length);
  mend_checksum(stored, length);
  enum mde_cap_unpacked result = mde_cap_unpack(cap, stored, length, 1000);
  require(result != MDE_CAP_UNPACKED_NO_MEMORY);
  if (result == MDE_CAP_UNPACKED_OK) {
    struct packed own = {stored, length};
    require(are_same(own, pack(cap, -INFINITY)));
    return;
  }
  require(cap->length == 0 && !cap->was_merged);
  free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  if (length < 2) return 0;
  struct mde_cap cap;
  static struct known known;
  known.count = 0;
  mde_cap_init(&cap, allocator, bytes[0] == 255 ? MDE_CAP_NONE : bytes[0] % 6u);
  size_t stored = bytes[1] < length - 2 ? bytes[1] : length - 2;
  read_stored(&cap, bytes + 2, stored);
  learn(&known, &cap);
  use(&cap, &known, bytes + 2 + stored, length - 2 - stored);
  mde_cap_clear(&cap);
  return 0;
}
