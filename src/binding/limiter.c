/*
 * mde.core.limiter: the limiter of src/core/limiter.h, for Lua.
 *
 * new() makes one. Its ring is C memory that belongs to the userdata from the start.
 */
#include "compat.h"
#include "limiter.h"

#include <math.h>

#define LIMITER "mde.limiter"

static struct mde_limiter *check_limiter(lua_State *L)
{
  return luaL_checkudata(L, 1, LIMITER);
}

static double check_time(lua_State *L)
{
  double time = luaL_checknumber(L, 2);
  luaL_argcheck(L, isfinite(time), 2, "a finite number expected");
  return time;
}

static struct mde_window check_window(lua_State *L, int index)
{
  double count = luaL_checknumber(L, index);
  luaL_argcheck(L, count >= 0 && count <= MDE_LIMITER_MAX_COUNT && count == floor(count), index,
                "a whole number from 0 to 100000 expected");
  double seconds = luaL_checknumber(L, index + 1);
  luaL_argcheck(L, seconds > 0 && isfinite(seconds), index + 1,
                "a finite number of seconds above 0 expected");
  return (struct mde_window){.count = (size_t)count, .seconds = seconds};
}

/* new(count, seconds [, count, seconds]) -> a limiter that has sent nothing yet */
static int limiter_new(lua_State *L)
{
  struct mde_window windows[MDE_LIMITER_MAX_WINDOWS];
  int arguments = lua_gettop(L);
  luaL_argcheck(L, arguments <= 2 * MDE_LIMITER_MAX_WINDOWS, arguments,
                "at most two windows expected");
  size_t count = 0;
  do {
    windows[count] = check_window(L, 2 * (int)count + 1);
    count++;
  } while (arguments > 2 * (int)count);
  struct mde_limiter *limiter = mde_newuserdata(L, sizeof *limiter);
  mde_limiter_init(limiter, mde_state_allocator(L), windows, count);
  luaL_getmetatable(L, LIMITER);
  lua_setmetatable(L, -2);
  return 1;
}

/* limiter:take(time): records a send. Raises for lack of memory, and then nothing must be sent. */
static int limiter_take(lua_State *L)
{
  struct mde_limiter *limiter = check_limiter(L);
  if (!mde_limiter_take(limiter, check_time(L))) return luaL_error(L, "not enough memory");
  return 0;
}

/* limiter:give_back(time) -> true if a send at that time is known, which now did not happen */
static int limiter_give_back(lua_State *L)
{
  struct mde_limiter *limiter = check_limiter(L);
  lua_pushboolean(L, mde_limiter_give_back(limiter, check_time(L)));
  return 1;
}

static void push_wait(lua_State *L, double seconds)
{
  if (seconds < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, seconds);
}

/*
 * limiter:wait(now [, reserve]) -> seconds until the next send may go, 0: at once; nil: never
 *
 * `reserve`: so many sends of each window are left to others.
 */
static int limiter_wait(lua_State *L)
{
  struct mde_limiter *limiter = check_limiter(L);
  double reserve = luaL_optnumber(L, 3, 0);
  luaL_argcheck(L, reserve >= 0 && reserve <= MDE_LIMITER_MAX_COUNT && reserve == floor(reserve), 3,
                "a whole number from 0 to 100000 expected");
  push_wait(L, mde_limiter_wait(limiter, check_time(L), (size_t)reserve));
  return 1;
}

/*
 * limiter:peek(now) -> limit, remaining, retry_after, reset_after
 *
 * How many may go at most at once, how many of them may go now, what wait() says, and the seconds
 * until all may go again.
 */
static int limiter_peek(lua_State *L)
{
  struct mde_limiter *limiter = check_limiter(L);
  double now = check_time(L);
  size_t limit = limiter->windows[0].count;
  for (size_t i = 1; i < limiter->window_count; i++)
    if (limiter->windows[i].count < limit) limit = limiter->windows[i].count;
  lua_pushinteger(L, (lua_Integer)limit);
  lua_pushinteger(L, (lua_Integer)mde_limiter_remaining(limiter, now));
  push_wait(L, mde_limiter_wait(limiter, now, 0));
  lua_pushnumber(L, mde_limiter_reset(limiter, now));
  return 4;
}

/* limiter:pack() -> the sends that are known, as bytes */
static int limiter_pack(lua_State *L)
{
  struct mde_limiter *limiter = check_limiter(L);
  size_t size = mde_limiter_packed_size(limiter);
  unsigned char *bytes = mde_newuserdata(L, size);
  mde_limiter_pack(limiter, bytes);
  lua_pushlstring(L, (const char *)bytes, size);
  return 1;
}

/*
 * limiter:unpack(bytes) -> true: it knows these sends in the place of its own; false if the bytes
 * are not what pack() gives for such windows. It is without a send then, as it is when this raises
 * for lack of memory.
 */
static int limiter_unpack(lua_State *L)
{
  struct mde_limiter *limiter = check_limiter(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  enum mde_unpack_status result = mde_limiter_unpack(limiter, (const unsigned char *)bytes, length);
  if (result == MDE_UNPACK_STATUS_NO_MEMORY) return luaL_error(L, "not enough memory");
  lua_pushboolean(L, result == MDE_UNPACK_STATUS_OK);
  return 1;
}

static int limiter_gc(lua_State *L)
{
  mde_limiter_clear(luaL_checkudata(L, 1, LIMITER));
  return 0;
}

static const luaL_Reg functions[] = {
    {"new", limiter_new},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"take", limiter_take}, {"give_back", limiter_give_back}, {"wait", limiter_wait},
    {"peek", limiter_peek}, {"pack", limiter_pack},           {"unpack", limiter_unpack},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", limiter_gc},
    {NULL, NULL},
};

void mde_open_limiter(lua_State *L)
{
  mde_metatable(L, LIMITER, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
