/*
 * device: what a text can mean that is to mean a device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device.h"
#include "test_edge.h"

#define ID "0123456789abcdef0123456789ABCDEF01234567"
#define GUID "01234567-89ab-CDEF-0123-456789abcdef"
#define ZERO "00000000-0000-0000-0000-000000000000"

static void reading(void **state)
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
      {"a .", MDE_DEVICE_KIND_FULL_NAME, "a ."},
      {"a..", MDE_DEVICE_KIND_FULL_NAME, "a.."},
      {"..a", MDE_DEVICE_KIND_FULL_NAME, "..a"},
      {".", MDE_DEVICE_KIND_NONE, "is only dots"},
      {" ... ", MDE_DEVICE_KIND_NONE, "is only dots"},
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
      {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", MDE_DEVICE_KIND_NONE,
       "has 64 hex digits instead of 40"},
      {"a-laptop-with-a-name-that-is-as-long-as-an-id", MDE_DEVICE_KIND_BARE_NAME,
       "a-laptop-with-a-name-that-is-as-long-as-an-id"},
      {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
       MDE_DEVICE_KIND_BARE_NAME,
       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_device device;
    mde_device_read(test_edge_string(cases[i].text), &device);
    bool is_right = device.kind == cases[i].kind;
    if (is_right && device.kind == MDE_DEVICE_KIND_NONE)
      is_right = device.length == 0 && strstr(device.reason, cases[i].expected) != NULL;
    else if (is_right)
      is_right = device.length == strlen(cases[i].expected) &&
                 memcmp(device.canonical, cases[i].expected, device.length) == 0;
    if (!is_right)
      fail_msg("\"%s\": kind %d, \"%.*s\", %s", cases[i].text, (int)device.kind, (int)device.length,
               device.canonical, device.reason);
    bool has_reason =
        device.kind == MDE_DEVICE_KIND_NONE || device.kind == MDE_DEVICE_KIND_IP_ADDRESS;
    assert_int_equal(device.reason[0] != '\0', has_reason);
  }
}

static void length_of_names(void **state)
{
  (void)state;
  struct mde_device device;
  char name[300];
  memset(name, 'x', sizeof name);
  mde_device_read(test_edge(name, 255), &device);
  assert_int_equal(device.kind, MDE_DEVICE_KIND_BARE_NAME);
  assert_int_equal(device.length, 255);
  mde_device_read(test_edge(name, 256), &device);
  assert_int_equal(device.kind, MDE_DEVICE_KIND_NONE);
  mde_device_read(test_edge(name, 300), &device);
  assert_string_equal(device.reason, "is 300 bytes long; a name has at most 255");
  mde_device_read(test_edge("a\0b", 3), &device);
  assert_string_equal(device.reason, "has a control character (byte 0x00)");
  mde_device_read(test_edge("192.0.2.10", 10), &device);
  assert_string_equal(device.reason,
                      "is an IP address, and who has it now may not be who had it then");
}

static void shapes(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool is_machine_id, is_guid, is_zero;
  } cases[] = {
      {ID, true, false, false},
      {"0123456789abcdef0123456789ABCDEF0123456", false, false, false},
      {ID "0", false, false, false},
      {"g123456789abcdef0123456789abcdef01234567", false, false, false},
      {"0123456789abcdef0123456789abcdef0123456/", false, false, false},
      {"0123456789abcdef0123456789abcdef0123456:", false, false, false},
      {"0123456789abcdef0123456789abcdef0123456@", false, false, false},
      {"0123456789abcdef0123456789abcdef0123456`", false, false, false},
      {"0123456789abcdef0123456789abcdef0123456G", false, false, false},
      {GUID, false, true, false},
      {"g1234567-89ab-cdef-0123-456789abcdef", false, false, false},
      {ZERO, false, true, true},
      {"10000000-0000-0000-0000-000000000000", false, true, false},
      {"00000000-0000-0000-0000-000000000001", false, true, false},
      {"00000000-0000-0000-0000-00000000000", false, false, false},
      {"00000000-0000-0000-0000-0000000000000", false, false, false},
      {"000000000000000000000000000000000000", false, false, false},
      {"------------------------------------", false, false, false},
      {"0123456-789ab-cdef-0123-456789abcdef", false, false, false},
      {"01234567-89abc-def-0123-456789abcdef", false, false, false},
      {"01234567-89ab-cde-f0123-456789abcdef", false, false, false},
      {"01234567-89ab-cdef-01234-56789abcdef", false, false, false},
      {"", false, false, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text text = test_edge_string(cases[i].text);
    if (mde_device_is_machine_id(text) != cases[i].is_machine_id ||
        mde_device_is_guid(text) != cases[i].is_guid ||
        mde_device_is_zero_guid(text) != cases[i].is_zero)
      fail_msg("\"%s\"", cases[i].text);
  }
}

static void hosts(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    const char *expected;
  } cases[] = {
      {"desk.corp.example", "desk"},
      {"desk", "desk"},
      {"desk.", "desk"},
      {"d.x", "d"},
      {"d", "d"},
      {"", ""},
      {".", "."},
      {"..", "."},
      {".desk.corp", ".desk"},
      {".desk", ".desk"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text host = mde_device_host(test_edge_string(cases[i].name));
    if (host.length != strlen(cases[i].expected) ||
        memcmp(host.bytes, cases[i].expected, host.length) != 0)
      fail_msg("\"%s\": \"%.*s\"", cases[i].name, (int)host.length, host.bytes);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reading),
      cmocka_unit_test(length_of_names),
      cmocka_unit_test(shapes),
      cmocka_unit_test(hosts),
  };
  return cmocka_run_group_tests_name("device_text", tests, NULL, NULL);
}
