/*
 * certificate: the certificates of a private key, out of a PEM text with others among them.
 */
#ifndef MDE_CERTIFICATE_H
#define MDE_CERTIFICATE_H

#include "compat.h"

/* Adds certificates to the table at the top of the stack; see certificate.c. */
void mde_open_certificate(lua_State *L);

#endif
