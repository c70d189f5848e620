/*
 * packed_change: what was packed goes on where it was, and nothing else is unpacked. That all of a
 * change is packed, the exploration sees in each of its states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "packed_change.h"
#include "timestamp.h"

#define SECOND MDE_TICKS_PER_SECOND
#define SERVICE (1000000 * SECOND)

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, strlen(s)};
}

static struct mde_order order(void)
{
  return (struct mde_order){.response = &mde_responses[MDE_RESPONSE_RESTRICT],
                            .machine = text("0123456789abcdef0123456789abcdef01234567"),
                            .operation = text("ours-0001"),
                            .comment = text("beacon to known C2 [mde:ours-0001]"),
                            .look = true,
                            .resend = true,
                            .decided_at = MDE_NO_TIME,
                            .withdrawn_since = MDE_NO_TIME};
}

/* A restrict that looked at 100 s, when there was one release, and left at 101 s. */
static struct mde_change sent(const struct mde_order *what)
{
  struct mde_change change;
  mde_change_begin(&change, what, 100 * SECOND);
  struct mde_action release = {.counts = true,
                               .has_id = true,
                               .id = {{7}},
                               .response = &mde_responses[MDE_RESPONSE_RELEASE],
                               .status = MDE_STATUS_SUCCEEDED,
                               .created = SERVICE - 1000 * SECOND,
                               .updated = SERVICE - 900 * SECOND};
  struct mde_list list = {
      .read_at = 100 * SECOND, .told_at = 100 * SECOND, .began_at = SERVICE + 100 * SECOND};
  size_t about;
  size_t overturned;
  assert_int_equal(MDE_CHANGE_OK,
                   mde_change_history(&change, what, &release, 1, &list, &about, &overturned));
  struct mde_moment moment = {.now = 101 * SECOND, .sent_at = MDE_NO_TIME};
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(&change, what, MDE_EVENT_SLOT_TAKEN, moment));
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(&change, what, MDE_EVENT_SENDING, moment));
  return change;
}

static size_t pack(unsigned char bytes[MDE_PACKED_CHANGE_MAX])
{
  struct mde_order what = order();
  struct mde_change change = sent(&what);
  return mde_change_pack(&change, 110 * SECOND, bytes);
}

static void another_process_finds_out_what_became_of_it(void **state)
{
  (void)state;
  unsigned char bytes[MDE_PACKED_CHANGE_MAX];
  size_t size = pack(bytes);
  struct mde_order what = order();
  struct mde_change change;
  assert_true(mde_change_unpack(&change, bytes, size, 5 * SECOND, 3600 * SECOND));
  assert_int_equal(MDE_FATE_UNKNOWN, mde_change_result(&change).fate);
  assert_int_equal(MDE_SLOT_COUNT, mde_change_result(&change).slot);
  struct mde_moment moment = {.now = 5 * SECOND, .sent_at = SERVICE + 101 * SECOND};
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(&change, &what, MDE_EVENT_LOST, moment));
  assert_int_equal(MDE_WANT_SLEEP, mde_change_next(&change).want);
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(&change, &what, MDE_EVENT_SLEPT, moment));

  /* The release that the look had seen does not supersede it; a new one does. */
  struct mde_action actions[2] = {{.counts = true,
                                   .has_id = true,
                                   .id = {{7}},
                                   .response = &mde_responses[MDE_RESPONSE_RELEASE],
                                   .status = MDE_STATUS_SUCCEEDED,
                                   .created = SERVICE - 1000 * SECOND}};
  actions[1] = actions[0];
  actions[1].id.bytes[0] = 8;
  struct mde_list list = {.read_at = 5 * SECOND, .told_at = 5 * SECOND};
  size_t about;
  size_t overturned;
  struct mde_change same = change;
  mde_change_history(&same, &what, actions, 1, &list, &about, &overturned);
  assert_int_equal(MDE_NO_ACTION, about);
  assert_int_equal(MDE_WANT_SLEEP, mde_change_next(&same).want);
  mde_change_history(&change, &what, actions, 2, &list, &about, &overturned);
  assert_int_equal(1, about);
  assert_int_equal(MDE_FATE_SUPERSEDED, mde_change_result(&change).fate);
}

static void its_ages_go_on_while_nobody_has_it(void **state)
{
  (void)state;
  static const struct {
    int64_t packed_at, now, away, looked_at;
  } rows[] = {
      {110, 110, 0, 100},      {110, 5, 0, -5}, {110, 5, 30, -35},
      {110, 5000, 3600, 1390}, {100, 0, 0, 0},
  };
  struct mde_order what = order();
  struct mde_change change = sent(&what);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    unsigned char bytes[MDE_PACKED_CHANGE_MAX];
    size_t size = mde_change_pack(&change, rows[i].packed_at * SECOND, bytes);
    struct mde_change back;
    assert_true(mde_change_unpack(&back, bytes, size, rows[i].now * SECOND, rows[i].away * SECOND));
    assert_int_equal(rows[i].looked_at * SECOND, back.looked_at);
    assert_int_equal(rows[i].looked_at * SECOND, back.began);
  }
}

static void a_change_that_never_looked_has_no_age_of_it(void **state)
{
  (void)state;
  struct mde_order what = order();
  what.look = false;
  struct mde_change change;
  mde_change_begin(&change, &what, 0);
  unsigned char bytes[MDE_PACKED_CHANGE_MAX];
  size_t size = mde_change_pack(&change, 50 * SECOND, bytes);
  struct mde_change back;
  assert_true(mde_change_unpack(&back, bytes, size, 7 * SECOND, 10 * SECOND));
  assert_true(back.looked_at == MDE_NO_TIME && back.sent_at == MDE_NO_TIME);
  assert_int_equal(-53 * SECOND, back.began);
}

static void as_many_as_can_be_seen_fit_in(void **state)
{
  (void)state;
  struct mde_order what = order();
  struct mde_change change;
  mde_change_begin(&change, &what, 0);
  for (int i = 0; i < MDE_SEEN_MAX; i++) {
    struct mde_id id = {{(unsigned char)(i + 1)}};
    mde_change_see(&change, id, MDE_STATUS_CANCELLED);
  }
  unsigned char bytes[MDE_PACKED_CHANGE_MAX];
  size_t size = mde_change_pack(&change, 0, bytes);
  assert_true(size <= MDE_PACKED_CHANGE_MAX);
  struct mde_change back;
  assert_true(mde_change_unpack(&back, bytes, size, 0, 0));
  assert_memory_equal(&change, &back, sizeof back);
}

static void nothing_else_is_unpacked(void **state)
{
  (void)state;
  unsigned char bytes[MDE_PACKED_CHANGE_MAX + 1] = {0};
  size_t size = pack(bytes);
  struct mde_change change;
  for (size_t i = 0; i < size; i++)
    assert_false(mde_change_unpack(&change, bytes, i, 0, 0));
  assert_false(mde_change_unpack(&change, bytes, size + 1, 0, 0));
  assert_true(mde_change_unpack(&change, bytes, size, 0, 0));
  assert_false(mde_change_unpack(&change, bytes, size, INT64_MAX, 0));
  assert_false(mde_change_unpack(&change, bytes, size, 0, INT64_MIN));

  static const struct {
    size_t at;
    unsigned char value;
  } wrong[] = {
      {0, 2},   {0, 4},   {1, 17}, {1, 4},   {1, 255}, {2, 0},    {2, 5},  {3, 9},
      {4, 22},  {5, 3},   {6, 64}, {6, 255}, {7, 16},  {8, 11},   {9, 1},  {9, 3},
      {9, 255}, {18, 64}, {50, 0}, {50, 2},  {50, 25}, {50, 255}, {67, 4},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    unsigned char was = bytes[wrong[i].at];
    assert_int_not_equal(was, wrong[i].value);
    bytes[wrong[i].at] = wrong[i].value;
    if (mde_change_unpack(&change, bytes, size, 0, 0))
      fail_msg("byte %zu is taken as %d", wrong[i].at, wrong[i].value);
    bytes[wrong[i].at] = was;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_process_finds_out_what_became_of_it),
      cmocka_unit_test(its_ages_go_on_while_nobody_has_it),
      cmocka_unit_test(a_change_that_never_looked_has_no_age_of_it),
      cmocka_unit_test(as_many_as_can_be_seen_fit_in),
      cmocka_unit_test(nothing_else_is_unpacked),
  };
  return cmocka_run_group_tests_name("packed_change", tests, NULL, NULL);
}
