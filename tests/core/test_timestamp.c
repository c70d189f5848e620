/* timestamp: every form the service has been seen to send, and what is none. */
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

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_read_to_the_last_digit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
