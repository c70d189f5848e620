/*
 * sha256: the examples of FIPS 180-4, and every length around the end of a block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sha256.h"
#include "test_edge.h"

static void write_hex(struct mde_text text, char out[2 * MDE_SHA256_BYTES + 1])
{
  unsigned char digest[MDE_SHA256_BYTES];
  mde_sha256(text, digest);
  for (size_t i = 0; i < MDE_SHA256_BYTES; i++)
    snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void examples(void **state)
{
  (void)state;
  static const struct {
    const char *text, *expected;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
       "lmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char got[2 * MDE_SHA256_BYTES + 1];
    write_hex(test_edge_string(cases[i].text), got);
    assert_string_equal(got, cases[i].expected);
  }
}

/* The digest of the digests of so many letters a, from none to 200, as another program has it. */
static void lengths(void **state)
{
  (void)state;
  char text[200], all[201 * 2 * MDE_SHA256_BYTES + 1];
  memset(text, 'a', sizeof text);
  for (size_t length = 0; length <= sizeof text; length++)
    write_hex(test_edge(text, length), all + 2 * MDE_SHA256_BYTES * length);
  char got[2 * MDE_SHA256_BYTES + 1];
  write_hex((struct mde_text){.bytes = all, .length = sizeof all - 1}, got);
  assert_string_equal(got, "eb555248bd20c7831e511d4461b42c9b084e3a64b44d57b00051172f8afe03ff");
}

static void absent(void **state)
{
  (void)state;
  char got[2 * MDE_SHA256_BYTES + 1];
  write_hex((struct mde_text){.bytes = NULL, .length = 0}, got);
  assert_string_equal(got, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(examples),
      cmocka_unit_test(lengths),
      cmocka_unit_test(absent),
  };
  return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
