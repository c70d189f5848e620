/*
 * json_repair: what is nearly JSON, and what becomes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json.h"
#include "json_repair.h"

#define U "\xef\xbf\xbd"

/* Its length must be the one that was counted. */
static char *repaired(const char *bytes, size_t length)
{
  struct mde_text text = {bytes, length};
  size_t counted = mde_json_repair(text, NULL);
  assert_true(counted <= MDE_JSON_REPAIR_GROWTH * length);
  char *out = malloc(counted + 1);
  assert_non_null(out);
  assert_int_equal(counted, mde_json_repair(text, out));
  out[counted] = '\0';
  return out;
}

static void repairs(void **state)
{
  static const struct {
    const char *text, *wanted;
  } cases[] = {
      /* halves of pairs */
      {"\"on the phone \\ud83d\"", "\"on the phone " U "\""},
      {"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""},
      {"\"\\uD83D\\uDE00\"", "\"\\uD83D\\uDE00\""},
      {"\"\\ude00\\ud83d\"", "\"" U U "\""},
      {"\"\\ud83d\\ud83d\\ude00\"", "\"" U "\\ud83d\\ude00\""},
      {"\"\\ud83d\\u0041\"", "\"" U "\\u0041\""},
      {"\"\\ud83dA\"", "\"" U "A\""},
      {"\"\\ud83d\\\"\"", "\"" U "\\\"\""},
      {"\"\\ud83d\\\\ude00\"", "\"" U "\\\\ude00\""},
      /* escapes that there are not */
      {"\"\\x41\"", "\"" U "x41\""},
      {"\"\\u12\"", "\"" U "u12\""},
      {"\"\\u12g4\"", "\"" U "u12g4\""},
      {"\"\\'\"", "\"" U "'\""},
      {"\"\\b\\f\\n\\r\\t\\/\\\\\\\"\\u0000\"", "\"\\b\\f\\n\\r\\t\\/\\\\\\\"\\u0000\""},
      /* bytes that are not UTF-8 */
      {"\"gr\xfc\xdf\"", "\"gr" U U "\""},
      {"\"\xed\xa0\xbd\"", "\"" U U U "\""},
      {"\"\xc3\"", "\"" U "\""},
      {"\"\xc0\xaf\"", "\"" U U "\""},
      {"\"\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa9\"", "\"\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa9\""},
      /* numbers */
      {"[1e999,-1e999,1e308,-0,0,0.5,-12.25e-3,1E5]", "[null,null,1e308,-0,0,0.5,-12.25e-3,1E5]"},
      {"[NaN,Infinity,-Infinity,nan,inf,+1,.5,5.,5.e1,007,-01,0x10,1e,1_000,--1,-]",
       "[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null]"},
      {"[12345678901234567890123, 1e-999]", "[12345678901234567890123, 1e-999]"},
      /* words */
      {"[true,false,null,True,undefined,'a']", "[true,false,null,null,null,null]"},
      {"{\"a\":NaN,\"b\":{\"c\" : -Infinity }}", "{\"a\":null,\"b\":{\"c\" : null }}"},
      /* a byte order mark, once and in front alone */
      {"\xef\xbb\xbf{}", "{}"},
      {"\xef\xbb\xbf\xef\xbb\xbf{}", "null{}"},
      {"{}\xef\xbb\xbf", "{}null"},
      {"\"\xef\xbb\xbf\"", "\"\xef\xbb\xbf\""},
      {"\xef\xbb\xbf", ""},
      {"\xef\xbb", "null"},
      /* what is cut stays cut */
      {"", ""},
      {"{\"value\":[{\"a\":1", "{\"value\":[{\"a\":1"},
      {"\"abc", "\"abc"},
      {"\"abc\\", "\"abc\\"},
      {"\"abc\\u12", "\"abc" U "u12"},
      {"[1,2]]", "[1,2]]"},
      {"[1}", "[1}"},
      {"{\"a\" 1,}", "{\"a\" 1,}"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char *out = repaired(cases[i].text, strlen(cases[i].text));
    assert_string_equal(cases[i].wanted, out);
    free(out);
  }
}

static void a_nul_is_no_character_and_no_value(void **state)
{
  (void)state;
  char *word = repaired("[a\0\0b,\0\0]", 9);
  assert_string_equal("[null,null]", word);
  free(word);
  char *out = repaired("[\"a\0b\",\0,\"\\\0\"]", 14);
  assert_string_equal("[\"a" U "b\",null,\"" U U "\"]", out);
  free(out);
}

/* `levels` of lists, with what is in the innermost. */
static void nest(char *out, int levels, const char *inside)
{
  char *at = out;
  for (int i = 0; i < levels; i++)
    *at++ = '[';
  at += sprintf(at, "%s", inside);
  for (int i = 0; i < levels; i++)
    *at++ = ']';
  *at = '\0';
}

static void what_is_nested_too_deep_is_nothing(void **state)
{
  static const char *const insides[] = {"[1]", "{\"a\":[[[[2]]]]}", "[\"]]\\\"]\"]",
                                        "[\"\\\\\",{\"[\":0}]"};
  (void)state;
  for (size_t i = 0; i < sizeof insides / sizeof insides[0]; i++) {
    char text[400];
    char wanted[400];
    nest(text, MDE_JSON_MAX_DEPTH - 1, insides[i]);
    char *out = repaired(text, strlen(text));
    if (i % 2 == 0) assert_string_equal(text, out); /* the others are deeper themselves */
    free(out);
    nest(text, MDE_JSON_MAX_DEPTH, insides[i]);
    nest(wanted, MDE_JSON_MAX_DEPTH, "null");
    out = repaired(text, strlen(text));
    assert_string_equal(wanted, out);
    free(out);
  }
  /* Beside it, everything stays. */
  char text[400] = "{\"id\":\"7\",\"x\":";
  nest(text + strlen(text), 90, "");
  strcat(text, ",\"y\":[8]}");
  char wanted[400] = "{\"id\":\"7\",\"x\":";
  nest(wanted + strlen(wanted), MDE_JSON_MAX_DEPTH - 1, "null");
  strcat(wanted, ",\"y\":[8]}");
  char *out = repaired(text, strlen(text));
  assert_string_equal(wanted, out);
  free(out);
}

static void what_is_cut_deep_inside_stays_cut(void **state)
{
  (void)state;
  char text[200];
  memset(text, '[', 150);
  for (size_t length = MDE_JSON_MAX_DEPTH; length < 150; length++) {
    char *out = repaired(text, length);
    assert_int_equal(MDE_JSON_MAX_DEPTH, strlen(out));
    free(out);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(repairs),
      cmocka_unit_test(a_nul_is_no_character_and_no_value),
      cmocka_unit_test(what_is_nested_too_deep_is_nothing),
      cmocka_unit_test(what_is_cut_deep_inside_stays_cut),
  };
  return cmocka_run_group_tests_name("json_repair", tests, NULL, NULL);
}
