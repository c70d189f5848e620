/*
 * sha256: SHA-256 (FIPS 180-4) of a short text, so that one can stand for another of any length.
 *
 * For names that must not collide. What is secret, and what is signed, is mde.crypto's.
 */
#ifndef MDE_SHA256_H
#define MDE_SHA256_H

#include "text.h"

enum { MDE_SHA256_BYTES = 32 };

/* The digest of a text. Nothing is allocated, and it cannot fail. */
void mde_sha256(struct mde_text text, unsigned char digest[MDE_SHA256_BYTES]);

#endif
