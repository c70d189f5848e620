#include "cursor_record.h"

#include <string.h>

#include "timestamp.h"

/*
 *   "cur" and the version; then records, the first of which is the head:
 *   1 byte: 'h' for the head, 'a' for an alert; 1 byte: how long it is; that much; 8 bytes: the sum
 *
 * What has several bytes begins with the lowest.
 */
static const unsigned char BEGINNING[] = {'c', 'u', 'r', 1};

enum {
  TIME_BYTES = 8,
  SUM_BYTES = 8,
  FRAME_BYTES = 2 + SUM_BYTES,
  HEAD_BYTES = 1 + 6 * TIME_BYTES,
  ALERT_BYTES = 3 + 4 * TIME_BYTES /* without its id */
};

_Static_assert(FRAME_BYTES + ALERT_BYTES + MDE_CURSOR_ID_MAX + (int)sizeof BEGINNING <=
                   MDE_CURSOR_RECORD_MAX,
               "a record has room");

static void put_number(unsigned char **at, uint64_t number)
{
  for (int i = 0; i < TIME_BYTES; i++)
    *(*at)++ = (unsigned char)(number >> 8 * i);
}

static void put_time(unsigned char **at, int64_t time)
{
  put_number(at, (uint64_t)time);
}

static uint64_t get_number(const unsigned char **at)
{
  uint64_t number = 0;
  for (int i = 0; i < TIME_BYTES; i++)
    number |= (uint64_t)(*at)[i] << 8 * i;
  *at += TIME_BYTES;
  return number;
}

static int64_t get_time(const unsigned char **at)
{
  return (int64_t)get_number(at);
}

static void put_head(unsigned char **at, const struct mde_cursor *cursor)
{
  *(*at)++ = (unsigned char)cursor->limits.mode;
  put_time(at, cursor->first);
  put_time(at, cursor->floor);
  put_time(at, cursor->mark);
  put_time(at, cursor->swept);
  put_time(at, cursor->caught_up);
  put_number(at, cursor->done);
}

static void put_alert(unsigned char **at, const struct mde_cursor_entry *entry)
{
  *(*at)++ = (unsigned char)entry->state;
  *(*at)++ = (unsigned char)entry->tries;
  *(*at)++ = (unsigned char)entry->misses;
  put_time(at, entry->updated);
  put_time(at, entry->created);
  put_time(at, entry->retry_at);
  put_number(at, entry->status);
  memcpy(*at, entry->id, entry->length);
  *at += entry->length;
}

size_t mde_cursor_next_record(struct mde_cursor *cursor, unsigned char out[MDE_CURSOR_RECORD_MAX])
{
  struct mde_cursor_entry *entry = NULL;
  if (!cursor->is_from_start) entry = mde_cursor_entries_take_changed(&cursor->entries);
  bool is_head = entry == NULL;
  if (is_head && !cursor->is_from_start && !cursor->head_has_changed) return 0;
  unsigned char *at = out;
  if (cursor->is_from_start) {
    memcpy(at, BEGINNING, sizeof BEGINNING);
    at += sizeof BEGINNING;
    cursor->sum = mde_sum(MDE_EMPTY_SUM, BEGINNING, sizeof BEGINNING);
  }
  unsigned char *record = at;
  at += 2;
  if (is_head) {
    put_head(&at, cursor);
    cursor->is_from_start = cursor->head_has_changed = false;
  } else {
    put_alert(&at, entry);
  }
  record[0] = is_head ? 'h' : 'a';
  record[1] = (unsigned char)(at - record - 2);
  cursor->sum = mde_sum(cursor->sum, record, (size_t)(at - record));
  put_number(&at, cursor->sum);
  return (size_t)(at - out);
}

bool mde_cursor_must_rewrite(const struct mde_cursor *cursor)
{
  return cursor->ids > MDE_CURSOR_MAX;
}

void mde_cursor_rewrite(struct mde_cursor *cursor)
{
  cursor->is_from_start = true;
  cursor->ids = cursor->entries.length;
  for (size_t i = 0; i < cursor->entries.length; i++)
    mde_cursor_entries_change(&cursor->entries, &cursor->entries.list[i]);
}

size_t mde_cursor_size(const struct mde_cursor *cursor)
{
  size_t size = sizeof BEGINNING + FRAME_BYTES + HEAD_BYTES;
  for (size_t i = 0; i < cursor->entries.length; i++)
    size += FRAME_BYTES + ALERT_BYTES + (size_t)cursor->entries.list[i].length;
  return size;
}

/* Ticks beyond which no time is that a cursor keeps. */
static const int64_t FARTHEST = INT64_MAX / 4;

static bool is_time(int64_t time)
{
  return time >= -FARTHEST && time <= FARTHEST;
}

static bool is_time_or_none(int64_t time)
{
  return time == MDE_NO_TIME || is_time(time);
}

static enum mde_cursor_unpacked get_head(struct mde_cursor *cursor, const unsigned char *at,
                                         size_t length)
{
  if (length != HEAD_BYTES || *at > MDE_CURSOR_BY_STATUS) return MDE_CURSOR_UNPACKED_DAMAGED;
  if (*at++ != cursor->limits.mode) return MDE_CURSOR_UNPACKED_MODE;
  cursor->first = get_time(&at);
  cursor->floor = get_time(&at);
  cursor->mark = get_time(&at);
  cursor->swept = get_time(&at);
  cursor->caught_up = get_time(&at);
  cursor->done = get_number(&at);
  bool is_valid = is_time(cursor->first) && is_time(cursor->floor) && is_time(cursor->mark) &&
                  is_time_or_none(cursor->swept) && is_time_or_none(cursor->caught_up) &&
                  cursor->floor >= cursor->first && cursor->mark >= cursor->first;
  return is_valid ? MDE_CURSOR_UNPACKED_OK : MDE_CURSOR_UNPACKED_DAMAGED;
}

static enum mde_cursor_unpacked get_alert(struct mde_cursor *cursor, const unsigned char *at,
                                          size_t length)
{
  if (length <= ALERT_BYTES || length > ALERT_BYTES + MDE_CURSOR_ID_MAX)
    return MDE_CURSOR_UNPACKED_DAMAGED;
  struct mde_text id = {(const char *)at + ALERT_BYTES, length - ALERT_BYTES};
  struct mde_cursor_entry *entry = mde_cursor_entries_find(&cursor->entries, id);
  if (entry == NULL && cursor->entries.length >= MDE_CURSOR_MAX) return MDE_CURSOR_UNPACKED_DAMAGED;
  if (entry == NULL) entry = mde_cursor_entries_add(&cursor->entries, id);
  if (entry == NULL) return MDE_CURSOR_UNPACKED_NO_MEMORY;
  unsigned char state = *at++;
  entry->state = (enum mde_cursor_state)state;
  entry->tries = *at++;
  entry->misses = *at++;
  entry->updated = get_time(&at);
  entry->created = get_time(&at);
  entry->retry_at = get_time(&at);
  entry->status = get_number(&at);
  bool is_valid = state <= MDE_CURSOR_LEFT && entry->tries <= MDE_CURSOR_TRIES_MAX &&
                  entry->misses <= MDE_CURSOR_MISSES && is_time(entry->updated) &&
                  is_time(entry->created) && is_time_or_none(entry->retry_at);
  return is_valid ? MDE_CURSOR_UNPACKED_OK : MDE_CURSOR_UNPACKED_DAMAGED;
}

/* The length of the whole record at a place; 0: there is no such record. */
static size_t record_at(const unsigned char *at, const unsigned char *end, uint64_t *sum)
{
  if (end - at < FRAME_BYTES) return 0;
  size_t length = 2 + (size_t)at[1];
  if ((size_t)(end - at) < length + SUM_BYTES) return 0;
  const unsigned char *behind = at + length;
  uint64_t own = mde_sum(*sum, at, length);
  if (get_number(&behind) != own) return 0;
  *sum = own;
  return length + SUM_BYTES;
}

static enum mde_cursor_unpacked unpack(struct mde_cursor *cursor, const unsigned char *bytes,
                                       size_t length, size_t *used)
{
  if (length < sizeof BEGINNING || memcmp(bytes, BEGINNING, sizeof BEGINNING) != 0)
    return MDE_CURSOR_UNPACKED_OTHER;
  const unsigned char *at = bytes + sizeof BEGINNING, *end = bytes + length;
  uint64_t sum = mde_sum(MDE_EMPTY_SUM, BEGINNING, sizeof BEGINNING);
  bool has_head = false;
  for (size_t size; (size = record_at(at, end, &sum)) > 0; at += size) {
    bool is_head = *at == 'h';
    if ((!is_head && *at != 'a') || (!is_head && !has_head)) return MDE_CURSOR_UNPACKED_DAMAGED;
    has_head = true;
    enum mde_cursor_unpacked result =
        is_head ? get_head(cursor, at + 2, at[1]) : get_alert(cursor, at + 2, at[1]);
    if (result != MDE_CURSOR_UNPACKED_OK) return result;
  }
  if (!has_head || end - at > MDE_CURSOR_TAIL_MAX) return MDE_CURSOR_UNPACKED_DAMAGED;
  *used = (size_t)(at - bytes);
  cursor->sum = sum;
  cursor->ids = cursor->entries.length;
  cursor->is_from_start = cursor->head_has_changed = false;
  return MDE_CURSOR_UNPACKED_OK;
}

enum mde_cursor_unpacked mde_cursor_unpack(struct mde_cursor *cursor, const unsigned char *bytes,
                                           size_t length, size_t *used)
{
  int64_t first = cursor->first;
  mde_cursor_clear(cursor);
  *used = 0;
  enum mde_cursor_unpacked result = unpack(cursor, bytes, length, used);
  if (result == MDE_CURSOR_UNPACKED_OK) return result;
  cursor->first = first;
  mde_cursor_clear(cursor);
  return result;
}
