/*
 * test_reading: what a reader has told, written down as text to be compared with what was expected.
 */
#ifndef MDE_TEST_READING_H
#define MDE_TEST_READING_H

#include <stddef.h>

struct reading {
  char text[8192];
  size_t length;
};

/* Appends; fails the test if there is no more room. */
__attribute__((format(printf, 2, 3))) void reading_write(struct reading *reading,
                                                         const char *format, ...);

#endif
