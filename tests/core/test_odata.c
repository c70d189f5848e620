/*
 * odata: literals, percent-encoding, the kinds of device, and the UTF-8 that both rest on.
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

#define ID "0123456789abcdef0123456789ABCDEF01234567"
#define GUID "01234567-89ab-CDEF-0123-456789abcdef"

static void devices(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum mde_device_kind kind;
    const char *expected; /* the canonical text, or what the reason contains */
  } cases[] = {
      {ID, MDE_DEVICE_KIND_MACHINE_ID, "0123456789abcdef0123456789abcdef01234567"},
      {GUID, MDE_DEVICE_KIND_GUID, "01234567-89ab-cdef-0123-456789abcdef"},
      {"laptop-17", MDE_DEVICE_KIND_BARE_NAME, "laptop-17"},
      {"LapTop-17.Corp.Example", MDE_DEVICE_KIND_FULL_NAME, "LapTop-17.Corp.Example"},
      {"a.b", MDE_DEVICE_KIND_FULL_NAME, "a.b"},
      {".b", MDE_DEVICE_KIND_BARE_NAME, ".b"},
      {"b.", MDE_DEVICE_KIND_BARE_NAME, "b"},
      {".", MDE_DEVICE_KIND_BARE_NAME, "."},
      {"x' or healthStatus eq 'Active", MDE_DEVICE_KIND_BARE_NAME, "x' or healthStatus eq 'Active"},
      {"a b%c&d#e+f\"g'h", MDE_DEVICE_KIND_BARE_NAME, "a b%c&d#e+f\"g'h"},
      {"M\xc3\xbcller-\xe6\x97\xa5\xf0\x9f\x92\xbb", MDE_DEVICE_KIND_BARE_NAME,
       "M\xc3\xbcller-\xe6\x97\xa5\xf0\x9f\x92\xbb"},
      {"deadbeef", MDE_DEVICE_KIND_BARE_NAME, "deadbeef"},
      {"0123456789abcdef0123456789abc", MDE_DEVICE_KIND_BARE_NAME, "0123456789abcdef0123456789abc"},
      /* Addresses. */
      {"10.1.2.3", MDE_DEVICE_KIND_IP_ADDRESS, "10.1.2.3"},
      {"255.255.255.255", MDE_DEVICE_KIND_IP_ADDRESS, "255.255.255.255"},
      {"010.001.002.003", MDE_DEVICE_KIND_IP_ADDRESS, "010.001.002.003"},
      {"256.1.1.1", MDE_DEVICE_KIND_FULL_NAME, "256.1.1.1"},
      {"1.2.3", MDE_DEVICE_KIND_FULL_NAME, "1.2.3"},
      {"1.2.3.4.5", MDE_DEVICE_KIND_FULL_NAME, "1.2.3.4.5"},
      {"1.2.3.", MDE_DEVICE_KIND_FULL_NAME, "1.2.3"},
      {"0001.2.3.4", MDE_DEVICE_KIND_FULL_NAME, "0001.2.3.4"},
      {"[10.1.2.3]", MDE_DEVICE_KIND_FULL_NAME, "[10.1.2.3]"},
      {"::", MDE_DEVICE_KIND_IP_ADDRESS, "::"},
      {"::1", MDE_DEVICE_KIND_IP_ADDRESS, "::1"},
      {"1::", MDE_DEVICE_KIND_IP_ADDRESS, "1::"},
      {"FE80::1%eth0", MDE_DEVICE_KIND_IP_ADDRESS, "fe80::1"},
      {"[fe80::1%25eth0]", MDE_DEVICE_KIND_IP_ADDRESS, "fe80::1"},
      {"[2001:DB8::1]", MDE_DEVICE_KIND_IP_ADDRESS, "2001:db8::1"},
      {"1:2:3:4:5:6:7:8", MDE_DEVICE_KIND_IP_ADDRESS, "1:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:7::", MDE_DEVICE_KIND_IP_ADDRESS, "1:2:3:4:5:6:7::"},
      {"::2:3:4:5:6:7:8", MDE_DEVICE_KIND_IP_ADDRESS, "::2:3:4:5:6:7:8"},
      {"::ffff:1.2.3.4", MDE_DEVICE_KIND_IP_ADDRESS, "::ffff:1.2.3.4"},
      {"::1.2.3.4", MDE_DEVICE_KIND_IP_ADDRESS, "::1.2.3.4"},
      {"1:2:3:4:5:6:1.2.3.4", MDE_DEVICE_KIND_IP_ADDRESS, "1:2:3:4:5:6:1.2.3.4"},
      {"1:2:3:4:5:6:7:1.2.3.4", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1:2:3:4:5:6:7:8::", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1:2:3:4:5:6:7:8:9", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1:2:3:4:5:6:7", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1::2::3", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {":::", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {":1", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1:", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"::12345", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"::g", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"::1%", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"[::1", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"[::1]:443", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1.2.3.4:443", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"1.2.3.4::", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"[]", MDE_DEVICE_KIND_BARE_NAME, "[]"},
      /* Without blanks around, and one dot at the end. */
      {" Laptop-17 ", MDE_DEVICE_KIND_BARE_NAME, "Laptop-17"},
      {"Laptop-17.", MDE_DEVICE_KIND_BARE_NAME, "Laptop-17"},
      {" Laptop-17.corp.example. ", MDE_DEVICE_KIND_FULL_NAME, "Laptop-17.corp.example"},
      {"Laptop-17..", MDE_DEVICE_KIND_FULL_NAME, "Laptop-17.."},
      {" " ID, MDE_DEVICE_KIND_NONE, "is an id with a blank or a dot beside it"},
      {"01234567-89ab-cdef-0123-456789abcdef.", MDE_DEVICE_KIND_NONE,
       "is an id with a blank or a dot"},
      {" 192.0.2.10. ", MDE_DEVICE_KIND_IP_ADDRESS, "192.0.2.10"},
      {ID "8 ", MDE_DEVICE_KIND_NONE, "41 hex digits"},
      /* Refused. */
      {"", MDE_DEVICE_KIND_NONE, "is empty"},
      {" ", MDE_DEVICE_KIND_NONE, "is only white space"},
      {" \xc2\xa0\xe3\x80\x80", MDE_DEVICE_KIND_NONE, "is only white space"},
      {"a\x1b[2J", MDE_DEVICE_KIND_NONE, "has a control character (byte 0x1b)"},
      {"a\n", MDE_DEVICE_KIND_NONE, "has a control character (byte 0x0a)"},
      {"\t", MDE_DEVICE_KIND_NONE, "has a control character (byte 0x09)"},
      {"a\x7f", MDE_DEVICE_KIND_NONE, "has a control character (byte 0x7f)"},
      {"a\xc2\x85", MDE_DEVICE_KIND_NONE, "has a control character (U+0085)"},
      {"a\xff", MDE_DEVICE_KIND_NONE, "is not valid UTF-8"},
      {"a\xc3", MDE_DEVICE_KIND_NONE, "is not valid UTF-8"},
      {"a/b", MDE_DEVICE_KIND_NONE, "contains \"/\", which no device name has"},
      {"CORP\\x", MDE_DEVICE_KIND_NONE, "contains \"\\\", which no device name has"},
      {"a*", MDE_DEVICE_KIND_NONE, "contains \"*\""},
      {"a?", MDE_DEVICE_KIND_NONE, "contains \"?\""},
      {"<a", MDE_DEVICE_KIND_NONE, "contains \"<\""},
      {"a>", MDE_DEVICE_KIND_NONE, "contains \">\""},
      {"a|b", MDE_DEVICE_KIND_NONE, "contains \"|\""},
      {"https://x", MDE_DEVICE_KIND_NONE, "contains \":\""},
      {"00000000-0000-0000-0000-000000000000", MDE_DEVICE_KIND_NONE, "is the all-zero GUID"},
      /* Damaged ids. */
      {"0123456789abcdef0123456789abcdef0123456", MDE_DEVICE_KIND_NONE,
       "looks like a machine id, but has 39 hex digits instead of 40"},
      {ID "8", MDE_DEVICE_KIND_NONE,
       "looks like a machine id, but has 41 hex digits instead of 40"},
      {"0123456789abcdef0123456789abcd", MDE_DEVICE_KIND_NONE, "has 30 hex digits instead of 40"},
      {"0123456789abcdef0123456789abcdef", MDE_DEVICE_KIND_NONE, "looks like an Entra device id"},
      {"{01234567-89ab-cdef-0123-456789abcdef}", MDE_DEVICE_KIND_NONE,
       "looks like an Entra device id"},
      {"01234567-89ab-cdef-0123-456789abcde", MDE_DEVICE_KIND_NONE,
       "looks like an Entra device id"},
      {"012345678-9ab-cdef-0123-456789abcdef", MDE_DEVICE_KIND_NONE,
       "looks like an Entra device id"},
      {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
       MDE_DEVICE_KIND_BARE_NAME,
       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_device device;
    mde_odata_device(test_edge_string(cases[i].text), &device);
    bool is_right = device.kind == cases[i].kind;
    if (is_right && device.kind == MDE_DEVICE_KIND_NONE)
      is_right = strstr(device.reason, cases[i].expected) != NULL;
    else if (is_right)
      is_right = device.length == strlen(cases[i].expected) &&
                 memcmp(device.canonical, cases[i].expected, device.length) == 0;
    if (!is_right)
      fail_msg("\"%s\": kind %d, \"%.*s\", %s", cases[i].text, (int)device.kind, (int)device.length,
               device.canonical, device.reason);
  }
}

static void length_of_names(void **state)
{
  (void)state;
  struct mde_device device;
  char name[300];
  memset(name, 'x', sizeof name);
  mde_odata_device(test_edge(name, 255), &device);
  assert_int_equal(device.kind, MDE_DEVICE_KIND_BARE_NAME);
  assert_int_equal(device.length, 255);
  mde_odata_device(test_edge(name, 256), &device);
  assert_int_equal(device.kind, MDE_DEVICE_KIND_NONE);
  mde_odata_device(test_edge(name, 300), &device);
  assert_string_equal(device.reason, "is 300 bytes long; a name has at most 255");
  mde_odata_device(test_edge("a\0b", 3), &device);
  assert_string_equal(device.reason, "has a control character (byte 0x00)");
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
      cmocka_unit_test(writing),         cmocka_unit_test(decoding), cmocka_unit_test(devices),
      cmocka_unit_test(length_of_names), cmocka_unit_test(utf8),
  };
  return cmocka_run_group_tests_name("odata", tests, NULL, NULL);
}
