/*
 * nearest: any bytes as names, one a line, of which the first is asked for. Which of the others are
 * found, and in which order, is told by the whole table of distances, without a limit, and by a
 * sort of all of them.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "nearest.h"
#include "target.h"
#include "utf8.h"

enum { MOST_NAMES = 32, MOST_CHARACTERS = 300 };

struct host {
  uint32_t characters[MOST_CHARACTERS];
  size_t length;
};

/* A host that is too long, or empty, has no character. */
static struct host host_of(struct mde_text name)
{
  struct host host = {.length = 0};
  const char *at = name.bytes;
  const char *end = at;
  while (end < name.bytes + name.length && *end != '.')
    end++;
  if (end - at > MDE_NEAREST_MAX_BYTES) return host;
  while (at < end) {
    uint32_t *next = &host.characters[host.length++];
    if (mde_utf8_next(&at, end, next) != 1) *next = UINT32_MAX - (unsigned char)*at++;
  }
  return host;
}

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

static size_t distance(const struct host *a, const struct host *b)
{
  static size_t table[MOST_CHARACTERS][MOST_CHARACTERS];
  const uint32_t *x = a->characters, *y = b->characters;
  for (size_t i = 0; i <= a->length; i++)
    for (size_t j = 0; j <= b->length; j++) {
      size_t best = i + j;
      if (i > 0) best = least(best, table[i - 1][j] + 1);
      if (j > 0) best = least(best, table[i][j - 1] + 1);
      if (i > 0 && j > 0) best = least(best, table[i - 1][j - 1] + (x[i - 1] != y[j - 1]));
      if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
        best = least(best, table[i - 2][j - 2] + 1);
      table[i][j] = best;
    }
  return table[a->length][b->length];
}

static bool is_of_domain(struct mde_text asked, struct mde_text name)
{
  const char *own = memchr(asked.bytes, '.', asked.length);
  const char *other = memchr(name.bytes, '.', name.length);
  if (own == NULL || own + 1 == asked.bytes + asked.length) return true;
  struct mde_text of_own = {own, (size_t)(asked.bytes + asked.length - own)};
  struct mde_text of_other = {other,
                              other == NULL ? 0 : (size_t)(name.bytes + name.length - other)};
  return mde_text_same(of_own, of_other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text texts[MOST_NAMES];
  struct mde_nearest_name names[MOST_NAMES] = {{.length = 0}};
  size_t count = 0;
  const char *at = length > 0 ? (const char *)bytes : "";
  const char *end = at + length;
  while (count < MOST_NAMES && at <= end) {
    const char *stop = at;
    while (stop < end && *stop != '\n')
      stop++;
    texts[count] = (struct mde_text){at, (size_t)(stop - at)};
    /* When it was seen, made up. */
    names[count] = mde_nearest_read(texts[count], (int64_t)(count * 7 % 5));
    count++;
    at = stop + 1;
  }

  struct mde_nearest_found found[MDE_NEAREST_MAX];
  size_t found_count = mde_nearest_find(names + 1, count - 1, texts[0], found);

  /* Each round takes the best of those that are left. */
  struct host asked = host_of(texts[0]);
  size_t limit = asked.length >= 5 ? 2 : asked.length >= 2 ? 1 : 0;
  bool is_taken[MOST_NAMES] = {false};
  size_t distances[MOST_NAMES];
  for (size_t i = 1; i < count; i++) {
    struct host host = host_of(texts[i]);
    distances[i] = distance(&asked, &host);
    is_taken[i] = asked.length == 0 || host.length == 0 || distances[i] > limit;
  }
  for (size_t round = 0; round < MDE_NEAREST_MAX; round++) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
      if (is_taken[i]) continue;
      bool is_own = is_of_domain(texts[0], texts[i]);
      bool is_better = best == 0 || distances[i] < distances[best];
      if (best != 0 && distances[i] == distances[best]) {
        bool is_best_own = is_of_domain(texts[0], texts[best]);
        is_better = is_own != is_best_own ? is_own : names[i].last_seen > names[best].last_seen;
      }
      if (is_better) best = i;
    }
    require((best != 0) == (round < found_count));
    if (best == 0) break;
    is_taken[best] = true;
    require(found[round].index + 1 == best);
    require((size_t)found[round].distance == distances[best]);
  }
  return 0;
}
