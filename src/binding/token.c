/*
 * mde.core.token: the token cache of src/core/token.h, for Lua.
 *
 * new() makes one. The token's text lives in C memory that is wiped; a failure is whatever Lua
 * value was told, kept as the userdata's user value. Everything that may raise comes before a lease
 * is taken, so that memory running out never leaves a lease that nobody knows of.
 */
#include "compat.h"
#include "token.h"

#include <math.h>

#define CACHE "mde.core.token"

/* The place of the remembered error in the user value, which is made with room for it. */
#define ERROR_SLOT 1

static struct mde_token_cache *check_cache(lua_State *L)
{
  return luaL_checkudata(L, 1, CACHE);
}

static double check_finite(lua_State *L, int index)
{
  double number = luaL_checknumber(L, index);
  luaL_argcheck(L, isfinite(number), index, "a finite number expected");
  return number;
}

static double check_random(lua_State *L, int index)
{
  double random = luaL_checknumber(L, index);
  luaL_argcheck(L, random >= 0 && random < 1, index, "a number in [0, 1) expected");
  return random;
}

/* Leases and generations: numbers that the cache gave out, or 0. */
static uint64_t check_ticket(lua_State *L, int index)
{
  lua_Integer ticket = luaL_checkinteger(L, index);
  luaL_argcheck(L, ticket >= 0, index, "a number that the cache gave expected");
  return (uint64_t)ticket;
}

static void push_ticket(lua_State *L, uint64_t ticket)
{
  lua_pushinteger(L, (lua_Integer)ticket);
}

/* Remembers the value at `index` (absolute) as the error; 0 forgets it. Never raises: see
 * ERROR_SLOT. */
static void remember_error(lua_State *L, int index)
{
  mde_getuservalue(L, 1);
  if (index == 0)
    lua_pushnil(L);
  else
    lua_pushvalue(L, index);
  lua_rawseti(L, -2, ERROR_SLOT);
  lua_pop(L, 1);
}

/* new() -> an empty cache */
static int token_new(lua_State *L)
{
  struct mde_token_cache *cache = mde_newuserdata(L, sizeof *cache);
  mde_token_init(cache, mde_state_allocator(L));
  lua_createtable(L, 1, 0);
  mde_setuservalue(L, -2);
  luaL_getmetatable(L, CACHE);
  lua_setmetatable(L, -2);
  return 1;
}

/*
 * cache:ask(now, lease_seconds [, known]) -> what to do, and what it needs:
 *   "use", value, generation              send with it
 *   "refresh", value, generation, lease   send with it; and get a new one, as holder of the lease
 *   "fetch", lease                        get one, as the holder of the lease
 *   "wait", until                         somebody else does; ask again when told or at that time
 *   "failed", error, age                  what was told to failed(), and how many seconds ago
 *
 * known: the generation of a token that the caller has; in the place of its value is nil then.
 */
static int cache_ask(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  double now = check_finite(L, 2);
  double seconds = check_finite(L, 3);
  luaL_argcheck(L, seconds > 0, 3, "a lease must last");
  bool is_known = !lua_isnoneornil(L, 4) && check_ticket(L, 4) == cache->generation;
  lua_settop(L, 3);
  enum mde_token_answer answer = mde_token_ask(cache, now);
  switch (answer) {
  case MDE_TOKEN_ANSWER_USE:
  case MDE_TOKEN_ANSWER_REFRESH:
    lua_pushstring(L, answer == MDE_TOKEN_ANSWER_USE ? "use" : "refresh");
    if (is_known)
      lua_pushnil(L);
    else
      lua_pushlstring(L, cache->value.bytes, cache->value.length);
    push_ticket(L, cache->generation);
    if (answer == MDE_TOKEN_ANSWER_USE) return 3;
    push_ticket(L, mde_token_lease(cache, now, seconds));
    return 4;
  case MDE_TOKEN_ANSWER_FETCH:
    lua_pushliteral(L, "fetch");
    push_ticket(L, mde_token_lease(cache, now, seconds));
    remember_error(L, 0);
    return 2;
  case MDE_TOKEN_ANSWER_WAIT:
    lua_pushliteral(L, "wait");
    lua_pushnumber(L, cache->leased_until);
    return 2;
  case MDE_TOKEN_ANSWER_FAILED:
    break;
  }
  lua_pushliteral(L, "failed");
  mde_getuservalue(L, 1);
  lua_rawgeti(L, -1, ERROR_SLOT);
  lua_remove(L, -2);
  lua_pushnumber(L, now - cache->failed_at);
  return 3;
}

/*
 * The field of the table at `index`; left on the stack, since its text points into the Lua string.
 */
static struct mde_token_field reply_field(lua_State *L, int index, const char *name)
{
  struct mde_token_field field = {.type = MDE_TOKEN_FIELD_MISSING};
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TNUMBER) {
    field.type = MDE_TOKEN_FIELD_NUMBER;
    field.number = lua_tonumber(L, -1);
  } else if (lua_type(L, -1) == LUA_TSTRING) {
    field.type = MDE_TOKEN_FIELD_TEXT;
    field.text.bytes = lua_tolstring(L, -1, &field.text.length);
  }
  return field;
}

/*
 * cache:fetched(lease, sent_at, value, lifetime, wall_now, random) -> generation | nil, reason
 *
 * `lifetime` holds expires_in, expires_on and refresh_in as the reply had them. The reasons for
 * nil: "not_kept" (its life is over already: it may be used once by those who wanted it now),
 * "older" (one that was asked for later has been here: ask again), "too_long". Raises if memory
 * runs out, and then the lease goes on until it is abandoned.
 */
static int cache_fetched(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  uint64_t lease = check_ticket(L, 2);
  double sent_at = check_finite(L, 3);
  size_t length;
  const char *value = luaL_checklstring(L, 4, &length);
  luaL_argcheck(L, length > 0, 4, "a token expected");
  luaL_checktype(L, 5, LUA_TTABLE);
  double wall_now = check_finite(L, 6);
  double random = check_random(L, 7);
  lua_settop(L, 7);
  luaL_checkstack(L, 8, CACHE);
  struct mde_token_reply reply;
  reply.expires_in = reply_field(L, 5, "expires_in");
  reply.expires_on = reply_field(L, 5, "expires_on");
  reply.refresh_in = reply_field(L, 5, "refresh_in");
  struct mde_token_lifetime lifetime = mde_token_read_lifetime(&reply, wall_now);
  enum mde_token_result result =
      mde_token_fetched(cache, lease, sent_at, value, length, lifetime, random);
  if (result == MDE_TOKEN_RESULT_NO_MEMORY) return luaL_error(L, "not enough memory");
  if (!cache->failed) remember_error(L, 0);
  if (result == MDE_TOKEN_RESULT_TAKEN) {
    push_ticket(L, cache->generation);
    return 1;
  }
  lua_pushnil(L);
  if (result == MDE_TOKEN_RESULT_OLDER)
    lua_pushliteral(L, "older");
  else if (result == MDE_TOKEN_RESULT_NOT_KEPT)
    lua_pushliteral(L, "not_kept");
  else
    lua_pushliteral(L, "too_long");
  return 2;
}

/*
 * cache:failed(lease, now, status | nil, retry_after | nil, error) -> true if ask() answers with it
 * now
 *
 * `error` is any value but nil. False: the lease had ended, or the old token can still be used.
 */
static int cache_failed(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  uint64_t lease = check_ticket(L, 2);
  double now = check_finite(L, 3);
  lua_Integer status = luaL_optinteger(L, 4, 0);
  if (status < 0 || status > 999) status = 0;
  double retry_after = luaL_optnumber(L, 5, -1);
  luaL_argcheck(L, !lua_isnoneornil(L, 6), 6, "an error expected");
  lua_settop(L, 6);
  luaL_checkstack(L, 4, CACHE);
  enum mde_token_failure failure = mde_token_failed(cache, lease, now, (int)status, retry_after);
  if (failure != MDE_TOKEN_FAILURE_IGNORED) remember_error(L, 6);
  lua_pushboolean(L, failure == MDE_TOKEN_FAILURE_PRESENT);
  return 1;
}

/*
 * cache:rejected(generation) -> true if that token was the one in the cache, which is now dropped
 */
static int cache_rejected(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  lua_pushboolean(L, mde_token_rejected(cache, check_ticket(L, 2)));
  return 1;
}

/* cache:abandon(lease): its holder gives up without a result; the next one takes over at once. */
static int cache_abandon(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  mde_token_abandon(cache, check_ticket(L, 2));
  return 0;
}

/* cache:forget_failure(): the credential has changed, so what failed may be tried again. */
static int cache_forget_failure(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  lua_settop(L, 1);
  mde_token_forget_failure(cache);
  remember_error(L, 0);
  return 0;
}

/* cache:expiry() -> when the token's life ends, by which an attempt must have ended; nil without
 * one */
static int cache_expiry(lua_State *L)
{
  struct mde_token_cache *cache = check_cache(L);
  if (cache->value.length == 0) return 0;
  lua_pushnumber(L, cache->expires_at);
  return 1;
}

/* cache:usable_until() -> when the token is no longer handed out; nil without one */
static int cache_usable_until(lua_State *L)
{
  double until = mde_token_usable_until(check_cache(L));
  if (!isfinite(until)) return 0;
  lua_pushnumber(L, until);
  return 1;
}

static int cache_gc(lua_State *L)
{
  mde_token_clear(luaL_checkudata(L, 1, CACHE));
  return 0;
}

/*
 * sent(expires_at, reply) -> Unix seconds when the reply's token was asked for, by the clock of
 * who issues it | nil if that is not told. expires_at: a token's `exp`, or nil.
 */
static int token_sent(lua_State *L)
{
  luaL_checktype(L, 2, LUA_TTABLE);
  double seconds;
  struct mde_token_field expires_in = reply_field(L, 2, "expires_in");
  if (lua_type(L, 1) == LUA_TNUMBER &&
      mde_token_read_sent(lua_tonumber(L, 1), &expires_in, &seconds))
    lua_pushnumber(L, seconds);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"new", token_new},
    {"sent", token_sent},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"ask", cache_ask},
    {"fetched", cache_fetched},
    {"failed", cache_failed},
    {"rejected", cache_rejected},
    {"abandon", cache_abandon},
    {"forget_failure", cache_forget_failure},
    {"expiry", cache_expiry},
    {"usable_until", cache_usable_until},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", cache_gc},
    {NULL, NULL},
};

void mde_open_token(lua_State *L)
{
  mde_metatable(L, CACHE, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
  lua_pushnumber(L, MDE_TOKEN_MAX_FAILURE_SECONDS);
  lua_setfield(L, -2, "MAX_FAILURE_SECONDS");
}
