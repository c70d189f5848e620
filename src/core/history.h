/*
 * history: what a device's actions mean, and what to do about them.
 *
 * Every rule here can hurt somebody: restrict a laptop after the all-clear, or leave one free that
 * was meant to be contained. The service has no "is restricted" property, so the state is what the
 * device's actions say it is: those of one response and of its opposite. Looking before a send,
 * reading the state, judging the answer to a send and finding out the outcome of one without an
 * answer all ask these functions. Nothing is allocated; texts are borrowed.
 */
#ifndef MDE_HISTORY_H
#define MDE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "comment.h"
#include "response_actions.h"
#include "text.h"

enum mde_status {
  MDE_STATUS_PENDING, /* Pending, InProgress, and every word we do not know: not final */
  MDE_STATUS_SUCCEEDED,
  MDE_STATUS_FAILED, /* Failed and TimeOut */
  MDE_STATUS_CANCELLED
};

/* A status as the service spells it, in any case; Canceled with one l as well. */
enum mde_status mde_status_read(struct mde_text status);

/* Whether what is told of an action may take the place of what is known of it. What has ended stays
   so: a list that lags behind takes nothing back. */
bool mde_status_replaces(enum mde_status known, enum mde_status told);

/* The id of an action, a GUID. */
struct mde_id {
  unsigned char bytes[16];
};

/* Reads "5c1f9a52-0000-4000-8000-000000000001", in any case; false if that is no GUID. */
bool mde_id_read(struct mde_text text, struct mde_id *id);

/* An action as the service tells it; texts that are null there are absent here. */
struct mde_action_text {
  struct mde_text id, type, status, machine, comment, created, updated;
  struct mde_text scope; /* Full, Selective or Quick */
  struct mde_text file;  /* the file's SHA-1 */
};

/* An action as the rules see it. */
struct mde_action {
  bool counts; /* the response in question or its opposite, of the machine in question; the rest is
                  unset if not */
  bool is_unidentified; /* it does not say which action it is, or of what kind, and may be one that
                           counts; it does not count */
  bool is_claimed;      /* the claim of who asks covers it (claim.h): it is not decided otherwise */
  bool seen;            /* a look before had it; one that was cancelled since counts as not seen */
  bool differs;         /* it is of the response that is wanted, but of another scope: it does not
                           do for that (mde_action_aim) */
  bool has_id;
  struct mde_id id;
  const struct mde_response *response;
  enum mde_status status;
  int64_t created; /* ticks, or MDE_NO_TIME */
  int64_t updated; /* ticks, or MDE_NO_TIME; creation time where the service gives no update time */
  struct mde_comment comment;
  struct mde_text returned; /* the whole comment */
  struct mde_text scope, file;
};

/*
 * Reads one action of a listing that was asked for `machine`. Only this response and its opposite
 * count. An action without a machine counts as its own (fresh ones come so); one that names another
 * machine does not count. One without an id or a type is unidentified. A time after `latest`
 * (ticks; MDE_NO_TIME: any may be) is no usable one (service_time.h). Nothing is seen.
 */
struct mde_action mde_action_read(const struct mde_action_text *text, const struct mde_response *of,
                                  struct mde_text machine, int64_t latest);

/*
 * Tells what an action is wanted for: a response with this scope, or about this file (the row's
 * `subject`; absent: none). One that is about another file is another matter, and does not count.
 * One of another scope differs. What an action does not say is taken for what is wanted of a scope,
 * since captures show isolations without one; and for another of a file, unless it carries the
 * operation id that is wanted. Containing a device makes an Isolate: one that says another scope than
 * UnManagedDevice does not contain it.
 */
void mde_action_aim(struct mde_action *action, const struct mde_response *response,
                    struct mde_text subject, struct mde_text operation);

/*
 * Whether an action of the list is unidentified. Such a list never says that nothing was executed,
 * nor that what has ended still holds.
 */
bool mde_history_is_incomplete(const struct mde_action *actions, size_t count);

/* Marks an action as one that a look before had, with this status. */
void mde_action_see(struct mde_action *action, enum mde_status status);

#define MDE_NO_ACTION SIZE_MAX

enum mde_state {
  MDE_STATE_NONE, /* never applied nor released, as far as the service remembers */
  MDE_STATE_APPLIED,
  MDE_STATE_APPLYING,
  MDE_STATE_RELEASING,
  MDE_STATE_RELEASED,
  MDE_STATE_UNCLEAR /* the actions' times are missing or equal and it matters; or the list is
                       incomplete, and nothing that is known is pending */
};

/*
 * The state of a response that holds, and in `*rests_on` the action that it rests on (MDE_NO_ACTION
 * for none and unclear).
 * An action that is not final, however old, means applying or releasing: the newest created one.
 * Otherwise the succeeded one that was updated last decides, since duplicates finish out of order.
 */
enum mde_state mde_history_state(const struct mde_action *actions, size_t count,
                                 const struct mde_response *response, size_t *rests_on);

/* How much sooner than asked for a restriction may end that does for one that is asked for. */
#define MDE_UNTIL_SLACK_TICKS (300 * MDE_TICKS_PER_SECOND)

/*
 * Whether an action is a record of what somebody wants: it names his incident, or he names none;
 * and it holds as long as he wants, `until` (ticks; MDE_NO_TIME: until it is released).
 */
bool mde_action_records(const struct mde_action *action, struct mde_text incident, int64_t until);

struct mde_intent {
  const struct mde_response *response;
  struct mde_text incident; /* absent: none named */
  int64_t until;            /* ticks; MDE_NO_TIME: until it is released */
  struct mde_text
      key; /* the caller's own operation id; absent where the id was made for this call */
  bool cancel_opposite; /* the caller wants a pending opposite action cancelled */
  bool looked; /* this is not the first look: what is not seen came after the caller had decided */
};

enum mde_decision {
  MDE_DECISION_SEND,
  MDE_DECISION_ALREADY_ACTIVE,  /* `action` does it already: send nothing */
  MDE_DECISION_CONFLICT,        /* `action`, the opposite, is pending: send nothing */
  MDE_DECISION_CANCEL_OPPOSITE, /* cancel `action`, read until it is final, ask again */
  MDE_DECISION_SUPERSEDED, /* `action` has undone or cancelled the keyed one since: send nothing */
  MDE_DECISION_OVERTAKEN,  /* `action`, of after the first look, decides otherwise: send nothing */
  MDE_DECISION_DIFFERENT /* `action`, of another scope, is pending, or has the key: send nothing */
};

struct mde_look {
  enum mde_decision decision;
  size_t action; /* index, or MDE_NO_ACTION for MDE_DECISION_SEND */
  bool recorded; /* if active already: `action` is a record of what the caller wants */
};

/*
 * What to do before a send. In this order:
 *  1. The key was used before, for this response: the newest such action decides. Failed: sent
 * again. Cancelled: superseded by itself. An opposite that is pending or succeeded and was created
 *     later, or that succeeded later: superseded by that; conflict, if the times do not tell.
 *     Of another scope: different. Otherwise already active.
 *  2. In a later look, an opposite action that is pending, succeeded or failed and was not seen by
 *     the first, or an action of this kind that was cancelled since: overtaken, by the newest.
 *  3. An opposite action is pending: conflict, or cancel it.
 *  4. An action of this kind is pending: already active; one that records what the caller wants is
 *     preferred. If all that are pending are of another scope: different.
 *  5. It holds, and is applied: already active, but sent again if no such action since the last
 *     release records what the caller wants, because the comment is the only record; and if it is
 *     in another scope that it is applied.
 *     A release, and released: already active. What nothing takes back is sent again.
 *  6. Send. An unclear state is sent too: it is what the caller wants, and repeating it does no
 *     harm.
 */
struct mde_look mde_history_look(const struct mde_action *actions, size_t count,
                                 const struct mde_intent *intent);

/*
 * A send, and what was known before it. What a look has seen is older than the send, and what it
 * has not seen is newer. Clocks are asked only where nothing was looked at; then an action that was
 * created within MDE_DOUBT_TICKS of the send may be either.
 */
struct mde_sent {
  const struct mde_response *response;
  struct mde_text operation;
  bool keyed;              /* the operation id is the caller's own and may have been used before */
  struct mde_text comment; /* the whole of it */
  bool looked;
  int64_t sent_at; /* the service's time, ticks, or MDE_NO_TIME */
};

#define MDE_DOUBT_TICKS (300 * MDE_TICKS_PER_SECOND)

/*
 * Bytes: the least of our comment that tells an action as ours, where the service has cut the rest
 * off and our id with it. A colleague may have written the same few words by hand.
 */
enum { MDE_COMMENT_MIN_CUT_BYTES = 16 };

enum mde_reconciliation {
  MDE_RECONCILIATION_OURS,       /* `action` is the one that was sent */
  MDE_RECONCILIATION_ACTIVE,     /* `action`, somebody else's of the same kind, is pending */
  MDE_RECONCILIATION_SUPERSEDED, /* by `action`: never send again */
  MDE_RECONCILIATION_OPPOSITE,   /* `action`, the opposite, was pending before: wait for its end */
  MDE_RECONCILIATION_UNCLEAR,    /* whether `action` came before the send cannot be told */
  MDE_RECONCILIATION_NOTHING     /* it was not executed, as far as the list knows */
};

struct mde_reconciled {
  enum mde_reconciliation decision;
  size_t action; /* index, or MDE_NO_ACTION for MDE_RECONCILIATION_NOTHING */
};

/*
 * What the list says of a send whose fate is unknown. In this order:
 *  1. An action with our id that was not seen before (a key may have been used before, and is not
 *     ours then where it is of another scope): ours, or superseded by itself if it was cancelled.
 *  2. After the send somebody decided otherwise, by an opposite action (pending, succeeded or
 *     failed) or by the cancellation of one of this kind: superseded, by the newest.
 *  3. An action after the send whose comment is the beginning of ours, which the service has cut,
 *     and that was not cancelled and is not of another scope: ours.
 *  4. The same as 2 or 3, but whether it came after the send cannot be told; or an action with our
 *     key and of another scope, which did not fail: unclear.
 *  5. An action of this kind, and not of another scope, is pending: active.
 *  6. An opposite action is pending: opposite.
 *  7. Nothing.
 */
struct mde_reconciled mde_history_reconcile(const struct mde_action *actions, size_t count,
                                            const struct mde_sent *sent);

/*
 * The newest action by which somebody decided otherwise than `response` at `since` or later: an
 * opposite one that was created then, or one of this kind that was cancelled then; or
 * MDE_NO_ACTION. `except`: an action that does not count, or NULL. `*untimed`: an opposite action
 * that does not say when, or MDE_NO_ACTION.
 */
size_t mde_history_decided(const struct mde_action *actions, size_t count,
                           const struct mde_response *response, int64_t since,
                           const struct mde_id *except, size_t *untimed);

/* The newest action of the opposite kind that succeeded, or MDE_NO_ACTION. */
size_t mde_history_opposed(const struct mde_action *actions, size_t count,
                           const struct mde_response *response);

/*
 * What has taken back the newest action of this kind that is ours and was sent for the same
 * reason at `since` (ticks) or later: the opposite action that came after it, pending or succeeded;
 * itself, if it was cancelled; MDE_NO_ACTION if nothing has, or if there is no such action. The
 * same reason is the same incident, or without one the same text, `comment` being the whole. What
 * may have come after it counts, and so does one of ours without a time.
 */
size_t mde_history_withdrawn(const struct mde_action *actions, size_t count,
                             const struct mde_response *response, struct mde_text incident,
                             struct mde_text comment, int64_t since);

/*
 * Whether the restriction at an index is why the device is restricted, or may be: it is pending,
 * however old, since it may yet be carried out; or it succeeded later than `release`, or may have,
 * where the times do not tell. `release`: what mde_history_opposed says of the list.
 */
bool mde_history_holds(const struct mde_action *actions, size_t restriction,
                       const struct mde_response *response, size_t release);

/* The newest action with this operation id and of this kind, whatever end the ids name; or
   MDE_NO_ACTION. */
size_t mde_history_find(const struct mde_action *actions, size_t count,
                        const struct mde_response *response, struct mde_text operation);

enum mde_reply {
  MDE_REPLY_ACCEPTED,
  MDE_REPLY_CUT,            /* accepted, but the service cut our comment short */
  MDE_REPLY_ALREADY_ACTIVE, /* an earlier action was returned instead of a new one */
  MDE_REPLY_FOREIGN         /* not an answer to what was sent; what happened is unknown */
};

/*
 * Judges the action that answered a send for `machine`. `seen`: the look before had it already, so
 * it is an earlier one. So is one with another comment; and one that was created MDE_DOUBT_TICKS or
 * more before the send, if its id does not settle it: a key may have been used before, and a
 * comment that is the beginning of ours may be somebody's. Of another machine or type, without an
 * id, or an earlier action that failed or was cancelled: foreign.
 */
enum mde_reply mde_history_reply(const struct mde_action_text *text, struct mde_text machine,
                                 const struct mde_sent *sent, bool seen);

#endif
