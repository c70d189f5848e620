/*
 * failure: why a transfer brought no answer, in words for people and as a code for programs.
 */
#ifndef MDE_CURL_FAILURE_H
#define MDE_CURL_FAILURE_H

#include "transfer.h"

#define MDE_FAILURE_SIZE 1024

/* True if a finished transfer brought a whole answer. */
bool mde_transfer_answered(const struct mde_transfer *transfer);

/*
 * Writes one line: what happened, and what to do about it where that is known. It names the host,
 * and never a header, a body or a user name of a proxy; what came from outside is plain ASCII in
 * it.
 */
void mde_failure_describe(const struct mde_transfer *transfer, char text[MDE_FAILURE_SIZE]);

/* One of the codes of lua/mde/driver/driver.md. */
const char *mde_failure_code(const struct mde_transfer *transfer);

/* The same for a transfer that could not be started. */
void mde_failure_describe_start(CURLcode code, char text[MDE_FAILURE_SIZE]);
const char *mde_failure_code_of_start(CURLcode code);

#endif
