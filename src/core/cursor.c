#include "cursor.h"

#include <string.h>

#include "timestamp.h"

static const int64_t MINUTE = 60 * MDE_TICKS_PER_SECOND;
static const int64_t HOUR = 3600 * MDE_TICKS_PER_SECOND;
static const int64_t DAY = 24 * 3600 * MDE_TICKS_PER_SECOND;

/* Ticks beyond which no time is that it is told, so that spans can be taken from it. */
static const int64_t FARTHEST = INT64_MAX / 8;

struct mde_cursor_limits mde_cursor_limits_default(void)
{
  return (struct mde_cursor_limits){.mode = MDE_CURSOR_ONCE,
                                    .overlap = 15 * MINUTE,
                                    .span = DAY,
                                    .sweep_every = HOUR,
                                    .delay = MINUTE,
                                    .tries = 3};
}

bool mde_cursor_limits_are_valid(const struct mde_cursor_limits *limits)
{
  return limits->overlap >= 0 && limits->span >= limits->overlap && limits->span <= 366 * DAY &&
         limits->sweep_every > 0 && limits->delay > 0 && limits->tries >= 1 &&
         limits->tries <= MDE_CURSOR_TRIES_MAX;
}

static int64_t earlier(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* A time that spans can be taken from. */
static int64_t bounded(int64_t time)
{
  return earlier(later(time, -FARTHEST), FARTHEST);
}

/* ---- the entries */

static bool is_open(const struct mde_cursor_entry *entry)
{
  return entry->state == MDE_CURSOR_WAITING || entry->state == MDE_CURSOR_BEGUN;
}

/* By which it is judged whether it is old. */
static int64_t age_of(const struct mde_cursor *cursor, int64_t updated, int64_t created)
{
  return cursor->limits.mode == MDE_CURSOR_BY_STATUS ? updated : created;
}

struct horizon {
  struct mde_cursor *cursor;
  int64_t done, aside; /* what is older is forgotten */
};

static bool is_past(void *context, const struct mde_cursor_entry *entry)
{
  const struct horizon *horizon = context;
  struct mde_cursor *cursor = horizon->cursor;
  bool is_aside = entry->state == MDE_CURSOR_ASIDE;
  int64_t time = is_aside ? horizon->aside : horizon->done;
  if (is_open(entry) || later(entry->updated, entry->created) >= time) return false;
  /* What is written would say something else of it. */
  if (entry->has_changed) return false;
  /* It must not look new after that; nor must what came later look old. */
  int64_t age = age_of(cursor, entry->updated, entry->created);
  if (age < cursor->floor) return true;
  cursor->floor = age + 1;
  cursor->head_has_changed = true;
  return true;
}

/* Forgets what has ended and is older than `time`. */
static void forget(struct mde_cursor *cursor, int64_t time)
{
  int64_t aside = cursor->mark - MDE_CURSOR_ASIDE_DAYS * DAY;
  struct horizon horizon = {cursor, time, earlier(time, aside)};
  mde_cursor_entries_remove(&cursor->entries, is_past, &horizon);
}

/* ---- the cursor */

void mde_cursor_init(struct mde_cursor *cursor, struct mde_allocator allocator,
                     const struct mde_cursor_limits *limits, int64_t first)
{
  first = bounded(first);
  *cursor = (struct mde_cursor){.limits = *limits,
                                .first = first,
                                .floor = first,
                                .mark = first,
                                .swept = MDE_NO_TIME,
                                .caught_up = MDE_NO_TIME,
                                .is_from_start = true,
                                .head_has_changed = true,
                                .sum = MDE_EMPTY_SUM};
  mde_cursor_entries_init(&cursor->entries, allocator);
}

void mde_cursor_clear(struct mde_cursor *cursor)
{
  mde_cursor_entries_clear(&cursor->entries);
  mde_cursor_init(cursor, cursor->entries.allocator, &cursor->limits, cursor->first);
}

const struct mde_cursor_entry *mde_cursor_find(const struct mde_cursor *cursor, struct mde_text id)
{
  return mde_cursor_entries_find(&cursor->entries, id);
}

/* ---- a read */

static bool has_come(int64_t time, int64_t now, int64_t longest)
{
  /* Further away than it was ever put: the clock was set back. */
  return time == MDE_NO_TIME || time <= now || time - now > longest;
}

static bool is_due(const struct mde_cursor_entry *entry, int64_t now)
{
  if (entry->state == MDE_CURSOR_BEGUN) return true;
  return entry->state == MDE_CURSOR_WAITING && has_come(entry->retry_at, now, HOUR);
}

/* When the next sweep is due. */
static int64_t next_sweep(const struct mde_cursor *cursor)
{
  return cursor->swept == MDE_NO_TIME ? MDE_NO_TIME : cursor->swept + cursor->limits.sweep_every;
}

int64_t mde_cursor_read(struct mde_cursor *cursor, int64_t now)
{
  now = bounded(now);
  cursor->is_reading = true;
  cursor->is_sweeping = has_come(next_sweep(cursor), now, cursor->limits.sweep_every);
  cursor->read_at = now;
  cursor->read_newest = MDE_NO_TIME;
  cursor->is_whole = true;
  cursor->read_held = FARTHEST;
  cursor->read++;
  int64_t before = cursor->is_sweeping ? cursor->limits.span : cursor->limits.overlap;
  int64_t since = later(cursor->mark - before, cursor->first);
  for (size_t i = 0; i < cursor->entries.length; i++)
    if (is_due(&cursor->entries.list[i], now))
      since = earlier(since, cursor->entries.list[i].updated);
  return since;
}

static uint64_t hash_of(struct mde_text text)
{
  return text.bytes == NULL ? 0 : mde_sum(MDE_EMPTY_SUM, text.bytes, text.length);
}

static enum mde_cursor_answer tell_known(struct mde_cursor *cursor, struct mde_cursor_entry *entry,
                                         int64_t updated, uint64_t status, int64_t now)
{
  bool is_stale = updated < entry->updated;
  entry->read = cursor->read;
  if (updated > entry->updated || entry->misses > 0) {
    entry->updated = later(updated, entry->updated);
    entry->misses = 0;
    mde_cursor_entries_change(&cursor->entries, entry);
  }
  if (is_open(entry)) {
    if (!is_stale) entry->status = status;
    if (!is_due(entry, now)) return MDE_CURSOR_LATER;
    if (entry->tries < cursor->limits.tries) return MDE_CURSOR_HAND_OVER;
    entry->state = MDE_CURSOR_ASIDE;
    mde_cursor_entries_change(&cursor->entries, entry);
    return MDE_CURSOR_INTERRUPTED;
  }
  if (cursor->limits.mode != MDE_CURSOR_BY_STATUS || is_stale || status == entry->status)
    return MDE_CURSOR_KNOWN;
  entry->state = MDE_CURSOR_WAITING;
  entry->status = status;
  entry->tries = 0;
  entry->retry_at = MDE_NO_TIME;
  mde_cursor_entries_change(&cursor->entries, entry);
  return MDE_CURSOR_HAND_OVER;
}

/* A row that may be any alert. */
static void hold(struct mde_cursor *cursor, int64_t updated)
{
  int64_t time = updated == MDE_NO_TIME ? cursor->mark : bounded(updated);
  cursor->is_whole = false;
  cursor->read_held = earlier(cursor->read_held, time);
}

enum mde_cursor_answer mde_cursor_tell(struct mde_cursor *cursor, const struct mde_cursor_row *row,
                                       int64_t now)
{
  int64_t updated = row->updated == MDE_NO_TIME ? row->created : row->updated;
  int64_t created = row->created == MDE_NO_TIME ? row->updated : row->created;
  if (row->id.bytes == NULL || row->id.length == 0 || row->id.length > MDE_CURSOR_ID_MAX) {
    hold(cursor, updated);
    return MDE_CURSOR_NO_ID;
  }
  struct mde_cursor_entry *entry = mde_cursor_entries_find(&cursor->entries, row->id);
  if (updated == MDE_NO_TIME) {
    if (entry == NULL) return MDE_CURSOR_NO_TIME;
    updated = entry->updated;
    created = entry->created;
  }
  updated = bounded(updated);
  created = bounded(created);
  now = bounded(now);
  if (updated <= cursor->read_at) cursor->read_newest = later(cursor->read_newest, updated);

  uint64_t status = hash_of(row->status);
  if (entry != NULL) return tell_known(cursor, entry, updated, status, now);
  /* What a sweep would know is given up before the row is. */
  if (cursor->entries.length >= MDE_CURSOR_MAX)
    forget(cursor, cursor->mark - cursor->limits.overlap);
  if (cursor->entries.length >= MDE_CURSOR_MAX) return MDE_CURSOR_FULL;
  entry = mde_cursor_entries_add(&cursor->entries, row->id);
  if (entry == NULL) return MDE_CURSOR_NO_MEMORY;
  cursor->ids++;
  bool is_old = age_of(cursor, updated, created) < cursor->floor;
  entry->state = is_old ? MDE_CURSOR_LEFT : MDE_CURSOR_WAITING;
  entry->updated = updated;
  entry->created = created;
  entry->status = status;
  entry->retry_at = MDE_NO_TIME;
  entry->read = cursor->read;
  mde_cursor_entries_change(&cursor->entries, entry);
  return is_old ? MDE_CURSOR_OLD : MDE_CURSOR_HAND_OVER;
}

/* What was due when the read began and was not told is missed. */
static size_t set_gone_aside(struct mde_cursor *cursor)
{
  size_t gone = 0;
  for (size_t i = 0; i < cursor->entries.length; i++) {
    struct mde_cursor_entry *entry = &cursor->entries.list[i];
    if (entry->read == cursor->read || !is_due(entry, cursor->read_at)) continue;
    mde_cursor_entries_change(&cursor->entries, entry);
    if (++entry->misses < MDE_CURSOR_MISSES) continue;
    entry->state = MDE_CURSOR_ASIDE;
    gone++;
  }
  return gone;
}

size_t mde_cursor_end_read(struct mde_cursor *cursor)
{
  if (!cursor->is_reading) return 0;
  size_t gone = cursor->is_whole ? set_gone_aside(cursor) : 0;
  cursor->is_reading = false;
  if (cursor->read_newest > cursor->mark) {
    int64_t held = later(cursor->read_held, cursor->read_newest - cursor->limits.span);
    cursor->mark = later(cursor->mark, earlier(cursor->read_newest, held));
  }
  if (cursor->is_whole) cursor->caught_up = cursor->read_at;
  if (cursor->is_sweeping) cursor->swept = cursor->read_at;
  cursor->head_has_changed = true;
  forget(cursor, cursor->mark - cursor->limits.span);
  return gone;
}

/* ---- an alert */

int mde_cursor_begin(struct mde_cursor *cursor, struct mde_text id)
{
  struct mde_cursor_entry *entry = mde_cursor_entries_find(&cursor->entries, id);
  if (entry == NULL || !is_open(entry)) return 0;
  entry->state = MDE_CURSOR_BEGUN;
  entry->misses = 0;
  if (entry->tries < MDE_CURSOR_TRIES_MAX) entry->tries++;
  mde_cursor_entries_change(&cursor->entries, entry);
  return entry->tries;
}

/* After so many tries. */
static int64_t delay_of(const struct mde_cursor *cursor, int tries)
{
  int64_t delay = cursor->limits.delay;
  for (int i = 1; i < tries && delay < HOUR; i++)
    delay *= 4;
  return earlier(delay, HOUR);
}

bool mde_cursor_finish(struct mde_cursor *cursor, struct mde_text id, enum mde_cursor_end end,
                       int64_t now, int64_t not_before)
{
  struct mde_cursor_entry *entry = mde_cursor_entries_find(&cursor->entries, id);
  if (entry == NULL || entry->state != MDE_CURSOR_BEGUN) return false;
  now = bounded(now);
  mde_cursor_entries_change(&cursor->entries, entry);
  if (end == MDE_CURSOR_SUCCEEDED) {
    entry->state = MDE_CURSOR_DONE;
    cursor->done++;
    cursor->head_has_changed = true;
    return true;
  }
  int64_t delay = delay_of(cursor, entry->tries);
  if (end == MDE_CURSOR_PUT_OFF) entry->tries--;
  bool is_last = entry->tries >= cursor->limits.tries;
  entry->state = is_last ? MDE_CURSOR_ASIDE : MDE_CURSOR_WAITING;
  entry->retry_at = earlier(later(now + delay, not_before), now + HOUR);
  return true;
}

bool mde_cursor_again(struct mde_cursor *cursor, struct mde_text id)
{
  struct mde_cursor_entry *entry = mde_cursor_entries_find(&cursor->entries, id);
  if (entry == NULL || entry->state != MDE_CURSOR_ASIDE) return false;
  entry->state = MDE_CURSOR_WAITING;
  entry->tries = entry->misses = 0;
  entry->retry_at = MDE_NO_TIME;
  mde_cursor_entries_change(&cursor->entries, entry);
  return true;
}

size_t mde_cursor_count(const struct mde_cursor *cursor, enum mde_cursor_state state)
{
  size_t count = 0;
  for (size_t i = 0; i < cursor->entries.length; i++)
    if (cursor->entries.list[i].state == state) count++;
  return count;
}

int64_t mde_cursor_wait(const struct mde_cursor *cursor, int64_t now)
{
  now = bounded(now);
  int64_t sweep = next_sweep(cursor);
  if (has_come(sweep, now, cursor->limits.sweep_every)) return 0;
  int64_t wait = sweep - now;
  for (size_t i = 0; i < cursor->entries.length; i++) {
    const struct mde_cursor_entry *entry = &cursor->entries.list[i];
    if (!is_open(entry)) continue;
    if (is_due(entry, now)) return 0;
    wait = earlier(wait, entry->retry_at - now);
  }
  return wait;
}

int64_t mde_cursor_behind(const struct mde_cursor *cursor, int64_t now)
{
  int64_t since = cursor->caught_up == MDE_NO_TIME ? cursor->mark : cursor->caught_up;
  return later(bounded(now) - since, 0);
}
