/*
 * cursor_entries: the alerts that a cursor knows (cursor.h), by their ids, and which of them have
 * changed since they were written down.
 */
#ifndef MDE_CURSOR_ENTRIES_H
#define MDE_CURSOR_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocator.h"
#include "text.h"

enum {
  MDE_CURSOR_ID_MAX = 128, /* bytes */
  MDE_CURSOR_MAX = 100000  /* so many alerts are known at most */
};

enum mde_cursor_state {
  MDE_CURSOR_WAITING, /* to be handed over, from `retry_at` on */
  MDE_CURSOR_BEGUN,   /* handed over; how that ended is not known */
  MDE_CURSOR_DONE,
  MDE_CURSOR_ASIDE, /* it has failed too often, or is gone */
  MDE_CURSOR_LEFT   /* it was old */
};

struct mde_cursor_entry {
  enum mde_cursor_state state;
  int tries;  /* how often it was begun, without those that were put off */
  int misses; /* how many complete reads, in which it was due, have not told it */
  int64_t updated, created;
  int64_t retry_at;
  uint64_t status; /* a hash of its text */
  uint32_t read;   /* the last read that told it */
  bool has_changed;
  uint32_t changed; /* the place of the next one that has, + 1; 0: it is the last, or has not */
  unsigned char length;
  char id[MDE_CURSOR_ID_MAX];
};

struct mde_cursor_entries {
  struct mde_allocator allocator;
  struct mde_cursor_entry *list; /* NULL until there is one */
  size_t length, capacity;
  uint32_t *table; /* of places + 1, by the hash of the id; its size is a power of 2 */
  size_t table_size;
  uint32_t first_changed, last_changed; /* places + 1 */
};

/* FNV-1a, going on from a sum; MDE_EMPTY_SUM is that of no bytes. */
#define MDE_EMPTY_SUM UINT64_C(0xcbf29ce484222325)
uint64_t mde_sum(uint64_t sum, const void *bytes, size_t length);

/* Knows none. Allocates nothing; cannot fail. */
void mde_cursor_entries_init(struct mde_cursor_entries *entries, struct mde_allocator allocator);

/* Frees. It knows none and is usable again; a second call is harmless. */
void mde_cursor_entries_clear(struct mde_cursor_entries *entries);

/* NULL: it is not known. Stands until one is added or removed. */
struct mde_cursor_entry *mde_cursor_entries_find(const struct mde_cursor_entries *entries,
                                                 struct mde_text id);

/* A new one, all zeros but its id, which is not known yet and has 1 to MDE_CURSOR_ID_MAX bytes.
   NULL for lack of memory; nothing is changed then. */
struct mde_cursor_entry *mde_cursor_entries_add(struct mde_cursor_entries *entries,
                                                struct mde_text id);

/* Removes those that `leaves` says, and keeps the order of the others. */
void mde_cursor_entries_remove(struct mde_cursor_entries *entries,
                               bool leaves(void *context, const struct mde_cursor_entry *entry),
                               void *context);

/* It has changed; of one that has already, nothing. */
void mde_cursor_entries_change(struct mde_cursor_entries *entries, struct mde_cursor_entry *entry);

/* The one that changed first, which is one that has not changed now; NULL: none has. */
struct mde_cursor_entry *mde_cursor_entries_take_changed(struct mde_cursor_entries *entries);

#endif
