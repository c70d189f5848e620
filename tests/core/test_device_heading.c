/*
 * device_heading: what a heading says, however it is spelt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device_heading.h"
#include "test_edge.h"

static void roles(void **state)
{
  (void)state;
  static const struct {
    const char *heading;
    enum mde_column_role alone;
    enum mde_column_role beside;
  } cases[] = {
      {"Device ID", MDE_COLUMN_ROLE_ID, MDE_COLUMN_ROLE_ID},
      {"id", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_ID},
      {" _I\tD_", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_ID},
      {"Azure AD Device ID", MDE_COLUMN_ROLE_ENTRA_ID, MDE_COLUMN_ROLE_ENTRA_ID},
      {"\xef\xbb\xbf"
       "FQDN",
       MDE_COLUMN_ROLE_NAME, MDE_COLUMN_ROLE_NAME},
      {"device_NAME", MDE_COLUMN_ROLE_NAME, MDE_COLUMN_ROLE_NAME},
      {"Name", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_LIKELY},
      {"host", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_LIKELY},
      {"RemoteDeviceName", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_OTHER},
      {"fqdn.", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_OTHER},
      {"fqd", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_OTHER},
      {"\xef\xbb", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_OTHER},
      {"", MDE_COLUMN_ROLE_OTHER, MDE_COLUMN_ROLE_OTHER},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text heading = test_edge_string(cases[i].heading);
    assert_int_equal(mde_device_heading_role(heading, false), cases[i].alone);
    assert_int_equal(mde_device_heading_role(heading, true), cases[i].beside);
  }
}

static void comparing(void **state)
{
  (void)state;
  struct mde_text seat = {.bytes = "seat_NO ", .length = 8};
  assert_true(mde_device_heading_same(test_edge_string("Seat No"), seat));
  assert_false(mde_device_heading_same(test_edge_string("seat n"), seat));
  assert_false(mde_device_heading_same(test_edge_string("seat nos"), seat));
  assert_true(mde_device_heading_is_blank(test_edge_string(" _\t\xef\xbb\xbf")));
  assert_false(mde_device_heading_is_blank(test_edge_string(" _.")));
  static const char *const about[] = {"My Server 1", "old F_Q_D_N", "MachineTags", "laptop"};
  for (size_t i = 0; i < sizeof about / sizeof about[0]; i++)
    assert_true(mde_device_heading_is_about_devices(test_edge_string(about[i])));
  assert_false(mde_device_heading_is_about_devices(test_edge_string("owner")));
  assert_false(mde_device_heading_is_about_devices(test_edge_string("lapto")));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(roles), cmocka_unit_test(comparing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
