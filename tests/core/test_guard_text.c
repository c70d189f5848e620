/*
 * guard: which texts of a rule protect nothing, and which are one tag.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "test_edge.h"

static void flaws(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    enum mde_guard_rule rule;
    const char *text;
    enum mde_guard_flaw expected;
  } cases[] = {
      {"a tag", MDE_GUARD_TAGS, "tier0", MDE_GUARD_FLAW_NONE},
      {"a tag with blanks around", MDE_GUARD_TAGS, " tier0\n", MDE_GUARD_FLAW_NONE},
      {"a tag with whatever in it", MDE_GUARD_TAGS, "[*?]{\x01\xff}", MDE_GUARD_FLAW_NONE},
      {"an empty tag", MDE_GUARD_TAGS, "", MDE_GUARD_FLAW_EMPTY},
      {"a tag of blanks", MDE_GUARD_TAGS, " \u00a0\t\xc2\x85", MDE_GUARD_FLAW_EMPTY},
      {"a glob", MDE_GUARD_NAMES, "dc-??.*", MDE_GUARD_FLAW_NONE},
      {"a glob with a blank in it", MDE_GUARD_NAMES, "meeting room *", MDE_GUARD_FLAW_NONE},
      {"a glob with a dot at its end", MDE_GUARD_NAMES, "dc*.", MDE_GUARD_FLAW_NONE},
      {"a glob that is not ASCII", MDE_GUARD_NAMES, "k\u00fcche*", MDE_GUARD_FLAW_NONE},
      {"a glob of blanks", MDE_GUARD_NAMES, "  ", MDE_GUARD_FLAW_EMPTY},
      {"a glob with a blank before", MDE_GUARD_NAMES, " dc*", MDE_GUARD_FLAW_BLANK},
      {"a glob with a blank behind", MDE_GUARD_NAMES, "dc*\u00a0", MDE_GUARD_FLAW_BLANK},
      {"a glob with a carriage return", MDE_GUARD_NAMES, "dc*\r", MDE_GUARD_FLAW_CONTROL},
      {"a glob with a tab in it", MDE_GUARD_NAMES, "d\tc", MDE_GUARD_FLAW_CONTROL},
      {"a glob with DEL in it", MDE_GUARD_NAMES, "d\x7f", MDE_GUARD_FLAW_CONTROL},
      {"a glob with U+009F in it", MDE_GUARD_NAMES, "d\xc2\x9f-c", MDE_GUARD_FLAW_CONTROL},
      {"a glob with a control byte behind one that is not UTF-8", MDE_GUARD_NAMES, "d\xff\x01x",
       MDE_GUARD_FLAW_CONTROL},
      {"a glob with a class", MDE_GUARD_NAMES, "dc[12]", MDE_GUARD_FLAW_BRACKET},
      {"a glob with half a class", MDE_GUARD_NAMES, "dc1]", MDE_GUARD_FLAW_BRACKET},
      {"a glob with half a class before", MDE_GUARD_NAMES, "[dc", MDE_GUARD_FLAW_BRACKET},
      {"a glob with alternatives", MDE_GUARD_NAMES, "{dc,sql}", MDE_GUARD_FLAW_BRACKET},
      {"a glob with half of them", MDE_GUARD_NAMES, "dc}", MDE_GUARD_FLAW_BRACKET},
      {"a value", MDE_GUARD_DEVICE_VALUES, "High", MDE_GUARD_FLAW_NONE},
      {"a value in small letters", MDE_GUARD_DEVICE_VALUES, "low", MDE_GUARD_FLAW_NONE},
      {"a value with blanks around", MDE_GUARD_DEVICE_VALUES, " NORMAL ", MDE_GUARD_FLAW_NONE},
      {"a value that there is not", MDE_GUARD_DEVICE_VALUES, "Hihg", MDE_GUARD_FLAW_UNKNOWN},
      {"a value that is a part of one", MDE_GUARD_DEVICE_VALUES, "Hig", MDE_GUARD_FLAW_UNKNOWN},
      {"an empty value", MDE_GUARD_DEVICE_VALUES, "", MDE_GUARD_FLAW_EMPTY},
      {"a platform", MDE_GUARD_PLATFORMS, "Windows10", MDE_GUARD_FLAW_NONE},
      {"a platform with a bracket", MDE_GUARD_PLATFORMS, "[x]", MDE_GUARD_FLAW_NONE},
      {"a platform with a star", MDE_GUARD_PLATFORMS, "Windows*", MDE_GUARD_FLAW_WILDCARD},
      {"a platform with a question mark", MDE_GUARD_PLATFORMS, "Windows1?",
       MDE_GUARD_FLAW_WILDCARD},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text text = test_edge_string(cases[i].text);
    if (mde_guard_flaw(cases[i].rule, text) != cases[i].expected)
      fail_msg("%s: %d", cases[i].what, (int)mde_guard_flaw(cases[i].rule, text));
  }
  assert_int_equal(mde_guard_flaw(MDE_GUARD_NAMES, (struct mde_text){"a\0b", 3}),
                   MDE_GUARD_FLAW_CONTROL);
  assert_int_equal(mde_guard_flaw(MDE_GUARD_PLATFORMS, (struct mde_text){"a\0b", 3}),
                   MDE_GUARD_FLAW_NONE);
  char glob[MDE_GUARD_MAX_NAME + 1];
  memset(glob, 'a', sizeof glob);
  assert_int_equal(mde_guard_flaw(MDE_GUARD_NAMES, (struct mde_text){glob, MDE_GUARD_MAX_NAME}),
                   MDE_GUARD_FLAW_NONE);
  assert_int_equal(mde_guard_flaw(MDE_GUARD_NAMES, (struct mde_text){glob, sizeof glob}),
                   MDE_GUARD_FLAW_LONG);
  assert_int_equal(mde_guard_flaw(MDE_GUARD_TAGS, (struct mde_text){glob, sizeof glob}),
                   MDE_GUARD_FLAW_NONE);
}

static void form_of_a_tag(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"", ""},          {" \t\n", ""},    {"Tier0", "tier0"},
      {" a b ", "a b"},  {"A.", "a."},     {"\u00a0\u212a\u3000", "k"},
      {"\xff ", "\xff"}, {"I\u0307", "i"}, {"\x01X\x02Y\x03", "x\x02y"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char form[32];
    struct mde_text tag = test_edge_string(cases[i][0]);
    size_t length = mde_guard_tag(tag, form, sizeof form);
    assert_int_equal(length, strlen(cases[i][1]));
    assert_memory_equal(form, cases[i][1], length);
    assert_int_equal(mde_guard_tag(tag, form, 0), length);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flaws),
      cmocka_unit_test(form_of_a_tag),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
