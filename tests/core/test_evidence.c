/*
 * evidence: which devices an alert is about, and which of them may be acted on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "evidence.h"
#include "test_edge.h"

#define A "3c9a0f5be17d44a2b86c1e0d9f7a5534c2b1e6d8"
#define A_IN_CAPITALS "3C9A0F5BE17D44A2B86C1E0D9F7A5534C2B1E6D8"
#define B "a17e4d902bc35f6681de0947ab3cf25e7d80b194"
#define ZEROS "0000000000000000000000000000000000000000"
#define ENTRA "b7f0c2a4-6d1e-4f38-9a55-20c8e1d7b346"

enum { MOST_PIECES = 5, MOST_ROLES = 3 };

struct piece {
  const char *id, *entra_id, *name, *onboarding;
  const char *roles[MOST_ROLES];
};

static struct mde_text text_of(const char *string)
{
  return (struct mde_text){.bytes = string, .length = string == NULL ? 0 : strlen(string)};
}

/*
 * The devices of some pieces: for each the places of its pieces, and a letter for its problem (.
 * for none), in capitals where it is a target, followed by ~ where it is contextual.
 */
static void describe(const struct piece *pieces, char *out)
{
  struct mde_evidence_piece own[MOST_PIECES];
  struct mde_text roles[MOST_PIECES][MOST_ROLES];
  struct mde_evidence_device devices[MOST_PIECES];
  size_t device_of[MOST_PIECES], count = 0;
  for (; count < MOST_PIECES && pieces[count].roles[0] != NULL; count++) {
    const struct piece *piece = &pieces[count];
    size_t role_count = 0;
    for (; role_count < MOST_ROLES && piece->roles[role_count] != NULL; role_count++)
      roles[count][role_count] = text_of(piece->roles[role_count]);
    if (strcmp(piece->roles[0], "-") == 0) role_count = 0;
    own[count] = (struct mde_evidence_piece){.id = text_of(piece->id),
                                             .entra_id = text_of(piece->entra_id),
                                             .name = text_of(piece->name),
                                             .onboarding = text_of(piece->onboarding),
                                             .roles = roles[count],
                                             .role_count = role_count};
  }
  size_t found = mde_evidence_devices(own, count, devices, device_of);
  for (size_t d = 0; d < found; d++) {
    if (d > 0) *out++ = ' ';
    assert_int_equal(device_of[devices[d].first], d);
    for (size_t i = 0; i < count; i++)
      if (device_of[i] == d) *out++ = (char)('0' + i);
    *out++ = ".nmo"[devices[d].problem];
    if (devices[d].is_contextual) *out++ = '~';
    if (mde_evidence_is_target(&devices[d])) *out++ = '!';
  }
  *out = '\0';
}

static void devices_of_an_alert(void **state)
{
  (void)state;
  static const struct {
    struct piece pieces[MOST_PIECES]; /* "-": no role */
    const char *expected;
  } cases[] = {
      {.expected = ""},
      /* roles */
      {{{A, NULL, NULL, "onboarded", {"-"}}}, "0.!"},
      {{{A, NULL, NULL, "onboarded", {"compromised"}}}, "0.!"},
      {{{A, NULL, NULL, "onboarded", {"Attacked"}}}, "0.!"},
      {{{A, NULL, NULL, "onboarded", {"contextual", "attacker"}}}, "0.!"},
      {{{A, NULL, NULL, "onboarded", {"source", "unknown", "suspicious"}}}, "0.!"},
      {{{A, NULL, NULL, "onboarded", {"unknown"}}}, "0.!"},
      {{{A, NULL, NULL, "onboarded", {"contextual"}}}, "0.~"},
      {{{A, NULL, NULL, "onboarded", {"unknown", "source"}}}, "0.~"},
      {{{A, NULL, NULL, "onboarded", {"unknownFutureValue"}}}, "0.~"},
      {{{A, NULL, NULL, "onboarded", {"compromisedd"}}}, "0.~"},
      {{{A, NULL, NULL, "onboarded", {""}}}, "0.~"},
      /* onboarding */
      {{{A, NULL, NULL, NULL, {"-"}}}, "0.!"},
      {{{A, NULL, NULL, "", {"-"}}}, "0.!"},
      {{{A, NULL, NULL, "Onboarded", {"-"}}}, "0.!"},
      {{{A, NULL, NULL, "canBeOnboarded", {"-"}}}, "0o"},
      {{{A, NULL, NULL, "insufficientInfo", {"contextual"}}}, "0o~"},
      {{{A, NULL, NULL, "unknownFutureValue", {"-"}}}, "0o"},
      /* ids */
      {{{NULL, ENTRA, "printer", NULL, {"compromised"}}}, "0n"},
      {{{"", NULL, NULL, NULL, {"-"}}}, "0n"},
      {{{"3c9a0f5b", NULL, NULL, "onboarded", {"-"}}}, "0m"},
      {{{A "0", NULL, NULL, "onboarded", {"-"}}}, "0m"},
      {{{ENTRA, NULL, NULL, "onboarded", {"-"}}}, "0m"},
      {{{ZEROS, NULL, NULL, "onboarded", {"-"}}}, "0m"},
      /* several */
      {{{A, NULL, "a", "onboarded", {"compromised"}}, {B, NULL, "b", "onboarded", {"contextual"}}},
       "0.! 1.~"},
      {{{B, NULL, NULL, NULL, {"-"}},
        {A, NULL, NULL, NULL, {"-"}},
        {B, NULL, NULL, NULL, {"-"}},
        {A_IN_CAPITALS, NULL, NULL, NULL, {"-"}}},
       "02.! 13.!"},
      /* One piece that says that it was hit is enough, and without a role it says nothing. */
      {{{A, NULL, NULL, NULL, {"contextual"}}, {A, NULL, NULL, NULL, {"attacked"}}}, "01.!"},
      {{{A, NULL, NULL, NULL, {"attacked"}}, {A, NULL, NULL, NULL, {"contextual"}}}, "01.!"},
      {{{A, NULL, NULL, NULL, {"contextual"}}, {A, NULL, NULL, NULL, {"-"}}}, "01.~"},
      {{{A, NULL, NULL, "unsupported", {"-"}}, {A, NULL, NULL, "onboarded", {"-"}}}, "01.!"},
      {{{A, NULL, NULL, "onboarded", {"-"}}, {A, NULL, NULL, "unsupported", {"-"}}}, "01.!"},
      {{{A, NULL, NULL, "unsupported", {"-"}}, {A, NULL, NULL, NULL, {"-"}}}, "01o"},
      /* Without an id. */
      {{{NULL, ENTRA, "a", NULL, {"-"}},
        {NULL, ENTRA, "A", NULL, {"contextual"}},
        {NULL, ENTRA, "b", NULL, {"-"}},
        {NULL, NULL, "a", NULL, {"-"}},
        {A, ENTRA, "a", NULL, {"contextual"}}},
       "01n~ 2n 3n 4.~"},
      {{{"x", NULL, "a", NULL, {"-"}}, {"X", NULL, "b", "unsupported", {"-"}}}, "01m"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char got[64];
    describe(cases[i].pieces, got);
    if (strcmp(got, cases[i].expected) != 0)
      fail_msg("case %zu: \"%s\", not \"%s\"", i, got, cases[i].expected);
  }
}

/* Many pieces are as quick as they are few, in whatever order they come. */
static void many_pieces(void **state)
{
  (void)state;
  enum { COUNT = 20000, DEVICES = 1000 };
  static char ids[COUNT][41];
  static struct mde_evidence_piece pieces[COUNT];
  static struct mde_evidence_device devices[COUNT];
  static size_t device_of[COUNT];
  for (unsigned i = 0; i < COUNT; i++) {
    snprintf(ids[i], sizeof ids[i], "%040x", (i * 7919u) % DEVICES + 1);
    pieces[i] = (struct mde_evidence_piece){.id = text_of(ids[i])};
  }
  assert_int_equal(mde_evidence_devices(pieces, COUNT, devices, device_of), DEVICES);
  for (size_t i = 0; i < COUNT; i++)
    assert_true(mde_text_same(pieces[i].id, pieces[devices[device_of[i]].first].id));
  for (size_t d = 1; d < DEVICES; d++)
    assert_true(devices[d - 1].first < devices[d].first);
}

/* Nothing is read beyond a text. */
static void edges(void **state)
{
  (void)state;
  struct mde_text role = test_edge_string("compromised");
  struct mde_evidence_piece piece = {.id = text_of(A), .roles = &role, .role_count = 1};
  struct mde_evidence_device device;
  size_t device_of;
  assert_int_equal(mde_evidence_devices(&piece, 1, &device, &device_of), 1);
  assert_true(mde_evidence_is_target(&device));
  piece.id = test_edge(A, 39);
  piece.role_count = 0;
  assert_int_equal(mde_evidence_devices(&piece, 1, &device, &device_of), 1);
  assert_int_equal(device.problem, MDE_EVIDENCE_PROBLEM_MALFORMED_ID);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(devices_of_an_alert),
      cmocka_unit_test(many_pieces),
      cmocka_unit_test(edges),
  };
  return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
