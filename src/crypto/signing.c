/*
 * The part of mde.crypto that signs:
 *
 *   crypto.private_key(pem [, password]) -> key | nil, problem, code
 *   crypto.certificate(pem [, key]) -> { der, sha256, sha1, not_before, not_after, subject }
 *                                    | nil, problem
 *   key:sign(algorithm, message) -> signature | nil, problem     "PS256" or "RS256"
 *   key:bits() -> 2048
 *
 * Texts are strings or values of mde.core.secret, and are read where they are kept: no copy of a
 * key or a password is made here. OpenSSL wipes what it has of them when it frees it. Whatever is
 * OpenSSL's is owned by a userdata before anything of Lua is called that may raise.
 */
#include "signing.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "libcrypto.h"
#include "secret_value.h"
#include "text.h"

#define KEY "mde.crypto.key"
#define CERTIFICATE "mde.crypto.certificate"

#define MIN_KEY_BITS 2048        /* NIST SP 800-131A; Entra takes no shorter key */
#define MAX_SIGNATURE_BYTES 2048 /* of a key of 16384 bits */
#define MAX_DIGEST_BYTES 64
#define SHA256_BYTES 32
#define SHA1_BYTES 20

struct key {
  struct mde_libcrypto_signing libcrypto;
  struct evp_pkey_st *key; /* NULL: none, or freed */
  int bits;
};

struct certificate {
  struct mde_libcrypto_signing libcrypto;
  struct x509_st *certificate;
};

static bool text_at(lua_State *L, int index, struct mde_text *text)
{
  const struct mde_secret *secret = mde_test_secret(L, index);
  if (secret != NULL) {
    *text = (struct mde_text){secret->length > 0 ? secret->bytes : "", secret->length};
    return true;
  }
  if (lua_type(L, index) != LUA_TSTRING) return false;
  text->bytes = lua_tolstring(L, index, &text->length);
  return true;
}

static struct mde_text check_text(lua_State *L, int index)
{
  struct mde_text text;
  if (!text_at(L, index, &text)) luaL_argerror(L, index, "a string or a secret is needed");
  luaL_argcheck(L, text.length <= INT_MAX, index, "it is too long");
  return text;
}

static bool contains(struct mde_text text, const char *part)
{
  size_t length = strlen(part);
  for (size_t i = 0; i + length <= text.length; i++)
    if (memcmp(text.bytes + i, part, length) == 0) return true;
  return false;
}

static int push_problem(lua_State *L, const char *problem)
{
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

/* What OpenSSL says of its last error; it is forgotten then. */
static void take_reason(const struct mde_libcrypto_signing *libcrypto, char *reason, size_t size)
{
  unsigned long code = libcrypto->ERR_get_error();
  snprintf(reason, size, "OpenSSL gives no reason");
  if (code != 0) libcrypto->ERR_error_string_n(code, reason, size);
  libcrypto->ERR_clear_error();
}

/* ---- private keys */

struct password {
  struct mde_text text; /* bytes NULL: none was given */
  bool asked;
};

static int give_password(char *buffer, int size, int for_writing, void *context)
{
  struct password *password = context;
  (void)for_writing;
  password->asked = true;
  if (password->text.bytes == NULL || size < 0 || password->text.length > (size_t)size) return -1;
  memcpy(buffer, password->text.bytes, password->text.length);
  return (int)password->text.length;
}

/* What is wrong with a key: a phrase for people, NULL for none, and a code for programs. */
struct flaw {
  const char *problem;
  const char *code;
};

/* Why there is no key in a text that OpenSSL finds none in, whose own `reason` is the last resort.
 */
static struct flaw why_no_key(struct mde_text pem, const struct password *password,
                              const char *reason)
{
  if (!contains(pem, "-----BEGIN ")) {
    if (pem.length > 0 && pem.bytes[0] == 0x30)
      return (struct flaw){"it is not PEM, but PKCS#12 (PFX) or another binary form",
                           "private_key_binary"};
    return (struct flaw){"there is no PEM text in it", "private_key_missing"};
  }
  if (!contains(pem, "PRIVATE KEY-----"))
    return (struct flaw){"there is no private key in it", "private_key_missing"};
  if (password->asked && password->text.bytes == NULL)
    return (struct flaw){"the private key is encrypted, and no password was given",
                         "private_key_password"};
  if (password->asked)
    return (struct flaw){"the password of the private key is wrong", "private_key_password"};
  return (struct flaw){reason, "private_key_unreadable"};
}

/* Reads the key into `key`, which owns it. */
static struct flaw read_key(struct key *key, struct mde_text pem, struct password *password,
                            char *reason, size_t size)
{
  const struct mde_libcrypto_signing *libcrypto = &key->libcrypto;
  struct bio_st *bio = libcrypto->BIO_new_mem_buf(pem.bytes, (int)pem.length);
  if (bio == NULL) return (struct flaw){"there is not enough memory", "private_key_unreadable"};
  libcrypto->ERR_clear_error();
  key->key = libcrypto->PEM_read_bio_PrivateKey(bio, NULL, give_password, password);
  libcrypto->BIO_free(bio);
  if (key->key == NULL) {
    take_reason(libcrypto, reason, size);
    return why_no_key(pem, password, reason);
  }
  const struct rsa_st *rsa = libcrypto->EVP_PKEY_get0_RSA(key->key);
  libcrypto->ERR_clear_error();
  if (rsa == NULL) return (struct flaw){"the private key is not an RSA key", "private_key_kind"};
  key->bits = libcrypto->RSA_bits(rsa);
  if (key->bits < MIN_KEY_BITS)
    return (struct flaw){"the RSA key is shorter than 2048 bits", "private_key_kind"};
  return (struct flaw){NULL, NULL};
}

/* key's __gc and __close */
static int key_free(lua_State *L)
{
  struct key *key = luaL_checkudata(L, 1, KEY);
  if (key->key != NULL) key->libcrypto.EVP_PKEY_free(key->key);
  key->key = NULL;
  return 0;
}

static int crypto_private_key(lua_State *L)
{
  struct mde_text pem = check_text(L, 1);
  struct password password = {{NULL, 0}, false};
  if (!lua_isnoneornil(L, 2)) password.text = check_text(L, 2);
  struct key *key = mde_newuserdata(L, sizeof *key);
  memset(key, 0, sizeof *key);
  luaL_getmetatable(L, KEY);
  lua_setmetatable(L, -2);
  char reason[512];
  struct flaw flaw = {reason, "private_key_unreadable"};
  if (mde_libcrypto_find_signing(&key->libcrypto, reason, sizeof reason))
    flaw = read_key(key, pem, &password, reason, sizeof reason);
  if (flaw.problem == NULL) return 1;
  push_problem(L, flaw.problem);
  lua_pushstring(L, flaw.code);
  return 3;
}

/* ---- signatures */

struct signature {
  unsigned char bytes[MAX_SIGNATURE_BYTES];
  size_t length;
};

static bool set_up(const struct mde_libcrypto_signing *libcrypto, struct evp_md_ctx_st *context,
                   struct evp_pkey_st *key, bool is_pss)
{
  struct evp_pkey_ctx_st *of_key = NULL;
  if (libcrypto->EVP_DigestSignInit(context, &of_key, libcrypto->EVP_sha256(), NULL, key) != 1)
    return false;
  if (!is_pss) return libcrypto->EVP_PKEY_CTX_ctrl_str(of_key, "rsa_padding_mode", "pkcs1") > 0;
  return libcrypto->EVP_PKEY_CTX_ctrl_str(of_key, "rsa_padding_mode", "pss") > 0 &&
         libcrypto->EVP_PKEY_CTX_ctrl_str(of_key, "rsa_pss_saltlen", "32") > 0 &&
         libcrypto->EVP_PKEY_CTX_ctrl_str(of_key, "rsa_mgf1_md", "sha256") > 0;
}

/* RFC 7518, 3.3 and 3.5. False if OpenSSL refuses. */
static bool sign(const struct key *key, bool is_pss, struct mde_text message,
                 struct signature *signature)
{
  const struct mde_libcrypto_signing *libcrypto = &key->libcrypto;
  struct evp_md_ctx_st *context = libcrypto->EVP_MD_CTX_new();
  if (context == NULL) return false;
  signature->length = sizeof signature->bytes;
  bool done = set_up(libcrypto, context, key->key, is_pss) &&
              libcrypto->EVP_DigestUpdate(context, message.bytes, message.length) == 1 &&
              libcrypto->EVP_DigestSignFinal(context, signature->bytes, &signature->length) == 1;
  libcrypto->EVP_MD_CTX_free(context);
  return done;
}

static int key_sign(lua_State *L)
{
  static const char *const algorithms[] = {"PS256", "RS256", NULL};
  const struct key *key = luaL_checkudata(L, 1, KEY);
  bool is_pss = luaL_checkoption(L, 2, NULL, algorithms) == 0;
  struct mde_text message = check_text(L, 3);
  if (key->key == NULL) return luaL_error(L, "the key has been freed");
  if (key->bits > MAX_SIGNATURE_BYTES * CHAR_BIT)
    return push_problem(L, "the RSA key is longer than 16384 bits");
  struct signature signature;
  if (!sign(key, is_pss, message, &signature)) {
    char reason[256];
    take_reason(&key->libcrypto, reason, sizeof reason);
    return push_problem(L, reason);
  }
  lua_pushlstring(L, (const char *)signature.bytes, signature.length);
  return 1;
}

static int key_bits(lua_State *L)
{
  const struct key *key = luaL_checkudata(L, 1, KEY);
  lua_pushinteger(L, key->bits);
  return 1;
}

static int key_tostring(lua_State *L)
{
  const struct key *key = luaL_checkudata(L, 1, KEY);
  lua_pushfstring(L, KEY ": RSA, %d bits", key->bits);
  return 1;
}

/* ---- certificates */

static int certificate_free(lua_State *L)
{
  struct certificate *certificate = luaL_checkudata(L, 1, CERTIFICATE);
  if (certificate->certificate != NULL) certificate->libcrypto.X509_free(certificate->certificate);
  certificate->certificate = NULL;
  return 0;
}

/* Reads the first certificate that belongs to `key`, or the first if that is NULL. */
static const char *read_certificate(struct certificate *owner, struct mde_text pem,
                                    const struct evp_pkey_st *key)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  struct bio_st *bio = libcrypto->BIO_new_mem_buf(pem.bytes, (int)pem.length);
  if (bio == NULL) return "there is not enough memory";
  size_t count = 0;
  struct x509_st *found = NULL;
  while (found == NULL) {
    struct x509_st *next = libcrypto->PEM_read_bio_X509(bio, NULL, give_password,
                                                        &(struct password){{NULL, 0}, false});
    if (next == NULL) break;
    count++;
    if (key == NULL || libcrypto->X509_check_private_key(next, key) == 1)
      found = next;
    else
      libcrypto->X509_free(next);
  }
  libcrypto->BIO_free(bio);
  libcrypto->ERR_clear_error();
  owner->certificate = found;
  if (found != NULL) return NULL;
  return count == 0 ? "there is no certificate in it"
                    : "none of the certificates in it belongs to the private key";
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

static bool digest_of(const struct mde_libcrypto_signing *libcrypto, const struct evp_md_st *type,
                      struct mde_text der, unsigned char digest[MAX_DIGEST_BYTES])
{
  unsigned int length = 0;
  return libcrypto->EVP_Digest(der.bytes, der.length, digest, &length, type, NULL) == 1;
}

/* Adds the certificate's own bytes and their digests to the table at the top. */
static const char *set_der(lua_State *L, const struct certificate *owner)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  int length = libcrypto->i2d_X509(owner->certificate, NULL);
  if (length <= 0) return "the certificate cannot be written";
  unsigned char *bytes = lua_newuserdata(L, (size_t)length);
  unsigned char *end = bytes;
  libcrypto->i2d_X509(owner->certificate, &end);
  struct mde_text der = {(const char *)bytes, (size_t)length};
  unsigned char sha256[MAX_DIGEST_BYTES], sha1[MAX_DIGEST_BYTES];
  if (!digest_of(libcrypto, libcrypto->EVP_sha256(), der, sha256) ||
      !digest_of(libcrypto, libcrypto->EVP_sha1(), der, sha1))
    return "OpenSSL refuses to compute the certificate's thumbprint";
  lua_pushlstring(L, der.bytes, der.length);
  lua_setfield(L, -3, "der");
  lua_pop(L, 1);
  lua_pushlstring(L, (const char *)sha256, SHA256_BYTES);
  lua_setfield(L, -2, "sha256");
  lua_pushlstring(L, (const char *)sha1, SHA1_BYTES);
  lua_setfield(L, -2, "sha1");
  return NULL;
}

static const char *set_facts(lua_State *L, const struct certificate *owner)
{
  const struct mde_libcrypto_signing *libcrypto = &owner->libcrypto;
  double not_before, not_after;
  if (!read_time(libcrypto, libcrypto->X509_get0_notBefore(owner->certificate), &not_before) ||
      !read_time(libcrypto, libcrypto->X509_get0_notAfter(owner->certificate), &not_after))
    return "the certificate has no times between which it is valid";
  lua_pushnumber(L, not_before);
  lua_setfield(L, -2, "not_before");
  lua_pushnumber(L, not_after);
  lua_setfield(L, -2, "not_after");
  char subject[256] = "";
  libcrypto->X509_NAME_oneline(libcrypto->X509_get_subject_name(owner->certificate), subject,
                               (int)sizeof subject);
  lua_pushstring(L, subject);
  lua_setfield(L, -2, "subject");
  return NULL;
}

static int crypto_certificate(lua_State *L)
{
  struct mde_text pem = check_text(L, 1);
  const struct key *key = lua_isnoneornil(L, 2) ? NULL : luaL_checkudata(L, 2, KEY);
  if (key != NULL && key->key == NULL) return luaL_error(L, "the key has been freed");
  struct certificate *owner = mde_newuserdata(L, sizeof *owner);
  memset(owner, 0, sizeof *owner);
  luaL_getmetatable(L, CERTIFICATE);
  lua_setmetatable(L, -2);
  char reason[512];
  if (!mde_libcrypto_find_signing(&owner->libcrypto, reason, sizeof reason))
    return push_problem(L, reason);
  const char *problem = read_certificate(owner, pem, key != NULL ? key->key : NULL);
  if (problem != NULL) return push_problem(L, problem);
  lua_newtable(L);
  problem = set_der(L, owner);
  if (problem == NULL) problem = set_facts(L, owner);
  return problem != NULL ? push_problem(L, problem) : 1;
}

/* ---- opening */

static const luaL_Reg functions[] = {
    {"private_key", crypto_private_key},
    {"certificate", crypto_certificate},
    {NULL, NULL},
};

static const luaL_Reg key_methods[] = {
    {"sign", key_sign},
    {"bits", key_bits},
    {NULL, NULL},
};

static const luaL_Reg key_metamethods[] = {
    {"__gc", key_free},
    {"__close", key_free},
    {"__tostring", key_tostring},
    {NULL, NULL},
};

static const luaL_Reg no_methods[] = {{NULL, NULL}};

static const luaL_Reg certificate_metamethods[] = {
    {"__gc", certificate_free},
    {NULL, NULL},
};

void mde_open_signing(lua_State *L)
{
  mde_metatable(L, KEY, key_methods, key_metamethods);
  mde_metatable(L, CERTIFICATE, no_methods, certificate_metamethods);
  lua_pop(L, 2);
  mde_setfuncs(L, functions);
}
