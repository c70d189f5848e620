/*
 * timestamp: every form the service has been seen to send, and what is none; what is written, and
 * what cannot be.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "timestamp.h"

static void times_are_read_to_the_last_digit(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int64_t ticks;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T00:00:00", 0},
      {"1970-01-01t00:00:00z", 0},
      {"1969-12-31T23:59:59Z", -10000000},
      {"2000-02-29T00:00:00Z", INT64_C(9517824000000000)},
      {"2026-02-03T10:11:12.3456789Z", INT64_C(17701134723456789)},
      {"2026-02-03T10:11:12.3Z", INT64_C(17701134723000000)},
      {"2026-02-03T10:11:12.345678999Z", INT64_C(17701134723456789)},
      {"2026-02-03T12:11:12+02:00", INT64_C(17701134720000000)},
      {"2026-02-03T09:41:12-00:30", INT64_C(17701134720000000)},
      {"9999-12-31T23:59:59.9999999Z", INT64_C(2534023007999999999)},
      {NULL, MDE_NO_TIME},
      {"", MDE_NO_TIME},
      {"0001-01-01T00:00:00Z", MDE_NO_TIME},
      {"2026-02-03", MDE_NO_TIME},
      {"2026-02-03T10:11Z", MDE_NO_TIME},
      {"2026-02-30T10:11:12Z", MDE_NO_TIME},
      {"2025-02-29T10:11:12Z", MDE_NO_TIME},
      {"2026-13-03T10:11:12Z", MDE_NO_TIME},
      {"2026-00-03T10:11:12Z", MDE_NO_TIME},
      {"2026-02-00T10:11:12Z", MDE_NO_TIME},
      {"2026-02-03T24:11:12Z", MDE_NO_TIME},
      {"2026-02-03T10:60:12Z", MDE_NO_TIME},
      {"2026-02-03T10:11:61Z", MDE_NO_TIME},
      {"2026-02-03T10:11:12.Z", MDE_NO_TIME},
      {"2026-02-03T10:11:12.1234567890Z", MDE_NO_TIME},
      {"2026-02-03T10:11:12+2:00", MDE_NO_TIME},
      {"2026-02-03T10:11:12+0200", MDE_NO_TIME},
      {"2026-02-03T10:11:12Z ", MDE_NO_TIME},
      {"2026-02-03 10:11:12Z", MDE_NO_TIME},
      {"-026-02-03T10:11:12Z", MDE_NO_TIME},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text text = {cases[i].text, cases[i].text != NULL ? strlen(cases[i].text) : 0};
    int64_t ticks = mde_timestamp(text);
    if (ticks != cases[i].ticks) fail_msg("%s", cases[i].text);
  }
}

static void times_are_written(void **state)
{
  (void)state;
  static const struct {
    double seconds;
    const char *to_the_second;
    const char *to_the_microsecond;
  } cases[] = {
      {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {-0.0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
      {1770113472, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12Z"},
      {1770113472.25, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12.25Z"},
      {1770113472.1, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12.1Z"},
      {1770113472.345678, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12.345678Z"},
      {1770113472.000001, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12.000001Z"},
      {951782400, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"},
      {951868799.5, "2000-02-29T23:59:59Z", "2000-02-29T23:59:59.5Z"},
      {951868800, "2000-03-01T00:00:00Z", "2000-03-01T00:00:00Z"},
      {4107542399, "2100-02-28T23:59:59Z", "2100-02-28T23:59:59Z"},
      {4107542400, "2100-03-01T00:00:00Z", "2100-03-01T00:00:00Z"},
      {2147483648, "2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"},
      /* Before 1970 the past is the other way. */
      {-0.5, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.5Z"},
      {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"},
      {-86400, "1969-12-31T00:00:00Z", "1969-12-31T00:00:00Z"},
      {-11644473600, "1601-01-01T00:00:00Z", "1601-01-01T00:00:00Z"},
      {-62135596800, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
      {-62167219200, "0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
      /* What is nearer to the next second is that one, whatever comes over with it. */
      {1769903999.9999998, "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"},
      {1798761599.9999995, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
      {1770113472.9999998, "2026-02-03T10:11:12Z", "2026-02-03T10:11:13Z"},
      {1770113472.9999990, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12.999999Z"},
      {1770113472.0000002, "2026-02-03T10:11:12Z", "2026-02-03T10:11:12Z"},
      {-1e-7, "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"},
      {-5e-324, "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"},
      {-62167219200.25, "", ""},
      {253402300799, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
      {253402300799.5, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.5Z"},
      {253402300800, "", ""},
      {1e18, "", ""},
      {1e300, "", ""},
      {-1e18, "", ""},
      {HUGE_VAL, "", ""},
      {-HUGE_VAL, "", ""},
      {NAN, "", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[MDE_TIMESTAMP_SIZE];
    memset(text, 'x', sizeof text);
    size_t length = mde_timestamp_write(cases[i].seconds, MDE_TIMESTAMP_FORM_SECOND, text);
    assert_string_equal(text, cases[i].to_the_second);
    assert_int_equal(length, strlen(text));
    length = mde_timestamp_write(cases[i].seconds, MDE_TIMESTAMP_FORM_MICROSECOND, text);
    assert_string_equal(text, cases[i].to_the_microsecond);
    assert_int_equal(length, strlen(text));
  }
}

/* Each day of four centuries and more, so that each kind of year is among them. */
static void every_day_is_read_back(void **state)
{
  (void)state;
  for (int64_t day = -719162; day < 200000; day++) {
    char text[MDE_TIMESTAMP_SIZE];
    double seconds = (double)day * 86400;
    size_t length = mde_timestamp_write(seconds, MDE_TIMESTAMP_FORM_SECOND, text);
    int64_t ticks = mde_timestamp((struct mde_text){text, length});
    bool is_never = memcmp(text, "0001", 4) == 0;
    if (ticks != (is_never ? MDE_NO_TIME : day * 86400 * MDE_TICKS_PER_SECOND))
      fail_msg("%s", text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_are_read_to_the_last_digit),
      cmocka_unit_test(times_are_written),
      cmocka_unit_test(every_day_is_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
