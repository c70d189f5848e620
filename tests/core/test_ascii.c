/* ascii: each class over all bytes, as a char and as a number; and numbers that are no bytes. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ascii.h"

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define CONTROLS                                                                                   \
  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"   \
  "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

static const struct {
  const char *name;
  bool (*is)(int);
  const char *members;
  bool has_nul;
} classes[] = {
    {"digit", mde_ascii_is_digit, DIGITS, false},
    {"alpha", mde_ascii_is_alpha, LETTERS, false},
    {"alphanumeric", mde_ascii_is_alphanumeric, LETTERS DIGITS, false},
    {"control", mde_ascii_is_control, CONTROLS, true},
    {"blank", mde_ascii_is_blank, " \t", false},
    {"space", mde_ascii_is_space, " \t\r\n", false},
    {"pem_space", mde_ascii_is_pem_space, " \t\r\n\v\f", false},
};

static void each_class_has_its_members(void **state)
{
  (void)state;
  static const int others[] = {-1, -128, 128, 255, 256, 0x130, 0x2028, 0x10ffff, INT_MIN, INT_MAX};
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
    for (int c = 0; c < 128; c++) {
      bool is = c == 0 ? classes[i].has_nul : strchr(classes[i].members, c) != NULL;
      if (classes[i].is(c) != is) fail_msg("%s: %d", classes[i].name, c);
    }
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
      if (classes[i].is(others[k])) fail_msg("%s: %d", classes[i].name, others[k]);
  }
}

static void digits_and_letters_have_values(void **state)
{
  (void)state;
  static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
  for (int c = -300; c < 300; c++) {
    const char *at = c > 0 && c < 128 ? strchr(lower, c) : NULL;
    if (at == NULL && c > 0 && c < 128 && strchr(upper, c) != NULL)
      at = lower + (strchr(upper, c) - upper);
    assert_int_equal(mde_ascii_hexadecimal(c), at != NULL ? (int)(at - lower) : -1);
    bool is_upper = mde_ascii_is_alpha(c) && c <= 'Z';
    bool is_lower = mde_ascii_is_alpha(c) && c >= 'a';
    assert_int_equal(mde_ascii_lower(c), is_upper ? c + 32 : c);
    assert_int_equal(mde_ascii_upper(c), is_lower ? c - 32 : c);
  }
}

static void a_field_has_no_control_but_the_tab(void **state)
{
  (void)state;
  for (int c = 0; c < 256; c++)
    assert_true(mde_ascii_is_field_byte((char)c) == (c == '\t' || (c >= 0x20 && c != 0x7f)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_class_has_its_members),
      cmocka_unit_test(digits_and_letters_have_values),
      cmocka_unit_test(a_field_has_no_control_but_the_tab),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
