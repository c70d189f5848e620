/*
 * test_allocator: an allocator that counts, fails on request, and looks at what it gets back.
 *
 * Every block is preceded by its size, so a release with another size than the block was made with
 * fails the test. Fresh memory is filled with 0xa5, so that nothing rests on it being zero.
 */
#ifndef MDE_TEST_ALLOCATOR_H
#define MDE_TEST_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "allocator.h"

struct test_memory {
  size_t live_blocks; /* blocks not yet returned */
  size_t live_bytes;  /* and their bytes */
  size_t allocations; /* all that were asked for, failed ones included */
  size_t fail_at;     /* the n-th allocation from now returns NULL, then it is 0 again; 0: never */
  bool check_wiped; /* a block that is returned or moved with a byte other than zero fails the test
                     */
};

/* An allocator over `memory`, which starts as all zeros and must live longer than what it
 * allocates. */
struct mde_allocator test_allocator(struct test_memory *memory);

/* Fails the test if a block is still live. */
void test_allocator_finish(const struct test_memory *memory);

#endif
