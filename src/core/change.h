/*
 * change: the life of one response action, a restrict say, from the first look to its result.
 *
 * A change does no I/O. It says what it wants next, and is told what happened. Its caller may stop
 * at any time, and the result says what is known by then. Whether to send, what a lost
 * answer came to and whether to send again is decided here and nowhere else.
 *
 *   LOOK    HISTORY, and as long as an opposite action is pending: SLOT, CANCEL, END, HISTORY
 *   SEND    SLOT, SEND; what is old by then is read again right before it leaves
 *   FIND    after a lost answer: SLEEP, HISTORY, SLEEP, HISTORY; then, once, SEND again, and FIND
 *
 * Nothing is allocated, and no action is kept: only ids, statuses and times. Copying a change
 * copies it. The texts of an order belong to the caller and outlive every call; the order is the
 * same in all of them.
 */
#ifndef MDE_CHANGE_H
#define MDE_CHANGE_H

#include "order.h"
#include "seen.h"

enum {
  /* Opposite actions that one change cancels before it gives up: somebody else acts on the device,
     too. */
  MDE_CHANGE_MAX_CANCELS = 10
};

/* How old what a send rests on may be when it leaves. */
#define MDE_CHANGE_LOOK_TICKS (60 * MDE_TICKS_PER_SECOND)
/* How long after a lost answer the list is read, and how long after that again: lists lag. */
#define MDE_CHANGE_FIRST_WAIT_TICKS (2 * MDE_TICKS_PER_SECOND)
#define MDE_CHANGE_SECOND_WAIT_TICKS (5 * MDE_TICKS_PER_SECOND)

/* When something is told. Ticks, or MDE_NO_TIME. */
struct mde_moment {
  int64_t now;     /* by a clock that only goes forward; never MDE_NO_TIME */
  int64_t sent_at; /* of an answer, or of none: when the request left, by the service's time */
};

enum mde_want {
  MDE_WANT_NOTHING, /* it has ended */
  MDE_WANT_HISTORY, /* the device's actions: mde_change_history or MDE_EVENT_UNREADABLE */
  MDE_WANT_SLOT,    /* a place under the cap: MDE_EVENT_SLOT_TAKEN or _DENIED */
  MDE_WANT_CANCEL,  /* of the action that the last history was about: MDE_EVENT_CANCELLED or _DENIED
                     */
  MDE_WANT_END,     /* reading that action until it is final: MDE_EVENT_ENDED or _OPEN */
  MDE_WANT_SEND,    /* MDE_EVENT_SENDING before each attempt, then the answer or the failure */
  MDE_WANT_SLEEP    /* MDE_EVENT_SLEPT */
};

enum mde_reading {
  MDE_READING_CACHED, /* a list of all devices' actions will do that is a minute old at most */
  MDE_READING_NOW,    /* such a list, read after this was wanted */
  MDE_READING_OWN     /* the list of this device alone, read after this was wanted */
};

enum mde_phase { MDE_PHASE_LOOK, MDE_PHASE_SEND, MDE_PHASE_FIND };

struct mde_wanted {
  enum mde_want want;
  enum mde_phase phase;
  enum mde_reading reading; /* of HISTORY */
  int64_t wait;             /* ticks, of SLEEP */
};

enum mde_event {
  MDE_EVENT_UNREADABLE,
  MDE_EVENT_SLOT_TAKEN,
  MDE_EVENT_SLOT_DENIED,
  MDE_EVENT_CANCELLED,     /* or refused since it has ended, or nobody knows: its end tells */
  MDE_EVENT_CANCEL_DENIED, /* it cannot be cancelled: permission, sign-in, limits */
  MDE_EVENT_ENDED,         /* the action is final */
  MDE_EVENT_OPEN,          /* it is not, or that could not be read in time */
  MDE_EVENT_SENDING,       /* it leaves now: from here on it may arrive. Told again for a further
                              attempt, which is made only if the one before was not executed */
  MDE_EVENT_SENDING_LATER, /* the same, but others may have changed the device since the last look
                            */
  MDE_EVENT_NOT_SENT,      /* certainly nothing of it arrived */
  MDE_EVENT_REFUSED,       /* the service said no */
  MDE_EVENT_ACTIVE,        /* the service said that such an action is in progress */
  MDE_EVENT_LOST,          /* nobody knows whether the service took it */
  MDE_EVENT_SLEPT,
  MDE_EVENT_TIME_UP, /* there is no time left for what is wanted */
  MDE_EVENT_STOPPED  /* the caller does not want it any more, or was ended; at any time */
};

enum {
  MDE_CHANGE_OK = 0,
  MDE_CHANGE_UNASKED = -1, /* that is not what it wants: nothing has changed */
  MDE_CHANGE_STALE = -2    /* to SENDING: do not send. Ask what it wants; the slots are kept */
};

enum mde_fate {
  MDE_FATE_ACCEPTED,
  MDE_FATE_ALREADY_ACTIVE,
  MDE_FATE_WOULD_SEND,
  MDE_FATE_CONFLICT,
  MDE_FATE_SUPERSEDED,
  MDE_FATE_PROTECTED, /* no place under the cap */
  MDE_FATE_REFUSED,
  MDE_FATE_NOT_SENT, /* nothing was sent, and nothing of it has arrived */
  MDE_FATE_UNKNOWN   /* it was sent, and what came of it could not be established */
};

/* Why it ended so. The action that is meant is that of the last history or answer. */
enum mde_reason {
  MDE_REASON_NONE,
  MDE_REASON_KEY,             /* superseded: what was done under the key was undone since */
  MDE_REASON_DECIDED,         /* superseded: somebody decided otherwise after the caller */
  MDE_REASON_WITHDRAWN,       /* superseded: somebody has taken back one like it */
  MDE_REASON_DECIDED_ON_LOSS, /* superseded: the same, and it was sent and its answer lost */
  MDE_REASON_OPPOSITE,        /* conflict, unknown: the opposite action is pending */
  MDE_REASON_UNTIMED,         /* conflict: an opposite action does not say when it was decided */
  MDE_REASON_CANCEL_DENIED,   /* conflict: the opposite action could not be cancelled */
  MDE_REASON_CANCEL_LATE,     /* conflict: it could not in time */
  MDE_REASON_CANCELS,         /* conflict: opposite actions keep appearing */
  MDE_REASON_UNREADABLE,      /* not sent, refused, unknown: the history could not be read */
  MDE_REASON_STOPPED,         /* not sent, unknown */
  MDE_REASON_TIME,            /* unknown: the time was up before the list was read twice */
  MDE_REASON_ABSENT,          /* unknown: the service says that there is no such list */
  MDE_REASON_INCOMPLETE,      /* not sent, unknown: what cannot be identified may tell otherwise */
  MDE_REASON_UNCLEAR,         /* unknown: whether an action came before the send cannot be told */
  MDE_REASON_NOT_SHOWN,       /* refused, unknown: no list shows it */
  MDE_REASON_RESENT,          /* unknown: sent again, it was refused */
  MDE_REASON_NOT_RESENT,      /* unknown: it did not leave again */
  MDE_REASON_HELD,            /* conflict: by a restriction that the claim does not cover */
  MDE_REASON_NOT_HELD,        /* conflict: by nothing that the claim covers */
  MDE_REASON_DIFFERENT /* conflict: one of another scope or file is pending, or has the key */
};

enum mde_slot { MDE_SLOT_NONE, MDE_SLOT_RETURN, MDE_SLOT_COUNT };

struct mde_result {
  enum mde_fate fate;
  enum mde_reason reason;
  int sends;     /* how often it left, repetitions of a refused attempt not counted */
  bool looked;   /* the history could be read before the send */
  bool recorded; /* of ALREADY_ACTIVE: the action names the caller's incident, or none was named */
  bool reconciled;  /* the action was found in a list */
  bool comment_cut; /* the service cut the comment short */
  enum mde_slot slot;
};

/* Opaque, but for its size; nothing points outside. */
struct mde_change {
  int64_t looked_at; /* when the list was asked for that it rests on; MDE_NO_TIME: none was */
  int64_t sent_at;   /* when the first was sent whose answer was lost, by the service's time */
  int64_t began;     /* by the clock of looked_at */
  struct mde_seen seen;
  int cancels, sends; /* sends that have ended, however */
  unsigned char step, after_slot, fate, reason, reading;
  bool has_looked_again; /* since it was too old to leave; once for each attempt */
  bool has_seen;         /* there was a first look */
  bool in_flight;        /* it has left, and has not ended */
  bool may_have_arrived, has_slot, was_absent, was_shared, was_incomplete;
  bool was_told; /* an answer had our key, of another scope: ours, or one of before */
  bool looked, recorded, reconciled, comment_cut; /* of the result */
};

/* `now`: when the caller asked for it, by the clock of a moment. */
void mde_change_begin(struct mde_change *change, const struct mde_order *order, int64_t now);

/* What is known of a send whose answer was lost, and whose change is gone. */
struct mde_lost {
  int64_t sent_at; /* when it left first, by the service's time; ticks, or MDE_NO_TIME */
  int sends;       /* how often it left: 1 or 2 */
  bool looked;     /* what the look before it had is told by mde_change_see, action by action */
};

/*
 * Begins in the middle: with finding out the outcome of such a send. That is later than the first
 * wait after it.
 */
void mde_change_begin_lost(struct mde_change *change, const struct mde_order *order,
                           const struct mde_lost *lost, int64_t now);

/* The caller knew of this action before it decided. What a look has said of it counts more. */
void mde_change_see(struct mde_change *change, struct mde_id id, enum mde_status status);

struct mde_wanted mde_change_next(const struct mde_change *change);

struct mde_list {
  unsigned flags;   /* MDE_LIST_... */
  int64_t read_at;  /* when it was asked for, by the clock of a moment */
  int64_t told_at;  /* when it came, by the same */
  int64_t began_at; /* when the change began, by the service's time as it is known now */
};

/*
 * Tells the device's actions. Marks in `actions` what was seen. `*about`: the action that the next
 * want or the result is about, or MDE_NO_ACTION. `*overturned`: the newest opposite action that
 * succeeded and against which a send would go, or MDE_NO_ACTION. MDE_CHANGE_OK or _UNASKED.
 */
int mde_change_history(struct mde_change *change, const struct mde_order *order,
                       struct mde_action *actions, size_t count, const struct mde_list *list,
                       size_t *about, size_t *overturned);

/*
 * Tells the action that answered the send. MDE_CHANGE_OK or _UNASKED. One of another scope, or about
 * another file, is a conflict, unless our own id says that it is ours; behind a lost answer it says
 * nothing of what was lost, which is looked for again. One of another scope that has our key may be
 * ours or one of before: that is looked for, too, and nothing is sent again.
 */
int mde_change_answer(struct mde_change *change, const struct mde_order *order,
                      const struct mde_action_text *answer, struct mde_moment moment);

/* Tells anything else. MDE_CHANGE_OK, _UNASKED or _STALE. */
int mde_change_tell(struct mde_change *change, const struct mde_order *order, enum mde_event event,
                    struct mde_moment moment);

/* Whether a change can have these contents. Bytes from outside may have others. */
bool mde_change_is_valid(const struct mde_change *change);

/* What is known, at any time: as if it ended now. */
struct mde_result mde_change_result(const struct mde_change *change);

#endif
