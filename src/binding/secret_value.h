/*
 * secret_value: the values of mde.core.secret, for the other bindings.
 */
#ifndef MDE_SECRET_VALUE_H
#define MDE_SECRET_VALUE_H

#include "compat.h"

#include "secret.h"

/* The secret at `index`, or NULL if something else is there. A wiped one is empty. Never raises. */
const struct mde_secret *mde_test_secret(lua_State *L, int index);

#endif
