/*
 * mde.core.cap: which actions of a response were sent, counted against how many there may be (src/core/cap.h).
 *
 * new() makes one. Its sends are C memory that belongs to the userdata from the start.
 */
#include "actions.h"

#include "cap.h"

#include <math.h>

#define CAP "mde.cap"

static struct mde_cap *check_cap(lua_State *L)
{
  return luaL_checkudata(L, 1, CAP);
}

static double check_time(lua_State *L, int index)
{
  double time = luaL_checknumber(L, index);
  luaL_argcheck(L, isfinite(time), index, "a finite number expected");
  return time;
}

static struct mde_text check_id(lua_State *L, int index)
{
  struct mde_text id = mde_check_text(L, index);
  luaL_argcheck(L, id.length >= 1 && id.length <= MDE_CAP_ID_MAX, index,
                "an id of 1 to 64 bytes expected");
  return id;
}

/* new(limit) -> a cap that knows no send. limit: 0 to 100000, or math.huge: everything may go */
static int cap_new(lua_State *L)
{
  double limit = luaL_checknumber(L, 1);
  bool is_endless = limit == HUGE_VAL;
  luaL_argcheck(L, is_endless || (limit >= 0 && limit <= MDE_CAP_MAX && limit == floor(limit)), 1,
                "a whole number from 0 to 100000, or math.huge, expected");
  struct mde_cap *cap = mde_newuserdata(L, sizeof *cap);
  mde_cap_init(cap, mde_state_allocator(L), is_endless ? MDE_CAP_NONE : (size_t)limit);
  luaL_getmetatable(L, CAP);
  lua_setmetatable(L, -2);
  return 1;
}

/* cap:is_whole() -> whether it knows what it has to */
static int cap_is_whole(lua_State *L)
{
  lua_pushboolean(L, mde_cap_is_whole(check_cap(L)));
  return 1;
}

/* cap:doubt(): it is not whole */
static int cap_doubt(lua_State *L)
{
  mde_cap_doubt(check_cap(L));
  return 0;
}

/* cap:remaining(now) -> how many may go now; math.huge: all */
static int cap_remaining(lua_State *L)
{
  size_t remaining = mde_cap_remaining(check_cap(L), check_time(L, 2));
  if (remaining == SIZE_MAX)
    lua_pushnumber(L, (lua_Number)HUGE_VAL);
  else
    lua_pushinteger(L, (lua_Integer)remaining);
  return 1;
}

/* cap:wait(now) -> seconds until the next may go, 0: at once; nil: never */
static int cap_wait(lua_State *L)
{
  double seconds = mde_cap_wait(check_cap(L), check_time(L, 2));
  if (seconds < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, seconds);
  return 1;
}

/*
 * cap:take(id, now [, all_the_same]) -> the time by which the send is known; or nil, "full" or
 * "uncounted". Raises for lack of memory, and then nothing must be sent.
 */
static int cap_take(lua_State *L)
{
  double at;
  struct mde_cap *cap = check_cap(L);
  switch (mde_cap_take(cap, check_id(L, 2), check_time(L, 3), lua_toboolean(L, 4), &at)) {
  case MDE_CAP_TAKEN:
    lua_pushnumber(L, at);
    return 1;
  case MDE_CAP_FULL:
    lua_pushnil(L);
    lua_pushliteral(L, "full");
    return 2;
  case MDE_CAP_UNCOUNTED:
    lua_pushnil(L);
    lua_pushliteral(L, "uncounted");
    return 2;
  case MDE_CAP_NO_MEMORY:
    break;
  }
  return luaL_error(L, "not enough memory");
}

/* cap:give_back(id, at) -> whether it knew that send, which did not go */
static int cap_give_back(lua_State *L)
{
  struct mde_cap *cap = check_cap(L);
  lua_pushboolean(L, mde_cap_give_back(cap, check_id(L, 2), check_time(L, 3)));
  return 1;
}

/* cap:went(id, at, sent) -> whether it changed: `sent` is the time of the send now */
static int cap_went(lua_State *L)
{
  struct mde_cap *cap = check_cap(L);
  lua_pushboolean(L, mde_cap_went(cap, check_id(L, 2), check_time(L, 3), check_time(L, 4)));
  return 1;
}

/*
 * cap:merge(rows, service_now, now [, verb [, file]]): adds what was sent before, by the service's
 * list: of that response, restrict if nil, and about the file with this SHA-1, any if nil. What is no
 * row says nothing that could tell it from one of them.
 */
static int cap_merge(lua_State *L)
{
  struct mde_cap *cap = check_cap(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  double service_now = check_time(L, 3);
  double now = check_time(L, 4);
  const struct mde_response *response = &mde_responses[MDE_RESPONSE_RESTRICT];
  if (!lua_isnoneornil(L, 5)) response = mde_response_named(mde_check_text(L, 5));
  luaL_argcheck(L, response != NULL, 5, "the name of a response action expected");
  struct mde_text file = {NULL, 0};
  if (!lua_isnoneornil(L, 6)) file = mde_check_text(L, 6);
  size_t rows = mde_rawlen(L, 2);
  struct mde_cap_send *earlier = mde_newuserdata(L, (rows + 1) * sizeof *earlier);
  size_t count = 0;
  for (size_t i = 0; i < rows; i++) {
    struct mde_action_text row = {.id = {NULL, 0}};
    lua_rawgeti(L, 2, (int)(i + 1));
    if (lua_istable(L, -1)) row = mde_action_text_at(L, lua_gettop(L));
    if (mde_cap_counts(&row, response, file, service_now, now, &earlier[count])) count++;
    lua_pop(L, 1);
  }
  if (!mde_cap_merge(cap, earlier, count, now)) return luaL_error(L, "not enough memory");
  return 0;
}

/* cap:pack(now) -> what it knows, as bytes */
static int cap_pack(lua_State *L)
{
  const struct mde_cap *cap = check_cap(L);
  double now = check_time(L, 2);
  size_t size = mde_cap_packed_size(cap, now);
  unsigned char *bytes = mde_newuserdata(L, size);
  mde_cap_pack(cap, now, bytes);
  lua_pushlstring(L, (const char *)bytes, size);
  return 1;
}

/*
 * cap:unpack(bytes, now) -> true: it knows these sends in the place of its own; or false and
 * "other", "damaged" or "clock": it knows no send and is not whole then, as it is when this raises
 * for lack of memory.
 */
static int cap_unpack(lua_State *L)
{
  static const char *const reasons[] = {
      [MDE_CAP_UNPACKED_OK] = NULL,
      [MDE_CAP_UNPACKED_OTHER] = "other",
      [MDE_CAP_UNPACKED_DAMAGED] = "damaged",
      [MDE_CAP_UNPACKED_CLOCK] = "clock",
  };
  struct mde_cap *cap = check_cap(L);
  struct mde_text bytes = mde_check_text(L, 2);
  enum mde_cap_unpacked result =
      mde_cap_unpack(cap, (const unsigned char *)bytes.bytes, bytes.length, check_time(L, 3));
  if (result == MDE_CAP_UNPACKED_NO_MEMORY) return luaL_error(L, "not enough memory");
  lua_pushboolean(L, result == MDE_CAP_UNPACKED_OK);
  lua_pushstring(L, reasons[result]);
  return 2;
}

static int cap_gc(lua_State *L)
{
  mde_cap_clear(luaL_checkudata(L, 1, CAP));
  return 0;
}

static const luaL_Reg functions[] = {{"new", cap_new}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"is_whole", cap_is_whole}, {"doubt", cap_doubt}, {"remaining", cap_remaining},
    {"wait", cap_wait},         {"take", cap_take},   {"give_back", cap_give_back},
    {"went", cap_went},         {"merge", cap_merge}, {"pack", cap_pack},
    {"unpack", cap_unpack},     {NULL, NULL},
};

static const luaL_Reg metamethods[] = {{"__gc", cap_gc}, {NULL, NULL}};

void mde_open_cap(lua_State *L)
{
  mde_metatable(L, CAP, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
