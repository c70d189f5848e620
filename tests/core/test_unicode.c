/* unicode: each class over all code points, and numbers that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unicode.h"

enum { PAST_ALL = 0x110000 };

/* The members in their order, as PropList.txt has them. */
static const uint32_t white_space[] = {
    0x0009, 0x000a, 0x000b, 0x000c, 0x000d, 0x0020, 0x0085, 0x00a0,   0x1680,
    0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,   0x2008,
    0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, PAST_ALL,
};

static void white_space_is_the_list_and_nothing_else(void **state)
{
  (void)state;
  const uint32_t *next = white_space;
  for (uint32_t c = 0; c < PAST_ALL; c++) {
    bool is = c == *next;
    if (is) next++;
    if (mde_unicode_is_white_space(c) != is) fail_msg("U+%04X", (unsigned)c);
  }
  assert_int_equal(*next, PAST_ALL);
}

static void control_is_c0_del_and_c1(void **state)
{
  (void)state;
  for (uint32_t c = 0; c < PAST_ALL; c++)
    if (mde_unicode_is_control(c) != (c <= 0x1f || c == 0x7f || (c >= 0x80 && c <= 0x9f)))
      fail_msg("U+%04X", (unsigned)c);
}

static void what_is_no_code_point_has_no_class(void **state)
{
  (void)state;
  static const uint32_t others[] = {PAST_ALL, 0x80000020, UINT32_MAX - 1, UINT32_MAX};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    assert_false(mde_unicode_is_white_space(others[i]));
    assert_false(mde_unicode_is_control(others[i]));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(white_space_is_the_list_and_nothing_else),
      cmocka_unit_test(control_is_c0_del_and_c1),
      cmocka_unit_test(what_is_no_code_point_has_no_class),
  };
  return cmocka_run_group_tests_name("unicode", tests, NULL, NULL);
}
