/*
 * waves: what is read, who may be sent, when a gate opens, and who comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_edge.h"
#include "timestamp.h"
#include "waves.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct mde_text text_of(const char *string)
{
  return string == NULL ? (struct mde_text){NULL, 0} : test_edge_string(string);
}

/* ---- what a user may say */

static bool has_sizes(const struct mde_waves_sizes *sizes, const char *wanted)
{
  char text[256] = "";
  for (size_t i = 0; i < sizes->count; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%zu ", sizes->sizes[i]);
  if (sizes->has_rest) strcat(text, "rest ");
  return strlen(text) == strlen(wanted) + 1 && strncmp(text, wanted, strlen(wanted)) == 0;
}

#define SIXTEEN "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"

static void sizes_are_read(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum mde_waves_flaw flaw;
    const char *is; /* the sizes, or the part that has the flaw */
  } cases[] = {
      {"5,45,rest", MDE_WAVES_FLAW_NONE, "5 45 rest"},
      {"1,10,100,rest", MDE_WAVES_FLAW_NONE, "1 10 100 rest"},
      {"1, 10 ,\t100 , rest", MDE_WAVES_FLAW_NONE, "1 10 100 rest"},
      {" 7 ", MDE_WAVES_FLAW_NONE, "7"},
      {"rest", MDE_WAVES_FLAW_NONE, "rest"},
      {"1", MDE_WAVES_FLAW_NONE, "1"},
      {"007", MDE_WAVES_FLAW_NONE, "7"},
      {"100000", MDE_WAVES_FLAW_NONE, "100000"},
      {"10,1", MDE_WAVES_FLAW_NONE, "10 1"},
      {SIXTEEN, MDE_WAVES_FLAW_NONE, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"},
      {SIXTEEN ",rest", MDE_WAVES_FLAW_NONE, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 rest"},
      {SIXTEEN ",17", MDE_WAVES_FLAW_MANY, "17"},
      {NULL, MDE_WAVES_FLAW_EMPTY, ""},
      {"", MDE_WAVES_FLAW_EMPTY, ""},
      {"  ", MDE_WAVES_FLAW_EMPTY, ""},
      {",", MDE_WAVES_FLAW_EMPTY, ""},
      {"1,", MDE_WAVES_FLAW_EMPTY, ""},
      {",1", MDE_WAVES_FLAW_EMPTY, ""},
      {"1,,2", MDE_WAVES_FLAW_EMPTY, ""},
      {"1,2,rest,", MDE_WAVES_FLAW_EMPTY, ""},
      {"x", MDE_WAVES_FLAW_NUMBER, "x"},
      {"1,x,0", MDE_WAVES_FLAW_NUMBER, "x"},
      {"-1", MDE_WAVES_FLAW_NUMBER, "-1"},
      {"+1", MDE_WAVES_FLAW_NUMBER, "+1"},
      {"1.5", MDE_WAVES_FLAW_NUMBER, "1.5"},
      {"1e3", MDE_WAVES_FLAW_NUMBER, "1e3"},
      {"0x5", MDE_WAVES_FLAW_NUMBER, "0x5"},
      {"1 2", MDE_WAVES_FLAW_NUMBER, "1 2"},
      {"10%", MDE_WAVES_FLAW_NUMBER, "10%"},
      {"1;2", MDE_WAVES_FLAW_NUMBER, "1;2"},
      {"Rest", MDE_WAVES_FLAW_NUMBER, "Rest"},
      {"res", MDE_WAVES_FLAW_NUMBER, "res"},
      {"rests", MDE_WAVES_FLAW_NUMBER, "rests"},
      {"\xd9\xa1", MDE_WAVES_FLAW_NUMBER, "\xd9\xa1"},
      {"/", MDE_WAVES_FLAW_NUMBER, "/"},
      {":", MDE_WAVES_FLAW_NUMBER, ":"},
      {"0", MDE_WAVES_FLAW_ZERO, "0"},
      {"1,000", MDE_WAVES_FLAW_ZERO, "000"},
      {"100001", MDE_WAVES_FLAW_LARGE, "100001"},
      {"18446744073709551617", MDE_WAVES_FLAW_LARGE, "18446744073709551617"},
      {"99999999999999999999999999999999999999999", MDE_WAVES_FLAW_LARGE,
       "99999999999999999999999999999999999999999"},
      {"rest,1", MDE_WAVES_FLAW_NOT_LAST, "1"},
      {"1,rest,rest", MDE_WAVES_FLAW_NOT_LAST, "rest"},
      {"rest,x", MDE_WAVES_FLAW_NOT_LAST, "x"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_waves_sizes sizes;
    struct mde_text item;
    enum mde_waves_flaw flaw = mde_waves_read(text_of(cases[i].text), &sizes, &item);
    bool is_right = flaw == cases[i].flaw;
    if (is_right && flaw == MDE_WAVES_FLAW_NONE) is_right = has_sizes(&sizes, cases[i].is);
    if (is_right && flaw != MDE_WAVES_FLAW_NONE)
      is_right = item.length == strlen(cases[i].is) &&
                 (item.length == 0 || memcmp(item.bytes, cases[i].is, item.length) == 0);
    if (!is_right) fail_msg("\"%s\": flaw %d, not %d", cases[i].text, flaw, cases[i].flaw);
  }
}

static void sizes_follow_from_what_is_planned(void **state)
{
  (void)state;
  static const struct {
    size_t planned;
    const char *sizes;
  } cases[] = {
      {0, "rest"},       {1, "rest"},        {25, "rest"},
      {26, "5 45 rest"}, {500, "5 45 rest"}, {SIZE_MAX, "5 45 rest"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_waves_sizes sizes = mde_waves_default(cases[i].planned);
    if (!has_sizes(&sizes, cases[i].sizes)) fail_msg("%zu planned", cases[i].planned);
  }
}

static void a_gate_is_read(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum mde_waves_flaw flaw;
    unsigned succeeded, failed;
    double wait;
    const char *item;
  } cases[] = {
      {"succeeded=60%,wait=2m", MDE_WAVES_FLAW_NONE, 60, 10, 120, ""},
      {"succeeded=59%", MDE_WAVES_FLAW_NONE, 59, 10, 120, ""},
      {"failed=0%", MDE_WAVES_FLAW_NONE, 60, 0, 120, ""},
      {"failed=100%, succeeded=0%", MDE_WAVES_FLAW_NONE, 0, 100, 120, ""},
      {"succeeded=100%,failed=5%,wait=90s", MDE_WAVES_FLAW_NONE, 100, 5, 90, ""},
      {"wait=0s", MDE_WAVES_FLAW_NONE, 60, 10, 0, ""},
      {"wait=1h", MDE_WAVES_FLAW_NONE, 60, 10, 3600, ""},
      {"wait=24h", MDE_WAVES_FLAW_NONE, 60, 10, 86400, ""},
      {"wait=1440m", MDE_WAVES_FLAW_NONE, 60, 10, 86400, ""},
      {"wait=86400s", MDE_WAVES_FLAW_NONE, 60, 10, 86400, ""},
      {"wait=86401s", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=86401s"},
      {"wait=1441m", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=1441m"},
      {"wait=25h", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=25h"},
      {"wait=99999999999999999999s", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=99999999999999999999s"},
      {"wait=120", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=120"},
      {"wait=2M", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=2M"},
      {"wait=2d", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=2d"},
      {"wait=m", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=m"},
      {"wait=", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait="},
      {"wait=-1s", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=-1s"},
      {"wait=1.5m", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait=1.5m"},
      {"wait= 2m", MDE_WAVES_FLAW_TIME, 0, 0, 0, "wait= 2m"},
      {"succeeded=60", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "succeeded=60"},
      {"succeeded=%", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "succeeded=%"},
      {"succeeded=", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "succeeded="},
      {"succeeded=101%", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "succeeded=101%"},
      {"succeeded=59.9%", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "succeeded=59.9%"},
      {"failed=-1%", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "failed=-1%"},
      {"failed=18446744073709551616%", MDE_WAVES_FLAW_PERCENT, 0, 0, 0,
       "failed=18446744073709551616%"},
      {"succeeded=60%%", MDE_WAVES_FLAW_PERCENT, 0, 0, 0, "succeeded=60%%"},
      {NULL, MDE_WAVES_FLAW_EMPTY, 0, 0, 0, ""},
      {"", MDE_WAVES_FLAW_EMPTY, 0, 0, 0, ""},
      {"wait=2m,", MDE_WAVES_FLAW_EMPTY, 0, 0, 0, ""},
      {"success=60%", MDE_WAVES_FLAW_NAME, 0, 0, 0, "success=60%"},
      {"succeeded", MDE_WAVES_FLAW_NAME, 0, 0, 0, "succeeded"},
      {"Wait=2m", MDE_WAVES_FLAW_NAME, 0, 0, 0, "Wait=2m"},
      {"succeeded =60%", MDE_WAVES_FLAW_NAME, 0, 0, 0, "succeeded =60%"},
      {"60%", MDE_WAVES_FLAW_NAME, 0, 0, 0, "60%"},
      {"unknown=0%", MDE_WAVES_FLAW_NAME, 0, 0, 0, "unknown=0%"},
      {"wait=2m,wait=2m", MDE_WAVES_FLAW_TWICE, 0, 0, 0, "wait=2m"},
      {"failed=1%,failed=2%", MDE_WAVES_FLAW_TWICE, 0, 0, 0, "failed=2%"},
      {"succeeded=1%,failed=2%,succeeded=3%", MDE_WAVES_FLAW_TWICE, 0, 0, 0, "succeeded=3%"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_gate_rule rule = mde_gate_default();
    struct mde_text item;
    enum mde_waves_flaw flaw = mde_gate_read(text_of(cases[i].text), &rule, &item);
    bool is_right = flaw == cases[i].flaw;
    if (is_right && flaw == MDE_WAVES_FLAW_NONE)
      is_right = rule.succeeded == cases[i].succeeded && rule.failed == cases[i].failed &&
                 rule.wait >= cases[i].wait && rule.wait <= cases[i].wait;
    if (is_right && flaw != MDE_WAVES_FLAW_NONE)
      is_right = item.length == strlen(cases[i].item) &&
                 (item.length == 0 || memcmp(item.bytes, cases[i].item, item.length) == 0);
    if (!is_right) fail_msg("\"%s\": flaw %d, not %d", cases[i].text, flaw, cases[i].flaw);
  }
}

/* ---- who may be sent: one thing after the other */

enum { WORDS = 9, WORD = 24 };

static const char *const answers[] = {[MDE_WAVES_GO] = "go",
                                      [MDE_WAVES_WAIT] = "wait",
                                      [MDE_WAVES_GATE] = "gate",
                                      [MDE_WAVES_PAUSED] = "paused"};

static const char *const verdicts[] = {[MDE_GATE_OPEN] = "opens",
                                       [MDE_GATE_WAIT] = "holds",
                                       [MDE_GATE_CLOSED] = "closes",
                                       [MDE_GATE_NOT_REACHED] = "unreached"};

static bool is_in(const char *const *list, size_t count, const char *word, int *place)
{
  for (size_t i = 0; i < count; i++)
    if (strcmp(list[i], word) == 0) {
      *place = (int)i;
      return true;
    }
  return false;
}

/*
 * One step: "go 3" three are admitted; "wait", "gate", "paused" the next one is not; "sent 2",
 * "back 2" so many end; "none" none is left to end; "opens 1 3 0 0 2 0 10" the gate behind wave 1
 * (from 1) with so many succeeded, failed, cancelled, pending and unknown, after 10 s, and "holds",
 * "closes", "unreached" alike; "by hand", "not by hand"; "at 2 45 7 5" the wave, its size (0: the
 * rest), what it sent, and what was sent before.
 */
static bool step(struct mde_waves *waves, char words[WORDS][WORD])
{
  const char *verb = words[0];
  double numbers[WORDS] = {0};
  for (int i = 1; i < WORDS; i++)
    numbers[i] = strtod(words[i], NULL);
  int wanted;
  if (is_in(answers, COUNT(answers), verb, &wanted)) {
    size_t times = words[1][0] == '\0' ? 1 : (size_t)numbers[1];
    for (size_t i = 0; i < times; i++)
      if ((int)mde_waves_admit(waves) != wanted) return false;
    return true;
  }
  if (strcmp(verb, "sent") == 0 || strcmp(verb, "back") == 0) {
    for (size_t i = 0; i < (size_t)numbers[1]; i++)
      if (!mde_waves_ended(waves, verb[0] == 's')) return false;
    return true;
  }
  if (is_in(verdicts, COUNT(verdicts), verb, &wanted)) {
    struct mde_wave_counts counts = {(size_t)numbers[2], (size_t)numbers[3], (size_t)numbers[4],
                                     (size_t)numbers[5], (size_t)numbers[6]};
    return (int)mde_waves_judge(waves, (size_t)numbers[1] - 1, &counts, numbers[7]).gate == wanted;
  }
  if (strcmp(verb, "none") == 0) return !mde_waves_ended(waves, true);
  if (strcmp(verb, "by") == 0) return mde_waves_open(waves);
  if (strcmp(verb, "not") == 0) return !mde_waves_open(waves);
  if (strcmp(verb, "at") != 0) return false;
  size_t size = mde_waves_size(waves) == SIZE_MAX ? 0 : mde_waves_size(waves);
  return waves->wave == (size_t)numbers[1] - 1 && size == (size_t)numbers[2] &&
         waves->sent == (size_t)numbers[3] && waves->before == (size_t)numbers[4];
}

static bool play(struct mde_waves *waves, const char *steps, char failed[64])
{
  while (*steps != '\0') {
    char words[WORDS][WORD] = {{0}};
    size_t length = strcspn(steps, ";");
    snprintf(failed, 64, "%.*s", (int)length, steps);
    sscanf(failed, "%23s %23s %23s %23s %23s %23s %23s %23s %23s", words[0], words[1], words[2],
           words[3], words[4], words[5], words[6], words[7], words[8]);
    if (!step(waves, words)) return false;
    steps += length;
    steps += strspn(steps, "; ");
  }
  return true;
}

static const struct {
  const char *rule;
  const char *sizes;
  size_t sent_before;
  const char *steps;
} rules[] = {
    /* places */
    {"so many may be sent", "5,rest", 0, "go 5; wait; at 1 5 0 0"},
    {"one may still end unsent, so the next waits", "5,rest", 0, "go 5; sent 4; wait"},
    {"one that was not sent gives its place back", "5,rest", 0, "go 5; sent 4; back 1; go; wait"},
    {"the gate is reached when all of it has gone", "5,rest", 0, "go 5; sent 5; gate; gate"},
    {"a wave of one", "1,rest", 0, "go; wait; sent 1; gate"},
    {"all may give their places back", "2,rest", 0, "go 2; back 2; go 2; back 2; at 1 2 0 0; go 2"},
    {"one after the other is a wave, too", "3,rest", 0,
     "go; sent 1; go; sent 1; go; sent 1; gate; at 1 3 3 0"},
    {"what did not go never fills a wave", "1,rest", 0, "go; back 1; go; back 1; go; back 1; go"},
    {"none ends that was not admitted", "5,rest", 0, "none; go; sent 1; none; at 1 5 1 0"},
    {"none ends twice", "5,rest", 0, "go 2; back 1; sent 1; none; at 1 5 1 0"},
    {"none is admitted at a gate", "1,rest", 0, "go; sent 1; gate; none"},
    {"the rest has no end", "rest", 0, "go 1000; sent 1000; go; at 1 0 1000 0"},
    {"the rest does not wait", "rest", 0, "go 9; back 9; go 9; sent 9; at 1 0 9 0"},
    {"the rest has no gate", "rest", 0, "go 5; sent 5; unreached 1 5 0 0 0 0 0; not by hand"},

    /* from wave to wave */
    {"an open gate begins the next", "1,2,rest", 0,
     "go; sent 1; opens 1 1 0 0 0 0 0; at 2 2 0 1; go 2; sent 2; opens 2 2 0 0 0 0 0; at 3 0 0 3"},
    {"without a rest the last size repeats", "1,2", 0,
     "go; sent 1; opens 1 1 0 0 0 0 0; go 2; sent 2; opens 2 2 0 0 0 0 0; at 3 2 0 3; go 2; sent "
     "2; "
     "gate; opens 3 2 0 0 0 0 0; at 4 2 0 5"},
    {"one size alone repeats", "3", 0, "go 3; sent 3; opens 1 3 0 0 0 0 0; at 2 3 0 3; go 3; wait"},
    {"a later wave may be smaller", "2,1,rest", 0,
     "go 2; sent 2; opens 1 2 0 0 0 0 0; go; wait; sent 1; gate; at 2 1 1 2"},
    {"a wave that is past its gate is open", "1,1,rest", 0,
     "go; sent 1; opens 1 1 0 0 0 0 0; go; sent 1; opens 1 0 1 0 0 0 0; gate; at 2 1 1 1"},
    {"a gate that is not reached is not judged", "2,rest", 0,
     "go 2; sent 1; unreached 1 1 0 0 0 0 0; at 1 2 1 0"},
    {"nor is one of a later wave", "1,1,rest", 0, "go; sent 1; unreached 2 1 0 0 0 0 0; gate"},

    /* a person */
    {"a gate that closed pauses the run", "5,rest", 0,
     "go 5; sent 5; closes 1 2 0 0 3 0 120; paused; paused"},
    {"and stays closed", "5,rest", 0,
     "go 5; sent 5; closes 1 2 0 0 3 0 120; closes 1 5 0 0 0 0 0; paused"},
    {"a person opens it", "5,rest", 0,
     "go 5; sent 5; closes 1 0 5 0 0 0 0; by hand; at 2 0 0 5; go 9"},
    {"a person opens one that waits", "5,rest", 0,
     "go 5; sent 5; holds 1 0 0 0 5 0 0; by hand; go"},
    {"a person opens one that was not judged", "5,rest", 0, "go 5; sent 5; by hand; at 2 0 0 5"},
    {"a person opens one gate, and not the next", "1,1,rest", 0,
     "go; sent 1; by hand; not by hand; go; sent 1; gate"},
    {"nobody opens a gate that is not reached", "5,rest", 0,
     "not by hand; go 5; not by hand; sent 4; not by hand; at 1 5 4 0"},
    {"the next gate has all its time", "1,1,rest", 0,
     "go; sent 1; holds 1 0 0 0 1 0 100; by hand; go; sent 1; holds 2 0 0 0 1 0 100"},
    {"the next gate is not closed by the last", "1,1,rest", 0,
     "go; sent 1; closes 1 0 0 0 1 0 120; by hand; go; sent 1; holds 2 0 0 0 1 0 0; gate"},

    /* a run that is resumed */
    {"it begins within a wave", "5,45,rest", 3, "at 1 5 3 0; go 2; wait"},
    {"it begins at a gate, which is judged", "5,45,rest", 5,
     "at 1 5 5 0; gate; opens 1 3 0 0 2 0 0; at 2 45 0 5"},
    {"one more was sent, so the gate had opened", "5,45,rest", 6, "at 2 45 1 5; go 44; wait"},
    {"it begins at the second gate", "5,45,rest", 50, "at 2 45 45 5; gate"},
    {"it begins in the rest", "5,45,rest", 51, "at 3 0 1 50; go 500"},
    {"it begins far in the rest", "5,45,rest", 100000, "at 3 0 99950 50; go"},
    {"it begins in the only wave", "rest", 77, "at 1 0 77 0; go"},
    {"it begins at a gate of the size that repeats", "5", 10, "at 2 5 5 5; gate"},
    {"it begins behind it", "5", 11, "at 3 5 1 10; go 4; wait"},
    {"it begins at the last listed gate", "1,5", 6, "at 2 5 5 1; gate"},
    {"it begins after waves that repeat", "1,5", 1004, "at 202 5 3 1001; go 2; wait"},
    {"as many as can be counted", "3", SIZE_MAX - 1, "go 1; wait"},
    {"a paused run is judged again", "5,rest", 5, "closes 1 0 5 0 0 0 0; paused; by hand; go"},
};

static void waves_are_kept(void **state)
{
  (void)state;
  struct mde_gate_rule gate = mde_gate_default();
  for (size_t i = 0; i < COUNT(rules); i++) {
    struct mde_waves_sizes sizes;
    struct mde_text item;
    struct mde_waves waves;
    char failed[64];
    assert_int_equal(mde_waves_read(text_of(rules[i].sizes), &sizes, &item), MDE_WAVES_FLAW_NONE);
    mde_waves_init(&waves, &sizes, &gate, rules[i].sent_before);
    if (!play(&waves, rules[i].steps, failed)) fail_msg("%s: %s", rules[i].rule, failed);
  }
}

/* ---- when a gate opens */

#define HUGE SIZE_MAX

static const struct {
  const char *rule;
  size_t size;
  struct mde_wave_counts counts; /* succeeded, failed, cancelled, pending, unknown */
  double waited;
  enum mde_gate gate;
  enum mde_gate_reason reason;
  size_t number, needed;
  double wait;
} gates[] = {
#define OPENS MDE_GATE_OPEN, MDE_GATE_REASON_NONE, 0, 0, 0
#define HOLDS(seconds) MDE_GATE_WAIT, MDE_GATE_REASON_NONE, 0, 0, seconds
#define CLOSES(why, number, needed) MDE_GATE_CLOSED, MDE_GATE_REASON_##why, number, needed, 0
    /* successes */
    {"all of 5", 5, {5, 0, 0, 0, 0}, 0, OPENS},
    {"exactly 60 %", 5, {3, 0, 0, 2, 0}, 0, OPENS},
    {"exactly 60 %, when its time has passed", 5, {3, 0, 0, 2, 0}, 500, OPENS},
    {"less than 60 % for now", 5, {2, 0, 0, 3, 0}, 0, HOLDS(120)},
    {"less than 60 % in time", 5, {2, 0, 0, 3, 0}, 120, CLOSES(SUCCEEDED, 2, 3)},
    {"less than 60 % for good", 5, {2, 1, 2, 0, 0}, 0, CLOSES(SUCCEEDED, 2, 3)},
    {"exactly 60 % of 1000", 1000, {600, 0, 0, 400, 0}, 120, OPENS},
    {"59.9 % of 1000", 1000, {599, 0, 0, 401, 0}, 120, CLOSES(SUCCEEDED, 599, 600)},
    {"60 % of 3 are 2", 3, {2, 0, 0, 1, 0}, 0, OPENS},
    {"1 of 3 is too few", 3, {1, 0, 0, 2, 0}, 120, CLOSES(SUCCEEDED, 1, 2)},
    {"60 % of 45 are 27", 45, {27, 0, 0, 18, 0}, 120, OPENS},
    {"26 of 45 are too few", 45, {26, 0, 0, 19, 0}, 120, CLOSES(SUCCEEDED, 26, 27)},
    {"60 % of 7 are 5", 7, {4, 0, 0, 3, 0}, 120, CLOSES(SUCCEEDED, 4, 5)},
    {"1 of 1", 1, {1, 0, 0, 0, 0}, 0, OPENS},
    {"1 of 1 pending", 1, {0, 0, 0, 1, 0}, 0, HOLDS(120)},
    {"1 of 1 pending, too long", 1, {0, 0, 0, 1, 0}, 120, CLOSES(SUCCEEDED, 0, 1)},
    {"1 of 1 failed", 1, {0, 1, 0, 0, 0}, 0, CLOSES(SUCCEEDED, 0, 1)},
    {"1 of 1 cancelled", 1, {0, 0, 1, 0, 0}, 0, CLOSES(SUCCEEDED, 0, 1)},
    {"1 of 1 unknown", 1, {0, 0, 0, 0, 1}, 0, HOLDS(120)},
    {"the largest wave", 100000, {60000, 10000, 0, 30000, 0}, 0, OPENS},
    {"one too few of the largest wave",
     100000,
     {59999, 0, 0, 40001, 0},
     120,
     CLOSES(SUCCEEDED, 59999, 60000)},
    {"enough could still succeed", 10, {0, 1, 3, 6, 0}, 0, HOLDS(120)},
    {"not enough could still succeed", 10, {0, 1, 4, 5, 0}, 0, CLOSES(SUCCEEDED, 0, 6)},
    {"some that are unknown could have succeeded", 10, {2, 0, 4, 2, 2}, 0, HOLDS(120)},
    {"cancelled ones alone do not close it", 10, {6, 0, 4, 0, 0}, 0, OPENS},

    /* failures */
    {"one may always fail", 5, {4, 1, 0, 0, 0}, 0, OPENS},
    {"two of 5 may not", 5, {3, 2, 0, 0, 0}, 0, CLOSES(FAILED, 2, 1)},
    {"two of 19 may not", 19, {17, 2, 0, 0, 0}, 0, CLOSES(FAILED, 2, 1)},
    {"two of 20 may", 20, {18, 2, 0, 0, 0}, 0, OPENS},
    {"three of 20 may not", 20, {17, 3, 0, 0, 0}, 0, CLOSES(FAILED, 3, 2)},
    {"exactly 10 % of 1000", 1000, {900, 100, 0, 0, 0}, 0, OPENS},
    {"10.1 % of 1000", 1000, {899, 101, 0, 0, 0}, 0, CLOSES(FAILED, 101, 100)},
    {"4 of 45", 45, {41, 4, 0, 0, 0}, 0, OPENS},
    {"5 of 45", 45, {40, 5, 0, 0, 0}, 0, CLOSES(FAILED, 5, 4)},
    {"too many failed, whatever is pending", 45, {0, 5, 0, 40, 0}, 0, CLOSES(FAILED, 5, 4)},
    {"too many failed, whatever is unknown", 5, {3, 2, 0, 0, 0}, 900, CLOSES(FAILED, 2, 1)},
    {"all failed", 5, {0, 5, 0, 0, 0}, 0, CLOSES(FAILED, 5, 1)},

    /* unknown */
    {"nothing may be unknown", 5, {4, 0, 0, 0, 1}, 120, CLOSES(UNKNOWN, 1, 0)},
    {"it may become known in time", 5, {4, 0, 0, 0, 1}, 119, HOLDS(1)},
    {"unknown goes before too few", 5, {1, 0, 0, 2, 2}, 120, CLOSES(UNKNOWN, 2, 0)},
    {"all unknown", 5, {0, 0, 0, 0, 5}, 120, CLOSES(UNKNOWN, 5, 0)},

    /* time */
    {"the last moment", 5, {0, 0, 0, 5, 0}, 119.5, HOLDS(0.5)},
    {"exactly its time", 5, {0, 0, 0, 5, 0}, 120, CLOSES(SUCCEEDED, 0, 3)},
    {"long after its time", 5, {0, 0, 0, 5, 0}, 1e300, CLOSES(SUCCEEDED, 0, 3)},
    {"a clock that was set back", 5, {0, 0, 0, 5, 0}, -1e300, HOLDS(120)},

    /* counts that are not of this wave */
    {"too few are counted", 5, {4, 0, 0, 0, 0}, 0, CLOSES(COUNT, 4, 5)},
    {"too many are counted", 5, {6, 0, 0, 0, 0}, 0, CLOSES(COUNT, 6, 5)},
    {"nothing is counted", 5, {0, 0, 0, 0, 0}, 0, CLOSES(COUNT, 0, 5)},
    {"a failure too many", 5, {5, 1, 0, 0, 0}, 0, CLOSES(COUNT, 6, 5)},
    {"a cancelled one too many", 5, {5, 0, 1, 0, 0}, 0, CLOSES(COUNT, 6, 5)},
    {"a pending one too many", 5, {5, 0, 0, 1, 0}, 0, CLOSES(COUNT, 6, 5)},
    {"an unknown one too many", 5, {5, 0, 0, 0, 1}, 0, CLOSES(COUNT, 6, 5)},
    {"the most that there may be", 5, {HUGE, 0, 0, 0, 0}, 0, CLOSES(COUNT, HUGE, 5)},
    {"a sum that comes round to 5", 5, {HUGE, 6, 0, 0, 0}, 0, CLOSES(COUNT, HUGE, 5)},
    {"a sum that comes round to 5 by the last", 5, {5, 0, 0, 1, HUGE}, 0, CLOSES(COUNT, HUGE, 5)},
    {"all are the most", 5, {HUGE, HUGE, HUGE, HUGE, HUGE}, 0, CLOSES(COUNT, HUGE, 5)},
    {"a sum that is just the most", 5, {HUGE - 1, 1, 0, 0, 0}, 0, CLOSES(COUNT, HUGE, 5)},
};

static bool is_same(struct mde_gate_verdict a, struct mde_gate_verdict b)
{
  return a.gate == b.gate && a.reason == b.reason && a.number == b.number && a.needed == b.needed &&
         a.wait >= b.wait && a.wait <= b.wait;
}

static struct mde_waves at_gate(size_t size, struct mde_gate_rule rule)
{
  struct mde_waves_sizes sizes = {.sizes = {size}, .count = 1, .has_rest = true};
  struct mde_waves waves;
  mde_waves_init(&waves, &sizes, &rule, size);
  return waves;
}

static void gates_open_and_close(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(gates); i++) {
    struct mde_waves waves = at_gate(gates[i].size, mde_gate_default());
    struct mde_gate_verdict wanted = {gates[i].gate, gates[i].reason, gates[i].number,
                                      gates[i].needed, gates[i].wait};
    struct mde_gate_verdict verdict = mde_waves_judge(&waves, 0, &gates[i].counts, gates[i].waited);
    if (!is_same(verdict, wanted))
      fail_msg("%s: gate %d, reason %d, %zu of %zu, wait %g", gates[i].rule, verdict.gate,
               verdict.reason, verdict.number, verdict.needed, verdict.wait);
    /* A closed one says the same again, and it is what the run is paused by. */
    if (verdict.gate != MDE_GATE_CLOSED) continue;
    struct mde_wave_counts good = {.succeeded = gates[i].size};
    assert_true(is_same(mde_waves_judge(&waves, 0, &good, 0), wanted));
    assert_true(is_same(waves.closed, wanted));
  }
}

static void a_gate_may_be_told_otherwise(void **state)
{
  (void)state;
  static const struct {
    const char *rule;
    struct mde_gate_rule told;
    size_t size;
    struct mde_wave_counts counts;
    double waited;
    enum mde_gate gate;
  } cases[] = {
      {"0 % need no success", {0, 10, 120}, 5, {0, 1, 0, 4, 0}, 0, MDE_GATE_OPEN},
      {"0 % need to know", {0, 10, 120}, 5, {0, 0, 0, 4, 1}, 120, MDE_GATE_CLOSED},
      {"100 % need all", {100, 10, 120}, 5, {4, 0, 0, 1, 0}, 0, MDE_GATE_WAIT},
      {"100 % have all", {100, 10, 120}, 5, {5, 0, 0, 0, 0}, 0, MDE_GATE_OPEN},
      {"100 % cannot be reached", {100, 10, 120}, 5, {4, 1, 0, 0, 0}, 0, MDE_GATE_CLOSED},
      {"1 % of 5 is one", {1, 10, 120}, 5, {1, 0, 0, 4, 0}, 0, MDE_GATE_OPEN},
      {"1 % of 5 is not none", {1, 10, 120}, 5, {0, 0, 0, 5, 0}, 0, MDE_GATE_WAIT},
      {"0 % may fail: one", {60, 0, 120}, 100, {99, 1, 0, 0, 0}, 0, MDE_GATE_OPEN},
      {"0 % may fail: two", {60, 0, 120}, 100, {98, 2, 0, 0, 0}, 0, MDE_GATE_CLOSED},
      {"all may fail", {0, 100, 120}, 5, {0, 5, 0, 0, 0}, 0, MDE_GATE_OPEN},
      {"no wait", {60, 10, 0}, 5, {2, 0, 0, 3, 0}, 0, MDE_GATE_CLOSED},
      {"no wait, and a clock that was set back",
       {60, 10, 0},
       5,
       {2, 0, 0, 3, 0},
       -9,
       MDE_GATE_CLOSED},
      {"a day", {60, 10, 86400}, 5, {2, 0, 0, 3, 0}, 86399, MDE_GATE_WAIT},
      {"more than a day", {60, 10, 86400}, 5, {2, 0, 0, 3, 0}, 86400, MDE_GATE_CLOSED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_waves waves = at_gate(cases[i].size, cases[i].told);
    if (mde_waves_judge(&waves, 0, &cases[i].counts, cases[i].waited).gate != cases[i].gate)
      fail_msg("%s", cases[i].rule);
  }
}

static void each_gate_has_all_its_time(void **state)
{
  (void)state;
  struct mde_wave_counts counts = {.pending = 5};
  struct mde_waves waves = at_gate(5, mde_gate_default());
  waves.sizes.has_rest = false;
  assert_true(mde_waves_judge(&waves, 0, &counts, 100).wait <= 20);
  assert_true(mde_waves_open(&waves));
  for (int i = 0; i < 5; i++) {
    assert_int_equal(mde_waves_admit(&waves), MDE_WAVES_GO);
    assert_true(mde_waves_ended(&waves, true));
  }
  assert_true(mde_waves_judge(&waves, 1, &counts, 0).wait >= 120);
}

static void time_that_goes_back_gives_no_more(void **state)
{
  (void)state;
  struct mde_wave_counts counts = {.pending = 5};
  struct mde_waves waves = at_gate(5, mde_gate_default());
  assert_true(mde_waves_judge(&waves, 0, &counts, 100).wait <= 20);
  assert_true(mde_waves_judge(&waves, 0, &counts, 10).wait <= 20);
  assert_true(mde_waves_judge(&waves, 0, &counts, -1000).wait <= 20);
  assert_true(mde_waves_judge(&waves, 0, &counts, 110).wait <= 10);
  assert_int_equal(mde_waves_judge(&waves, 0, &counts, 120).gate, MDE_GATE_CLOSED);
}

/* ---- who comes first */

enum { MOST_DEVICES = 12 };

static void devices_come_in_their_order(void **state)
{
  (void)state;
  static const struct {
    const char *rule;
    const char *devices; /* a platform and when it was seen, "-": never */
    size_t leaders;
    const char *order;
  } cases[] = {
      {"no device", "", 5, ""},
      {"one", "a 1", 5, "0"},
      {"the one that was seen last comes first", "a 1, a 3, a 2", 5, "1 2 0"},
      {"of the same time the first in the list", "a 1, a 1, a 1, a 1", 5, "0 1 2 3"},
      {"each platform has one in front", "a 9, a 8, a 7, b 1", 5, "0 3 1 2"},
      {"the one of it that was seen last", "a 9, b 1, b 2, a 8", 5, "0 2 3 1"},
      {"those in front by time, too", "a 1, b 2, c 3, a 0", 5, "2 1 0 3"},
      {"no more in front than are asked for", "a 9, a 8, b 2, c 1, d 0", 2, "0 2 1 3 4"},
      {"one in front is the one that was seen last", "b 1, a 9, a 8", 1, "1 2 0"},
      {"none in front", "b 1, a 9, a 8", 0, "1 2 0"},
      {"exactly as many platforms", "a 9, a 8, b 1", 2, "0 2 1"},
      {"any number in front", "a 9, a 8, b 1", SIZE_MAX, "0 2 1"},
      {"without regard to case", "Win 9, wIN 8, x 7, WIN 6", 5, "0 2 1 3"},
      {"a longer name is another platform", "win 9, win 8, win1 7", 5, "0 2 1"},
      {"no platform is one", "- 9, - 8, a 7", 5, "0 2 1"},
      {"one that was never seen comes last", "a -, a 1, a -, a 2", 5, "3 1 0 2"},
      {"and leads no platform", "a 9, a 8, b -", 5, "0 1 2"},
      {"nobody was seen", "b -, a -, b -", 5, "0 1 2"},
      {"before 1970", "a -5, a -3, b -9", 5, "1 2 0"},
      {"of two platforms at one time the first in the list", "b 1, a 1, b 0", 5, "0 1 2"},
      {"the same time leads by the list", "a 5, a 5, b 4, b 4", 5, "0 2 1 3"},
      {"many", "a 1, b 2, a 3, b 4, a 5, c 0, b 6, a 7, c -, d 9, d 8, a 2", 5,
       "9 7 6 5 10 4 3 2 1 11 0 8"},
      {"many, of which two lead", "a 1, b 2, a 3, b 4, a 5, c 0, b 6, a 7, c -, d 9, d 8, a 2", 2,
       "9 7 10 6 4 3 2 1 11 0 5 8"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_waves_device devices[MOST_DEVICES];
    char platforms[MOST_DEVICES][8], seen[8], text[128] = "";
    size_t order[MOST_DEVICES], count = 0;
    for (const char *at = cases[i].devices; *at != '\0'; count++) {
      assert_int_equal(sscanf(at, "%7s %7[^,]", platforms[count], seen), 2);
      bool is_absent = strcmp(platforms[count], "-") == 0;
      size_t length = is_absent ? 0 : strlen(platforms[count]);
      /* What stands behind a text is not read; an absent one and an empty one are one. */
      platforms[count][length] = count % 2 == 0 ? '\0' : '~';
      devices[count].platform = (struct mde_text){platforms[count], length};
      if (is_absent && count % 2 == 0) devices[count].platform.bytes = NULL;
      devices[count].last_seen = strcmp(seen, "-") == 0 ? MDE_NO_TIME : strtol(seen, NULL, 10);
      devices[count].leads = true;
      at += strcspn(at, ",");
      at += strspn(at, ", ");
    }
    mde_waves_order(devices, count, cases[i].leaders, order);
    for (size_t k = 0; k < count; k++)
      snprintf(text + strlen(text), sizeof text - strlen(text), k == 0 ? "%zu" : " %zu", order[k]);
    if (strcmp(text, cases[i].order) != 0) fail_msg("%s: %s", cases[i].rule, text);
  }
}

/* Of ten thousand devices each comes once, and in its order. */
static void none_is_lost(void **state)
{
  (void)state;
  enum { MANY = 10000, LEADERS = 45 };
  static struct mde_waves_device devices[MANY];
  static size_t order[MANY];
  static bool came[MANY];
  static char platforms[60][4];
  uint32_t random = 1;
  for (size_t i = 0; i < COUNT(platforms); i++)
    snprintf(platforms[i], sizeof platforms[i], "%zu", i);
  for (size_t i = 0; i < MANY; i++) {
    random = random * 1664525u + 1013904223u;
    devices[i].platform = (struct mde_text){platforms[random / 65536 % 60], 2};
    devices[i].last_seen = random / 4096 % 1000;
  }
  mde_waves_order(devices, MANY, LEADERS, order);
  for (size_t i = 0; i < MANY; i++) {
    assert_false(came[order[i]]);
    came[order[i]] = true;
    assert_true(devices[order[i]].leads == (i < LEADERS));
    if (i == 0 || i == LEADERS) continue;
    const struct mde_waves_device *one = &devices[order[i - 1]], *next = &devices[order[i]];
    assert_true(one->last_seen > next->last_seen ||
                (one->last_seen == next->last_seen && order[i - 1] < order[i]));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_are_read),
      cmocka_unit_test(sizes_follow_from_what_is_planned),
      cmocka_unit_test(a_gate_is_read),
      cmocka_unit_test(waves_are_kept),
      cmocka_unit_test(gates_open_and_close),
      cmocka_unit_test(a_gate_may_be_told_otherwise),
      cmocka_unit_test(each_gate_has_all_its_time),
      cmocka_unit_test(time_that_goes_back_gives_no_more),
      cmocka_unit_test(devices_come_in_their_order),
      cmocka_unit_test(none_is_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
