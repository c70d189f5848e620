/*
 * signing: an RSA private key and its certificate out of a PEM text, and signatures by it.
 */
#ifndef MDE_SIGNING_H
#define MDE_SIGNING_H

#include "compat.h"

/* Adds private_key and certificate to the table at the top of the stack; see signing.c. */
void mde_open_signing(lua_State *L);

#endif
