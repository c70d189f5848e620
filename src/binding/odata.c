/*
 * mde.core.odata: values on their way into a URL, and what text they may be (src/core/odata.h).
 */
#include "text_value.h"

#include "odata.h"

/* literal(text) -> a string as OData writes it: 'it''s' */
static int odata_literal(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), mde_odata_literal);
  return 1;
}

/* encode(text) -> the text with everything but A-Z a-z 0-9 - . _ ~ percent-encoded */
static int odata_encode(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), mde_odata_encode);
  return 1;
}

static size_t decode_url(struct mde_text text, char *out, size_t size)
{
  return mde_odata_decode(text, false, out, size);
}

static size_t decode_form(struct mde_text text, char *out, size_t size)
{
  return mde_odata_decode(text, true, out, size);
}

/* decode(text [, plus_is_space]) -> the text | nil if a percent sign has no two digits behind it */
static int odata_decode(lua_State *L)
{
  struct mde_text text = mde_check_text(L, 1);
  if (mde_odata_decode(text, false, NULL, 0) == MDE_ODATA_MALFORMED) {
    lua_pushnil(L);
    return 1;
  }
  mde_push_changed(L, text, lua_toboolean(L, 2) ? decode_form : decode_url);
  return 1;
}

/*
 * flaw(text) -> why it is no text that a name or a value can be, a phrase, and "control_character"
 * or "not_utf8" | nil if it is one
 */
static int odata_flaw(lua_State *L)
{
  static const char *const names[] = {
      [MDE_ODATA_FLAW_CONTROL_CHARACTER] = "control_character",
      [MDE_ODATA_FLAW_NOT_UTF8] = "not_utf8",
  };
  char reason[MDE_ODATA_FLAW_SIZE];
  enum mde_odata_flaw flaw = mde_odata_flaw(mde_check_text(L, 1), reason);
  if (flaw == MDE_ODATA_FLAW_NONE) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushstring(L, reason);
  lua_pushstring(L, names[flaw]);
  return 2;
}

static const luaL_Reg functions[] = {
    {"literal", odata_literal},
    {"encode", odata_encode},
    {"decode", odata_decode},
    {"flaw", odata_flaw},
    {NULL, NULL},
};

void mde_open_odata(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
