#include "test_allocator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRESH 0xa5

/* What stands before each block; aligned as malloc aligns. */
union prefix {
  size_t size;
  max_align_t alignment;
};

static void release(struct test_memory *memory, void *block, size_t size)
{
  union prefix *prefix = (union prefix *)block - 1;
  if (prefix->size != size)
    fail_msg("a block of %zu bytes was returned as one of %zu", prefix->size, size);
  if (memory->check_wiped) {
    const unsigned char *bytes = block;
    for (size_t i = 0; i < size; i++)
      if (bytes[i] != 0) fail_msg("byte %zu of a returned block of %zu was not wiped", i, size);
  }
  memory->live_blocks--;
  memory->live_bytes -= size;
  free(prefix);
}

static void *allocate(void *context, void *block, size_t old_size, size_t new_size)
{
  struct test_memory *memory = context;
  if (new_size == 0) {
    if (block != NULL) release(memory, block, old_size);
    return NULL;
  }
  memory->allocations++;
  if (memory->fail_at > 0 && --memory->fail_at == 0) return NULL;
  union prefix *prefix = malloc(sizeof *prefix + new_size);
  if (prefix == NULL) return NULL;
  prefix->size = new_size;
  void *fresh = prefix + 1;
  memset(fresh, FRESH, new_size);
  memory->live_blocks++;
  memory->live_bytes += new_size;
  if (block != NULL) {
    memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    release(memory, block, old_size);
  }
  return fresh;
}

struct mde_allocator test_allocator(struct test_memory *memory)
{
  struct mde_allocator allocator = {.allocate = allocate, .context = memory};
  return allocator;
}

void test_allocator_finish(const struct test_memory *memory)
{
  if (memory->live_blocks != 0)
    fail_msg("%zu blocks of %zu bytes in all were never returned", memory->live_blocks,
             memory->live_bytes);
}
