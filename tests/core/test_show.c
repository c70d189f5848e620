/*
 * show: which code points are written out, in both forms, and how many columns a text takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "show.h"
#include "test_edge.h"

/* Writes a code point as UTF-8, surrogates too; its length. */
static size_t encode(uint32_t code_point, char *out)
{
  if (code_point < 0x80) {
    out[0] = (char)code_point;
    return 1;
  }
  size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
  static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length - 1; i > 0; i--, code_point >>= 6)
    out[i] = (char)(0x80 | (code_point & 0x3f));
  out[0] = (char)(leads[length] | code_point);
  return length;
}

/* The property Default_Ignorable_Code_Point and the others of show.h, one by one. */
static bool expected_unsafe(uint32_t c)
{
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return true;
  if (c == 0x2028 || c == 0x2029) return true;
  if (c >= 0xfff9 && c <= 0xfffb) return true;
  switch (c) {
  case 0xad:
  case 0x34f:
  case 0x61c:
  case 0x115f:
  case 0x1160:
  case 0x17b4:
  case 0x17b5:
  case 0x180b:
  case 0x180c:
  case 0x180d:
  case 0x180e:
  case 0x180f:
  case 0x2800:
  case 0x3164:
  case 0xfeff:
  case 0xffa0:
  case 0x16fe4:
  case 0x1d159:
    return true;
  default:
    break;
  }
  if (c >= 0x200b && c <= 0x200f) return true;
  if (c >= 0x202a && c <= 0x202e) return true;
  if (c >= 0x2060 && c <= 0x206f) return true;
  if (c >= 0xfe00 && c <= 0xfe0f) return true;
  if (c >= 0xfff0 && c <= 0xfff8) return true;
  if (c >= 0x1bca0 && c <= 0x1bca3) return true;
  if (c >= 0x1d173 && c <= 0x1d17a) return true;
  return c >= 0xe0000 && c <= 0xe0fff;
}

static void every_code_point(void **state)
{
  (void)state;
  for (uint32_t c = 0; c <= 0x10ffff; c++) {
    char in[4], out[32], wanted[32];
    size_t length = encode(c, in), needed = 0;
    bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
    if (mde_show_is_unsafe(c) != expected_unsafe(c)) fail_msg("U+%04X", (unsigned)c);
    if (is_surrogate || expected_unsafe(c))
      for (size_t i = 0; i < length; i++, needed += 4)
        snprintf(wanted + needed, 5, "\\x%02x", (unsigned char)in[i]);
    else
      memcpy(wanted, in, needed = length);
    struct mde_text text = {.bytes = in, .length = length};
    if (mde_show_safe(text, MDE_SHOW_FORM_LINE, out, sizeof out) != needed ||
        memcmp(out, wanted, needed) != 0)
      fail_msg("U+%04X", (unsigned)c);
    if (mde_show_columns(text) > 2 * length) fail_msg("U+%04X", (unsigned)c);
  }
}

static void hostile_texts(void **state)
{
  (void)state;
  static const struct {
    const char *text, *line, *json;
  } cases[] = {
      {"", "", ""},
      {"laptop-17.corp.example", "laptop-17.corp.example", "laptop-17.corp.example"},
      {"\x1b]0;x\x07", "\\x1b]0;x\\x07", "\\u001b]0;x\\u0007"},
      {"a\nb\rc\td", "a\\x0ab\\x0dc\\x09d", "a\\nb\\rc\\td"},
      {"\x7f\xc2\x9b", "\\x7f\\xc2\\x9b", "\\u007f\\u009b"},
      {"say \"no\" \\ x", "say \"no\" \\ x", "say \\\"no\\\" \\\\ x"},
      /* Fillers, joiners, selectors, tags. */
      {"lap\xe3\x85\xa4top", "lap\\xe3\\x85\\xa4top", "lap\\u3164top"},
      {"\xe2\x9a\xa0\xef\xb8\x8f", "\xe2\x9a\xa0\\xef\\xb8\\x8f", "\xe2\x9a\xa0\\ufe0f"},
      {"a\xf3\xa0\x81\x81", "a\\xf3\\xa0\\x81\\x81", "a\\udb40\\udc41"},
      {"a\xf3\xa0\x84\x80", "a\\xf3\\xa0\\x84\\x80", "a\\udb40\\udd00"},
      {"\xe2\x80\xae"
       "exe.txt",
       "\\xe2\\x80\\xae"
       "exe.txt",
       "\\u202eexe.txt"},
      /* What shows stays. */
      {"B\xc3\xbcro \xe6\x97\xa5 \xf0\x9f\x92\xbb e\xcc\x81 \xc2\xa0.",
       "B\xc3\xbcro \xe6\x97\xa5 \xf0\x9f\x92\xbb e\xcc\x81 \xc2\xa0.",
       "B\xc3\xbcro \xe6\x97\xa5 \xf0\x9f\x92\xbb e\xcc\x81 \xc2\xa0."},
      /* Not UTF-8: overlong, a surrogate, beyond Unicode, cut. Each byte by itself. */
      {"\xc0\xaf", "\\xc0\\xaf", "\\ufffd\\ufffd"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"},
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
      {"a\xe2\x80", "a\\xe2\\x80", "a\\ufffd\\ufffd"},
      {"\xe2\x80z", "\\xe2\\x80z", "\\ufffd\\ufffdz"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (int form = MDE_SHOW_FORM_LINE; form <= MDE_SHOW_FORM_JSON; form++) {
      const char *expected = form == MDE_SHOW_FORM_LINE ? cases[i].line : cases[i].json;
      size_t length = strlen(expected);
      struct mde_text text = test_edge_string(cases[i].text);
      char out[64];
      for (size_t size = 0; size <= length; size++) {
        memset(out, '?', sizeof out);
        assert_int_equal(mde_show_safe(text, (enum mde_show_form)form, out, size), length);
        assert_memory_equal(out, expected, size);
        assert_int_equal(out[size], '?');
      }
    }
  /* A NUL is a character as any other. */
  char out[16];
  assert_int_equal(mde_show_safe(test_edge("a\0b", 3), MDE_SHOW_FORM_LINE, out, sizeof out), 6);
  assert_memory_equal(out, "a\\x00b", 6);
}

static void columns(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t columns;
  } cases[] = {
      {"", 0},
      {"laptop", 6},
      {"B\xc3\xbcro", 4},
      {"e\xcc\x81", 1},                /* a combining accent */
      {"\xe6\x97\xa5\xe6\x9c\xac", 4}, /* two ideographs */
      {"\xf0\x9f\x92\xbb", 2},         /* an emoji */
      {"\xe2\x9a\xa1\xe2\x9c\x85", 4}, /* older ones: high voltage, a white check mark */
      {"\xe2\x9a\xa0\xe2\x9c\x93", 2}, /* a warning sign, a check mark: these are texts */
      {"\xe3\x81\x8b\xe3\x82\x99", 2}, /* kana and its combining mark */
      {"\xff\xfe", 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(mde_show_columns(test_edge_string(cases[i].text)), cases[i].columns);
}

static void beginnings(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t columns;
    const char *expected;
    size_t taken;
  } cases[] = {
      {"laptop", 0, "", 0},
      {"laptop", 3, "lap", 3},
      {"laptop", 6, "laptop", 6},
      {"laptop", SIZE_MAX, "laptop", 6},
      /* A wide character is not halved; a mark stays with its letter. */
      {"\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5", 2},
      {"e\xcc\x81x", 1, "e\xcc\x81", 1},
      {"\xe6\x97\xa5x", 1, "", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    size_t taken = 99;
    struct mde_text part =
        mde_show_beginning(test_edge_string(cases[i].text), cases[i].columns, &taken);
    assert_int_equal(part.length, strlen(cases[i].expected));
    assert_memory_equal(part.bytes, cases[i].expected, part.length);
    assert_int_equal(taken, cases[i].taken);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_code_point),
      cmocka_unit_test(hostile_texts),
      cmocka_unit_test(columns),
      cmocka_unit_test(beginnings),
  };
  return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
