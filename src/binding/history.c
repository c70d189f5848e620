/*
 * mde.core.history: what a device's actions mean (src/core/history.h). Actions are tables as the
 * service sends them, decoded; the strings in them stay alive because the tables do.
 */
#include "compat.h"

#include "history.h"
#include "timestamp.h"

static const char *const verbs[] = {"restrict", "release", NULL};

/* A string field of the table at `index`; absent if it is anything but a string. */
static struct mde_text text_field(lua_State *L, int index, const char *name)
{
  struct mde_text text = {NULL, 0};
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TSTRING) text.bytes = lua_tolstring(L, -1, &text.length);
  lua_pop(L, 1);
  return text;
}

/* The misspelt lastUpdateTimeUtc stands in the service's own samples. */
static struct mde_action_text action_text(lua_State *L, int index)
{
  struct mde_action_text text = {
      .id = text_field(L, index, "id"),
      .type = text_field(L, index, "type"),
      .status = text_field(L, index, "status"),
      .machine = text_field(L, index, "machineId"),
      .comment = text_field(L, index, "requestorComment"),
      .created = text_field(L, index, "creationDateTimeUtc"),
      .updated = text_field(L, index, "lastUpdateDateTimeUtc"),
  };
  if (text.updated.bytes == NULL) text.updated = text_field(L, index, "lastUpdateTimeUtc");
  return text;
}

static struct mde_text check_text(lua_State *L, int index)
{
  struct mde_text text;
  text.bytes = luaL_checklstring(L, index, &text.length);
  return text;
}

/*
 * The time that a number of seconds stands for, or a little before: a lua_Number near today is up
 * to 1.2 ticks off, and what was created just then must not fall before it. A number that is no
 * time, since a clock is far off, is the nearest that is one.
 */
static int64_t ticks_not_after(lua_Number seconds)
{
  if (!(seconds > 0)) return 0;
  if (seconds > 1e11) seconds = 1e11;
  int64_t whole = (int64_t)seconds;
  lua_Number part = seconds - (lua_Number)whole;
  int64_t ticks = whole * MDE_TICKS_PER_SECOND + (int64_t)(part * (lua_Number)MDE_TICKS_PER_SECOND);
  return ticks > 2 ? ticks - 2 : 0;
}

/* The Unix seconds in the field `name` of the table at `index`; MDE_NO_TIME where it is nil. */
static int64_t time_field(lua_State *L, int index, const char *name)
{
  int64_t time = MDE_NO_TIME;
  if (mde_field(L, index, name)) time = ticks_not_after(luaL_checknumber(L, -1));
  lua_pop(L, 1);
  return time;
}

/* The status that the table `seen` at `index` has under an action's id in lower case, if any. */
static bool seen_status(lua_State *L, int index, struct mde_text id, enum mde_status *status)
{
  if (id.bytes == NULL) return false;
  luaL_Buffer key;
  luaL_buffinit(L, &key);
  for (size_t i = 0; i < id.length; i++)
    luaL_addchar(&key, (char)mde_ascii_lower(id.bytes[i]));
  luaL_pushresult(&key);
  lua_gettable(L, index);
  bool there = lua_type(L, -1) == LUA_TSTRING;
  if (there) {
    struct mde_text word;
    word.bytes = lua_tolstring(L, -1, &word.length);
    *status = mde_status_read(word);
  }
  lua_pop(L, 1);
  return there;
}

/*
 * Reads the listing at argument 1 for the machine at argument 2; leaves the userdata that holds it.
 * `seen`: the index of a table of what a look before had, id to status; 0: there was none.
 */
static const struct mde_action *read_actions(lua_State *L, int64_t latest, int seen, size_t *count)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  struct mde_text machine = check_text(L, 2);
  *count = lua_rawlen(L, 1);
  struct mde_action *actions = lua_newuserdata(L, (*count + 1) * sizeof *actions);
  for (size_t i = 0; i < *count; i++) {
    actions[i].counts = false;
    lua_rawgeti(L, 1, (int)(i + 1));
    if (lua_istable(L, -1)) {
      struct mde_action_text text = action_text(L, lua_gettop(L));
      enum mde_status status;
      actions[i] = mde_action_read(&text, machine, latest);
      if (seen != 0 && seen_status(L, seen, text.id, &status)) mde_action_see(&actions[i], status);
    }
    lua_pop(L, 1);
  }
  return actions;
}

/* `latest` at an argument: Unix seconds, or nil. */
static int64_t check_latest(lua_State *L, int index)
{
  return lua_isnoneornil(L, index) ? MDE_NO_TIME : ticks_not_after(luaL_checknumber(L, index));
}

static void push_action(lua_State *L, size_t index)
{
  if (index == MDE_NO_ACTION)
    lua_pushnil(L);
  else
    lua_rawgeti(L, 1, (int)(index + 1));
}

/*
 * state(actions, machine, latest|nil) -> "none", "restricted", ... or "unclear"; the action it
 * rests on | nil. latest: Unix seconds, after which no time of an action is usable.
 */
static int history_state(lua_State *L)
{
  static const char *const names[] = {
      [MDE_STATE_NONE] = "none",
      [MDE_STATE_RESTRICTED] = "restricted",
      [MDE_STATE_RESTRICTING] = "restricting",
      [MDE_STATE_RELEASING] = "releasing",
      [MDE_STATE_RELEASED] = "released",
      [MDE_STATE_UNCLEAR] = "unclear",
  };
  size_t count;
  size_t rests_on;
  int64_t latest = check_latest(L, 3);
  const struct mde_action *actions = read_actions(L, latest, 0, &count);
  lua_pushstring(L, names[mde_history_state(actions, count, &rests_on)]);
  push_action(L, rests_on);
  return 2;
}

/*
 * look(actions, machine, { verb, incident, key, cancel_opposite, seen, latest }) -> "send",
 * "already_active", "conflict", "cancel_opposite", "superseded" or "overtaken"; the action it is
 * about | nil; recorded. seen: in a later look what the first had, a table of ids to statuses.
 */
static int history_look(lua_State *L)
{
  static const char *const names[] = {
      [MDE_DECISION_SEND] = "send",
      [MDE_DECISION_ALREADY_ACTIVE] = "already_active",
      [MDE_DECISION_CONFLICT] = "conflict",
      [MDE_DECISION_CANCEL_OPPOSITE] = "cancel_opposite",
      [MDE_DECISION_SUPERSEDED] = "superseded",
      [MDE_DECISION_OVERTAKEN] = "overtaken",
  };
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  lua_getfield(L, 3, "verb");
  struct mde_intent intent = {.verb = (enum mde_verb)luaL_checkoption(L, 4, NULL, verbs),
                              .incident = text_field(L, 3, "incident"),
                              .key = text_field(L, 3, "key")};
  lua_getfield(L, 3, "cancel_opposite");
  intent.cancel_opposite = lua_toboolean(L, -1) != 0;
  intent.looked = mde_field(L, 3, "seen");
  size_t count;
  const struct mde_action *actions =
      read_actions(L, time_field(L, 3, "latest"), intent.looked ? lua_gettop(L) : 0, &count);
  struct mde_look look = mde_history_look(actions, count, &intent);
  lua_pushstring(L, names[look.decision]);
  push_action(L, look.action);
  lua_pushboolean(L, look.recorded);
  return 3;
}

/* The texts of the list at `index` (absolute); they stay alive because the list does. */
static const struct mde_text *read_incidents(lua_State *L, int index, size_t *count)
{
  luaL_checktype(L, index, LUA_TTABLE);
  *count = lua_rawlen(L, index);
  struct mde_text *incidents = lua_newuserdata(L, (*count + 1) * sizeof *incidents);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, index, (int)(i + 1));
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "incidents are strings");
    incidents[i].bytes = lua_tolstring(L, -1, &incidents[i].length);
    lua_pop(L, 1);
  }
  return incidents;
}

static void push_actions(lua_State *L, const size_t *indexes, size_t count)
{
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_action(L, indexes[i]);
    lua_rawseti(L, -2, (int)(i + 1));
  }
}

/*
 * holders(actions, machine, incidents, since|nil, latest|nil) -> the restrictions that hold the
 * machine and are of one of the incidents and created since (Unix seconds); the others that hold it
 */
static int history_holders(lua_State *L)
{
  lua_settop(L, 5);
  struct mde_claim claim = {.since = MDE_NO_TIME};
  if (!lua_isnil(L, 4)) {
    lua_Number since = luaL_checknumber(L, 4);
    luaL_argcheck(L, since >= 0 && since <= 1e11, 4, "Unix seconds");
    claim.since = ticks_not_after(since);
  }
  claim.incidents = read_incidents(L, 3, &claim.count);
  size_t count;
  const struct mde_action *actions = read_actions(L, check_latest(L, 5), 0, &count);
  size_t *indexes = lua_newuserdata(L, (2 * count + 1) * sizeof *indexes);
  struct mde_holders held = mde_history_holders(actions, count, &claim, indexes, indexes + count);
  push_actions(L, indexes, held.ours);
  push_actions(L, indexes + count, held.others);
  return 2;
}

/* find(actions, machine, verb, operation) -> the newest action that carries this operation id | nil
 */
static int history_find(lua_State *L)
{
  enum mde_verb verb = (enum mde_verb)luaL_checkoption(L, 3, NULL, verbs);
  struct mde_text operation = check_text(L, 4);
  size_t count;
  const struct mde_action *actions = read_actions(L, MDE_NO_TIME, 0, &count);
  push_action(L, mde_history_find(actions, count, verb, operation));
  return 1;
}

/*
 * The send at argument 3, { verb, operation_id, key|nil, comment, seen|nil, sent_at|nil }; its
 * texts stay alive because the table does. Leaves `seen` on the stack, and its index in `*seen`: 0
 * if nil.
 */
static struct mde_sent check_sent(lua_State *L, int *seen)
{
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  lua_getfield(L, 3, "verb");
  struct mde_sent sent = {.verb = (enum mde_verb)luaL_checkoption(L, 4, NULL, verbs),
                          .operation = text_field(L, 3, "operation_id"),
                          .comment = text_field(L, 3, "comment"),
                          .sent_at = time_field(L, 3, "sent_at")};
  luaL_argcheck(L, sent.operation.bytes != NULL && sent.comment.bytes != NULL, 3,
                "a send has an operation_id and a comment");
  lua_getfield(L, 3, "key");
  sent.keyed = !lua_isnil(L, -1);
  sent.looked = mde_field(L, 3, "seen");
  *seen = sent.looked ? lua_gettop(L) : 0;
  if (sent.looked) luaL_checktype(L, *seen, LUA_TTABLE);
  return sent;
}

/*
 * reconcile(actions, machine, sent) -> "ours", "active", "superseded", "opposite", "unclear" or
 * "nothing", and the action that it is about. sent: { verb, operation_id, key, comment, seen,
 * sent_at, latest }; seen: what the look before had, id to status, nil if nothing was looked at;
 * sent_at and latest: Unix seconds by the service's clock.
 */
static int history_reconcile(lua_State *L)
{
  static const char *const names[] = {
      [MDE_RECONCILIATION_OURS] = "ours",
      [MDE_RECONCILIATION_ACTIVE] = "active",
      [MDE_RECONCILIATION_SUPERSEDED] = "superseded",
      [MDE_RECONCILIATION_OPPOSITE] = "opposite",
      [MDE_RECONCILIATION_UNCLEAR] = "unclear",
      [MDE_RECONCILIATION_NOTHING] = "nothing",
  };
  int seen;
  struct mde_sent sent = check_sent(L, &seen);
  size_t count;
  const struct mde_action *actions = read_actions(L, time_field(L, 3, "latest"), seen, &count);
  struct mde_reconciled found = mde_history_reconcile(actions, count, &sent);
  lua_pushstring(L, names[found.decision]);
  push_action(L, found.action);
  return 2;
}

/* reply(action, machine, sent) -> "accepted", "cut", "already_active" or "foreign" */
static int history_reply(lua_State *L)
{
  static const char *const names[] = {
      [MDE_REPLY_ACCEPTED] = "accepted",
      [MDE_REPLY_CUT] = "cut",
      [MDE_REPLY_ALREADY_ACTIVE] = "already_active",
      [MDE_REPLY_FOREIGN] = "foreign",
  };
  luaL_checktype(L, 1, LUA_TTABLE);
  struct mde_text machine = check_text(L, 2);
  int seen;
  struct mde_sent sent = check_sent(L, &seen);
  struct mde_action_text text = action_text(L, 1);
  enum mde_status status;
  bool was_seen = seen != 0 && seen_status(L, seen, text.id, &status);
  lua_pushstring(L, names[mde_history_reply(&text, machine, &sent, was_seen)]);
  return 1;
}

/* status(text) -> "pending", "succeeded", "failed" or "cancelled" */
static int history_status(lua_State *L)
{
  static const char *const names[] = {
      [MDE_STATUS_PENDING] = "pending",
      [MDE_STATUS_SUCCEEDED] = "succeeded",
      [MDE_STATUS_FAILED] = "failed",
      [MDE_STATUS_CANCELLED] = "cancelled",
  };
  struct mde_text status = {NULL, 0};
  if (lua_type(L, 1) == LUA_TSTRING) status = check_text(L, 1);
  lua_pushstring(L, names[mde_status_read(status)]);
  return 1;
}

/* time(text) -> Unix seconds with a fraction | nil */
static int history_time(lua_State *L)
{
  struct mde_text text = {NULL, 0};
  if (lua_type(L, 1) == LUA_TSTRING) text = check_text(L, 1);
  int64_t ticks = mde_timestamp(text);
  if (ticks == MDE_NO_TIME)
    lua_pushnil(L);
  else
    lua_pushnumber(L, (lua_Number)ticks / (lua_Number)MDE_TICKS_PER_SECOND);
  return 1;
}

static const luaL_Reg functions[] = {
    {"state", history_state}, {"look", history_look},           {"holders", history_holders},
    {"find", history_find},   {"reply", history_reply},         {"status", history_status},
    {"time", history_time},   {"reconcile", history_reconcile}, {NULL, NULL},
};

void mde_open_history(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
  lua_pushinteger(L, MDE_DOUBT_TICKS / MDE_TICKS_PER_SECOND);
  lua_setfield(L, -2, "DOUBT_SECONDS");
}
