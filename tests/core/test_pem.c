/*
 * pem: what flattened texts become, what is left out, and that nothing of them stays behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pem.h"
#include "test_allocator.h"

#define LINE "MIIBszCCAVmgAwIBAgIUabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
#define REST "STUVWXYZ0123456789+/=="
#define CERTIFICATE                                                                                \
  "-----BEGIN CERTIFICATE-----\n" LINE "\n" LINE "\n" REST "\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\n" REST "\n-----END PRIVATE KEY-----\n"
#define LOCKED                                                                                     \
  "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0A1B\n\n" LINE   \
  "\n" REST "\n-----END RSA PRIVATE KEY-----\n"

struct outcome {
  int status;
  char text[8192];
};

static void mend(struct outcome *outcome, const char *bytes, size_t length, size_t limit,
                 size_t fail_at)
{
  struct test_memory memory = {.check_wiped = true, .fail_at = fail_at};
  struct mde_buffer out;
  mde_buffer_init(&out, test_allocator(&memory), limit);
  outcome->status = mde_pem_mend(&out, (struct mde_text){bytes, length});
  assert_true(out.length < sizeof outcome->text);
  if (out.length > 0) memcpy(outcome->text, out.bytes, out.length);
  outcome->text[out.length] = '\0';
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

static void expect(const char *given, int status, const char *mended)
{
  struct outcome outcome;
  mend(&outcome, given, strlen(given), mde_pem_limit(strlen(given)), 0);
  assert_string_equal(outcome.text, mended);
  assert_int_equal(outcome.status, status);
}

static void keeps_what_is_well(void **state)
{
  (void)state;
  expect(CERTIFICATE, MDE_PEM_OK, CERTIFICATE);
  expect(KEY CERTIFICATE CERTIFICATE, MDE_PEM_OK, KEY CERTIFICATE CERTIFICATE);
  expect(LOCKED CERTIFICATE, MDE_PEM_OK, LOCKED CERTIFICATE);
  expect("Bag Attributes: a\\name\n" KEY "subject=CN=x\n\n" CERTIFICATE "the end", MDE_PEM_OK,
         KEY CERTIFICATE);
  expect("", MDE_PEM_OK, "");
  expect("to be filled in", MDE_PEM_OK, "");
  expect("-----BEGIN X----------END X-----", MDE_PEM_OK, "-----BEGIN X-----\n-----END X-----\n");
}

/* `text` with each line end replaced. */
static void with_ends(char *out, const char *text, const char *end)
{
  for (; *text != '\0'; text++)
    out += *text == '\n' ? sprintf(out, "%s", end) : sprintf(out, "%c", *text);
}

static void puts_line_ends_back(void **state)
{
  (void)state;
  static const char *const ends[] = {"\r\n",  "\r",        " ",     "",       "\\n",
                                     "\\\\n", "\\r\\n",    "\\n\n", "\n\t  ", " \\\n",
                                     "\n\n",  "\\\\\\\\n", "\v"};
  char text[4096];
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    with_ends(text, KEY CERTIFICATE, ends[i]);
    expect(text, MDE_PEM_OK, KEY CERTIFICATE);
  }
  static const char *const of_locked[] = {"\r\n", "\\n", "\\r\\n", " \n   ", "\\\\n"};
  for (size_t i = 0; i < sizeof of_locked / sizeof of_locked[0]; i++) {
    with_ends(text, LOCKED KEY, of_locked[i]);
    expect(text, MDE_PEM_OK, LOCKED KEY);
  }
  expect("\xef\xbb\xbf" CERTIFICATE, MDE_PEM_OK, CERTIFICATE);
  expect("\"" CERTIFICATE "\"", MDE_PEM_OK, CERTIFICATE);
}

static void names_what_it_leaves_out(void **state)
{
  (void)state;
  char text[4096];
  with_ends(text, LOCKED, " ");
  expect(text, MDE_PEM_FLAT, "");
  strcat(text, CERTIFICATE);
  expect(text, MDE_PEM_FLAT, CERTIFICATE);
  expect(KEY "-----BEGIN CERTIFICATE-----\n" REST "\n", MDE_PEM_NOT_CLOSED, KEY);
  expect("-----BEGIN CERTIFICATE-----\n" REST "\n" KEY, MDE_PEM_NOT_CLOSED, KEY);
  expect("-----BEGIN CERTIFICATE-----\n" REST "\n-----END PRIVATE KEY-----\n" KEY,
         MDE_PEM_NOT_CLOSED, KEY);
  expect("-----BEGIN CERTIFICATE-----\n" REST "\n-----END CERT", MDE_PEM_NOT_CLOSED, "");
  expect("-----BEGIN X-----\nAA==\n---- -END X---- -\n-----END X-----\n" KEY, MDE_PEM_NOT_CLOSED,
         KEY);
  expect("-----BEGIN CERTIFICATE", MDE_PEM_OK, "");
  expect("-----BEGIN -----", MDE_PEM_OK, "");
}

static void knows_utf16(void **state)
{
  (void)state;
  char wide[2 * sizeof KEY + 2] = "\xff\xfe";
  for (size_t i = 0; i < sizeof KEY - 1; i++) {
    wide[2 + 2 * i] = KEY[i];
    wide[3 + 2 * i] = '\0';
  }
  struct outcome outcome;
  size_t length = 2 * (sizeof KEY - 1);
  mend(&outcome, wide, length + 2, 8000, 0);
  assert_int_equal(outcome.status, MDE_PEM_UTF16);
  mend(&outcome, wide + 2, length, 8000, 0);
  assert_int_equal(outcome.status, MDE_PEM_UTF16);
  mend(&outcome, wide + 3, length - 1, 8000, 0);
  assert_int_equal(outcome.status, MDE_PEM_UTF16);
  mend(&outcome, "\xfe\xff", 2, 8000, 0);
  assert_int_equal(outcome.status, MDE_PEM_UTF16);
  assert_string_equal(outcome.text, "");
}

static void needs_room(void **state)
{
  (void)state;
  static const char text[] = KEY LOCKED CERTIFICATE;
  struct outcome outcome;
  size_t length = sizeof text - 1;
  mend(&outcome, text, length, length, 0);
  assert_int_equal(outcome.status, MDE_PEM_OK);
  for (size_t limit = 0; limit < length; limit++) {
    mend(&outcome, text, length, limit, 0);
    assert_int_equal(outcome.status, MDE_PEM_TOO_LONG);
  }
  for (size_t i = 1; i < 5; i++) {
    mend(&outcome, text, length, length, i);
    assert_int_equal(outcome.status, MDE_PEM_NO_MEMORY);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_what_is_well),
      cmocka_unit_test(puts_line_ends_back),
      cmocka_unit_test(names_what_it_leaves_out),
      cmocka_unit_test(knows_utf16),
      cmocka_unit_test(needs_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
