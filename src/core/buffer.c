#include "buffer.h"

#include <string.h>

#include "wipe.h"

#define MIN_BLOCK_BYTES 64

void mde_buffer_init(struct mde_buffer *buffer, struct mde_allocator allocator, size_t limit)
{
  buffer->allocator = allocator;
  buffer->bytes = NULL;
  buffer->length = 0;
  buffer->capacity = 0;
  buffer->limit = limit;
}

/* Room for `capacity` bytes in a new block; the old one is wiped, since realloc would leave it as
 * it was. */
static int grow(struct mde_buffer *buffer, size_t capacity)
{
  char *bytes = mde_allocate(&buffer->allocator, capacity);
  if (bytes == NULL) return MDE_BUFFER_NO_MEMORY;
  memset(bytes + buffer->length, 0, capacity - buffer->length);
  if (buffer->bytes != NULL) {
    memcpy(bytes, buffer->bytes, buffer->length);
    mde_wipe(buffer->bytes, buffer->capacity);
    mde_release(&buffer->allocator, buffer->bytes, buffer->capacity);
  }
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return MDE_BUFFER_OK;
}

int mde_buffer_append(struct mde_buffer *buffer, const char *bytes, size_t length)
{
  if (length > buffer->limit - buffer->length) return MDE_BUFFER_TOO_LONG;
  if (length == 0) return MDE_BUFFER_OK;
  size_t needed = buffer->length + length;
  if (needed > buffer->capacity) {
    size_t capacity = buffer->capacity < MIN_BLOCK_BYTES ? MIN_BLOCK_BYTES : buffer->capacity;
    while (capacity < needed && capacity <= buffer->limit / 2)
      capacity *= 2;
    if (capacity < needed) capacity = buffer->limit;
    int status = grow(buffer, capacity);
    if (status != MDE_BUFFER_OK) return status;
  }
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length = needed;
  return MDE_BUFFER_OK;
}

int mde_buffer_set(struct mde_buffer *buffer, const char *bytes, size_t length)
{
  struct mde_buffer fresh;
  mde_buffer_init(&fresh, buffer->allocator, buffer->limit);
  int status = mde_buffer_append(&fresh, bytes, length);
  if (status != MDE_BUFFER_OK) return status;
  mde_buffer_clear(buffer);
  *buffer = fresh;
  return MDE_BUFFER_OK;
}

void mde_buffer_clear(struct mde_buffer *buffer)
{
  if (buffer->bytes == NULL) return;
  char *bytes = buffer->bytes;
  size_t capacity = buffer->capacity;
  buffer->bytes = NULL;
  buffer->length = 0;
  buffer->capacity = 0;
  mde_wipe(bytes, capacity);
  mde_release(&buffer->allocator, bytes, capacity);
}
