/*
 * mde.posix.entropy: randomness that nobody can foretell.
 */
#define _GNU_SOURCE 1 /* getentropy */

#include "posix.h"

#include <errno.h>
#include <string.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif
#include <unistd.h>

/* bytes(count) -> that many bytes (1 to 64) from the kernel, or nil and why not. */
static int entropy_bytes(lua_State *L)
{
  char bytes[64];
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 1 && count <= (lua_Integer)sizeof bytes, 1, "1 to 64 bytes");
  if (getentropy(bytes, (size_t)count) != 0) {
    lua_pushnil(L);
    lua_pushfstring(L, "the kernel gave no randomness: %s", strerror(errno));
    return 2;
  }
  lua_pushlstring(L, bytes, (size_t)count);
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
