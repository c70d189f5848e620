/*
 * signing: RSA private keys out of a PEM text, and signatures by them.
 */
#ifndef MDE_SIGNING_H
#define MDE_SIGNING_H

#include "compat.h"
#include "libcrypto.h"

#define MDE_KEY_TYPE "mde.crypto.key"

/* What the userdata is. */
struct mde_key {
  struct mde_libcrypto_signing libcrypto;
  struct evp_pkey_st *key; /* NULL: none, or freed */
  int bits;
};

/* Adds private_key to the table at the top of the stack; see signing.c. */
void mde_open_signing(lua_State *L);

#endif
