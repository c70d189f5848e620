/*
 * seen: what a look has had is told by ids, and by times where there are too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "seen.h"
#include "timestamp.h"

static struct mde_id id_of(int n)
{
  struct mde_id id = {{0}};
  id.bytes[0] = (unsigned char)(n >> 8);
  id.bytes[15] = (unsigned char)n;
  return id;
}

static struct mde_action action(int n, enum mde_status status, int64_t created)
{
  return (struct mde_action){
      .counts = true, .has_id = true, .id = id_of(n), .status = status, .created = created};
}

static bool is_seen(const struct mde_seen *seen, struct mde_action one)
{
  mde_seen_mark(seen, &one, 1);
  return one.seen;
}

static void an_id_is_read_whatever_its_case(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool is_guid;
  } rows[] = {
      {"5c1f9a52-0000-4000-8000-0000000000aB", true},
      {"5C1F9A52-0000-4000-8000-0000000000AB", true},
      {"5c1f9a5200004000800000000000000000ab", false},
      {"5c1f9a52-0000-4000-8000-0000000000a", false},
      {"5c1f9a52-0000-4000-8000-0000000000abc", false},
      {"5c1f9a52_0000-4000-8000-0000000000ab", false},
      {"5c1f9a5g-0000-4000-8000-0000000000ab", false},
      {"", false},
  };
  struct mde_id first = {{0}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_id id = {{0}};
    struct mde_text text = {rows[i].text, strlen(rows[i].text)};
    assert_int_equal(rows[i].is_guid, mde_id_read(text, &id));
    if (i == 0) first = id;
    if (rows[i].is_guid) assert_memory_equal(&first, &id, sizeof id);
  }
  assert_int_equal(0x5c, first.bytes[0]);
  assert_int_equal(0xab, first.bytes[15]);
  assert_false(mde_id_read((struct mde_text){NULL, 0}, &first));
}

static void what_was_cancelled_since_counts_as_not_seen(void **state)
{
  (void)state;
  struct mde_seen seen;
  mde_seen_begin(&seen);
  assert_false(is_seen(&seen, action(1, MDE_STATUS_PENDING, 5)));
  mde_seen_add(&seen, id_of(1), MDE_STATUS_PENDING, 5);
  assert_true(is_seen(&seen, action(1, MDE_STATUS_PENDING, 5)));
  assert_true(is_seen(&seen, action(1, MDE_STATUS_FAILED, 5)));
  assert_false(is_seen(&seen, action(1, MDE_STATUS_CANCELLED, 5)));
  mde_seen_add(&seen, id_of(1), MDE_STATUS_CANCELLED, 5);
  assert_true(is_seen(&seen, action(1, MDE_STATUS_CANCELLED, 5)));
  assert_int_equal(1, seen.count);
}

static void what_has_no_id_is_not_seen(void **state)
{
  (void)state;
  struct mde_seen seen;
  mde_seen_begin(&seen);
  mde_seen_add(&seen, id_of(0), MDE_STATUS_PENDING, 5);
  struct mde_action nameless = action(0, MDE_STATUS_PENDING, 5);
  nameless.has_id = false;
  assert_false(is_seen(&seen, nameless));
}

static struct mde_action nameless(enum mde_status status, int64_t created)
{
  struct mde_action one = action(0, status, created);
  one.has_id = false;
  return one;
}

static void what_has_no_id_is_told_by_its_time(void **state)
{
  (void)state;
  struct mde_seen seen;
  mde_seen_begin(&seen);
  struct mde_action one = nameless(MDE_STATUS_PENDING, 50);
  assert_false(is_seen(&seen, one));
  mde_seen_add_action(&seen, &one);
  one.created = 40;
  mde_seen_add_action(&seen, &one);
  assert_int_equal(0, seen.count);
  assert_true(is_seen(&seen, nameless(MDE_STATUS_PENDING, 49)));
  assert_true(is_seen(&seen, nameless(MDE_STATUS_PENDING, 50)));
  assert_false(is_seen(&seen, nameless(MDE_STATUS_PENDING, 51)));
  assert_false(is_seen(&seen, nameless(MDE_STATUS_PENDING, MDE_NO_TIME)));
  assert_false(is_seen(&seen, action(1, MDE_STATUS_PENDING, 49)));
}

static void what_has_neither_is_seen_once_one_was(void **state)
{
  (void)state;
  struct mde_seen seen;
  mde_seen_begin(&seen);
  struct mde_action one = nameless(MDE_STATUS_PENDING, MDE_NO_TIME);
  assert_false(is_seen(&seen, one));
  mde_seen_add_action(&seen, &one);
  assert_true(is_seen(&seen, one));
  assert_false(is_seen(&seen, nameless(MDE_STATUS_PENDING, 5)));
  assert_false(is_seen(&seen, action(1, MDE_STATUS_PENDING, MDE_NO_TIME)));
}

static void an_id_of_zeros_is_an_id(void **state)
{
  (void)state;
  struct mde_seen seen;
  mde_seen_begin(&seen);
  struct mde_action one = action(1, MDE_STATUS_PENDING, 5);
  mde_seen_add_action(&seen, &one);
  assert_false(is_seen(&seen, action(0, MDE_STATUS_PENDING, 5)));
  assert_true(is_seen(&seen, one));
}

static void what_no_look_can_have_seen_is_not_valid(void **state)
{
  (void)state;
  struct mde_seen seen;
  mde_seen_begin(&seen);
  assert_true(mde_seen_is_valid(&seen));
  for (int i = 0; i < MDE_SEEN_MAX; i++)
    mde_seen_add(&seen, id_of(i), MDE_STATUS_CANCELLED, i);
  assert_true(mde_seen_is_valid(&seen));
  seen.actions[MDE_SEEN_MAX - 1].status = (enum mde_status)(MDE_STATUS_CANCELLED + 1);
  assert_false(mde_seen_is_valid(&seen));
  seen.count--;
  assert_true(mde_seen_is_valid(&seen));
  seen.count = -1;
  assert_false(mde_seen_is_valid(&seen));
  seen.actions[MDE_SEEN_MAX - 1].status = MDE_STATUS_PENDING;
  seen.count = MDE_SEEN_MAX + 1;
  assert_false(mde_seen_is_valid(&seen));
}

static void the_oldest_leaves_wherever_it_is(void **state)
{
  (void)state;
  for (int oldest = 0; oldest < MDE_SEEN_MAX; oldest++) {
    struct mde_seen seen;
    mde_seen_begin(&seen);
    for (int i = 0; i < MDE_SEEN_MAX; i++)
      mde_seen_add(&seen, id_of(i + 1), MDE_STATUS_SUCCEEDED, i == oldest ? 5 : 10 + i);
    mde_seen_add(&seen, id_of(100), MDE_STATUS_SUCCEEDED, 100);
    for (int i = 0; i < MDE_SEEN_MAX; i++) {
      struct mde_id id = id_of(i + 1);
      assert_int_equal(i != oldest, mde_seen_has(&seen, &id));
    }
    assert_int_equal(5, seen.older_until);
  }
}

/* In whichever order they come, the newest are known by their ids. */
static void of_too_many_the_older_are_told_by_their_times(void **state)
{
  (void)state;
  enum { COUNT = 3 * MDE_SEEN_MAX };
  for (int backwards = 0; backwards < 2; backwards++) {
    struct mde_seen seen;
    mde_seen_begin(&seen);
    mde_seen_add(&seen, id_of(9999), MDE_STATUS_PENDING, 1);
    for (int i = 0; i < COUNT; i++) {
      int n = backwards ? COUNT - i : i + 1;
      mde_seen_add(&seen, id_of(n), MDE_STATUS_SUCCEEDED, n * 10);
    }
    assert_int_equal(MDE_SEEN_MAX, seen.count);
    for (int n = 1; n <= COUNT; n++)
      assert_true(is_seen(&seen, action(n, MDE_STATUS_SUCCEEDED, n * 10)));
    assert_true(mde_seen_has(&seen, &(struct mde_id){{9999 >> 8, [15] = 9999 & 255}}));
    assert_false(is_seen(&seen, action(COUNT + 1, MDE_STATUS_SUCCEEDED, COUNT * 10 + 1)));
    assert_false(is_seen(&seen, action(COUNT + 1, MDE_STATUS_SUCCEEDED, COUNT * 10 - 5)));
    assert_true(is_seen(&seen, action(COUNT + 1, MDE_STATUS_SUCCEEDED, 5)));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_id_is_read_whatever_its_case),
      cmocka_unit_test(what_was_cancelled_since_counts_as_not_seen),
      cmocka_unit_test(what_has_no_id_is_not_seen),
      cmocka_unit_test(what_has_no_id_is_told_by_its_time),
      cmocka_unit_test(what_has_neither_is_seen_once_one_was),
      cmocka_unit_test(an_id_of_zeros_is_an_id),
      cmocka_unit_test(what_no_look_can_have_seen_is_not_valid),
      cmocka_unit_test(the_oldest_leaves_wherever_it_is),
      cmocka_unit_test(of_too_many_the_older_are_told_by_their_times),
  };
  return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
