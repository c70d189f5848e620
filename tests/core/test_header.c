/*
 * header: dates, Retry-After and challenges, as tables of text and what it means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "header.h"
#include "test_edge.h"

#define NOT_A_DATE INT64_MIN
#define IN_2026 1767225600 /* 2026-01-01T00:00:00Z */

static void dates(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int64_t now;
    int64_t expected;
  } cases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", IN_2026, 784111777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", IN_2026, 784111777},
      {"Sun Nov  6 08:49:37 1994", IN_2026, 784111777},
      {"Wed Nov 16 08:49:37 1994", IN_2026, 784975777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", IN_2026, 0},
      {"Wed, 31 Dec 1969 23:59:59 GMT", IN_2026, -1},
      {"Thu, 29 Feb 2024 12:00:00 GMT", IN_2026, 1709208000},
      {"Tue, 29 Feb 2000 00:00:00 GMT", IN_2026, 951782400},
      {"Sat, 31 Dec 2016 23:59:60 GMT", IN_2026, 1483228800},
      {"Fri, 31 Dec 9999 23:59:59 GMT", IN_2026, 253402300799},
      {"Sat, 01 Jan 0000 00:00:00 GMT", IN_2026, -62167219200},
      /* Two digits: the latest year that is not more than 50 years ahead, to the second. */
      {"Tuesday, 01-Jan-80 00:00:00 GMT", IN_2026, 315532800},
      {"Wednesday, 01-Jan-76 00:00:00 GMT", IN_2026, 3345062400},
      {"Wednesday, 01-Jan-76 00:00:01 GMT", IN_2026, 189302401},
      {"Friday, 02-Jan-76 00:00:00 GMT", IN_2026, 189388800},
      {"Friday, 01-Jan-77 00:00:00 GMT", IN_2026, 220924800},
      {"Tuesday, 01-Jan-30 00:00:00 GMT", IN_2026, 1893456000},
      {"Thursday, 01-Jan-70 00:00:00 GMT", 0, 0},
      {"Saturday, 01-Jan-00 00:00:00 GMT", 0, 946684800},
      {"Monday, 01-Jan-01 00:00:00 GMT", 4070908800 /* 2099 */, 4133980800 /* 2101 */},
      {"Sunday, 06-Nov-94 08:49:37 GMT", INT64_MAX, NOT_A_DATE},
      {"Sunday, 06-Nov-94 08:49:37 GMT", INT64_MIN, NOT_A_DATE},
      /* Malformed. */
      {"", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:49:37", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:49:37 UTC", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:49:37 gmt", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:49:37 GMT ", IN_2026, NOT_A_DATE},
      {" Sun, 06 Nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"sun, 06 Nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Son, 06 Nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 6 Nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 94 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 00 Nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 31 Nov 1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Wed, 29 Feb 2023 12:00:00 GMT", IN_2026, NOT_A_DATE},
      {"Thu, 29 Feb 1900 12:00:00 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 24:00:00 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:60:00 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:49:61 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 8:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06 Nov 1994 08:49:37 +0000", IN_2026, NOT_A_DATE},
      {"Sun Nov 6 08:49:37 1994", IN_2026, NOT_A_DATE},
      {"Sun Nov  6 08:49:37 1994 GMT", IN_2026, NOT_A_DATE},
      {"Sun, 06-Nov-94 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"Sunday, 06-Nov-1994 08:49:37 GMT", IN_2026, NOT_A_DATE},
      {"1994-11-06T08:49:37Z", IN_2026, NOT_A_DATE},
      {"784111777", IN_2026, NOT_A_DATE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t seconds = NOT_A_DATE;
    bool is_date = mde_header_date(test_edge_string(cases[i].text), cases[i].now, &seconds);
    if (is_date != (cases[i].expected != NOT_A_DATE) || seconds != cases[i].expected)
      fail_msg("\"%s\" is %lld, not %lld", cases[i].text, (long long)seconds,
               (long long)cases[i].expected);
  }
}

/* Every day of 1900 to 2105 is one day after the one before it. */
static void calendar(void **state)
{
  (void)state;
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t expected = -2208988800;
  int found = 0;
  for (int year = 1900; year <= 2105; year++)
    for (int month = 0; month < 12; month++)
      for (int day = 1; day <= 31; day++) {
        char text[64];
        int64_t seconds;
        snprintf(text, sizeof text, "Mon, %02d %s %04d 00:00:00 GMT", day, months[month], year);
        if (!mde_header_date(test_edge_string(text), 0, &seconds)) continue;
        assert_int_equal(seconds, expected);
        expected += 86400;
        found++;
      }
  assert_int_equal(found, 206 * 365 + 50);
}

#define NONE (-2.0)
#define INVALID (-1.0)
#define DATE "Thu, 01 Jan 2026 00:00:00 GMT"

static struct mde_text optional(const char *string)
{
  struct mde_text text = {.bytes = string, .length = string == NULL ? 0 : strlen(string)};
  return text;
}

static void retry_after(void **state)
{
  (void)state;
  static const struct {
    const char *ms;
    const char *x_ms;
    const char *text;
    const char *date;
    double now;
    double expected;
  } cases[] = {
      {NULL, NULL, NULL, NULL, IN_2026, NONE},
      {NULL, NULL, NULL, DATE, IN_2026, NONE},
      {NULL, NULL, "8", NULL, IN_2026, 8},
      {NULL, NULL, " 8\t", NULL, IN_2026, 8},
      {NULL, NULL, "0", NULL, IN_2026, 0},
      {NULL, NULL, "007", NULL, IN_2026, 7},
      {NULL, NULL, "1.5", NULL, IN_2026, 1.5},
      {NULL, NULL, "0.25", NULL, IN_2026, 0.25},
      {"1500", NULL, "8", NULL, IN_2026, 1.5},
      {NULL, "250", "8", NULL, IN_2026, 0.25},
      {"1000", "2000", "8", NULL, IN_2026, 1},
      /* What cannot be understood gives way to what can. */
      {"soon", "2000", "8", NULL, IN_2026, 2},
      {"soon", "-1", "8", NULL, IN_2026, 8},
      {"soon", NULL, NULL, NULL, IN_2026, INVALID},
      {DATE, NULL, NULL, NULL, IN_2026, INVALID},
      /* Dates, relative to the response's own. */
      {NULL, NULL, "Thu, 01 Jan 2026 00:00:30 GMT", DATE, 0, 30},
      {NULL, NULL, "Thursday, 01-Jan-26 00:00:30 GMT", DATE, IN_2026, 30},
      {NULL, NULL, "Thu Jan  1 00:00:30 2026", DATE, 0, 30},
      {NULL, NULL, "Thu, 01 Jan 2026 00:00:30 GMT", NULL, IN_2026 + 10, 20},
      {NULL, NULL, "Thu, 01 Jan 2026 00:00:30 GMT", "yesterday", IN_2026 + 10, 20},
      {NULL, NULL, "Thu, 01 Jan 2026 00:00:30 GMT", " " DATE " ", IN_2026 + 10, 30},
      {NULL, NULL, "Thu, 01 Jan 2026 00:00:00 GMT", DATE, 0, 0},
      {NULL, NULL, "Wed, 31 Dec 2025 00:00:00 GMT", DATE, 0, 0},
      {NULL, NULL, "Fri, 31 Dec 9999 23:59:59 GMT", DATE, 0, MDE_HEADER_MAX_WAIT_SECONDS},
      /* Overflow. */
      {NULL, NULL, "99999999999999999999999999", NULL, IN_2026, MDE_HEADER_MAX_WAIT_SECONDS},
      {"99999999999999999999999999", NULL, NULL, NULL, IN_2026, MDE_HEADER_MAX_WAIT_SECONDS},
      {NULL, NULL, "2147483648", NULL, IN_2026, MDE_HEADER_MAX_WAIT_SECONDS},
      {NULL, NULL, "2147483646", NULL, IN_2026, 2147483646},
      /* Several times: the longest, if all are understood. */
      {NULL, NULL, "5, 10", NULL, IN_2026, 10},
      {NULL, NULL, "10, 5", NULL, IN_2026, 10},
      {NULL, NULL, "5,Thu, 01 Jan 2026 00:00:30 GMT, 7", DATE, IN_2026, 30},
      {NULL, NULL, "Thu, 01 Jan 2026 00:00:30 GMT, Thursday, 01-Jan-26 00:00:40 GMT", DATE, IN_2026,
       40},
      {NULL, NULL, "Thu Jan  1 00:00:30 2026, Thu Jan  1 00:00:20 2026", DATE, 0, 30},
      {NULL, NULL, "5, soon", NULL, IN_2026, INVALID},
      {NULL, NULL, "5,", NULL, IN_2026, INVALID},
      {NULL, NULL, ",5", NULL, IN_2026, INVALID},
      {"1000, 3000", NULL, NULL, NULL, IN_2026, 3},
      /* Garbage. */
      {NULL, NULL, "", NULL, IN_2026, INVALID},
      {NULL, NULL, " ", NULL, IN_2026, INVALID},
      {NULL, NULL, "-1", NULL, IN_2026, INVALID},
      {NULL, NULL, "-0", NULL, IN_2026, INVALID},
      {NULL, NULL, "+5", NULL, IN_2026, INVALID},
      {NULL, NULL, "5s", NULL, IN_2026, INVALID},
      {NULL, NULL, "1e3", NULL, IN_2026, INVALID},
      {NULL, NULL, "0x10", NULL, IN_2026, INVALID},
      {NULL, NULL, "5.", NULL, IN_2026, INVALID},
      {NULL, NULL, ".5", NULL, IN_2026, INVALID},
      {NULL, NULL, "1.2.3", NULL, IN_2026, INVALID},
      {NULL, NULL, "5 6", NULL, IN_2026, INVALID},
      {NULL, NULL, "nan", NULL, IN_2026, INVALID},
      {NULL, NULL, "Thu, 01 Jan 2026", DATE, IN_2026, INVALID},
      {NULL, NULL, "2026-01-01T00:00:30Z", DATE, IN_2026, INVALID},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_retry_headers headers = {.retry_after_ms = optional(cases[i].ms),
                                        .x_ms_retry_after_ms = optional(cases[i].x_ms),
                                        .retry_after = optional(cases[i].text),
                                        .date = optional(cases[i].date)};
    double seconds = 0;
    if (headers.retry_after.bytes != NULL) headers.retry_after = test_edge_string(cases[i].text);
    int status = mde_header_retry_after(&headers, cases[i].now, &seconds);
    if (status == MDE_RETRY_AFTER_NONE) seconds = NONE;
    if (status == MDE_RETRY_AFTER_INVALID) seconds = INVALID;
    if (seconds < cases[i].expected || seconds > cases[i].expected)
      fail_msg("case %zu (\"%s\"): %f, not %f", i, cases[i].text == NULL ? "" : cases[i].text,
               seconds, cases[i].expected);
  }
}

/* Writes what is read as "scheme<token68>{name=value}...", or "malformed". */
static void describe(struct mde_text text, char *out, size_t size)
{
  struct mde_challenge_reader reader;
  enum mde_challenge_piece piece;
  size_t used = 0;
  char value[256];
  out[0] = '\0';
  mde_challenge_reader_init(&reader, text);
  while ((piece = mde_challenge_next(&reader)) != MDE_CHALLENGE_PIECE_END) {
    if (piece == MDE_CHALLENGE_PIECE_MALFORMED) {
      snprintf(out, size, "malformed");
      return;
    }
    struct mde_text name = piece == MDE_CHALLENGE_PIECE_TOKEN68 ? reader.value : reader.name;
    size_t length = 0;
    if (piece == MDE_CHALLENGE_PIECE_PARAMETER) {
      length = reader.value.length;
      memcpy(value, reader.value.bytes, length);
      if (reader.quoted) length = mde_header_unquote(reader.value, value, sizeof value);
    }
    int written = piece == MDE_CHALLENGE_PIECE_PARAMETER
                      ? snprintf(out + used, size - used, "{%.*s=%.*s}", (int)name.length,
                                 name.bytes, (int)length, value)
                      : snprintf(out + used, size - used,
                                 piece == MDE_CHALLENGE_PIECE_SCHEME ? "[%.*s]" : "<%.*s>",
                                 (int)name.length, name.bytes);
    used += (size_t)written;
  }
}

static void challenges(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
      {"", ""},
      {" , ,", ""},
      {"Bearer", "[Bearer]"},
      {"Bearer, Basic", "[Bearer][Basic]"},
      {"Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJh\"",
       "[Bearer]{realm=}{error=insufficient_claims}{claims=eyJh}"},
      {"Basic realm=x, Bearer scope=\"a, b=c\"", "[Basic]{realm=x}[Bearer]{scope=a, b=c}"},
      {"Bearer realm = \"x\" ,, error\t=\ty", "[Bearer]{realm=x}{error=y}"},
      {"Bearer a=\"q\\\"q\\\\\"", "[Bearer]{a=q\"q\\}"},
      {"Negotiate abc==, Basic realm=\"x\"", "[Negotiate]<abc==>[Basic]{realm=x}"},
      {"Negotiate a+/-._~9", "[Negotiate]<a+/-._~9>"},
      {"Negotiate abc=", "[Negotiate]<abc=>"},
      {"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
       "[Newauth]{realm=apps}{type=1}{title=Login to \"apps\"}[Basic]{realm=simple}"},
      {"Bearer ,realm=x", "[Bearer]{realm=x}"},
      {"Basic , Bearer", "[Basic][Bearer]"},
      /* Malformed. */
      {"\"Bearer\"", "malformed"},
      {"=x", "malformed"},
      {"Bearer realm=\"x", "malformed"},
      {"Bearer realm=\"x\\", "malformed"},
      {"Bearer realm=\"x\\\"", "malformed"},
      {"Bearer realm=\"x\" error=y", "malformed"},
      {"Bearer realm=\"x\"y", "malformed"},
      {"Bearer realm=a b", "malformed"},
      {"Bearer realm=\"a\nb\"", "malformed"},
      {"Bearer realm=a, =b", "malformed"},
      {"Bearer realm=a, b=", "malformed"},
      {"Bearer a b", "malformed"},
      {"Bearer abc== x=y", "malformed"},
      {"Bearer abc==, x=y", "malformed"},
      {"Bearer@ x", "malformed"},
      {"Bearer uri=https://x", "malformed"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[512];
    describe(test_edge_string(cases[i].text), out, sizeof out);
    if (strcmp(out, cases[i].expected) != 0)
      fail_msg("'%s' is read as '%s', not '%s'", cases[i].text, out, cases[i].expected);
  }
}

static void unquote_keeps_to_its_room(void **state)
{
  (void)state;
  char out[4] = {0};
  assert_int_equal(mde_header_unquote(test_edge_string("a\\bcd\\"), out, 2), 5);
  assert_memory_equal(out, "ab\0\0", 4);
}

static void tokens(void **state)
{
  (void)state;
  static const char *const good[] = {"a", "POST", "X-Own", "!#$%&'*+-.^_`|~09azAZ"};
  static const char *const bad[] = {"", "a b", "a:", "\xc3\xa4", "a\t", "(", "a/b"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    if (!mde_header_is_token(test_edge_string(good[i]))) fail_msg("'%s' is one", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (mde_header_is_token(test_edge_string(bad[i]))) fail_msg("'%s' is none", bad[i]);
  assert_false(mde_header_is_token((struct mde_text){"a\0", 2}));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dates),
      cmocka_unit_test(calendar),
      cmocka_unit_test(retry_after),
      cmocka_unit_test(challenges),
      cmocka_unit_test(unquote_keeps_to_its_room),
      cmocka_unit_test(tokens),
  };
  return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
