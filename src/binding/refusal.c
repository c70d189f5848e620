/*
 * mde.core.refusal: what the words of a 403 say (src/core/refusal.h). Those that decide on another
 * attempt are read by outcome.judge and header.retry_after.
 */
#include "compat.h"
#include "refusal.h"

static struct mde_text check_message(lua_State *L)
{
  struct mde_text message;
  message.bytes = luaL_checklstring(L, 1, &message.length);
  return message;
}

/* is_not_provisioned(message) -> boolean: the tenant has not been set up for the service */
static int refusal_is_not_provisioned(lua_State *L)
{
  lua_pushboolean(L, mde_refusal_is_not_provisioned(check_message(L)));
  return 1;
}

/* roles(message) -> those that would do, those that the token has, as they came | nil */
static int refusal_roles(lua_State *L)
{
  struct mde_text required, present;
  if (!mde_refusal_roles(check_message(L), &required, &present)) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushlstring(L, required.bytes, required.length);
  lua_pushlstring(L, present.bytes, present.length);
  return 2;
}

static const luaL_Reg functions[] = {
    {"is_not_provisioned", refusal_is_not_provisioned},
    {"roles", refusal_roles},
    {NULL, NULL},
};

void mde_open_refusal(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
