#include "actions.h"

#include "timestamp.h"

struct mde_text mde_text_field(lua_State *L, int index, const char *name)
{
  struct mde_text text = {NULL, 0};
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TSTRING) text.bytes = lua_tolstring(L, -1, &text.length);
  lua_pop(L, 1);
  return text;
}

/* The SHA-1 of the file that an action is about, if it says so. */
static struct mde_text file_of(lua_State *L, int index)
{
  static const struct mde_text sha1 = {"Sha1", 4};
  struct mde_text file = {NULL, 0};
  lua_getfield(L, index, "relatedFileInfo");
  if (lua_istable(L, -1)) {
    int info = lua_gettop(L);
    struct mde_text kind = mde_text_field(L, info, "fileIdentifierType");
    if (kind.bytes == NULL || mde_text_same_caseless(kind, sha1))
      file = mde_text_field(L, info, "fileIdentifier");
  }
  lua_pop(L, 1);
  return file;
}

/* The misspelt lastUpdateTimeUtc stands in the service's own samples. */
struct mde_action_text mde_action_text_at(lua_State *L, int index)
{
  struct mde_action_text text = {
      .id = mde_text_field(L, index, "id"),
      .type = mde_text_field(L, index, "type"),
      .status = mde_text_field(L, index, "status"),
      .machine = mde_text_field(L, index, "machineId"),
      .comment = mde_text_field(L, index, "requestorComment"),
      .created = mde_text_field(L, index, "creationDateTimeUtc"),
      .updated = mde_text_field(L, index, "lastUpdateDateTimeUtc"),
      .scope = mde_text_field(L, index, "scope"),
      .file = file_of(L, index),
  };
  if (text.updated.bytes == NULL) text.updated = mde_text_field(L, index, "lastUpdateTimeUtc");
  return text;
}

struct mde_action *mde_read_actions(lua_State *L, int index, const struct mde_response *of,
                                    struct mde_text machine, int64_t latest, size_t *count)
{
  luaL_checktype(L, index, LUA_TTABLE);
  *count = mde_rawlen(L, index);
  struct mde_action *actions = lua_newuserdata(L, (*count + 1) * sizeof *actions);
  for (size_t i = 0; i < *count; i++) {
    actions[i] = (struct mde_action){.counts = false};
    lua_rawgeti(L, index, (int)(i + 1));
    if (lua_istable(L, -1)) {
      struct mde_action_text text = mde_action_text_at(L, lua_gettop(L));
      actions[i] = mde_action_read(&text, of, machine, latest);
    }
    lua_pop(L, 1);
  }
  return actions;
}

int64_t mde_ticks_not_after(lua_Number seconds)
{
  if (!(seconds > 0)) return 0;
  if (seconds > 1e11) seconds = 1e11;
  int64_t whole = (int64_t)seconds;
  lua_Number part = seconds - (lua_Number)whole;
  int64_t ticks = whole * MDE_TICKS_PER_SECOND + (int64_t)(part * (lua_Number)MDE_TICKS_PER_SECOND);
  return ticks > 2 ? ticks - 2 : 0;
}

int64_t mde_check_ticks(lua_State *L, int index)
{
  return lua_isnoneornil(L, index) ? MDE_NO_TIME : mde_ticks_not_after(luaL_checknumber(L, index));
}

int64_t mde_time_field(lua_State *L, int index, const char *name)
{
  int64_t time = MDE_NO_TIME;
  if (mde_field(L, index, name)) time = mde_ticks_not_after(luaL_checknumber(L, -1));
  lua_pop(L, 1);
  return time;
}

/* How many texts the list in a field has; 0 where it is nil. Leaves the stack as it is. */
static size_t count_texts(lua_State *L, int index, const char *name)
{
  size_t count = 0;
  if (mde_field(L, index, name)) {
    luaL_argcheck(L, lua_istable(L, -1), index, "a claim has lists of strings");
    count = mde_rawlen(L, -1);
  }
  lua_pop(L, 1);
  return count;
}

static void read_texts(lua_State *L, int index, const char *name, struct mde_text *texts,
                       size_t count)
{
  lua_getfield(L, index, name);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (int)(i + 1));
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "a claim has lists of strings");
    texts[i].bytes = lua_tolstring(L, -1, &texts[i].length);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

struct mde_claim mde_check_claim(lua_State *L, int index)
{
  luaL_checktype(L, index, LUA_TTABLE);
  struct mde_claim claim = {.incident_count = count_texts(L, index, "incidents"),
                            .operation_count = count_texts(L, index, "operations"),
                            .ended_count = count_texts(L, index, "ended"),
                            .since = mde_time_field(L, index, "since"),
                            .expired_by = mde_claim_expired_by(mde_time_field(L, index, "now"))};
  size_t count = claim.incident_count + claim.operation_count + claim.ended_count;
  struct mde_text *texts = lua_newuserdata(L, (count + 1) * sizeof *texts);
  claim.incidents = texts;
  claim.operations = claim.incidents + claim.incident_count;
  claim.ended = claim.operations + claim.operation_count;
  read_texts(L, index, "incidents", texts, claim.incident_count);
  read_texts(L, index, "operations", texts + claim.incident_count, claim.operation_count);
  read_texts(L, index, "ended", texts + claim.incident_count + claim.operation_count,
             claim.ended_count);
  return claim;
}
