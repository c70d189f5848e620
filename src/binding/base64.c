/*
 * mde.core.base64: bytes as text (src/core/base64.h).
 */
#include "text_value.h"

#include "base64.h"

/* encode(bytes) -> text, padded */
static int base64_encode(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), mde_base64_encode);
  return 1;
}

/* encode_url(bytes) -> text in the alphabet for URLs, without padding */
static int base64_encode_url(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), mde_base64_encode_url);
  return 1;
}

/* decode(text) -> bytes, of either alphabet, padded or not | nil if it is malformed */
static int base64_decode(lua_State *L)
{
  if (mde_base64_decode(mde_check_text(L, 1), NULL, 0) == MDE_BASE64_MALFORMED) {
    lua_pushnil(L);
    return 1;
  }
  mde_push_changed(L, mde_check_text(L, 1), mde_base64_decode);
  return 1;
}

static const luaL_Reg functions[] = {
    {"encode", base64_encode},
    {"encode_url", base64_encode_url},
    {"decode", base64_decode},
    {NULL, NULL},
};

void mde_open_base64(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
