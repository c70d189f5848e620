/*
 * evidence: which devices an alert is about, and which of them may be acted on.
 *
 * Each piece of evidence about a device becomes part of one device. Pieces with one machine id are
 * one device, and so are pieces without any whose Entra id and name are the same; a piece without
 * a machine id is never taken for a device that has one.
 *
 * A device may be acted on (mde_evidence_is_target) if
 *
 *   - it has a machine id, 40 hexadecimal digits that are not all zero: else Defender for Endpoint
 *     does not know it, and nothing can be sent to it;
 *   - it is onboarded, or no piece says whether it is. Where pieces differ, one that says so is
 *     enough: the service refuses an action on a device that is not;
 *   - it was hit, and not only seen nearby. Its roles tell: without a role, and with `unknown`
 *     alone, it is what the alert is about; with `compromised`, `attacked`, `attacker` or
 *     `suspicious` among them, it was hit; with others alone, `contextual` and `source` for
 *     example, or with one that is not known here, it is contextual. One role that says that it was
 *     hit is enough, in whichever piece.
 *
 * Words are compared without regard to the case of A to Z. Nothing here allocates.
 */
#ifndef MDE_EVIDENCE_H
#define MDE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* A piece of evidence about a device; absent where the service says nothing, or what is no text. */
struct mde_evidence_piece {
  struct mde_text id; /* the machine id */
  struct mde_text entra_id;
  struct mde_text name;
  struct mde_text onboarding;
  const struct mde_text *roles;
  size_t role_count;
};

/* Why a device cannot be acted on. */
enum mde_evidence_problem {
  MDE_EVIDENCE_PROBLEM_NONE,
  MDE_EVIDENCE_PROBLEM_NO_ID,        /* no piece has a machine id; an empty text is none */
  MDE_EVIDENCE_PROBLEM_MALFORMED_ID, /* what stands there is no machine id */
  MDE_EVIDENCE_PROBLEM_NOT_ONBOARDED
};

struct mde_evidence_device {
  size_t first; /* the index of its first piece */
  enum mde_evidence_problem problem;
  bool is_contextual;
};

/*
 * The devices that `count` pieces are about, in the order of their first pieces; returns how many.
 * `devices` and `device_of` have room for `count`: device_of[i] is the index of the device that
 * piece i is a part of. Takes time in proportion to count * log(count).
 */
size_t mde_evidence_devices(const struct mde_evidence_piece *pieces, size_t count,
                            struct mde_evidence_device *devices, size_t *device_of);

/* Whether it may be acted on. */
bool mde_evidence_is_target(const struct mde_evidence_device *device);

#endif
