/*
 * mde.core.secret: text that is not shown and can be wiped (src/core/buffer.h).
 *
 * The bytes live outside of Lua's strings, which cannot be wiped. What reveal() returns is such a
 * string: take it late and let go of it soon.
 */
#include "compat.h"

#include "buffer.h"
#include "secret_value.h"

/* new(text) -> a secret. Raises if it is longer than 64 KB. */
static int secret_new(lua_State *L)
{
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length <= MDE_SECRET_MAX_BYTES, 1, "a secret has at most 65536 bytes");
  struct mde_buffer *secret = mde_push_secret(L);
  if (mde_buffer_set(secret, text, length) != MDE_BUFFER_OK)
    return luaL_error(L, "not enough memory");
  return 1;
}

/* secret:reveal() -> the text. Raises once it is wiped. */
static int secret_reveal(lua_State *L)
{
  const struct mde_secret_value *value = luaL_checkudata(L, 1, MDE_SECRET_TYPE);
  if (value->is_wiped) return luaL_error(L, "the secret has been wiped");
  lua_pushlstring(L, value->secret.length > 0 ? value->secret.bytes : "", value->secret.length);
  return 1;
}

/* secret:wipe(); a second call is harmless. Also what the collector and a closed variable call. */
static int secret_wipe(lua_State *L)
{
  struct mde_secret_value *value = luaL_checkudata(L, 1, MDE_SECRET_TYPE);
  value->is_wiped = true;
  mde_buffer_clear(&value->secret);
  return 0;
}

/* #secret -> its length in bytes; 0 once it is wiped */
static int secret_length(lua_State *L)
{
  const struct mde_secret_value *value = luaL_checkudata(L, 1, MDE_SECRET_TYPE);
  lua_pushinteger(L, (lua_Integer)value->secret.length);
  return 1;
}

static int secret_tostring(lua_State *L)
{
  luaL_checkudata(L, 1, MDE_SECRET_TYPE);
  lua_pushliteral(L, "[secret]");
  return 1;
}

static const luaL_Reg functions[] = {
    {"new", secret_new},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"reveal", secret_reveal},
    {"wipe", secret_wipe},
    {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__len", secret_length},
    {"__tostring", secret_tostring},
    {"__gc", secret_wipe},
    {"__close", secret_wipe},
    {NULL, NULL},
};

void mde_open_secret(lua_State *L)
{
  mde_metatable(L, MDE_SECRET_TYPE, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
