/*
 * allocator: where the core gets its memory from.
 *
 * Every object of the core is given an allocator at birth and keeps a copy of it. The core never
 * calls malloc, so a test can fail the n-th allocation and look at each block that is returned.
 */
#ifndef MDE_ALLOCATOR_H
#define MDE_ALLOCATOR_H

#include <stddef.h>

struct mde_allocator {
  /*
   * The contract of lua_Alloc: new_size 0 frees `block` (old_size bytes, exact) and returns NULL;
   * otherwise allocates (block NULL, old_size 0) or resizes, and returns NULL, leaving `block` as
   * it was, when there is no memory.
   */
  void *(*allocate)(void *context, void *block, size_t old_size, size_t new_size);
  void *context;
};

static inline void *mde_allocate(const struct mde_allocator *allocator, size_t size)
{
  return allocator->allocate(allocator->context, NULL, 0, size);
}

static inline void mde_release(const struct mde_allocator *allocator, void *block, size_t size)
{
  if (block != NULL) allocator->allocate(allocator->context, block, size, 0);
}

#endif
