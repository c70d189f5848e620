/*
 * secret_value: the values of mde.core.secret, for other bindings and other modules.
 */
#ifndef MDE_SECRET_VALUE_H
#define MDE_SECRET_VALUE_H

#include "compat.h"

#include "secret.h"

#define MDE_SECRET_TYPE "mde.secret"

/* What the userdata is. */
struct mde_secret_value {
  struct mde_secret secret;
  bool is_wiped;
};

/* The secret at `index`, or NULL if something else is there. A wiped one is empty. Never raises. */
static inline const struct mde_secret *mde_test_secret(lua_State *L, int index)
{
  const struct mde_secret_value *value = lua_touserdata(L, index);
  if (value == NULL || !lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, MDE_SECRET_TYPE);
  bool is_secret = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_secret ? &value->secret : NULL;
}

/* Pushes a new secret, empty, of up to MDE_LONGEST_SECRET bytes. Raises for lack of memory. */
struct mde_secret *mde_push_secret(lua_State *L);

#define MDE_LONGEST_SECRET 65536

/* secret.read and secret.stamp: see secret_file.c. */
int mde_secret_read(lua_State *L);
int mde_secret_stamp(lua_State *L);

#endif
