/*
 * test_edge: lays a test's input flush against a page that cannot be read.
 *
 * Whoever reads one byte too many dies by a signal, with or without a sanitizer.
 */
#ifndef MDE_TEST_EDGE_H
#define MDE_TEST_EDGE_H

#include "text.h"

/*
 * A copy of `length` bytes (at most 256 KB) that ends where the readable memory ends. It holds
 * until the next call.
 */
struct mde_text test_edge(const char *bytes, size_t length);

/* The same for a C string. */
struct mde_text test_edge_string(const char *string);

/* Whether a text is what is expected, where "-" stands for an absent one. */
bool test_text_is(struct mde_text text, const char *expected);

#endif
