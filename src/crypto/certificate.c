/*
 * The part of mde.crypto that reads certificates:
 *
 *   crypto.certificates(pem [, key]) -> list | nil, problem, code
 *
 * The list has those of the key in the order in which they stand in the text, each as { der,
 * sha256, sha1, not_before, not_after, subject, chain }. Of several, a renewed one and those before
 * it, the caller chooses: only it knows what time it is. `chain` is a list of the DER of those
 * certificates of the text that lead from it to its root.
 */
#include "certificate.h"

#include <stdio.h>
#include <string.h>

#include "libcrypto.h"
#include "pem.h"
#include "pem_argument.h"
#include "signing.h"

#define CERTIFICATES "mde.crypto.certificates"

#define MAX_CERTIFICATES 64
#define MAX_DIGEST_BYTES 64
#define SHA256_BYTES 32
#define SHA1_BYTES 20
#define ISSUED 0 /* what X509_check_issued says of an issuer */
/* ERR_GET_REASON, of which the bits used here are where they are in each version, and
 * PEM_R_NO_START_LINE, which a text ends with. */
#define REASON 0xfff
#define NO_FURTHER_BLOCK 108

/* All certificates of a text. */
struct certificates {
  struct mde_libcrypto_signing libcrypto;
  size_t count;
  struct x509_st *all[MAX_CERTIFICATES];
};

/* ---- reading */

static int certificates_free(lua_State *L)
{
  struct certificates *owner = luaL_checkudata(L, 1, CERTIFICATES);
  while (owner->count > 0)
    owner->libcrypto.X509_free(owner->all[--owner->count]);
  return 0;
}

/* A certificate is no secret; without this OpenSSL would ask the terminal for a password. */
static int refuse_password(char *buffer, int size, int for_writing, void *context)
{
  (void)buffer;
  (void)size;
  (void)for_writing;
  (void)context;
  return -1;
}

static const char unreadable[] = "one of the certificates in it cannot be read: it was changed";

/* Reads them all. NULL, or what went wrong. One that cannot be read hides those behind it, of which
 * one may be the renewed one. */
static const char *read_all(struct certificates *owner, struct mde_text pem)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  struct bio_st *bio = libcrypto->BIO_new_mem_buf(pem.bytes, (int)pem.length);
  if (bio == NULL) return "there is not enough memory";
  const char *problem = NULL;
  libcrypto->ERR_clear_error();
  for (;;) {
    struct x509_st *next = libcrypto->PEM_read_bio_X509(bio, NULL, refuse_password, NULL);
    if (next == NULL) {
      if ((libcrypto->ERR_get_error() & REASON) != NO_FURTHER_BLOCK) problem = unreadable;
      break;
    }
    if (owner->count == MAX_CERTIFICATES) {
      libcrypto->X509_free(next);
      problem = "there are more than 64 certificates in it";
      break;
    }
    owner->all[owner->count++] = next;
  }
  libcrypto->BIO_free(bio);
  libcrypto->ERR_clear_error();
  return problem;
}

struct digest {
  unsigned char bytes[MAX_DIGEST_BYTES];
  unsigned int length;
};

static bool same_public_key(const struct mde_libcrypto_signing *libcrypto, const struct x509_st *a,
                            const struct x509_st *b)
{
  struct digest of_a = {.length = 0}, of_b = {.length = 0};
  return libcrypto->X509_pubkey_digest(a, libcrypto->EVP_sha256(), of_a.bytes, &of_a.length) == 1 &&
         libcrypto->X509_pubkey_digest(b, libcrypto->EVP_sha256(), of_b.bytes, &of_b.length) == 1 &&
         of_a.length == of_b.length && memcmp(of_a.bytes, of_b.bytes, of_a.length) == 0;
}

/* Whether a certificate is of `key`; without one, of the key that the first certificate has. */
static bool belongs(const struct certificates *owner, size_t which, const struct evp_pkey_st *key)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  if (key == NULL) return same_public_key(libcrypto, owner->all[0], owner->all[which]);
  bool is_of_key = libcrypto->X509_check_private_key(owner->all[which], key) == 1;
  libcrypto->ERR_clear_error();
  return is_of_key;
}

/* Unix seconds of a time in a certificate; false if it is malformed. */
static bool read_time(const struct mde_libcrypto_signing *libcrypto,
                      const struct asn1_string_st *time, double *seconds)
{
  struct asn1_string_st *epoch = libcrypto->ASN1_TIME_set(NULL, 0);
  int days = 0, rest = 0;
  bool read = epoch != NULL && libcrypto->ASN1_TIME_diff(&days, &rest, epoch, time) == 1;
  if (epoch != NULL) libcrypto->ASN1_TIME_free(epoch);
  *seconds = days * 86400.0 + rest;
  return read;
}

/* ---- what leads from one to its root */

/* The issuer of a certificate among those that are not `used` yet; of several the one that ends
 * last, since issuers are renewed too. Returns `owner->count` if no issuer is left. */
static size_t issuer_of(const struct certificates *owner, size_t which, const bool *used)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  size_t best = owner->count;
  double best_end = 0;
  for (size_t i = 0; i < owner->count; i++) {
    double end;
    if (used[i] || libcrypto->X509_check_issued(owner->all[i], owner->all[which]) != ISSUED ||
        !read_time(libcrypto, libcrypto->X509_get0_notAfter(owner->all[i]), &end))
      continue;
    if (best == owner->count || end > best_end) {
      best = i;
      best_end = end;
    }
  }
  return best;
}

/* ---- for Lua */

/* Pushes a certificate's own bytes; false, and nothing pushed, if OpenSSL cannot write them. */
static bool push_der(lua_State *L, const struct certificates *owner, size_t which)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  int length = libcrypto->i2d_X509(owner->all[which], NULL);
  if (length <= 0) return false;
  unsigned char *bytes = lua_newuserdata(L, (size_t)length);
  unsigned char *end = bytes;
  libcrypto->i2d_X509(owner->all[which], &end);
  lua_pushlstring(L, (const char *)bytes, (size_t)length);
  lua_remove(L, -2);
  return true;
}

static bool digest_of(const struct mde_libcrypto_signing *libcrypto, const struct evp_md_st *type,
                      struct mde_text der, struct digest *digest)
{
  return libcrypto->EVP_Digest(der.bytes, der.length, digest->bytes, &digest->length, type, NULL) ==
         1;
}

/* Adds the certificate's bytes and their digests to the table at the top. */
static const char *set_der(lua_State *L, const struct certificates *owner, size_t which)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  struct mde_text der;
  struct digest sha256, sha1;
  if (!push_der(L, owner, which)) return "the certificate cannot be written";
  der.bytes = lua_tolstring(L, -1, &der.length);
  bool computed = digest_of(libcrypto, libcrypto->EVP_sha256(), der, &sha256) &&
                  digest_of(libcrypto, libcrypto->EVP_sha1(), der, &sha1);
  lua_setfield(L, -2, "der");
  if (!computed) return "OpenSSL refuses to compute the certificate's thumbprint";
  lua_pushlstring(L, (const char *)sha256.bytes, SHA256_BYTES);
  lua_setfield(L, -2, "sha256");
  lua_pushlstring(L, (const char *)sha1.bytes, SHA1_BYTES);
  lua_setfield(L, -2, "sha1");
  return NULL;
}

static const char *set_facts(lua_State *L, const struct certificates *owner, size_t which)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  const struct x509_st *certificate = owner->all[which];
  double not_before, not_after;
  if (!read_time(libcrypto, libcrypto->X509_get0_notBefore(certificate), &not_before) ||
      !read_time(libcrypto, libcrypto->X509_get0_notAfter(certificate), &not_after))
    return "the certificate has no times between which it is valid";
  lua_pushnumber(L, not_before);
  lua_setfield(L, -2, "not_before");
  lua_pushnumber(L, not_after);
  lua_setfield(L, -2, "not_after");
  char subject[256] = "";
  libcrypto->X509_NAME_oneline(libcrypto->X509_get_subject_name(certificate), subject,
                               (int)sizeof subject);
  lua_pushstring(L, subject);
  lua_setfield(L, -2, "subject");
  return NULL;
}

static const char *set_chain(lua_State *L, const struct certificates *owner, size_t which)
{
  bool used[MAX_CERTIFICATES] = {false};
  int length = 0;
  lua_newtable(L);
  used[which] = true;
  for (;;) {
    const bool is_root =
        owner->libcrypto.X509_check_issued(owner->all[which], owner->all[which]) == ISSUED;
    which = is_root ? owner->count : issuer_of(owner, which, used);
    if (which == owner->count) break;
    used[which] = true;
    if (!push_der(L, owner, which)) return "a certificate of the chain cannot be written";
    lua_rawseti(L, -2, ++length);
  }
  owner->libcrypto.ERR_clear_error();
  lua_setfield(L, -2, "chain");
  return NULL;
}

/* Pushes the list. One that cannot be described is left out if there is another. */
static const char *push_own(lua_State *L, const struct certificates *owner,
                            const struct evp_pkey_st *key)
{
  const char *problem = "none of the certificates in it belongs to the private key";
  int count = 0;
  lua_newtable(L);
  for (size_t i = 0; i < owner->count; i++) {
    if (!belongs(owner, i, key)) continue;
    const int top = lua_gettop(L);
    lua_newtable(L);
    const char *flaw = set_der(L, owner, i);
    if (flaw == NULL) flaw = set_facts(L, owner, i);
    if (flaw == NULL) flaw = set_chain(L, owner, i);
    if (flaw == NULL)
      lua_rawseti(L, top, ++count);
    else
      problem = flaw;
    lua_settop(L, top);
  }
  return count > 0 ? NULL : problem;
}

static int crypto_certificates(lua_State *L)
{
  lua_settop(L, 2);
  const struct mde_key *key = lua_isnil(L, 2) ? NULL : luaL_checkudata(L, 2, MDE_KEY_TYPE);
  if (key != NULL && key->key == NULL) return luaL_error(L, "the key has been freed");
  int flaw;
  struct mde_text pem = mde_push_pem(L, 1, &flaw);
  struct certificates *owner = mde_newuserdata(L, sizeof *owner);
  memset(owner, 0, sizeof *owner);
  luaL_getmetatable(L, CERTIFICATES);
  lua_setmetatable(L, -2);
  char reason[512];
  const char *problem = reason, *code = "certificate_unusable";
  if (mde_libcrypto_find_signing(&owner->libcrypto, reason, sizeof reason))
    problem = flaw != MDE_PEM_OK ? mde_pem_problem(flaw) : read_all(owner, pem);
  mde_clear_pem(L, 3);
  if (flaw != MDE_PEM_OK || problem == unreadable) code = "pem_malformed";
  if (problem == NULL && owner->count == 0) problem = "there is no certificate in it";
  if (problem == NULL) problem = push_own(L, owner, key != NULL ? key->key : NULL);
  if (problem == NULL) return 1;
  lua_pushnil(L);
  lua_pushstring(L, problem);
  lua_pushstring(L, code);
  return 3;
}

/* ---- opening */

static const luaL_Reg functions[] = {
    {"certificates", crypto_certificates},
    {NULL, NULL},
};

static const luaL_Reg no_methods[] = {{NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__gc", certificates_free},
    {NULL, NULL},
};

void mde_open_certificate(lua_State *L)
{
  mde_metatable(L, CERTIFICATES, no_methods, metamethods);
  lua_pop(L, 1);
  mde_setfuncs(L, functions);
}
