/*
 * secret: grows, stops at its limit, keeps its contents when memory ends, and wipes what it gives
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "secret.h"
#include "test_allocator.h"

static void assert_contents(const struct mde_secret *secret, const char *expected)
{
  assert_int_equal(secret->length, strlen(expected));
  assert_memory_equal(secret->bytes, expected, strlen(expected));
}

static void grows_and_wipes(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_secret secret;
  mde_secret_init(&secret, test_allocator(&memory), 100000);
  assert_int_equal(memory.allocations, 0);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(mde_secret_append(&secret, "not-a-real-secret", 17), MDE_SECRET_OK);
  assert_int_equal(secret.length, 17000);
  for (size_t i = 0; i < secret.length; i += 17)
    assert_memory_equal(secret.bytes + i, "not-a-real-secret", 17);
  assert_int_equal(memory.live_blocks, 1);
  assert_true(memory.allocations > 1);
  mde_secret_clear(&secret);
  mde_secret_clear(&secret);
  assert_int_equal(mde_secret_append(&secret, "again", 5), MDE_SECRET_OK);
  assert_contents(&secret, "again");
  mde_secret_clear(&secret);
  test_allocator_finish(&memory);
}

static void stops_at_the_limit(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_secret secret;
  mde_secret_init(&secret, test_allocator(&memory), 8);
  assert_int_equal(mde_secret_append(&secret, "12345678", 8), MDE_SECRET_OK);
  assert_int_equal(mde_secret_append(&secret, "", 0), MDE_SECRET_OK);
  assert_int_equal(mde_secret_append(&secret, "9", 1), MDE_SECRET_TOO_LONG);
  assert_int_equal(mde_secret_append(&secret, "9", SIZE_MAX), MDE_SECRET_TOO_LONG);
  assert_int_equal(mde_secret_set(&secret, "123456789", 9), MDE_SECRET_TOO_LONG);
  assert_contents(&secret, "12345678");
  assert_int_equal(mde_secret_set(&secret, "short", 5), MDE_SECRET_OK);
  assert_contents(&secret, "short");
  mde_secret_clear(&secret);
  test_allocator_finish(&memory);
}

/*
 * Past half of its limit a secret once grew by what was appended, and copied all of it each time.
 */
static void grows_in_few_steps(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_secret secret;
  mde_secret_init(&secret, test_allocator(&memory), 100000);
  while (secret.length < secret.limit)
    assert_int_equal(mde_secret_append(&secret, "0123456789", 10), MDE_SECRET_OK);
  assert_in_range(memory.allocations, 1, 12);
  mde_secret_clear(&secret);
  test_allocator_finish(&memory);
}

static void keeps_its_contents_without_memory(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_secret secret;
  char block[200];
  memset(block, 'x', sizeof block);
  mde_secret_init(&secret, test_allocator(&memory), 1000);
  memory.fail_at = 1;
  assert_int_equal(mde_secret_append(&secret, "first", 5), MDE_SECRET_NO_MEMORY);
  assert_int_equal(secret.length, 0);
  assert_int_equal(mde_secret_append(&secret, "first", 5), MDE_SECRET_OK);
  memory.fail_at = 1;
  assert_int_equal(mde_secret_append(&secret, block, sizeof block), MDE_SECRET_NO_MEMORY);
  assert_contents(&secret, "first");
  memory.fail_at = 1;
  assert_int_equal(mde_secret_set(&secret, "second", 6), MDE_SECRET_NO_MEMORY);
  assert_contents(&secret, "first");
  mde_secret_clear(&secret);
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
  return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
