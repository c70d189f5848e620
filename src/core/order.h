/*
 * order: what a caller wants of a device, and what a list of its actions says of that before it is
 * sent.
 *
 * One list is asked about at a time, and nothing is remembered. What is known of earlier lists, and
 * what follows, is the change's (change.h).
 */
#ifndef MDE_ORDER_H
#define MDE_ORDER_H

#include "claim.h"

struct mde_order {
  const struct mde_response *response;
  struct mde_text machine, operation;
  struct mde_text subject;  /* the scope or the file's SHA-1, as the response's row says; absent:
                               none */
  struct mde_text incident; /* absent: none named */
  struct mde_text comment;  /* the whole of it, with its suffix */
  bool keyed;               /* the operation id is the caller's own: it may have been used before */
  bool look;                /* false: send unseen */
  bool resend;              /* false: never send again */
  bool cancel_opposite;     /* cancel an opposite action that is pending; false: a conflict */
  bool dry_run;             /* change nothing: say what would be done */
  int64_t decided_at; /* ticks; MDE_NO_TIME: when the change began, so not in its first look */
  bool is_decided_on; /* the decision rests on an action, which does not supersede it: */
  struct mde_id decided_on;
  int64_t withdrawn_since; /* ticks: one like it that was sent then or later, and that somebody has
                              taken back, is not repeated; MDE_NO_TIME: it is */
  bool is_claim; /* of a release: it is sent only if `claim` covers all that hold the device */
  bool claims_expired; /* the claim covers what has expired when the change begins */
  struct mde_claim claim;
};

/* Tells each action of a list what is wanted (mde_action_aim). Comes before the rest. */
void mde_order_aim(const struct mde_order *order, struct mde_action *actions, size_t count);

/*
 * Marks what the claim of an order covers, if it has one: a restriction that is to be taken back is
 * no decision against that. `began_at`: as for mde_order_assess.
 */
void mde_order_mark(const struct mde_order *order, struct mde_action *actions, size_t count,
                    int64_t began_at);

/* Whether it rests on what was done before: under its key, or since it was decided. */
bool mde_order_is_particular(const struct mde_order *order);

enum {
  MDE_LIST_CACHED = 1, /* it was read before it was wanted */
  MDE_LIST_SHARED = 2, /* it is of all devices: it may not show what the device's own does */
  MDE_LIST_ABSENT = 4, /* the service said that there is no such list */
  MDE_LIST_SINGLE = 8  /* for a call that stands alone: it does not end by such a list */
};

enum mde_assessed {
  MDE_ASSESSED_SEND,
  MDE_ASSESSED_CANCEL,         /* `action`, the opposite, is pending and to be cancelled first */
  MDE_ASSESSED_ALREADY_ACTIVE, /* `action` does it already */
  MDE_ASSESSED_CONFLICT,       /* `action`, the opposite, is pending */
  MDE_ASSESSED_UNTIMED,        /* `action`, the opposite, does not say when it was decided */
  MDE_ASSESSED_UNDONE,         /* by `action`: what was done under the key */
  MDE_ASSESSED_DECIDED,        /* by `action`, otherwise, since the caller decided */
  MDE_ASSESSED_WITHDRAWN,      /* by `action`: one like it */
  MDE_ASSESSED_HELD,           /* by `action`, which the claim does not cover */
  MDE_ASSESSED_DIFFERENT,      /* `action`, of another scope, is pending, or has the key */
  MDE_ASSESSED_NOT_HELD,       /* by anything that the claim covers, nor by anything else */
  MDE_ASSESSED_INCOMPLETE,     /* what cannot be identified may be what it rests on */
  MDE_ASSESSED_UNTOLD          /* by this list; the device's own tells */
};

struct mde_assessment {
  enum mde_assessed assessed;
  size_t action; /* index, or MDE_NO_ACTION */
  bool recorded; /* if active already: `action` names the caller's incident, or none was named */
};

/*
 * What a list says of an order. In `actions` is marked what the first look has seen (seen.h): what
 * is not marked was decided since. `flags`: MDE_LIST_...
 *
 * A list that was read for others may say that it is to be sent, and that it is active already
 * unless that would end a call that stands alone. What stands in the way may be gone by now, so
 * that is untold. If such a list is incomplete, it says that it is to be sent only of a device
 * without a past and of an order that is not particular: what cannot be identified may be
 * another's.
 *
 * `began_at`: when the change began, by the service's time, ticks; MDE_NO_TIME: nobody knows, and
 * nothing has expired.
 *
 * The device's own list, if it is incomplete, keeps a particular order from being sent, and from
 * being taken as active by what has ended: the key may have been used, or somebody have decided
 * otherwise. Any other order is sent: an unclear state is no reason to leave a device as it is.
 */
struct mde_assessment mde_order_assess(const struct mde_order *order,
                                       const struct mde_action *actions, size_t count,
                                       unsigned flags, int64_t began_at);

/* What has taken back one like it, if that is not to be repeated; else MDE_NO_ACTION. */
size_t mde_order_withdrawn(const struct mde_order *order, const struct mde_action *actions,
                           size_t count);

#endif
