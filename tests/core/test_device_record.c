/*
 * device_record: which identifiers of a list can mean a device, and which only look like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device_record.h"
#include "test_edge.h"

#define ID1 "1f00000000000000000000000000000000000017"
#define ID2 "2F00000000000000000000000000000000000018"
#define GUID "17171717-0000-4000-8000-000000000017"
#define ZERO "00000000-0000-0000-0000-000000000000"

static void fits(void **state)
{
  (void)state;
  static const struct {
    const char *identifier;
    const char *id;
    const char *entra_id;
    const char *name;
    bool expected;
  } cases[] = {
      {ID1, ID1, NULL, NULL, true},
      {ID2, "2f00000000000000000000000000000000000018", NULL, NULL, true},
      {ID1, ID2, GUID, "a", false},
      {ID1, ID2, NULL, ID1, true},
      {"1F1F1F1F-0000-4000-8000-000000000017", ID1, "1f1f1f1f-0000-4000-8000-000000000017", NULL,
       true},
      {GUID, ID1, NULL, "a", false},
      {GUID, GUID, ZERO, "a", false},
      {"a", ID1, NULL, NULL, false},
      {"a", ID1, NULL, "", false},
      {"LapTop.corp.example", ID1, NULL, "laptop.CORP.example", true},
      {"laptop.corp.example.", ID1, NULL, "laptop.corp.example", true},
      {"laptop.corp.example", ID1, NULL, "laptop.corp.example.", true},
      {" laptop ", ID1, NULL, "laptop", true},
      {"laptop", ID1, NULL, "LAPTOP.corp.example", true},
      {"laptop.", ID1, NULL, "laptop.corp.example", true},
      {"laptop", ID1, NULL, "laptop-17.corp.example", false},
      {"laptop-17", ID1, NULL, "laptop", false},
      {"laptop.corp.example", ID1, NULL, "laptop", false},
      {"laptop.corp", ID1, NULL, "laptop.corp.example", false},
      {"'=1+1", ID1, NULL, "=1+1", true},
      {"'a", ID1, NULL, "'a", true},
      {"'a", ID1, NULL, "''a", false},
      {"'", ID1, NULL, "a", false},
      {".", ID1, NULL, "..", false},
      {"", ID1, NULL, ".a", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text identifier = test_edge_string(cases[i].identifier);
    struct mde_device_record record = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    record.machine_id.bytes = cases[i].id;
    record.machine_id.length = strlen(cases[i].id);
    record.entra_id.bytes = cases[i].entra_id;
    record.entra_id.length = cases[i].entra_id == NULL ? 0 : strlen(cases[i].entra_id);
    record.name.bytes = cases[i].name;
    record.name.length = cases[i].name == NULL ? 0 : strlen(cases[i].name);
    if (mde_device_record_fits(&record, identifier) != cases[i].expected)
      fail_msg("\"%s\" and \"%s\"", cases[i].identifier, cases[i].name);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(fits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
