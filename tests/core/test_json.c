/*
 * json: what is a list, and how many items it has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json.h"

static const struct mde_text value = {"value", 5};

static struct mde_text text_of(const char *text)
{
  return (struct mde_text){text, strlen(text)};
}

static void counts(void **state)
{
  static const struct {
    const char *text;
    size_t count;
  } cases[] = {
      {"{\"value\":[]}", 0},
      {" {\t\"value\" :\r\n[ \n] } ", 0},
      {"{\"value\":[1]}", 1},
      {"{\"value\":[null]}", 1},
      {"{\"value\":[null,{},[],\"\",[1,2,[3]],{\"a\":[1,2]}]}", 6},
      {"{\"value\":[\"]\",\"[\",\",\",\"\\\"],\",\"\\\\\"]}", 5},
      {"{\"a\":{\"value\":{}},\"value\":[1,2],\"b\":[3]}", 2},
      {"{\"a\":\"value\",\"b\":-1.5e3,\"c\":true,\"d\":null,\"value\":[1,2]}", 2},
      {"{\"v\\u0061lue\":[1,2,3]}", 3},
      {"{\"\\u0076\\u0061\\u006C\\u0075\\u0065\":[1]}", 1},
      {"{\"values\":{},\"valu\":1,\"Value\":2,\"val\\nue\":3,\"\":4,\"value\":[1]}", 1},
      {"{\"val\\u01b5e\":1,\"val\\/e\":2,\"value\\\\\":3,\"value\":[1]}", 1},
      {"{\"@odata.context\":\"https://x/"
       "$metadata#Machines\",\"value\":[{\"id\":\"a\"},{\"id\":\"b\"}]}",
       2},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    size_t count = 99;
    assert_true(mde_json_list(text_of(cases[i].text), value, &count));
    assert_int_equal(count, cases[i].count);
  }
}

static void refuses(void **state)
{
  static const char *const cases[] = {
      "",
      " ",
      "{",
      "}",
      "{}",
      "[]",
      "[1]",
      "[{\"value\":[]}]",
      "\"value\"",
      "null",
      "{\"value\"",
      "{\"value\":",
      /* something else than a list */
      "{\"value\":{}}",
      "{\"value\":{\"0\":1}}",
      "{\"value\":null}",
      "{\"value\":\"[]\"}",
      "{\"value\":0}",
      "{\"value\":true}",
      "{\"a\":{\"value\":[]}}",
      "{\"values\":[]}",
      "{\"VALUE\":[]}",
      /* several, so that nobody knows which is meant */
      "{\"value\":[1],\"value\":[]}",
      "{\"value\":{},\"value\":[]}",
      "{\"value\":[],\"value\":{}}",
      "{\"value\":[],\"v\\u0061lue\":[1]}",
      "{\"v\\u0061lue\":[],\"value\":[1]}",
      /* cut */
      "{\"value\":[",
      "{\"value\":[]",
      "{\"value\":[1,2",
      "{\"value\":[\"",
      "{\"value\":[\"]}",
      "{\"value\":[\"\\",
      "{\"value\":[],",
      "{\"value\":[],\"a",
      "{\"value\":[],\"a\":",
      "{\"value\":[],\"a\":1",
      "{\"val",
      "{\"value\":[],\"\\",
      "{\"value\":[]}}",
      "{\"value\":[]} {}",
      "{\"value\":[]},",
      "x{\"value\":[]}",
      /* not what it seems */
      "{\"value\":[}",
      "{\"value\":[}]}",
      "{\"value\":[{]}",
      "{\"value\":[]]}",
      "{\"a\":{],\"value\":[]}",
      "{value:[]}",
      "{'value':[]}",
      "{\"value\" []}",
      "{\"value\":[] \"a\":1}",
      "{,\"value\":[]}",
      "{\"value\":,[]}",
      "{\"\\u00\":1}",
      "{\"\\u\":1}",
      "{\"\\uzzzz\":[]}",
      "{\"valu\\u0065\xff\":[]}",
      "\xef\xbb\xbf{\"value\":[]}",
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    size_t count = 99;
    if (mde_json_list(text_of(cases[i]), value, &count)) fail_msg("a list: %s", cases[i]);
  }
  size_t count = 99;
  assert_false(mde_json_list((struct mde_text){"{\"value\":[]}\0", 13}, value, &count));
}

/* However an answer is cut, it is no list any more. */
static void notices_every_cut(void **state)
{
  static const char whole[] =
      "{\"a\":[\"\\\\\\\"\",{\"b\":null}],\"value\":[{\"id\":\"x\"},[],1.5]}";
  size_t count = 0;
  (void)state;
  assert_true(mde_json_list((struct mde_text){whole, sizeof whole - 1}, value, &count));
  assert_int_equal(count, 3);
  for (size_t length = 0; length < sizeof whole - 1; length++) {
    /* A copy of its own, so that a tool sees what is read beyond its end. */
    char *cut = malloc(length + 1);
    assert_non_null(cut);
    memcpy(cut, whole, length);
    assert_false(mde_json_list((struct mde_text){cut, length}, value, &count));
    free(cut);
  }
}

static void bounds_the_depth(void **state)
{
  char text[300];
  size_t count;
  (void)state;
  for (size_t depth = 60; depth <= 70; depth++) {
    char *at = text + snprintf(text, sizeof text, "{\"value\":");
    memset(at, '[', depth);
    memset(at + depth, ']', depth);
    strcpy(at + 2 * depth, "}");
    assert_int_equal(mde_json_list(text_of(text), value, &count), depth <= 64);
    if (depth <= 64) assert_int_equal(count, 1);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts),
      cmocka_unit_test(refuses),
      cmocka_unit_test(notices_every_cut),
      cmocka_unit_test(bounds_the_depth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
