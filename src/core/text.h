/*
 * text: bytes that somebody else owns. `bytes` NULL means absent, which is not the same as empty.
 *
 * What a letter is and what comes first does not depend on the process's locale.
 */
#ifndef MDE_TEXT_H
#define MDE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "ascii.h"

struct mde_text {
  const char *bytes;
  size_t length;
};

static inline bool mde_text_same(struct mde_text a, struct mde_text b)
{
  return a.bytes != NULL && b.bytes != NULL && a.length == b.length &&
         memcmp(a.bytes, b.bytes, a.length) == 0;
}

/*
 * Whether the bytes from `at` begin with `prefix`, which is in lower case, whatever case they have.
 */
static inline bool mde_ascii_starts_with(const char *at, const char *end, const char *prefix)
{
  for (; *prefix != '\0'; at++, prefix++)
    if (at == end || mde_ascii_lower(*at) != *prefix) return false;
  return true;
}

/* Equal when the letters A to Z count as a to z; no other character has a case here. */
static inline bool mde_text_same_caseless(struct mde_text a, struct mde_text b)
{
  if (a.bytes == NULL || b.bytes == NULL || a.length != b.length) return false;
  for (size_t i = 0; i < a.length; i++)
    if (mde_ascii_lower(a.bytes[i]) != mde_ascii_lower(b.bytes[i])) return false;
  return true;
}

/* Whether `a` comes before `b` in the order of their bytes. Both are there. */
static inline bool mde_text_before(struct mde_text a, struct mde_text b)
{
  int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
  return order != 0 ? order < 0 : a.length < b.length;
}

#endif
