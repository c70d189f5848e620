/*
 * stop_rules: what a run is told, one thing after the other, and what stops it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stop_rules.h"
#include "test_edge.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static enum mde_stop_event event_named(const char *name)
{
  for (int event = 0; event < MDE_STOP_EVENTS; event++)
    if (strcmp(mde_stop_event_name((enum mde_stop_event)event), name) == 0)
      return (enum mde_stop_event)event;
  fail_msg("no event is named %s", name);
  return MDE_STOP_EVENTS;
}

/*
 * Tells it each event in a text: "done", "unknown*19" so many times, "forbidden:a" of a device,
 * "cap:100" with the time. Returns what the last one said.
 */
static struct mde_stop tell(struct mde_stop_rules *rules, const char *events)
{
  struct mde_stop stop = rules->stop;
  while (*events != '\0') {
    char word[64], *behind;
    size_t length = strcspn(events, " ");
    assert_true(length < sizeof word);
    snprintf(word, sizeof word, "%.*s", (int)length, events);
    long times = 1;
    if ((behind = strchr(word, '*')) != NULL) {
      *behind = '\0';
      times = strtol(behind + 1, NULL, 10);
    }
    struct mde_text device = {NULL, 0};
    if ((behind = strchr(word, ':')) != NULL) {
      *behind = '\0';
      device = test_edge_string(behind + 1);
    }
    double retry_at = behind != NULL ? strtod(behind + 1, NULL) : 0;
    for (long i = 0; i < times; i++)
      stop = mde_stop_rules_note(rules, event_named(word), device, retry_at);
    events += length;
    events += strspn(events, " ");
  }
  return stop;
}

#define GO_ON MDE_STOP_RULE_NONE, MDE_STOP_GO_ON, 0, 0, 0, 0
#define ABORT(rule, count) MDE_STOP_RULE_##rule, MDE_STOP_ABORT, count, count, 0, 0
#define PAUSE(rule, count) MDE_STOP_RULE_##rule, MDE_STOP_PAUSE, count, count, 0, 0
#define STOP(rule) MDE_STOP_RULE_##rule, MDE_STOP_STOP, 1, 1, 0, 0

static const struct {
  const char *rule_in_words;
  const char *events;
  enum mde_stop_rule rule;
  enum mde_stop_kind kind;
  size_t count, limit, of;
  double retry_at;
} rules[] = {
    /* what goes on */
    {"nothing happened", "", GO_ON},
    {"all is done", "done*1000", GO_ON},
    {"what failed on its device is no reason", "answered*1000", GO_ON},
    {"nor what was left", "left*1000", GO_ON},
    {"all of that together", "done answered left answered left done answered*500 left*500", GO_ON},

    /* at once */
    {"the role is missing", "done role", ABORT(ROLE, 1)},
    {"the sign-in is refused", "sign_in", ABORT(SIGN_IN, 1)},
    {"the proxy refuses", "proxy", ABORT(PROXY, 1)},
    {"the journal cannot be written", "done*9 journal", STOP(JOURNAL)},
    {"the store fails", "store", STOP(STORE)},
    {"a person asked", "done asked", STOP(ASKED)},
    {"its time has come", "until", STOP(UNTIL)},
    {"the cap is full", "cap:1795960800", MDE_STOP_RULE_CAP, MDE_STOP_PAUSE, 1, 1, 0, 1795960800},
    {"the cap is full, and will be", "cap", PAUSE(CAP, 1)},
    {"the cap is full until a time before 1970", "cap:-5", MDE_STOP_RULE_CAP, MDE_STOP_PAUSE, 1, 1,
     0, -5},
    {"only the cap has a time", "journal:5", STOP(JOURNAL)},

    /* forbidden */
    {"two are forbidden", "forbidden:a forbidden:b", GO_ON},
    {"three are forbidden", "forbidden:a forbidden:b forbidden:c", ABORT(FORBIDDEN, 3)},
    {"a success between", "forbidden:a forbidden:b done forbidden:c forbidden:d", GO_ON},
    {"and three more", "forbidden:a forbidden:b done forbidden:a forbidden:b forbidden:c",
     ABORT(FORBIDDEN, 3)},
    {"one device three times", "forbidden:a*3", GO_ON},
    {"one device a thousand times", "forbidden:a*1000", GO_ON},
    {"two devices in turn", "forbidden:a forbidden:b forbidden:a forbidden:b forbidden:a", GO_ON},
    {"one of three twice", "forbidden:a forbidden:b forbidden:a forbidden:c", ABORT(FORBIDDEN, 3)},
    {"one device in two cases", "forbidden:ab forbidden:AB forbidden:aB forbidden:c", GO_ON},
    {"one device is the beginning of another", "forbidden:a forbidden:aa forbidden:aaa",
     ABORT(FORBIDDEN, 3)},
    {"devices that are not named", "forbidden*3", ABORT(FORBIDDEN, 3)},
    {"devices whose names are empty", "forbidden: forbidden: forbidden:", ABORT(FORBIDDEN, 3)},
    {"two that are not named, and one that is", "forbidden forbidden:a forbidden",
     ABORT(FORBIDDEN, 3)},
    {"one that was left between", "forbidden:a left forbidden:b left forbidden:c",
     ABORT(FORBIDDEN, 3)},
    {"one that failed between", "forbidden:a answered forbidden:b answered forbidden:c",
     ABORT(FORBIDDEN, 3)},
    {"an unknown one between", "forbidden:a unknown forbidden:b no_answer forbidden:c",
     ABORT(FORBIDDEN, 3)},
    {"a superseded one between", "forbidden:a superseded forbidden:b superseded forbidden:c",
     ABORT(FORBIDDEN, 3)},

    /* without an answer, in a row */
    {"19 without an answer", "no_answer*19", GO_ON},
    {"20 without an answer", "no_answer*20", PAUSE(UNKNOWN_IN_A_ROW, 20)},
    {"unknown ones are of the row", "no_answer*11 unknown*9", PAUSE(UNKNOWN_IN_A_ROW, 20)},
    {"a success ends the row", "no_answer*19 done no_answer*19", GO_ON},
    {"an answer ends the row", "no_answer*19 answered no_answer*19", GO_ON},
    {"a 403 ends the row", "no_answer*19 forbidden:a no_answer*19", GO_ON},
    {"a superseded one ends the row", "no_answer*19 superseded no_answer*19", GO_ON},
    {"one that was left does not", "no_answer*19 left*99 no_answer", PAUSE(UNKNOWN_IN_A_ROW, 20)},
    {"every other one", "no_answer*19 done no_answer*19 done no_answer*19 done", GO_ON},

    /* unknown, among the last */
    {"9 unknown", "unknown*9", GO_ON},
    {"10 unknown", "unknown*10", MDE_STOP_RULE_UNKNOWN_LAST, MDE_STOP_PAUSE, 10, 10, 50, 0},
    {"10 of 50", "unknown*9 done*40 unknown", MDE_STOP_RULE_UNKNOWN_LAST, MDE_STOP_PAUSE, 10, 10,
     50, 0},
    {"10 of 51", "unknown*9 done*41 unknown", GO_ON},
    {"10 of 51, and one more", "unknown*9 done*41 unknown*2", GO_ON},
    {"a success does not forget them",
     "unknown done unknown done unknown done unknown done unknown "
     "done unknown done unknown done unknown done unknown done "
     "unknown",
     MDE_STOP_RULE_UNKNOWN_LAST, MDE_STOP_PAUSE, 10, 10, 50, 0},
    {"those that failed are among the last", "unknown*9 answered*41 unknown", GO_ON},
    {"those without an answer are among the last",
     "unknown*9 no_answer*10 done no_answer*19 done no_answer*10 unknown", GO_ON},
    {"forbidden ones are among the last", "unknown*9 forbidden:a*41 unknown", GO_ON},
    {"superseded ones are among the last", "unknown*9 superseded*2 done*39 unknown", GO_ON},
    {"those that were left are not", "unknown*9 left*1000 unknown", MDE_STOP_RULE_UNKNOWN_LAST,
     MDE_STOP_PAUSE, 10, 10, 50, 0},
    {"long ago", "unknown*9 done*1000 unknown*9 done*1000 unknown*9", GO_ON},
    {"those without an answer are not unknown", "no_answer*19 done unknown*9", GO_ON},

    /* superseded */
    {"two superseded", "superseded*2", GO_ON},
    {"three superseded", "superseded*3", PAUSE(SUPERSEDED, 3)},
    {"three in the run, however far apart", "superseded done*500 superseded done*500 superseded",
     PAUSE(SUPERSEDED, 3)},

    /* the first reason stays */
    {"a success does not bring it back", "role done*1000", ABORT(ROLE, 1)},
    {"a later reason does not count", "asked role sign_in store", STOP(ASKED)},
    {"nor does the cap's time", "until cap:5", STOP(UNTIL)},
    {"nor a later time of the cap", "cap:5 cap:9", MDE_STOP_RULE_CAP, MDE_STOP_PAUSE, 1, 1, 0, 5},
    {"nor the numbers of what still ends", "no_answer*25", PAUSE(UNKNOWN_IN_A_ROW, 20)},
    {"nor more unknown ones", "unknown*30", MDE_STOP_RULE_UNKNOWN_LAST, MDE_STOP_PAUSE, 10, 10, 50,
     0},
    {"nor more forbidden ones", "forbidden*40", ABORT(FORBIDDEN, 3)},
    {"nor more superseded ones", "superseded*9", PAUSE(SUPERSEDED, 3)},
    {"of two reasons at once the row is told", "no_answer*10 unknown*10",
     PAUSE(UNKNOWN_IN_A_ROW, 20)},
};

static void runs_are_stopped(void **state)
{
  (void)state;
  struct mde_stop_limits limits = mde_stop_limits_default();
  for (size_t i = 0; i < COUNT(rules); i++) {
    struct mde_stop_rules own;
    mde_stop_rules_init(&own, &limits);
    struct mde_stop stop = tell(&own, rules[i].events);
    bool is_same_time = stop.retry_at >= rules[i].retry_at && stop.retry_at <= rules[i].retry_at;
    if (stop.rule != rules[i].rule || stop.kind != rules[i].kind || stop.count != rules[i].count ||
        stop.limit != rules[i].limit || stop.of != rules[i].of || !is_same_time)
      fail_msg("%s: rule %d, kind %d, %zu of %zu, of the last %zu, until %g",
               rules[i].rule_in_words, stop.rule, stop.kind, stop.count, stop.limit, stop.of,
               stop.retry_at);
  }
}

static void thresholds_may_be_told_otherwise(void **state)
{
  (void)state;
  static const struct {
    const char *in_words;
    struct mde_stop_limits limits; /* forbidden, in a row, last, percent, superseded */
    const char *events;
    enum mde_stop_rule rule;
    size_t count;
  } cases[] = {
      {"the first 403", {1, 20, 50, 20, 3}, "forbidden:a", MDE_STOP_RULE_FORBIDDEN, 1},
      {"15 of 16", {16, 20, 50, 20, 3}, "forbidden*15", MDE_STOP_RULE_NONE, 0},
      {"16 of 16", {16, 20, 50, 20, 3}, "forbidden*16", MDE_STOP_RULE_FORBIDDEN, 16},
      {"the first without an answer",
       {3, 1, 50, 20, 3},
       "no_answer",
       MDE_STOP_RULE_UNKNOWN_IN_A_ROW,
       1},
      {"the first unknown one is of the row",
       {3, 1, 1, 1, 3},
       "unknown",
       MDE_STOP_RULE_UNKNOWN_IN_A_ROW,
       1},
      {"99999 in a row", {3, 100000, 50, 20, 3}, "no_answer*99999", MDE_STOP_RULE_NONE, 0},
      {"100000 in a row",
       {3, 100000, 50, 20, 3},
       "no_answer*100000",
       MDE_STOP_RULE_UNKNOWN_IN_A_ROW,
       100000},
      {"the last alone", {3, 20, 1, 100, 3}, "done unknown", MDE_STOP_RULE_UNKNOWN_LAST, 1},
      {"1 % of the last is one", {3, 20, 50, 1, 3}, "unknown", MDE_STOP_RULE_UNKNOWN_LAST, 1},
      {"67 % of 3 are 3", {3, 20, 3, 67, 3}, "unknown*2", MDE_STOP_RULE_NONE, 0},
      {"67 % of 3 are 3: so many", {3, 20, 3, 67, 3}, "unknown*3", MDE_STOP_RULE_UNKNOWN_LAST, 3},
      {"33 % of 10 are 4", {3, 20, 10, 33, 3}, "unknown*3", MDE_STOP_RULE_NONE, 0},
      {"33 % of 10 are 4: so many", {3, 20, 10, 33, 3}, "unknown*4", MDE_STOP_RULE_UNKNOWN_LAST, 4},
      {"all of 64", {3, 100, 64, 100, 3}, "unknown*63", MDE_STOP_RULE_NONE, 0},
      {"all of 64: so many", {3, 100, 64, 100, 3}, "unknown*64", MDE_STOP_RULE_UNKNOWN_LAST, 64},
      {"all of 64, but for one",
       {3, 100, 64, 100, 3},
       "unknown*63 done unknown*63",
       MDE_STOP_RULE_NONE,
       0},
      {"the one that was known is forgotten",
       {3, 100, 64, 100, 3},
       "unknown*9 done unknown*64",
       MDE_STOP_RULE_UNKNOWN_LAST,
       64},
      {"the first that is superseded",
       {3, 20, 50, 20, 1},
       "superseded",
       MDE_STOP_RULE_SUPERSEDED,
       1},
      {"none is superseded too often",
       {3, 20, 50, 20, 100000},
       "superseded*99999",
       MDE_STOP_RULE_NONE,
       0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_stop_rules own;
    assert_true(mde_stop_limits_are_valid(&cases[i].limits));
    mde_stop_rules_init(&own, &cases[i].limits);
    struct mde_stop stop = tell(&own, cases[i].events);
    if (stop.rule != cases[i].rule || stop.count != cases[i].count)
      fail_msg("%s: rule %d, %zu", cases[i].in_words, stop.rule, stop.count);
  }
}

static void thresholds_have_a_range(void **state)
{
  (void)state;
  static const struct {
    struct mde_stop_limits limits;
    bool are_valid;
  } cases[] = {
      {{3, 20, 50, 20, 3}, true},
      {{1, 1, 1, 1, 1}, true},
      {{16, 100000, 64, 100, 100000}, true},
      {{0, 20, 50, 20, 3}, false},
      {{17, 20, 50, 20, 3}, false},
      {{3, 0, 50, 20, 3}, false},
      {{3, 100001, 50, 20, 3}, false},
      {{3, 20, 0, 20, 3}, false},
      {{3, 20, 65, 20, 3}, false},
      {{3, 20, 50, 0, 3}, false},
      {{3, 20, 50, 101, 3}, false},
      {{3, 20, 50, 20, 0}, false},
      {{3, 20, 50, 20, 100001}, false},
      {{SIZE_MAX, 20, 50, 20, 3}, false},
      {{3, SIZE_MAX, 50, 20, 3}, false},
      {{3, 20, SIZE_MAX, 20, 3}, false},
      {{3, 20, 50, SIZE_MAX, 3}, false},
      {{3, 20, 50, 20, SIZE_MAX}, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    if (mde_stop_limits_are_valid(&cases[i].limits) != cases[i].are_valid) fail_msg("case %zu", i);
}

static void all_have_names(void **state)
{
  (void)state;
  for (int i = 0; i < MDE_STOP_EVENTS; i++)
    for (int k = 0; k <= i; k++)
      assert_int_equal(strcmp(mde_stop_event_name((enum mde_stop_event)i),
                              mde_stop_event_name((enum mde_stop_event)k)) == 0,
                       i == k);
  assert_null(mde_stop_rule_name(MDE_STOP_RULE_NONE));
  assert_string_equal(mde_stop_rule_name(MDE_STOP_RULE_FORBIDDEN), "forbidden_in_a_row");
  for (int i = 1; i < MDE_STOP_RULES; i++)
    for (int k = 1; k <= i; k++)
      assert_int_equal(strcmp(mde_stop_rule_name((enum mde_stop_rule)i),
                              mde_stop_rule_name((enum mde_stop_rule)k)) == 0,
                       i == k);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_are_stopped),
      cmocka_unit_test(thresholds_may_be_told_otherwise),
      cmocka_unit_test(thresholds_have_a_range),
      cmocka_unit_test(all_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
