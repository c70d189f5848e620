/*
 * url: what URLs say and whose a host is, as tables, with rows of hosts that wish to be taken for
 * another. The URLs of settings and requests, and what may be shown, are in test_url_settings.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_edge.h"
#include "url.h"

#define LABEL_63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"
#define NAME_253                                                                                   \
  LABEL_63 "." LABEL_63 "." LABEL_63 "."                                                           \
           "a23456789b123456789c123456789d123456789e123456789f123456789gx"

#define EACH(i, cases) (size_t i = 0; i < sizeof(cases) / sizeof(cases)[0]; i++)

static void parts(void **state)
{
  (void)state;
  static const struct {
    const char *text, *scheme, *user, *authority, *host, *port_text, *path, *query;
    int port;
  } cases[] = {
      {"https://h", "https", "-", "h", "h", "-", "", "-", 443},
      {"http://h", "http", "-", "h", "h", "-", "", "-", 80},
      {"a+b-c.1://h", "a+b-c.1", "-", "h", "h", "-", "", "-", 0},
      {"HTTPS://Host.Example/", "HTTPS", "-", "Host.Example", "Host.Example", "-", "/", "-", 443},
      {"https://h:8443/a/b?c=d", "https", "-", "h:8443", "h", "8443", "/a/b", "c=d", 8443},
      {"https://h:/", "https", "-", "h:", "h", "", "/", "-", 443},
      {"https://h:1", "https", "-", "h:1", "h", "1", "", "-", 1},
      {"https://h:65535", "https", "-", "h:65535", "h", "65535", "", "-", 65535},
      {"https://h:00000443", "https", "-", "h:00000443", "h", "00000443", "", "-", 443},
      {"https://h?", "https", "-", "h", "h", "-", "", "", 443},
      {"https://h?a?/b:@", "https", "-", "h", "h", "-", "", "a?/b:@", 443},
      {"https://h//a//", "https", "-", "h", "h", "-", "//a//", "-", 443},
      {"https://h/a:b@c;d=e,f!$&'()*+~%2F", "https", "-", "h", "h", "-", "/a:b@c;d=e,f!$&'()*+~%2F",
       "-", 443},
      {"https://h/@evil.example", "https", "-", "h", "h", "-", "/@evil.example", "-", 443},
      {"https://h?@evil.example", "https", "-", "h", "h", "-", "", "@evil.example", 443},
      {"https://microsoft.com@evil.example/", "https", "microsoft.com", "evil.example",
       "evil.example", "-", "/", "-", 443},
      {"https://u:p%40x:y@h:1/", "https", "u:p%40x:y", "h:1", "h", "1", "/", "-", 1},
      {"https://@h", "https", "", "h", "h", "-", "", "-", 443},
      {"https://a\"<>^`{|}b@h", "https", "a\"<>^`{|}b", "h", "h", "-", "", "-", 443},
      {"https://[::1]:8443/", "https", "-", "[::1]:8443", "::1", "8443", "/", "-", 8443},
      {"https://[2001:DB8::1]", "https", "-", "[2001:DB8::1]", "2001:DB8::1", "-", "", "-", 443},
      {"https://[fe80::1%25eth0]", "https", "-", "[fe80::1%25eth0]", "fe80::1%25eth0", "-", "", "-",
       443},
      {"https://192.0.2.1", "https", "-", "192.0.2.1", "192.0.2.1", "-", "", "-", 443},
      {"https://a_b-c.d-", "https", "-", "a_b-c.d-", "a_b-c.d-", "-", "", "-", 443},
      {"https://h.example.", "https", "-", "h.example.", "h.example.", "-", "", "-", 443},
      {"https://xn--bcher-kva.example", "https", "-", "xn--bcher-kva.example",
       "xn--bcher-kva.example", "-", "", "-", 443},
      {"https://1e100.net", "https", "-", "1e100.net", "1e100.net", "-", "", "-", 443},
      {"https://127.0.0.1x", "https", "-", "127.0.0.1x", "127.0.0.1x", "-", "", "-", 443},
      {"https://1.0xg", "https", "-", "1.0xg", "1.0xg", "-", "", "-", 443},
      {"https://" LABEL_63, "https", "-", LABEL_63, LABEL_63, "-", "", "-", 443},
      {"https://" NAME_253, "https", "-", NAME_253, NAME_253, "-", "", "-", 443},
      {"https://" NAME_253 ".", "https", "-", NAME_253 ".", NAME_253 ".", "-", "", "-", 443},
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      size_t place = 7;
      enum mde_url_flaw flaw = mde_url_parse(test_edge_string(cases[i].text), &url, &place);
      if (flaw != MDE_URL_FLAW_NONE || place != 0 || !test_text_is(url.scheme, cases[i].scheme) ||
          !test_text_is(url.user, cases[i].user) ||
          !test_text_is(url.authority, cases[i].authority) ||
          !test_text_is(url.host, cases[i].host) ||
          !test_text_is(url.port_text, cases[i].port_text) ||
          !test_text_is(url.path, cases[i].path) || !test_text_is(url.query, cases[i].query) ||
          mde_url_port(&url) != cases[i].port)
        fail_msg("\"%s\": flaw %d, host %.*s", cases[i].text, (int)flaw, (int)url.host.length,
                 url.host.bytes);
      assert_int_equal(mde_url_parse(test_edge_string(cases[i].text), &url, NULL),
                       MDE_URL_FLAW_NONE);
    }
}

static void flaws(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum mde_url_flaw flaw;
    size_t place;
  } cases[] = {
      {"", MDE_URL_FLAW_SCHEME, 0},
      {"h.example", MDE_URL_FLAW_SCHEME, 0},
      {"//h.example", MDE_URL_FLAW_SCHEME, 0},
      {"://h.example", MDE_URL_FLAW_SCHEME, 0},
      {"https:/h.example", MDE_URL_FLAW_SCHEME, 0},
      {"https:h.example", MDE_URL_FLAW_SCHEME, 0},
      {"https:\\\\h.example", MDE_URL_FLAW_SCHEME, 0},
      {"1https://h", MDE_URL_FLAW_SCHEME, 0},
      {"+https://h", MDE_URL_FLAW_SCHEME, 0},
      {" https://h", MDE_URL_FLAW_SCHEME, 0},
      {"ht tps://h", MDE_URL_FLAW_SCHEME, 0},
      {"https", MDE_URL_FLAW_SCHEME, 0},
      {"https://", MDE_URL_FLAW_NO_HOST, 0},
      {"https:///a", MDE_URL_FLAW_NO_HOST, 0},
      {"https://?a", MDE_URL_FLAW_NO_HOST, 0},
      {"https://:443", MDE_URL_FLAW_NO_HOST, 0},
      {"https://u:p@", MDE_URL_FLAW_NO_HOST, 0},
      {"https://u:p@:443/", MDE_URL_FLAW_NO_HOST, 0},
      /* What some readers strip, stop at, or take for a slash. */
      {"https://h\\@evil.example", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h\\.evil.example", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h/\\evil", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h\t.example", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h\n", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h\r\nHost: x", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h .example", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h/a b", MDE_URL_FLAW_CHARACTER, 11},
      {"https://h\x7f", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h#@evil.example", MDE_URL_FLAW_CHARACTER, 9},
      {"https://h/#a", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h?#", MDE_URL_FLAW_CHARACTER, 10},
      /* Other scripts: circled one, a full stop of CJK, a small letter u with two dots, not UTF-8.
       */
      {"https://\xe2\x91\xa0"
       "27.0.0.1",
       MDE_URL_FLAW_CHARACTER, 8},
      {"https://microsoft\xe3\x80\x82"
       "com",
       MDE_URL_FLAW_CHARACTER, 17},
      {"https://b\xc3\xbc"
       "cher.example",
       MDE_URL_FLAW_CHARACTER, 9},
      {"https://h/\xff", MDE_URL_FLAW_CHARACTER, 10},
      /* Not encoded, or not well. */
      {"https://h/a|b", MDE_URL_FLAW_CHARACTER, 11},
      {"https://h/<", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h/[", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h/%", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h/a%4", MDE_URL_FLAW_CHARACTER, 11},
      {"https://h/%4g", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h/%g4", MDE_URL_FLAW_CHARACTER, 10},
      {"https://h/%41%", MDE_URL_FLAW_CHARACTER, 13},
      {"https://h?a=\"b\"", MDE_URL_FLAW_CHARACTER, 12},
      {"https://h/a?b=%zz", MDE_URL_FLAW_CHARACTER, 14},
      {"https://h/a^?b=%zz", MDE_URL_FLAW_CHARACTER, 11},
      {"https://u:p@x@h/", MDE_URL_FLAW_USER, 0},
      {"https://u:%@h/", MDE_URL_FLAW_USER, 0},
      {"https://u:%4@h/", MDE_URL_FLAW_USER, 0},
      {"https://u:%zz@h/", MDE_URL_FLAW_USER, 0},
      {"https://u:[p]@h/", MDE_URL_FLAW_USER, 0},
      /* Names. */
      {"https://h%2eexample", MDE_URL_FLAW_HOST, 0},
      {"https://h%00.example", MDE_URL_FLAW_HOST, 0},
      {"https://h%40evil.example", MDE_URL_FLAW_HOST, 0},
      {"https://127%2e0.0.1", MDE_URL_FLAW_HOST, 0},
      {"https://h..example", MDE_URL_FLAW_HOST, 0},
      {"https://.h", MDE_URL_FLAW_HOST, 0},
      {"https://.", MDE_URL_FLAW_HOST, 0},
      {"https://h..", MDE_URL_FLAW_HOST, 0},
      {"https://h;x", MDE_URL_FLAW_HOST, 0},
      {"https://h~x", MDE_URL_FLAW_HOST, 0},
      {"https://h|x", MDE_URL_FLAW_HOST, 0},
      {"https://{h}", MDE_URL_FLAW_HOST, 0},
      {"https://" LABEL_63 "x", MDE_URL_FLAW_HOST, 0},
      {"https://" NAME_253 "x", MDE_URL_FLAW_HOST, 0},
      /* Addresses to some, to others names. */
      {"https://127.1", MDE_URL_FLAW_HOST, 0},
      {"https://127.0.1", MDE_URL_FLAW_HOST, 0},
      {"https://0x7f.1", MDE_URL_FLAW_HOST, 0},
      {"https://0x7f000001", MDE_URL_FLAW_HOST, 0},
      {"https://127.0.0.0X1", MDE_URL_FLAW_HOST, 0},
      {"https://a.0x", MDE_URL_FLAW_HOST, 0},
      {"https://2130706433", MDE_URL_FLAW_HOST, 0},
      {"https://017700000001", MDE_URL_FLAW_HOST, 0},
      {"https://0177.0.0.1", MDE_URL_FLAW_HOST, 0},
      {"https://127.0.0.01", MDE_URL_FLAW_HOST, 0},
      {"https://127.0.0.1.", MDE_URL_FLAW_HOST, 0},
      {"https://127.0.0.256", MDE_URL_FLAW_HOST, 0},
      {"https://1.2.3.4.5", MDE_URL_FLAW_HOST, 0},
      {"https://microsoft.com.1", MDE_URL_FLAW_HOST, 0},
      {"https://0", MDE_URL_FLAW_HOST, 0},
      {"https://[::1", MDE_URL_FLAW_HOST, 0},
      {"https://[::1]x", MDE_URL_FLAW_HOST, 0},
      {"https://[::1]443", MDE_URL_FLAW_HOST, 0},
      {"https://::1", MDE_URL_FLAW_NO_HOST, 0},
      {"https://fe80::1:443", MDE_URL_FLAW_HOST, 0},
      {"https://[]", MDE_URL_FLAW_HOST, 0},
      {"https://[127.0.0.1]", MDE_URL_FLAW_HOST, 0},
      {"https://[::ffff:127.0.0.01]", MDE_URL_FLAW_HOST, 0},
      {"https://[localhost]", MDE_URL_FLAW_HOST, 0},
      {"https://[v1.x]", MDE_URL_FLAW_HOST, 0},
      {"https://[::1%25lo]", MDE_URL_FLAW_HOST, 0},
      {"https://[fe80::1%eth0]", MDE_URL_FLAW_HOST, 0},
      {"https://[fe80::1%25]", MDE_URL_FLAW_HOST, 0},
      {"https://[fe80::1%25a%2f]", MDE_URL_FLAW_HOST, 0},
      {"https://[fe80::1%24a]", MDE_URL_FLAW_HOST, 0},
      /* Ports. */
      {"https://h:0", MDE_URL_FLAW_HOST, 0},
      {"https://h:00", MDE_URL_FLAW_HOST, 0},
      {"https://h:65536", MDE_URL_FLAW_HOST, 0},
      {"https://h:4294967739", MDE_URL_FLAW_HOST, 0},
      {"https://h:18446744073709552059", MDE_URL_FLAW_HOST, 0},
      {"https://h:-1", MDE_URL_FLAW_HOST, 0},
      {"https://h:+1", MDE_URL_FLAW_HOST, 0},
      {"https://h:1x", MDE_URL_FLAW_HOST, 0},
      {"https://h:1:2", MDE_URL_FLAW_HOST, 0},
      {"https://h:%31", MDE_URL_FLAW_HOST, 0},
      {"https://u:hush/x", MDE_URL_FLAW_HOST, 0},
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      size_t place = 7;
      enum mde_url_flaw flaw = mde_url_parse(test_edge_string(cases[i].text), &url, &place);
      if (flaw != cases[i].flaw || place != cases[i].place)
        fail_msg("\"%s\": flaw %d at %zu", cases[i].text, (int)flaw, place);
    }
  struct mde_url url;
  size_t place;
  assert_int_equal(mde_url_parse(test_edge("https://h\0.example", 18), &url, &place),
                   MDE_URL_FLAW_CHARACTER);
  assert_int_equal(place, 9);
}

static void classes(void **state)
{
  (void)state;
  static const struct {
    const char *host;
    enum mde_url_class class;
  } cases[] = {
      {"localhost", MDE_URL_CLASS_THIS_MACHINE},
      {"LOCALHOST", MDE_URL_CLASS_THIS_MACHINE},
      {"localhost.", MDE_URL_CLASS_THIS_MACHINE},
      {"a.localhost", MDE_URL_CLASS_THIS_MACHINE},
      {"a.B.LocalHost.", MDE_URL_CLASS_THIS_MACHINE},
      {"127.0.0.1", MDE_URL_CLASS_THIS_MACHINE},
      {"127.255.255.254", MDE_URL_CLASS_THIS_MACHINE},
      {"::1", MDE_URL_CLASS_THIS_MACHINE},
      {"[::1]", MDE_URL_CLASS_THIS_MACHINE},
      {"0:0:0:0:0:0:0:1", MDE_URL_CLASS_THIS_MACHINE},
      {"0000::0001", MDE_URL_CLASS_THIS_MACHINE},
      {"::0.0.0.1", MDE_URL_CLASS_THIS_MACHINE},
      {"::ffff:127.0.0.1", MDE_URL_CLASS_THIS_MACHINE},
      {"::FFFF:7f00:1", MDE_URL_CLASS_THIS_MACHINE},
      {"169.254.169.254", MDE_URL_CLASS_LINK_LOCAL},
      {"fe80::1", MDE_URL_CLASS_LINK_LOCAL},
      {"[fe80::1%25eth0]", MDE_URL_CLASS_LINK_LOCAL},
      {"febf::1", MDE_URL_CLASS_LINK_LOCAL},
      {"::ffff:169.254.169.254", MDE_URL_CLASS_LINK_LOCAL},
      {"microsoftonline.com", MDE_URL_CLASS_MICROSOFT},
      {"login.microsoftonline.com", MDE_URL_CLASS_MICROSOFT},
      {"login.microsoftonline.com.", MDE_URL_CLASS_MICROSOFT},
      {"login.microsoftonline.us", MDE_URL_CLASS_MICROSOFT},
      {"login.partner.microsoftonline.cn", MDE_URL_CLASS_MICROSOFT},
      {"login.sovcloud-identity.fr", MDE_URL_CLASS_MICROSOFT},
      {"sovcloud-identity.DE", MDE_URL_CLASS_MICROSOFT},
      {"security.microsoft.com", MDE_URL_CLASS_MICROSOFT},
      {"EU.api.Security.Microsoft.COM", MDE_URL_CLASS_MICROSOFT},
      {"api.securitycenter.microsoft.com", MDE_URL_CLASS_MICROSOFT},
      {"api.securitycenter.windows.com", MDE_URL_CLASS_MICROSOFT},
      {"login.microsoft.com", MDE_URL_CLASS_MICROSOFT},
      {"login.windows.net", MDE_URL_CLASS_MICROSOFT},
      {"sts.windows.net", MDE_URL_CLASS_MICROSOFT},
      {"login.chinacloudapi.cn", MDE_URL_CLASS_MICROSOFT},
      {"any.blob.core.windows.net", MDE_URL_CLASS_FOREIGN},
      {"api-gcc.securitycenter.microsoft.us", MDE_URL_CLASS_MICROSOFT},
      {"graph.microsoft.com", MDE_URL_CLASS_MICROSOFT},
      {"Graph.Microsoft.US.", MDE_URL_CLASS_MICROSOFT},
      {"dod-graph.microsoft.us", MDE_URL_CLASS_MICROSOFT},
      {"notgraph.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"graph.microsoft.com.example", MDE_URL_CLASS_FOREIGN},
      {"graph.windows.net", MDE_URL_CLASS_FOREIGN},
      /* Like this machine. */
      {"localhost.attacker.example", MDE_URL_CLASS_FOREIGN},
      {"xlocalhost", MDE_URL_CLASS_FOREIGN},
      {"localhostx", MDE_URL_CLASS_FOREIGN},
      {"a-localhost", MDE_URL_CLASS_FOREIGN},
      {".localhost", MDE_URL_CLASS_FOREIGN},
      {"localhost..", MDE_URL_CLASS_FOREIGN},
      {"localhost:80", MDE_URL_CLASS_FOREIGN},
      {"local\thost", MDE_URL_CLASS_FOREIGN},
      {"localhost ", MDE_URL_CLASS_FOREIGN},
      {"a/.localhost", MDE_URL_CLASS_FOREIGN},
      {"evil.example@localhost", MDE_URL_CLASS_FOREIGN},
      {"127.attacker.example", MDE_URL_CLASS_FOREIGN},
      {"127.0.0.1.attacker.example", MDE_URL_CLASS_FOREIGN},
      {"127.0.0.1.", MDE_URL_CLASS_FOREIGN},
      {"127.1", MDE_URL_CLASS_FOREIGN},
      {"127.0.0.01", MDE_URL_CLASS_FOREIGN},
      {"0177.0.0.1", MDE_URL_CLASS_FOREIGN},
      {"0x7f.1", MDE_URL_CLASS_FOREIGN},
      {"2130706433", MDE_URL_CLASS_FOREIGN},
      {"\xe2\x91\xa0"
       "27.0.0.1",
       MDE_URL_CLASS_FOREIGN},
      {"127.0.0.%31", MDE_URL_CLASS_FOREIGN},
      {"127.0.0.1%25lo", MDE_URL_CLASS_FOREIGN},
      {"127.0.0.1:80", MDE_URL_CLASS_FOREIGN},
      {"[127.0.0.1]", MDE_URL_CLASS_FOREIGN},
      {"128.0.0.1", MDE_URL_CLASS_FOREIGN},
      {"0.0.0.0", MDE_URL_CLASS_FOREIGN},
      {"::", MDE_URL_CLASS_FOREIGN},
      {"::2", MDE_URL_CLASS_FOREIGN},
      {"::1%25lo", MDE_URL_CLASS_FOREIGN},
      {"::127.0.0.1", MDE_URL_CLASS_FOREIGN},
      {"::ffff:127.0.0.01", MDE_URL_CLASS_FOREIGN},
      {"::ffff:128.0.0.1", MDE_URL_CLASS_FOREIGN},
      {"64:ff9b::7f00:1", MDE_URL_CLASS_FOREIGN},
      {"[::1", MDE_URL_CLASS_FOREIGN},
      /* Like the link-local network. */
      {"169.254.attacker.example", MDE_URL_CLASS_FOREIGN},
      {"169.254.169.254.example", MDE_URL_CLASS_FOREIGN},
      {"169.254.1", MDE_URL_CLASS_FOREIGN},
      {"169.0376.1.1", MDE_URL_CLASS_FOREIGN},
      {"2852039166", MDE_URL_CLASS_FOREIGN},
      {"fec0::1", MDE_URL_CLASS_FOREIGN},
      {"fe80::1%eth0", MDE_URL_CLASS_FOREIGN},
      /* Like Microsoft's. */
      {"security.microsoft.com.evil.example", MDE_URL_CLASS_FOREIGN},
      {"evilsecurity.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"evil-security.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"www.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"ecurity.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"security-microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"securityxmicrosoft.com", MDE_URL_CLASS_FOREIGN},
      {".security.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"evil.example/.security.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"evil.example\\.security.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"evil.example#.security.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"evil.example@security.microsoft.com", MDE_URL_CLASS_FOREIGN},
      {"security.microsoft.com:443", MDE_URL_CLASS_FOREIGN},
      {"security.microsoft.com..", MDE_URL_CLASS_FOREIGN},
      {"security%2emicrosoft.com", MDE_URL_CLASS_FOREIGN},
      {"security.m\xd1\x96"
       "crosoft.com",
       MDE_URL_CLASS_FOREIGN},
      {"securitycenter.windows.us", MDE_URL_CLASS_FOREIGN},
      {"xmicrosoftonline.com", MDE_URL_CLASS_FOREIGN},
      {"microsoftonline.com.co", MDE_URL_CLASS_FOREIGN},
      {"microsoftonline.de", MDE_URL_CLASS_FOREIGN},
      {"login.sovcloud-identity.com", MDE_URL_CLASS_FOREIGN},
      {"xsovcloud-identity.fr", MDE_URL_CLASS_FOREIGN},
      {"sovcloud-identity.f1", MDE_URL_CLASS_FOREIGN},
      {"sovcloud-identity.1f", MDE_URL_CLASS_FOREIGN},
      {"sovcloud-identity-fr", MDE_URL_CLASS_FOREIGN},
      {"sovcloud-identity", MDE_URL_CLASS_FOREIGN},
      {"", MDE_URL_CLASS_FOREIGN},
      {".", MDE_URL_CLASS_FOREIGN},
      {"a", MDE_URL_CLASS_FOREIGN},
  };
  for
    EACH(i, cases)
  if (mde_url_class(test_edge_string(cases[i].host)) != cases[i].class)
    fail_msg("\"%s\" is taken for class %d", cases[i].host,
             (int)mde_url_class(test_edge_string(cases[i].host)));
  assert_int_equal(mde_url_class(test_edge("localhost\0", 10)), MDE_URL_CLASS_FOREIGN);
  assert_int_equal(mde_url_class(test_edge("x\0.localhost", 12)), MDE_URL_CLASS_FOREIGN);
}

static void clouds(void **state)
{
  (void)state;
  static const struct {
    const char *host;
    enum mde_url_cloud cloud;
  } cases[] = {
      {"login.microsoftonline.com", MDE_URL_CLOUD_PUBLIC},
      {"login.microsoftonline.com.", MDE_URL_CLOUD_PUBLIC},
      {"LOGIN.MICROSOFTONLINE.COM", MDE_URL_CLOUD_PUBLIC},
      {"login.microsoft.com", MDE_URL_CLOUD_PUBLIC},
      {"login.windows.net", MDE_URL_CLOUD_PUBLIC},
      {"sts.windows.net", MDE_URL_CLOUD_PUBLIC},
      {"eu.api.security.microsoft.com", MDE_URL_CLOUD_PUBLIC},
      {"api.securitycenter.windows.com", MDE_URL_CLOUD_PUBLIC},
      {"api.securitycenter.microsoft.com", MDE_URL_CLOUD_PUBLIC},
      {"api-gcc.securitycenter.microsoft.us", MDE_URL_CLOUD_PUBLIC},
      {"API-GCC.securitycenter.microsoft.us.", MDE_URL_CLOUD_PUBLIC},
      {"login.microsoftonline.us", MDE_URL_CLOUD_US_GOVERNMENT},
      {"api-gov.securitycenter.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
      {"xapi-gcc.securitycenter.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
      {"securitycenter.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
      {"graph.microsoft.com", MDE_URL_CLOUD_PUBLIC},
      {"graph.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
      {"dod-graph.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
      {"microsoftgraph.chinacloudapi.cn", MDE_URL_CLOUD_CHINA},
      {"login.partner.microsoftonline.cn", MDE_URL_CLOUD_CHINA},
      {"login.chinacloudapi.cn", MDE_URL_CLOUD_CHINA},
      /* Microsoft's, and which one is not known. */
      {"login.sovcloud-identity.fr", MDE_URL_CLOUD_UNKNOWN},
      /* Nobody of Microsoft's. */
      {"login.microsoftonline.us.example", MDE_URL_CLOUD_UNKNOWN},
      {"notmicrosoftonline.us", MDE_URL_CLOUD_UNKNOWN},
      {"microsoftonline.us..", MDE_URL_CLOUD_UNKNOWN},
      {"user@login.microsoftonline.us", MDE_URL_CLOUD_UNKNOWN},
      {"login.microsoftonline.us:443", MDE_URL_CLOUD_UNKNOWN},
      {"127.0.0.1", MDE_URL_CLOUD_UNKNOWN},
      {"localhost", MDE_URL_CLOUD_UNKNOWN},
      {"", MDE_URL_CLOUD_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    if (mde_url_cloud(test_edge_string(cases[i].host)) != cases[i].cloud)
      fail_msg("\"%s\"", cases[i].host);
}

static void origins(void **state)
{
  (void)state;
  static const struct {
    const char *a, *b;
    bool same;
  } cases[] = {
      {"https://h", "HTTPS://H:443/a?b", true},
      {"http://h:80", "http://h:/", true},
      {"https://h", "https://u@h", true},
      {"x://h", "X://h", true},
      {"https://[::1]", "https://[0:0::1]:443", true},
      {"https://[FE80::1%25a]", "https://[fe80:0::1%25a]", true},
      {"https://h", "http://h", false},
      {"http://h:443", "https://h", false},
      {"https://h", "https://h:444", false},
      {"https://h", "https://h.", false},
      {"https://h", "https://h.example", false},
      {"https://h", "https://g", false},
      {"https://h@g", "https://h", false},
      {"https://[::1]", "https://127.0.0.1", false},
      {"https://[::ffff:127.0.0.1]", "https://127.0.0.1", false},
      {"https://[::1]", "https://[::2]", false},
      {"https://[::1]", "https://h", false},
      {"https://127.0.0.1", "https://127.0.0.2", false},
      {"https://[fe80::1%25a]", "https://[fe80::1%25b]", false},
      {"https://[fe80::1%25a]", "https://[fe80::1]", false},
  };
  for
    EACH(i, cases)
    {
      struct mde_url a, b;
      struct mde_text one = {.bytes = cases[i].a, .length = strlen(cases[i].a)};
      assert_int_equal(mde_url_parse(one, &a, NULL), MDE_URL_FLAW_NONE);
      assert_int_equal(mde_url_parse(test_edge_string(cases[i].b), &b, NULL), MDE_URL_FLAW_NONE);
      if (mde_url_same_origin(&a, &b) != cases[i].same ||
          mde_url_same_origin(&b, &a) != cases[i].same)
        fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void domains(void **state)
{
  (void)state;
  static const char *const good[] = {"contoso.onmicrosoft.com", "A-1.b", "a_b.example",
                                     "a.xn--p1ai"};
  static const char *const bad[] = {"",     ".",     "a",     "a.",          ".a",      "a..b",
                                    "a.b.", "a.b/",  "a.b:1", "a@b.c",       "1.2.3.4", "a.0x7f",
                                    "a.1",  "[::1]", "a b.c", "\xc3\xa4.de", "a%2e.b"};
  for
    EACH(i, good)
  if (!mde_url_is_domain(test_edge_string(good[i]))) fail_msg("'%s' is one", good[i]);
  for
    EACH(i, bad)
  if (mde_url_is_domain(test_edge_string(bad[i]))) fail_msg("'%s' is none", bad[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts),  cmocka_unit_test(flaws),   cmocka_unit_test(classes),
      cmocka_unit_test(clouds), cmocka_unit_test(origins), cmocka_unit_test(domains),
  };
  return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
