/* refusal: the service's words as they were seen, words that are like them, and hostile numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "refusal.h"
#include "test_edge.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct mde_text message_of(const char *string)
{
  return string == NULL ? (struct mde_text){NULL, 0} : test_edge_string(string);
}

static void waits_are_read(void **state)
{
  (void)state;
  static const struct {
    const char *message;
    double seconds; /* -1: it says nothing */
  } cases[] = {
      {"API calls quota exceeded! Maximum allowed 30 per 00:01:00 for the key "
       "Destination+TenantID+AppID. You can send requests again in 8 seconds.",
       8},
      {"again in 1 second", 1},
      {"again in 0 seconds", 0},
      {"again in 007 seconds", 7},
      {"again in 5.5 seconds", 5.5},
      {"again in 3600 seconds", 3600},
      {"again in 99999 seconds", 99999},
      {"again in 99999.5 seconds", 99999.5},
      {"again in 100000 seconds", -1},
      {"again in 99999999999 seconds", -1},
      {"again in 99999999999999999999999999999999999999999999999999 seconds", -1},
      {"again in 2147483648.5 seconds", -1},
      {"again in 99999999999 seconds, again in 8 seconds", 8},
      {"again in 8 seconds, or again in 60 seconds, or again in 9 seconds", 60},
      {"again in a while; again in 8 seconds", 8},
      {"again in again in 8 seconds", 8},
      {"again in 8 minutes, again in 7 seconds", 7},
      {NULL, -1},
      {"", -1},
      {"again in ", -1},
      {"again in 8", -1},
      {"again in 8 ", -1},
      {"again in 8 secon", -1},
      {"again in 8seconds", -1},
      {"again in  8 seconds", -1},
      {"again in -5 seconds", -1},
      {"again in -0 seconds", -1},
      {"again in +5 seconds", -1},
      {"again in .5 seconds", -1},
      {"again in 5. seconds", -1},
      {"again in 5,5 seconds", -1},
      {"again in 1.2.3 seconds", -1},
      {"again in 1e3 seconds", -1},
      {"again in 0x10 seconds", -1},
      {"again in nan seconds", -1},
      {"again in inf seconds", -1},
      {"again in five seconds", -1},
      {"again in 5 minutes", -1},
      {"Again In 8 Seconds", -1},
      {"again after 8 seconds", -1},
      {"in 8 seconds", -1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    double seconds = -1;
    bool said = mde_refusal_wait(message_of(cases[i].message), &seconds);
    if (!said) seconds = -1;
    if (seconds < cases[i].seconds || seconds > cases[i].seconds)
      fail_msg("\"%s\": %f, not %f", cases[i].message, seconds, cases[i].seconds);
  }
}

static void a_header_goes_before_words(void **state)
{
  (void)state;
  static const struct {
    const char *header;
    int status;
    const char *message;
    int told;
    double seconds;
  } cases[] = {
      {NULL, 429, "again in 8 seconds", MDE_RETRY_AFTER_FOUND, 8},
      {"3", 429, "again in 8 seconds", MDE_RETRY_AFTER_FOUND, 3},
      {"soon", 429, "again in 8 seconds", MDE_RETRY_AFTER_INVALID, 0},
      {NULL, 429, "later", MDE_RETRY_AFTER_NONE, 0},
      {NULL, 429, NULL, MDE_RETRY_AFTER_NONE, 0},
      {NULL, 503, "again in 8 seconds", MDE_RETRY_AFTER_NONE, 0},
      {NULL, 400, "again in 8 seconds", MDE_RETRY_AFTER_NONE, 0},
      {"3", 503, NULL, MDE_RETRY_AFTER_FOUND, 3},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_retry_headers headers = {.date = {NULL, 0}};
    double seconds = 0;
    if (cases[i].header != NULL)
      headers.retry_after = (struct mde_text){cases[i].header, strlen(cases[i].header)};
    int told = mde_refusal_retry_after(&headers, cases[i].status, message_of(cases[i].message), 0,
                                       &seconds);
    assert_int_equal(told, cases[i].told);
    if (told == MDE_RETRY_AFTER_FOUND) assert_true(seconds == cases[i].seconds);
  }
}

static void an_active_request_is_known(void **state)
{
  (void)state;
  static const struct {
    const char *code;
    const char *message;
    bool active;
  } cases[] = {
      {"ActiveRequestAlreadyExists", "Action is already in progress", true},
      {"ActiveRequestAlreadyExists", "", true},
      {"ActiveRequestAlreadyExists", NULL, true},
      {"BadRequest", "Action is already in progress", true},
      {NULL, "Action is already in progress", true},
      {"BadRequest", "400: Action is already in progress.", true},
      {"ActiveRequestAlreadyExist", NULL, false},
      {"ActiveRequestAlreadyExists2", NULL, false},
      {"activeRequestAlreadyExists", NULL, false},
      {"BadRequest", "ActiveRequestAlreadyExists", false},
      {"BadRequest", "Action is already in progres", false},
      {"BadRequest", "action is already in progress", false},
      {"BadRequest", "Action is already  in progress", false},
      {"BadRequest", "Action is in progress already", false},
      {"", "", false},
      {NULL, NULL, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_text code = {cases[i].code, cases[i].code != NULL ? strlen(cases[i].code) : 0};
    if (mde_refusal_is_active(code, message_of(cases[i].message)) != cases[i].active)
      fail_msg("case %zu", i);
  }
}

static void a_tenant_that_is_not_set_up_is_known(void **state)
{
  (void)state;
  assert_true(mde_refusal_is_not_provisioned(
      message_of("Unauthorized request - reason of failure: Account mode is inactive")));
  assert_true(mde_refusal_is_not_provisioned(message_of("The tenant is not provisioned.")));
  assert_false(mde_refusal_is_not_provisioned(message_of("The tenant is provisioned.")));
  assert_false(mde_refusal_is_not_provisioned(message_of("Account mode is inactiv")));
  assert_false(mde_refusal_is_not_provisioned(message_of("")));
  assert_false(mde_refusal_is_not_provisioned(message_of(NULL)));
}

static void roles_are_read(void **state)
{
  (void)state;
  static const struct {
    const char *message;
    const char *required; /* NULL: it does not name them */
    const char *present;
  } cases[] = {
      {"Missing application roles. API required roles: A.Read,B.Read, application roles: C.Read.",
       "A.Read,B.Read", "C.Read"},
      {"API required roles: A.Read, application roles: .", "A.Read", ""},
      {"API required roles: A.Read, application roles:", "A.Read", ""},
      {"API required roles: A.Read, application roles: B.Read,C.Read", "A.Read", "B.Read,C.Read"},
      {"API required roles: A.Read, application roles: B..", "A.Read", "B."},
      {"API required roles: , application roles: .", "", ""},
      {"API required roles: A, application roles: B, application roles: C.", "A",
       "B, application roles: C"},
      {"API required roles: A.Read", NULL, NULL},
      {"API required roles:A, application roles: B", NULL, NULL},
      {"application roles: B, API required roles: A", NULL, NULL},
      {"", NULL, NULL},
      {NULL, NULL, NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_text required, present;
    bool named = mde_refusal_roles(message_of(cases[i].message), &required, &present);
    if (named != (cases[i].required != NULL)) fail_msg("case %zu", i);
    if (!named) continue;
    assert_int_equal(required.length, strlen(cases[i].required));
    assert_memory_equal(required.bytes, cases[i].required, required.length);
    assert_int_equal(present.length, strlen(cases[i].present));
    assert_memory_equal(present.bytes, cases[i].present, present.length);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_are_read),
      cmocka_unit_test(a_header_goes_before_words),
      cmocka_unit_test(an_active_request_is_known),
      cmocka_unit_test(a_tenant_that_is_not_set_up_is_known),
      cmocka_unit_test(roles_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
