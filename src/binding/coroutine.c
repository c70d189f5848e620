/*
 * mde.core.coroutine: what coroutine.isyieldable tells, where Lua lacks it (LuaJIT without 5.2's
 * library) or the host takes it away (nginx).
 */
#include "compat.h"

/*
 * is_yieldable() -> whether the caller could be suspended here; nothing if Lua cannot tell
 * (5.1). Weak, since a module built for LuaJIT loads in 5.1 too.
 */
#if LUA_VERSION_NUM >= 503 || defined(LUA_LJDIR)
#pragma weak lua_isyieldable
static int coroutine_is_yieldable(lua_State *L)
{
  if (lua_isyieldable == NULL) return 0;
  lua_pushboolean(L, lua_isyieldable(L));
  return 1;
}
#else
static int coroutine_is_yieldable(lua_State *L)
{
  (void)L;
  return 0;
}
#endif

static const luaL_Reg functions[] = {
    {"is_yieldable", coroutine_is_yieldable},
    {NULL, NULL},
};

void mde_open_coroutine(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
