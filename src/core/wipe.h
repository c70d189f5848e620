/*
 * wipe: makes bytes zero for good, where the compiler would leave that out since nobody reads them
 * again. In C alone, since each system has another function for it.
 */
#ifndef MDE_WIPE_H
#define MDE_WIPE_H

#include <stddef.h>
#include <string.h>

static inline void mde_wipe(void *bytes, size_t length)
{
  if (length == 0) return;
  memset(bytes, 0, length);
  __asm__ __volatile__("" : : "r"(bytes) : "memory"); /* might read them, as far as is known */
}

#endif
