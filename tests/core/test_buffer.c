/*
 * buffer: grows, stops at its limit, keeps its contents when memory ends, and wipes what it gives
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buffer.h"
#include "test_allocator.h"

static void assert_contents(const struct mde_buffer *buffer, const char *expected)
{
  assert_int_equal(buffer->length, strlen(expected));
  assert_memory_equal(buffer->bytes, expected, strlen(expected));
}

static void grows_and_wipes(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer buffer;
  mde_buffer_init(&buffer, test_allocator(&memory), 100000);
  assert_int_equal(memory.allocations, 0);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(mde_buffer_append(&buffer, "not-a-real-secret", 17), MDE_BUFFER_OK);
  assert_int_equal(buffer.length, 17000);
  for (size_t i = 0; i < buffer.length; i += 17)
    assert_memory_equal(buffer.bytes + i, "not-a-real-secret", 17);
  assert_int_equal(memory.live_blocks, 1);
  assert_true(memory.allocations > 1);
  mde_buffer_clear(&buffer);
  mde_buffer_clear(&buffer);
  assert_int_equal(mde_buffer_append(&buffer, "again", 5), MDE_BUFFER_OK);
  assert_contents(&buffer, "again");
  mde_buffer_clear(&buffer);
  test_allocator_finish(&memory);
}

static void stops_at_the_limit(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer buffer;
  mde_buffer_init(&buffer, test_allocator(&memory), 8);
  assert_int_equal(mde_buffer_append(&buffer, "12345678", 8), MDE_BUFFER_OK);
  assert_int_equal(mde_buffer_append(&buffer, "", 0), MDE_BUFFER_OK);
  assert_int_equal(mde_buffer_append(&buffer, "9", 1), MDE_BUFFER_TOO_LONG);
  assert_int_equal(mde_buffer_append(&buffer, "9", SIZE_MAX), MDE_BUFFER_TOO_LONG);
  assert_int_equal(mde_buffer_set(&buffer, "123456789", 9), MDE_BUFFER_TOO_LONG);
  assert_contents(&buffer, "12345678");
  assert_int_equal(mde_buffer_set(&buffer, "short", 5), MDE_BUFFER_OK);
  assert_contents(&buffer, "short");
  mde_buffer_clear(&buffer);
  test_allocator_finish(&memory);
}

/*
 * Past half of its limit a buffer once grew by what was appended, and copied all of it each time.
 */
static void grows_in_few_steps(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer buffer;
  mde_buffer_init(&buffer, test_allocator(&memory), 100000);
  while (buffer.length < buffer.limit)
    assert_int_equal(mde_buffer_append(&buffer, "0123456789", 10), MDE_BUFFER_OK);
  assert_in_range(memory.allocations, 1, 12);
  mde_buffer_clear(&buffer);
  test_allocator_finish(&memory);
}

static void keeps_its_contents_without_memory(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer buffer;
  char block[200];
  memset(block, 'x', sizeof block);
  mde_buffer_init(&buffer, test_allocator(&memory), 1000);
  memory.fail_at = 1;
  assert_int_equal(mde_buffer_append(&buffer, "first", 5), MDE_BUFFER_NO_MEMORY);
  assert_int_equal(buffer.length, 0);
  assert_int_equal(mde_buffer_append(&buffer, "first", 5), MDE_BUFFER_OK);
  memory.fail_at = 1;
  assert_int_equal(mde_buffer_append(&buffer, block, sizeof block), MDE_BUFFER_NO_MEMORY);
  assert_contents(&buffer, "first");
  memory.fail_at = 1;
  assert_int_equal(mde_buffer_set(&buffer, "second", 6), MDE_BUFFER_NO_MEMORY);
  assert_contents(&buffer, "first");
  mde_buffer_clear(&buffer);
  test_allocator_finish(&memory);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(grows_and_wipes),
      cmocka_unit_test(stops_at_the_limit),
      cmocka_unit_test(grows_in_few_steps),
      cmocka_unit_test(keeps_its_contents_without_memory),
  };
  return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
