/*
 * mde.core.device: which record of the tenant a name means (src/core/device.h).
 *
 * A record is the table that the service's row became. What is in its fields may be of any type,
 * and another value each time that it is asked for: each is asked for once, and kept meanwhile.
 */
#include "actions.h"

#include "device.h"
#include "name.h"

/* ---- what is asked for */

static struct mde_text text_of(const struct mde_device *device)
{
  return (struct mde_text){.bytes = device->canonical, .length = device->length};
}

/*
 * kind(text) -> "machine_id", "guid", "full_name", "bare_name" or "ip_address", and the canonical
 * text, of an address also why it means no device | nil and why it means none: a phrase behind `the
 * device "..." `.
 */
static int device_kind(lua_State *L)
{
  static const char *const names[] = {
      [MDE_DEVICE_KIND_NONE] = NULL,
      [MDE_DEVICE_KIND_MACHINE_ID] = "machine_id",
      [MDE_DEVICE_KIND_GUID] = "guid",
      [MDE_DEVICE_KIND_FULL_NAME] = "full_name",
      [MDE_DEVICE_KIND_BARE_NAME] = "bare_name",
      [MDE_DEVICE_KIND_IP_ADDRESS] = "ip_address",
  };
  struct mde_device device;
  mde_device_read(mde_check_text(L, 1), &device);
  lua_settop(L, 1);
  struct mde_text canonical = text_of(&device);
  lua_pushstring(L, names[device.kind]);
  if (device.kind != MDE_DEVICE_KIND_NONE) lua_pushlstring(L, canonical.bytes, canonical.length);
  if (device.reason[0] != '\0') lua_pushstring(L, device.reason);
  return lua_gettop(L) - 1;
}

/* is_guid(text) -> whether it is a GUID, of whatever it may be the id */
static int device_is_guid(lua_State *L)
{
  lua_pushboolean(L, mde_device_is_guid(mde_check_text(L, 1)));
  return 1;
}

/* Writes the host of a name in small letters. */
static size_t write_host(struct mde_text name, char *out, size_t size)
{
  struct mde_text host = mde_device_host(mde_name_asked(name, MDE_NAME_RELATION_IS));
  return mde_name_in_small_letters(host, out, size);
}

/* host(name) -> its part before the first dot, in small letters */
static int device_host(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), write_host);
  return 1;
}

/* Reads what is asked for; raises unless it can mean a device. */
static void check_asked(lua_State *L, int index, struct mde_device *device)
{
  mde_device_read(mde_check_text(L, index), device);
  bool is_device =
      device->kind != MDE_DEVICE_KIND_NONE && device->kind != MDE_DEVICE_KIND_IP_ADDRESS;
  luaL_argcheck(L, is_device, index, "a device expected");
}

/* ---- the records */

/* A field of the table on top; absent if it is no text. The table at `kept` keeps it alive. */
static struct mde_text text_field(lua_State *L, int kept, const char *name)
{
  struct mde_text text = {NULL, 0};
  lua_getfield(L, -1, name);
  if (lua_type(L, -1) == LUA_TSTRING) {
    text.bytes = lua_tolstring(L, -1, &text.length);
    lua_rawseti(L, kept, (int)mde_rawlen(L, kept) + 1);
  } else {
    lua_pop(L, 1);
  }
  return text;
}

/* Whether a field of the table on top is there, and is no text. */
static bool is_of_another_type(lua_State *L, const char *name)
{
  lua_getfield(L, -1, name);
  bool is = !lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING;
  lua_pop(L, 1);
  return is;
}

/* The record in the table on top. */
static struct mde_device_record record_on_top(lua_State *L, int kept)
{
  struct mde_device_record record = {
      .id = text_field(L, kept, "id"),
      .entra_id = text_field(L, kept, "aadDeviceId"),
      .name = text_field(L, kept, "computerDnsName"),
      .onboarding = text_field(L, kept, "onboardingStatus"),
      .health = text_field(L, kept, "healthStatus"),
      .merged_into = text_field(L, kept, "mergedIntoMachineId"),
      .last_seen = text_field(L, kept, "lastSeen"),
  };
  if (record.merged_into.bytes == NULL && is_of_another_type(L, "mergedIntoMachineId"))
    record.merged_into = (struct mde_text){.bytes = "?", .length = 1};
  return record;
}

/* The record in the table at `index`. Pushes what keeps it alive. */
static struct mde_device_record check_record(lua_State *L, int index)
{
  luaL_checktype(L, index, LUA_TTABLE);
  luaL_checkstack(L, 8, "device");
  lua_newtable(L);
  int kept = lua_gettop(L);
  lua_pushvalue(L, index);
  struct mde_device_record record = record_on_top(L, kept);
  lua_pop(L, 1);
  return record;
}

/* answers(asked, record) -> whether the record can be what is asked for */
static int device_answers(lua_State *L)
{
  struct mde_device asked;
  check_asked(L, 1, &asked);
  struct mde_device_record record = check_record(L, 2);
  lua_pushboolean(L, mde_device_answers(&asked, &record));
  return 1;
}

/* standing(record) -> what can be done with it */
static int device_standing(lua_State *L)
{
  static const char *const names[] = {
      [MDE_DEVICE_STANDING_UNIDENTIFIED] = "unidentified",
      [MDE_DEVICE_STANDING_MERGED] = "merged",
      [MDE_DEVICE_STANDING_NOT_ONBOARDED] = "not_onboarded",
      [MDE_DEVICE_STANDING_INACTIVE] = "inactive",
      [MDE_DEVICE_STANDING_LIVE] = "live",
  };
  struct mde_device_record record = check_record(L, 1);
  lua_pushstring(L, names[mde_device_standing(&record)]);
  return 1;
}

/* ---- the choice */

/* choose(asked or nil, records) -> the choice, and the places of those that it is about */
static int device_choose(lua_State *L)
{
  static const char *const names[] = {
      [MDE_DEVICE_CHOICE_ONE] = "one",
      [MDE_DEVICE_CHOICE_NONE] = "none",
      [MDE_DEVICE_CHOICE_SEVERAL] = "several",
      [MDE_DEVICE_CHOICE_UNIDENTIFIED] = "unidentified",
      [MDE_DEVICE_CHOICE_MERGED] = "merged",
      [MDE_DEVICE_CHOICE_MERGED_OR_NOT_ONBOARDED] = "merged_or_not_onboarded",
      [MDE_DEVICE_CHOICE_NOT_ONBOARDED] = "not_onboarded",
  };
  struct mde_device asked;
  bool has_asked = !lua_isnoneornil(L, 1);
  if (has_asked) check_asked(L, 1, &asked);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checkstack(L, 8, "device");
  lua_settop(L, 2);
  size_t count = mde_rawlen(L, 2);
  struct mde_device_record *records = mde_newuserdata(L, (count + 1) * sizeof *records);
  struct mde_device_listed *listed = mde_newuserdata(L, (count + 1) * sizeof *listed);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    luaL_argcheck(L, lua_istable(L, -1), 2, "a list of records expected");
    records[i] = record_on_top(L, 5);
    lua_pop(L, 1);
  }
  size_t listed_count = 0;
  enum mde_device_choice choice =
      mde_device_choose(has_asked ? &asked : NULL, records, count, listed, &listed_count);
  lua_pushstring(L, names[choice]);
  lua_createtable(L, (int)listed_count, 0);
  for (size_t i = 0; i < listed_count; i++) {
    lua_pushinteger(L, (lua_Integer)listed[i].index + 1);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 2;
}

/* ---- several identifiers */

/* differs(record, identifiers) -> the place of the first that cannot mean the record | nil */
static int device_differs(lua_State *L)
{
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  struct mde_device_record record = check_record(L, 1);
  size_t count = mde_rawlen(L, 2);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "a list of texts expected");
    struct mde_text identifier = mde_check_text(L, -1);
    if (mde_device_differs(&record, &identifier, 1) == 0) {
      lua_pushinteger(L, (lua_Integer)i + 1);
      return 1;
    }
    lua_pop(L, 1);
  }
  return 0;
}

static const luaL_Reg functions[] = {
    {"kind", device_kind},         {"is_guid", device_is_guid},
    {"host", device_host},         {"answers", device_answers},
    {"standing", device_standing}, {"choose", device_choose},
    {"differs", device_differs},   {NULL, NULL},
};

void mde_open_device(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
