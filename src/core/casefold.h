/*
 * casefold: texts without regard to case, as Unicode has it, in every locale alike.
 *
 * A character folds to one character, by simple case folding (C and S in CaseFolding.txt) of
 * Unicode 14.0; 15.0 says the same. So GESCHÄFTSFÜHRUNG is Geschäftsführung, ΣΑΣ is σας, and
 * the Kelvin sign is a k, ſ an s. Besides, since a text that protects had better protect too much:
 *
 *   - i, I, İ and ı are one letter, with a dot above behind it or without.
 *   - A letter with marks (U+0300 to U+036F) is the same in one character as in several, ü as u
 *     with U+0308 (NFC and NFD). That is so for all that Unicode has in one character: Latin,
 *     Greek, Cyrillic. Marks may stand in any order that makes such a letter with each of them.
 *
 * Not so: a letter is never two (ß is ẞ, and not ss; ﬁ is not fi), an accent is not left out (é is
 * not e), letters of two alphabets are two though they look alike (Latin and Cyrillic a), and so
 * are wide ones; what does not show (U+200B, a soft hyphen) is a character as any other; and parts
 * of Hangul, kana with a mark apart and the like stay as they are.
 *
 * A byte that is not UTF-8 is a character of its own, the same as itself alone.
 *
 * Nothing here allocates. The time that it takes grows with the text, and no more.
 */
#ifndef MDE_CASEFOLD_H
#define MDE_CASEFOLD_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* Of a byte that is not UTF-8: this and the byte. It is no code point. */
#define MDE_CASEFOLD_BYTE UINT32_C(0x110000)

/*
 * The next character at `*at`, which must lie before `end`, folded: a code point or a byte that is
 * not UTF-8. Moves `*at` behind it and the marks that are part of it.
 */
uint32_t mde_casefold_next(const char **at, const char *end);

/*
 * The folded text: two texts are the same without regard to case if these are the same bytes. It
 * folds to itself, and may be longer than the text. Does it as snprintf does, without a NUL.
 */
size_t mde_casefold(struct mde_text text, char *out, size_t size);

#endif
