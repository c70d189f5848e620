/*
 * json_digits: which numbers are quoted, and that nothing else changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json_digits.h"

static void quotes(void **state)
{
  static const struct {
    const char *text, *wanted;
  } cases[] = {
      {"[9007199254740993]", "[\"9007199254740993\"]"},
      {"[9007199254740992,-9007199254740992]", "[9007199254740992,-9007199254740992]"},
      {"{\"a\": -9007199254740993 }", "{\"a\": \"-9007199254740993\" }"},
      {"[72057594037927935,5]", "[\"72057594037927935\",5]"},
      {"[18446744073709551616]", "[\"18446744073709551616\"]"},
      {"9007199254740993", "\"9007199254740993\""},
      /* what is no whole number */
      {"[12345678901234567.5,1e20,12345678901234567e1]",
       "[12345678901234567.5,1e20,12345678901234567e1]"},
      {"[09007199254740993,0x9007199254740993]", "[09007199254740993,0x9007199254740993]"},
      /* what stands in strings */
      {"[\"9007199254740993\"]", "[\"9007199254740993\"]"},
      {"[\"\\\",9007199254740993,\"]", "[\"\\\",9007199254740993,\"]"},
      {"[\"\\\\\",9007199254740993]", "[\"\\\\\",\"9007199254740993\"]"},
      {"[\"a,9007199254740993", "[\"a,9007199254740993"},
      {"[\"a\\", "[\"a\\"},
      {"", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text text = {cases[i].text, strlen(cases[i].text)};
    size_t counted = mde_json_digits(text, NULL);
    assert_true(counted <= MDE_JSON_DIGITS_GROWTH * text.length);
    char *out = malloc(counted + 1);
    assert_non_null(out);
    assert_int_equal(counted, mde_json_digits(text, out));
    out[counted] = '\0';
    assert_string_equal(cases[i].wanted, out);
    free(out);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(quotes)};
  return cmocka_run_group_tests_name("json_digits", tests, NULL, NULL);
}
