#include "cursor_entries.h"

#include <string.h>

uint64_t mde_sum(uint64_t sum, const void *bytes, size_t length)
{
  const unsigned char *at = bytes;
  for (size_t i = 0; i < length; i++)
    sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
  return sum;
}

void mde_cursor_entries_init(struct mde_cursor_entries *entries, struct mde_allocator allocator)
{
  *entries = (struct mde_cursor_entries){.allocator = allocator};
}

void mde_cursor_entries_clear(struct mde_cursor_entries *entries)
{
  mde_release(&entries->allocator, entries->list, entries->capacity * sizeof *entries->list);
  mde_release(&entries->allocator, entries->table, entries->table_size * sizeof *entries->table);
  mde_cursor_entries_init(entries, entries->allocator);
}

/* ---- by their ids */

static struct mde_text id_of(const struct mde_cursor_entry *entry)
{
  return (struct mde_text){entry->id, entry->length};
}

/* Where the table has the place of an id, or has room for it. There is room. */
static size_t slot_of(const struct mde_cursor_entries *entries, struct mde_text id)
{
  size_t mask = entries->table_size - 1;
  size_t slot = (size_t)mde_sum(MDE_EMPTY_SUM, id.bytes, id.length) & mask;
  while (entries->table[slot] != 0 &&
         !mde_text_same(id_of(&entries->list[entries->table[slot] - 1]), id))
    slot = (slot + 1) & mask;
  return slot;
}

static void index_all(struct mde_cursor_entries *entries)
{
  memset(entries->table, 0, entries->table_size * sizeof *entries->table);
  for (size_t i = 0; i < entries->length; i++)
    entries->table[slot_of(entries, id_of(&entries->list[i]))] = (uint32_t)i + 1;
}

struct mde_cursor_entry *mde_cursor_entries_find(const struct mde_cursor_entries *entries,
                                                 struct mde_text id)
{
  if (entries->table_size == 0 || id.bytes == NULL) return NULL;
  uint32_t place = entries->table[slot_of(entries, id)];
  return place == 0 ? NULL : &entries->list[place - 1];
}

/* Room for one more, in a table that is at most half full. */
static bool reserve(struct mde_cursor_entries *entries)
{
  if (entries->length < entries->capacity) return true;
  size_t capacity = entries->capacity == 0 ? 64 : 2 * entries->capacity;
  uint32_t *table = mde_allocate(&entries->allocator, 2 * capacity * sizeof *table);
  if (table == NULL) return false;
  struct mde_cursor_entry *list =
      entries->allocator.allocate(entries->allocator.context, entries->list,
                                  entries->capacity * sizeof *list, capacity * sizeof *list);
  if (list == NULL) {
    mde_release(&entries->allocator, table, 2 * capacity * sizeof *table);
    return false;
  }
  mde_release(&entries->allocator, entries->table, entries->table_size * sizeof *table);
  entries->list = list;
  entries->capacity = capacity;
  entries->table = table;
  entries->table_size = 2 * capacity;
  index_all(entries);
  return true;
}

struct mde_cursor_entry *mde_cursor_entries_add(struct mde_cursor_entries *entries,
                                                struct mde_text id)
{
  if (!reserve(entries)) return NULL;
  size_t slot = slot_of(entries, id);
  struct mde_cursor_entry *entry = &entries->list[entries->length++];
  memset(entry, 0, sizeof *entry);
  entry->length = (unsigned char)id.length;
  memcpy(entry->id, id.bytes, id.length);
  entries->table[slot] = (uint32_t)entries->length;
  return entry;
}

void mde_cursor_entries_remove(struct mde_cursor_entries *entries,
                               bool leaves(void *context, const struct mde_cursor_entry *entry),
                               void *context)
{
  size_t kept = 0, length = entries->length;
  entries->first_changed = entries->last_changed = 0;
  for (size_t i = 0; i < length; i++) {
    if (leaves(context, &entries->list[i])) continue;
    struct mde_cursor_entry *entry = &entries->list[kept];
    if (kept < i) *entry = entries->list[i];
    kept++;
    /* The places are others now. */
    bool has_changed = entry->has_changed;
    entry->has_changed = false;
    if (has_changed) mde_cursor_entries_change(entries, entry);
  }
  entries->length = kept;
  if (kept < length) index_all(entries);
}

/* ---- what has changed */

void mde_cursor_entries_change(struct mde_cursor_entries *entries, struct mde_cursor_entry *entry)
{
  if (entry->has_changed) return;
  uint32_t place = (uint32_t)(entry - entries->list) + 1;
  entry->has_changed = true;
  entry->changed = 0;
  if (entries->last_changed == 0)
    entries->first_changed = place;
  else
    entries->list[entries->last_changed - 1].changed = place;
  entries->last_changed = place;
}

struct mde_cursor_entry *mde_cursor_entries_take_changed(struct mde_cursor_entries *entries)
{
  if (entries->first_changed == 0) return NULL;
  struct mde_cursor_entry *entry = &entries->list[entries->first_changed - 1];
  entries->first_changed = entry->changed;
  if (entry->changed == 0) entries->last_changed = 0;
  entry->changed = 0;
  entry->has_changed = false;
  return entry;
}
