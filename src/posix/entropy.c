/*
 * mde.posix.entropy: randomness that nobody can foretell.
 */
#define _GNU_SOURCE 1 /* getrandom */

#include "posix.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* bytes(count) -> that many bytes (1 to 64) from the kernel, or nil and why not. */
static int entropy_bytes(lua_State *L)
{
  char bytes[64];
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 1 && count <= (lua_Integer)sizeof bytes, 1, "1 to 64 bytes");
  size_t have = 0;
  while (have < (size_t)count) {
    ssize_t got = getrandom(bytes + have, (size_t)count - have, 0);
    if (got < 0 && errno != EINTR) {
      lua_pushnil(L);
      lua_pushfstring(L, "the kernel gave no randomness: %s", strerror(errno));
      return 2;
    }
    if (got > 0) have += (size_t)got;
  }
  lua_pushlstring(L, bytes, have);
  return 1;
}

static const luaL_Reg functions[] = {
    {"bytes", entropy_bytes},
    {NULL, NULL},
};

void mde_open_entropy(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
