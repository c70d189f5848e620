/*
 * alert_key: the key under which a device is acted on because of an alert (mde_key_valid).
 *
 * It is the alert's id, so that whoever reads an action's comment finds the alert, and the same
 * alert over another API has the same key. An id that no key may be, or that leaves no room for the
 * end of a restriction behind it (".until.1795960800"), is stood for by the first 20 bytes of its
 * SHA-256, in 40 hexadecimal digits: an alert of any product can be acted on.
 */
#ifndef MDE_ALERT_KEY_H
#define MDE_ALERT_KEY_H

#include "comment.h"

enum { MDE_ALERT_KEY_MAX_BYTES = MDE_OPERATION_MAX_BYTES - MDE_UNTIL_LENGTH };

/* Writes the key of an alert's id, which is not absent; returns how many bytes it has. */
size_t mde_alert_key(struct mde_text id, char out[MDE_ALERT_KEY_MAX_BYTES]);

#endif
