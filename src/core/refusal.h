/*
 * refusal: what the service says in the words of an answer that is not a success.
 *
 * Programs decide by the status, the headers and the code in the body. Some things stand in the
 * message alone; its words are here and nowhere else. A message that says them otherwise says
 * nothing, and the rules that need no words hold.
 */
#ifndef MDE_REFUSAL_H
#define MDE_REFUSAL_H

#include <stdbool.h>

#include "header.h"
#include "text.h"

/*
 * Whether an action like it is under way already, as its 400 says: by the code
 * `ActiveRequestAlreadyExists`, or by the words `Action is already in progress`.
 */
bool mde_refusal_is_active(struct mde_text code, struct mde_text message);

/* From so many seconds on, a wait in words is absurd, and says nothing. */
#define MDE_REFUSAL_ABSURD_SECONDS 100000.0

/*
 * The seconds in `again in 8 seconds`; of several the most that is not absurd. Digits with an
 * optional fraction count, and nothing else: not `-5`, `5e3`, `0x5`, `5 minutes`. False if no such
 * words are there.
 */
bool mde_refusal_wait(struct mde_text message, double *seconds);

/*
 * How long an answer asks to wait, as mde_header_retry_after tells it. Where no header does, the
 * words of a 429 count.
 */
int mde_refusal_retry_after(const struct mde_retry_headers *headers, int status,
                            struct mde_text message, double now, double *seconds);

/* Whether a 403 says that the tenant has not been set up for the service. */
bool mde_refusal_is_not_provisioned(struct mde_text message);

/*
 * The application permissions that would do, and those that the token has, which may be empty; as
 * they stand in a 403, with commas between. False if it does not name them.
 */
bool mde_refusal_roles(struct mde_text message, struct mde_text *required,
                       struct mde_text *present);

#endif
