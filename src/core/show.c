#include "show.h"

#include "utf8.h"
#include "writer.h"

struct range {
  uint32_t first, last;
};

/* Each table is in order. One range or a few a line. */
/* clang-format off */
static const struct range unsafe[] = {
    {0x00, 0x1f}, {0x7f, 0x9f},
    {0xad, 0xad},         /* soft hyphen */
    {0x34f, 0x34f},       /* combining grapheme joiner */
    {0x61c, 0x61c},       /* Arabic letter mark */
    {0x115f, 0x1160},     /* Hangul fillers */
    {0x17b4, 0x17b5},     /* Khmer vowels that are not written */
    {0x180b, 0x180f},     /* Mongolian variation selectors and vowel separator */
    {0x200b, 0x200f},     /* zero width, joiners, directional marks */
    {0x2028, 0x202e},     /* line and paragraph separators, directional embeddings */
    {0x2060, 0x206f},     /* word joiner, invisible operators, directional isolates */
    {0x2800, 0x2800},     /* Braille without a dot */
    {0x3164, 0x3164},     /* Hangul filler */
    {0xfe00, 0xfe0f},     /* variation selectors */
    {0xfeff, 0xfeff},     /* byte order mark */
    {0xffa0, 0xffa0},     /* halfwidth Hangul filler */
    {0xfff0, 0xfffb},     /* reserved, interlinear annotations */
    {0x16fe4, 0x16fe4},   /* Khitan filler */
    {0x1bca0, 0x1bca3},   /* shorthand format controls */
    {0x1d159, 0x1d159},   /* a note without a head */
    {0x1d173, 0x1d17a},   /* musical format controls */
    {0xe0000, 0xe0fff},   /* tags, further variation selectors */
};

/* East Asian Wide, and what is shown as an emoji by itself. */
static const struct range wide[] = {
    {0x1100, 0x115e},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},
    {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},
    {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},   {0x26d4, 0x26d4},
    {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},   {0x26fa, 0x26fa},
    {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},
    {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},
    {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
    {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x17000, 0x18cff}, {0x1b000, 0x1b2ff},
    {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
    {0x1f200, 0x1f265}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};

/* Combining marks of the common scripts. */
static const struct range without_width[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
    {0xe31, 0xe31},   {0xe34, 0xe3a},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
    {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe20, 0xfe2f},
};
/* clang-format on */

#define IS_IN(code_point, ranges) is_in(code_point, ranges, sizeof ranges / sizeof ranges[0])

static bool is_in(uint32_t code_point, const struct range *ranges, size_t count)
{
  size_t low = 0;
  while (low < count) {
    size_t middle = low + (count - low) / 2;
    if (code_point > ranges[middle].last)
      low = middle + 1;
    else if (code_point < ranges[middle].first)
      count = middle;
    else
      return true;
  }
  return false;
}

bool mde_show_is_unsafe(uint32_t code_point)
{
  /* Most of what is shown. */
  if (code_point >= 0x20 && code_point < 0x7f) return false;
  return IS_IN(code_point, unsafe);
}

static void put_text(struct mde_writer *out, const char *at, const char *end)
{
  while (at < end)
    mde_writer_put(out, *at++);
}

static void put_hex(struct mde_writer *out, uint32_t value, int digits)
{
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    mde_writer_put(out, "0123456789abcdef"[(value >> shift) & 0xf]);
}

static void put_bytes(struct mde_writer *out, const char *at, const char *end)
{
  for (; at < end; at++) {
    mde_writer_put(out, '\\');
    mde_writer_put(out, 'x');
    put_hex(out, (unsigned char)*at, 2);
  }
}

static void put_unit(struct mde_writer *out, uint32_t unit)
{
  mde_writer_put(out, '\\');
  mde_writer_put(out, 'u');
  put_hex(out, unit, 4);
}

static void put_units(struct mde_writer *out, uint32_t code_point)
{
  const char *named = "\n\r\t", *names = "nrt";
  for (int i = 0; named[i] != '\0'; i++)
    if (code_point == (unsigned char)named[i]) {
      mde_writer_put(out, '\\');
      mde_writer_put(out, names[i]);
      return;
    }
  if (code_point > 0xffff) {
    put_unit(out, 0xd800 + ((code_point - 0x10000) >> 10));
    code_point = 0xdc00 + ((code_point - 0x10000) & 0x3ff);
  }
  put_unit(out, code_point);
}

size_t mde_show_safe(struct mde_text text, enum mde_show_form form, char *out, size_t size)
{
  struct mde_writer written = {.out = out, .size = size};
  bool is_json = form == MDE_SHOW_FORM_JSON;
  const char *end = text.bytes + text.length;
  for (const char *at = text.bytes; at < end;) {
    const char *character = at;
    uint32_t code_point = 0xfffd;
    bool is_unsafe = mde_utf8_next(&at, end, &code_point) != 1;
    if (is_unsafe)
      at++;
    else
      is_unsafe = mde_show_is_unsafe(code_point);
    if (is_unsafe && is_json) {
      put_units(&written, code_point);
    } else if (is_unsafe) {
      put_bytes(&written, character, at);
    } else {
      if (is_json && (code_point == '"' || code_point == '\\')) mde_writer_put(&written, '\\');
      put_text(&written, character, at);
    }
  }
  return written.length;
}

/* Moves `*at`, which is before `end`, behind a character; how many columns it takes. */
static size_t pass(const char **at, const char *end)
{
  uint32_t code_point = 0;
  if (mde_utf8_next(at, end, &code_point) != 1) {
    ++*at;
    return 1;
  }
  if (code_point < 0x300) return 1;
  if (IS_IN(code_point, without_width)) return 0;
  return IS_IN(code_point, wide) ? 2 : 1;
}

struct mde_text mde_show_beginning(struct mde_text text, size_t columns, size_t *taken)
{
  const char *end = text.bytes + text.length, *at = text.bytes;
  *taken = 0;
  while (at < end) {
    const char *next = at;
    size_t own = pass(&next, end);
    if (own > columns - *taken) break;
    *taken += own;
    at = next;
  }
  return (struct mde_text){.bytes = text.bytes, .length = (size_t)(at - text.bytes)};
}

size_t mde_show_columns(struct mde_text text)
{
  size_t taken;
  mde_show_beginning(text, SIZE_MAX, &taken);
  return taken;
}
