/*
 * response_actions: each row as the service's pages have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "response_actions.h"
#include "test_reading.h"

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

/* Written from the service's pages, without a look at the rows. `body`: its members, an option's name
 * in <>, what may be left out in []. */
static const struct {
  const char *name, *type, *path, *opposite, *body, *permission;
  int per_minute, per_hour;
} documented[] = {
    {"restrict", "RestrictCodeExecution", "restrictCodeExecution", "release", "Comment",
     "Machine.RestrictExecution", 100, 1500},
    {"release", "UnrestrictCodeExecution", "unrestrictCodeExecution", "restrict", "Comment",
     "Machine.RestrictExecution", 100, 1500},
    {"isolate", "Isolate", "isolate", "unisolate",
     "Comment IsolationType=<isolation_type:Full|Selective[Full]>", "Machine.Isolate", 100, 1500},
    {"unisolate", "Unisolate", "unisolate", "isolate", "Comment", "Machine.Isolate", 100, 1500},
    {"contain", "Isolate", "isolate", "uncontain", "Comment IsolationType=UnManagedDevice",
     "Machine.Isolate", 100, 1500},
    {"uncontain", "Unisolate", "unisolate", "contain", "Comment", "Machine.Isolate", 100, 1500},
    {"scan", "RunAntiVirusScan", "runAntiVirusScan", NULL,
     "Comment ScanType=<scan_type:Quick|Full[Quick]>", "Machine.Scan", 100, 1500},
    {"quarantine", "StopAndQuarantineFile", "StopAndQuarantineFile", NULL,
     "Comment Sha1=<sha1:40 digits>", "Machine.StopAndQuarantine", 100, 1500},
    {"collect", "CollectInvestigationPackage", "collectInvestigationPackage", NULL, "Comment",
     "Machine.CollectForensics", 100, 1500},
    {"package_link", NULL, "getPackageUri", NULL, "", "Machine.Read.All or Machine.ReadWrite.All",
     2, 120},
    {"cancel", NULL, "cancel", NULL, "Comment", "that of the action", 100, 1500},
    {"tag", NULL, "tags", "untag", " Value=<tag:text> Action=Add", "Machine.ReadWrite.All", 100,
     1500},
    {"untag", NULL, "tags", "tag", " Value=<tag:text> Action=Remove", "Machine.ReadWrite.All", 100,
     1500},
    {"set_device_value", NULL, "setDeviceValue", NULL,
     " DeviceValue=<device_value:Low|Normal|High>", "Machine.ReadWrite.All", 100, 1500},
};

static void write_field(struct reading *out, const struct mde_response_field *field)
{
  reading_write(out, " %s=", field->name);
  if (field->option == NULL) {
    reading_write(out, "%s", field->value);
    return;
  }
  reading_write(out, "<%s:", field->option);
  if (field->kind == MDE_FIELD_SHA1) reading_write(out, "40 digits");
  if (field->kind == MDE_FIELD_TEXT) reading_write(out, "text");
  for (size_t i = 0; i < MDE_FIELD_MAX_WORDS && field->words[i] != NULL; i++)
    reading_write(out, "%s%s", i > 0 ? "|" : "", field->words[i]);
  if (field->value != NULL) reading_write(out, "[%s]", field->value);
  reading_write(out, ">");
}

static void assert_text(const char *expected, const char *own)
{
  if (expected == NULL)
    assert_null(own);
  else
    assert_string_equal(expected, own);
}

static void the_rows_are_as_the_service_documents_them(void **state)
{
  (void)state;
  assert_int_equal(MDE_RESPONSE_COUNT, sizeof documented / sizeof documented[0]);
  for (size_t i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const struct mde_response *row = mde_response_named(text(documented[i].name));
    assert_ptr_equal(&mde_responses[i], row);
    assert_text(documented[i].type, row->type);
    assert_string_equal(documented[i].path, row->path);
    assert_text(documented[i].opposite, row->opposite != NULL ? row->opposite->name : NULL);
    assert_string_equal(documented[i].permission, row->permission);
    assert_int_equal(documented[i].per_minute, row->per_minute);
    assert_int_equal(documented[i].per_hour, row->per_hour);
    struct reading body = {.length = 0};
    reading_write(&body, "%s", row->has_comment ? "Comment" : "");
    for (size_t j = 0; j < MDE_RESPONSE_MAX_FIELDS && row->fields[j].name != NULL; j++)
      write_field(&body, &row->fields[j]);
    assert_string_equal(documented[i].body, body.text);
  }
}

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* What no page says of the service, or not of all. */
static const struct {
  const char *name;
  bool holds, is_capped;
  const char *state, *changing;
  int wait_seconds, offline_seconds;
} decided[] = {
    {"restrict", true, true, "restricted", "restricting", 10 * MINUTE, 0},
    {"release", false, false, NULL, NULL, 10 * MINUTE, 0},
    {"isolate", true, true, "isolated", "isolating", 10 * MINUTE, 3 * DAY},
    {"unisolate", false, false, NULL, NULL, 10 * MINUTE, 3 * DAY},
    {"contain", true, true, "contained", "containing", 10 * MINUTE, 0},
    {"uncontain", false, false, NULL, NULL, 10 * MINUTE, 0},
    {"scan", false, false, NULL, NULL, 6 * HOUR, 0},
    {"quarantine", false, true, NULL, NULL, HOUR, 0},
    {"collect", false, false, NULL, NULL, HOUR, 0},
    {"package_link", false, false, NULL, NULL, 0, 0},
    {"cancel", false, false, NULL, NULL, 0, 0},
    {"tag", false, false, NULL, NULL, 0, 0},
    {"untag", false, false, NULL, NULL, 0, 0},
    {"set_device_value", false, false, NULL, NULL, 0, 0},
};

static void the_rows_are_as_they_were_decided(void **state)
{
  (void)state;
  assert_int_equal(MDE_RESPONSE_COUNT, sizeof decided / sizeof decided[0]);
  for (size_t i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const struct mde_response *row = &mde_responses[i];
    assert_string_equal(decided[i].name, row->name);
    assert_int_equal(decided[i].holds, row->holds);
    assert_int_equal(decided[i].is_capped, row->is_capped);
    assert_text(decided[i].state, row->state);
    assert_text(decided[i].changing, row->changing);
    assert_int_equal(decided[i].wait_seconds, row->wait_seconds);
    assert_int_equal(decided[i].offline_seconds, row->offline_seconds);
    assert_int_equal(row->many_path != NULL ? 500 : 0, row->many);
  }
}

static void every_row_says_where_it_is_from_and_for_what(void **state)
{
  (void)state;
  for (size_t i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const struct mde_response *row = &mde_responses[i];
    assert_true(strlen(row->source) > 0 && strlen(row->platforms) > 0);
    assert_true(row->summary[strlen(row->summary) - 1] == '.');
    assert_int_equal(row->kind == MDE_RESPONSE_ACTS, row->type != NULL);
    assert_int_equal(row->kind == MDE_RESPONSE_ACTS, row->wait_seconds > 0);
    assert_int_equal(row->holds, row->state != NULL && row->changing != NULL);
    if (row->kind == MDE_RESPONSE_ACTS) assert_true(row->has_comment);
    /* What cuts a device off is counted. */
    if (row->holds) assert_true(row->is_capped);
  }
}

static void an_opposite_is_mutual_and_one_of_the_two_holds(void **state)
{
  (void)state;
  for (size_t i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const struct mde_response *row = &mde_responses[i];
    if (row->opposite == NULL) {
      assert_false(row->holds);
      continue;
    }
    assert_ptr_equal(row, row->opposite->opposite);
    assert_ptr_not_equal(row, row->opposite);
    assert_int_equal(row->is_unmanaged, row->opposite->is_unmanaged);
    if (row->kind == MDE_RESPONSE_ACTS) assert_int_equal(row->holds, !row->opposite->holds);
  }
}

static void a_field_takes_what_the_service_takes(void **state)
{
  (void)state;
  static const struct {
    int response;
    const char *value;
    bool is_taken;
  } cases[] = {
      {MDE_RESPONSE_ISOLATE, "Full", true},
      {MDE_RESPONSE_ISOLATE, "Selective", true},
      {MDE_RESPONSE_ISOLATE, "full", false},
      {MDE_RESPONSE_ISOLATE, "UnManagedDevice", false},
      {MDE_RESPONSE_ISOLATE, "", false},
      {MDE_RESPONSE_ISOLATE, NULL, false},
      {MDE_RESPONSE_SCAN, "Quick", true},
      {MDE_RESPONSE_SCAN, "Selective", false},
      {MDE_RESPONSE_QUARANTINE, "3395856ce81f2b7382dee72602f798b642f14140", true},
      {MDE_RESPONSE_QUARANTINE, "3395856CE81F2B7382DEE72602F798B642F14140", true},
      {MDE_RESPONSE_QUARANTINE, "3395856ce81f2b7382dee72602f798b642f1414", false},
      {MDE_RESPONSE_QUARANTINE, "3395856ce81f2b7382dee72602f798b642f14140a", false},
      {MDE_RESPONSE_QUARANTINE, "3395856ce81f2b7382dee72602f798b642f1414g", false},
      {MDE_RESPONSE_QUARANTINE, "g395856ce81f2b7382dee72602f798b642f14140", false},
      {MDE_RESPONSE_TAG, "tier0", true},
      {MDE_RESPONSE_TAG, "x", true},
      {MDE_RESPONSE_TAG, " \t", false},
      {MDE_RESPONSE_SET_DEVICE_VALUE, "High", true},
      {MDE_RESPONSE_SET_DEVICE_VALUE, "Highest", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct mde_response_field *field = &mde_responses[cases[i].response].fields[0];
    if (mde_response_field_takes(field, text(cases[i].value)) != cases[i].is_taken)
      fail_msg("%s: %s", field->name, cases[i].value);
  }
}

static void a_type_is_read_in_any_case_and_a_name_is_not(void **state)
{
  (void)state;
  assert_ptr_equal(&mde_responses[MDE_RESPONSE_SCAN],
                   mde_response_of_type(text("RUNANTIVIRUSSCAN")));
  assert_ptr_equal(&mde_responses[MDE_RESPONSE_RESTRICT],
                   mde_response_of_type(text("restrictcodeexecution")));
  static const char *const unknown[] = {"", "Offboard", "RestrictCodeExecution ", "Restrict", NULL};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    assert_null(mde_response_of_type(text(unknown[i])));
    assert_null(mde_response_named(text(unknown[i])));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_rows_are_as_the_service_documents_them),
      cmocka_unit_test(the_rows_are_as_they_were_decided),
      cmocka_unit_test(every_row_says_where_it_is_from_and_for_what),
      cmocka_unit_test(a_field_takes_what_the_service_takes),
      cmocka_unit_test(an_opposite_is_mutual_and_one_of_the_two_holds),
      cmocka_unit_test(a_type_is_read_in_any_case_and_a_name_is_not),
  };
  return cmocka_run_group_tests_name("response_actions", tests, NULL, NULL);
}
