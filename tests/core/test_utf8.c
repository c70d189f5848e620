/* utf8: what is white space around a text, and what a control character in it. What is UTF-8, every
 * reader of texts shows: test_show.c, test_json_repair.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_edge.h"
#include "utf8.h"

static void trim_leaves_no_white_space_around(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
      {"", ""},
      {"a", "a"},
      {" \t\r\n\v\f", ""},
      {" a b ", "a b"},
      {"\u00a0\u2003a\u3000\xc2\x85", "a"},
      {"\u200b a", "\u200b a"}, /* of no width, but no white space */
      /* Their last bytes are blanks in ISO 8859-1 and in other character sets. */
      {"voil\u00e0", "voil\u00e0"},
      {"\u00c5\u0160 \u0445", "\u00c5\u0160 \u0445"},
      {"\xa0 a \xa0", "\xa0 a \xa0"},
      {" \xe2\x80", "\xe2\x80"},
      {"a \xe2\x80", "a \xe2\x80"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text trimmed = mde_utf8_trim(test_edge_string(cases[i].text));
    struct mde_text expected = {cases[i].expected, strlen(cases[i].expected)};
    if (!mde_text_same(trimmed, expected)) fail_msg("case %zu", i);
  }
}

static void control_is_found_wherever_it_stands(void **state)
{
  (void)state;
  static const char *const with[] = {"\t", "a\n",
                                     "\x7f"
                                     "a",
                                     "a\xc2\x85"
                                     "b",
                                     "\xff\x01"};
  static const char *const without[] = {"", "a b", "\u00a0\u2028", "\x85", "\xc2", "\u200b"};
  for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
    if (!mde_utf8_has_control(test_edge_string(with[i]))) fail_msg("with %zu", i);
  for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
    if (mde_utf8_has_control(test_edge_string(without[i]))) fail_msg("without %zu", i);
  assert_true(mde_utf8_has_control((struct mde_text){"a\0b", 3}));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trim_leaves_no_white_space_around),
      cmocka_unit_test(control_is_found_wherever_it_stands),
  };
  return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
