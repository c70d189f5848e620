/*
 * url: the URLs of settings, proxies and requests, and what may be shown of any. "hush" is what
 * must not be seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_edge.h"
#include "url.h"

#define REDACTED "[redacted]"

#define EACH(i, cases) (size_t i = 0; i < sizeof(cases) / sizeof(cases)[0]; i++)

static bool is_written(const struct mde_url *url,
                       size_t (*write)(const struct mde_url *, char *, size_t),
                       const char *expected)
{
  char out[512];
  size_t length = write(url, NULL, 0);
  if (length != strlen(expected)) return false;
  for (size_t size = 0; size <= length; size++) {
    memset(out, '\1', sizeof out);
    if (write(url, out, size) != length || memcmp(out, expected, size) != 0 || out[size] != '\1')
      return false;
  }
  return true;
}

static void https_settings(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *normal; /* NULL: it is malformed; "": it is insecure */
  } cases[] = {
      {"https://host", "https://host"},
      {"https://host/", "https://host"},
      {"https://host//", "https://host"},
      {"HTTPS://Host.Example:443/A/b/", "https://host.example/A/b"},
      {"https://host:0443", "https://host"},
      {"https://host:80/", "https://host:80"},
      {"https://host:08443/a//", "https://host:8443/a"},
      {"https://[::1]:8443", "https://[::1]:8443"},
      {"https://[2001:DB8::1]", "https://[2001:db8::1]"},
      {"https://host/a-b._~/C", "https://host/a-b._~/C"},
      {"host.example", "https://host.example"},
      {"Host.example/", "https://host.example"},
      {"host.example:8443/a", "https://host.example:8443/a"},
      {"host.example.", "https://host.example."},
      {"host:8443", "https://host:8443"},
      {"localhost", "https://localhost"},
      {"LOCALHOST/", "https://localhost"},
      {"localhost:8443", "https://localhost:8443"},
      {"[::1]:1", "https://[::1]:1"},
      {"192.0.2.1", "https://192.0.2.1"},
      {"http://host", ""},
      {"HTTP://host.example/", ""},
      {"http://u:hush@host", ""},
      {"http://", ""},
      {"", NULL},
      {"host", NULL},
      {"gcc_high", NULL},
      {"host/a.b", NULL},
      {"host:", NULL},
      {"host:x", NULL},
      {"//host.example", NULL},
      {"/host.example", NULL},
      {"https:host.example", NULL},
      {"https:/host.example", NULL},
      {"http:host.example", NULL},
      {"ftp://host.example", NULL},
      {"httpsx://host.example", NULL},
      {"https://", NULL},
      {"https://host:", NULL},
      {"host.example:0", NULL},
      {"host.example:65536", NULL},
      {"host.example:x", NULL},
      {"host.example/?a=b", NULL},
      {"https://host?", NULL},
      {"host.example#a", NULL},
      {"ho st.example", NULL},
      {"host.example\n", NULL},
      {" host.example", NULL},
      {"https:// host.example", NULL},
      {"https://https://host.example", NULL},
      {"user:hush@host.example", NULL},
      {"hush@host.example", NULL},
      {"https://user:hush@host.example", NULL},
      {"https://@host.example", NULL},
      {"https://login.microsoftonline.com@evil.example", NULL},
      {"login.microsoftonline.com\\@evil.example", NULL},
      {"h\xc3\xb6st.example", NULL},
      {"host.example/a%20b", NULL},
      {"host.example/a:b", NULL},
      {"host.example/a;b", NULL},
      {"127.1", NULL},
      {"0x7f.1", NULL},
      {"2130706433", NULL},
      {"2130706433:443", NULL},
      {"0177.0.0.1", NULL},
      {"https://127.0.0.1.", NULL},
      {"[::1", NULL},
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      const char *normal = cases[i].normal;
      enum mde_url_setting expected = normal == NULL    ? MDE_URL_SETTING_MALFORMED
                                      : *normal == '\0' ? MDE_URL_SETTING_INSECURE
                                                        : MDE_URL_SETTING_OK;
      enum mde_url_setting setting = mde_url_https(test_edge_string(cases[i].text), &url);
      if (setting != expected ||
          (setting == MDE_URL_SETTING_OK && !is_written(&url, mde_url_normal, normal)))
        fail_msg("\"%s\": %d", cases[i].text, (int)setting);
      if (setting != MDE_URL_SETTING_OK) continue;
      /* It is its own. */
      assert_int_equal(mde_url_https(test_edge_string(normal), &url), MDE_URL_SETTING_OK);
      assert_true(is_written(&url, mde_url_normal, normal));
    }
}

static void endpoints(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    enum mde_url_setting setting;
  } cases[] = {
      {"http://127.0.0.1:40342/metadata/identity/oauth2/token", MDE_URL_SETTING_OK},
      {"http://localhost/msi/token", MDE_URL_SETTING_OK},
      {"HTTP://LOCALHOST:80/", MDE_URL_SETTING_OK},
      {"http://169.254.169.254", MDE_URL_SETTING_OK},
      {"http://[::1]:8080/x", MDE_URL_SETTING_OK},
      {"http://[fe80::1%25eth0]/x", MDE_URL_SETTING_OK},
      {"https://identity.example/msi/token", MDE_URL_SETTING_OK},
      {"https://10.0.0.1:8443/", MDE_URL_SETTING_OK},
      {"http://10.0.0.1/msi/token", MDE_URL_SETTING_INSECURE},
      {"http://identity.example/token", MDE_URL_SETTING_INSECURE},
      {"http://login.microsoftonline.com/", MDE_URL_SETTING_INSECURE},
      {"http://127.0.0.1.example/", MDE_URL_SETTING_INSECURE},
      {"http://127.attacker.example/", MDE_URL_SETTING_INSECURE},
      {"http://x.169.254.1.example/", MDE_URL_SETTING_INSECURE},
      {"http://[2001:db8::1]/", MDE_URL_SETTING_INSECURE},
      {"http://127.1/", MDE_URL_SETTING_MALFORMED},
      {"http://0x7f000001/", MDE_URL_SETTING_MALFORMED},
      {"http://user@127.0.0.1/", MDE_URL_SETTING_MALFORMED},
      {"http://127.0.0.1@evil.example/", MDE_URL_SETTING_MALFORMED},
      {"http://127.0.0.1\\@evil.example/", MDE_URL_SETTING_MALFORMED},
      {"http://127.0.0.1/?a=b", MDE_URL_SETTING_MALFORMED},
      {"http://127.0.0.1/ x", MDE_URL_SETTING_MALFORMED},
      {"http://127.0.0.1:/", MDE_URL_SETTING_MALFORMED},
      {"http:///token", MDE_URL_SETTING_MALFORMED},
      {"ftp://127.0.0.1/", MDE_URL_SETTING_MALFORMED},
      {"127.0.0.1/token", MDE_URL_SETTING_MALFORMED},
      {"", MDE_URL_SETTING_MALFORMED},
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      if (mde_url_endpoint(test_edge_string(cases[i].text), &url) != cases[i].setting)
        fail_msg("\"%s\"", cases[i].text);
    }
}

static void proxies(void **state)
{
  (void)state;
  static const struct {
    const char *text, *shown, *host;
    const char *user; /* decoded; NULL: there is none */
    int port;
  } cases[] = {
      {"http://proxy.example", "http://proxy.example", "proxy.example", NULL, 0},
      {"HTTP://Proxy.example:3128/", "http://Proxy.example:3128", "Proxy.example", NULL, 3128},
      {"http://proxy:80", "http://proxy:80", "proxy", NULL, 80},
      {"http://proxy:080", "http://proxy:80", "proxy", NULL, 80},
      {"http://proxy:", "http://proxy", "proxy", NULL, 0},
      {"proxy.example:3128", "http://proxy.example:3128", "proxy.example", NULL, 3128},
      {"proxy", "http://proxy", "proxy", NULL, 0},
      {"u:p@proxy.example:3128", "http://proxy.example:3128", "proxy.example", "u:p", 3128},
      {"http://u@proxy", "http://proxy", "proxy", "u:", 0},
      {"http://@proxy", "http://proxy", "proxy", ":", 0},
      {"http://:p@proxy", "http://proxy", "proxy", ":p", 0},
      {"http://u:@proxy", "http://proxy", "proxy", "u:", 0},
      {"http://svc-mde:Pa%40Winter2026-secret%2Fx1@127.0.0.1:9", "http://127.0.0.1:9", "127.0.0.1",
       "svc-mde:Pa@Winter2026-secret/x1", 9},
      {"http://CORP%5Csvc:p@proxy", "http://proxy", "proxy", "CORP\\svc:p", 0},
      {"http://u:%25%3f%23%20:%E2%82%AC%3a@proxy", "http://proxy", "proxy",
       "u:%?# :\xe2\x82\xac:", 0},
      {"http://u:a:b@proxy", "http://proxy", "proxy", "u:a:b", 0},
      {"http://u:proxy.example@proxy", "http://proxy", "proxy", "u:proxy.example", 0},
      {"https://u:p@[::1]:3128", "https://[::1]:3128", "::1", "u:p", 3128},
      {"http://[fe80::1%25eth0]", "http://[fe80::1%25eth0]", "fe80::1%25eth0", NULL, 0},
      {"socks5h://u:p!$&'()*+,;=^|@proxy:1080", "socks5h://proxy:1080", "proxy", "u:p!$&'()*+,;=^|",
       1080},
      {"socks4://proxy", "socks4://proxy", "proxy", NULL, 0},
      {"socks4a://proxy", "socks4a://proxy", "proxy", NULL, 0},
      {"SOCKS5://proxy", "socks5://proxy", "proxy", NULL, 0},
      {"localhost:9", "http://localhost:9", "localhost", NULL, 9},
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      if (!mde_url_proxy(test_edge_string(cases[i].text), &url) ||
          !is_written(&url, mde_url_proxy_shown, cases[i].shown) ||
          !test_text_is(url.host, cases[i].host) || url.port != cases[i].port ||
          (url.user.bytes != NULL) != (cases[i].user != NULL) ||
          (cases[i].user != NULL && !is_written(&url, mde_url_proxy_user, cases[i].user)))
        fail_msg("\"%s\"", cases[i].text);
    }
}

static void no_proxies(void **state)
{
  (void)state;
  static const char *const cases[] = {
      "",
      "@",
      "http://",
      "u:hush@",
      "http://u:hush@",
      "http://u:hush@:3128",
      "http://u:hush",
      /* A password that is not encoded. */
      "http://svc:Pa@hush/x1@127.0.0.1:9",
      "svc:Pa@hush/x1@127.0.0.1:9",
      "socks5h://svc:Pa@hush@127.0.0.1:9",
      "http://u:proxy.example@hush@proxy.example",
      "http://u:hush/x@proxy",
      "http://u:1/hush@proxy",
      "http://u:hush?x@proxy",
      "http://u:hush#x@proxy",
      "http://u:hush x@proxy",
      "http://u:hush\tx@proxy",
      "http://u:hush\\x@proxy",
      "http://CORP\\u:hush@proxy",
      "http://u:hush[x@proxy",
      "http://u:hush]x@proxy",
      "http://u:hush%@proxy",
      "http://u:hush%4@proxy",
      "http://u:hush%zz@proxy",
      "http://u:%hush%41@proxy",
      "http://u:hush\xc3\xa4@proxy",
      /* Encoded, and still not to be sent. */
      "http://u:hush%0a@proxy",
      "http://u:hush%00@proxy",
      "http://u:hush%7f@proxy",
      "http://u%1f:hush@proxy",
      "http://hush%3Ax:p@proxy",
      "http://hush%3a@proxy",
      /* Another place than a proxy. */
      "http://u:hush@proxy/path",
      "http://proxy//",
      "http://proxy?x",
      "http://u:hush@proxy?",
      "http://u:hush@proxy#x",
      "http://proxy:3128/hush",
      "bad://u:hush@proxy",
      "ftp://u:hush@proxy",
      "socks://proxy",
      "httpx://proxy",
      "u:hush://x@proxy",
      "http:/u:hush@proxy",
      "//u:hush@proxy",

      "http://http://u:hush@proxy",
      "http://u:hush@proxy\r\n",
      " http://u:hush@proxy",
      /* Another host or port. */
      "http://u:hush@[::1",
      "http://u:hush@::1:3128",
      "http://u:hush@[::1]3128",
      "http://u:hush@proxy:0",
      "http://u:hush@proxy:65536",
      "http://u:hush@proxy:12x",
      "http://127.1:3128",
      "http://0x7f.1",
      "http://proxy%2eexample",
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      if (mde_url_proxy(test_edge_string(cases[i]), &url)) fail_msg("\"%s\"", cases[i]);
    }
}

static void requests(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool plain;
    const char *problem; /* NULL: it may be sent */
  } cases[] = {
      {"https://api.example", false, NULL},
      {"HTTPS://api.example:8443/a?b=%27", false, NULL},
      {"https://[2001:db8::1]:99/x", false, NULL},
      {"http://127.0.0.1:40342/", true, NULL},
      {"http://a.localhost/", true, NULL},
      {"http://169.254.169.254/a?b=c", true, NULL},
      {"http://[::1]/", true, NULL},
      {"http://[fe80::1]/", true, NULL},
      {"http://api.example/", false, "url must begin with https://"},
      {"https://127.0.0.1/", true, "url must begin with http://"},
      {"ftp://api.example/", false, "url must begin with https://"},
      {"api.example", false, "url must begin with https://"},
      {"", false, "url must begin with https://"},
      {"http://10.0.0.1/", true, "http goes to this machine and its link-local network alone"},
      {"http://login.microsoftonline.com/", true,
       "http goes to this machine and its link-local network alone"},
      {"http://127.0.0.1.example/", true,
       "http goes to this machine and its link-local network alone"},
      {"http://127.1/", true, "url names a host and port that cannot be"},
      {"https://api.example/ HTTP/1.1", false,
       "url has a character at position 21 that must be percent-encoded"},
      {"https://api.example/#", false,
       "url has a character at position 21 that must be percent-encoded"},
      {"https:///x", false, "url names no host"},
      {"https://u:hush@api.example/", false,
       "url has something besides host and port before its path"},
      {"https://u:hush@x@api.example/", false,
       "url has something besides host and port before its path"},
      {"http://u:hush@127.0.0.1/", true, "url has something besides host and port before its path"},
      {"https://api.example:65536/", false, "url names a host and port that cannot be"},
  };
  for
    EACH(i, cases)
    {
      struct mde_url url;
      char problem[MDE_URL_PROBLEM_SIZE];
      bool may_go = mde_url_request(test_edge_string(cases[i].text), cases[i].plain, &url, problem);
      if (may_go != (cases[i].problem == NULL) ||
          strcmp(problem, may_go ? "" : cases[i].problem) != 0)
        fail_msg("\"%s\": %s", cases[i].text, problem);
    }
  /* The longest problem has room. */
  static char long_one[200000];
  memset(long_one, 'a', sizeof long_one);
  memcpy(long_one, "https://", 8);
  long_one[sizeof long_one - 1] = ' ';
  struct mde_url url;
  char problem[MDE_URL_PROBLEM_SIZE];
  assert_false(mde_url_request(test_edge(long_one, sizeof long_one), false, &url, problem));
  assert_string_equal(problem,
                      "url has a character at position 200000 that must be percent-encoded");
}

static void shown(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool is_ambiguous;
    const char *shown;
  } cases[] = {
      {"", false, ""},
      {"nothing", false, "nothing"},
      {"gcc_high", false, "gcc_high"},
      {"https://host.example:8443/a", false, "https://host.example:8443/a"},
      {"https://host.example:/a:b", false, "https://host.example:/a:b"},
      {"host.example:8443/a", false, "host.example:8443/a"},
      {"https://[::1]:8443/a", false, "https://[::1]:8443/a"},
      {"http://[fe80::1%25eth0]", false, "http://[fe80::1%25eth0]"},
      {"ftp://host..example/%", false, "ftp://host..example/%"},
      {"//host.example", false, "//host.example"},
      {"https:/host.example", false, "https:/host.example"},
      {"https://user:hush@host.example/a", false, "https://" REDACTED "@host.example/a"},
      {"HTTPS://hush@host.example:9?a", false, "HTTPS://" REDACTED "@host.example:9?" REDACTED},
      {"user:hush@host.example", false, REDACTED "@host.example"},
      {"user:hush%40:%zz@[::1]:1", false, REDACTED "@[::1]:1"},
      {"@h", false, REDACTED "@h"},
      {"https://host.example/?client_secret=hush", false, "https://host.example/?" REDACTED},
      {"https://host.example#access_token=hush", false, "https://host.example#" REDACTED},
      {"https://host.example/a?", false, "https://host.example/a?" REDACTED},
      {"https://u:Pa@hush/x1@host.example:9", true, "https://" REDACTED},
      {"u:Pa@hush/x1@host.example:9", true, REDACTED},
      {"https://u:1/hush@host.example", true, "https://" REDACTED},
      {"https://u:1?hush@host.example", true, "https://" REDACTED},
      {"https://u:hush#x?y@host.example", true, "https://" REDACTED},
      {"https://u@hush@host.example", true, "https://" REDACTED},
      {"https://host.example/?a=b@c", true, "https://" REDACTED},
      {"https://u:hush x@host.example", true, "https://" REDACTED},
      {"https://u:hush\\x@host.example", true, "https://" REDACTED},
      {"https://host.example\\hush", true, "https://" REDACTED},
      {"https://host.example/hush\n", true, "https://" REDACTED},
      {"https://h\xc3\xb6st.example", true, "https://" REDACTED},
      {"https://u:hush", true, "https://" REDACTED},
      {"u:hush", true, REDACTED},
      {"https://u:hush/x", true, "https://" REDACTED},
      {"https://u:0", true, "https://" REDACTED},
      {"https://u:123456789", true, "https://" REDACTED},
      {"https://u:1:hush", true, "https://" REDACTED},
      {"https://user%3Ahush%40host.example", true, "https://" REDACTED},
      {"https://u@h%2fush", true, "https://" REDACTED},
      {"https://[u:hush", true, "https://" REDACTED},
      {"https://[::1]hush", true, "https://" REDACTED},
      {"https://u@host:hush", true, "https://" REDACTED},
      {"//u:hush@host.example", true, REDACTED},
      {"https:/u:hush@host.example", true, REDACTED},
      {"https:hush", true, REDACTED},
  };
  for
    EACH(i, cases)
    {
      char out[256];
      struct mde_text text = test_edge_string(cases[i].text);
      size_t length = mde_url_shown(text, NULL, 0);
      if (mde_url_is_ambiguous(text) != cases[i].is_ambiguous || length != strlen(cases[i].shown))
        fail_msg("\"%s\": %zu", cases[i].text, length);
      for (size_t size = 0; size <= length; size++) {
        memset(out, '\1', sizeof out);
        assert_int_equal(mde_url_shown(text, out, size), length);
        assert_memory_equal(out, cases[i].shown, size);
        assert_int_equal(out[size], '\1');
      }
    }
  assert_true(mde_url_is_ambiguous(test_edge("https://h\0", 10)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(https_settings), cmocka_unit_test(endpoints), cmocka_unit_test(proxies),
      cmocka_unit_test(no_proxies),     cmocka_unit_test(requests),  cmocka_unit_test(shown),
  };
  return cmocka_run_group_tests_name("url_settings", tests, NULL, NULL);
}
