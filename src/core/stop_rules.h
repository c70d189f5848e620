/*
 * stop_rules: when a run of many devices must not go on.
 *
 * It is told how each change ended, in the order in which they end, and what else happened. What
 * would befall every other device, too, ends the run at once. What may be of one device alone does so
 * when it comes too often. What is of one device alone (it is protected, not found, or refuses) never
 * does.
 *
 * Once stopped it stays stopped, and the first reason stays. A run that is resumed begins with no
 * rows: a person has looked.
 *
 * Nothing here allocates, and there is nothing to clean up.
 */
#ifndef MDE_STOP_RULES_H
#define MDE_STOP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum {
  MDE_STOP_MAX = 100000,       /* the largest threshold */
  MDE_STOP_MAX_FORBIDDEN = 16, /* the largest one for different devices */
  MDE_STOP_MAX_LAST = 64       /* so many of the last can be looked back on */
};

struct mde_stop_limits {
  size_t forbidden_in_a_row; /* default 3; 1 to MDE_STOP_MAX_FORBIDDEN */
  size_t unknown_in_a_row;   /* unknown or without an answer; default 20; 1 to MDE_STOP_MAX */
  size_t unknown_last;       /* among so many of the last; default 50; 1 to MDE_STOP_MAX_LAST */
  size_t unknown_percent; /* so many of these, as if there had been as many; default 20; 1 to 100 */
  size_t superseded;      /* in the run; default 3; 1 to MDE_STOP_MAX */
};

struct mde_stop_limits mde_stop_limits_default(void);

/* Whether each is in its range. */
bool mde_stop_limits_are_valid(const struct mde_stop_limits *limits);

/* What it is told. */
enum mde_stop_event {
  /* how a change ended */
  MDE_STOP_EVENT_DONE,     /* it was accepted, or was so already */
  MDE_STOP_EVENT_ANSWERED, /* the service said no, to this device alone: it failed, is in conflict */
  MDE_STOP_EVENT_LEFT,     /* nothing was asked: it is protected, not found, ambiguous */
  MDE_STOP_EVENT_FORBIDDEN,  /* 403, and it is not said that the role is missing */
  MDE_STOP_EVENT_UNKNOWN,    /* it may have been carried out */
  MDE_STOP_EVENT_NO_ANSWER,  /* it was not carried out: 5xx, or the network */
  MDE_STOP_EVENT_SUPERSEDED, /* somebody has taken back what the run does */

  /* what ends all at once */
  MDE_STOP_EVENT_ROLE,    /* 403: the role is missing */
  MDE_STOP_EVENT_SIGN_IN, /* the sign-in is refused, for certain */
  MDE_STOP_EVENT_PROXY,   /* the proxy refuses its user and password */
  MDE_STOP_EVENT_CAP,     /* the cap is full */
  MDE_STOP_EVENT_JOURNAL, /* what is sent cannot be written down */
  MDE_STOP_EVENT_STORE,   /* the store that keeps the limits fails */
  MDE_STOP_EVENT_ASKED,   /* a person, a signal or a stop file */
  MDE_STOP_EVENT_UNTIL,   /* the time until which it may run has come */
  MDE_STOP_EVENTS         /* how many there are */
};

/* "no_answer" for instance. */
const char *mde_stop_event_name(enum mde_stop_event event);

enum mde_stop_rule {
  MDE_STOP_RULE_NONE,
  MDE_STOP_RULE_ROLE,
  MDE_STOP_RULE_SIGN_IN,
  MDE_STOP_RULE_PROXY,
  MDE_STOP_RULE_FORBIDDEN, /* `count` different devices in a row, without a success between */
  MDE_STOP_RULE_UNKNOWN_IN_A_ROW, /* `count` unknown or without an answer in a row */
  MDE_STOP_RULE_UNKNOWN_LAST,     /* `count` unknown among the last `of` */
  MDE_STOP_RULE_SUPERSEDED,       /* `count` in the run */
  MDE_STOP_RULE_CAP,              /* until `retry_at` */
  MDE_STOP_RULE_JOURNAL,
  MDE_STOP_RULE_STORE,
  MDE_STOP_RULE_ASKED,
  MDE_STOP_RULE_UNTIL,
  MDE_STOP_RULES /* how many there are */
};

/* "unknown_in_a_row" for instance; NULL for MDE_STOP_RULE_NONE. */
const char *mde_stop_rule_name(enum mde_stop_rule rule);

enum mde_stop_kind {
  MDE_STOP_GO_ON,
  MDE_STOP_ABORT, /* it makes no sense to go on before something was mended */
  MDE_STOP_PAUSE, /* a person should look */
  MDE_STOP_STOP   /* it was to end, or can keep no account of what it does */
};

struct mde_stop {
  enum mde_stop_kind kind;
  enum mde_stop_rule rule;
  size_t count;    /* how many there were, 1 where one is enough */
  size_t limit;    /* how many are enough */
  size_t of;       /* among how many of the last; 0 with any other rule */
  double retry_at; /* of the cap, as it was told; else 0 */
};

struct mde_stop_rules {
  struct mde_stop_limits limits;
  struct mde_stop stop;                       /* the first one */
  uint64_t forbidden[MDE_STOP_MAX_FORBIDDEN]; /* the devices of the row, by a hash */
  size_t forbidden_in_a_row;
  size_t unknown_in_a_row;
  size_t superseded;
  uint64_t last; /* a bit for each of the last, the lowest for the newest: it was unknown */
};

/* `limits` are valid. Cannot fail. */
void mde_stop_rules_init(struct mde_stop_rules *rules, const struct mde_stop_limits *limits);

/*
 * Tells it what happened; returns whether the run goes on. `device`: any text that is one device's,
 * without regard to the case of A to Z; absent or empty, it counts as one of its own. Only
 * MDE_STOP_EVENT_FORBIDDEN reads it. `retry_at`: only MDE_STOP_EVENT_CAP reads it.
 *
 * A success ends every row. Any other answer ends the row of those that are unknown or without one.
 * What was left is as if it had never been told.
 */
struct mde_stop mde_stop_rules_note(struct mde_stop_rules *rules, enum mde_stop_event event,
                                    struct mde_text device, double retry_at);

#endif
