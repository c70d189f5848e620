/*
 * redaction: the text that is copied, and the marks in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redaction.h"
#include "test_allocator.h"
#include "test_edge.h"

static void marks(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer out;
  struct mde_redaction redaction;
  struct mde_text text = test_edge_string("user:fake@x");
  mde_buffer_init(&out, test_allocator(&memory), mde_redact_limit(text.length));
  mde_redaction_begin(&redaction, &out, text);
  mde_redaction_take_out(&redaction, text.bytes + 1, text.bytes + 1);
  assert_ptr_equal(redaction.at, text.bytes + 1);
  assert_int_equal(out.length, 0);
  mde_redaction_take_out(&redaction, text.bytes + 5, text.bytes + 9);
  assert_ptr_equal(redaction.at, text.bytes + 9);
  mde_redaction_write(&redaction, "!", 1);
  assert_int_equal(mde_redaction_finish(&redaction), MDE_BUFFER_OK);
  static const char expected[] = "user:" MDE_REDACTED "!@x";
  assert_int_equal(out.length, sizeof expected - 1);
  assert_memory_equal(out.bytes, expected, out.length);
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

static void no_text(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer out;
  struct mde_redaction redaction;
  struct mde_text absent = {NULL, 0};
  mde_buffer_init(&out, test_allocator(&memory), mde_redact_limit(0));
  mde_redaction_begin(&redaction, &out, absent);
  assert_ptr_equal(redaction.at, redaction.end);
  assert_int_equal(mde_redaction_finish(&redaction), MDE_BUFFER_OK);
  assert_int_equal(out.length, 0);
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

static void a_failure_stays(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer out;
  struct mde_redaction redaction;
  struct mde_text text = test_edge_string("0123456789abcdef");
  mde_buffer_init(&out, test_allocator(&memory), 12);
  mde_redaction_begin(&redaction, &out, text);
  mde_redaction_copy(&redaction, text.bytes + 8);
  mde_redaction_take_out(&redaction, text.bytes + 8, text.bytes + 9);
  assert_int_equal(redaction.status, MDE_BUFFER_TOO_LONG);
  mde_redaction_write(&redaction, "!", 1);
  assert_int_equal(mde_redaction_finish(&redaction), MDE_BUFFER_TOO_LONG);
  assert_int_equal(out.length, 8);
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

static void limits(void **state)
{
  (void)state;
  assert_true(mde_redact_limit(0) > 0);
  assert_true(mde_redact_limit(1000) > 1000);
  assert_true(mde_redact_limit(SIZE_MAX) == SIZE_MAX);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(marks),
      cmocka_unit_test(no_text),
      cmocka_unit_test(a_failure_stays),
      cmocka_unit_test(limits),
  };
  return cmocka_run_group_tests_name("redaction", tests, NULL, NULL);
}
