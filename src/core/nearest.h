/*
 * nearest: which names of a tenant are most like one that is not among them, for the person who
 * mistyped it. They are shown, and never acted on.
 *
 * Compared are the hosts, which is what stands before the first dot. How far one is from the other
 * is how many characters have to be changed, put in, left out, or swapped with the next one; each
 * character takes part in one of these. Up to 2 is near; 1 where the host that is asked for has
 * fewer than 5 characters, and 0 where it has one. A character is a code point, or a byte that is
 * not UTF-8.
 *
 * The nearest come first; of those at one distance those of the domain that is asked for (all, if a
 * bare name is); of these the one that was seen last. So a full name has a bare one beside it, and
 * one of another domain.
 *
 * Names are in their one form (name.h). Nothing here allocates. A name is read once for all
 * searches; most are then passed over by the set of their characters, and the comparison of the
 * others gives up as soon as they are too far.
 */
#ifndef MDE_NEAREST_H
#define MDE_NEAREST_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum {
  MDE_NEAREST_MAX = 5,        /* names that are found */
  MDE_NEAREST_MAX_BYTES = 255 /* of a host; a longer one is near none */
};

/* One name of the tenant. Its texts point into the one that it was read from. */
struct mde_nearest_name {
  struct mde_text host;
  struct mde_text domain; /* behind the dot; empty for a bare name */
  size_t length;          /* of the host, in characters; 0: it is near none */
  uint64_t characters;    /* which ones the host has, told roughly */
  int64_t last_seen;      /* ticks, or MDE_NO_TIME */
};

struct mde_nearest_name mde_nearest_read(struct mde_text name, int64_t last_seen);

struct mde_nearest_found {
  size_t index; /* in the list of names */
  int distance;
};

/* The names that are nearest to another one, the nearest first. Returns how many there are. */
size_t mde_nearest_find(const struct mde_nearest_name *names, size_t count, struct mde_text asked,
                        struct mde_nearest_found found[MDE_NEAREST_MAX]);

#endif
