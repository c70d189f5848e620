/*
 * casefold: which texts are the same without regard to case, and all of Unicode beside the C
 * library, which has its own tables.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include <cmocka.h>

#include "casefold.h"
#include "test_edge.h"

enum { CHARACTERS = 0x110000, ROOM = 64 };

struct folded {
  size_t length;
  char bytes[ROOM];
};

static struct folded folded(const char *bytes, size_t length)
{
  struct folded result = {0, ""};
  result.length = mde_casefold(test_edge(bytes, length), result.bytes, ROOM);
  assert_true(result.length <= ROOM);
  return result;
}

static bool same(struct folded a, struct folded b)
{
  return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static void texts(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    const char *a;
    const char *b;
    bool expected;
  } cases[] = {
      {"nothing", "", "", true},
      {"A to Z", "ABCXYZ", "abcxyz", true},
      {"what stands beside A to Z", "@[`{", "@[`{", true},
      {"@ and `", "@", "`", false},
      {"[ and {", "[", "{", false},
      {"one more letter", "ab", "a", false},
      {"the letters of Latin-1", "\u00c0\u00d6\u00d8\u00de", "\u00e0\u00f6\u00f8\u00fe", true},
      {"the sign of multiplication and of division", "\u00d7", "\u00f7", false},
      {"\u00ff and \u0178", "\u00ff", "\u0178", true},
      {"German", "GESCH\u00c4FTSF\u00dcHRUNG", "Gesch\u00e4ftsf\u00fchrung", true},
      {"sharp s", "\u1e9e", "\u00df", true},
      {"sharp s and two s", "\u00df", "ss", false},
      {"a ligature and its letters", "\ufb01", "fi", false},
      {"one step of a row, and the next", "\u0100", "\u0102", false},
      {"the second of a row", "\u0102", "\u0103", true},
      {"a small one in a row of pairs", "\u0101", "\u0102", false},
      {"the last of a row", "\u012e", "\u012f", true},
      {"long s", "\u017f", "S", true},
      {"the Kelvin sign", "\u212a", "k", true},
      {"the \u00c5ngstr\u00f6m sign", "\u212b", "\u00e5", true},
      {"the Ohm sign", "\u2126", "\u03c9", true},
      {"the micro sign", "\u00b5", "\u039c", true},
      {"final sigma", "\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2", true},
      {"Greek beta as a symbol", "\u03d0", "\u0392", true},
      {"an iota below, and beside", "\u1fb3", "\u1fbc", true},
      {"an iota below as a mark", "\u0391\u0345", "\u1fb3", true},
      {"an iota below, and a letter", "\u0345", "\u0399", true},
      {"oxia and tonos", "\u1f71", "\u03ac", true},
      {"dialytika with oxia and with tonos", "\u1fd3", "\u0390", true},
      {"Cyrillic", "\u0414\u0418\u0420\u0415\u041a\u0422\u041e\u0420",
       "\u0434\u0438\u0440\u0435\u043a\u0442\u043e\u0440", true},
      {"Cyrillic beyond the letters of Russian", "\u0402\u0490", "\u0452\u0491", true},
      {"Armenian", "\u0531", "\u0561", true},
      {"Georgian", "\u1c90", "\u10d0", true},
      {"Cherokee, which folds to its capitals", "\uab70", "\u13a0", true},
      {"Cherokee, the other six", "\u13f8", "\u13f0", true},
      {"letters that were one in Unicode before", "\u01c4", "\u01c6", true},
      {"a title letter", "\u01c5", "\u01c6", true},
      {"Roman numbers", "\u2160", "\u2170", true},
      {"letters in circles", "\u24b6", "\u24d0", true},
      {"wide letters", "\uff21", "\uff41", true},
      {"a wide letter and the letter", "\uff21", "A", false},
      {"beyond the first plane", "\U00010400", "\U00010428", true},
      {"the last that have case", "\U0001e921", "\U0001e943", true},
      {"alphabets that look alike", "a", "\u0430", false},
      {"an accent", "e", "\u00e9", false},
      {"two accents", "\u00e8", "\u00e9", false},

      {"i and I", "i", "I", true},
      {"i and \u0130", "i", "\u0130", true},
      {"i and \u0131", "I", "\u0131", true},
      {"\u0130 in two characters", "I\u0307", "\u0130", true},
      {"a small i with a dot above", "i\u0307", "i", true},
      {"\u0130 with one more dot", "\u0130\u0307", "\u0131", true},
      {"a dot above another letter", "e\u0307", "e", false},
      {"an i with another mark", "i\u0301", "i", false},
      {"an i with a dot and another mark", "i\u0307\u0301", "\u00cd", true},
      {"a word in Turkish", "\u0130ST\u0130HBARAT D\u0130REKT\u00d6R\u00dc",
       "istihbarat direkt\u00f6r\u00fc", true},
      {"a word in Turkish without dots", "\u0130st\u0131hbarat", "ISTIHBARAT", true},

      {"the first letter that has a mark, and the first mark", "\u00c0", "a\u0300", true},
      {"the last letter that has a mark, and the last mark", "\u1fdf", "\u1ffe\u0342", true},
      {"two letters before a mark that neither has", "q\u0308", "j\u0308", false},
      {"a sign with a mark", "\u2260", "=\u0338", false},
      {"NFC and NFD", "\u00fc", "u\u0308", true},
      {"NFC and NFD, and case", "\u00fc", "U\u0308", true},
      {"the other way", "U\u0308", "\u00dc", true},
      {"a mark of its own, behind nothing", "\u0308", "\u0308", true},
      {"a mark that no letter has so", "q\u0308", "q", false},
      {"a mark behind a letter that has it in no one character", "q\u0308", "Q\u0308", true},
      {"two marks", "\u1ec7", "e\u0323\u0302", true},
      {"two marks in the other order", "\u1ec7", "e\u0302\u0323", true},
      {"a letter with a mark, and another mark", "\u1ec6", "\u00ca\u0323", true},
      {"the same, in the other order", "\u1ec6", "\u1eb8\u0302", true},
      {"three marks", "\u1f82", "\u03b1\u0313\u0300\u0345", true},
      {"long s with a dot", "\u1e9b", "S\u0307", true},
      {"Cyrillic with a mark", "\u0419", "\u0438\u0306", true},
      {"the accents that are others", "e\u0341", "\u00c9", true},
      {"a mark behind a byte that is not UTF-8", "\xff\u0308", "\xff", false},
      {"Hangul in parts", "\uac00", "\u1100\u1161", false},
      {"a mark of kana", "\u304c", "\u304b\u3099", false},
      {"Han that are one in composed form", "\uf900", "\u8c48", false},

      {"what does not show", "a\u200bb", "ab", false},
      {"a byte that is not UTF-8", "\xff", "\xff", true},
      {"two bytes that are not UTF-8", "\xfe", "\xff", false},
      {"Latin-1", "\xfc", "\u00fc", false},
      {"Latin-1, in two cases", "\xfc", "\xdc", false},
      {"a letter that is cut off", "\xc3", "\u00c3", false},
      {"a letter that is cut off, and one behind it", "\xe2\x84K", "\xe2\x84k", true},
      {"an overlong letter", "\xc1\x81", "A", false},
      {"half of a pair", "\xed\xa0\x80", "\xed\xa0\x80", true},
      {"past the last character", "\xf4\x90\x80\x80", "\xf4\x90\x80\x80", true},
      {"the last character", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct folded a = folded(cases[i].a, strlen(cases[i].a));
    struct folded b = folded(cases[i].b, strlen(cases[i].b));
    if (same(a, b) != cases[i].expected)
      fail_msg("%s: %s", cases[i].what, cases[i].expected ? "not the same" : "the same");
    if (!same(a, folded(a.bytes, a.length))) fail_msg("%s: folds to what folds", cases[i].what);
  }
}

static void room(void **state)
{
  (void)state;
  char out[8];
  struct mde_text text = test_edge_string("A\u00c4\u212b");
  for (size_t size = 0; size < sizeof out; size++) {
    memset(out, '#', sizeof out);
    assert_int_equal(mde_casefold(text, out, size), 5);
    size_t written = size < 5 ? size : 5;
    assert_memory_equal(out, "a\u00e4\u00e5", written);
    for (size_t i = written; i < sizeof out; i++)
      assert_int_equal(out[i], '#');
  }
  /* It may become longer. */
  assert_int_equal(mde_casefold(test_edge_string("\u023a"), out, sizeof out), 3);
  assert_memory_equal(out, "\u2c65", 3);
}

static void steps(void **state)
{
  (void)state;
  static const char bytes[] = "Au\u0308\xc3\u0308\xf0\x9f";
  static const uint32_t characters[] = {'a',
                                        0xfc,
                                        MDE_CASEFOLD_BYTE + 0xc3,
                                        0x308,
                                        MDE_CASEFOLD_BYTE + 0xf0,
                                        MDE_CASEFOLD_BYTE + 0x9f};
  struct mde_text text = test_edge(bytes, sizeof bytes - 1);
  const char *at = text.bytes;
  for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++)
    assert_int_equal(mde_casefold_next(&at, text.bytes + text.length), characters[i]);
  assert_ptr_equal(at, text.bytes + text.length);
}

static size_t encode(uint32_t character, char *bytes)
{
  if (character < 0x80) {
    bytes[0] = (char)character;
    return 1;
  }
  size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length; i-- > 1; character >>= 6)
    bytes[i] = (char)(0x80 | (character & 0x3f));
  bytes[0] = (char)(lead[length] | character);
  return length;
}

static uint32_t fold_of(uint32_t character)
{
  char bytes[4];
  const char *at = bytes;
  return mde_casefold_next(&at, bytes + encode(character, bytes));
}

static bool is_surrogate(uint32_t character)
{
  return character >= 0xd800 && character <= 0xdfff;
}

/* Every character, alone and before each mark. */
static void folding_twice(void **state)
{
  (void)state;
  for (uint32_t character = 0; character < CHARACTERS; character++) {
    if (is_surrogate(character)) continue;
    uint32_t once = fold_of(character);
    assert_true(once < CHARACTERS);
    assert_int_equal(fold_of(once), once);
    char own[4], wanted[4], written[4];
    size_t own_length = encode(character, own), wanted_length = encode(once, wanted);
    assert_int_equal(mde_casefold((struct mde_text){own, own_length}, written, 4), wanted_length);
    assert_memory_equal(written, wanted, wanted_length);
    for (uint32_t mark = 0x2ff; character < 0x3000 && mark <= 0x370; mark++) {
      char bytes[8], first[16], second[16];
      size_t length = encode(character, bytes);
      length += encode(mark, bytes + length);
      length = mde_casefold((struct mde_text){bytes, length}, first, sizeof first);
      assert_true(length <= sizeof first);
      assert_int_equal(mde_casefold((struct mde_text){first, length}, second, sizeof second),
                       length);
      assert_memory_equal(first, second, length);
    }
  }
}

/* The one that stands for all that are the same letter. */
static uint32_t root_of(uint32_t *letters, uint32_t character)
{
  while (letters[character] != character)
    character = letters[character];
  return character;
}

static void join(uint32_t *letters, uint32_t a, uint32_t b)
{
  a = root_of(letters, a);
  b = root_of(letters, b);
  if (a < b)
    letters[b] = a;
  else
    letters[a] = b;
}

/* One in composed form and another: it folds as that one does. The C library knows nothing of it.
 */
static const uint32_t composed[][2] = {
    {0x340, 0x300},  {0x341, 0x301},  {0x343, 0x313},  {0x374, 0x2b9},  {0x37e, 0x3b},
    {0x387, 0xb7},   {0x1f71, 0x3ac}, {0x1f73, 0x3ad}, {0x1f75, 0x3ae}, {0x1f77, 0x3af},
    {0x1f79, 0x3cc}, {0x1f7b, 0x3cd}, {0x1f7d, 0x3ce}, {0x1fd3, 0x390}, {0x1fe3, 0x3b0},
    {0x1fee, 0x385}, {0x1fef, 0x60},  {0x1ffd, 0xb4},
};

static void all_of_unicode(void **state)
{
  (void)state;
  if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) skip();
  uint32_t *letters = malloc(CHARACTERS * sizeof *letters);
  assert_non_null(letters);
  for (uint32_t character = 0; character < CHARACTERS; character++)
    letters[character] = character;
  for (uint32_t character = 0; character < CHARACTERS; character++) {
    if (is_surrogate(character)) continue;
    join(letters, character, (uint32_t)towlower((wint_t)character));
    join(letters, character, (uint32_t)towupper((wint_t)character));
  }
  setlocale(LC_CTYPE, "C");
  for (size_t i = 0; i < sizeof composed / sizeof composed[0]; i++)
    join(letters, composed[i][0], composed[i][1]);

  uint32_t *folds = malloc(CHARACTERS * sizeof *folds); /* of the first of each letter */
  assert_non_null(folds);
  size_t several = 0;
  for (uint32_t character = 0; character < CHARACTERS; character++) {
    if (is_surrogate(character)) continue;
    uint32_t root = root_of(letters, character), own = fold_of(character);
    if (root == character) folds[root] = own;
    several += root != character;
    if (folds[root] != own)
      fail_msg("U+%04X is U+%04X for the C library, and folds to U+%04X, not to U+%04X",
               (unsigned)character, (unsigned)root, (unsigned)own, (unsigned)folds[root]);
    if (root_of(letters, own) != root)
      fail_msg("U+%04X folds to U+%04X, which is another letter for the C library",
               (unsigned)character, (unsigned)own);
  }
  assert_true(several > 1300);
  free(folds);
  free(letters);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts),         cmocka_unit_test(room),           cmocka_unit_test(steps),
      cmocka_unit_test(folding_twice), cmocka_unit_test(all_of_unicode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
