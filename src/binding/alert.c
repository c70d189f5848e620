/*
 * mde.core.alert: which devices an alert is about (src/core/evidence.h), and under which key they
 * are acted on (src/core/alert_key.h).
 */
#include "actions.h"

#include "alert_key.h"
#include "evidence.h"

/* The texts of the list on top, in a userdata; pops the list, and pushes that. */
static const struct mde_text *read_roles(lua_State *L, size_t *count)
{
  int list = lua_gettop(L);
  *count = lua_istable(L, list) ? mde_rawlen(L, list) : 0;
  struct mde_text *roles = mde_newuserdata(L, (*count + 1) * sizeof *roles);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    /* What is no text is a role that is not known. */
    roles[i] = (struct mde_text){.bytes = "", .length = 0};
    if (lua_type(L, -1) == LUA_TSTRING) roles[i].bytes = lua_tolstring(L, -1, &roles[i].length);
    lua_pop(L, 1);
  }
  lua_remove(L, list);
  return roles;
}

static const char *const problems[] = {
    [MDE_EVIDENCE_PROBLEM_NONE] = NULL,
    [MDE_EVIDENCE_PROBLEM_NO_ID] = "no_id",
    [MDE_EVIDENCE_PROBLEM_MALFORMED_ID] = "malformed_id",
    [MDE_EVIDENCE_PROBLEM_NOT_ONBOARDED] = "not_onboarded",
};

/* Pushes a device: { pieces = {}, problem, is_contextual, is_target }. */
static void push_device(lua_State *L, const struct mde_evidence_device *device)
{
  lua_createtable(L, 0, 4);
  lua_newtable(L);
  lua_setfield(L, -2, "pieces");
  if (problems[device->problem] != NULL) {
    lua_pushstring(L, problems[device->problem]);
    lua_setfield(L, -2, "problem");
  }
  lua_pushboolean(L, device->is_contextual);
  lua_setfield(L, -2, "is_contextual");
  lua_pushboolean(L, mde_evidence_is_target(device));
  lua_setfield(L, -2, "is_target");
}

/*
 * devices(pieces) -> the devices; pieces: a list of { id, aadDeviceId, computerDnsName,
 * onboardingStatus, roles }, plain tables, which keep the texts alive
 */
static int alert_devices(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkstack(L, 16, "alert");
  lua_settop(L, 1);
  size_t count = mde_rawlen(L, 1);
  struct mde_evidence_piece *pieces = mde_newuserdata(L, (count + 1) * sizeof *pieces);
  struct mde_evidence_device *devices = mde_newuserdata(L, (count + 1) * sizeof *devices);
  size_t *device_of = mde_newuserdata(L, (count + 1) * sizeof *device_of);
  lua_createtable(L, (int)count, 0); /* 5: the roles, so that they stay alive */
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (int)i + 1);
    luaL_argcheck(L, lua_istable(L, -1), 1, "a list of tables expected");
    int piece = lua_gettop(L);
    pieces[i] = (struct mde_evidence_piece){
        .id = mde_text_field(L, piece, "id"),
        .entra_id = mde_text_field(L, piece, "aadDeviceId"),
        .name = mde_text_field(L, piece, "computerDnsName"),
        .onboarding = mde_text_field(L, piece, "onboardingStatus"),
    };
    lua_getfield(L, piece, "roles");
    pieces[i].roles = read_roles(L, &pieces[i].role_count);
    lua_rawseti(L, 5, (int)i + 1);
    lua_pop(L, 1);
  }

  size_t found = mde_evidence_devices(pieces, count, devices, device_of);
  lua_createtable(L, (int)found, 0);
  for (size_t d = 0; d < found; d++) {
    push_device(L, &devices[d]);
    lua_rawseti(L, -2, (int)d + 1);
  }
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (int)device_of[i] + 1);
    lua_getfield(L, -1, "pieces");
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_rawseti(L, -2, (int)mde_rawlen(L, -2) + 1);
    lua_pop(L, 2);
  }
  return 1;
}

/* key(id) -> the key of the alert with this id */
static int alert_key(lua_State *L)
{
  char key[MDE_ALERT_KEY_MAX_BYTES];
  size_t length = mde_alert_key(mde_check_text(L, 1), key);
  lua_pushlstring(L, key, length);
  return 1;
}

static const luaL_Reg functions[] = {
    {"devices", alert_devices},
    {"key", alert_key},
    {NULL, NULL},
};

void mde_open_alert(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
