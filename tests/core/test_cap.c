/*
 * cap: what counts, what may go, and what is believed of a text that stands in a store.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cap.h"
#include "test_allocator.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MOST_WORDS = 4, MOST_ROWS = 16, MOST_BYTES = 1024, WORD = 80 };

static struct mde_text text_of(const char *string)
{
  return (struct mde_text){string, string == NULL ? 0 : strlen(string)};
}

/* ---- what may go: one thing after the other */

struct play {
  struct test_memory memory;
  struct mde_cap cap;
  struct mde_cap_send list[MOST_ROWS]; /* what the service is going to tell */
  size_t listed;
};

/* "-" is a restrict that does not say which operation it is. */
static struct mde_cap_send send_of(const char *id, double at)
{
  struct mde_cap_send send = {.at = at};
  if (strcmp(id, "-") == 0) return send;
  send.length = (unsigned char)strlen(id);
  memcpy(send.id, id, send.length);
  return send;
}

/* Packs it at `now`, and goes on with what another reads at the same time. */
static bool hand_over(struct play *play, double now)
{
  size_t size = mde_cap_packed_size(&play->cap, now);
  unsigned char *bytes = malloc(size), *again = malloc(size);
  assert_non_null(bytes);
  assert_non_null(again);
  mde_cap_pack(&play->cap, now, bytes);
  enum mde_cap_unpacked result = mde_cap_unpack(&play->cap, bytes, size, now);
  bool is_same = result == MDE_CAP_UNPACKED_OK && mde_cap_packed_size(&play->cap, now) == size;
  if (is_same) {
    mde_cap_pack(&play->cap, now, again);
    is_same = memcmp(bytes, again, size) == 0;
  }
  free(bytes);
  free(again);
  return is_same;
}

static bool answers(struct play *play, enum mde_cap_answer wanted, const char *id, double now,
                    bool all_the_same)
{
  double at;
  enum mde_cap_answer answer = mde_cap_take(&play->cap, text_of(id), now, all_the_same, &at);
  return answer == wanted && (answer != MDE_CAP_TAKEN || at >= now);
}

/*
 * One step: "take a 10", "full a 10", "uncounted a 10", "lift a 10" (all the same), "back a 10",
 * "went a 10 20", and with "no" before these that it is not known; "list a 10" and "merge 20";
 * "doubt"; "hand 20" over as bytes; "whole" or "partial"; "wait 10 3590", "left 10 2".
 */
static bool step(struct play *play, char words[MOST_WORDS][WORD])
{
  const char *verb = words[0], *id = words[1];
  double first = strtod(words[1], NULL), now = strtod(words[2], NULL),
         more = strtod(words[3], NULL);
  struct mde_cap *cap = &play->cap;
  if (strcmp(verb, "take") == 0) return answers(play, MDE_CAP_TAKEN, id, now, false);
  if (strcmp(verb, "full") == 0) return answers(play, MDE_CAP_FULL, id, now, false);
  if (strcmp(verb, "uncounted") == 0) return answers(play, MDE_CAP_UNCOUNTED, id, now, false);
  if (strcmp(verb, "lift") == 0) return answers(play, MDE_CAP_TAKEN, id, now, true);
  if (strcmp(verb, "back") == 0) return mde_cap_give_back(cap, text_of(id), now);
  if (strcmp(verb, "noback") == 0) return !mde_cap_give_back(cap, text_of(id), now);
  if (strcmp(verb, "went") == 0) return mde_cap_went(cap, text_of(id), now, more);
  if (strcmp(verb, "nowent") == 0) return !mde_cap_went(cap, text_of(id), now, more);
  if (strcmp(verb, "hand") == 0) return hand_over(play, first);
  if (strcmp(verb, "whole") == 0) return mde_cap_is_whole(cap);
  if (strcmp(verb, "partial") == 0) return !mde_cap_is_whole(cap);
  if (strcmp(verb, "wait") == 0) return mde_cap_wait(cap, first) == now;
  if (strcmp(verb, "left") == 0)
    return mde_cap_remaining(cap, first) == (isinf(now) ? SIZE_MAX : (size_t)now);
  if (strcmp(verb, "doubt") == 0) {
    mde_cap_doubt(cap);
    return true;
  }
  if (strcmp(verb, "list") == 0) {
    assert_true(play->listed < MOST_ROWS);
    play->list[play->listed++] = send_of(id, now);
    return true;
  }
  if (strcmp(verb, "merge") != 0) return false;
  size_t count = play->listed;
  play->listed = 0;
  return mde_cap_merge(cap, play->list, count, first);
}

#define NONE MDE_CAP_NONE
#define LONGEST "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
  const char *rule;
  size_t limit;
  const char *steps;
} rules[] = {
    /* room */
    {"so many may go in an hour", 2, "merge 0; take a 0; take b 1; full c 2"},
    {"it tells how many may still go", 3, "merge 0; left 0 3; take a 0; left 0 2; left 3600 3"},
    {"a full cap says how long to wait", 2, "merge 0; take a 0; take b 100; wait 100 3500"},
    {"one that has room asks for no wait", 2, "merge 0; take a 0; wait 1 0"},
    {"a send leaves when its hour has passed", 1, "merge 0; take a 5; full b 3604.75; take b 3605"},
    {"a quarter of a second is one", 1, "merge 0; take a 5; wait 3604.75 0.25; left 3604.75 0"},
    {"the hour slides", 2, "merge 0; take a 0; take b 1000; take c 3600; wait 3600 1000"},
    {"what is refused is not counted", 1, "merge 0; take a 0; full b 1; full b 2; take b 3600"},
    {"one id may be sent twice", 3, "merge 0; take a 0; take a 0; left 0 1"},
    {"the same id in another case is the same", 2, "merge 0; take Ab 0; back aB 0; left 0 2"},
    {"the longest id has room", 2, "merge 0; take " LONGEST " 0; hand 1; back " LONGEST " 0"},
    {"before the clock began", 2, "merge -9; take a -5; take b -4; wait 0 3595; hand 0; left 0 0"},

    /* limits */
    {"limit 0 lets nothing pass, ever", 0, "full a 0; wait 0 -1; left 0 0; full a 9999"},
    {"limit 0 has nothing to count", 0, "whole; doubt; whole"},
    {"limit 0 does not say that it was counted", 0,
     "list a 0; merge 0; lift b 1; hand 1; left 1 0"},
    {"limit 0 can be lifted", 0, "lift a 0; full b 0; wait 0 -1"},
    {"no limit lets everything pass", NONE, "whole; take a 0; take a 0; left 0 inf; wait 0 0"},
    {"no limit keeps nothing", NONE, "take a 0; noback a 0; nowent a 0 1; hand 0"},
    {"no limit has nothing to count", NONE, "doubt; whole; list a 0; merge 0; noback a 0"},

    /* lifting */
    {"what lifts it goes though it is full", 1, "merge 0; take a 0; lift b 0; full c 1"},
    {"what lifts it counts", 2, "merge 0; lift a 0; left 0 1; take b 0; full c 0"},
    {"fewer than none are never left", 1, "merge 0; lift a 0; lift b 0; lift c 0; left 0 0"},
    {"the last that fills it tells the wait", 1, "merge 0; take a 0; lift b 100; wait 3600 100"},
    {"what lifts it is not asked about before", 1, "lift a 0; partial; uncounted b 0"},

    /* not whole */
    {"a new one knows nothing, and lets nothing pass", 9, "partial; uncounted a 0; left 0 9"},
    {"an empty list makes it whole", 1, "merge 0; whole; take a 0"},
    {"one in doubt lets nothing pass", 9, "merge 0; take a 0; doubt; partial; uncounted b 0"},
    {"one in doubt still knows its own", 2,
     "merge 0; take a 0; doubt; left 0 1; merge 1; left 1 1"},
    {"counting again ends the doubt", 2, "merge 0; doubt; list a 0; merge 5; whole; left 5 1"},

    /* giving back */
    {"given back is not sent", 1, "merge 0; take a 0; back a 0; take b 0; full c 0"},
    {"given back once is enough", 2, "merge 0; take a 0; back a 0; noback a 0; left 0 2"},
    {"another's id gives nothing back", 2, "merge 0; take a 0; noback b 0; left 0 1"},
    {"another time gives nothing back", 2, "merge 0; take a 0; noback a 1; left 0 1"},
    {"half of an id gives nothing back", 2,
     "merge 0; take ab 0; noback a 0; noback abc 0; left 0 1"},
    {"of one id the one that is meant", 2,
     "merge 0; take a 0; take a 9; back a 0; wait 9 0; left 9 1;"
     "take b 9; wait 9 3600"},
    {"given back before it is told of", 1, "lift a 0; back a 0; list a 0; merge 1; full b 1"},
    {"what has left the hour is not known", 1, "merge 0; take a 0; take b 3600; noback a 0"},

    /* going */
    {"its hour begins when it went", 1, "merge 0; take a 0; went a 0 50; full b 3649; take b 3650"},
    {"it cannot have gone before", 1, "merge 0; take a 50; nowent a 50 49; wait 50 3600"},
    {"it went at once", 1, "merge 0; take a 50; nowent a 50 50; wait 50 3600"},
    {"it is known by its new time", 1,
     "merge 0; take a 0; went a 0 9; noback a 0; back a 9; left 9 1"},
    {"it went after one that was taken later", 2,
     "merge 0; take a 0; take b 5; went a 0 9;"
     "hand 9; wait 9 3596"},
    {"what was given back cannot go", 1, "merge 0; take a 0; back a 0; nowent a 0 1; left 1 1"},

    /* what the service tells */
    {"what was sent before counts, as old as it is", 2,
     "list a -3000; merge 0; take b 0; wait 0 600"},
    {"what was sent an hour before does not", 1, "list a -3600; merge 0; take b 0"},
    {"a moment less than an hour does", 1, "list a -3599.5; merge 0; full b 0; take b 0.5"},
    {"its own is not counted twice", 2, "lift a 0; list a 1; merge 5; left 5 1; wait 5 0"},
    {"its own keeps its own time", 1, "lift a 0; list a 100; merge 200; wait 200 3400"},
    {"its own are known in whatever order they went", 4,
     "lift c 0; lift a 1; list a 1; list c 0; merge 1; left 1 2"},
    {"another's is counted beside it", 3,
     "lift b 0; list a 1; list b 0; list c 1; merge 1; left 1 0"},
    {"its own that the list lacks counts", 1, "lift a 0; merge 1; full b 1"},
    {"the second of one id is counted", 3, "lift a 0; list a 0; list a 9; merge 9; left 9 1"},
    {"two of its own are two of the list", 3,
     "lift a 0; lift a 1; list a 0; list a 1; merge 9; left 9 1"},
    {"a list that lags takes nothing away", 3, "lift a 0; lift a 1; list a 0; merge 9; left 9 1"},
    {"in doubt the later one counts", 2,
     "lift a 0; list a 1000; list a 0; merge 1000; wait 1000 2600;"
     "back a 1000; left 1000 1"},
    {"in whatever order the list is", 2,
     "lift a 0; list a 0; list a 1000; merge 1000; back a 1000"},
    {"what has left is not one of those", 1,
     "lift a 0; list a -3600; list a 0; merge 0; full b 0"
     "; left 0 0; back a 0; left 0 1"},
    {"an old one does not stand for a new one", 2,
     "lift a 9; list a -3599; list a 9; merge 9; left 9 1"
     "; left 1 1; back a 9; left 9 2"},
    {"one ahead of now counts as now", 1, "list a 9999; merge 100; wait 100 3600; full b 3699"},
    {"those without an id are each one", 3, "list - 0; list - 0; merge 0; left 0 1"},
    {"and none of its own", 3, "lift a 0; list - 0; merge 0; left 0 1"},
    {"and are not counted twice either", 3,
     "list - 0; list - 1; merge 1; doubt; list - 0; list - 1;"
     "list - 2; merge 2; left 2 0"},
    {"a whole one takes no second list", 3,
     "list a 0; merge 0; list a 0; list b 0; merge 0; left 0 2"},
    {"the same list in doubt is the same", 3,
     "list a 0; list a 0; merge 0; doubt;"
     "list a 0; list a 0; merge 0; left 0 1"},
    {"more than may go leave nothing", 2,
     "list a 0; list b 1; list c 2; merge 2; left 2 0;"
     "wait 2 3599; left 3600 0; left 3601 1"},
    {"a short id comes before a long one", 4,
     "lift ab 0; lift a 0; list ab 0; list a 0; list b 0;"
     "merge 0; left 0 1; back a 0; back ab 0; back b 0"},

    /* the clock */
    {"a clock set back forgets nothing", 1, "merge 5000; take a 5000; full b 1000; full b 8599"},
    {"a clock set back frees nothing", 1,
     "merge 0; take a 0; take b 3600; back b 3600; take c 100;"
     "full d 3600; full d 7199; take d 7200"},
    {"and tells the wait by that clock", 1, "merge 5000; take a 5000; wait 4000 4600; left 4000 0"},
    {"what is taken then has the cap's time", 2, "merge 500; take a 100; noback a 100; back a 500"},
    {"nor does looking back", 1, "merge 9000; take a 9000; left 0 0; wait 9000 3600"},
    {"a list that is read then is as old as it says", 2,
     "lift a 4000; list b -2900; merge 100; left 100 0; back b 1000"},
    {"and what is new then counts as of the cap's time", 2,
     "lift a 500; list b 100; list c 101; merge 100; back b 500; back c 500"},
    {"the clock of who packs may lag", 1,
     "merge 500; take a 500; hand 400; full b 400; back a 500"},

    /* as bytes */
    {"an empty one is handed over", 2, "hand 0; partial; merge 0; hand 0; whole; take a 0"},
    {"it is handed over with its sends", 2,
     "merge 0; take a 0; hand 9; take b 9; hand 9; full c 9"},
    {"and with what can be given back", 1, "merge 0; take a 0.1; hand 9; back a 0.1; take b 9"},
    {"and with its doubt", 2, "merge 0; lift a 0; doubt; hand 1; partial; left 1 1"},
    {"and with what tells nothing", 2, "list - 0; merge 0; hand 1; left 1 1"},
    {"and in one order, whatever came first", 3,
     "merge 0; take c 0; take b 0; take a 0; hand 0; full d 0"},
    {"what has left is not handed over", 1, "merge 0; take a 0; hand 3600; noback a 0"},
    {"minus nothing is nothing", 2, "merge -0.0; take a -0.0; hand -0.0; back a 0"},
};

static void play(const char *rule, size_t limit, const char *steps)
{
  struct play play = {.listed = 0};
  mde_cap_init(&play.cap, test_allocator(&play.memory), limit);
  for (const char *at = steps; *at != '\0'; at += strspn(at, "; ")) {
    char words[MOST_WORDS][WORD] = {{0}};
    const char *begin = at;
    for (size_t word = 0; *at != ';' && *at != '\0'; at += strspn(at, " "), word++) {
      size_t length = strcspn(at, " ;");
      assert_true(word < MOST_WORDS && length < WORD);
      memcpy(words[word], at, length);
      at += length;
    }
    if (!step(&play, words)) fail_msg("%s: not so: %.*s", rule, (int)(at - begin), begin);
  }
  mde_cap_clear(&play.cap);
  test_allocator_finish(&play.memory);
}

static void keeps_the_rules(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(rules); i++)
    play(rules[i].rule, rules[i].limit, rules[i].steps);
}

/* ---- which rows of the service's list count */

#define OURS "why [mde:INC-1:AbcdefgH]"
#define TODAY "2026-02-03T10:00:00Z"
#define RESTRICT "RestrictCodeExecution"

/* The service's time is 10:01 of that day, when the clock says 1000. */
static const double service_now = 1770112860, clock_now = 1000;

static const struct {
  const char *what;
  const char *id, *type, *comment, *created; /* NULL: it has none */
  const char *counts;                        /* under which id; NULL: it does not */
  double at;
} rows[] = {
    {"ours", "1", RESTRICT, OURS, TODAY, "abcdefgh", 940},
    {"ours without an incident", "1", RESTRICT, "x [mde:abcdefgh]", TODAY, "abcdefgh", 940},
    {"ours with a type in another case", "1", "restrictcodeEXECUTION", OURS, TODAY, "abcdefgh",
     940},
    {"ours without a type", "1", NULL, OURS, TODAY, "abcdefgh", 940},
    {"ours with an empty type", "1", "", OURS, TODAY, "abcdefgh", 940},
    {"a release of ours", "1", "UnrestrictCodeExecution", OURS, TODAY, NULL, 0},
    {"an isolation of ours", "1", "Isolate", OURS, TODAY, NULL, 0},
    {"ours of a type that nobody knows", "1", "RestrictCodeExecution2", OURS, TODAY, NULL, 0},
    {"a colleague's", "1", RESTRICT, "why", TODAY, NULL, 0},
    {"one without a comment", "1", RESTRICT, NULL, TODAY, NULL, 0},
    {"one without a type or a comment", "1", NULL, NULL, TODAY, NULL, 0},
    {"a suffix that does not end it", "1", RESTRICT, OURS "!", TODAY, NULL, 0},
    {"a suffix that was cut", "1", RESTRICT, "why [mde:INC-1:Abcdefg", TODAY, NULL, 0},
    {"a suffix with too short an id", "1", RESTRICT, "why [mde:abcdefg]", TODAY, NULL, 0},
    {"a suffix with too long an id", "1", RESTRICT, "x [mde:" LONGEST "0]", TODAY, NULL, 0},
    {"the longest id", "1", RESTRICT, "x [mde:" LONGEST "]", TODAY, LONGEST, 940},
    {"ours without an id of its own", NULL, RESTRICT, OURS, TODAY, "abcdefgh", 940},
    {"a colleague's without an id", NULL, RESTRICT, "why", TODAY, "", 940},
    {"a colleague's with an empty id", "", RESTRICT, "why", TODAY, "", 940},
    {"one that says nothing", NULL, NULL, NULL, NULL, "", 1000},
    {"a release without an id", NULL, "UnrestrictCodeExecution", "why", TODAY, NULL, 0},
    {"ours without a time", "1", RESTRICT, OURS, NULL, "abcdefgh", 1000},
    {"ours of a time that cannot be read", "1", RESTRICT, OURS, "soon", "abcdefgh", 1000},
    {"ours of the year 1", "1", RESTRICT, OURS, "0001-01-01T00:00:00Z", "abcdefgh", 1000},
    {"ours ahead of now", "1", RESTRICT, OURS, "2026-02-03T10:01:30Z", "abcdefgh", 1000},
    {"ours of another century", "1", RESTRICT, OURS, "2999-01-01T00:00:00Z", "abcdefgh", 1000},
    {"ours of just now", "1", RESTRICT, OURS, "2026-02-03T10:01:00Z", "abcdefgh", 1000},
    {"ours before the clock began", "1", RESTRICT, OURS, "2026-02-03T09:00:00Z", "abcdefgh", -2660},
    {"ours of half a second", "1", RESTRICT, OURS, "2026-02-03T10:00:59.5Z", "abcdefgh", 999.5},
};

static void knows_what_counts(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    struct mde_action_text row = {.id = text_of(rows[i].id),
                                  .type = text_of(rows[i].type),
                                  .comment = text_of(rows[i].comment),
                                  .created = text_of(rows[i].created)};
    struct mde_cap_send send;
    memset(&send, 0xa5, sizeof send);
    bool counts = mde_cap_counts(&row, &mde_responses[MDE_RESPONSE_RESTRICT], text_of(NULL),
                                 service_now, clock_now, &send);
    if (counts != (rows[i].counts != NULL)) fail_msg("%s: counts: %d", rows[i].what, counts);
    if (!counts) continue;
    struct mde_cap_send wanted = send_of(rows[i].counts, rows[i].at);
    if (send.at != wanted.at || send.length != wanted.length ||
        memcmp(send.id, wanted.id, sizeof send.id) != 0)
      fail_msg("%s: under \"%.*s\" at %g", rows[i].what, send.length, send.id, send.at);
  }
}

static void counts_each_response_and_each_file_by_itself(void **state)
{
  (void)state;
  static const char one[] = "3395856ce81f2b7382dee72602f798b642f14140";
  static const char other[] = "4495856ce81f2b7382dee72602f798b642f14140";
  static const struct {
    const char *what;
    int of;
    const char *file, *type, *row_file;
    bool counts;
  } cases[] = {
      {"an isolation", MDE_RESPONSE_ISOLATE, NULL, "Isolate", NULL, true},
      {"a restrict, for isolations", MDE_RESPONSE_ISOLATE, NULL, RESTRICT, NULL, false},
      {"an isolation, for restricts", MDE_RESPONSE_RESTRICT, NULL, "Isolate", NULL, false},
      {"an isolation, which a containment may be", MDE_RESPONSE_CONTAIN, NULL, "Isolate", NULL,
       true},
      {"of this file", MDE_RESPONSE_QUARANTINE, one, "StopAndQuarantineFile", one, true},
      {"of another file", MDE_RESPONSE_QUARANTINE, one, "StopAndQuarantineFile", other, false},
      {"of a file that is not told", MDE_RESPONSE_QUARANTINE, one, "StopAndQuarantineFile", NULL,
       true},
      {"of any file, where none is asked for", MDE_RESPONSE_QUARANTINE, NULL,
       "StopAndQuarantineFile", other, true},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_action_text row = {.id = text_of("1"),
                                  .type = text_of(cases[i].type),
                                  .comment = text_of(OURS),
                                  .file = text_of(cases[i].row_file),
                                  .created = text_of(TODAY)};
    struct mde_cap_send send;
    bool counts = mde_cap_counts(&row, &mde_responses[cases[i].of], text_of(cases[i].file),
                                 service_now, clock_now, &send);
    if (counts != cases[i].counts) fail_msg("%s: counts: %d", cases[i].what, counts);
  }
}

/* ---- what is believed of a text */

static uint64_t sum_of(const unsigned char *bytes, size_t length)
{
  uint64_t sum = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < length; i++)
    sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
  return sum;
}

static size_t put(unsigned char *bytes, uint64_t number, size_t size)
{
  for (size_t i = 0; i < size; i++)
    bytes[i] = (unsigned char)(number >> (8 * i));
  return size;
}

/* The part of a text that a word describes: see `texts`. */
static size_t put_word(unsigned char *bytes, const char *word, size_t length)
{
  char value[WORD * 2] = "";
  const char *colon = memchr(word, ':', length);
  assert_non_null(colon);
  size_t name = (size_t)(colon - word), rest = length - name - 1;
  assert_true(rest < sizeof value);
  memcpy(value, colon + 1, rest);
  if (name == 3 && memcmp(word, "cap", 3) == 0) {
    memcpy(bytes, "cap", 3);
    bytes[3] = (unsigned char)atoi(value);
    return 4;
  }
  if (name == 4 && memcmp(word, "byte", 4) == 0) return put(bytes, strtoull(value, NULL, 10), 1);
  if (name == 5 && memcmp(word, "count", 5) == 0) return put(bytes, strtoull(value, NULL, 10), 4);
  if (name == 2 && memcmp(word, "id", 2) == 0) {
    bytes[0] = (unsigned char)rest;
    memcpy(bytes + 1, value, rest);
    return 1 + rest;
  }
  if (name == 3 && memcmp(word, "raw", 3) == 0) {
    memcpy(bytes, value, rest);
    return rest;
  }
  double time = strtod(value, NULL);
  uint64_t bits;
  memcpy(&bits, &time, sizeof bits);
  return put(bytes, bits, 8);
}

#define OK MDE_CAP_UNPACKED_OK
#define OTHER MDE_CAP_UNPACKED_OTHER
#define DAMAGED MDE_CAP_UNPACKED_DAMAGED
#define CLOCK MDE_CAP_UNPACKED_CLOCK
#define HEAD "cap:1 byte:1 time:1000 "

/*
 * A text in words: "cap:1" and its version, "byte:1" any byte, "time:9" and "at:9" eight bytes,
 * "count:2" four, "id:ab" with its length before it, "raw:x" as it is. The checksum follows, but
 * not behind "!".
 */
static const struct {
  const char *what, *text;
  double now;
  enum mde_cap_unpacked result;
} texts[] = {
    {"nothing", "!", 1000, OTHER},
    {"what an older version had put there", "raw:{\"whole\":true,\"sends\":[]} !", 1000, OTHER},
    {"a number", "raw:17 !", 1000, OTHER},
    {"the beginning of one", "raw:cap !", 1000, OTHER},
    {"of a version to come", "cap:2 byte:1 time:1000 count:0", 1000, OTHER},
    {"of a version before the first", "cap:0 byte:1 time:1000 count:0", 1000, OTHER},
    {"a limiter's", "time:-inf time:1000", 1000, OTHER},
    {"the beginning alone", "cap:1 !", 1000, DAMAGED},
    {"the beginning and its checksum", "cap:1", 1000, DAMAGED},
    {"without a count", HEAD, 1000, DAMAGED},
    {"without a checksum", HEAD "count:0 !", 1000, DAMAGED},
    {"with a wrong checksum", HEAD "count:0 time:1 !", 1000, DAMAGED},
    {"without sends", HEAD "count:0", 1000, OK},
    {"not whole", "cap:1 byte:0 time:1000 count:0", 1000, OK},
    {"more than whole", "cap:1 byte:2 time:1000 count:0", 1000, DAMAGED},
    {"with a send", HEAD "count:1 at:900 id:abcdefgh", 1000, OK},
    {"with a send without an id", HEAD "count:1 at:900 id:", 1000, OK},
    {"with the longest id", HEAD "count:1 at:900 id:" LONGEST, 1000, OK},
    {"with a longer one", HEAD "count:1 at:900 id:" LONGEST "0", 1000, DAMAGED},
    {"with an id in upper case", HEAD "count:1 at:900 id:Abcdefgh", 1000, DAMAGED},
    {"with a send of no time", HEAD "count:1 at:nan id:a", 1000, DAMAGED},
    {"with a send at no end of time", HEAD "count:1 at:inf id:a", 1000, DAMAGED},
    {"of no time", "cap:1 byte:1 time:nan count:0", 1000, DAMAGED},
    {"of the end of time", "cap:1 byte:1 time:inf count:0", 1000, DAMAGED},
    {"of before all time", "cap:1 byte:1 time:-inf count:0", 1000, DAMAGED},
    {"with a send that has left", HEAD "count:1 at:-2600 id:a", 1000, DAMAGED},
    {"with one that has almost left", HEAD "count:1 at:-2599 id:a", 1000, OK},
    {"with sends in their order", HEAD "count:2 at:1 id:b at:2 id:a", 1000, OK},
    {"with sends out of order", HEAD "count:2 at:2 id:a at:1 id:b", 1000, DAMAGED},
    {"with ids out of order", HEAD "count:2 at:1 id:b at:1 id:a", 1000, DAMAGED},
    {"with one send twice", HEAD "count:2 at:1 id:a at:1 id:a", 1000, OK},
    {"with a send less than it says", HEAD "count:2 at:1 id:a", 1000, DAMAGED},
    {"with a send more than it says", HEAD "count:1 at:1 id:a at:2 id:b", 1000, DAMAGED},
    {"with a send that ends in its time", HEAD "count:1 raw:12345678", 1000, DAMAGED},
    {"with a send that ends in its id", HEAD "count:1 at:1 byte:2 raw:a", 1000, DAMAGED},
    {"with a second that ends in its id", HEAD "count:2 at:1 id:abcdefghi at:2 byte:9", 1000,
     DAMAGED},
    {"with a second that ends in its time", HEAD "count:2 at:1 id:abcdefghi byte:9", 1000, DAMAGED},
    {"with ids that a NUL tells apart", HEAD "count:2 at:1 id:a at:1 byte:2 raw:a byte:0", 1000,
     OK},
    {"with those out of order", HEAD "count:2 at:1 byte:2 raw:a byte:0 at:1 id:a", 1000, DAMAGED},
    {"with a send less, before the clock began", HEAD "count:2 at:-5 id:abcdefghi", 1000, DAMAGED},
    {"with a send of no time and no id", HEAD "count:1 at:nan id:", 1000, DAMAGED},
    {"with a length and no id", HEAD "count:1 at:1 byte:1", 1000, DAMAGED},
    {"with bytes behind the sends", HEAD "count:1 at:1 id:a byte:0", 1000, DAMAGED},
    {"with bytes and no sends", HEAD "count:0 byte:0", 1000, DAMAGED},
    {"with more sends than there is memory", HEAD "count:4294967295", 1000, DAMAGED},
    {"with more sends than it has bytes", HEAD "count:200000 at:1 id:a", 1000, DAMAGED},
    {"a moment before an hour later", HEAD "count:1 at:900 id:a", 4599, OK},
    {"an hour later, when a clock was set forward", HEAD "count:1 at:900 id:a", 4600, CLOCK},
    {"a day later", HEAD "count:0", 87400, CLOCK},
    {"a moment less than an hour ahead", HEAD "count:1 at:900 id:a", -2599, OK},
    {"an hour ahead, when a clock was set back", HEAD "count:1 at:900 id:a", -2600, CLOCK},
    {"a day ahead", HEAD "count:0", -85400, CLOCK},
    {"with a send that is ahead", HEAD "count:1 at:4599 id:a", 1000, OK},
    {"with a send that is an hour ahead", HEAD "count:1 at:4600 id:a", 1000, CLOCK},
    {"with a send of the end of days", HEAD "count:2 at:900 id:a at:1e300 id:b", 1000, CLOCK},
};

static size_t write_text(unsigned char *bytes, const char *text)
{
  size_t size = 0;
  bool has_sum = true;
  for (const char *at = text; *at != '\0'; at += strspn(at, " ")) {
    size_t length = strcspn(at, " ");
    if (*at == '!')
      has_sum = false;
    else
      size += put_word(bytes + size, at, length);
    at += length;
    assert_true(size < MOST_BYTES - 2 * WORD);
  }
  return has_sum ? size + put(bytes + size, sum_of(bytes, size), 8) : size;
}

/* What was refused is nothing that was known, and nothing that was not sent. */
static void check_empty(struct mde_cap *cap, const char *what)
{
  double at;
  if (mde_cap_is_whole(cap) || cap->length != 0) fail_msg("%s: half taken", what);
  if (mde_cap_take(cap, text_of("another0"), 1000, false, &at) != MDE_CAP_UNCOUNTED)
    fail_msg("%s: a send could be taken", what);
}

static enum mde_cap_unpacked unpack(struct mde_cap *cap, const unsigned char *bytes, size_t size,
                                    double now)
{
  /* In a block of its own, for the sanitizers. */
  unsigned char *copy = malloc(size > 0 ? size : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, size);
  enum mde_cap_unpacked result = mde_cap_unpack(cap, copy, size, now);
  free(copy);
  return result;
}

static void believes_what_it_packed(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++) {
    unsigned char bytes[MOST_BYTES], again[MOST_BYTES];
    size_t size = write_text(bytes, texts[i].text);
    struct test_memory memory = {0};
    struct mde_cap cap;
    double at;
    mde_cap_init(&cap, test_allocator(&memory), 2);
    /* What it knew is gone, too. */
    assert_int_equal(mde_cap_take(&cap, text_of("abcdefgh"), 999, true, &at), MDE_CAP_TAKEN);
    mde_cap_merge(&cap, NULL, 0, 999);
    enum mde_cap_unpacked result = unpack(&cap, bytes, size, texts[i].now);
    if (result != texts[i].result) fail_msg("%s: %d", texts[i].what, (int)result);
    if (result != OK) {
      check_empty(&cap, texts[i].what);
      if (memory.live_blocks > 0) fail_msg("%s: kept memory", texts[i].what);
    } else {
      assert_int_equal(mde_cap_is_whole(&cap), bytes[4]);
      assert_int_equal(mde_cap_packed_size(&cap, -1e9), size);
      mde_cap_pack(&cap, -1e9, again);
      assert_memory_equal(bytes, again, size);
      cap.limit = NONE;
      assert_true(mde_cap_remaining(&cap, texts[i].now) == SIZE_MAX);
    }
    mde_cap_clear(&cap);
    test_allocator_finish(&memory);
  }
}

/* Each byte and each length of a text that is one. */
static void notices_damage(void **state)
{
  (void)state;
  unsigned char bytes[MOST_BYTES];
  size_t size = write_text(bytes, HEAD "count:2 at:900 id:abcdefgh at:950 id:ijklmnop");
  struct test_memory memory = {0};
  struct mde_cap cap;
  mde_cap_init(&cap, test_allocator(&memory), 2);
  for (size_t length = 0; length < size; length++) {
    assert_int_not_equal(unpack(&cap, bytes, length, 1000), OK);
    check_empty(&cap, "a part of it");
  }
  for (size_t i = 0; i < size; i++) {
    for (int bit = 0; bit < 8; bit++) {
      bytes[i] ^= (unsigned char)(1 << bit);
      if (unpack(&cap, bytes, size, 1000) == OK) fail_msg("bit %d of byte %zu", bit, i);
      check_empty(&cap, "another bit");
      bytes[i] ^= (unsigned char)(1 << bit);
    }
  }
  assert_int_equal(unpack(&cap, bytes, size, 1000), OK);
  mde_cap_clear(&cap);
  test_allocator_finish(&memory);
}

/* ---- memory */

static size_t pack(const struct mde_cap *cap, unsigned char bytes[MOST_BYTES])
{
  size_t size = mde_cap_packed_size(cap, 0);
  assert_true(size <= MOST_BYTES);
  mde_cap_pack(cap, 0, bytes);
  return size;
}

static void is_unchanged_without_memory(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_cap cap;
  unsigned char before[MOST_BYTES], after[MOST_BYTES];
  struct mde_cap_send list[] = {{.at = 1, .length = 1, .id = "x"},
                                {.at = 2, .length = 1, .id = "y"},
                                {.at = 3, .length = 1, .id = "z"},
                                {.at = 4, .length = 1, .id = "a"}};
  double at;
  size_t failures = 0;
  mde_cap_init(&cap, test_allocator(&memory), 20);
  for (int i = 0; i < 8; i++) {
    char id[] = {(char)('a' + i), '\0'};
    size_t size = pack(&cap, before);
    memory.fail_at = 1;
    enum mde_cap_answer answer = mde_cap_take(&cap, text_of(id), 1 + i, true, &at);
    if (answer == MDE_CAP_NO_MEMORY) {
      failures++;
      assert_int_equal(pack(&cap, after), size);
      assert_memory_equal(before, after, size);
      assert_int_equal(mde_cap_take(&cap, text_of(id), 1 + i, true, &at), MDE_CAP_TAKEN);
    } else {
      assert_int_equal(answer, MDE_CAP_TAKEN);
    }
    memory.fail_at = 0;
  }
  assert_int_equal(failures, 4); /* it has room for 1, 3, 6, 10 */

  size_t size = pack(&cap, before);
  memory.fail_at = 1;
  assert_false(mde_cap_merge(&cap, list, COUNT(list), 9));
  assert_false(mde_cap_is_whole(&cap));
  assert_int_equal(pack(&cap, after), size);
  assert_memory_equal(before, after, size);
  assert_true(mde_cap_merge(&cap, list, COUNT(list), 9));
  assert_int_equal(mde_cap_remaining(&cap, 9), 20 - 8 - 3);

  size = pack(&cap, before);
  memory.fail_at = 1;
  assert_int_equal(mde_cap_unpack(&cap, before, size, 9), MDE_CAP_UNPACKED_NO_MEMORY);
  check_empty(&cap, "no memory");
  assert_int_equal(mde_cap_unpack(&cap, before, size, 9), MDE_CAP_UNPACKED_OK);
  assert_int_equal(mde_cap_remaining(&cap, 9), 20 - 8 - 3);
  mde_cap_clear(&cap);
  mde_cap_clear(&cap);
  check_empty(&cap, "cleared");
  test_allocator_finish(&memory);
}

static void keeps_no_more_than_it_can(void **state)
{
  (void)state;
  enum { MORE = 3 };
  struct test_memory memory = {0};
  struct mde_cap cap;
  double at;
  mde_cap_init(&cap, test_allocator(&memory), MDE_CAP_MAX);
  for (int i = 0; i < MDE_CAP_MAX_SENDS + MORE; i++)
    assert_int_equal(mde_cap_take(&cap, text_of("a"), i / 128.0, true, &at), MDE_CAP_TAKEN);
  assert_int_equal(cap.length, MDE_CAP_MAX_SENDS);
  assert_false(mde_cap_give_back(&cap, text_of("a"), (MORE - 1) / 128.0));
  assert_true(cap.sends[0].at == MORE / 128.0);

  /* So many are handed over, and a list of as many is merged before long. */
  size_t size = mde_cap_packed_size(&cap, at);
  unsigned char *bytes = malloc(size);
  struct mde_cap_send *list = calloc(MDE_CAP_MAX_SENDS, sizeof *list);
  assert_non_null(bytes);
  assert_non_null(list);
  mde_cap_pack(&cap, at, bytes);
  assert_int_equal(mde_cap_unpack(&cap, bytes, size, at), MDE_CAP_UNPACKED_OK);
  assert_int_equal(cap.length, MDE_CAP_MAX_SENDS);
  for (int i = 0; i < MDE_CAP_MAX_SENDS; i++) {
    list[i].at = at - i / 256.0;
    list[i].length = 1;
    list[i].id[0] = (char)('b' + i % 2);
  }
  assert_true(mde_cap_merge(&cap, list, MDE_CAP_MAX_SENDS, at));
  assert_int_equal(cap.length, MDE_CAP_MAX_SENDS);
  assert_true(cap.sends[MDE_CAP_MAX_SENDS - 1].at == at);
  for (size_t i = 1; i < cap.length; i++)
    assert_true(cap.sends[i - 1].at <= cap.sends[i].at);
  /* 128 and 256 a second: the latest are those of 521 seconds. */
  assert_true(cap.sends[0].at > at - 521);
  assert_true(mde_cap_wait(&cap, at) > 0);

  /* One more is nothing that was packed. */
  enum { HEAD_SIZE = 17, SEND_SIZE = 9 };
  size = HEAD_SIZE + SEND_SIZE * (MDE_CAP_MAX_SENDS + 1);
  unsigned char *more = calloc(1, size + 8);
  assert_non_null(more);
  write_text(more, HEAD "count:200001 !");
  put(more + size, sum_of(more, size), 8);
  assert_int_equal(mde_cap_unpack(&cap, more, size + 8, 1000), MDE_CAP_UNPACKED_DAMAGED);
  write_text(more, HEAD "count:200000 !");
  put(more + size - SEND_SIZE, sum_of(more, size - SEND_SIZE), 8);
  assert_int_equal(mde_cap_unpack(&cap, more, size - SEND_SIZE + 8, 1000), MDE_CAP_UNPACKED_OK);
  free(more);
  free(list);
  free(bytes);
  mde_cap_clear(&cap);
  test_allocator_finish(&memory);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_the_rules),
      cmocka_unit_test(knows_what_counts),
      cmocka_unit_test(counts_each_response_and_each_file_by_itself),
      cmocka_unit_test(believes_what_it_packed),
      cmocka_unit_test(notices_damage),
      cmocka_unit_test(is_unchanged_without_memory),
      cmocka_unit_test(keeps_no_more_than_it_can),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
