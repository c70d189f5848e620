/*
 * mde.core.indicator: whether a text can be the value of an indicator, and whom it would hit
 * (src/core/indicator.h).
 */
#include "text_value.h"

#include "indicator.h"

static const char *const types[] = {
    [MDE_INDICATOR_TYPE_FILE_SHA1] = "FileSha1",
    [MDE_INDICATOR_TYPE_FILE_SHA256] = "FileSha256",
    [MDE_INDICATOR_TYPE_FILE_MD5] = "FileMd5",
    [MDE_INDICATOR_TYPE_CERTIFICATE_THUMBPRINT] = "CertificateThumbprint",
    [MDE_INDICATOR_TYPE_IP_ADDRESS] = "IpAddress",
    [MDE_INDICATOR_TYPE_DOMAIN_NAME] = "DomainName",
    [MDE_INDICATOR_TYPE_URL] = "Url",
    [MDE_INDICATOR_TYPES] = NULL,
};

static const char *const flaws[] = {
    [MDE_INDICATOR_FLAW_EMPTY] = "empty",
    [MDE_INDICATOR_FLAW_NOT_A_HASH] = "not_a_hash",
    [MDE_INDICATOR_FLAW_OTHER_HASH] = "other_hash",
    [MDE_INDICATOR_FLAW_NOT_AN_ADDRESS] = "not_an_address",
    [MDE_INDICATOR_FLAW_RANGE] = "range",
    [MDE_INDICATOR_FLAW_AMBIGUOUS] = "ambiguous",
    [MDE_INDICATOR_FLAW_NOT_A_DOMAIN] = "not_a_domain",
    [MDE_INDICATOR_FLAW_WILDCARD] = "wildcard",
    [MDE_INDICATOR_FLAW_ADDRESS] = "address",
    [MDE_INDICATOR_FLAW_URL] = "url",
    [MDE_INDICATOR_FLAW_NOT_A_URL] = "not_a_url",
    [MDE_INDICATOR_FLAW_USER_IN_URL] = "user_in_url",
    [MDE_INDICATOR_FLAW_TOO_LONG] = "too_long",
};

static const char *const reaches[] = {
    [MDE_INDICATOR_REACH_EMPTY_FILE] = "empty_file",
    [MDE_INDICATOR_REACH_ANY_ADDRESS] = "any_address",
    [MDE_INDICATOR_REACH_OWN_ADDRESS] = "own_address",
    [MDE_INDICATOR_REACH_PRIVATE] = "private_address",
    [MDE_INDICATOR_REACH_TOP_LEVEL] = "top_level_domain",
    [MDE_INDICATOR_REACH_VITAL] = "vital_domain",
};

static enum mde_indicator_type check_type(lua_State *L, int index)
{
  return (enum mde_indicator_type)luaL_checkoption(L, index, NULL, types);
}

/* flaw(type, value) -> why it is no value of the type | nil */
static int indicator_flaw(lua_State *L)
{
  lua_pushstring(L, flaws[mde_indicator_flaw(check_type(L, 1), mde_check_text(L, 2))]);
  return 1;
}

/* reach(type, value) -> whom a value without a flaw would hit that nobody means | nil */
static int indicator_reach(lua_State *L)
{
  enum mde_indicator_type type = check_type(L, 1);
  struct mde_text value = mde_check_text(L, 2);
  luaL_argcheck(L, mde_indicator_flaw(type, value) == MDE_INDICATOR_FLAW_NONE, 2,
                "a value of the type expected");
  lua_pushstring(L, reaches[mde_indicator_reach(type, value)]);
  return 1;
}

static const luaL_Reg functions[] = {
    {"flaw", indicator_flaw},
    {"reach", indicator_reach},
    {NULL, NULL},
};

void mde_open_indicator(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
