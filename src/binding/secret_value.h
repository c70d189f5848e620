/*
 * secret_value: the values of mde.core.secret, for other bindings and other modules.
 */
#ifndef MDE_SECRET_VALUE_H
#define MDE_SECRET_VALUE_H

#include "compat.h"

#include "buffer.h"

#define MDE_SECRET_TYPE "mde.secret"
#define MDE_SECRET_MAX_BYTES 65536

/* What the userdata is. */
struct mde_secret_value {
  struct mde_buffer secret;
  bool is_wiped;
};

/* The secret at `index`, or NULL if something else is there. A wiped one is empty. Never raises. */
static inline const struct mde_buffer *mde_test_secret(lua_State *L, int index)
{
  const struct mde_secret_value *value = lua_touserdata(L, index);
  if (value == NULL || !lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, MDE_SECRET_TYPE);
  bool is_secret = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_secret ? &value->secret : NULL;
}

/*
 * Pushes a new secret, empty, of up to MDE_SECRET_MAX_BYTES bytes. Raises for lack of memory. The
 * state must have loaded mde.core, which makes the metatable, whose __gc wipes and frees.
 */
static inline struct mde_buffer *mde_push_secret(lua_State *L)
{
  struct mde_secret_value *value = mde_newuserdata(L, sizeof *value);
  mde_buffer_init(&value->secret, mde_state_allocator(L), MDE_SECRET_MAX_BYTES);
  value->is_wiped = false;
  luaL_getmetatable(L, MDE_SECRET_TYPE);
  lua_setmetatable(L, -2);
  return &value->secret;
}

#endif
