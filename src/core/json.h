/*
 * json: what a decoder of JSON no longer tells: an empty object from an empty list, and how many
 * items a list had before its nulls were dropped.
 */
#ifndef MDE_JSON_H
#define MDE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Lists and objects in each other; far beyond any reply of the service. */
enum { MDE_JSON_MAX_DEPTH = 64 };

/*
 * Counts the items of the list that is the member `name` (ASCII) of the object that `text` is.
 * False if it is no list, if there is no such member or several, or if the text is cut, is no
 * object, or is nested more than MDE_JSON_MAX_DEPTH deep. It finds where things begin and end;
 * whether a text is JSON down to its strings and numbers is a decoder's to say.
 */
bool mde_json_list(struct mde_text text, struct mde_text name, size_t *count);

/* The UTF-16 unit that the four hexadecimal digits of an escape stand for; -1 if they are none. */
int mde_json_unit(const char *digits);

#endif
