/*
 * service_time: which of three clocks counts, whatever one of them says, and what a row may do.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service_time.h"

#define NOW 1.8e9 /* the true time, when `ticked` is TICKED */
#define TICKED 5000.0
#define DAY 86400.0
#define YEAR (365 * DAY)

enum { SILENT = -1 };

/* How far each is ahead of the true time, and what comes of it. */
static void the_median_counts(void **state)
{
  (void)state;
  static const struct {
    double local;
    double api, token; /* SILENT: not heard */
    double expected;
  } cases[] = {
      {0, SILENT, SILENT, 0},
      {7200, SILENT, SILENT, 7200},
      /* Of two the earlier. */
      {0, 7200, SILENT, 0},
      {7200, 0, SILENT, 0},
      {0, -DAY, SILENT, -DAY},
      {0, SILENT, 600, 0},
      {600, SILENT, 0, 0},
      /* No single one wins. */
      {0, 0, 0, 0},
      {DAY, 0, 0, 0},
      {-DAY, 0, 0, 0},
      {20 * YEAR, 0, 0, 0},
      {0, DAY, 0, 0},
      {0, -DAY, 0, 0},
      {0, 20 * YEAR, 0, 0},
      {0, 0, DAY, 0},
      {0, 0, -DAY, 0},
      {0, 61, 0, 0},
      {10, 20, 30, 20},
      {30, 10, 20, 20},
      {20, 30, 10, 20},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_service_time time;
    mde_service_time_init(&time);
    if (cases[i].api != SILENT)
      mde_service_time_hear(&time, MDE_WITNESS_API, TICKED - 100, NOW - 100 + cases[i].api);
    if (cases[i].token != SILENT)
      mde_service_time_hear(&time, MDE_WITNESS_TOKEN, TICKED - 3000, NOW - 3000 + cases[i].token);
    double found = mde_service_time_at(&time, TICKED, NOW + cases[i].local);
    if (fabs(found - NOW - cases[i].expected) > 0.001)
      fail_msg("case %zu: %f ahead", i, found - NOW);
  }
}

static void a_clock_that_steps_is_one_witness(void **state)
{
  (void)state;
  struct mde_service_time time;
  mde_service_time_init(&time);
  mde_service_time_hear(&time, MDE_WITNESS_API, TICKED, NOW);
  mde_service_time_hear(&time, MDE_WITNESS_TOKEN, TICKED, NOW + 1);
  assert_true(mde_service_time_at(&time, TICKED + 10, NOW + 10 + YEAR) == NOW + 11);
  assert_true(mde_service_time_at(&time, TICKED + 10, 0) == NOW + 10);
}

static void the_last_word_of_a_witness_counts(void **state)
{
  (void)state;
  struct mde_service_time time;
  mde_service_time_init(&time);
  mde_service_time_hear(&time, MDE_WITNESS_API, TICKED, NOW - DAY);
  mde_service_time_hear(&time, MDE_WITNESS_API, TICKED + 1, NOW - 59);
  assert_true(mde_service_time_at(&time, TICKED + 1, NOW + 1) == NOW - 59);
}

static void what_cannot_be_a_time_is_no_testimony(void **state)
{
  (void)state;
  static const double told[] = {0, 1.5e9, 4.1e9, 1e18, -1, NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
    struct mde_service_time time;
    mde_service_time_init(&time);
    assert_false(mde_service_time_hear(&time, MDE_WITNESS_API, TICKED, told[i]));
    assert_true(mde_service_time_at(&time, TICKED, NOW) == NOW);
    assert_true(mde_service_time_spread(&time, TICKED, NOW) == 0);
  }
  struct mde_service_time time;
  mde_service_time_init(&time);
  assert_false(mde_service_time_hear(&time, MDE_WITNESS_API, NAN, NOW));
  assert_true(mde_service_time_hear(&time, MDE_WITNESS_TOKEN, TICKED, NOW));
  assert_true(mde_service_time_at(&time, TICKED, NOW) == NOW);
}

static void a_row_moves_the_time_forward_a_little(void **state)
{
  (void)state;
  static const struct {
    double created; /* ahead of NOW */
    bool moves;
    double expected; /* right away */
  } cases[] = {{-100, false, 0}, {0, false, 0},         {1, true, 1},    {300, true, 300},
               {301, false, 0},  {20 * YEAR, false, 0}, {NAN, false, 0}, {-20 * YEAR, false, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_service_time time;
    mde_service_time_init(&time);
    assert_int_equal(mde_service_time_row(&time, TICKED, NOW, NOW + cases[i].created),
                     cases[i].moves);
    assert_true(mde_service_time_at(&time, TICKED, NOW) == NOW + cases[i].expected);
    assert_true(mde_service_time_latest(&time, TICKED, NOW) == NOW + 300);
  }
}

/* Two hundred rows, each a little later than the last, move it no further than one. */
static void rows_do_not_add_up(void **state)
{
  (void)state;
  struct mde_service_time time;
  mde_service_time_init(&time);
  for (int i = 1; i <= 200; i++)
    mde_service_time_row(&time, TICKED, NOW, NOW + 10 * i);
  assert_true(mde_service_time_at(&time, TICKED, NOW) == NOW + 300);
  assert_true(mde_service_time_at(&time, TICKED, NOW - 1000) == NOW - 700);
}

static void how_far_they_are_apart(void **state)
{
  (void)state;
  struct mde_service_time time;
  mde_service_time_init(&time);
  mde_service_time_hear(&time, MDE_WITNESS_API, TICKED, NOW - 200);
  assert_true(mde_service_time_spread(&time, TICKED, NOW) == 200);
  mde_service_time_hear(&time, MDE_WITNESS_TOKEN, TICKED, NOW + 150);
  assert_true(mde_service_time_spread(&time, TICKED, NOW) == 350);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_median_counts),
      cmocka_unit_test(a_clock_that_steps_is_one_witness),
      cmocka_unit_test(the_last_word_of_a_witness_counts),
      cmocka_unit_test(what_cannot_be_a_time_is_no_testimony),
      cmocka_unit_test(a_row_moves_the_time_forward_a_little),
      cmocka_unit_test(rows_do_not_add_up),
      cmocka_unit_test(how_far_they_are_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
