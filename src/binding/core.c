/*
 * mde.core: the core's values, for Lua. One file for each concept; this one only gathers them.
 */
#include "compat.h"

/* One a line, however many there are. */
/* clang-format off */
static const struct {
  const char *name;
  void (*open)(lua_State *L);
} concepts[] = {
    {"alert", mde_open_alert},
    {"base64", mde_open_base64},
    {"cap", mde_open_cap},
    {"change", mde_open_change},
    {"comment", mde_open_comment},
    {"coroutine", mde_open_coroutine},
    {"cursor", mde_open_cursor},
    {"device", mde_open_device},
    {"device_list", mde_open_device_list},
    {"guard", mde_open_guard},
    {"header", mde_open_header},
    {"history", mde_open_history},
    {"http1", mde_open_http1},
    {"indicator", mde_open_indicator},
    {"json", mde_open_json},
    {"kql", mde_open_kql},
    {"limiter", mde_open_limiter},
    {"name", mde_open_name},
    {"nearest", mde_open_nearest},
    {"number", mde_open_number},
    {"odata", mde_open_odata},
    {"outcome", mde_open_outcome},
    {"redact", mde_open_redact},
    {"refusal", mde_open_refusal},
    {"response_actions", mde_open_response_actions},
    {"secret", mde_open_secret},
    {"service_time", mde_open_service_time},
    {"show", mde_open_show},
    {"stop_rules", mde_open_stop_rules},
    {"text", mde_open_text},
    {"timestamp", mde_open_timestamp},
    {"token", mde_open_token},
    {"url", mde_open_url},
    {"waves", mde_open_waves},
};
/* clang-format on */

MDE_EXPORT int luaopen_mde_core(lua_State *L);

int luaopen_mde_core(lua_State *L)
{
  luaL_checkstack(L, 8, "mde.core");
  lua_newtable(L);
  for (size_t i = 0; i < sizeof concepts / sizeof concepts[0]; i++) {
    concepts[i].open(L);
    lua_setfield(L, -2, concepts[i].name);
  }
  return 1;
}
