/*
 * show: what is safe on a terminal and within one line, and how many columns it takes there.
 *
 * Names, comments and messages are chosen by others, who may want to hide something, turn a line
 * around or steer the terminal. A text that was made safe has no code point in it that acts or that
 * does not show:
 *
 * - control characters: C0, DEL, C1;
 * - ends of lines: U+2028, U+2029;
 * - Default_Ignorable_Code_Point of Unicode 15, which has Bidi_Control in it: soft hyphens and
 *   joiners, fillers, variation selectors, directional marks, tags;
 * - interlinear annotations, U+FFF9 to U+FFFB, which hide what stands between them;
 *
 * and no byte that is not UTF-8. Each of these is written out instead:
 *
 * - MDE_SHOW_FORM_LINE: each of its bytes as \xHH, in small letters;
 * - MDE_SHOW_FORM_JSON: as within a string of JSON, \uHHHH, beyond U+FFFF two of them; \n, \r and
 *   \t by their own names; what is no UTF-8 as \ufffd. Quotes and backslashes get a backslash.
 *
 * All else stays as it is, blanks of any width and letters that look like others among it. In the
 * line's form a backslash stays, too, so what was written out cannot be told from what was there;
 * that form is to be read, and never to be undone. A safe text is its own safe text.
 *
 * No locale has a say in it. Nothing here allocates; what writes text does it as snprintf does,
 * without a NUL.
 */
#ifndef MDE_SHOW_H
#define MDE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum mde_show_form { MDE_SHOW_FORM_LINE, MDE_SHOW_FORM_JSON };

/* Whether a code point acts on a terminal, ends a line, or does not show. */
bool mde_show_is_unsafe(uint32_t code_point);

/*
 * A text made safe: how long it is, whatever room there is. That is the length of the text itself
 * only if it stays as it is: whatever is written out becomes longer.
 */
size_t mde_show_safe(struct mde_text text, enum mde_show_form form, char *out, size_t size);

/* How many columns of a terminal a safe text takes: wide characters two, combining marks none. */
size_t mde_show_columns(struct mde_text text);

/*
 * The longest beginning of a safe text that takes no more than so many columns, and ends where a
 * character does. `taken`: how many it takes.
 */
struct mde_text mde_show_beginning(struct mde_text text, size_t columns, size_t *taken);

#endif
