/*
 * number: numbers as text, in every locale alike: a point, and no marks between thousands.
 */
#ifndef MDE_NUMBER_H
#define MDE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Room for every double, and for the point of every locale. */
enum { MDE_NUMBER_SIZE = 32, MDE_NUMBER_POINT_SIZE = 8 };

/*
 * Writes the number with as many digits, 15 to 17, as it takes to read the same number back: `0.1`,
 * `1e+300`; or `inf`, `-inf`, `nan`. Returns the length; a NUL follows.
 */
size_t mde_number_write(double number, char text[MDE_NUMBER_SIZE]);

/*
 * Reads a decimal number: `-12`, `0.5`, `007`, `5.`, `1e-3`. False if the text is anything else
 * (` 1`, `+1`, `.5`, `0x10`, `inf`, `1,5`), is longer than 400 bytes, or means more than a double
 * holds.
 */
bool mde_number_read(struct mde_text text, double *number);

/*
 * What other code of this process writes in the place of the point, since the locale says so; a NUL
 * follows. Returns its length, 0 if that cannot be told.
 */
size_t mde_number_point(char point[MDE_NUMBER_POINT_SIZE]);

#endif
