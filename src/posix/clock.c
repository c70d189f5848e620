/*
 * mde.core.system: what the core itself never asks for: clocks, sleep, randomness, and whether this
 * process is a fork of the one that loaded the module.
 */
#define _GNU_SOURCE 1 /* CLOCK_BOOTTIME, getrandom */

#include "compat.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#ifdef CLOCK_BOOTTIME
#define MONOTONIC CLOCK_BOOTTIME /* goes on while the machine sleeps, as a token's life does */
#else
#define MONOTONIC CLOCK_MONOTONIC
#endif

static lua_Number seconds(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9;
}

/* now() -> seconds on a clock that only goes forward; its zero means nothing. */
static int system_now(lua_State *L)
{
  lua_pushnumber(L, seconds(MONOTONIC));
  return 1;
}

/* time() -> seconds since 1970 UTC, with a fraction. */
static int system_time(lua_State *L)
{
  lua_pushnumber(L, seconds(CLOCK_REALTIME));
  return 1;
}

/*
 * sleep(seconds): returns early when a signal arrives, so that a script's Ctrl-C is seen; the
 * caller that must not wake early asks the clock.
 */
static int system_sleep(lua_State *L)
{
  lua_Number wanted = luaL_checknumber(L, 1);
  if (!(wanted > 0)) return 0;
  if (wanted > 1e6) wanted = 1e6;
  struct timespec t = {.tv_sec = (time_t)wanted, .tv_nsec = (long)((wanted - floor(wanted)) * 1e9)};
  nanosleep(&t, NULL);
  return 0;
}

/* entropy(count) -> that many bytes (1 to 64) from the kernel, or nil and why not. */
static int system_entropy(lua_State *L)
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

static lua_Integer fork_generation;

static void after_fork_in_child(void)
{
  fork_generation++;
}

/* generation() -> a number that grows in the child of each fork; handles of another one are not
 * ours. */
static int system_generation(lua_State *L)
{
  lua_pushinteger(L, fork_generation);
  return 1;
}

/*
 * yieldable() -> whether whoever calls could be suspended here; nothing where Lua cannot tell
 * (5.1). nginx takes coroutine.isyieldable away. Weak, since a module built for LuaJIT loads in 5.1
 * too.
 */
#if LUA_VERSION_NUM >= 503 || defined(LUA_LJDIR)
#pragma weak lua_isyieldable
static int system_yieldable(lua_State *L)
{
  if (lua_isyieldable == NULL) return 0;
  lua_pushboolean(L, lua_isyieldable(L));
  return 1;
}
#else
static int system_yieldable(lua_State *L)
{
  (void)L;
  return 0;
}
#endif

static const luaL_Reg functions[] = {
    {"now", system_now},
    {"time", system_time},
    {"sleep", system_sleep},
    {"entropy", system_entropy},
    {"generation", system_generation},
    {"yieldable", system_yieldable},
    {NULL, NULL},
};

static pthread_once_t watching_forks = PTHREAD_ONCE_INIT;

static void watch_forks(void)
{
  pthread_atfork(NULL, NULL, after_fork_in_child);
}

void mde_open_system(lua_State *L)
{
  pthread_once(&watching_forks, watch_forks);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
