/*
 * mde.core.history: what a device's actions mean (src/core/history.h). Actions are tables as the
 * service sends them, decoded; the strings in them stay alive because the tables do.
 */
#include "actions.h"

#include "history.h"
#include "timestamp.h"

/* The response that an argument names, one that holds; restrict if it is nil. */
static const struct mde_response *check_response(lua_State *L, int index)
{
  const struct mde_response *response = &mde_responses[MDE_RESPONSE_RESTRICT];
  if (!lua_isnoneornil(L, index)) response = mde_response_named(mde_check_text(L, index));
  luaL_argcheck(L, response != NULL && response->holds, index,
                "the name of a response that holds expected");
  return response;
}

/*
 * Reads the listing at argument 1 for the machine at argument 2; leaves the userdata that holds it.
 */
static const struct mde_action *read_actions(lua_State *L, const struct mde_response *of,
                                             int64_t latest, size_t *count)
{
  return mde_read_actions(L, 1, of, mde_check_text(L, 2), latest, count);
}

static void push_action(lua_State *L, size_t index)
{
  if (index == MDE_NO_ACTION)
    lua_pushnil(L);
  else
    lua_rawgeti(L, 1, (int)(index + 1));
}

/*
 * state(actions, machine, latest|nil [, response]) -> "none", "releasing", "released", "unclear", or
 * of the response's row its `changing` or `state`; the action it rests on | nil. latest: Unix
 * seconds, after which no time of an action is usable. response: one that holds, default restrict.
 */
static int history_state(lua_State *L)
{
  lua_settop(L, 4);
  const struct mde_response *response = check_response(L, 4);
  const char *const names[] = {
      [MDE_STATE_NONE] = "none",
      [MDE_STATE_APPLIED] = response->state,
      [MDE_STATE_APPLYING] = response->changing,
      [MDE_STATE_RELEASING] = "releasing",
      [MDE_STATE_RELEASED] = "released",
      [MDE_STATE_UNCLEAR] = "unclear",
  };
  size_t count;
  size_t rests_on;
  int64_t latest = mde_check_ticks(L, 3);
  const struct mde_action *actions = read_actions(L, response, latest, &count);
  lua_pushstring(L, names[mde_history_state(actions, count, response, &rests_on)]);
  push_action(L, rests_on);
  return 2;
}

static void push_actions(lua_State *L, const size_t *indexes, size_t count)
{
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_action(L, indexes[i]);
    lua_rawseti(L, -2, (int)(i + 1));
  }
}

/*
 * holders(actions, machine, claim, latest|nil [, response]) -> the actions of the response that hold
 * the machine and that the claim covers; the others that hold it.
 */
static int history_holders(lua_State *L)
{
  lua_settop(L, 5);
  const struct mde_response *response = check_response(L, 5);
  size_t count;
  struct mde_claim claim = mde_check_claim(L, 3);
  const struct mde_action *actions = read_actions(L, response, mde_check_ticks(L, 4), &count);
  size_t *indexes = lua_newuserdata(L, (2 * count + 1) * sizeof *indexes);
  struct mde_holders held =
      mde_claim_holders(&claim, actions, count, response, indexes, indexes + count);
  push_actions(L, indexes, held.ours);
  push_actions(L, indexes + count, held.others);
  return 2;
}

/*
 * is_incomplete(actions, machine [, response]) -> whether an action among them, which may be one of
 * the response, cannot be identified. response: one that makes actions, default restrict.
 */
static int history_is_incomplete(lua_State *L)
{
  lua_settop(L, 3);
  const struct mde_response *response = &mde_responses[MDE_RESPONSE_RESTRICT];
  if (!lua_isnil(L, 3)) response = mde_response_named(mde_check_text(L, 3));
  luaL_argcheck(L, response != NULL && response->kind == MDE_RESPONSE_ACTS, 3,
                "the name of a response action expected");
  size_t count;
  const struct mde_action *actions = read_actions(L, response, MDE_NO_TIME, &count);
  lua_pushboolean(L, mde_history_is_incomplete(actions, count));
  return 1;
}

/* The status at an argument. Anything but a text is no status, and so not final. */
static enum mde_status status_at(lua_State *L, int index)
{
  struct mde_text status = {NULL, 0};
  if (lua_type(L, index) == LUA_TSTRING) status = mde_check_text(L, index);
  return mde_status_read(status);
}

/* status(text) -> "pending", "succeeded", "failed" or "cancelled" */
static int history_status(lua_State *L)
{
  static const char *const names[] = {
      [MDE_STATUS_PENDING] = "pending",
      [MDE_STATUS_SUCCEEDED] = "succeeded",
      [MDE_STATUS_FAILED] = "failed",
      [MDE_STATUS_CANCELLED] = "cancelled",
  };
  lua_pushstring(L, names[status_at(L, 1)]);
  return 1;
}

/* replaces(known, told) -> whether an action of the status `told` may take the place of the same
   with the status `known` */
static int history_replaces(lua_State *L)
{
  lua_pushboolean(L, mde_status_replaces(status_at(L, 1), status_at(L, 2)));
  return 1;
}

static const luaL_Reg functions[] = {
    {"state", history_state},       {"holders", history_holders},
    {"status", history_status},     {"is_incomplete", history_is_incomplete},
    {"replaces", history_replaces}, {NULL, NULL},
};

void mde_open_history(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
