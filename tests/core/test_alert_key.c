/*
 * alert_key: an id that may be a key is one, and a digest stands for any other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert_key.h"
#include "test_edge.h"

static void keys(void **state)
{
  (void)state;
  static const struct {
    const char *id, *expected; /* "=": the id */
  } cases[] = {
      {"da637472900382838869_1364969609", "="},
      {"da637308392288907382_-880718168", "="},
      {"12345678", "="},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "="},
      /* too short, too long, reserved, and with what no key has */
      {"short", "f9b0078b5df596d2ea19010c001bbd009e651de2"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
       "97daac0ee9998dfcad6c9c0970da5ca411c86233"},
      {"sn7a0c6a3e-7f5e-4d5e-9d2b-0f3a5a6b7c8d_1b2c3d4e-5f60-4172-8394-a5b6c7d8e9f0",
       "9bac9bc630939e978b6898bd45475037fbcbc62b"},
      {"da637_1.until.17", "36d48009c2f08b2e20c443b1275e52ca95e0d170"},
      {"id with blank", "4a7e8f2359fc7ecc94fccd95f59612e464d6cd8c"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[MDE_ALERT_KEY_MAX_BYTES];
    struct mde_text key = {out, mde_alert_key(test_edge_string(cases[i].id), out)};
    const char *expected = cases[i].expected;
    assert_true(test_text_is(key, expected[0] == '=' ? cases[i].id : expected));
    assert_true(mde_key_valid(key));
    char whole[MDE_OPERATION_MAX_BYTES];
    assert_true(mde_operation_with_until(whole, key, 1795960800) > 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(keys)};
  return cmocka_run_group_tests_name("alert_key", tests, NULL, NULL);
}
