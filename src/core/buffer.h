/*
 * buffer: bytes that are wiped before their memory is given back, whatever way they leave.
 *
 * The one growing buffer of the core. It is born with the size it may never pass, so no reply can
 * make it eat the machine. Growing copies into a new block and wipes the old one.
 */
#ifndef MDE_BUFFER_H
#define MDE_BUFFER_H

#include <stddef.h>

#include "allocator.h"

struct mde_buffer {
  struct mde_allocator allocator;
  char *bytes;     /* NULL while empty; never NUL-terminated */
  size_t length;   /* bytes in use */
  size_t capacity; /* bytes owned */
  size_t limit;    /* bytes it may never pass */
};

enum {
  MDE_BUFFER_OK = 0,
  MDE_BUFFER_NO_MEMORY = -1, /* the allocator returned NULL; the contents are unchanged */
  MDE_BUFFER_TOO_LONG = -2   /* the limit would be passed; the contents are unchanged */
};

/* An empty buffer that may hold up to `limit` bytes. Allocates nothing; cannot fail. */
void mde_buffer_init(struct mde_buffer *buffer, struct mde_allocator allocator, size_t limit);

/* Appends `length` bytes. MDE_BUFFER_OK, _NO_MEMORY or _TOO_LONG. */
int mde_buffer_append(struct mde_buffer *buffer, const char *bytes, size_t length);

/*
 * Replaces the contents. MDE_BUFFER_OK, _NO_MEMORY or _TOO_LONG; on failure the old contents stay.
 */
int mde_buffer_set(struct mde_buffer *buffer, const char *bytes, size_t length);

/* Wipes and frees. The buffer is empty and usable again; a second call is harmless. */
void mde_buffer_clear(struct mde_buffer *buffer);

#endif
