/*
 * cursor: which row is handed over, when again, what is set aside, and since when is read. Played as
 * one thing after the other, with times in seconds; and what is believed of its records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cursor_record.h"
#include "test_allocator.h"
#include "timestamp.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MOST_WORDS = 6, WORD = 140, MOST_BYTES = 1 << 16 };

static struct mde_text text_of(const char *string)
{
  return (struct mde_text){string, string == NULL ? 0 : strlen(string)};
}

static int64_t ticks(double seconds)
{
  return (int64_t)(seconds * (double)MDE_TICKS_PER_SECOND);
}

/* "-" is no time. */
static int64_t time_of(const char *word)
{
  return *word == '\0' || strcmp(word, "-") == 0 ? MDE_NO_TIME : ticks(strtod(word, NULL));
}

/* ---- all that is known, as bytes */

struct bytes {
  unsigned char at[MOST_BYTES];
  size_t length;
};

/* Puts what has changed behind them. */
static void write_changes(struct mde_cursor *cursor, struct bytes *bytes)
{
  size_t size;
  assert_true(bytes->length + MDE_CURSOR_RECORD_MAX < MOST_BYTES);
  while ((size = mde_cursor_next_record(cursor, bytes->at + bytes->length)) > 0) {
    bytes->length += size;
    assert_true(bytes->length + MDE_CURSOR_RECORD_MAX < MOST_BYTES);
  }
}

static void write_all(struct mde_cursor *cursor, struct bytes *bytes)
{
  bytes->length = 0;
  mde_cursor_rewrite(cursor);
  write_changes(cursor, bytes);
  assert_int_equal(bytes->length, mde_cursor_size(cursor));
}

/* ---- a play */

struct play {
  struct test_memory memory;
  struct mde_cursor cursor;
  struct bytes kept;
  int64_t now;
};

static const char *const answers[] = {
    [MDE_CURSOR_HAND_OVER] = "new",    [MDE_CURSOR_KNOWN] = "known",
    [MDE_CURSOR_LATER] = "later",      [MDE_CURSOR_OLD] = "old",
    [MDE_CURSOR_INTERRUPTED] = "lost", [MDE_CURSOR_NO_ID] = "noid",
    [MDE_CURSOR_NO_TIME] = "notime",   [MDE_CURSOR_FULL] = "full",
};

/* "new a 100 90 open": a row with this id, changed, created, and of this status; the creation and
   the status may be left out. */
static bool is_answered(struct play *play, char words[MOST_WORDS][WORD])
{
  struct mde_cursor_row row = {.id = text_of(strcmp(words[1], "-") == 0 ? "" : words[1]),
                               .updated = time_of(words[2]),
                               .created = time_of(words[words[3][0] == '\0' ? 2 : 3]),
                               .status = text_of(words[4][0] == '\0' ? NULL : words[4])};
  enum mde_cursor_answer answer = mde_cursor_tell(&play->cursor, &row, play->now);
  return strcmp(answers[answer], words[0]) == 0;
}

static bool hand_over(struct play *play, struct mde_text id, enum mde_cursor_end end,
                      int64_t not_before)
{
  if (mde_cursor_begin(&play->cursor, id) == 0) return false;
  return mde_cursor_finish(&play->cursor, id, end, play->now, not_before);
}

/* What was written is read by another process. */
static bool restart(struct play *play)
{
  size_t used;
  write_changes(&play->cursor, &play->kept);
  enum mde_cursor_unpacked result =
      mde_cursor_unpack(&play->cursor, play->kept.at, play->kept.length, &used);
  return result == MDE_CURSOR_UNPACKED_OK && used == play->kept.length;
}

/*
 * One step: "read 100 85" at a time, and since when; a row, which is "new", "known", "later", "old",
 * "lost", "noid" or "notime"; "done a", "fail a [until]", "off a [until]", how one ended, and "begin
 * a 2" with the try; "end 0" of the read, and how many are gone; "at 100"; "restart"; "waiting 1",
 * "aside 1", "total 1"; "wait 60", "behind 60"; "again a".
 */
static bool step(struct play *play, char words[MOST_WORDS][WORD])
{
  struct mde_cursor *cursor = &play->cursor;
  const char *verb = words[0];
  struct mde_text id = text_of(words[1]);
  size_t number = (size_t)strtoul(words[1], NULL, 10);
  if (strcmp(verb, "read") == 0) {
    play->now = time_of(words[1]);
    return mde_cursor_read(cursor, play->now) == time_of(words[2]);
  }
  if (strcmp(verb, "at") == 0) {
    play->now = time_of(words[1]);
    return true;
  }
  if (strcmp(verb, "begin") == 0)
    return mde_cursor_begin(cursor, id) == (int)strtol(words[2], NULL, 10);
  if (strcmp(verb, "done") == 0) return hand_over(play, id, MDE_CURSOR_SUCCEEDED, MDE_NO_TIME);
  if (strcmp(verb, "fail") == 0) return hand_over(play, id, MDE_CURSOR_FAILED, time_of(words[2]));
  if (strcmp(verb, "off") == 0) return hand_over(play, id, MDE_CURSOR_PUT_OFF, time_of(words[2]));
  if (strcmp(verb, "end") == 0) return mde_cursor_end_read(cursor) == number;
  if (strcmp(verb, "restart") == 0) return restart(play);
  if (strcmp(verb, "waiting") == 0) return mde_cursor_count(cursor, MDE_CURSOR_WAITING) == number;
  if (strcmp(verb, "aside") == 0) return mde_cursor_count(cursor, MDE_CURSOR_ASIDE) == number;
  if (strcmp(verb, "known") == 0 && words[2][0] == '\0') return cursor->entries.length == number;
  if (strcmp(verb, "total") == 0) return cursor->done == number;
  if (strcmp(verb, "wait") == 0) return mde_cursor_wait(cursor, play->now) == time_of(words[1]);
  if (strcmp(verb, "behind") == 0) return mde_cursor_behind(cursor, play->now) == time_of(words[1]);
  if (strcmp(verb, "again") == 0) return mde_cursor_again(cursor, id);
  if (strcmp(verb, "notagain") == 0) return !mde_cursor_again(cursor, id);
  return is_answered(play, words);
}

#define LONGEST                                                                                    \
  "0123456789012345678901234567890123456789012345678901234567890123"                               \
  "0123456789012345678901234567890123456789012345678901234567890123"

/* Overlap 10, span 100, a sweep every 1000, delay 60, 3 tries; from 1000 on. */
static const struct {
  const char *rule;
  const char *steps;
} rules[] = {
    /* once each */
    {"a row is handed over once",
     "read 1005 1000; new a 1001; done a; known a 1001; end 0; read 1010 1000; known a 1001"},
    {"rows with equal times are all handed over",
     "read 1005 1000; new a 1001; done a; new b 1001; done b; end 0; read 1010 1000;"
     "known b 1001; new c 1001; done c; total 3"},
    {"a row that was changed is not handed over again",
     "read 1005 1000; new a 1001; done a; end 0; read 1010 1000; known a 1009 1001"},
    {"nor when another status is all that has changed",
     "read 1005 1000; new a 1001 1001 new; done a; known a 1002 1001 resolved"},
    {"they may come in any order",
     "read 1005 1000; new b 1004; done b; new a 1001; done a; end 0; read 1006 1000"},
    {"one that was not begun waits, and is handed over by a later read",
     "read 1005 1000; new a 1001; new b 1002; done b; end 0; waiting 1; read 1006 1000; new a "
     "1001"},
    {"ids are not cut", "read 1005 1000; new a 1001; done a; new aa 1001; done aa; new aaa 1001"},
    {"ids have a case", "read 1005 1000; new a 1001; done a; new A 1001"},
    {"the longest id has room", "read 1005 1000; new " LONGEST " 1001; done " LONGEST "; restart;"
                                "read 1006 1000; known " LONGEST " 1001"},
    {"a longer one cannot be told from others", "read 1005 1000; noid " LONGEST "0 1001"},
    {"a row without an id is named", "read 1005 1000; noid - 1001; end 0"},
    {"a row without any time is named, and costs no other row",
     "read 1005 1000; notime a - -; new b 1001; done b; end 0"},
    {"one that says when it was created has a time", "read 1005 1000; new a - 1001"},
    {"one that says when it was changed has one", "read 1005 1000; new a 1001 -"},

    {"it holds the mark, and nobody is caught up",
     "read 1205 1000; noid - 1150; new a 1200; done a; end 0; behind 55; read 1206 1140;"
     "known a 1200; new b 1150; done b; end 0; behind 0; read 1207 1190"},
    {"without a time it holds it where it is",
     "read 1205 1000; new a 1200; done a; end 0; read 1206 1190; noid - - -; new b 1205; done b;"
     "end 0; read 1207 1190; known b 1205; end 0; read 1208 1195"},
    {"but not for longer than a span", "read 1205 1000; noid - 1050; new a 1200; done a; end 0;"
                                       "read 1206 1090"},
    {"nothing is gone by a read that has one",
     "read 1005 1000; new a 1001; fail a; end 0; read 1065 1000; noid - 1001; end 0;"
     "read 1066 1000; noid - 1001; end 0; read 1067 1000; end 0; waiting 1; read 1068 1000;"
     "end 1; aside 1"},
    {"what is known needs no time",
     "read 1005 1000; new a 1001; fail a; end 0; read 1065 1000; new a - -; done a; known a - -"},

    /* since when is read */
    {"the first read begins at the beginning, and not before", "read 1005 1000"},
    {"a read begins an overlap before the newest row",
     "read 1205 1000; new a 1200; done a; end 0; read 1206 1190; end 0; read 1300 1190"},
    {"nothing new moves nothing", "read 1205 1000; end 0; read 1206 1000"},
    {"a read that did not end moves nothing",
     "read 1205 1000; new a 1200; done a; read 1206 1000; known a 1200"},
    {"a late row within the overlap is handed over",
     "read 1205 1000; new a 1200; done a; end 0; read 1206 1190; new b 1190; done b"},
    {"a sweep begins a span before the newest row",
     "read 1205 1000; new a 1200; done a; end 0; read 2205 1100; end 0; read 2206 1190"},
    {"a late row within the span is handed over by a sweep",
     "read 1205 1000; new a 1200; done a; end 0; read 2205 1100; known a 1200; new b 1100; done b"},
    {"a sweep that did not end is still to be done",
     "read 1205 1000; new a 1200; done a; end 0; read 2205 1100; read 2206 1100; end 0;"
     "read 2207 1190"},
    {"the first read is a sweep, also after a restart",
     "read 1205 1000; new a 1200; done a; end 0; restart; read 1206 1190; end 0; read 2206 1100"},

    /* what is forgotten */
    {"what is past the span is forgotten",
     "read 1205 1000; new a 1100; done a; new b 1201; done b; end 0; known 1"},
    {"what is within it is not",
     "read 1205 1000; new a 1100; done a; new b 1200; done b; end 0; known 2"},
    {"what was forgotten is not new when it is changed",
     "read 1205 1000; new a 1100; done a; new b 1201; done b; end 0; read 1300 1191;"
     "old a 1299 1100"},
    {"that is told once",
     "read 1205 1000; new a 1100; done a; new b 1201; done b; end 0; read 1300 1191;"
     "old a 1299 1100; known a 1299 1100; end 0; restart; read 1301 1289; known a 1299 1100"},
    {"after a restart it may be known again, and is not new either",
     "read 1205 1000; new a 1100; done a; new b 1201; done b; end 0; restart; read 1300 1191;"
     "known a 1299 1100; new c 1299 1101; done c"},
    {"what was created before the beginning is old", "read 1005 1000; old a 1004 999"},
    {"what was created at it is new", "read 1005 1000; new a 1004 1000"},
    {"what is changed stays known",
     "read 1105 1000; new a 1100; done a; end 0; read 1205 1090; known a 1199 1100;"
     "new b 1201; done b; end 0; known 2"},
    {"what waits is not forgotten",
     "read 1205 1000; new a 1100; fail a 4000; new b 1201; done b; end 0; known 2; waiting 1"},
    {"what was set aside is known for a month",
     "read 1005 1000; new a 1001; off a; end 0; read 1100 1000; new a 1001; fail a; end 0;"
     "read 2000 1000; new a 1001; fail a; end 0; read 5000 1000; new a 1001; fail a; aside 1;"
     "new b 4999; done b; end 0; aside 1; read 2600000 4899; new c 2592998; done c; end 0; aside 1;"
     "read 2700000 2592898; new d 2593002; done d; end 0; aside 0"},

    /* clocks */
    {"a row that is dated ahead does not move the mark",
     "read 1205 1000; new a 9999; done a; new b 1200; done b; end 0; read 1300 1190; known a 9999"},
    {"and is known until its time has passed",
     "read 1205 1000; new a 9000; done a; new b 1200; done b; end 0; read 9105 1100; new c 9100;"
     "done c; end 0; known 2; known a 9000; read 9106 9090; new d 9101; done d; end 0; known 2;"
     "read 9107 9091; old a 9106 9000"},
    {"so is what was created ahead of a clock that lags",
     "read 1205 1000; new a 1400; done a; end 0; read 1406 1000; known a 1405 1400; new b 1406;"
     "done b; end 0; known 2; read 1600 1396; known a 1599 1400; new c 1600; done c; end 0;"
     "read 9000 1500; old b 8999 1406"},
    {"a clock that was ahead does not put off a sweep",
     "read 9205 1000; new a 1200; done a; end 0; read 1205 1100"},
    {"nor a retry",
     "read 9205 1000; new a 1200; fail a; end 0; at 1205; read 1205 1100; new a 1200"},
    {"a clock that was set back moves the mark not back",
     "read 1205 1000; new a 1200; done a; end 0; read 1100 1100; known a 1200; end 0;"
     "read 1206 1190"},

    /* failing */
    {"what failed comes later",
     "read 1005 1000; new a 1001; fail a; later a 1001; end 0; waiting 1;"
     "read 1064 1000; later a 1001; end 0; read 1065 1000; new a 1001"},
    {"it is read again however old it is",
     "read 1205 1000; new a 1001; fail a; new b 1200; done b; end 0; read 1206 1190; end 0;"
     "read 1265 1001; new a 1001; done a; end 0; read 1266 1190"},
    {"each time it waits four times as long",
     "read 1005 1000; new a 1001; begin a 1; restart; read 1005 1000; new a 1001; fail a;"
     "read 1244 1000; later a 1001; read 1245 1000; new a 1001; begin a 3"},
    {"the last try sets it aside",
     "read 1005 1000; new a 1001; fail a; read 1065 1000; new a 1001; fail a; read 1305 1000;"
     "new a 1001; fail a; aside 1; known a 1001; end 0; read 9000 1000; known a 1001"},
    {"a handler may say when, if that is later", "read 1005 1000; new a 1001; fail a 2005;"
                                                 "read 2004 1000; later a 1001; read 2005 1000;"
                                                 "new a 1001"},
    {"not earlier", "read 1005 1000; new a 1001; fail a 1006; read 1064 1000; later a 1001"},
    {"and not later than an hour", "read 1005 1000; new a 1001; fail a 99999; read 4604 1000;"
                                   "later a 1001; read 4605 1000; new a 1001"},
    {"what is put off is no try",
     "read 1005 1000; new a 1001; off a; read 1065 1000; new a 1001; off a; read 1125 1000;"
     "new a 1001; off a; read 1185 1000; new a 1001; begin a 1"},
    {"one that fails holds up no other",
     "read 1005 1000; new a 1001; fail a; new b 1002; done b; end 0; total 1"},
    {"what is not told any more is set aside",
     "read 1005 1000; new a 1001; fail a; end 0; read 1065 1000; end 0; read 1066 1000; end 1;"
     "aside 1; waiting 0"},
    {"but not by one read that missed it",
     "read 1005 1000; new a 1001; fail a; end 0; read 1065 1000; end 0; read 1066 1000; new a 1001;"
     "fail a; end 0; read 1306 1000; end 0; waiting 1"},
    {"nor by reads before it is due",
     "read 1005 1000; new a 1001; fail a; end 0; read 1006 1000; end 0; read 1007 1000; end 0;"
     "read 1008 1000; end 0; waiting 1"},
    {"what was set aside may be tried again",
     "read 1005 1000; new a 1001; fail a; end 0; read 1065 1000; end 0; read 1066 1000; end 1;"
     "again a; notagain a; restart; read 1067 1000; new a 1001; begin a 1"},
    {"only what was set aside",
     "read 1005 1000; new a 1001; notagain a; done a; notagain a; notagain b"},

    /* dying */
    {"what had begun when the process died comes again",
     "read 1005 1000; new a 1001; begin a 1; restart; read 1006 1000; new a 1001; begin a 2"},
    {"also if it is older than the overlap",
     "read 1005 1000; new a 1001; fail a; new b 1200; done b; end 0; at 1300; read 1300 1000;"
     "new a 1001; begin a 2; restart; read 1301 1000; new a 1001; begin a 3"},
    {"what kills the process each time is set aside",
     "read 1005 1000; new a 1001; begin a 1; restart; read 1006 1000; new a 1001; begin a 2; "
     "restart;"
     "read 1006 1000; new a 1001; begin a 3; restart; read 1007 1000; lost a 1001; known a 1001;"
     "aside 1"},
    {"what was done is known", "read 1005 1000; new a 1001; done a; restart; read 1006 1000;"
                               "known a 1001; new b 1002; total 1"},

    /* what it says */
    {"it says when a sweep is due", "at 1005; wait 0; read 1005 1000; end 0; at 1105; wait 900"},
    {"it says when a retry is due",
     "read 1005 1000; new a 1001; fail a; end 0; wait 60; at 1064; wait 1; at 1065; wait 0"},
    {"it says how far behind it is",
     "at 1050; behind 50; read 1060 1000; behind 60; end 0; behind 0;"
     "at 1075; behind 15; at 1000; behind 0"},
    {"it hands over only what waits", "read 1005 1000; begin a 0; new a 1001; done a; begin a 0"},
    {"a read that is not begun does not end", "end 0; behind 0; read 1005 1000; end 0; end 0"},
};

static const char *const by_status[] = {
    "each status is handed over once",
    "read 1005 1000; new a 1001 1001 new; done a; known a 1001 1001 new; new a 1002 1001 resolved;"
    "done a; known a 1002 1001 resolved; total 2",
    "a change of anything else is not",
    "read 1005 1000; new a 1001 1001 new; done a; known a 1004 1001 new",
    "a status that comes again is another change",
    "read 1005 1000; new a 1001 1001 new; done a; new a 1002 1001 open; done a; new a 1003 1001 "
    "new",
    "a row that lags changes nothing",
    "read 1005 1000; new a 1001 1001 new; done a; new a 1003 1001 open; done a; known a 1001 1001 "
    "new",
    "what has failed with one status waits with the next",
    "read 1005 1000; new a 1001 1001 new; fail a; later a 1003 1001 open; read 1065 1000;"
    "new a 1003 1001 open; done a; known a 1003 1001 open",
    "what was set aside is new with another status",
    "read 1005 1000; new a 1001 1001 new; fail a; end 0; read 1065 1000; end 0; read 1066 1000; "
    "end 1;"
    "read 1067 1000; known a 1001 1001 new; new a 1066 1001 open; begin a 1",
    "what was forgotten is new when it is changed",
    "read 1205 1000; new a 1100 1100 new; done a; new b 1201; done b; end 0; read 1300 1191;"
    "new a 1299 1100 new",
    "but not as it was forgotten",
    "read 1205 1000; new a 1100 1100 new; done a; new b 1201; done b; end 0; read 9300 1101;"
    "old a 1100 1100 new",
    "the status is known after a restart",
    "read 1005 1000; new a 1001 1001 new; done a; restart; read 1006 1000; known a 1002 1001 new;"
    "new a 1002 1001 open",
};

static struct mde_cursor_limits limits_of(enum mde_cursor_mode mode)
{
  return (struct mde_cursor_limits){.mode = mode,
                                    .overlap = ticks(10),
                                    .span = ticks(100),
                                    .sweep_every = ticks(1000),
                                    .delay = ticks(60),
                                    .tries = 3};
}

static void play_steps(const char *rule, const char *steps, enum mde_cursor_mode mode)
{
  static struct play play;
  memset(&play, 0, sizeof play);
  struct mde_cursor_limits limits = limits_of(mode);
  mde_cursor_init(&play.cursor, test_allocator(&play.memory), &limits, ticks(1000));
  for (const char *at = steps; *at != '\0';) {
    char words[MOST_WORDS][WORD] = {{0}};
    size_t length = strcspn(at, ";"), count = 0;
    for (size_t i = 0; i < length;) {
      size_t blanks = strspn(at + i, " "), word = strcspn(at + i + blanks, " ;");
      if (word == 0) break;
      assert_true(count < MOST_WORDS && word < WORD);
      memcpy(words[count++], at + i + blanks, word);
      i += blanks + word;
    }
    if (!step(&play, words)) {
      print_error("%s: not so: %.*s\n", rule, (int)length, at);
      fail();
    }
    /* As it is written whole, it is what the pieces say. */
    static struct bytes pieces, whole;
    write_changes(&play.cursor, &play.kept);
    struct mde_cursor other;
    size_t used;
    mde_cursor_init(&other, test_allocator(&play.memory), &limits, 0);
    assert_int_equal(mde_cursor_unpack(&other, play.kept.at, play.kept.length, &used),
                     MDE_CURSOR_UNPACKED_OK);
    assert_int_equal(other.done, play.cursor.done);
    write_all(&other, &pieces);
    assert_int_equal(mde_cursor_unpack(&other, pieces.at, pieces.length, &used),
                     MDE_CURSOR_UNPACKED_OK);
    write_all(&other, &whole);
    assert_int_equal(whole.length, pieces.length);
    assert_memory_equal(whole.at, pieces.at, whole.length);
    mde_cursor_clear(&other);
    at += length + (at[length] == ';');
  }
  mde_cursor_clear(&play.cursor);
  mde_cursor_clear(&play.cursor);
  test_allocator_finish(&play.memory);
}

static void test_rules(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(rules); i++)
    play_steps(rules[i].rule, rules[i].steps, MDE_CURSOR_ONCE);
}

static void test_by_status(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(by_status); i += 2)
    play_steps(by_status[i], by_status[i + 1], MDE_CURSOR_BY_STATUS);
}

static void test_limits(void **state)
{
  (void)state;
  struct mde_cursor_limits limits = mde_cursor_limits_default();
  assert_true(mde_cursor_limits_are_valid(&limits));
  assert_int_equal(limits.overlap, ticks(900));
  assert_int_equal(limits.span, ticks(86400));
  limits.span = limits.overlap - 1;
  assert_false(mde_cursor_limits_are_valid(&limits));
  limits = mde_cursor_limits_default();
  limits.tries = 0;
  assert_false(mde_cursor_limits_are_valid(&limits));
  limits.tries = MDE_CURSOR_TRIES_MAX + 1;
  assert_false(mde_cursor_limits_are_valid(&limits));
  limits = mde_cursor_limits_default();
  limits.delay = 0;
  assert_false(mde_cursor_limits_are_valid(&limits));
  limits = mde_cursor_limits_default();
  limits.sweep_every = 0;
  assert_false(mde_cursor_limits_are_valid(&limits));
  limits = mde_cursor_limits_default();
  limits.overlap = -1;
  assert_false(mde_cursor_limits_are_valid(&limits));
}

/* ---- many */

static enum mde_cursor_answer tell_number(struct mde_cursor *cursor, size_t number, int64_t updated)
{
  char id[32];
  struct mde_cursor_row row = {
      .id = {id, (size_t)snprintf(id, sizeof id, "da%zu_-%zu", number, number * 7919)},
      .updated = updated,
      .created = updated};
  enum mde_cursor_answer answer = mde_cursor_tell(cursor, &row, updated);
  if (answer == MDE_CURSOR_HAND_OVER) {
    assert_int_equal(mde_cursor_begin(cursor, row.id), 1);
    assert_true(mde_cursor_finish(cursor, row.id, MDE_CURSOR_SUCCEEDED, updated, MDE_NO_TIME));
  }
  return answer;
}

static void test_most(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_cursor cursor;
  struct mde_cursor_limits limits = limits_of(MDE_CURSOR_ONCE);
  mde_cursor_init(&cursor, test_allocator(&memory), &limits, ticks(1000));
  mde_cursor_read(&cursor, ticks(2000));
  for (size_t i = 0; i < MDE_CURSOR_MAX; i++)
    assert_int_equal(tell_number(&cursor, i, ticks(1500)), MDE_CURSOR_HAND_OVER);
  assert_int_equal(tell_number(&cursor, MDE_CURSOR_MAX, ticks(1500)), MDE_CURSOR_FULL);
  for (size_t i = 0; i < MDE_CURSOR_MAX; i++)
    assert_int_equal(tell_number(&cursor, i, ticks(1500)), MDE_CURSOR_KNOWN);
  assert_int_equal(cursor.done, MDE_CURSOR_MAX);
  /* Where some are older than the overlap, these make room, and do not look new for that. */
  assert_int_equal(mde_cursor_end_read(&cursor), 0);
  mde_cursor_read(&cursor, ticks(2001));
  cursor.mark = ticks(1511);
  assert_int_equal(tell_number(&cursor, MDE_CURSOR_MAX, ticks(1501)), MDE_CURSOR_FULL);
  unsigned char record[MDE_CURSOR_RECORD_MAX];
  while (mde_cursor_next_record(&cursor, record) > 0)
    ;
  assert_int_equal(tell_number(&cursor, MDE_CURSOR_MAX, ticks(1501)), MDE_CURSOR_HAND_OVER);
  assert_int_equal(cursor.entries.length, 1);
  assert_int_equal(tell_number(&cursor, 7, ticks(1500)), MDE_CURSOR_OLD);
  mde_cursor_clear(&cursor);
  test_allocator_finish(&memory);
}

/* ---- records */

/* Those that were forgotten stand in the records until all is written again. */
static void test_ids(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_cursor cursor;
  struct mde_cursor_limits limits = limits_of(MDE_CURSOR_ONCE);
  mde_cursor_init(&cursor, test_allocator(&memory), &limits, ticks(1000));
  size_t most = (MDE_CURSOR_MAX + 10) * (size_t)MDE_CURSOR_RECORD_MAX, length = 0, size, used;
  unsigned char *bytes = malloc(most);
  assert_non_null(bytes);
  mde_cursor_read(&cursor, ticks(2000));
  for (size_t i = 0; i < MDE_CURSOR_MAX - 1; i++)
    assert_int_equal(tell_number(&cursor, i, ticks(1500)), MDE_CURSOR_HAND_OVER);
  while ((size = mde_cursor_next_record(&cursor, bytes + length)) > 0)
    length += size;
  assert_int_equal(tell_number(&cursor, MDE_CURSOR_MAX, ticks(1900)), MDE_CURSOR_HAND_OVER);
  assert_int_equal(mde_cursor_end_read(&cursor), 0);
  assert_int_equal(cursor.entries.length, 1);
  while ((size = mde_cursor_next_record(&cursor, bytes + length)) > 0)
    length += size;
  assert_false(mde_cursor_must_rewrite(&cursor));
  mde_cursor_read(&cursor, ticks(2001));
  assert_int_equal(tell_number(&cursor, MDE_CURSOR_MAX + 1, ticks(1901)), MDE_CURSOR_HAND_OVER);
  assert_true(mde_cursor_must_rewrite(&cursor));
  size_t whole = length;
  while ((size = mde_cursor_next_record(&cursor, bytes + length)) > 0)
    length += size;
  struct mde_cursor other;
  mde_cursor_init(&other, test_allocator(&memory), &limits, ticks(1000));
  assert_int_equal(mde_cursor_unpack(&other, bytes, length, &used), MDE_CURSOR_UNPACKED_DAMAGED);
  assert_int_equal(mde_cursor_unpack(&other, bytes, whole, &used), MDE_CURSOR_UNPACKED_OK);
  assert_false(mde_cursor_must_rewrite(&other));
  mde_cursor_read(&other, ticks(2001));
  assert_int_equal(tell_number(&other, MDE_CURSOR_MAX + 1, ticks(1901)), MDE_CURSOR_HAND_OVER);
  mde_cursor_rewrite(&cursor);
  assert_false(mde_cursor_must_rewrite(&cursor));
  for (length = 0; (size = mde_cursor_next_record(&cursor, bytes + length)) > 0;)
    length += size;
  assert_int_equal(mde_cursor_unpack(&other, bytes, length, &used), MDE_CURSOR_UNPACKED_OK);
  assert_int_equal(other.entries.length, 2);
  free(bytes);
  mde_cursor_clear(&other);
  mde_cursor_clear(&cursor);
  test_allocator_finish(&memory);
}

/* A cursor that knows a few alerts in all states, with `mode`, and its records. */
static void make_records(struct bytes *bytes, enum mde_cursor_mode mode)
{
  static struct play play;
  memset(&play, 0, sizeof play);
  struct mde_cursor_limits limits = limits_of(mode);
  mde_cursor_init(&play.cursor, test_allocator(&play.memory), &limits, ticks(1000));
  mde_cursor_read(&play.cursor, ticks(1200));
  for (size_t i = 0; i < 20; i++)
    tell_number(&play.cursor, i, ticks(1150));
  mde_cursor_end_read(&play.cursor);
  bytes->length = 0;
  write_changes(&play.cursor, bytes);
  mde_cursor_clear(&play.cursor);
}

static enum mde_cursor_unpacked unpack(const unsigned char *bytes, size_t length, size_t *used,
                                       size_t *known)
{
  struct test_memory memory = {0};
  struct mde_cursor cursor;
  struct mde_cursor_limits limits = limits_of(MDE_CURSOR_ONCE);
  mde_cursor_init(&cursor, test_allocator(&memory), &limits, ticks(7));
  /* At the end of a block of its own, so that what reads too far is found. */
  unsigned char *copy = malloc(length > 0 ? length : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, length);
  enum mde_cursor_unpacked result = mde_cursor_unpack(&cursor, copy, length, used);
  free(copy);
  *known = cursor.entries.length;
  if (result != MDE_CURSOR_UNPACKED_OK) {
    assert_int_equal(*known, 0);
    assert_int_equal(cursor.first, ticks(7));
    assert_int_equal(cursor.mark, ticks(7));
  }
  mde_cursor_clear(&cursor);
  test_allocator_finish(&memory);
  return result;
}

static void test_cut(void **state)
{
  (void)state;
  static struct bytes bytes;
  make_records(&bytes, MDE_CURSOR_ONCE);
  size_t used, known, most = 0;
  bool has_head = false;
  assert_int_equal(unpack(bytes.at, bytes.length, &used, &known), MDE_CURSOR_UNPACKED_OK);
  assert_int_equal(used, bytes.length);
  assert_int_equal(known, 20);
  /* What is cut at the end was not safe: the records before it are. */
  for (size_t length = 0; length < bytes.length; length++) {
    enum mde_cursor_unpacked result = unpack(bytes.at, length, &used, &known);
    if (length < 4) {
      assert_int_equal(result, MDE_CURSOR_UNPACKED_OTHER);
    } else if (result == MDE_CURSOR_UNPACKED_DAMAGED) {
      assert_false(has_head); /* not even that is whole */
    } else {
      assert_int_equal(result, MDE_CURSOR_UNPACKED_OK);
      assert_true(used <= length && length - used < MDE_CURSOR_RECORD_MAX);
      assert_true(known >= most);
      has_head = true;
      most = known;
    }
  }
  assert_int_equal(most, 19);
}

static void test_damaged(void **state)
{
  (void)state;
  static struct bytes bytes;
  make_records(&bytes, MDE_CURSOR_ONCE);
  size_t used, known;
  /* A byte that is another one: noticed, or among the last, which were not safe. */
  for (size_t i = 0; i < bytes.length; i++) {
    bytes.at[i] ^= 0x10;
    enum mde_cursor_unpacked result = unpack(bytes.at, bytes.length, &used, &known);
    if (i < 4)
      assert_int_equal(result, MDE_CURSOR_UNPACKED_OTHER);
    else if (i + MDE_CURSOR_TAIL_MAX + MDE_CURSOR_RECORD_MAX < bytes.length)
      assert_int_equal(result, MDE_CURSOR_UNPACKED_DAMAGED);
    else if (result == MDE_CURSOR_UNPACKED_OK)
      assert_true(used <= i);
    bytes.at[i] ^= 0x10;
  }
  /* A record that is missing in the middle, and one that stands there twice. */
  size_t first = 4 + 10 + 49, size = 2 + (size_t)bytes.at[first + 1] + 8;
  static unsigned char other[MOST_BYTES];
  memcpy(other, bytes.at, first);
  memcpy(other + first, bytes.at + first + size, bytes.length - first - size);
  assert_int_equal(unpack(other, bytes.length - size, &used, &known), MDE_CURSOR_UNPACKED_DAMAGED);
  memcpy(other + first, bytes.at + first, size);
  memcpy(other + first + size, bytes.at + first, bytes.length - first);
  assert_int_equal(unpack(other, bytes.length + size, &used, &known), MDE_CURSOR_UNPACKED_DAMAGED);
}

static void test_other(void **state)
{
  (void)state;
  static struct bytes bytes;
  size_t used, known;
  make_records(&bytes, MDE_CURSOR_BY_STATUS);
  assert_int_equal(unpack(bytes.at, bytes.length, &used, &known), MDE_CURSOR_UNPACKED_MODE);
  assert_int_equal(unpack((const unsigned char *)"SQLite format 3", 15, &used, &known),
                   MDE_CURSOR_UNPACKED_OTHER);
  assert_int_equal(unpack((const unsigned char *)"", 0, &used, &known), MDE_CURSOR_UNPACKED_OTHER);
  assert_int_equal(unpack((const unsigned char *)"cur\2", 4, &used, &known),
                   MDE_CURSOR_UNPACKED_OTHER);
  assert_int_equal(unpack((const unsigned char *)"cur\1", 4, &used, &known),
                   MDE_CURSOR_UNPACKED_DAMAGED);
}

/* The mark is written behind the alerts that it has passed: no piece has lost one. */
static void test_order(void **state)
{
  (void)state;
  struct test_memory memory = {0};
  struct mde_cursor cursor;
  struct mde_cursor_limits limits = limits_of(MDE_CURSOR_ONCE);
  mde_cursor_init(&cursor, test_allocator(&memory), &limits, ticks(1000));
  unsigned char record[MDE_CURSOR_RECORD_MAX];
  assert_true(mde_cursor_next_record(&cursor, record) > 0);
  assert_int_equal(record[4], 'h');
  mde_cursor_read(&cursor, ticks(1200));
  struct mde_cursor_row row = {.id = text_of("a"), .updated = ticks(1100), .created = ticks(1100)};
  assert_int_equal(mde_cursor_tell(&cursor, &row, ticks(1200)), MDE_CURSOR_HAND_OVER);
  mde_cursor_end_read(&cursor);
  assert_true(mde_cursor_next_record(&cursor, record) > 0);
  assert_int_equal(record[0], 'a');
  assert_true(mde_cursor_next_record(&cursor, record) > 0);
  assert_int_equal(record[0], 'h');
  assert_int_equal(mde_cursor_next_record(&cursor, record), 0);
  mde_cursor_clear(&cursor);
  test_allocator_finish(&memory);
}

static void test_no_memory(void **state)
{
  (void)state;
  static struct bytes bytes;
  make_records(&bytes, MDE_CURSOR_ONCE);
  for (size_t fail_at = 1; fail_at <= 2; fail_at++) {
    struct test_memory memory = {.fail_at = fail_at};
    struct mde_cursor cursor;
    struct mde_cursor_limits limits = limits_of(MDE_CURSOR_ONCE);
    mde_cursor_init(&cursor, test_allocator(&memory), &limits, ticks(1000));
    mde_cursor_read(&cursor, ticks(1200));
    assert_int_equal(tell_number(&cursor, 1, ticks(1100)), MDE_CURSOR_NO_MEMORY);
    assert_int_equal(tell_number(&cursor, 1, ticks(1100)), MDE_CURSOR_HAND_OVER);
    for (size_t i = 2; i <= 64; i++)
      assert_int_equal(tell_number(&cursor, i, ticks(1100)), MDE_CURSOR_HAND_OVER);
    memory.fail_at = fail_at;
    assert_int_equal(tell_number(&cursor, 65, ticks(1100)), MDE_CURSOR_NO_MEMORY);
    for (size_t i = 1; i <= 64; i++)
      assert_int_equal(tell_number(&cursor, i, ticks(1100)), MDE_CURSOR_KNOWN);
    assert_int_equal(tell_number(&cursor, 65, ticks(1100)), MDE_CURSOR_HAND_OVER);
    size_t used;
    mde_cursor_clear(&cursor);
    memory.fail_at = fail_at;
    assert_int_equal(mde_cursor_unpack(&cursor, bytes.at, bytes.length, &used),
                     MDE_CURSOR_UNPACKED_NO_MEMORY);
    assert_int_equal(cursor.entries.length, 0);
    mde_cursor_clear(&cursor);
    test_allocator_finish(&memory);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rules),     cmocka_unit_test(test_by_status),
      cmocka_unit_test(test_limits),    cmocka_unit_test(test_most),
      cmocka_unit_test(test_cut),       cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_other),     cmocka_unit_test(test_order),
      cmocka_unit_test(test_no_memory), cmocka_unit_test(test_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
