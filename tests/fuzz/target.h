/*
 * target: what the fuzz targets share: the function that libFuzzer and replay.c call, what fails, the
 * memory, and the numbers in an input.
 */
#ifndef MDE_FUZZ_TARGET_H
#define MDE_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static inline void require(bool holds)
{
  if (!holds) abort();
}

/* The function of a struct mde_allocator. */
static inline void *reallocate(void *context, void *block, size_t old_size, size_t new_size)
{
  (void)context;
  (void)old_size;
  if (new_size > 0) return realloc(block, new_size);
  free(block);
  return NULL;
}

/* The number in the two bytes at `bytes`, 0 to 65535. */
static inline double number_at(const uint8_t *bytes)
{
  uint16_t number;
  memcpy(&number, bytes, sizeof number);
  return number;
}

#endif
