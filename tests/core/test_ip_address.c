/*
 * ip_address: what an address says. What is one, and what only looks like one, is in the table of
 * devices in test_odata.c, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ip_address.h"
#include "test_edge.h"

enum { IPV4 = 1, OCTAL = 2, LOOPBACK = 4, LINK_LOCAL = 8 };

static void values(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *bytes; /* in hexadecimal; NULL: it is no address */
    int is;
  } cases[] = {
      {"127.0.0.1", "00000000000000000000ffff7f000001", IPV4 | LOOPBACK},
      {"127.255.0.9", "00000000000000000000ffff7fff0009", IPV4 | LOOPBACK},
      {"128.0.0.1", "00000000000000000000ffff80000001", IPV4},
      {"126.0.0.1", "00000000000000000000ffff7e000001", IPV4},
      {"0.0.0.0", "00000000000000000000ffff00000000", IPV4},
      {"010.0.0.255", "00000000000000000000ffff0a0000ff", IPV4 | OCTAL},
      {"1.2.3.00", "00000000000000000000ffff01020300", IPV4 | OCTAL},
      {"169.254.0.1", "00000000000000000000ffffa9fe0001", IPV4 | LINK_LOCAL},
      {"169.253.0.1", "00000000000000000000ffffa9fd0001", IPV4},
      {"168.254.0.1", "00000000000000000000ffffa8fe0001", IPV4},
      {"::", "00000000000000000000000000000000", 0},
      {"::1", "00000000000000000000000000000001", LOOPBACK},
      {"[0:00:000:0000::1]", "00000000000000000000000000000001", LOOPBACK},
      {"::0.0.0.1", "00000000000000000000000000000001", LOOPBACK},
      {"::1:1", "00000000000000000000000000010001", 0},
      {"1::", "00010000000000000000000000000000", 0},
      {"::127.0.0.1", "0000000000000000000000007f000001", 0},
      {"::FFFF:127.0.0.1", "00000000000000000000ffff7f000001", LOOPBACK},
      {"::ffff:7f00:1", "00000000000000000000ffff7f000001", LOOPBACK},
      {"::ffff:127.0.0.01", "00000000000000000000ffff7f000001", OCTAL | LOOPBACK},
      {"::ffff:a9fe:1", "00000000000000000000ffffa9fe0001", LINK_LOCAL},
      {"::ffff:0:7f00:1", "0000000000000000ffff00007f000001", 0},
      {"64:ff9b::7f00:1",
       "0064ff9b0000000000000000"
       "7f000001",
       0},
      {"fe80::", "fe800000000000000000000000000000", LINK_LOCAL},
      {"FEBF::1", "febf0000000000000000000000000001", LINK_LOCAL},
      {"fec0::1", "fec00000000000000000000000000001", 0},
      {"fe7f::1", "fe7f0000000000000000000000000001", 0},
      {"ff80::1", "ff800000000000000000000000000001", 0},
      {"1:2:3:4:5:6:7:8", "00010002000300040005000600070008", 0},
      {"1:2:3::7:8", "00010002000300000000000000070008", 0},
      {"::2:3:4:5:6:7:8", "00000002000300040005000600070008", 0},
      {"1:2:3:4:5:6:7::", "00010002000300040005000600070000", 0},
      {"1:2:3:4:5:6:7.8.9.10", "0001000200030004000500060708090a", 0},
      {"::01", "00000000000000000000000000000001", LOOPBACK},
      {"1:2:3:4:5:6:7:8::", NULL, 0},
      {"1:2:3:4:5:6:7:8:9", NULL, 0},
      {"1:2:3:4:5:6:7:1.2.3.4", NULL, 0},
      {"1:2:3:4::5:6:7:8", NULL, 0},
      {"1::2::3", NULL, 0},
      {":1", NULL, 0},
      {"1:", NULL, 0},
      {"::g", NULL, 0},
      {"::12345", NULL, 0},
      {"::1.2.3", NULL, 0},
      {"::1.2.3.4:5", NULL, 0},
      {"127.1", NULL, 0},
      {"127.0.0.0001", NULL, 0},
      {"127.0.0.256", NULL, 0},
      {"127.0.0.1.", NULL, 0},
      {"0x7f.0.0.1", NULL, 0},
      {"2130706433", NULL, 0},
      {"[127.0.0.1]", NULL, 0},
      {"[::1", NULL, 0},
      {"[]", NULL, 0},
      {"", NULL, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_ip_address address;
    bool is_address = mde_ip_address_read(test_edge_string(cases[i].text), &address);
    if (is_address != (cases[i].bytes != NULL)) fail_msg("\"%s\"", cases[i].text);
    if (!is_address) continue;
    char bytes[33];
    for (size_t k = 0; k < 16; k++)
      snprintf(bytes + 2 * k, 3, "%02x", address.bytes[k]);
    int is = (address.is_ipv4 ? IPV4 : 0) | (address.is_octal ? OCTAL : 0) |
             (mde_ip_address_is_loopback(&address) ? LOOPBACK : 0) |
             (mde_ip_address_is_link_local(&address) ? LINK_LOCAL : 0);
    if (strcmp(bytes, cases[i].bytes) != 0 || is != cases[i].is)
      fail_msg("\"%s\": %s, %d", cases[i].text, bytes, is);
  }
}

static void zones(void **state)
{
  (void)state;
  static const struct {
    const char *text, *address, *zone;
  } cases[] = {
      {"fe80::1", "fe80::1", NULL},
      {"fe80::1%eth0", "fe80::1", "eth0"},
      {"[fe80::1%25eth0]", "fe80::1", "25eth0"},
      {"[fe80::1%%]", "fe80::1", "%"},
      {"fe80::1%", NULL, NULL},
      {"[fe80::1%]", NULL, NULL},
      {"%eth0", NULL, NULL},
      {"127.0.0.1%eth0", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_ip_address address;
    bool is_address = mde_ip_address_read(test_edge_string(cases[i].text), &address);
    assert_int_equal(is_address, cases[i].address != NULL);
    if (!is_address) continue;
    assert_int_equal(address.text.length, strlen(cases[i].address));
    assert_memory_equal(address.text.bytes, cases[i].address, address.text.length);
    assert_int_equal(address.zone.bytes != NULL, cases[i].zone != NULL);
    if (cases[i].zone == NULL) continue;
    assert_int_equal(address.zone.length, strlen(cases[i].zone));
    assert_memory_equal(address.zone.bytes, cases[i].zone, address.zone.length);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values),
      cmocka_unit_test(zones),
  };
  return cmocka_run_group_tests_name("ip_address", tests, NULL, NULL);
}
