/*
 * mde.posix.clock: what time it is, on two clocks, and how to let some of it pass.
 */
#define _GNU_SOURCE 1 /* CLOCK_BOOTTIME */

#include "posix.h"

#include <math.h>
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
static int clock_now(lua_State *L)
{
  lua_pushnumber(L, seconds(MONOTONIC));
  return 1;
}

/* time() -> seconds since 1970 UTC, with a fraction. */
static int clock_time(lua_State *L)
{
  lua_pushnumber(L, seconds(CLOCK_REALTIME));
  return 1;
}

/*
 * sleep(seconds): returns early when a signal arrives, so that a script's Ctrl-C is seen; the
 * caller that must not wake early asks the clock.
 */
static int clock_sleep(lua_State *L)
{
  lua_Number wanted = luaL_checknumber(L, 1);
  if (!(wanted > 0)) return 0;
  if (wanted > 1e6) wanted = 1e6;
  struct timespec t = {.tv_sec = (time_t)wanted, .tv_nsec = (long)((wanted - floor(wanted)) * 1e9)};
  nanosleep(&t, NULL);
  return 0;
}

static const luaL_Reg functions[] = {
    {"now", clock_now},
    {"time", clock_time},
    {"sleep", clock_sleep},
    {NULL, NULL},
};

void mde_open_clock(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
