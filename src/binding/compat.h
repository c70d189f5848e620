/*
 * compat: the differences between Lua 5.1 (LuaJIT), 5.3, 5.4 and 5.5 in one place.
 *
 * Below this header the bindings are written as if for 5.4. One user value per userdata is kept in
 * the environment table on 5.1 and is always a table.
 */
#ifndef MDE_COMPAT_H
#define MDE_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>
#include <lauxlib.h>

#include "allocator.h"

#define MDE_EXPORT __attribute__((visibility("default")))

#if LUA_VERSION_NUM < 502

#define mde_rawlen(L, i) lua_objlen((L), (i))
#define mde_setfuncs(L, functions) luaL_register((L), NULL, (functions))
#define mde_newuserdata(L, size) lua_newuserdata((L), (size))
#define mde_setuservalue(L, i) lua_setfenv((L), (i)) /* pops a table */
#define mde_getuservalue(L, i) lua_getfenv((L), (i)) /* pushes it */

#else

/* Of a type as wide as Lua's numbers, which may be wider than a size. */
#define mde_rawlen(L, i) ((size_t)lua_rawlen((L), (i)))
#define mde_setfuncs(L, functions) luaL_setfuncs((L), (functions), 0)
#if LUA_VERSION_NUM >= 504
#define mde_newuserdata(L, size) lua_newuserdatauv((L), (size), 1)
#define mde_setuservalue(L, i) lua_setiuservalue((L), (i), 1)
#define mde_getuservalue(L, i) lua_getiuservalue((L), (i), 1)
#else
#define mde_newuserdata(L, size) lua_newuserdata((L), (size))
#define mde_setuservalue(L, i) lua_setuservalue((L), (i))
#define mde_getuservalue(L, i) lua_getuservalue((L), (i))
#endif

#endif

/*
 * Fills the metatable `name`, making it first if it is not there, and leaves it on the stack. It is
 * filled each time, because an earlier attempt may have ended for lack of memory in between.
 * `methods` become __index, `metamethods` the rest; __metatable hides it from scripts.
 */
static inline void mde_metatable(lua_State *L, const char *name, const luaL_Reg *methods,
                                 const luaL_Reg *metamethods)
{
  luaL_newmetatable(L, name);
  mde_setfuncs(L, metamethods);
  lua_newtable(L);
  mde_setfuncs(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

/* The state's own allocator, so that what limits or fails Lua's memory limits and fails ours. */
static inline struct mde_allocator mde_state_allocator(lua_State *L)
{
  struct mde_allocator allocator;
  allocator.allocate = lua_getallocf(L, &allocator.context);
  return allocator;
}

/* A field of the table at `index` (absolute), pushed; true unless it is nil. */
static inline bool mde_field(lua_State *L, int index, const char *name)
{
  lua_getfield(L, index, name);
  return !lua_isnil(L, -1);
}

/*
 * The opening function of each concept: pushes one table of functions, which src/binding/core.c
 * puts into mde.core under the concept's name.
 */
void mde_open_alert(lua_State *L);
void mde_open_base64(lua_State *L);
void mde_open_cap(lua_State *L);
void mde_open_change(lua_State *L);
void mde_open_comment(lua_State *L);
void mde_open_coroutine(lua_State *L);
void mde_open_cursor(lua_State *L);
void mde_open_device(lua_State *L);
void mde_open_device_list(lua_State *L);
void mde_open_guard(lua_State *L);
void mde_open_header(lua_State *L);
void mde_open_history(lua_State *L);
void mde_open_http1(lua_State *L);
void mde_open_indicator(lua_State *L);
void mde_open_json(lua_State *L);
void mde_open_kql(lua_State *L);
void mde_open_limiter(lua_State *L);
void mde_open_name(lua_State *L);
void mde_open_nearest(lua_State *L);
void mde_open_number(lua_State *L);
void mde_open_odata(lua_State *L);
void mde_open_outcome(lua_State *L);
void mde_open_redact(lua_State *L);
void mde_open_refusal(lua_State *L);
void mde_open_response_actions(lua_State *L);
void mde_open_secret(lua_State *L);
void mde_open_service_time(lua_State *L);
void mde_open_show(lua_State *L);
void mde_open_stop_rules(lua_State *L);
void mde_open_text(lua_State *L);
void mde_open_timestamp(lua_State *L);
void mde_open_token(lua_State *L);
void mde_open_url(lua_State *L);
void mde_open_waves(lua_State *L);

#endif
