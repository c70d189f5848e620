/*
 * cursor: what a process left in a file, and then reads, rows and handlers that end in any way. The
 * first byte chooses the mode, the second how much of the rest stands in the file; the sums of that
 * are put right, since no input would find them.
 *
 * A list of its own says what has succeeded: that is never handed over again, and nothing that is
 * neither known nor older than the floor is passed over. Each piece that is written says what all of
 * it says, and cut anywhere it is what it was before, or an error.
 */
#include "cursor_record.h"
#include "target.h"
#include "timestamp.h"

enum { IDS = 64, MOST_BYTES = 1 << 18, BEGINNING = 4, SUM = 8 };

static const struct mde_allocator allocator = {.allocate = reallocate};

struct file {
  unsigned char bytes[MOST_BYTES];
  size_t length;
};

static struct file kept, other_file;

static void write_changes(struct mde_cursor *cursor, struct file *file)
{
  size_t size;
  if (file->length + IDS * 2 * MDE_CURSOR_RECORD_MAX > MOST_BYTES) {
    file->length = 0;
    mde_cursor_rewrite(cursor);
  }
  while ((size = mde_cursor_next_record(cursor, file->bytes + file->length)) > 0) {
    require(size <= MDE_CURSOR_RECORD_MAX);
    file->length += size;
    require(file->length + MDE_CURSOR_RECORD_MAX <= MOST_BYTES);
  }
}

static int64_t time_at(const uint8_t *bytes)
{
  return (int64_t)(number_at(bytes)) * MDE_TICKS_PER_SECOND / 4;
}

/* What was done, by a list of its own: one row for each id, with a creation that does not change. */
struct row {
  char id[4];
  bool has_succeeded;
};

static struct mde_text id_at(struct row rows[IDS], uint8_t byte)
{
  return (struct mde_text){rows[byte % IDS].id, byte % IDS % 3u + 1};
}

static void tell(struct mde_cursor *cursor, struct row rows[IDS], const uint8_t *bytes)
{
  struct mde_text id = id_at(rows, bytes[0]);
  struct row *row = &rows[bytes[0] % IDS];
  const struct mde_cursor_entry *entry = mde_cursor_find(cursor, id);
  bool was_known = entry != NULL;
  enum mde_cursor_state state = was_known ? entry->state : MDE_CURSOR_WAITING;
  char status = (char)(bytes[1] & 3);
  int64_t created = (int64_t)(bytes[0] % IDS) * 64 * MDE_TICKS_PER_SECOND;
  struct mde_cursor_row told = {.id = id,
                                .status = {&status, 1},
                                .updated =
                                    bytes[1] & 128 ? MDE_NO_TIME : created + time_at(bytes + 2),
                                .created = created};
  enum mde_cursor_answer answer = mde_cursor_tell(cursor, &told, cursor->read_at);
  entry = mde_cursor_find(cursor, id);
  require(entry != NULL && answer < MDE_CURSOR_NO_ID);
  bool is_open = entry->state == MDE_CURSOR_WAITING || entry->state == MDE_CURSOR_BEGUN;
  require((answer == MDE_CURSOR_HAND_OVER || answer == MDE_CURSOR_LATER) == is_open);
  require(!was_known || answer != MDE_CURSOR_OLD);
  require((answer == MDE_CURSOR_INTERRUPTED) ==
          (was_known && state == MDE_CURSOR_BEGUN && entry->state == MDE_CURSOR_ASIDE));
  if (cursor->limits.mode == MDE_CURSOR_BY_STATUS) return;
  if (!was_known)
    require(answer == (created < cursor->floor ? MDE_CURSOR_OLD : MDE_CURSOR_HAND_OVER));
  if (row->has_succeeded) require(!is_open);
}

static void end(struct mde_cursor *cursor, struct row rows[IDS], const uint8_t *bytes)
{
  struct mde_text id = id_at(rows, bytes[0]);
  int attempt = mde_cursor_begin(cursor, id);
  enum mde_cursor_end how = bytes[1] % 3;
  if (bytes[1] & 64) write_changes(cursor, &kept);
  if (bytes[1] & 128) return;
  bool has_ended = mde_cursor_finish(cursor, id, how, cursor->read_at, time_at(bytes + 2));
  require(has_ended == (attempt > 0));
  if (has_ended && how == MDE_CURSOR_SUCCEEDED) rows[bytes[0] % IDS].has_succeeded = true;
}

/* The process dies: another one reads what was written, the last of it perhaps cut. */
static void restart(struct mde_cursor *cursor, struct row rows[IDS], size_t cut)
{
  size_t used;
  write_changes(cursor, &kept);
  other_file.length = kept.length - (cut < kept.length - BEGINNING ? cut : 0);
  memcpy(other_file.bytes, kept.bytes, other_file.length);
  struct mde_cursor other;
  mde_cursor_init(&other, allocator, &cursor->limits, 0);
  enum mde_cursor_unpacked result =
      mde_cursor_unpack(&other, other_file.bytes, other_file.length, &used);
  require(used <= other_file.length);
  if (result != MDE_CURSOR_UNPACKED_OK) {
    require(cut > 0 && other.entries.length == 0 && used == 0);
    mde_cursor_clear(&other);
    return;
  }
  require(cut > 0 || used == other_file.length);
  if (cut > 0) {
    /* What was not safe is not known to have ended. */
    for (size_t i = 0; i < IDS; i++) {
      const struct mde_cursor_entry *entry = mde_cursor_find(&other, id_at(rows, (uint8_t)i));
      if (entry == NULL || entry->state != MDE_CURSOR_DONE)
        rows[i].has_succeeded = rows[i].has_succeeded && entry == NULL &&
                                mde_cursor_find(cursor, id_at(rows, (uint8_t)i)) == NULL &&
                                other.floor == cursor->floor;
    }
    mde_cursor_rewrite(&other);
    kept.length = 0;
    write_changes(&other, &kept);
  }
  mde_cursor_clear(cursor);
  *cursor = other;
}

static void check(const struct mde_cursor *cursor)
{
  require(cursor->floor >= cursor->first && cursor->mark >= cursor->first);
  require(cursor->entries.length <= cursor->entries.capacity);
  require(mde_cursor_wait(cursor, cursor->read_at) >= 0);
  require(mde_cursor_behind(cursor, cursor->read_at) >= 0);
  size_t count = 0;
  for (int state = 0; state <= MDE_CURSOR_LEFT; state++)
    count += mde_cursor_count(cursor, (enum mde_cursor_state)state);
  require(count == cursor->entries.length);
}

static void use(struct mde_cursor *cursor, struct row rows[IDS], const uint8_t *bytes,
                size_t length)
{
  for (size_t at = 0; at + 5 <= length; at += 5) {
    const uint8_t *step = bytes + at + 1;
    switch (bytes[at] % 8) {
    case 0: {
      int64_t since = mde_cursor_read(cursor, time_at(step) * 4);
      require(since <= cursor->mark || cursor->mark < cursor->first);
      break;
    }
    case 1:
    case 2:
    case 3:
      tell(cursor, rows, step);
      break;
    case 4:
    case 5:
      end(cursor, rows, step);
      break;
    case 6:
      mde_cursor_end_read(cursor);
      if (step[0] & 1) mde_cursor_again(cursor, id_at(rows, step[1]));
      break;
    default:
      restart(cursor, rows, step[0] & 1 ? 0 : step[1]);
      break;
    }
    check(cursor);
  }
}

static void mend_sums(uint8_t *bytes, size_t length)
{
  uint64_t sum = mde_sum(MDE_EMPTY_SUM, bytes, length < BEGINNING ? length : BEGINNING);
  size_t at = BEGINNING;
  while (length >= at + 2 + SUM) {
    size_t size = 2 + (size_t)bytes[at + 1];
    if (length - at < size + SUM) return;
    sum = mde_sum(sum, bytes + at, size);
    for (size_t i = 0; i < SUM; i++)
      bytes[at + size + i] = (uint8_t)(sum >> 8 * i);
    at += size + SUM;
  }
}

/* What another left: as much of it as is whole, or nothing at all. */
static void read_stored(struct mde_cursor *cursor, const uint8_t *bytes, size_t length)
{
  size_t used;
  uint8_t *stored = malloc(length > 0 ? length : 1);
  require(stored != NULL);
  memcpy(stored, bytes, length);
  mend_sums(stored, length);
  enum mde_cursor_unpacked result = mde_cursor_unpack(cursor, stored, length, &used);
  require(result != MDE_CURSOR_UNPACKED_NO_MEMORY && used <= length);
  if (result != MDE_CURSOR_UNPACKED_OK) require(cursor->entries.length == 0 && used == 0);
  free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  if (length < 2) return 0;
  struct mde_cursor_limits limits = {.mode = bytes[0] & 1,
                                     .overlap = 10 * MDE_TICKS_PER_SECOND,
                                     .span = 100 * MDE_TICKS_PER_SECOND,
                                     .sweep_every = 50 * MDE_TICKS_PER_SECOND,
                                     .delay = 60 * MDE_TICKS_PER_SECOND,
                                     .tries = 1 + (bytes[0] >> 1 & 3)};
  struct mde_cursor cursor;
  static struct row rows[IDS];
  memset(rows, 0, sizeof rows);
  for (size_t i = 0; i < IDS; i++)
    memset(rows[i].id, (int)('A' + i), sizeof rows[i].id);
  mde_cursor_init(&cursor, allocator, &limits, 0);
  size_t stored = bytes[1] < length - 2 ? bytes[1] : length - 2;
  read_stored(&cursor, bytes + 2, stored);
  mde_cursor_clear(&cursor);
  mde_cursor_init(&cursor, allocator, &limits, 0);
  kept.length = 0;
  write_changes(&cursor, &kept);
  use(&cursor, rows, bytes + 2 + stored, length - 2 - stored);
  mde_cursor_clear(&cursor);
  return 0;
}
