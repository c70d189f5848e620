#include "packed_change.h"

#include "timestamp.h"

enum { VERSION = 3, FLAGS = 13 };

/* Ticks beyond which no clock goes, so that ages can be added. */
static const int64_t FARTHEST = INT64_MAX / 4;

static void put_byte(unsigned char **at, int byte)
{
  *(*at)++ = (unsigned char)byte;
}

static void put_time(unsigned char **at, int64_t time)
{
  for (int shift = 56; shift >= 0; shift -= 8)
    put_byte(at, (int)((uint64_t)time >> shift & 0xff));
}

/* A time by the clock of a process, as an age. */
static void put_age(unsigned char **at, int64_t time, int64_t now)
{
  put_time(at, time == MDE_NO_TIME ? MDE_NO_TIME : now - time);
}

/* The flags of a change, in the order of their bits. */
static void flags_of(struct mde_change *change, bool *flags[FLAGS])
{
  bool *const all[FLAGS] = {
      &change->has_looked_again, &change->has_seen,    &change->in_flight,
      &change->may_have_arrived, &change->has_slot,    &change->was_absent,
      &change->was_shared,       &change->looked,      &change->recorded,
      &change->reconciled,       &change->comment_cut, &change->was_incomplete,
      &change->was_told};
  memcpy(flags, all, sizeof all);
}

/* The small numbers, each a byte. */
enum { NUMBERS = 5 };
static void numbers_of(struct mde_change *change, unsigned char *numbers[NUMBERS])
{
  unsigned char *const all[NUMBERS] = {&change->step, &change->after_slot, &change->fate,
                                       &change->reason, &change->reading};
  memcpy(numbers, all, sizeof all);
}

size_t mde_change_pack(const struct mde_change *change, int64_t now,
                       unsigned char out[MDE_PACKED_CHANGE_MAX])
{
  struct mde_change copy = *change;
  bool *flags[FLAGS];
  flags_of(&copy, flags);
  unsigned char *numbers[NUMBERS];
  numbers_of(&copy, numbers);
  unsigned bits = change->seen.has_untimed ? 1u << FLAGS : 0;
  for (int i = 0; i < FLAGS; i++)
    if (*flags[i]) bits |= 1u << i;

  unsigned char *at = out;
  put_byte(&at, VERSION);
  for (int i = 0; i < NUMBERS; i++)
    put_byte(&at, *numbers[i]);
  put_byte(&at, (int)(bits >> 8));
  put_byte(&at, (int)(bits & 0xff));
  put_byte(&at, change->cancels);
  put_byte(&at, change->sends);
  put_age(&at, change->looked_at, now);
  put_age(&at, change->began, now);
  put_time(&at, change->sent_at);
  put_time(&at, change->seen.older_until);
  put_time(&at, change->seen.newest);
  put_byte(&at, change->seen.count);
  for (int i = 0; i < change->seen.count; i++) {
    memcpy(at, change->seen.actions[i].id.bytes, sizeof change->seen.actions[i].id.bytes);
    at += sizeof change->seen.actions[i].id.bytes;
    put_byte(&at, (int)change->seen.actions[i].status);
    put_time(&at, change->seen.actions[i].created);
  }
  return (size_t)(at - out);
}

struct reader {
  const unsigned char *at, *end;
  bool is_short;
};

static int get_byte(struct reader *reader)
{
  if (reader->at == reader->end) {
    reader->is_short = true;
    return 0;
  }
  return *reader->at++;
}

static int64_t get_time(struct reader *reader)
{
  uint64_t time = 0;
  for (int i = 0; i < 8; i++)
    time = time << 8 | (uint64_t)get_byte(reader);
  return (int64_t)time;
}

static bool is_far(int64_t time)
{
  return time < -FARTHEST || time > FARTHEST;
}

/* The time by the clock of this process; false if no clock goes there. */
static bool get_age(struct reader *reader, int64_t packed_at, int64_t *time)
{
  int64_t age = get_time(reader);
  *time = age;
  if (age == MDE_NO_TIME) return true;
  if (is_far(age)) return false;
  *time = packed_at - age;
  return true;
}

static void get_seen(struct reader *reader, struct mde_seen *seen)
{
  mde_seen_begin(seen);
  seen->older_until = get_time(reader);
  seen->newest = get_time(reader);
  seen->count = get_byte(reader);
  for (int i = 0; i < seen->count && i < MDE_SEEN_MAX; i++) {
    for (size_t j = 0; j < sizeof seen->actions[i].id.bytes; j++)
      seen->actions[i].id.bytes[j] = (unsigned char)get_byte(reader);
    seen->actions[i].status = (enum mde_status)get_byte(reader);
    seen->actions[i].created = get_time(reader);
  }
}

bool mde_change_unpack(struct mde_change *change, const unsigned char *bytes, size_t size,
                       int64_t now, int64_t away)
{
  if (is_far(now) || is_far(away)) return false;
  memset(change, 0, sizeof *change);
  bool *flags[FLAGS];
  flags_of(change, flags);
  unsigned char *numbers[NUMBERS];
  numbers_of(change, numbers);

  struct reader reader = {bytes, bytes + size, false};
  if (get_byte(&reader) != VERSION) return false;
  for (int i = 0; i < NUMBERS; i++)
    *numbers[i] = (unsigned char)get_byte(&reader);
  unsigned bits = (unsigned)get_byte(&reader) << 8;
  bits |= (unsigned)get_byte(&reader);
  for (int i = 0; i < FLAGS; i++)
    *flags[i] = (bits >> i & 1) != 0;
  change->cancels = get_byte(&reader);
  change->sends = get_byte(&reader);
  bool has_looked_at = get_age(&reader, now - away, &change->looked_at);
  bool has_begun = get_age(&reader, now - away, &change->began);
  change->sent_at = get_time(&reader);
  get_seen(&reader, &change->seen);
  change->seen.has_untimed = (bits >> FLAGS & 1) != 0;
  return has_looked_at && has_begun && change->began != MDE_NO_TIME && !reader.is_short &&
         reader.at == reader.end && bits >> (FLAGS + 1) == 0 && mde_change_is_valid(change);
}
