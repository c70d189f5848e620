/*
 * waves: how many changes of a run may be sent before those that were sent are looked at.
 *
 * A run of many devices goes in waves: a few, then some more, then the rest. Behind each wave but the
 * rest there is a gate: it opens when enough of what the wave sent has succeeded. So a mistake in a
 * playbook costs a few devices, and not all of them.
 *
 * A wave counts sends, and does not name devices: a playbook that calls in an order of its own takes
 * the places as it comes, and is never stuck behind a device that it does not ask for. Each send asks
 * first (mde_waves_admit) and tells how it ended (mde_waves_ended); one that did not go gives its
 * place back. So a wave is complete when as many as its size have gone.
 *
 * A gate that has closed stays closed until a person opens it; the run is paused. A run that is
 * resumed begins with what its earlier sessions sent: waves before the last one of those are past
 * their gates, and that one is judged again.
 *
 * Nothing here allocates, and there is nothing to clean up.
 */
#ifndef MDE_WAVES_H
#define MDE_WAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum {
  MDE_WAVES_MAX_SIZES = 16,
  MDE_WAVES_MAX_SIZE = 100000,
  MDE_WAVES_ONE_UP_TO = 25 /* devices: by default so many go in one wave */
};

#define MDE_GATE_MAX_SECONDS 86400.0

/* ---- what a user may say */

/* The waves in their order. Without a rest the last size repeats. */
struct mde_waves_sizes {
  size_t sizes[MDE_WAVES_MAX_SIZES]; /* each 1 to MDE_WAVES_MAX_SIZE */
  size_t count;                      /* 0: the rest is the only wave */
  bool has_rest;                     /* the wave behind these has no end, and no gate */
};

/* When a gate opens. */
struct mde_gate_rule {
  unsigned succeeded; /* percent of the wave: at least so many succeeded; 0 to 100 */
  unsigned failed; /* percent of the wave: at most so many failed, and one always may; 0 to 100 */
  double wait;     /* seconds that it waits for that; 0 to MDE_GATE_MAX_SECONDS */
};

/* 5, 45 and the rest; the rest alone for MDE_WAVES_ONE_UP_TO devices or fewer. */
struct mde_waves_sizes mde_waves_default(size_t planned);

/* 60 % succeeded, 10 % failed, 120 seconds. */
struct mde_gate_rule mde_gate_default(void);

enum mde_waves_flaw {
  MDE_WAVES_FLAW_NONE,
  MDE_WAVES_FLAW_EMPTY,    /* nothing stands between two commas, or in the text at all */
  MDE_WAVES_FLAW_NUMBER,   /* a size: neither digits nor "rest" */
  MDE_WAVES_FLAW_ZERO,     /* a size: 0 */
  MDE_WAVES_FLAW_LARGE,    /* a size: over MDE_WAVES_MAX_SIZE */
  MDE_WAVES_FLAW_NOT_LAST, /* something follows the rest */
  MDE_WAVES_FLAW_MANY,     /* over MDE_WAVES_MAX_SIZES sizes */
  MDE_WAVES_FLAW_NAME,     /* a gate: neither succeeded=, failed= nor wait= */
  MDE_WAVES_FLAW_TWICE,    /* a gate: the same name again */
  MDE_WAVES_FLAW_PERCENT,  /* a gate: not a whole number from 0 to 100 and a % */
  MDE_WAVES_FLAW_TIME      /* a gate: not digits and s, m or h; or over MDE_GATE_MAX_SECONDS */
};

/*
 * Reads `5,45,rest`. Blanks around a comma do not count. With a flaw `*item` is the part that has
 * it, in `text`, and `*sizes` is not to be used.
 */
enum mde_waves_flaw mde_waves_read(struct mde_text text, struct mde_waves_sizes *sizes,
                                   struct mde_text *item);

/*
 * Reads `succeeded=60%,failed=10%,wait=2m` into `*rule`; what is not named stays as it is there. With
 * a flaw `*item` is the part that has it, and `*rule` is not to be used.
 */
enum mde_waves_flaw mde_gate_read(struct mde_text text, struct mde_gate_rule *rule,
                                  struct mde_text *item);

/* ---- the waves of a run */

enum mde_gate {
  MDE_GATE_OPEN,
  MDE_GATE_WAIT,       /* it could still open */
  MDE_GATE_CLOSED,     /* the run is paused */
  MDE_GATE_NOT_REACHED /* not all of this wave has gone, or it has no gate */
};

/* Why a gate closed. */
enum mde_gate_reason {
  MDE_GATE_REASON_NONE,
  MDE_GATE_REASON_COUNT,     /* what was counted is not as many as the wave sent */
  MDE_GATE_REASON_FAILED,    /* too many failed */
  MDE_GATE_REASON_UNKNOWN,   /* of some it is not known */
  MDE_GATE_REASON_SUCCEEDED, /* too few succeeded, in time or for good */
};

struct mde_gate_verdict {
  enum mde_gate gate;
  enum mde_gate_reason reason; /* of one that is closed */
  size_t number;               /* how many there were; SIZE_MAX: more than can be counted */
  size_t needed;               /* how many there had to be, or might be at most */
  double wait;                 /* of one that waits: the seconds that are left for that */
};

struct mde_waves {
  struct mde_waves_sizes sizes;
  struct mde_gate_rule rule;
  size_t wave;                    /* the one that is sent, from 0 */
  size_t before;                  /* sent in the waves before it */
  size_t sent;                    /* sent in it */
  size_t in_flight;               /* admitted and not ended yet */
  double waited;                  /* at its gate, the most that was told */
  struct mde_gate_verdict closed; /* .gate is MDE_GATE_CLOSED while the run is paused */
};

/* `sent_before`: how many changes the earlier sessions of this run sent. Cannot fail. */
void mde_waves_init(struct mde_waves *waves, const struct mde_waves_sizes *sizes,
                    const struct mde_gate_rule *rule, size_t sent_before);

enum mde_waves_answer {
  MDE_WAVES_GO,
  MDE_WAVES_WAIT,  /* the places of this wave are taken, and not all that have one have ended */
  MDE_WAVES_GATE,  /* all of this wave has gone: judge it (mde_waves_judge) */
  MDE_WAVES_PAUSED /* its gate has closed */
};

/* Whether one more may be sent. MDE_WAVES_GO: it has a place, and mde_waves_ended must follow. */
enum mde_waves_answer mde_waves_admit(struct mde_waves *waves);

/*
 * One that was admitted has ended. `sent`: it went, or may have gone; else its place is free again.
 * False, and nothing is changed, if none is admitted.
 */
bool mde_waves_ended(struct mde_waves *waves, bool sent);

/* How many places the wave has; SIZE_MAX: the rest. */
size_t mde_waves_size(const struct mde_waves *waves);

/* How all that one wave sent stands. */
struct mde_wave_counts {
  size_t succeeded, failed, cancelled, pending, unknown;
};

/*
 * Judges the gate behind a wave (from 0) that has waited `waited` seconds, finite, since all of it
 * had gone. It opens with enough successes, nothing unknown and not too many failures; the next wave
 * begins. It waits while those that are pending or unknown could still make that true and there is
 * time; time that goes back does not give more. Else it closes, and says why first: what cannot
 * change any more, then what did not come in time.
 *
 * A wave that is past its gate is open, whatever the counts are: several may ask at once. One that
 * has closed stays as it is.
 */
struct mde_gate_verdict mde_waves_judge(struct mde_waves *waves, size_t wave,
                                        const struct mde_wave_counts *counts, double waited);

/*
 * A person opens the gate that has closed or waits: the next wave begins. False, and nothing is
 * changed, if no gate is reached.
 */
bool mde_waves_open(struct mde_waves *waves);

/* ---- who comes first */

struct mde_waves_device {
  struct mde_text platform; /* without regard to the case of A to Z; absent and empty are one */
  int64_t last_seen;        /* ticks, or MDE_NO_TIME */
  bool leads;               /* set by mde_waves_order */
};

/*
 * Puts into `order`, which has room for `count`, the places of the devices in the order in which they
 * are best sent, so that a result comes soon and tells of every platform: of each platform the one
 * that was seen last, up to `leaders` of them (the size of the first wave); then all others. Among
 * both the one that was seen last comes first; of those seen at the same time the first in the list.
 * One without a time comes last, and leads no platform.
 */
void mde_waves_order(struct mde_waves_device *devices, size_t count, size_t leaders, size_t *order);

#endif
