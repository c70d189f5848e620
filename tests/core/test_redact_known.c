/*
 * redact_known: values that are taken out in whatever encoding, and what does not give one away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redact_known.h"
#include "test_allocator.h"
#include "test_edge.h"

#define R MDE_REDACTED

struct outcome {
  int status;
  char text[8192];
  size_t length;
};

/* Runs one redaction in memory that checks that everything is wiped and returned. */
static void run(struct outcome *outcome, struct mde_text text, const struct mde_text *values,
                size_t count, size_t fail_at)
{
  struct test_memory memory = {.check_wiped = true, .fail_at = fail_at};
  struct mde_buffer out;
  struct mde_buffer scratch;
  mde_buffer_init(&out, test_allocator(&memory), mde_redact_limit(text.length));
  mde_buffer_init(&scratch, test_allocator(&memory), mde_redact_limit(text.length));
  outcome->status = mde_redact_known(&out, &scratch, text, values, count);
  assert_int_equal(scratch.length, 0);
  assert_true(out.length < sizeof outcome->text);
  outcome->length = out.length;
  if (out.length > 0) memcpy(outcome->text, out.bytes, out.length);
  outcome->text[out.length] = '\0';
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

#define KNOWN "pl4nted/va+lue? \"x\"~~end"
#define LONG "abcdefghijklmnopqrstuvwxyz0123456789"

static void known(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
      {"a " KNOWN " b", "a " R " b"},
      {KNOWN KNOWN, R R},
      {"pl4nted%2Fva%2Blue%3F%20%22x%22~~end", R},
      {"pl4nted%2fva%2blue%3f+%22x%22%7e%7Eend", R},
      {"%70%6c%34%6E%74%65%64%2Fva%2Blue%3F%20%22x%22~~end!", R "!"},
      {"\"pl4nted\\/va+lue? \\\"x\\\"~~end\"", "\"" R "\""},
      {"pl4nted\\u002fva\\u002Blue? \\u0022x\\u0022~~end", R},
      /* base64 with 0, 1, 2 and 3 bytes before it, and with one behind it. */
      {"cGw0bnRlZC92YStsdWU/ICJ4In5+ZW5k", R},
      {"YXBsNG50ZWQvdmErbHVlPyAieCJ+fmVuZA==", "YX" R},
      {"YWFwbDRudGVkL3ZhK2x1ZT8gIngifn5lbmQ=", "YWF" R},
      {"YWFhcGw0bnRlZC92YStsdWU/ICJ4In5+ZW5k.", "YWFh" R "."},
      {"cGw0bnRlZC92YStsdWU_ICJ4In5-ZW5kYQ", R "YQ"},
      {"YXBsNG50ZWQvdmErbHVlPyAieCJ%2BfmVuZA%3D%3D&", "YX" R "&"},
      {"cGw0bnRlZC92YStsdWU\\/ICJ4In5+ZW5k", R},
      /* Enough of it to give it away. */
      {"pl4nted/va+lue? and no more", R "and no more"},
      {"pl4nted/va+lue", R},
      {"cut off: pl4nted/", "cut off: " R},
      {"pl4nted/ and other words", "pl4nted/ and other words"},
      {"cut off: pl4nt", "cut off: pl4nt"},
      {"abcdefghijklmnop, abcdefghijklmno!", R ", abcdefghijklmno!"},
      /* What mde_redact_text knows, too. */
      {"client_secret=unknown&x=" KNOWN, "client_secret=" R "&x=" R},
      {"client_secret=" KNOWN "&x", "client_secret=" R "&x"},
      {"abc abc", "abc abc"},
      {"", ""},
  };
  static const char *const secrets[] = {KNOWN, LONG, "abc", ""};
  struct mde_text values[4];
  for (size_t i = 0; i < 4; i++) {
    values[i].bytes = secrets[i];
    values[i].length = strlen(secrets[i]);
  }
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct outcome outcome;
    run(&outcome, test_edge_string(cases[i].text), values, 4, 0);
    assert_int_equal(outcome.status, MDE_BUFFER_OK);
    if (strcmp(outcome.text, cases[i].expected) != 0)
      fail_msg("'%s'\n became '%s'\n not    '%s'", cases[i].text, outcome.text, cases[i].expected);
  }
}

/* The shortest things that are taken out grow the most; the limit suffices for them. */
static void growth(void **state)
{
  (void)state;
  static const char *const parts[] = {"://a@ ",     "sig=a&",          "Bearer a ",    "abcd",
                                      "sig='abcd'", "\"password\":1,", "abcd://abcd@ "};
  struct mde_text value = {"abcd", 4};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    char repeated[2000];
    size_t length = 0;
    while (length + strlen(parts[i]) < 500) {
      memcpy(repeated + length, parts[i], strlen(parts[i]));
      length += strlen(parts[i]);
    }
    struct outcome outcome;
    run(&outcome, test_edge(repeated, length), &value, 1, 0);
    assert_int_equal(outcome.status, MDE_BUFFER_OK);
    assert_true(outcome.length > length);
  }
}

static void memory_that_ends(void **state)
{
  (void)state;
  static const char bytes[] =
      "client_secret=fake&scope=pl4nted; and a long text behind it, so that the buffer has to grow "
      "at least once, and then once more to be sure of it, and then once more to be sure of it";
  struct mde_text value = {"pl4nted", 7};
  struct outcome outcome;
  size_t failures = 0;
  for (size_t fail_at = 1;; fail_at++) {
    run(&outcome, test_edge_string(bytes), &value, 1, fail_at);
    if (outcome.status == MDE_BUFFER_OK) break;
    assert_int_equal(outcome.status, MDE_BUFFER_NO_MEMORY);
    failures++;
  }
  assert_true(failures >= 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known),
      cmocka_unit_test(growth),
      cmocka_unit_test(memory_that_ends),
  };
  return cmocka_run_group_tests_name("redact_known", tests, NULL, NULL);
}
