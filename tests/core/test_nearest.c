/*
 * nearest: how far one host is from another, what is near, and what comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nearest.h"
#include "test_edge.h"
#include "timestamp.h"

static struct mde_text text_of(const char *string)
{
  return (struct mde_text){.bytes = string, .length = strlen(string)};
}

/* The distance from the name that is asked for to the only one there is; -1 if that is not near. */
static int distance(const char *asked, const char *own)
{
  struct mde_nearest_found found[MDE_NEAREST_MAX];
  struct mde_nearest_name name = mde_nearest_read(text_of(own), MDE_NO_TIME);
  if (mde_nearest_find(&name, 1, test_edge_string(asked), found) == 0) return -1;
  assert_int_equal(found[0].index, 0);
  return found[0].distance;
}

static void distances(void **state)
{
  (void)state;
  static const struct {
    const char *asked;
    const char *own;
    int expected; /* -1: not near */
  } cases[] = {
      {"laptop-17", "laptop-17", 0},
      {"laptp-17", "laptop-17", 1},
      {"laptoop-17", "laptop-17", 1},
      {"laptap-17", "laptop-17", 1},
      {"laptpo-17", "laptop-17", 1},
      {"alptop-17", "laptop-17", 1},
      {"laptop-71", "laptop-17", 1},
      {"laptop17", "laptop-17", 1},
      {"laptop_17", "laptop-17", 1},
      {"laptop", "laptop-1", 2},
      {"laptop", "laptop-17", -1},
      {"laptop-1", "laptop", 2},
      {"laptop-17", "laptop", -1},
      {"alptpo-17", "laptop-17", 2},
      {"alptpo-71", "laptop-17", -1},
      {"lapptop-1", "laptop-17", 2},
      {"desktop-17", "laptop-17", -1},
      /* A character takes part in one change: swapped, it is not changed besides. */
      {"abcdef", "bxacdef", -1},
      {"abcdef", "bacdefx", 2},
      /* At either end. */
      {"xdesk1", "desk1", 1},
      {"desk1x", "desk1", 1},
      {"xydesk", "desk", 2},
      {"deskxy", "desk", 2},
      /* Fewer than five characters, and one. */
      {"dc01", "dc02", 1},
      {"dc01", "dc1", 1},
      {"dc01", "dc10", 1},
      {"dc01", "dc001", 1},
      {"dc01", "dc12", -1},
      {"dc01", "dc", -1},
      {"dc001", "dc012", 2},
      {"dc001", "dc0", 2},
      {"ab", "a", 1},
      {"ab", "ba", 1},
      {"a", "b", -1},
      {"a", "ab", -1},
      {"a", "a", 0},
      /* The host alone counts. */
      {"laptop-17.corp.example", "laptop-17", 0},
      {"laptop-17", "laptop-17.corp.example", 0},
      {"laptop-17.corp.example", "laptop-17.lab.example", 0},
      {"laptp-17.corp.example", "laptop-17.elsewhere.example", 1},
      {"pc.corp.example", "pc01.corp.example", -1},
      {"pcs.corp.example", "pc.corp.example", 1},
      {"laptop-17.", "laptop-17", 0},
      /* No host. */
      {"", "", -1},
      {"", "a", -1},
      {".corp", ".corp", -1},
      {"ab", "", -1},
      {"ab", ".ab", -1},
      /* Code points, each one character. */
      {"b\xc3\xbcro-1", "buro-1", 1},
      {"b\xc3\xbcro", "bur", -1},
      {"\xe6\x9d\xb1\xe4\xba\xac-pc", "\xe4\xba\xac\xe6\x9d\xb1-pc", 1},
      {"\xe6\x9d\xb1\xe4\xba\xac-pc", "\xe6\x9d\xb1-pc", 1},
      {"\xf0\x9f\x92\xbb-desk", "-desk", 1},
      /* Bytes that are not UTF-8, which are no code points. */
      {"b\xfcro-1", "b\xc3\xbcro-1", 1},
      {"b\xfcro-1", "b\xfdro-1", 1},
      {"b\xc3ro-1", "bro-1", 1},
      {"desk-\xe2\x82", "desk-", 2},
      /* The case is the caller's matter. */
      {"DESK", "desk", -1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int got = distance(cases[i].asked, cases[i].own);
    if (got != cases[i].expected)
      fail_msg("\"%s\", \"%s\": %d, not %d", cases[i].asked, cases[i].own, got, cases[i].expected);
  }
}

static void length_of_a_host(void **state)
{
  (void)state;
  char longest[MDE_NEAREST_MAX_BYTES + 2], own[MDE_NEAREST_MAX_BYTES + 2];
  memset(longest, 'a', sizeof longest);
  longest[MDE_NEAREST_MAX_BYTES] = '\0';
  memcpy(own, longest, sizeof own);
  own[0] = own[MDE_NEAREST_MAX_BYTES - 1] = 'b';
  assert_int_equal(distance(longest, own), 2);
  assert_int_equal(distance(longest, own + 2), -1);
  assert_int_equal(distance(longest, longest + 2), 2);
  own[MDE_NEAREST_MAX_BYTES - 1] = 'a';
  own[MDE_NEAREST_MAX_BYTES] = 'a';
  own[MDE_NEAREST_MAX_BYTES + 1] = '\0';
  assert_int_equal(distance(longest, own), -1);
  assert_int_equal(distance(own, longest), -1);
  assert_int_equal(distance(own, own), -1);
}

static int least(int a, int b, int c)
{
  int ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* By the whole table, as it stands in the books. */
static int by_the_book(const char *a, const char *b)
{
  int table[8][8];
  int rows = (int)strlen(a), columns = (int)strlen(b);
  for (int i = 0; i <= rows; i++)
    for (int j = 0; j <= columns; j++) {
      table[i][j] = i + j;
      if (i == 0 || j == 0) continue;
      table[i][j] = least(table[i - 1][j] + 1, table[i][j - 1] + 1,
                          table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        table[i][j] = least(table[i][j], table[i - 2][j - 2] + 1, table[i][j]);
    }
  return table[rows][columns];
}

/* The word of a number, in three letters. */
static void spell(int number, int length, char out[8])
{
  for (int i = 0; i < length; i++, number /= 3)
    out[i] = (char)('a' + number % 3);
  out[length] = '\0';
}

static void every_short_host(void **state)
{
  (void)state;
  static const int words[] = {1, 3, 9, 27, 81, 243, 729};
  for (int length = 1; length <= 6; length += length < 4 ? 3 : 1)
    for (int own_length = 1; own_length <= 6; own_length++)
      for (int i = 0; i < words[length]; i += length == 6 ? 7 : 1)
        for (int k = 0; k < words[own_length]; k++) {
          char asked[8], own[8];
          spell(i, length, asked);
          spell(k, own_length, own);
          int limit = length >= 5 ? 2 : length >= 2 ? 1 : 0;
          int expected = by_the_book(asked, own);
          struct mde_nearest_found found[MDE_NEAREST_MAX];
          struct mde_nearest_name name = mde_nearest_read(text_of(own), MDE_NO_TIME);
          size_t count = mde_nearest_find(&name, 1, text_of(asked), found);
          if (count != (expected <= limit) || (count == 1 && found[0].distance != expected))
            fail_msg("\"%s\", \"%s\"", asked, own);
        }
}

static void order(void **state)
{
  (void)state;
  static const struct {
    const char *asked;
    struct {
      const char *name;
      int64_t last_seen;
    } names[8];
    const char *expected; /* their places in the list */
  } cases[] = {
      {"laptop-17", {{NULL, 0}}, ""},
      {"laptop-17", {{"desk-1", 1}, {"desk-2", 2}}, ""},
      /* The distance before all else. */
      {"laptop-17.corp",
       {{"laptop.corp", 9}, {"laptop-7x.corp", 9}, {"laptop-1.lab", MDE_NO_TIME}, {"laptop-17", 1}},
       "321"},
      /* Then the domain that is asked for. */
      {"laptop-17.corp",
       {{"laptop-1", 9}, {"laptop-2.lab", 8}, {"laptop-7.corp", 1}, {"laptop-17.corp.x", 1}},
       "3201"},
      {"laptop-17.corp", {{"laptop-7.corpo", 9}, {"laptop-1.corp", 1}}, "10"},
      /* A bare name is of any. */
      {"laptop-17", {{"laptop-1.corp", 1}, {"laptop-7", 2}, {"laptop-11.lab", 3}}, "210"},
      /* Then the one that was seen last, then the place in the list. */
      {"laptop-17",
       {{"laptop-1", MDE_NO_TIME}, {"laptop-2x", 5}, {"laptop-7", 3}, {"laptop-18", 7}},
       "3201"},
      {"laptop-17", {{"laptop-1", 3}, {"laptop-7", 3}, {"laptop-18", 3}}, "012"},
      /* Five of more. */
      {"laptop-17",
       {{"laptop-1x", 1},
        {"laptop-11", 2},
        {"laptop-12", 3},
        {"laptop-13", 4},
        {"laptop-14", 5},
        {"laptop-15", 6},
        {"laptop-16", 7},
        {"laptop-", 8}},
       "65432"},
      {"laptop-17",
       {{"laptop-xy", 9},
        {"laptop-yx", 9},
        {"laptop-zx", 9},
        {"laptop-xz", 9},
        {"laptop-zy", 9},
        {"laptop-1", 1},
        {"laptop-yz", 9},
        {"laptop-17", 0}},
       "75012"},
      /* Where those of five are at one distance, one of that distance may still go before. */
      {"laptop-17",
       {{"laptop-1", 1},
        {"laptop-11", 1},
        {"laptop-12", 1},
        {"laptop-13", 1},
        {"laptop-14", 1},
        {"laptop-15", 2},
        {"laptop-xx", 9}},
       "50123"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_nearest_name names[8];
    struct mde_nearest_found found[MDE_NEAREST_MAX];
    size_t count = 0;
    for (; count < 8 && cases[i].names[count].name != NULL; count++)
      names[count] =
          mde_nearest_read(text_of(cases[i].names[count].name), cases[i].names[count].last_seen);
    size_t length = mde_nearest_find(names, count, text_of(cases[i].asked), found);
    char got[MDE_NEAREST_MAX + 1] = "";
    for (size_t k = 0; k < length; k++) {
      got[k] = (char)('0' + found[k].index);
      got[k + 1] = '\0';
    }
    if (strcmp(got, cases[i].expected) != 0)
      fail_msg("case %zu: \"%s\", not \"%s\"", i, got, cases[i].expected);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances),
      cmocka_unit_test(length_of_a_host),
      cmocka_unit_test(every_short_host),
      cmocka_unit_test(order),
  };
  return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
