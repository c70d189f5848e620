/*
 * The part of mde.crypto that signs:
 *
 *   crypto.private_key(pem [, password]) -> key | nil, problem, code
 *   key:sign(algorithm, message) -> signature | nil, problem     "PS256" or "RS256"
 *   key:bits() -> 2048
 *
 * No copy of a key or a password is left behind: what is read of a PEM text is wiped
 * (pem_argument.h), and OpenSSL wipes what it has of them when it frees it. Whatever is OpenSSL's
 * is owned by a userdata before anything of Lua is called that may raise.
 */
#include "signing.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "pem.h"
#include "pem_argument.h"

#define MIN_KEY_BITS 2048        /* NIST SP 800-131A; Entra takes no shorter key */
#define MAX_SIGNATURE_BYTES 2048 /* of a key of 16384 bits */

static bool contains(struct mde_text text, const char *part)
{
  size_t length = strlen(part);
  for (size_t i = 0; i + length <= text.length; i++)
    if (memcmp(text.bytes + i, part, length) == 0) return true;
  return false;
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

/* What a key is read from: as it was given, and mended. */
struct source {
  struct mde_text given;
  struct mde_text pem;
  int flaw;
};

/* Why there is no PEM text in it. */
static struct flaw why_no_pem(struct mde_text given)
{
  static const char begin[] = "LS0tLS1CRUdJTi"; /* -----BEGIN in base64 */
  if (given.length > 1 && given.bytes[0] == 0x30 && ((unsigned char)given.bytes[1] & 0x80) != 0)
    return (struct flaw){"it is not PEM, but PKCS#12 (PFX) or another binary form",
                         "private_key_binary"};
  if (contains(given, begin))
    return (struct flaw){"it is the base64 of a PEM text, which has to be decoded once more",
                         "pem_malformed"};
  return (struct flaw){"there is no PEM text in it", "private_key_missing"};
}

/*
 * Why there is no key in a text that OpenSSL finds none in, whose own `reason` is the last resort.
 */
static struct flaw why_no_key(const struct source *source, const struct password *password,
                              const char *reason)
{
  bool has_key = contains(source->pem, "PRIVATE KEY-----");
  const char *problem = mde_pem_problem(source->flaw);
  if (!has_key && problem != NULL) return (struct flaw){problem, "pem_malformed"};
  if (source->pem.length == 0) return why_no_pem(source->given);
  if (!has_key) return (struct flaw){"there is no private key in it", "private_key_missing"};
  if (password->asked && password->text.bytes == NULL)
    return (struct flaw){"the private key is encrypted, and no password was given",
                         "private_key_password"};
  if (password->asked)
    return (struct flaw){"the password of the private key is wrong", "private_key_password"};
  return (struct flaw){reason, "private_key_unreadable"};
}

/* Whether another key than `key` follows. The same one may: two files of one key, one behind the
 * other, are one after a renewal. */
static bool has_another(const struct mde_key *key, struct bio_st *bio, struct password *password)
{
  const struct mde_libcrypto_signing *libcrypto = &key->libcrypto;
  bool found = false;
  while (!found) {
    struct evp_pkey_st *next =
        libcrypto->PEM_read_bio_PrivateKey(bio, NULL, give_password, password);
    if (next == NULL) break;
    found = libcrypto->EVP_PKEY_cmp(key->key, next) != 1;
    libcrypto->EVP_PKEY_free(next);
  }
  libcrypto->ERR_clear_error();
  return found;
}

/* Reads the key into `key`, which owns it. */
static struct flaw read_key(struct mde_key *key, const struct source *source,
                            struct password *password, char *reason, size_t size)
{
  const struct mde_libcrypto_signing *libcrypto = &key->libcrypto;
  struct bio_st *bio = libcrypto->BIO_new_mem_buf(source->pem.bytes, (int)source->pem.length);
  if (bio == NULL) return (struct flaw){"there is not enough memory", "private_key_unreadable"};
  libcrypto->ERR_clear_error();
  key->key = libcrypto->PEM_read_bio_PrivateKey(bio, NULL, give_password, password);
  if (key->key == NULL) {
    libcrypto->BIO_free(bio);
    take_reason(libcrypto, reason, size);
    return why_no_key(source, password, reason);
  }
  bool is_one_of_two = has_another(key, bio, password);
  libcrypto->BIO_free(bio);
  if (is_one_of_two)
    return (struct flaw){"there are two private keys in it", "private_key_several"};
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
  struct mde_key *key = luaL_checkudata(L, 1, MDE_KEY_TYPE);
  if (key->key != NULL) key->libcrypto.EVP_PKEY_free(key->key);
  key->key = NULL;
  return 0;
}

static int crypto_private_key(lua_State *L)
{
  lua_settop(L, 2);
  struct source source = {.given = mde_check_text(L, 1)};
  struct password password = {{NULL, 0}, false};
  if (!lua_isnil(L, 2)) password.text = mde_check_text(L, 2);
  source.pem = mde_push_pem(L, 1, &source.flaw);
  struct mde_key *key = mde_newuserdata(L, sizeof *key);
  memset(key, 0, sizeof *key);
  luaL_getmetatable(L, MDE_KEY_TYPE);
  lua_setmetatable(L, -2);
  char reason[512];
  struct flaw flaw = {reason, "private_key_unreadable"};
  if (mde_libcrypto_find_signing(&key->libcrypto, reason, sizeof reason))
    flaw = read_key(key, &source, &password, reason, sizeof reason);
  mde_clear_pem(L, 3);
  if (flaw.problem == NULL) return 1;
  lua_pushnil(L);
  lua_pushstring(L, flaw.problem);
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
static bool sign(const struct mde_key *key, bool is_pss, struct mde_text message,
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

static int push_problem(lua_State *L, const char *problem)
{
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

static int key_sign(lua_State *L)
{
  static const char *const algorithms[] = {"PS256", "RS256", NULL};
  const struct mde_key *key = luaL_checkudata(L, 1, MDE_KEY_TYPE);
  bool is_pss = luaL_checkoption(L, 2, NULL, algorithms) == 0;
  struct mde_text message = mde_check_text(L, 3);
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
  const struct mde_key *key = luaL_checkudata(L, 1, MDE_KEY_TYPE);
  lua_pushinteger(L, key->bits);
  return 1;
}

static int key_tostring(lua_State *L)
{
  const struct mde_key *key = luaL_checkudata(L, 1, MDE_KEY_TYPE);
  lua_pushfstring(L, MDE_KEY_TYPE ": RSA, %d bits", key->bits);
  return 1;
}

/* ---- opening */

static const luaL_Reg functions[] = {
    {"private_key", crypto_private_key},
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

void mde_open_signing(lua_State *L)
{
  mde_metatable(L, MDE_KEY_TYPE, key_methods, key_metamethods);
  lua_pop(L, 1);
  mde_setfuncs(L, functions);
}
