/*
 * mde.core.base64: bytes as text (src/core/base64.h).
 */
#include "compat.h"

#include "base64.h"

static struct mde_text check_text(lua_State *L)
{
  struct mde_text text;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  return text;
}

/* What is written may be long, so it goes into a block that the collector owns. */
static int push_written(lua_State *L, size_t (*write)(struct mde_text, char *, size_t))
{
  struct mde_text text = check_text(L);
  size_t length = write(text, NULL, 0);
  char *out = lua_newuserdata(L, length > 0 ? length : 1);
  write(text, out, length);
  lua_pushlstring(L, out, length);
  return 1;
}

/* encode(bytes) -> text, padded */
static int base64_encode(lua_State *L)
{
  return push_written(L, mde_base64_encode);
}

/* encode_url(bytes) -> text in the alphabet for URLs, without padding */
static int base64_encode_url(lua_State *L)
{
  return push_written(L, mde_base64_encode_url);
}

/* decode(text) -> bytes, of either alphabet, padded or not | nil if it is malformed */
static int base64_decode(lua_State *L)
{
  if (mde_base64_decode(check_text(L), NULL, 0) == MDE_BASE64_MALFORMED) {
    lua_pushnil(L);
    return 1;
  }
  return push_written(L, mde_base64_decode);
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
