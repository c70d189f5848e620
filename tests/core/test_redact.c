/*
 * redact: what is taken out of every kind of text, and what is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redact.h"
#include "test_allocator.h"
#include "test_edge.h"

#define R MDE_REDACTED

struct outcome {
  int status;
  char text[8192];
  size_t length;
};

/* Redacts a text in memory that checks that everything is wiped and returned. */
static void run(struct outcome *outcome, struct mde_text text, size_t fail_at)
{
  struct test_memory memory = {.check_wiped = true, .fail_at = fail_at};
  struct mde_buffer out;
  mde_buffer_init(&out, test_allocator(&memory), mde_redact_limit(text.length));
  outcome->status = mde_redact_text(&out, text);
  assert_true(out.length < sizeof outcome->text);
  outcome->length = out.length;
  if (out.length > 0) memcpy(outcome->text, out.bytes, out.length);
  outcome->text[out.length] = '\0';
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

static void text(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    const char *expected; /* NULL: unchanged */
  } cases[] = {
      {"", NULL},
      {"nothing here: a=b, c=d", NULL},
      /* Forms. */
      {"grant_type=client_credentials&client_secret=fake%7Evalue&scope=x",
       "grant_type=client_credentials&client_secret=" R "&scope=x"},
      {"client_secret=fake", "client_secret=" R},
      {"client_secret=", NULL},
      {"client_secret=&scope=x", NULL},
      {"CLIENT_SECRET=fake&x=y", "CLIENT_SECRET=" R "&x=y"},
      {"client_assertion_type=urn%3Aietf&client_assertion=fake.fake.fake&x=y",
       "client_assertion_type=urn%3Aietf&client_assertion=" R "&x=y"},
      {"a=b&assertion=fake&refresh_token=fake&id_token=fake&access_token=fake&password=fake",
       "a=b&assertion=" R "&refresh_token=" R "&id_token=" R "&access_token=" R "&password=" R},
      {"grant_type=password&username=x", NULL},
      {"code=0.AXoA&state=x", NULL},
      /* URLs. */
      {"https://x.example/p.zip?sv=2020&sig=fa%2Bke%3D&se=1",
       "https://x.example/p.zip?sv=2020&sig=" R "&se=1"},
      {"?SIG=fake", "?SIG=" R},
      {"\"https://x/?a=1\\u0026sig=fake\\u0026se=1\"",
       "\"https://x/?a=1\\u0026sig=" R "\\u0026se=1\""},
      {"design=a&config=b&x_sig=c", NULL},
      {"next=https%3A%2F%2Fx%3Fsig%3Dfake%26se%3D1", "next=https%3A%2F%2Fx%3Fsig%3D" R "%26se%3D1"},
      {"https://user:fake@x.example/a@b", "https://" R "@b"},
      {"https://u:fake@x@x.example?q=a@b", "https://" R "@b"},
      {"http://svc-mde:Pa@hush-secret/x1@127.0.0.1:9", "http://" R "@127.0.0.1:9"},
      {"http://u:fake/x@x.example, no", "http://" R "@x.example, no"},
      {"http://u:fake?x@x.example", "http://" R "@x.example"},
      {"http://u:1fake#x@x.example", "http://" R "@x.example"},
      {"\"http:\\/\\/u:fake\\/x@x.example\\/\"", "\"http:\\/\\/" R "@x.example\\/\""},
      {"https://x.example:8443/a@b", NULL},
      {"https://[::1]:8443/a@b?c@d", NULL},
      {"https://x.example?a=b@c https://u:p x@y", NULL},
      {"https://x.example/a@b see me@x.example", NULL},
      {"\"https:\\/\\/user:fake@x.example\\/\"", "\"https:\\/\\/" R "@x.example\\/\""},
      {"https://x.example:8443", NULL},
      {"https://[2001:db8::1]:8443", NULL},
      {"https://user:pass", "https://" R},
      {"https://user:sig=x", "https://" R},
      {"see <https://x.example/?sig=fake>, then", "see <https://x.example/?sig=" R ">, then"},
      /* JSON. */
      {"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"fake\",\"x\":1}",
       "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" R "\",\"x\":1}"},
      {"{ \"access_token\" :\r\n\t\"fa ke\" }", "{ \"access_token\" :\r\n\t\"" R "\" }"},
      {"{\"password\":\"fa\\\"ke\\\\\",\"x\":\"y\"}", "{\"password\":\"" R "\",\"x\":\"y\"}"},
      {"{\"password\":\"fa\\\\\\\"ke\",\"x\":\"y\"}", "{\"password\":\"" R "\",\"x\":\"y\"}"},
      {"{\"access_token\":\"fak", "{\"access_token\":\"" R},
      {"{\"access_token\":\"fak\\", "{\"access_token\":\"" R},
      {"{\"access_token\":\"", NULL},
      {"{\"access_token\":", NULL},
      {"{\"access_token\"", NULL},
      {"{\"access_token\":\"\"}", NULL},
      {"{\"refresh_token\":null,\"x\":1}", NULL},
      {"{\"password\":1234,\"x\":1}", "{\"password\":\"" R "\",\"x\":1}"},
      {"{\"password\":[\"fa]ke\",{\"a\":\"fake\"}],\"x\":1}", "{\"password\":\"" R "\",\"x\":1}"},
      {"{\"password\":{\"a\":\"fake", "{\"password\":\"" R "\""},
      {"{\"accessToken\":\"fake\",\"clientSecret\":\"fake\"}",
       "{\"accessToken\":\"" R "\",\"clientSecret\":\"" R "\"}"},
      {"{'client_secret': 'fake', 'x': 1}", "{'client_secret': '" R "', 'x': 1}"},
      /* JSON in a string of JSON. */
      {"{\"body\":\"{\\\"access_token\\\":\\\"fake\\\",\\\"x\\\":1}\",\"y\":2}",
       "{\"body\":\"{\\\"access_token\\\":\\\"" R "\\\",\\\"x\\\":1}\",\"y\":2}"},
      {"{\"body\":\"{\\\"password\\\":\\\"fa\\\\\\\"ke\\\"}\",\"y\":2}",
       "{\"body\":\"{\\\"password\\\":\\\"" R "\\\"}\",\"y\":2}"},
      {"{\"body\":\"{\\\"access_token\\\":\\\"fak\",\"y\":2}",
       "{\"body\":\"{\\\"access_token\\\":\\\"" R "\",\"y\":2}"},
      {"{\"body\":\"{\\\"password\\\":12}\",\"y\":2}",
       "{\"body\":\"{\\\"password\\\":\\\"" R "\\\"}\",\"y\":2}"},
      {"{\"body\":\"x=y&client_secret=fake\",\"y\":2}",
       "{\"body\":\"x=y&client_secret=" R "\",\"y\":2}"},
      {"\"{\\\"form\\\":\\\"client_secret=fake\\\"}\"",
       "\"{\\\"form\\\":\\\"client_secret=" R "\\\"}\""},
      /* Header lines and messages. */
      {"Authorization: Bearer xyz\r\nAccept: */*\r\n",
       "Authorization: Bearer " R "\r\nAccept: */*\r\n"},
      {"> authorization: bearer   xyz", "> authorization: bearer   " R},
      {"Authorization: Basic fa+/ke== and so on", "Authorization: Basic " R " and so on"},
      {"Authorization: Digest username=\"x\", response=\"fake\"\nX: y",
       "Authorization: Digest " R "\nX: y"},
      {"Authorization: fake fake\nX: y", "Authorization: " R "\nX: y"},
      {"Proxy-Authorization: Basic fake", "Proxy-Authorization: Basic " R},
      {"{\"Authorization\":\"Bearer fake\",\"x\":1}",
       "{\"Authorization\":\"Bearer " R "\",\"x\":1}"},
      {"authorization = \"Bearer fake\"", "authorization = \"Bearer " R "\""},
      {"-H 'Authorization: Bearer fake' -v", "-H 'Authorization: Bearer " R "' -v"},
      {"authorization_uri=\"https://x\"", NULL},
      {"token Bearer eyJfake was refused", "token Bearer " R " was refused"},
      {"Bearer%20fake&x", "Bearer%20" R "&x"},
      {"the Bearer token is missing", NULL},
      {"WWW-Authenticate: Bearer realm=\"\", error=\"invalid_token\"", NULL},
      {"bearer rQg#x&eyJfQ.c2Xie_nQQQgrayc=evc", "bearer " R "&" R "=evc"},
      {"Bearer error=invalid_token", NULL},
      {"\"Bearer authorization_uri=\\\"https://x\\\"\"", NULL},
      {"Bearer abc=", "Bearer " R},
      {"Bearer abc==", "Bearer " R},
      {"forbearer xyz", NULL},
      {"Cookie: a=fake; b=fake\r\nX: y", "Cookie: " R "\r\nX: y"},
      {"set-cookie: a=fake; Secure", "set-cookie: " R},
      {"x-identity-header: fake\nX: y", "x-identity-header: " R "\nX: y"},
      {"Secret: fake\nsecret: fake", "Secret: " R "\nsecret: " R},
      {"Invalid client secret provided. Ensure the secret being sent", NULL},
      {"password: hunter2, then", "password: " R " then"},
      {"the body must contain 'client_assertion' or 'client_secret'.", NULL},
      {"see eyJ0eXAiOiJub25lIn0.eyJmYWtlIjoxfQ.c2ln!", "see " R "!"},
      {"claims=eyJhY2Nlc3NfdG9rZW4iOnt9fQ==", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct outcome outcome;
    const char *expected = cases[i].expected == NULL ? cases[i].text : cases[i].expected;
    run(&outcome, test_edge_string(cases[i].text), 0);
    assert_int_equal(outcome.status, MDE_BUFFER_OK);
    if (strcmp(outcome.text, expected) != 0)
      fail_msg("'%s'\n became '%s'\n not    '%s'", cases[i].text, outcome.text, expected);
    struct outcome again;
    run(&again, test_edge(outcome.text, outcome.length), 0);
    assert_string_equal(again.text, outcome.text);
    /* Cut off anywhere, the value that is taken out does not show. */
    if (strstr(cases[i].text, "fake") == NULL) continue;
    for (size_t length = 0; length < strlen(cases[i].text); length++) {
      run(&outcome, test_edge(cases[i].text, length), 0);
      if (strstr(outcome.text, "fake") != NULL)
        fail_msg("'%.*s' became '%s'", (int)length, cases[i].text, outcome.text);
    }
  }
}

static void headers(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    const char *value;
    const char *expected;
  } cases[] = {
      {"Authorization", "Bearer fake", "Bearer " R},
      {"authorization", "fake fake", R},
      {"authorization", "bearerfake", R},
      {"authorization", "Bearer", "Bearer"},
      {"authorization", "", ""},
      {"Proxy-Authorization", "Basic fake", "Basic " R},
      {"X-Identity-Header", "fake", R},
      {"secret", "fake", R},
      {"cookie", "a=fake; b=fake", R},
      {"Set-Cookie", "a=fake", R},
      {"location", "https://x/?sig=fake", "https://x/?sig=" R},
      {"content-type", "application/json", "application/json"},
      {"x-secret-count", "3", "3"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct test_memory memory = {.check_wiped = true};
    struct mde_buffer out;
    struct mde_text name = {.bytes = cases[i].name, .length = strlen(cases[i].name)};
    mde_buffer_init(&out, test_allocator(&memory), 1000);
    assert_int_equal(mde_redact_header(&out, name, test_edge_string(cases[i].value)), 0);
    if (out.length != strlen(cases[i].expected) ||
        (out.length > 0 && memcmp(out.bytes, cases[i].expected, out.length) != 0))
      fail_msg("%s: %s became '%.*s'", cases[i].name, cases[i].value, (int)out.length,
               out.length > 0 ? out.bytes : "");
    mde_buffer_clear(&out);
    test_allocator_finish(&memory);
  }
}

static const char form[] =
    "client_secret=fake&scope=x; and a long text behind it, so that the buffer has to grow at "
    "least "
    "once, and then once more to be sure of it, and then once more to be sure of it";

static void memory_that_ends(void **state)
{
  (void)state;
  struct outcome outcome;
  size_t failures = 0;
  for (size_t fail_at = 1;; fail_at++) {
    run(&outcome, test_edge_string(form), fail_at);
    if (outcome.status == MDE_BUFFER_OK) break;
    assert_int_equal(outcome.status, MDE_BUFFER_NO_MEMORY);
    failures++;
  }
  assert_true(failures >= 2);
}

static void a_limit(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_buffer out;
  mde_buffer_init(&out, test_allocator(&memory), 20);
  assert_int_equal(mde_redact_text(&out, test_edge_string(form)), MDE_BUFFER_TOO_LONG);
  mde_buffer_clear(&out);
  test_allocator_finish(&memory);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text),
      cmocka_unit_test(headers),
      cmocka_unit_test(memory_that_ends),
      cmocka_unit_test(a_limit),
  };
  return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
