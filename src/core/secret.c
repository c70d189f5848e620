#include "secret.h"

#include <string.h>

#include "wipe.h"

#define MIN_BLOCK_BYTES 64

void mde_secret_init(struct mde_secret *secret, struct mde_allocator allocator, size_t limit)
{
  secret->allocator = allocator;
  secret->bytes = NULL;
  secret->length = 0;
  secret->capacity = 0;
  secret->limit = limit;
}

/* Room for `capacity` bytes in a new block; the old one is wiped, since realloc would leave it as
 * it was. */
static int grow(struct mde_secret *secret, size_t capacity)
{
  char *bytes = mde_allocate(&secret->allocator, capacity);
  if (bytes == NULL) return MDE_SECRET_NO_MEMORY;
  memset(bytes + secret->length, 0, capacity - secret->length);
  if (secret->bytes != NULL) {
    memcpy(bytes, secret->bytes, secret->length);
    mde_wipe(secret->bytes, secret->capacity);
    mde_release(&secret->allocator, secret->bytes, secret->capacity);
  }
  secret->bytes = bytes;
  secret->capacity = capacity;
  return MDE_SECRET_OK;
}

int mde_secret_append(struct mde_secret *secret, const char *bytes, size_t length)
{
  if (length > secret->limit - secret->length) return MDE_SECRET_TOO_LONG;
  if (length == 0) return MDE_SECRET_OK;
  size_t needed = secret->length + length;
  if (needed > secret->capacity) {
    size_t capacity = secret->capacity < MIN_BLOCK_BYTES ? MIN_BLOCK_BYTES : secret->capacity;
    while (capacity < needed && capacity <= secret->limit / 2)
      capacity *= 2;
    if (capacity < needed) capacity = secret->limit;
    int status = grow(secret, capacity);
    if (status != MDE_SECRET_OK) return status;
  }
  memcpy(secret->bytes + secret->length, bytes, length);
  secret->length = needed;
  return MDE_SECRET_OK;
}

int mde_secret_set(struct mde_secret *secret, const char *bytes, size_t length)
{
  struct mde_secret fresh;
  mde_secret_init(&fresh, secret->allocator, secret->limit);
  int status = mde_secret_append(&fresh, bytes, length);
  if (status != MDE_SECRET_OK) return status;
  mde_secret_clear(secret);
  *secret = fresh;
  return MDE_SECRET_OK;
}

void mde_secret_clear(struct mde_secret *secret)
{
  if (secret->bytes == NULL) return;
  char *bytes = secret->bytes;
  size_t capacity = secret->capacity;
  secret->bytes = NULL;
  secret->length = 0;
  secret->capacity = 0;
  mde_wipe(bytes, capacity);
  mde_release(&secret->allocator, bytes, capacity);
}
