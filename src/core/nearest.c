#include "nearest.h"

#include "utf8.h"

enum { FARTHEST = 2, BAND = 2 * FARTHEST + 1, LONG_CHARACTERS = 5 };

/* No code point: a byte that is not UTF-8 stands above all of them. */
#define RAW_BYTES UINT32_C(0x110000)

/* The characters of a host, at most MDE_NEAREST_MAX_BYTES of them. Returns how many there are. */
static size_t read_characters(struct mde_text host, uint32_t out[MDE_NEAREST_MAX_BYTES])
{
  const char *at = host.bytes;
  const char *end = host.bytes + host.length;
  size_t length = 0;
  for (; at < end; length++)
    if (mde_utf8_next(&at, end, &out[length]) != 1) out[length] = RAW_BYTES + (unsigned char)*at++;
  return length;
}

/* Letters, digits and the hyphen have a place of their own in the set. */
static uint64_t set_of(const uint32_t *characters, size_t length)
{
  uint64_t set = 0;
  for (size_t i = 0; i < length; i++)
    set |= UINT64_C(1) << ((characters[i] & 31) + (characters[i] < 'a' ? 32 : 0));
  return set;
}

struct mde_nearest_name mde_nearest_read(struct mde_text name, int64_t last_seen)
{
  struct mde_nearest_name read = {.host = name, .domain = {"", 0}, .last_seen = last_seen};
  if (name.length == 0) return read;
  const char *dot = memchr(name.bytes, '.', name.length);
  if (dot != NULL) {
    read.host.length = (size_t)(dot - name.bytes);
    read.domain = (struct mde_text){dot + 1, name.length - read.host.length - 1};
  }
  if (read.host.length > MDE_NEAREST_MAX_BYTES) return read;
  uint32_t characters[MDE_NEAREST_MAX_BYTES];
  read.length = read_characters(read.host, characters);
  read.characters = set_of(characters, read.length);
  return read;
}

static int smaller(int a, int b)
{
  return a < b ? a : b;
}

/*
 * The distance between two rows of characters; `limit` + 1 if it is more than `limit`.
 *
 * The usual table of distances between beginnings, row by row: of each row the cells that are at
 * most `limit` off the diagonal, since what lies beyond is farther. Cell k of row i is about the
 * first i characters of a and the first i - limit + k of b.
 */
static int distance(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length,
                    int limit)
{
  int cells[3][BAND + 1];
  int beyond = limit + 1;
  int width = 2 * limit + 1;
  /* What is the same at the beginning costs nothing. */
  for (; a_length > 0 && b_length > 0 && *a == *b; a_length--, b_length--)
    a++, b++;
  for (size_t i = 0; i <= a_length; i++) {
    int *row = cells[i % 3];
    const int *above = cells[(i + 2) % 3];
    const int *second_above = cells[(i + 1) % 3];
    int nearest = beyond;
    row[width] = beyond;
    for (int k = 0; k < width; k++) {
      ptrdiff_t j = (ptrdiff_t)i - limit + k;
      row[k] = beyond;
      if (j < 0 || j > (ptrdiff_t)b_length) continue;
      if (i == 0) {
        row[k] = (int)j;
      } else {
        if (j > 0) row[k] = smaller(row[k], above[k] + (a[i - 1] == b[j - 1] ? 0 : 1));
        if (k > 0) row[k] = smaller(row[k], row[k - 1] + 1);
        row[k] = smaller(row[k], above[k + 1] + 1);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          row[k] = smaller(row[k], second_above[k] + 1);
      }
      nearest = smaller(nearest, row[k]);
    }
    if (nearest == beyond) return beyond;
  }
  ptrdiff_t last = (ptrdiff_t)b_length - (ptrdiff_t)a_length + limit;
  return last < 0 || last >= width ? beyond : cells[a_length % 3][last];
}

/* Whether the characters of two hosts differ so much that the hosts are farther apart. */
static bool differ(const struct mde_nearest_name *a, const struct mde_nearest_name *b, int limit)
{
  size_t reach = (size_t)limit;
  if (a->length > b->length + reach || b->length > a->length + reach) return true;
  /* A changed character is missing in one set and too much in the other. */
  int left = 2 * limit;
  for (uint64_t set = a->characters ^ b->characters; set != 0; set &= set - 1)
    if (left-- == 0) return true;
  return false;
}

static bool agree(const struct mde_nearest_name *asked, const struct mde_nearest_name *name)
{
  return asked->domain.length == 0 || mde_text_same(asked->domain, name->domain);
}

/* Whether one that was found goes before another one, which stands before it in the list. */
static bool goes_before(const struct mde_nearest_name *names, const struct mde_nearest_name *asked,
                        const struct mde_nearest_found *found,
                        const struct mde_nearest_found *other)
{
  if (found->distance != other->distance) return found->distance < other->distance;
  const struct mde_nearest_name *name = &names[found->index];
  const struct mde_nearest_name *before = &names[other->index];
  bool agrees = agree(asked, name);
  if (agrees != agree(asked, before)) return agrees;
  return name->last_seen > before->last_seen;
}

static int limit_of(size_t length)
{
  if (length < 2) return 0;
  return length < LONG_CHARACTERS ? 1 : FARTHEST;
}

size_t mde_nearest_find(const struct mde_nearest_name *names, size_t count, struct mde_text asked,
                        struct mde_nearest_found found[MDE_NEAREST_MAX])
{
  const struct mde_nearest_name own = mde_nearest_read(asked, 0);
  uint32_t own_characters[MDE_NEAREST_MAX_BYTES], characters[MDE_NEAREST_MAX_BYTES];
  int limit = limit_of(own.length);
  size_t length = 0;
  if (own.length == 0) return 0;
  read_characters(own.host, own_characters);
  for (size_t i = 0; i < count; i++) {
    if (names[i].length == 0 || differ(&own, &names[i], limit)) continue;
    read_characters(names[i].host, characters);
    struct mde_nearest_found one = {.index = i};
    one.distance = distance(own_characters, own.length, characters, names[i].length, limit);
    if (one.distance > limit) continue;
    size_t place = length;
    while (place > 0 && goes_before(names, &own, &one, &found[place - 1]))
      place--;
    if (place == MDE_NEAREST_MAX) continue;
    if (length < MDE_NEAREST_MAX) length++;
    memmove(&found[place + 1], &found[place], (length - 1 - place) * sizeof *found);
    found[place] = one;
    /* What is farther than the last of so many is of no use. */
    if (length == MDE_NEAREST_MAX) limit = found[length - 1].distance;
  }
  return length;
}
