/*
 * indicator: which texts are values of which type, and whom they would hit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "indicator.h"
#include "test_edge.h"

#define SHA1 "5b81c0f47ad2e9136bf0c8d4e7a2951306fd4c8b"
#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define TYPE(name) MDE_INDICATOR_TYPE_##name
#define FLAW(name) MDE_INDICATOR_FLAW_##name
#define REACH(name) MDE_INDICATOR_REACH_##name

static void flaws(void **state)
{
  (void)state;
  static const struct {
    enum mde_indicator_type type;
    const char *value;
    enum mde_indicator_flaw flaw;
  } cases[] = {
      {TYPE(FILE_SHA1), SHA1, FLAW(NONE)},
      {TYPE(FILE_SHA1), "5B81C0F47AD2E9136BF0C8D4E7A2951306FD4C8B", FLAW(NONE)},
      {TYPE(FILE_SHA1), "", FLAW(EMPTY)},
      {TYPE(FILE_SHA1), SHA1 "0", FLAW(OTHER_HASH)},
      {TYPE(FILE_SHA1), "5b81c0f4", FLAW(OTHER_HASH)},
      {TYPE(FILE_SHA1), " " SHA1, FLAW(NOT_A_HASH)},
      {TYPE(FILE_SHA1), "5b81c0f47ad2e9136bf0c8d4e7a2951306fd4c8g", FLAW(NOT_A_HASH)},
      {TYPE(CERTIFICATE_THUMBPRINT), SHA1, FLAW(NONE)},
      {TYPE(FILE_SHA256), SHA1, FLAW(OTHER_HASH)},
      {TYPE(FILE_SHA256), SHA1 "5b81c0f47ad2e9136bf0c8d4", FLAW(NONE)},
      {TYPE(FILE_MD5), "5b81c0f47ad2e9136bf0c8d4e7a29513", FLAW(NONE)},
      {TYPE(FILE_MD5), SHA1, FLAW(OTHER_HASH)},
      {TYPE(IP_ADDRESS), "203.0.113.7", FLAW(NONE)},
      {TYPE(IP_ADDRESS), "2001:db8::7", FLAW(NONE)},
      {TYPE(IP_ADDRESS), "203.0.113.0/24", FLAW(RANGE)},
      {TYPE(IP_ADDRESS), "2001:db8::/32", FLAW(RANGE)},
      {TYPE(IP_ADDRESS), "203.0.113.7/", FLAW(RANGE)},
      {TYPE(IP_ADDRESS), "203.0.113.07", FLAW(AMBIGUOUS)},
      {TYPE(IP_ADDRESS), "[2001:db8::7]", FLAW(NOT_AN_ADDRESS)},
      {TYPE(IP_ADDRESS), "fe80::1%eth0", FLAW(NOT_AN_ADDRESS)},
      {TYPE(IP_ADDRESS), "203.0.113.7:443", FLAW(NOT_AN_ADDRESS)},
      {TYPE(IP_ADDRESS), "203.0.113", FLAW(NOT_AN_ADDRESS)},
      {TYPE(IP_ADDRESS), "203.0.113.7 ", FLAW(NOT_AN_ADDRESS)},
      {TYPE(IP_ADDRESS), "bad.example", FLAW(NOT_AN_ADDRESS)},
      {TYPE(DOMAIN_NAME), "bad.example", FLAW(NONE)},
      {TYPE(DOMAIN_NAME), "A_1-b.bad.example", FLAW(NONE)},
      {TYPE(DOMAIN_NAME), "com", FLAW(NONE)},
      {TYPE(DOMAIN_NAME), LABEL63 ".example", FLAW(NONE)},
      {TYPE(DOMAIN_NAME), LABEL63 "a.example", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), "bad.example.", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), ".bad.example", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), "bad..example", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), "-bad.example", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), "bad-.example", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), "bad example", FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME),
       "b\xc3\xa4"
       "d.example",
       FLAW(NOT_A_DOMAIN)},
      {TYPE(DOMAIN_NAME), "*.bad.example", FLAW(WILDCARD)},
      {TYPE(DOMAIN_NAME), "203.0.113.7", FLAW(ADDRESS)},
      {TYPE(DOMAIN_NAME), "203.0.113", FLAW(ADDRESS)},
      {TYPE(DOMAIN_NAME), "2130706433", FLAW(ADDRESS)},
      {TYPE(DOMAIN_NAME), "1.0x7f", FLAW(ADDRESS)},
      {TYPE(DOMAIN_NAME), "2001:db8::7", FLAW(ADDRESS)},
      {TYPE(DOMAIN_NAME), "https://bad.example", FLAW(URL)},
      {TYPE(DOMAIN_NAME), "bad.example/x", FLAW(URL)},
      {TYPE(DOMAIN_NAME), "bad.example:443", FLAW(URL)},
      {TYPE(URL), "https://bad.example/x?y=1#z", FLAW(NONE)},
      {TYPE(URL), "HTTP://bad.example", FLAW(NONE)},
      {TYPE(URL), "http://203.0.113.7:8080/x", FLAW(NONE)},
      {TYPE(URL), "http://[2001:db8::7]:8080/x", FLAW(NONE)},
      {TYPE(URL), "http://[2001:db8::7]", FLAW(NONE)},
      {TYPE(URL), "bad.example/x", FLAW(NOT_A_URL)},
      {TYPE(URL), "ftp://bad.example/x", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://", FLAW(NOT_A_URL)},
      {TYPE(URL), "https:///x", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example:/", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example:0/", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example:65536/", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example:x/", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://*.bad.example/", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://203.0.113/", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example/a b", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example\\@good.example", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://bad.example/\x7f", FLAW(NOT_A_URL)},
      {TYPE(URL), "https://good.example@bad.example/", FLAW(USER_IN_URL)},
      {TYPE(URL), "https://bad.example/@x", FLAW(NONE)},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    enum mde_indicator_flaw flaw =
        mde_indicator_flaw(cases[i].type, test_edge_string(cases[i].value));
    if (flaw != cases[i].flaw) fail_msg("%s: %d, not %d", cases[i].value, flaw, cases[i].flaw);
  }
  assert_int_equal(mde_indicator_flaw(TYPE(URL), (struct mde_text){0}), FLAW(EMPTY));
}

static void long_urls(void **state)
{
  (void)state;
  char url[MDE_INDICATOR_URL_MAX + 2] = "https://bad.example/";
  memset(url + strlen(url), 'a', sizeof url - 1 - strlen(url));
  struct mde_text text = {.bytes = url, .length = MDE_INDICATOR_URL_MAX};
  assert_int_equal(mde_indicator_flaw(TYPE(URL), text), FLAW(NONE));
  text.length++;
  assert_int_equal(mde_indicator_flaw(TYPE(URL), text), FLAW(TOO_LONG));
}

static void reaches(void **state)
{
  (void)state;
  static const struct {
    enum mde_indicator_type type;
    const char *value;
    enum mde_indicator_reach reach;
  } cases[] = {
      {TYPE(FILE_SHA1), SHA1, REACH(NARROW)},
      {TYPE(FILE_SHA1), "DA39a3ee5e6b4b0d3255bfef95601890afd80709", REACH(EMPTY_FILE)},
      {TYPE(CERTIFICATE_THUMBPRINT), "da39a3ee5e6b4b0d3255bfef95601890afd80709", REACH(NARROW)},
      {TYPE(FILE_MD5), "d41d8cd98f00b204e9800998ecf8427e", REACH(EMPTY_FILE)},
      {TYPE(FILE_SHA256), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
       REACH(EMPTY_FILE)},
      {TYPE(IP_ADDRESS), "203.0.113.7", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "0.0.0.0", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "0.1.2.3", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "255.255.255.255", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "224.0.0.1", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "223.255.255.255", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "::", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "::ffff:0.0.0.0", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "ff02::1", REACH(ANY_ADDRESS)},
      {TYPE(IP_ADDRESS), "127.0.0.1", REACH(OWN_ADDRESS)},
      {TYPE(IP_ADDRESS), "::1", REACH(OWN_ADDRESS)},
      {TYPE(IP_ADDRESS), "169.254.1.1", REACH(OWN_ADDRESS)},
      {TYPE(IP_ADDRESS), "10.0.0.1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "11.0.0.1", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "172.15.0.1", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "172.16.0.1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "172.31.255.1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "172.32.0.1", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "192.168.1.1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "192.169.1.1", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "100.64.0.1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "100.128.0.1", REACH(NARROW)},
      {TYPE(IP_ADDRESS), "::ffff:10.0.0.1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "fd00::1", REACH(PRIVATE)},
      {TYPE(IP_ADDRESS), "2001:db8::7", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "bad.example", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "com", REACH(TOP_LEVEL)},
      {TYPE(DOMAIN_NAME), "localhost", REACH(TOP_LEVEL)},
      {TYPE(DOMAIN_NAME), "Co.uk", REACH(TOP_LEVEL)},
      {TYPE(DOMAIN_NAME), "com.au", REACH(TOP_LEVEL)},
      {TYPE(DOMAIN_NAME), "bad.co.uk", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "com.example", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "bad.de", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "microsoft.com", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "login.MicrosoftOnline.com", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "notmicrosoft.com", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "microsoft.com.bad.example", REACH(NARROW)},
      {TYPE(DOMAIN_NAME), "me.uk", REACH(TOP_LEVEL)},
      {TYPE(DOMAIN_NAME), "ltd.uk", REACH(TOP_LEVEL)},
      {TYPE(DOMAIN_NAME), "enterpriseregistration.windows.net", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "sts.windows.net", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "device.login.windows.net", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "www.msftconnecttest.com", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "blob.core.windows.net", REACH(VITAL)},
      {TYPE(DOMAIN_NAME), "evil.blob.core.windows.net", REACH(NARROW)},
      {TYPE(URL), "https://bad.example/", REACH(NARROW)},
      {TYPE(URL), "https://com/x", REACH(TOP_LEVEL)},
      {TYPE(URL), "https://www.microsoft.com", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com:443/", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com/#x", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com#x", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com/x", REACH(NARROW)},
      {TYPE(URL), "https://www.microsoft.com/?", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com?", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com?#x", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com//", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com/.", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com/%2E/..?", REACH(VITAL)},
      {TYPE(URL), "https://www.microsoft.com/%2", REACH(NARROW)},
      {TYPE(URL), "https://www.microsoft.com/?x", REACH(NARROW)},
      {TYPE(URL), "https://www.microsoft.com//x", REACH(NARROW)},
      {TYPE(URL), "http://[::1]:8080/x", REACH(OWN_ADDRESS)},
      {TYPE(URL), "http://0.0.0.0/x", REACH(ANY_ADDRESS)},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text value = test_edge_string(cases[i].value);
    assert_int_equal(mde_indicator_flaw(cases[i].type, value), FLAW(NONE));
    enum mde_indicator_reach reach = mde_indicator_reach(cases[i].type, value);
    if (reach != cases[i].reach) fail_msg("%s: %d, not %d", cases[i].value, reach, cases[i].reach);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flaws),
      cmocka_unit_test(long_urls),
      cmocka_unit_test(reaches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
