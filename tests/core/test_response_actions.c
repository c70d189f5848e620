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

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

static void the_rows_are_as_the_service_documents_them(void **state)
{
  (void)state;
  static const struct {
    const char *name, *type, *path, *opposite;
    bool holds;
  } rows[] = {
      {"restrict", "RestrictCodeExecution", "restrictCodeExecution", "release", true},
      {"release", "UnrestrictCodeExecution", "unrestrictCodeExecution", "restrict", false},
      {"isolate", "Isolate", "isolate", "unisolate", true},
      {"unisolate", "Unisolate", "unisolate", "isolate", false},
      {"scan", "RunAntiVirusScan", "runAntiVirusScan", NULL, false},
      {"collect", "CollectInvestigationPackage", "collectInvestigationPackage", NULL, false},
  };
  assert_int_equal(MDE_RESPONSE_COUNT, sizeof rows / sizeof rows[0]);
  for (size_t i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const struct mde_response *row = mde_response_named(text(rows[i].name));
    assert_ptr_equal(&mde_responses[i], row);
    assert_string_equal(rows[i].type, row->type);
    assert_string_equal(rows[i].path, row->path);
    assert_int_equal(rows[i].holds, row->holds);
    if (rows[i].opposite == NULL)
      assert_null(row->opposite);
    else
      assert_ptr_equal(mde_response_named(text(rows[i].opposite)), row->opposite);
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
    assert_int_equal(row->holds, !row->opposite->holds);
  }
}

static void a_type_is_read_in_any_case_and_a_name_is_not(void **state)
{
  (void)state;
  assert_ptr_equal(&mde_responses[MDE_RESPONSE_SCAN],
                   mde_response_of_type(text("RUNANTIVIRUSSCAN")));
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
      cmocka_unit_test(an_opposite_is_mutual_and_one_of_the_two_holds),
      cmocka_unit_test(a_type_is_read_in_any_case_and_a_name_is_not),
  };
  return cmocka_run_group_tests_name("response_actions", tests, NULL, NULL);
}
