/*
 * The limiter: tables of made-up sends, and random ones that are counted by a naive list as well.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "limiter.h"
#include "test_allocator.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HOUR 3600.0

/* ---- rules: what was sent, and what may go when */

enum { MOST_SENDS = 6, END = -1000 };

static const struct {
  const char *rule;
  struct mde_window windows[MDE_LIMITER_MAX_WINDOWS];
  double sends[MOST_SENDS + 1];      /* up to END */
  double given_back[MOST_SENDS + 1]; /* up to END */
  double now, wait;
  size_t remaining;
  double reset;
} rules[] = {
    {"nothing sent", {{3, 10}}, {END}, {END}, 0, 0, 3, 0},
    {"one sent", {{3, 10}}, {5, END}, {END}, 6, 0, 2, 9},
    {"full", {{3, 10}}, {5, 6, 7, END}, {END}, 8, 7, 0, 9},
    {"full until the moment before", {{3, 10}}, {5, 6, 7, END}, {END}, 14.75, 0.25, 0, 2.25},
    {"a send leaves when its time has passed", {{3, 10}}, {5, 6, 7, END}, {END}, 15, 0, 1, 2},
    {"all have left", {{3, 10}}, {5, 6, 7, END}, {END}, 17, 0, 3, 0},
    {"at one moment", {{3, 10}}, {5, 5, 5, END}, {END}, 5, 10, 0, 10},
    {"at one moment they leave together", {{3, 10}}, {5, 5, 5, END}, {END}, 15, 0, 3, 0},
    {"told out of order", {{3, 10}}, {7, 5, 6, END}, {END}, 8, 7, 0, 9},
    {"one in the future counts", {{2, 10}}, {5, 100, END}, {END}, 20, 0, 1, 90},
    {"more than there was room for", {{2, 10}}, {1, 2, 3, 4, END}, {END}, 5, 8, 0, 9},
    {"an older one than the ring has a place for", {{2, 10}}, {5, 6, 1, END}, {END}, 7, 8, 0, 9},
    {"before the clock began", {{2, 10}}, {-5, -4, END}, {END}, 0, 5, 0, 6},
    {"nothing may pass", {{0, 10}}, {END}, {END}, 0, -1, 0, 0},
    {"nothing may pass, whatever was told", {{0, 10}}, {1, 2, END}, {END}, 100, -1, 0, 0},

    {"the shorter window is full", {{2, 10}, {4, 100}}, {5, 6, END}, {END}, 7, 8, 0, 99},
    {"the longer window is full", {{2, 10}, {4, 100}}, {1, 2, 30, 31, END}, {END}, 50, 51, 0, 81},
    {"both are full", {{2, 10}, {4, 100}}, {1, 2, 30, 31, END}, {END}, 32, 69, 0, 99},
    {"room in both", {{2, 10}, {4, 100}}, {1, 2, 30, END}, {END}, 32, 0, 1, 98},
    {"whichever is named first", {{4, 100}, {2, 10}}, {1, 2, 30, 31, END}, {END}, 32, 69, 0, 99},
    {"one of two lets nothing pass", {{4, 100}, {0, 10}}, {1, END}, {END}, 2, -1, 0, 99},

    {"given back", {{2, 10}}, {5, 6, END}, {6, END}, 7, 0, 1, 8},
    {"given back, the older one", {{2, 10}}, {5, 6, END}, {5, END}, 7, 0, 1, 9},
    {"all given back", {{2, 10}}, {5, 6, END}, {5, 6, END}, 7, 0, 2, 0},
    {"one of two at one moment given back", {{2, 10}}, {5, 5, END}, {5, END}, 7, 0, 1, 8},
    {"the ring has turned, then given back", {{2, 10}}, {1, 20, 21, END}, {21, END}, 22, 0, 1, 8},
    {"more than room, one given back", {{2, 10}}, {1, 2, 3, END}, {3, END}, 4, 7, 0, 8},
    {"more than room, the oldest given back", {{2, 10}}, {1, 2, 3, END}, {2, END}, 4, 7, 0, 9},
    {"more than room, all given back: too many are counted",
     {{2, 10}},
     {1, 2, 3, 4, END},
     {3, 4, END},
     5,
     7,
     0,
     7},
};

static void keeps_the_rules(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(rules); i++) {
    struct test_memory memory = {0};
    struct mde_limiter limiter;
    size_t windows = rules[i].windows[1].seconds > 0 ? 2 : 1;
    mde_limiter_init(&limiter, test_allocator(&memory), rules[i].windows, windows);
    for (const double *send = rules[i].sends; *send != END; send++)
      assert_true(mde_limiter_take(&limiter, *send));
    for (const double *send = rules[i].given_back; *send != END; send++)
      assert_true(mde_limiter_give_back(&limiter, *send));
    double wait = mde_limiter_wait(&limiter, rules[i].now, 0);
    size_t remaining = mde_limiter_remaining(&limiter, rules[i].now);
    double reset = mde_limiter_reset(&limiter, rules[i].now);
    if (wait != rules[i].wait || remaining != rules[i].remaining || reset != rules[i].reset)
      fail_msg("%s: wait %g, remaining %zu, reset %g", rules[i].rule, wait, remaining, reset);
    mde_limiter_clear(&limiter);
    test_allocator_finish(&memory);
  }
}

static void leaves_a_reserve_to_others(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_limiter limiter;
  mde_limiter_init(&limiter, test_allocator(&memory),
                   (struct mde_window[]){{.count = 3, .seconds = 10}, {.count = 5, .seconds = 100}},
                   2);
  assert_true(mde_limiter_take(&limiter, 1));
  assert_true(mde_limiter_take(&limiter, 2));
  assert_true(mde_limiter_wait(&limiter, 3, 0) == 0);
  assert_true(mde_limiter_wait(&limiter, 3, 1) == 8);
  assert_true(mde_limiter_wait(&limiter, 3, 2) == 9);
  assert_true(mde_limiter_wait(&limiter, 3, 3) == -1);
  assert_true(mde_limiter_take(&limiter, 20));
  assert_true(mde_limiter_wait(&limiter, 21, 2) == 80);
  mde_limiter_clear(&limiter);
  assert_true(mde_limiter_wait(&limiter, 3, 2) == 0);
  assert_true(mde_limiter_wait(&limiter, 3, 4) == -1);
  test_allocator_finish(&memory);
}

enum { ROOM_FOR_PACKED = 64 };

static void is_handed_over_as_bytes(void **state)
{
  (void)state;
  for (size_t sends = 0; sends <= MOST_SENDS; sends++) {
    struct test_memory memory = {0};
    struct mde_limiter one;
    struct mde_limiter other;
    unsigned char bytes[ROOM_FOR_PACKED];
    mde_limiter_init(&one, test_allocator(&memory), &(struct mde_window){3, 10}, 1);
    mde_limiter_init(&other, test_allocator(&memory), &(struct mde_window){3, 10}, 1);
    assert_true(mde_limiter_take(&other, 99));
    for (size_t i = 0; i < sends; i++)
      assert_true(mde_limiter_take(&one, 1.25 * (double)i));
    size_t size = mde_limiter_packed_size(&one);
    assert_int_equal(size, 8 * (1 + (sends < 3 ? sends : 3)));
    mde_limiter_pack(&one, bytes);
    assert_int_equal(mde_limiter_unpack(&other, bytes, size), MDE_UNPACK_STATUS_OK);
    for (double now = 0; now < 25; now += 0.5) {
      assert_true(mde_limiter_wait(&one, now, 0) == mde_limiter_wait(&other, now, 0));
      assert_int_equal(mde_limiter_remaining(&one, now), mde_limiter_remaining(&other, now));
    }
    /* What was forgotten is handed over, too. */
    if (sends > 0) {
      assert_true(mde_limiter_give_back(&one, 1.25 * (double)(sends - 1)));
      assert_true(mde_limiter_give_back(&other, 1.25 * (double)(sends - 1)));
    }
    assert_int_equal(mde_limiter_remaining(&one, 2), mde_limiter_remaining(&other, 2));
    mde_limiter_clear(&one);
    mde_limiter_clear(&other);
    test_allocator_finish(&memory);
  }
}

static void takes_no_bytes_that_are_no_sends(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_limiter one;
  struct mde_limiter other;
  unsigned char bytes[ROOM_FOR_PACKED];
  mde_limiter_init(&one, test_allocator(&memory), &(struct mde_window){4, 10}, 1);
  mde_limiter_init(&other, test_allocator(&memory), &(struct mde_window){3, 10}, 1);
  for (int i = 1; i <= 4; i++)
    assert_true(mde_limiter_take(&one, i));
  mde_limiter_pack(&one, bytes);
  static const struct {
    const char *what;
    size_t at, length;
    double instead; /* what stands at `at` */
  } damages[] = {
      {"nothing", 0, 0, -INFINITY},
      {"a part of a send", 0, 15, -INFINITY},
      {"not a number", 8, 32, NAN},
      {"no time", 16, 32, INFINITY},
      {"not ascending", 16, 32, 0.5},
      {"forgotten after them", 0, 32, 2},
      {"forgotten for ever", 0, 32, INFINITY},
  };
  for (size_t i = 0; i < COUNT(damages); i++) {
    unsigned char damaged[ROOM_FOR_PACKED];
    memcpy(damaged, bytes, sizeof damaged);
    uint64_t bits;
    memcpy(&bits, &damages[i].instead, sizeof bits);
    for (size_t byte = 0; byte < 8; byte++)
      damaged[damages[i].at + byte] = (unsigned char)(bits >> (8 * byte));
    assert_true(mde_limiter_take(&other, 1));
    if (mde_limiter_unpack(&other, damaged, damages[i].length) != MDE_UNPACK_STATUS_DAMAGED)
      fail_msg("%s was taken for sends", damages[i].what);
    assert_int_equal(mde_limiter_remaining(&other, 1), 3);
  }
  /* Of four sends the three latest; the other is known to have been. */
  assert_int_equal(mde_limiter_unpack(&other, bytes, 40), MDE_UNPACK_STATUS_OK);
  assert_true(mde_limiter_wait(&other, 5, 0) == 7);
  assert_true(mde_limiter_give_back(&other, 4));
  assert_true(mde_limiter_wait(&other, 5, 0) == 6);
  mde_limiter_clear(&other);
  memory.fail_at = 1;
  assert_int_equal(mde_limiter_unpack(&other, bytes, 32), MDE_UNPACK_STATUS_NO_MEMORY);
  assert_int_equal(mde_limiter_remaining(&other, 1), 3);
  mde_limiter_clear(&one);
  mde_limiter_clear(&other);
  test_allocator_finish(&memory);
}

static void gives_back_only_what_was_taken(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_limiter limiter;
  mde_limiter_init(&limiter, test_allocator(&memory), &(struct mde_window){2, 10}, 1);
  assert_false(mde_limiter_give_back(&limiter, 1));
  assert_true(mde_limiter_take(&limiter, 1));
  assert_false(mde_limiter_give_back(&limiter, 2));
  assert_true(mde_limiter_give_back(&limiter, 1));
  assert_false(mde_limiter_give_back(&limiter, 1));
  assert_int_equal(mde_limiter_remaining(&limiter, 1), 2);
  mde_limiter_clear(&limiter);
  test_allocator_finish(&memory);
}

/* ---- memory */

static void takes_memory_once(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_limiter limiter;
  mde_limiter_init(&limiter, test_allocator(&memory), &(struct mde_window){100, 60}, 1);
  assert_int_equal(memory.allocations, 0);
  for (int i = 0; i < 1000; i++)
    assert_true(mde_limiter_take(&limiter, i));
  assert_int_equal(memory.allocations, 1);
  assert_int_equal(memory.live_bytes, 100 * sizeof(double));
  mde_limiter_clear(&limiter);
  mde_limiter_clear(&limiter);
  assert_int_equal(mde_limiter_remaining(&limiter, 1000), 100);
  assert_true(mde_limiter_take(&limiter, 1000));
  assert_int_equal(mde_limiter_remaining(&limiter, 1000), 99);
  mde_limiter_clear(&limiter);
  test_allocator_finish(&memory);
}

static void lets_nothing_go_without_memory(void **state)
{
  (void)state;
  struct test_memory memory = {.fail_at = 1};
  struct mde_limiter limiter;
  mde_limiter_init(&limiter, test_allocator(&memory), &(struct mde_window){2, 10}, 1);
  assert_false(mde_limiter_take(&limiter, 1));
  assert_int_equal(mde_limiter_remaining(&limiter, 1), 2);
  assert_false(mde_limiter_give_back(&limiter, 1));
  assert_true(mde_limiter_take(&limiter, 1));
  assert_int_equal(mde_limiter_remaining(&limiter, 1), 1);
  mde_limiter_clear(&limiter);
  test_allocator_finish(&memory);
}

/* ---- a naive list beside it */

enum { MOST_LISTED = 4000, LONGEST_WINDOW = 60, STEPS = 2000, ROUNDS = 60 };

struct list {
  double sends[MOST_LISTED];
  size_t length;
};

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % below;
}

static size_t list_used(const struct list *list, const struct mde_window *window, double now)
{
  size_t taken = 0;
  for (size_t i = 0; i < list->length; i++)
    if (list->sends[i] + window->seconds > now) taken++;
  return taken;
}

static size_t list_remaining(const struct list *list, const struct mde_window *windows, double now)
{
  size_t remaining = SIZE_MAX;
  for (size_t w = 0; w < 2; w++) {
    size_t taken = list_used(list, &windows[w], now);
    size_t left = taken < windows[w].count ? windows[w].count - taken : 0;
    if (left < remaining) remaining = left;
  }
  return remaining;
}

/* Room comes only when a send leaves: the first such moment, in whole seconds as all times here. */
static double list_wait(const struct list *list, const struct mde_window *windows, double now)
{
  double wait = 0;
  while (list_remaining(list, windows, now + wait) == 0)
    wait++;
  return wait;
}

static double list_reset(const struct list *list, const struct mde_window *windows, double now)
{
  double reset = 0;
  while (list_used(list, &windows[0], now + reset) + list_used(list, &windows[1], now + reset) > 0)
    reset++;
  return reset;
}

static void list_remove(struct list *list, size_t i)
{
  list->sends[i] = list->sends[--list->length];
}

/* What no window can have in it any more. */
static void list_prune(struct list *list, double now)
{
  for (size_t i = list->length; i > 0; i--)
    if (list->sends[i - 1] + LONGEST_WINDOW <= now) list_remove(list, i - 1);
}

static void counts_as_a_naive_list(void **state)
{
  (void)state;
  static struct list list;
  for (uint32_t round = 1; round <= ROUNDS; round++) {
    random_state = round * 2654435761u;
    struct mde_window windows[2] = {{1 + draw(6), 1 + draw(20)},
                                    {1 + draw(12), 1 + draw(LONGEST_WINDOW)}};
    struct test_memory memory = {0};
    struct mde_limiter limiter;
    mde_limiter_init(&limiter, test_allocator(&memory), windows, 2);
    list.length = 0;
    double now = 100;
    for (int step = 0; step < STEPS && list.length < MOST_LISTED; step++) {
      uint32_t what = draw(10);
      if (what < 4) now += draw(8);
      list_prune(&list, now);
      if (what >= 4 && what < 8 && mde_limiter_wait(&limiter, now, 0) == 0) {
        /* Every send that may go is also one that the list has room for. */
        assert_true(list_remaining(&list, windows, now) > 0);
        assert_true(mde_limiter_take(&limiter, now));
        list.sends[list.length++] = now;
      }
      if (what == 8 && list.length > 0) {
        size_t i = draw((uint32_t)list.length);
        /* Not known any more: no window has it in it. */
        if (mde_limiter_give_back(&limiter, list.sends[i])) list_remove(&list, i);
      }
      if (what == 9 && list.length > 0 && mde_limiter_wait(&limiter, now, 0) == 0) {
        /* Learnt of later: sent a while ago. */
        double earlier = now - draw(10);
        assert_true(mde_limiter_take(&limiter, earlier));
        list.sends[list.length++] = earlier;
      }
      assert_int_equal(mde_limiter_remaining(&limiter, now), list_remaining(&list, windows, now));
      assert_true(mde_limiter_wait(&limiter, now, 0) == list_wait(&list, windows, now));
      assert_true(mde_limiter_reset(&limiter, now) == list_reset(&list, windows, now));
    }
    mde_limiter_clear(&limiter);
    test_allocator_finish(&memory);
  }
}

/* More taken than there was room for, and given back at will: never fewer are counted than there
 * were. */
static void never_counts_too_few(void **state)
{
  (void)state;
  static struct list list;
  size_t exact = 0;
  for (uint32_t round = 1; round <= ROUNDS; round++) {
    random_state = round * 2246822519u;
    struct mde_window windows[2] = {{1 + draw(6), 1 + draw(20)},
                                    {1 + draw(12), 1 + draw(LONGEST_WINDOW)}};
    struct test_memory memory = {0};
    struct mde_limiter limiter;
    mde_limiter_init(&limiter, test_allocator(&memory), windows, 2);
    list.length = 0;
    double now = 100;
    for (int step = 0; step < STEPS && list.length < MOST_LISTED; step++) {
      uint32_t what = draw(8);
      if (what < 2) now += draw(12);
      list_prune(&list, now);
      if (what >= 2 && what < 6) {
        double time = now - draw(4);
        assert_true(mde_limiter_take(&limiter, time));
        list.sends[list.length++] = time;
      }
      if (what == 6 && list.length > 0) {
        size_t i = draw((uint32_t)list.length);
        mde_limiter_give_back(&limiter, list.sends[i]);
        list_remove(&list, i);
      }
      size_t remaining = list_remaining(&list, windows, now);
      assert_true(mde_limiter_remaining(&limiter, now) <= remaining);
      assert_true(mde_limiter_wait(&limiter, now, 0) >= list_wait(&list, windows, now));
      if (mde_limiter_remaining(&limiter, now) == remaining) exact++;
    }
    mde_limiter_clear(&limiter);
    test_allocator_finish(&memory);
  }
  /* Nor does it refuse everything. */
  assert_true(exact > (size_t)ROUNDS * STEPS / 2);
}

/* ---- the limits that it is made for */

static double last_of(struct mde_limiter *limiter, int sends)
{
  double now = 0;
  for (int i = 0; i < sends; i++) {
    now += mde_limiter_wait(limiter, now, 0);
    assert_true(mde_limiter_take(limiter, now));
  }
  return now;
}

static void uses_the_service_s_limits_in_full(void **state)
{
  (void)state;
  static const struct mde_window windows[] = {{100, 60 + 2}, {1500, HOUR + 2}};
  static const struct {
    int sends;
    double last;
  } cases[] = {
      {100, 0}, {101, 62}, {1500, 14 * 62}, {1501, HOUR + 2}, {10000, 6 * (HOUR + 2) + 9 * 62}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct test_memory memory = {0};
    struct mde_limiter limiter;
    mde_limiter_init(&limiter, test_allocator(&memory), windows, 2);
    double last = last_of(&limiter, cases[i].sends);
    if (last != cases[i].last) fail_msg("the last of %d goes at %g", cases[i].sends, last);
    mde_limiter_clear(&limiter);
    test_allocator_finish(&memory);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_the_rules),
      cmocka_unit_test(leaves_a_reserve_to_others),
      cmocka_unit_test(is_handed_over_as_bytes),
      cmocka_unit_test(takes_no_bytes_that_are_no_sends),
      cmocka_unit_test(gives_back_only_what_was_taken),
      cmocka_unit_test(takes_memory_once),
      cmocka_unit_test(lets_nothing_go_without_memory),
      cmocka_unit_test(counts_as_a_naive_list),
      cmocka_unit_test(never_counts_too_few),
      cmocka_unit_test(uses_the_service_s_limits_in_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
