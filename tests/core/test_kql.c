/*
 * kql: literals that no value leaves, and the names of a query.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kql.h"
#include "test_edge.h"

static void assert_literal(const struct mde_kql_value *value, const char *expected)
{
  char out[256];
  size_t length = strlen(expected);
  assert_int_equal(mde_kql_flaw(value), MDE_KQL_FLAW_NONE);
  assert_int_equal(mde_kql_literal(value, NULL, 0), length);
  /* Not a byte more than there is room for. */
  for (size_t size = 0; size <= length; size++) {
    memset(out, '?', sizeof out);
    assert_int_equal(mde_kql_literal(value, out, size), length);
    if (memcmp(out, expected, size) != 0) fail_msg("%s: %.*s", expected, (int)size, out);
    assert_int_equal(out[size], '?');
  }
}

static struct mde_kql_value string(const char *text)
{
  return (struct mde_kql_value){.type = MDE_KQL_TYPE_STRING, .text = test_edge_string(text)};
}

static void strings(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected; /* NULL: not UTF-8 */
  } cases[] = {
      {"", "\"\""},
      {"cmd.exe", "\"cmd.exe\""},
      {"O'Brien", "\"O'Brien\""},
      {"a\"b", "\"a\\\"b\""},
      {"\\", "\"\\\\\""},
      {"C:\\new\\table", "\"C:\\\\new\\\\table\""},
      {"\\\"", "\"\\\\\\\"\""},
      {"a\r\n\tb", "\"a\\r\\n\\tb\""},
      {"\" | take 1 //", "\"\\\" | take 1 //\""},
      {"x\"; DeviceInfo | count", "\"x\\\"; DeviceInfo | count\""},
      {"```~~~", "\"```~~~\""},
      {"\x01\x7f", "\"\\u0001\\u007F\""},
      {"\xc2\x85", "\"\\u0085\""},
      {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""},
      {"M\xc3\xbcller \xf0\x9f\x92\xbb", "\"M\xc3\xbcller \xf0\x9f\x92\xbb\""},
      {"\xff", NULL},
      {"a\xc3", NULL},
      {"\xed\xa0\x80", NULL},
      {"\xc0\xa2", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_kql_value value = string(cases[i].text);
    if (cases[i].expected == NULL)
      assert_int_equal(mde_kql_flaw(&value), MDE_KQL_FLAW_NOT_UTF8);
    else
      assert_literal(&value, cases[i].expected);
  }
  struct mde_kql_value nul = {.type = MDE_KQL_TYPE_STRING, .text = test_edge("a\0b", 3)};
  assert_literal(&nul, "\"a\\u0000b\"");
  static char many[10000];
  memset(many, '"', sizeof many);
  struct mde_kql_value quotes = {.type = MDE_KQL_TYPE_STRING, .text = {many, sizeof many}};
  assert_int_equal(mde_kql_literal(&quotes, NULL, 0), 20002);
}

static void others(void **state)
{
  (void)state;
  static const struct {
    struct mde_kql_value value;
    enum mde_kql_flaw flaw;
    const char *expected;
  } cases[] = {
      {{.type = MDE_KQL_TYPE_LONG, .whole = 0}, 0, "long(0)"},
      {{.type = MDE_KQL_TYPE_LONG, .whole = -5}, 0, "long(-5)"},
      {{.type = MDE_KQL_TYPE_LONG, .whole = INT64_MAX}, 0, "long(9223372036854775807)"},
      {{.type = MDE_KQL_TYPE_LONG, .whole = INT64_MIN}, 0, "long(-9223372036854775808)"},
      {{.type = MDE_KQL_TYPE_REAL, .number = 0.1}, 0, "real(0.1)"},
      {{.type = MDE_KQL_TYPE_REAL, .number = -2}, 0, "real(-2)"},
      {{.type = MDE_KQL_TYPE_REAL, .number = 1e300}, 0, "real(1e+300)"},
      {{.type = MDE_KQL_TYPE_REAL, .number = (double)NAN}, MDE_KQL_FLAW_NOT_FINITE, NULL},
      {{.type = MDE_KQL_TYPE_REAL, .number = -HUGE_VAL}, MDE_KQL_FLAW_NOT_FINITE, NULL},
      {{.type = MDE_KQL_TYPE_BOOL, .truth = true}, 0, "true"},
      {{.type = MDE_KQL_TYPE_BOOL}, 0, "false"},
      {{.type = MDE_KQL_TYPE_DATETIME, .number = 0}, 0, "datetime(1970-01-01T00:00:00Z)"},
      {{.type = MDE_KQL_TYPE_DATETIME, .number = 1770113472.25},
       0,
       "datetime(2026-02-03T10:11:12.25Z)"},
      {{.type = MDE_KQL_TYPE_DATETIME, .number = -62135596800.0},
       0,
       "datetime(0001-01-01T00:00:00Z)"},
      {{.type = MDE_KQL_TYPE_DATETIME, .number = -62135596801.0}, MDE_KQL_FLAW_NOT_A_TIME, NULL},
      {{.type = MDE_KQL_TYPE_DATETIME, .number = 253402300800.0}, MDE_KQL_FLAW_NOT_A_TIME, NULL},
      {{.type = MDE_KQL_TYPE_DATETIME, .number = (double)NAN}, MDE_KQL_FLAW_NOT_A_TIME, NULL},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = 0}, 0, "timespan(0.00:00:00.0000000)"},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = 93784.5}, 0, "timespan(1.02:03:04.5000000)"},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = -60}, 0, "timespan(-0.00:01:00.0000000)"},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = 59.99999999}, 0, "timespan(0.00:01:00.0000000)"},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = -1e-9}, 0, "timespan(0.00:00:00.0000000)"},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = 922337203684.0},
       0,
       "timespan(10675199.02:48:04.0000000)"},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = 922337203686.0}, MDE_KQL_FLAW_NOT_A_SPAN, NULL},
      {{.type = MDE_KQL_TYPE_TIMESPAN, .number = (double)NAN}, MDE_KQL_FLAW_NOT_A_SPAN, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    if (cases[i].expected == NULL)
      assert_int_equal(mde_kql_flaw(&cases[i].value), cases[i].flaw);
    else
      assert_literal(&cases[i].value, cases[i].expected);

  struct mde_kql_value guid = {.type = MDE_KQL_TYPE_GUID};
  guid.text = test_edge_string("74BE27DE-1e4e-49d9-b579-fe0b013d3642");
  assert_literal(&guid, "guid(74be27de-1e4e-49d9-b579-fe0b013d3642)");
  static const char *const no_guids[] = {"", "74be27de1e4e49d9b579fe0b013d3642", "x)",
                                         "74be27de-1e4e-49d9-b579-fe0b013d364)"};
  for (size_t i = 0; i < sizeof no_guids / sizeof no_guids[0]; i++) {
    guid.text = test_edge_string(no_guids[i]);
    assert_int_equal(mde_kql_flaw(&guid), MDE_KQL_FLAW_NOT_A_GUID);
  }
}

static void lists(void **state)
{
  (void)state;
  static const struct mde_kql_value texts[] = {
      {.type = MDE_KQL_TYPE_STRING, .text = {"a\"]", 3}},
      {.type = MDE_KQL_TYPE_STRING, .text = {"\n", 1}},
  };
  static const struct mde_kql_value numbers[] = {
      {.type = MDE_KQL_TYPE_LONG, .whole = -1},
      {.type = MDE_KQL_TYPE_REAL, .number = 0.5},
      {.type = MDE_KQL_TYPE_BOOL, .truth = true},
      {.type = MDE_KQL_TYPE_DATETIME, .number = 0},
  };
  static const struct {
    struct mde_kql_values values;
    const char *expected;
  } cases[] = {
      {{NULL, 0}, "dynamic([])"},
      {{texts, 2}, "dynamic([\"a\\\"]\",\"\\n\"])"},
      {{numbers, 4}, "dynamic([-1,0.5,true,datetime(1970-01-01T00:00:00Z)])"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[128];
    size_t length = mde_kql_list(&cases[i].values, out, sizeof out);
    assert_int_equal(length, strlen(cases[i].expected));
    assert_memory_equal(out, cases[i].expected, length);
    assert_int_equal(mde_kql_list(&cases[i].values, NULL, 0), length);
  }
}

static void names(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    enum mde_kql_name_flaw flaw;
  } cases[] = {
      {"hash", MDE_KQL_NAME_FLAW_NONE},
      {"h", MDE_KQL_NAME_FLAW_NONE},
      {"remote_ip2", MDE_KQL_NAME_FLAW_NONE},
      {"", MDE_KQL_NAME_FLAW_NOT_A_NAME},
      {"a b", MDE_KQL_NAME_FLAW_NOT_A_NAME},
      {"a=1;b", MDE_KQL_NAME_FLAW_NOT_A_NAME},
      {"m\xc3\xbcll", MDE_KQL_NAME_FLAW_NOT_A_NAME},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
       MDE_KQL_NAME_FLAW_NOT_A_NAME},
      {"DeviceName", MDE_KQL_NAME_FLAW_LIKE_A_COLUMN},
      {"_ResourceId", MDE_KQL_NAME_FLAW_LIKE_A_COLUMN},
      {"1d", MDE_KQL_NAME_FLAW_LIKE_A_COLUMN},
      {"where", MDE_KQL_NAME_FLAW_KEYWORD},
      {"wHERE", MDE_KQL_NAME_FLAW_KEYWORD},
      {"in", MDE_KQL_NAME_FLAW_KEYWORD},
      {"with", MDE_KQL_NAME_FLAW_KEYWORD},
      {"accumulate", MDE_KQL_NAME_FLAW_KEYWORD},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    if (mde_kql_name_flaw(test_edge_string(cases[i].name)) != cases[i].flaw)
      fail_msg("the name \"%s\"", cases[i].name);
}

static void uses(void **state)
{
  (void)state;
  static const struct {
    const char *query;
    enum mde_kql_use use; /* of the name x */
  } cases[] = {
      {"", MDE_KQL_USE_NONE},
      {"T | where A == x", MDE_KQL_USE_READ},
      {"T | where A == x and x =~ B", MDE_KQL_USE_READ},
      {"T | where A in (x)", MDE_KQL_USE_READ},
      {"T | where A between (1..x)", MDE_KQL_USE_READ},
      {"T | where A > ago(x)|take 1", MDE_KQL_USE_READ},
      {"T | where xx == X", MDE_KQL_USE_NONE},
      {"T | where A == \"x\"", MDE_KQL_USE_NONE},
      {"T | where A == 'x' // x", MDE_KQL_USE_NONE},
      {"// x\xe2\x80\xa8T | where A == x", MDE_KQL_USE_READ},
      {"// x\xe2\x80\xa7 x", MDE_KQL_USE_NONE},
      {"T // x\r| where A == x", MDE_KQL_USE_READ},
      {"A == '\\' x' + 'y'", MDE_KQL_USE_NONE},
      {"A == @'\\' + x", MDE_KQL_USE_READ},
      {"A == @'a'' x'", MDE_KQL_USE_NONE},
      {"A == h'x' + h@\"x\" + H\"\\\"x\"", MDE_KQL_USE_NONE},
      {"A == ```\n' x \" // ``` + x", MDE_KQL_USE_READ},
      {"A == ```\n' x", MDE_KQL_USE_NONE},
      {"A == ~~~ x ~~~", MDE_KQL_USE_NONE},
      {"A == 'no end\n x", MDE_KQL_USE_READ},
      {"A == \"//\" + x", MDE_KQL_USE_READ},
      {"B.x", MDE_KQL_USE_NONE},
      {"B . x", MDE_KQL_USE_NONE},
      {"7x", MDE_KQL_USE_NONE},
      {"1.5x", MDE_KQL_USE_NONE},
      {"extend x = 1", MDE_KQL_USE_DEFINED},
      {"range x from 1 to 3 step 1", MDE_KQL_USE_DEFINED},
      {"where A in (range(1, x, 1))", MDE_KQL_USE_READ},
      {"extend (x, b) = f()", MDE_KQL_USE_DEFINED},
      {"summarize (b, x) = arg_max(c, d)", MDE_KQL_USE_DEFINED},
      {"where f(A, x) == B", MDE_KQL_USE_READ},
      {"A == x | extend x /* */", MDE_KQL_USE_READ},
      {"A == x | extend x // why\n = 1", MDE_KQL_USE_DEFINED},
      {"A == x | extend x\xc2\xa0= 1", MDE_KQL_USE_DEFINED},
      {"let f = (x:string) { x }", MDE_KQL_USE_DEFINED},
      {"A == x()", MDE_KQL_USE_CALLED},
      {"A == x == B", MDE_KQL_USE_READ},
      {"A == x => B", MDE_KQL_USE_READ},
      {"\xff x \xff", MDE_KQL_USE_READ},
      {"'", MDE_KQL_USE_NONE},
      {"'\\", MDE_KQL_USE_NONE},
      {"@", MDE_KQL_USE_NONE},
      {"h", MDE_KQL_USE_NONE},
      {"@'''", MDE_KQL_USE_NONE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    static const struct mde_text x = {"x", 1};
    enum mde_kql_use use = mde_kql_use(test_edge_string(cases[i].query), x);
    if (use != cases[i].use) fail_msg("x in \"%s\": %d", cases[i].query, use);
  }
  struct mde_text query = test_edge_string("DeviceInfo|where a.b>$left.c //d\n");
  const char *at = query.bytes;
  struct mde_text name;
  static const char *const expected[] = {"DeviceInfo", "where", "a", "b", "$left", "c"};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_int_not_equal(mde_kql_next_name(&at, query.bytes + query.length, &name),
                         MDE_KQL_USE_NONE);
    assert_true(test_text_is(name, expected[i]));
  }
  assert_int_equal(mde_kql_next_name(&at, query.bytes + query.length, &name), MDE_KQL_USE_NONE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strings), cmocka_unit_test(others), cmocka_unit_test(lists),
      cmocka_unit_test(names),   cmocka_unit_test(uses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
