/*
 * mde.crypto: SHA-256, HMAC, the comparison that tells nobody how far two texts agree, and what
 * signs (signing.c, certificate.c).
 *
 *   crypto.sha256(message) -> 32 bytes | nil, message
 *   crypto.hmac_sha256(key, message) -> 32 bytes | nil, message
 *   crypto.equal(a, b) -> boolean
 *   crypto.hex(bytes) -> two lower-case digits for each
 *   crypto.version() -> "OpenSSL 3.0.19 ..." | nil, message
 *
 * nil means that there is no libcrypto that will do (libcrypto.h), or that it refuses. What is no
 * string raises. Keys and messages are read where Lua keeps them; no copy is made.
 */

#include "compat.h"

#include <limits.h>
#include <string.h>

#include "certificate.h"
#include "libcrypto.h"
#include "pem_argument.h"
#include "signing.h"
#include "wipe.h"

#define SHA256_BYTES 32
#define MAX_DIGEST_BYTES 64 /* what OpenSSL may write, whatever the algorithm */

/* The one upvalue of every function. */
struct library {
  struct mde_libcrypto functions;
  bool found;
};

MDE_EXPORT int luaopen_mde_crypto(lua_State *L);

/* The functions, found now if they were not before; NULL with nil and a message on the stack. */
static const struct mde_libcrypto *need_libcrypto(lua_State *L)
{
  struct library *library = lua_touserdata(L, lua_upvalueindex(1));
  if (!library->found) {
    char problem[512];
    library->found = mde_libcrypto_find(&library->functions, problem, sizeof problem);
    if (!library->found) {
      lua_pushnil(L);
      lua_pushstring(L, problem);
      return NULL;
    }
  }
  return &library->functions;
}

/* A string; no number, which every Lua would write in another way. */
static const char *check_bytes(lua_State *L, int index, size_t *length)
{
  luaL_checktype(L, index, LUA_TSTRING);
  return lua_tolstring(L, index, length);
}

/* nil and why OpenSSL did not do `what`. Nothing is left for others to stumble upon. */
static int refused(lua_State *L, const struct mde_libcrypto *libcrypto, const char *what)
{
  char reason[256];
  libcrypto->ERR_error_string_n(libcrypto->ERR_get_error(), reason, sizeof reason);
  libcrypto->ERR_clear_error();
  lua_pushnil(L);
  lua_pushfstring(L, "OpenSSL refuses to compute %s: %s", what, reason);
  return 2;
}

static int push_digest(lua_State *L, unsigned char *digest)
{
  lua_pushlstring(L, (const char *)digest, SHA256_BYTES);
  mde_wipe(digest, MAX_DIGEST_BYTES);
  return 1;
}

static int crypto_sha256(lua_State *L)
{
  size_t count;
  const char *message = check_bytes(L, 1, &count);
  const struct mde_libcrypto *libcrypto = need_libcrypto(L);
  if (libcrypto == NULL) return 2;
  unsigned char digest[MAX_DIGEST_BYTES];
  unsigned int length = 0;
  if (libcrypto->EVP_Digest(message, count, digest, &length, libcrypto->EVP_sha256(), NULL) != 1 ||
      length != SHA256_BYTES)
    return refused(L, libcrypto, "SHA-256");
  return push_digest(L, digest);
}

static int crypto_hmac_sha256(lua_State *L)
{
  size_t key_length, count;
  const char *key = check_bytes(L, 1, &key_length);
  const char *message = check_bytes(L, 2, &count);
  luaL_argcheck(L, key_length <= INT_MAX, 1, "the key is too long");
  const struct mde_libcrypto *libcrypto = need_libcrypto(L);
  if (libcrypto == NULL) return 2;
  unsigned char digest[MAX_DIGEST_BYTES];
  unsigned int length = 0;
  if (libcrypto->HMAC(libcrypto->EVP_sha256(), key, (int)key_length, (const unsigned char *)message,
                      count, digest, &length) == NULL ||
      length != SHA256_BYTES)
    return refused(L, libcrypto, "HMAC-SHA-256");
  return push_digest(L, digest);
}

/* Takes as long wherever two texts of one length differ. Their lengths are no secret. */
static int crypto_equal(lua_State *L)
{
  size_t length, other_length;
  const char *a = check_bytes(L, 1, &length);
  const char *b = check_bytes(L, 2, &other_length);
  volatile unsigned char difference = length != other_length;
  for (size_t i = 0; i < length && length == other_length; i++)
    difference |= (unsigned char)(a[i] ^ b[i]);
  lua_pushboolean(L, difference == 0);
  return 1;
}

static int crypto_hex(lua_State *L)
{
  static const char digits[] = "0123456789abcdef";
  size_t length;
  const char *bytes = check_bytes(L, 1, &length);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    luaL_addchar(&buffer, digits[byte >> 4]);
    luaL_addchar(&buffer, digits[byte & 15]);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int crypto_version(lua_State *L)
{
  const struct mde_libcrypto *libcrypto = need_libcrypto(L);
  if (libcrypto == NULL) return 2;
  lua_pushstring(L, libcrypto->OpenSSL_version(0));
  return 1;
}

static const luaL_Reg functions[] = {
    {"sha256", crypto_sha256}, {"hmac_sha256", crypto_hmac_sha256}, {"equal", crypto_equal},
    {"hex", crypto_hex},       {"version", crypto_version},         {NULL, NULL},
};

int luaopen_mde_crypto(lua_State *L)
{
  luaL_checkstack(L, 8, "mde.crypto");
  lua_newtable(L);
  struct library *library = mde_newuserdata(L, sizeof *library);
  library->found = false;
  for (const luaL_Reg *function = functions; function->name != NULL; function++) {
    lua_pushvalue(L, -1); /* the library */
    lua_pushcclosure(L, function->func, 1);
    lua_setfield(L, -3, function->name);
  }
  lua_pop(L, 1);
  mde_open_pem_argument(L);
  mde_open_signing(L);
  mde_open_certificate(L);
  return 1;
}
