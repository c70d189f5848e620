/*
 * odata: literals, percent-encoding, and the UTF-8 that texts rest on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "odata.h"
#include "test_edge.h"
#include "utf8.h"

static void writing(void **state)
{
  (void)state;
  static const struct {
    size_t (*write)(struct mde_text, char *, size_t);
    const char *text;
    const char *expected;
  } cases[] = {
      {mde_odata_literal, "", "''"},
      {mde_odata_literal, "x", "'x'"},
      {mde_odata_literal, "O'Brien", "'O''Brien'"},
      {mde_odata_literal, "'", "''''"},
      {mde_odata_literal, "x' or healthStatus eq 'Active", "'x'' or healthStatus eq ''Active'"},
      {mde_odata_encode, "", ""},
      {mde_odata_encode, "AZaz09-._~", "AZaz09-._~"},
      {mde_odata_encode, " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}",
       "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D"},
      {mde_odata_encode, "\r\n\x7f", "%0D%0A%7F"},
      {mde_odata_encode, "\xc3\xa4\xff", "%C3%A4%FF"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[256];
    size_t length = strlen(cases[i].expected);
    struct mde_text text = test_edge_string(cases[i].text);
    assert_int_equal(cases[i].write(text, NULL, 0), length);
    /* Not a byte more than there is room for. */
    for (size_t size = 0; size <= length; size++) {
      memset(out, '?', sizeof out);
      assert_int_equal(cases[i].write(text, out, size), length);
      assert_memory_equal(out, cases[i].expected, size);
      assert_int_equal(out[size], '?');
    }
  }
}

static void decoding(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool plus_is_space;
    const char *expected; /* NULL: malformed */
  } cases[] = {
      {"", false, ""},
      {"a+b", false, "a+b"},
      {"a+b", true, "a b"},
      {"a%2Bb", true, "a+b"},
      {"%41%6a%6A", false, "Ajj"},
      {"%25", false, "%"},
      {"%2525", false, "%25"},
      {"%", false, NULL},
      {"%4", false, NULL},
      {"%4g", false, NULL},
      {"%g4", false, NULL},
      {"%%41", false, NULL},
      {"100%", true, NULL},
      {"% 41", false, NULL},
      {"%-1", false, NULL},
      {"\xc3\xa4", false, "\xc3\xa4"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char out[64];
    size_t length =
        mde_odata_decode(test_edge_string(cases[i].text), cases[i].plus_is_space, out, sizeof out);
    size_t expected = cases[i].expected == NULL ? MDE_ODATA_MALFORMED : strlen(cases[i].expected);
    if (length != expected || (cases[i].expected && memcmp(out, cases[i].expected, length) != 0))
      fail_msg("\"%s\" decodes to %zu bytes", cases[i].text, length);
  }
  char every[256];
  char encoded[768];
  char decoded[256];
  for (int i = 0; i < 256; i++)
    every[i] = (char)i;
  size_t length = mde_odata_encode(test_edge(every, sizeof every), encoded, sizeof encoded);
  assert_int_equal(mde_odata_decode(test_edge(encoded, length), true, decoded, sizeof decoded),
                   256);
  assert_memory_equal(decoded, every, sizeof every);
}

static void utf8(void **state)
{
  (void)state;
  static const char *const malformed[] = {
      "\x80",
      "\xbf",
      "\xc0\x80",
      "\xc1\xbf",
      "\xc2",
      "\xc2\x41",
      "\xe0\x9f\xbf",
      "\xe2\x82",
      "\xed\xa0\x80",
      "\xed\xbf\xbf",
      "\xf0\x8f\xbf\xbf",
      "\xf0\x9f\x92",
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",
      "\xff",
  };
  for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
    struct mde_text text = test_edge_string(malformed[i]);
    const char *at = text.bytes;
    uint32_t code_point = 77;
    assert_int_equal(mde_utf8_next(&at, text.bytes + text.length, &code_point), -1);
    assert_ptr_equal(at, text.bytes);
    assert_int_equal(code_point, 77);
  }
  /* Every code point, written by its definition, is read back, and no surrogate is. */
  for (uint32_t wanted = 0; wanted <= 0x10ffff; wanted++) {
    char bytes[4];
    size_t length = wanted < 0x80 ? 1 : wanted < 0x800 ? 2 : wanted < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint32_t rest = wanted;
    for (size_t i = length - 1; i > 0; i--, rest >>= 6)
      bytes[i] = (char)(0x80 | (rest & 0x3f));
    bytes[0] = (char)(lead[length] | rest);
    const char *at = bytes;
    uint32_t code_point = 0;
    int status = mde_utf8_next(&at, bytes + length, &code_point);
    bool is_surrogate = wanted >= 0xd800 && wanted <= 0xdfff;
    if (is_surrogate ? status != -1 : status != 1 || code_point != wanted || at != bytes + length)
      fail_msg("U+%04X: %d, U+%04X", (unsigned)wanted, status, (unsigned)code_point);
  }
  const char *end = "";
  uint32_t code_point = 0;
  assert_int_equal(mde_utf8_next(&end, end, &code_point), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(writing),
      cmocka_unit_test(decoding),
      cmocka_unit_test(utf8),
  };
  return cmocka_run_group_tests_name("odata", tests, NULL, NULL);
}
