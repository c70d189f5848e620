/*
 * number: what is written and read, and back. That no locale changes it show the suite's locale/
 * tests.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "number.h"

static struct mde_text text_of(const char *text)
{
  return (struct mde_text){text, strlen(text)};
}

static void writes(void **state)
{
  static const struct {
    double number;
    const char *text;
  } cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-12, "-12"},
      {0.5, "0.5"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1700000000.123, "1700000000.123"},
      {9007199254740991.0, "9007199254740991"},
      {1e300, "1e+300"},
      {-2.5e-7, "-2.5e-07"},
      {DBL_MAX, "1.7976931348623157e+308"},
      {INFINITY, "inf"},
      {-INFINITY, "-inf"},
      {NAN, "nan"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[MDE_NUMBER_SIZE];
    assert_int_equal(mde_number_write(cases[i].number, text), strlen(cases[i].text));
    assert_string_equal(text, cases[i].text);
  }
}

static void reads(void **state)
{
  static const struct {
    const char *text;
    double number;
  } cases[] = {
      {"0", 0},
      {"-0", 0},
      {"12", 12},
      {"-12", -12},
      {"0.5", 0.5},
      {"-0.25", -0.25},
      {"007", 7},
      {"5.", 5},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"1.5e-3", 0.0015},
      {"1.e1", 10},
      {"1e-400", 0},
      {"1700000000.123", 1700000000.123},
      {"9007199254740991", 9007199254740991.0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    double number = -1;
    assert_true(mde_number_read(text_of(cases[i].text), &number));
    assert_true(number == cases[i].number);
  }
}

static void refuses(void **state)
{
  static const char *const cases[] = {
      "",    " ",   "1 ",    " 1",  "+1",    ".5",  "-",     "-.5",
      "1,5", "0,5", "1.5.2", "1e",  "1e+",   "e3",  "1.5e",  "0x10",
      "1f",  "inf", "-inf",  "nan", "1e400", "1 2", "1'000", "\xd9\xab\x35",
  };
  double number = 42;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_false(mde_number_read(text_of(cases[i]), &number));
  assert_false(mde_number_read((struct mde_text){"1\0", 2}, &number));
  assert_true(number == 42);
}

static void bounds_the_length(void **state)
{
  char text[402];
  double number = 0;
  (void)state;
  memset(text, '0', sizeof text);
  text[399] = '7';
  assert_true(mde_number_read((struct mde_text){text, 400}, &number));
  assert_true(number == 7);
  assert_false(mde_number_read((struct mde_text){text, 401}, &number));
}

/* Bit patterns from a multiplicative generator: what is written reads back the same. */
static void reads_back(void **state)
{
  uint64_t bits = 0x9e3779b97f4a7c15u;
  (void)state;
  for (int i = 0; i < 200000; i++) {
    double number, again;
    char text[MDE_NUMBER_SIZE];
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number)) continue;
    size_t length = mde_number_write(number, text);
    assert_true(length < MDE_NUMBER_SIZE);
    assert_true(mde_number_read((struct mde_text){text, length}, &again));
    assert_true(again == number);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writes),     cmocka_unit_test(reads),
      cmocka_unit_test(refuses),    cmocka_unit_test(bounds_the_length),
      cmocka_unit_test(reads_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
