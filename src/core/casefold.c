#include "casefold.h"

#include "casefold_table.h"
#include "utf8.h"

enum { FIRST_MARK = 0x300, LAST_MARK = 0x36f, DOT_ABOVE = 0x307 };

static uint32_t fold(uint32_t character)
{
  if (character < 0x80) return (uint32_t)mde_ascii_lower((int)character);
  if (character == 0x130 || character == 0x131) return 'i';
  size_t low = 0, high = sizeof mde_casefold_runs / sizeof mde_casefold_runs[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct mde_casefold_run *run = &mde_casefold_runs[middle];
    uint32_t last = run->first + (uint32_t)(run->count - 1) * run->step;
    if (character < run->first)
      high = middle;
    else if (character > last)
      low = middle + 1;
    else if ((character - run->first) % run->step == 0)
      return (uint32_t)((int32_t)character + run->distance);
    else
      break;
  }
  return character;
}

/* The letter that a folded one and a mark come to; 0 if they stay two. */
static uint32_t together(uint32_t letter, uint32_t mark)
{
  if (letter == 'i' && mark == DOT_ABOVE) return letter;
  size_t low = 0, high = sizeof mde_casefold_pairs / sizeof mde_casefold_pairs[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct mde_casefold_pair *pair = &mde_casefold_pairs[middle];
    if (pair->letter == letter && pair->mark == mark) return pair->whole;
    if (pair->letter < letter || (pair->letter == letter && pair->mark < mark))
      low = middle + 1;
    else
      high = middle;
  }
  return 0;
}

uint32_t mde_casefold_next(const char **at, const char *end)
{
  uint32_t character;
  if (mde_utf8_next(at, end, &character) != 1) return MDE_CASEFOLD_BYTE + (unsigned char)*(*at)++;
  character = fold(character);
  for (;;) {
    const char *behind = *at;
    uint32_t mark, whole;
    if (mde_utf8_next(&behind, end, &mark) != 1 || mark < FIRST_MARK || mark > LAST_MARK) break;
    whole = together(character, mark);
    if (whole == 0) break;
    character = whole;
    *at = behind;
  }
  return character;
}

/* The bytes of a character; returns how many. */
static size_t encode(uint32_t character, char bytes[4])
{
  if (character >= MDE_CASEFOLD_BYTE) {
    bytes[0] = (char)(character - MDE_CASEFOLD_BYTE);
    return 1;
  }
  if (character < 0x80) {
    bytes[0] = (char)character;
    return 1;
  }
  size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, character >>= 6)
    bytes[i] = (char)(0x80 | (character & 0x3f));
  bytes[0] = (char)((0xf00u >> length) | character);
  return length;
}

size_t mde_casefold(struct mde_text text, char *out, size_t size)
{
  const char *end = text.bytes + text.length;
  size_t length = 0;
  for (const char *at = text.bytes; at < end;) {
    char bytes[4];
    size_t count = encode(mde_casefold_next(&at, end), bytes);
    for (size_t i = 0; i < count; i++, length++)
      if (length < size) out[length] = bytes[i];
  }
  return length;
}
