/* comment: what is composed, what is read back, and whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "comment.h"
#include "timestamp.h"

#define OPERATION "abcdefgh23456"

static struct mde_text text(const char *s)
{
  struct mde_text t = {s, s != NULL ? strlen(s) : 0};
  return t;
}

static void assert_text(struct mde_text found, const char *wanted)
{
  if (wanted == NULL) {
    assert_null(found.bytes);
    return;
  }
  assert_non_null(found.bytes);
  assert_int_equal(found.length, strlen(wanted));
  assert_memory_equal(found.bytes, wanted, found.length);
}

static void comments_are_taken_apart(void **state)
{
  (void)state;
  static const struct {
    const char *comment, *text, *incident, *operation;
  } cases[] = {
      {NULL, "", NULL, NULL},
      {"", "", NULL, NULL},
      {"beacon", "beacon", NULL, NULL},
      {"beacon [mde:" OPERATION "]", "beacon", NULL, OPERATION},
      {"beacon [mde:INC-1:" OPERATION "]", "beacon", "INC-1", OPERATION},
      {"a [mde:INC-1:abcdefgh] [mde:INC-2:" OPERATION "]", "a [mde:INC-1:abcdefgh]", "INC-2",
       OPERATION},
      {" [mde:" OPERATION "]", "", NULL, OPERATION},
      /* only at the very end */
      {"beacon [mde:" OPERATION "] ", "beacon [mde:" OPERATION "] ", NULL, NULL},
      {"[mde:" OPERATION "] beacon", "[mde:" OPERATION "] beacon", NULL, NULL},
      {"beacon [mde:" OPERATION, "beacon [mde:" OPERATION, NULL, NULL},
      /* not ours */
      {"beacon[mde:" OPERATION "]", "beacon[mde:" OPERATION "]", NULL, NULL},
      {"beacon [mde:short]", "beacon [mde:short]", NULL, NULL},
      {"beacon [mde::" OPERATION "]", "beacon [mde::" OPERATION "]", NULL, NULL},
      {"beacon [mde:INC 1:" OPERATION "]", "beacon [mde:INC 1:" OPERATION "]", NULL, NULL},
      {"beacon [mde:a:b:" OPERATION "]", "beacon [mde:a:b:" OPERATION "]", NULL, NULL},
      {"beacon [MDE:" OPERATION "]", "beacon [MDE:" OPERATION "]", NULL, NULL},
      {" [mde:]", " [mde:]", NULL, NULL},
      {"]", "]", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_comment parts = mde_comment_parse(text(cases[i].comment));
    assert_text(parts.text, cases[i].text);
    assert_text(parts.incident, cases[i].incident);
    assert_text(parts.operation, cases[i].operation);
  }
}

static void comments_are_composed(void **state)
{
  (void)state;
  static const struct {
    int status;
    const char *text, *incident, *operation, *whole;
  } cases[] = {
      {MDE_COMMENT_STATUS_OK, "beacon", "INC-1", OPERATION, "beacon [mde:INC-1:" OPERATION "]"},
      {MDE_COMMENT_STATUS_OK, "beacon", NULL, OPERATION, "beacon [mde:" OPERATION "]"},
      {MDE_COMMENT_STATUS_OK, "old [mde:INC-1:abcdefgh]", "INC-2", OPERATION,
       "old [mde:INC-2:" OPERATION "]"},
      /* all of them: cut short, the comment must not end in a suffix that is not its own */
      {MDE_COMMENT_STATUS_OK, "old [mde:INC-1:abcdefgh] [mde:INC-9:abcdefgh] [mde:abcdefgh]",
       "INC-2", OPERATION, "old [mde:INC-2:" OPERATION "]"},
      {MDE_COMMENT_STATUS_OK, "old [mde:INC-1:abcdefgh], then [mde:INC-9:abcdefgh]", NULL,
       OPERATION, "old (mde:INC-1:abcdefgh], then [mde:" OPERATION "]"},
      {MDE_COMMENT_STATUS_EMPTY, " [mde:INC-1:abcdefgh] [mde:INC-9:abcdefgh]", NULL, OPERATION,
       NULL},
      {MDE_COMMENT_STATUS_OK, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x92", NULL, OPERATION,
       "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x92 [mde:" OPERATION "]"},
      {MDE_COMMENT_STATUS_EMPTY, "", NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_EMPTY, NULL, NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_EMPTY, " \t\r\n\xc2\xa0\xe3\x80\x80", NULL, OPERATION, NULL},
      /* every kind of white space: NEL, Ogham, narrow and mathematical space, and a paragraph's end */
      {MDE_COMMENT_STATUS_EMPTY, "\v\f\xc2\x85\u1680\u202f\u205f\u2029", NULL, OPERATION, NULL},
      /* what does not show: zero width, a mark of byte order, a soft hyphen, a filler, a tag, ESC */
      {MDE_COMMENT_STATUS_EMPTY, "\u200b\ufeff \u00ad\u3164\U000e0041\x1b", NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_OK, "\u200bx", NULL, OPERATION, "\u200bx [mde:" OPERATION "]"},
      {MDE_COMMENT_STATUS_EMPTY, " [mde:INC-1:abcdefgh]", NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_NOT_UTF8, "caf\xe9", NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_NOT_UTF8, "\xc0\xaf", NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_NOT_UTF8, "\xed\xa0\x80", NULL, OPERATION, NULL},
      {MDE_COMMENT_STATUS_INCIDENT, "beacon", "", OPERATION, NULL},
      {MDE_COMMENT_STATUS_INCIDENT, "beacon", "INC 1", OPERATION, NULL},
      {MDE_COMMENT_STATUS_INCIDENT, "beacon", "INC:1", OPERATION, NULL},
      {MDE_COMMENT_STATUS_INCIDENT, "beacon", "INC]1", OPERATION, NULL},
      {MDE_COMMENT_STATUS_OPERATION, "beacon", "INC-1", "short", NULL},
      {MDE_COMMENT_STATUS_OPERATION, "beacon", "INC-1", "with space", NULL},
      {MDE_COMMENT_STATUS_OPERATION, "beacon", "INC-1", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[MDE_COMMENT_MAX_BYTES];
    size_t length = 0;
    bool changed = false;
    int status = mde_comment_compose(out, &length, &changed, text(cases[i].text),
                                     text(cases[i].incident), text(cases[i].operation));
    assert_int_equal(status, cases[i].status);
    if (status == MDE_COMMENT_STATUS_OK)
      assert_text((struct mde_text){out, length}, cases[i].whole);
  }
}

static void a_nul_is_refused(void **state)
{
  (void)state;
  char out[MDE_COMMENT_MAX_BYTES];
  size_t length;
  bool changed;
  struct mde_text with_nul = {"bea\0con", 7};
  assert_int_equal(MDE_COMMENT_STATUS_NUL, mde_comment_compose(out, &length, &changed, with_nul,
                                                               text(NULL), text(OPERATION)));
}

static void what_could_be_taken_for_a_suffix_is_disarmed_and_said(void **state)
{
  (void)state;
  static const struct {
    const char *text, *whole;
    bool changed;
  } cases[] = {
      {"beacon", "beacon [mde:" OPERATION "]", false},
      {"beacon (mde:x)", "beacon (mde:x) [mde:" OPERATION "]", false},
      {"[mde:x]", "[mde:x] [mde:" OPERATION "]", false},
      {"file [mde:INC-9:abcdefgh].exe", "file (mde:INC-9:abcdefgh].exe [mde:" OPERATION "]", true},
      {" [mde: [mde: [mde:", " (mde: (mde: (mde: [mde:" OPERATION "]", true},
      {"a [mde:short]", "a (mde:short] [mde:" OPERATION "]", true},
      {"old [mde:INC-1:abcdefgh]", "old [mde:" OPERATION "]", true},
      {"old [mde:x] [mde:INC-1:abcdefgh]", "old (mde:x] [mde:" OPERATION "]", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[MDE_COMMENT_MAX_BYTES];
    size_t length;
    bool changed;
    assert_int_equal(MDE_COMMENT_STATUS_OK,
                     mde_comment_compose(out, &length, &changed, text(cases[i].text), text(NULL),
                                         text(OPERATION)));
    assert_text((struct mde_text){out, length}, cases[i].whole);
    assert_int_equal(cases[i].changed, changed);
  }
}

/* So many locks, of two units and four bytes each, and euros, of one and three. */
static struct mde_text locks_and_euros(char *out, size_t locks, size_t euros)
{
  for (size_t i = 0; i < locks; i++)
    memcpy(out + 4 * i, "\xf0\x9f\x94\x92", 4);
  for (size_t i = 0; i < euros; i++)
    memcpy(out + 4 * locks + 3 * i, "\xe2\x82\xac", 3);
  return (struct mde_text){out, 4 * locks + 3 * euros};
}

static void the_longest_comment_fits_and_one_more_does_not(void **state)
{
  (void)state;
  static const struct {
    size_t locks, euros;
    int status;
  } cases[] = {
      {750, 100, MDE_COMMENT_STATUS_OK},      {0, 850, MDE_COMMENT_STATUS_OK},
      {800, 0, MDE_COMMENT_STATUS_OK},        {750, 101, MDE_COMMENT_STATUS_TOO_LONG},
      {751, 99, MDE_COMMENT_STATUS_TOO_LONG}, {0, 851, MDE_COMMENT_STATUS_TOO_LONG},
      {801, 0, MDE_COMMENT_STATUS_TOO_LONG},
  };
  char *many = malloc(4 * 1000);
  char *out = malloc(MDE_COMMENT_MAX_BYTES); /* so that a sanitizer sees a byte too many */
  assert_non_null(many);
  assert_non_null(out);
  char incident[MDE_INCIDENT_MAX_BYTES + 1];
  char operation[MDE_OPERATION_MAX_BYTES + 1];
  memset(incident, 'i', sizeof incident);
  memset(operation, 'o', sizeof operation);
  struct mde_text longest_incident = {incident, MDE_INCIDENT_MAX_BYTES};
  struct mde_text longest_operation = {operation, MDE_OPERATION_MAX_BYTES};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    size_t length = 0;
    bool changed;
    struct mde_text one = locks_and_euros(many, cases[i].locks, cases[i].euros);
    assert_int_equal(cases[i].status, mde_comment_compose(out, &length, &changed, one,
                                                          longest_incident, longest_operation));
    if (i == 0) assert_int_equal(length, MDE_COMMENT_MAX_BYTES);
  }
  longest_incident.length++;
  assert_false(mde_incident_valid(longest_incident));
  longest_operation.length++;
  assert_false(mde_operation_valid(longest_operation));
  free(out);
  free(many);
}

static void any_bytes_can_be_made_a_comment(void **state)
{
  (void)state;
#define UNKNOWN "\xef\xbf\xbd"
  static const struct {
    const char *bytes;
    size_t length;
    const char *text;
  } cases[] = {
      {"beacon", 6, "beacon"},
      {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
      {"caf\xe9", 4, "caf" UNKNOWN},
      {"a\0b", 3, "a" UNKNOWN "b"},
      {"\xed\xa0\x80", 3, UNKNOWN UNKNOWN UNKNOWN},
      {"\xf0\x9f\x94", 3, UNKNOWN UNKNOWN UNKNOWN},
      {"", 0, "(empty)"},
      {" \t\xc2\xa0", 4, "(empty)"},
      {"\0", 1, UNKNOWN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[MDE_COMMENT_MAX_TEXT_BYTES];
    size_t length = mde_comment_make(out, (struct mde_text){cases[i].bytes, cases[i].length});
    assert_text((struct mde_text){out, length}, cases[i].text);
  }
}

static void what_is_too_long_ends_in_an_ellipsis_and_fits(void **state)
{
  (void)state;
  static const struct {
    size_t locks, euros;
    bool is_cut;
    size_t length;
  } cases[] = {
      {0, 850, false, 3 * 850},     {0, 851, true, 3 * 850}, {800, 0, false, 4 * 800},
      {801, 0, true, 4 * 799 + 3},  {750, 100, false, 3300}, {750, 150, true, 3300},
      {900, 10, true, 4 * 799 + 3},
  };
  char *many = malloc(4 * 1000);
  char *out = malloc(MDE_COMMENT_MAX_TEXT_BYTES);
  assert_non_null(many);
  assert_non_null(out);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text one = locks_and_euros(many, cases[i].locks, cases[i].euros);
    size_t length = mde_comment_make(out, one);
    assert_int_equal(cases[i].length, length);
    bool has_ellipsis = memcmp(out + length - 3, "\xe2\x80\xa6", 3) == 0;
    assert_int_equal(cases[i].is_cut, has_ellipsis);
    char whole[MDE_COMMENT_MAX_BYTES];
    bool changed;
    assert_int_equal(MDE_COMMENT_STATUS_OK,
                     mde_comment_compose(whole, &length, &changed, (struct mde_text){out, length},
                                         text(NULL), text(OPERATION)));
  }
  free(out);
  free(many);
}

static void operation_ids_are_base32(void **state)
{
  (void)state;
  unsigned char random[MDE_OPERATION_RANDOM_BYTES] = {0};
  char operation[MDE_OPERATION_LENGTH + 1] = {0};
  mde_operation_make(random, operation);
  assert_string_equal(operation, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
  memset(random, 0xff, sizeof random);
  mde_operation_make(random, operation);
  assert_string_equal(operation, "7777777777777777777777777"
                                 "4");
  memcpy(random, "0123456789abcdef", sizeof random);
  mde_operation_make(random, operation);
  assert_string_equal(operation, "gaytemzugu3doobzmfrggzdfmy");
  assert_true(mde_operation_valid(text(operation)));
}

static void an_operation_id_may_say_until_when(void **state)
{
  (void)state;
  static const struct {
    const char *operation, *name;
    int64_t until; /* seconds; 0: it does not say */
    bool is_key;
  } cases[] = {
      {OPERATION, OPERATION, 0, true},
      {OPERATION ".until.1795960800", OPERATION, 1795960800, false},
      {"alert-4711.until.1000000000", "alert-4711", 1000000000, false},
      {"alert-4711.until.9999999999", "alert-4711", INT64_C(9999999999), false},
      {"alert-4711.until.0999999999", "alert-4711.until.0999999999", 0, false},
      {"alert-4711.until.999999999", "alert-4711.until.999999999", 0, false},
      {"alert-4711.until.17959608001", "alert-4711.until.17959608001", 0, false},
      {"alert-4711.until.1", "alert-4711.until.1", 0, false},
      {"alert-4711.until.", "alert-4711.until.", 0, true},
      {"alert-4711.until.179596080a", "alert-4711.until.179596080a", 0, true},
      {"alert-4711.UNTIL.1795960800", "alert-4711.UNTIL.1795960800", 0, true},
      {"alert-4711-until-1795960800", "alert-4711-until-1795960800", 0, true},
      {"alert-4711until.1795960800", "alert-4711until.1795960800", 0, true},
      {"alert-4711.until.1795960800.until.1795960900", "alert-4711.until.1795960800", 1795960900,
       false},
      {"short.until.1795960800", "short.until.1795960800", 0, false},
      {".until.1795960800", ".until.1795960800", 0, false},
      {"1795960800", "1795960800", 0, true},
      {"", "", 0, false},
      {NULL, NULL, 0, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text operation = text(cases[i].operation);
    int64_t until = cases[i].until == 0 ? MDE_NO_TIME : cases[i].until * MDE_TICKS_PER_SECOND;
    assert_true(mde_operation_until(operation) == until);
    struct mde_text name = mde_operation_name(operation);
    assert_int_equal(name.bytes == NULL, cases[i].name == NULL);
    if (name.bytes != NULL) assert_true(mde_text_same(name, text(cases[i].name)));
    assert_int_equal(cases[i].is_key, mde_key_valid(operation));
    if (cases[i].is_key) assert_true(mde_operation_valid(operation));
  }
}

static void an_operation_id_is_written_with_its_end(void **state)
{
  (void)state;
  char out[MDE_OPERATION_MAX_BYTES];
  size_t length = mde_operation_with_until(out, text(OPERATION), 1795960800);
  struct mde_text written = {out, length};
  assert_true(mde_text_same(written, text(OPERATION ".until.1795960800")));
  assert_int_equal(sizeof OPERATION - 1 + MDE_UNTIL_LENGTH, length);
  assert_true(mde_operation_valid(written));

  static const char most[] = "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJ"; /* 47 */
  assert_int_equal(MDE_OPERATION_MAX_BYTES, mde_operation_with_until(out, text(most), 1795960800));
  assert_int_equal(0,
                   mde_operation_with_until(out,
                                            text("K"
                                                 "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJ"),
                                            1795960800));
  assert_int_equal(0, mde_operation_with_until(out, text(OPERATION), 999999999));
  assert_int_equal(0, mde_operation_with_until(out, text(OPERATION), INT64_C(10000000000)));
  assert_int_equal(0, mde_operation_with_until(out, text(OPERATION), -1));
  assert_int_equal(0,
                   mde_operation_with_until(out, text("alert-4711.until.1795960800"), 1795960800));
  assert_int_equal(0, mde_operation_with_until(out, text("short"), 1795960800));
  assert_int_equal(0, mde_operation_with_until(out, text(NULL), 1795960800));
}

static void a_returned_comment_is_ours_cut_or_somebody_elses(void **state)
{
  (void)state;
  static const char sent[] = "beacon [mde:INC-1:" OPERATION "]";
  static const struct {
    enum mde_comment_match match;
    const char *returned;
  } cases[] = {
      {MDE_COMMENT_MATCH_SAME, sent},
      {MDE_COMMENT_MATCH_SAME, "BEACON changed by the service [mde:inc-1:" OPERATION "]"},
      {MDE_COMMENT_MATCH_CUT, "beacon [mde:INC-1:abcdefgh23"},
      {MDE_COMMENT_MATCH_CUT, "beac"},
      {MDE_COMMENT_MATCH_OTHER, NULL},
      {MDE_COMMENT_MATCH_OTHER, ""},
      {MDE_COMMENT_MATCH_OTHER, "beacon [mde:INC-10:" OPERATION "]"},
      {MDE_COMMENT_MATCH_OTHER, "beacon [mde:" OPERATION "]"},
      {MDE_COMMENT_MATCH_OTHER, "beacon [mde:INC-1:abcdefgh23457]"},
      {MDE_COMMENT_MATCH_OTHER, "beacon [mde:INC-1:" OPERATION "] and more"},
      {MDE_COMMENT_MATCH_OTHER, "something else"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(mde_comment_compare(text(sent), text(cases[i].returned)), cases[i].match);
}

static void incidents_are_compared_without_case(void **state)
{
  (void)state;
  assert_true(mde_incident_same(text("INC-1"), text("inc-1")));
  assert_false(mde_incident_same(text("INC-1"), text("INC-10")));
  assert_false(mde_incident_same(text("INC-1"), text(NULL)));
  assert_false(mde_incident_same(text(NULL), text(NULL)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comments_are_taken_apart),
      cmocka_unit_test(comments_are_composed),
      cmocka_unit_test(a_nul_is_refused),
      cmocka_unit_test(what_could_be_taken_for_a_suffix_is_disarmed_and_said),
      cmocka_unit_test(any_bytes_can_be_made_a_comment),
      cmocka_unit_test(what_is_too_long_ends_in_an_ellipsis_and_fits),
      cmocka_unit_test(the_longest_comment_fits_and_one_more_does_not),
      cmocka_unit_test(operation_ids_are_base32),
      cmocka_unit_test(an_operation_id_may_say_until_when),
      cmocka_unit_test(an_operation_id_is_written_with_its_end),
      cmocka_unit_test(a_returned_comment_is_ours_cut_or_somebody_elses),
      cmocka_unit_test(incidents_are_compared_without_case),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
