/*
 * name: how the names of devices are compared: without regard to the case of A to Z, without blanks
 * around, and without one dot at the end. No locale has a say in it.
 *
 * A blank is white space (unicode.h) that is no control character: a record's name with a tab or an
 * end of a line behind it is not the name without. A text of blanks alone, and a dot behind a dot or a blank, stay as
 * they are: no name has them, and nothing that is left out may make a part match everything.
 * Nothing here allocates; what writes text does it as snprintf does, without a NUL.
 */
#ifndef MDE_NAME_H
#define MDE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum mde_name_relation {
  MDE_NAME_RELATION_IS,
  MDE_NAME_RELATION_STARTS,
  MDE_NAME_RELATION_ENDS,
  MDE_NAME_RELATION_CONTAINS
};

/*
 * What is looked for: of a whole name the part without blanks and dot, of a beginning without the
 * blanks before it, of an end without what stands behind it; what a name is to contain, as it is.
 */
struct mde_text mde_name_asked(struct mde_text text, enum mde_name_relation relation);

/* Whether a name is, begins with, ends with or contains a text. */
bool mde_name_matches(struct mde_text name, enum mde_name_relation relation, struct mde_text text);

/* The one form of a name: two texts mean one name if these are the same bytes. */
size_t mde_name_normal(struct mde_text name, char *out, size_t size);

/* A text with A to Z in small letters, or a to z in capitals. */
size_t mde_name_in_small_letters(struct mde_text text, char *out, size_t size);
size_t mde_name_in_capitals(struct mde_text text, char *out, size_t size);

/* Whether a code point is a blank. */
bool mde_name_is_blank(uint32_t code_point);

#endif
