/*
 * name: the one form of a name, and what is and is not in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "name.h"
#include "test_edge.h"

#define NO_BREAK_SPACE "\xc2\xa0"
#define WIDE_SPACE "\xe3\x80\x80"

static void normal_form(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
      {"laptop-17.corp.example", "laptop-17.corp.example"},
      {"LAPTOP-17.Corp.EXAMPLE", "laptop-17.corp.example"},
      {"AZ[]^_`az{}", "az[]^_`az{}"},
      {"laptop-17.corp.example.", "laptop-17.corp.example"},
      {" laptop-17 ", "laptop-17"},
      {" laptop-17. ", "laptop-17"},
      {NO_BREAK_SPACE WIDE_SPACE "Ana's MacBook Pro" WIDE_SPACE NO_BREAK_SPACE,
       "ana's macbook pro"},
      /* One dot, and directly behind the name. */
      {"a.", "a"},
      {"a..", "a.."},
      {"a .", "a ."},
      {"a. .", "a. ."},
      {"a" NO_BREAK_SPACE ".", "a" NO_BREAK_SPACE "."},
      {".", "."},
      {". ", "."},
      {".a", ".a"},
      {"..", ".."},
      /* A blank is not left out where nothing else is there. */
      {"", ""},
      {" ", " "},
      {WIDE_SPACE, WIDE_SPACE},
      /* Letters of ASCII alone have a case, in every locale. */
      {"B\xc3\x9cRO.CORP", "b\xc3\x9cro.corp"},
      {"\xc4\xb0I", "\xc4\xb0i"},
      {"\xe9\x9b\xbb.", "\xe9\x9b\xbb"},
      /* Not UTF-8. */
      {"A\xff", "a\xff"},
      {"A\xff.", "a\xff"},
      {" \xc3 ", "\xc3"},
      {"\xe2\x80", "\xe2\x80"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[64];
    size_t length = strlen(cases[i].expected);
    struct mde_text text = test_edge_string(cases[i].text);
    assert_int_equal(mde_name_normal(text, NULL, 0), length);
    for (size_t size = 0; size <= length; size++) {
      memset(out, '?', sizeof out);
      assert_int_equal(mde_name_normal(text, out, size), length);
      assert_memory_equal(out, cases[i].expected, size);
      assert_int_equal(out[size], '?');
    }
    /* It is its own. */
    char again[64];
    assert_int_equal(mde_name_normal(test_edge(out, length), again, sizeof again), length);
    assert_memory_equal(again, out, length);
  }
}

static void looked_for(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *is, *starts, *ends, *contains;
  } cases[] = {
      {"Desk-5", "Desk-5", "Desk-5", "Desk-5", "Desk-5"},
      {" Desk-5. ", "Desk-5", "Desk-5. ", " Desk-5", " Desk-5. "},
      {"desk-5.", "desk-5", "desk-5.", "desk-5", "desk-5."},
      {".corp.", ".corp", ".corp.", ".corp", ".corp."},
      {".", ".", ".", ".", "."},
      {"  ", "  ", "  ", "  ", "  "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *expected[] = {cases[i].is, cases[i].starts, cases[i].ends, cases[i].contains};
    for (int relation = MDE_NAME_RELATION_IS; relation <= MDE_NAME_RELATION_CONTAINS; relation++) {
      struct mde_text text = test_edge_string(cases[i].text);
      struct mde_text asked = mde_name_asked(text, (enum mde_name_relation)relation);
      assert_int_equal(asked.length, strlen(expected[relation]));
      assert_memory_equal(asked.bytes, expected[relation], asked.length);
    }
  }
}

static void matches(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    const char *text;
    bool is, starts, ends, contains;
  } cases[] = {
      {"Desk-5.corp.example", "desk-5.CORP.example", true, true, true, true},
      {"Desk-5.corp.example.", " desk-5.CORP.example. ", true, false, false, false},
      {"desk-5", "desk-5.", true, false, true, false},
      {"desk-5.", "desk-5", true, true, true, true},
      {"Desk-5.corp.example", "DESK-5.", false, true, false, true},
      {"Desk-5.corp.example", "DESK-5", false, true, false, true},
      {"Desk-5.corp.example", "desk-55", false, false, false, false},
      {"Desk-5.corp.example", "Corp.Example.", false, false, true, false},
      {"Desk-5.corp.example", ".CORP.", false, false, false, true},
      {"Desk-5.corp.example", "5.C", false, false, false, true},
      {"desk", "desk-5", false, false, false, false},
      {"desk", "", false, true, true, true},
      {"", "", true, true, true, true},
      {"", "a", false, false, false, false},
      {"desk", " ", false, false, false, false},
      {"desk\t", "desk", false, true, false, true},
      {"desk\n", "desk", false, true, false, true},
      {"\tdesk", "desk", false, false, true, true},
      {"desk\xc2\x85", "desk", false, true, false, true},
      {"desk\u2028", "desk", true, true, true, true},
      {"ana's macbook", "S M", false, false, false, true},
      {"a\xc3\xa4", "A\xc3\x84", false, false, false, false},
      {"a\xc3\xa4", "A\xc3\xa4", true, true, true, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bool expected[] = {cases[i].is, cases[i].starts, cases[i].ends, cases[i].contains};
    for (int relation = MDE_NAME_RELATION_IS; relation <= MDE_NAME_RELATION_CONTAINS; relation++) {
      struct mde_text name = test_edge_string(cases[i].name);
      struct mde_text text = {.bytes = cases[i].text, .length = strlen(cases[i].text)};
      if (mde_name_matches(name, (enum mde_name_relation)relation, text) != expected[relation])
        fail_msg("\"%s\", \"%s\", relation %d", cases[i].name, cases[i].text, relation);
    }
  }
}

static void letters(void **state)
{
  (void)state;
  char small[256], capitals[256], all[256];
  for (int i = 0; i < 256; i++)
    all[i] = (char)i;
  struct mde_text text = test_edge(all, sizeof all);
  assert_int_equal(mde_name_in_small_letters(text, small, sizeof small), sizeof all);
  assert_int_equal(mde_name_in_capitals(text, capitals, sizeof capitals), sizeof all);
  for (int i = 0; i < 256; i++) {
    assert_int_equal((unsigned char)small[i], i >= 'A' && i <= 'Z' ? i + 32 : i);
    assert_int_equal((unsigned char)capitals[i], i >= 'a' && i <= 'z' ? i - 32 : i);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(normal_form),
      cmocka_unit_test(looked_for),
      cmocka_unit_test(matches),
      cmocka_unit_test(letters),
  };
  return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
