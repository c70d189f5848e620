/*
 * response_actions: what a device can be told to do, one row for each.
 *
 * A rule that is the same for all of them asks the row, never which one it is: what takes an action
 * back, and whether it cuts the device off.
 */
#ifndef MDE_RESPONSE_ACTIONS_H
#define MDE_RESPONSE_ACTIONS_H

#include <stdbool.h>

#include "text.h"

struct mde_response {
  const char *name; /* "restrict": as the caller names it */
  const char *type; /* "RestrictCodeExecution": as the service's list of actions names it */
  const char *path; /* "restrictCodeExecution": where it is posted, below the machine */
  const struct mde_response *opposite; /* what takes it back; NULL: nothing does */
  bool holds; /* it cuts the device off until the opposite succeeds. What it is for matters more
                 than looking first, so it may be sent unseen */
};

enum {
  MDE_RESPONSE_RESTRICT,
  MDE_RESPONSE_RELEASE,
  MDE_RESPONSE_ISOLATE,
  MDE_RESPONSE_UNISOLATE,
  MDE_RESPONSE_SCAN,
  MDE_RESPONSE_COLLECT,
  MDE_RESPONSE_COUNT
};

/* From the service's pages of the machine actions: isolate-machine, restrict-code-execution, ... */
extern const struct mde_response mde_responses[MDE_RESPONSE_COUNT];

/* The row with this name, or NULL. */
const struct mde_response *mde_response_named(struct mde_text name);

/* The row whose type this is, in any case, or NULL. Lists have types that no page documents. */
const struct mde_response *mde_response_of_type(struct mde_text type);

#endif
