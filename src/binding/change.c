/*
 * mde.core.change: the life of one response action (src/core/change.h), for Lua.
 *
 * The texts of the order are copied behind the change, into its userdata. Times are seconds.
 */
#include "actions.h"

#include <math.h>
#include <string.h>

#include "packed_change.h"
#include "timestamp.h"

#define CHANGE "mde.core.change"

struct change {
  struct mde_change change;
  struct mde_order order;
};

static struct change *check_change(lua_State *L)
{
  return luaL_checkudata(L, 1, CHANGE);
}

/* A clock that only goes forward may be anywhere, before 0 too. */
static int64_t check_now(lua_State *L, int index)
{
  lua_Number seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, fabs(seconds) <= 1e11, index, "seconds of a clock expected");
  return (int64_t)(seconds * (lua_Number)MDE_TICKS_PER_SECOND);
}

static bool flag_field(lua_State *L, int index, const char *name)
{
  mde_field(L, index, name);
  bool is_set = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return is_set;
}

/* A copy of a text at *place, which it moves behind it. */
static struct mde_text copy_text(struct mde_text text, char **place)
{
  if (text.bytes == NULL) return text;
  struct mde_text copied = {memcpy(*place, text.bytes, text.length), text.length};
  *place += text.length;
  return copied;
}

/* The operation id at a place in the claim of the order at argument 1. Pushes it. */
static struct mde_text push_operation(lua_State *L, size_t place)
{
  struct mde_text text;
  lua_getfield(L, 1, "operations");
  lua_rawgeti(L, -1, (int)(place + 1));
  lua_remove(L, -2);
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "operations are strings");
  text.bytes = lua_tolstring(L, -1, &text.length);
  return text;
}

static size_t length_of_operations(lua_State *L, size_t count)
{
  size_t length = 0;
  for (size_t i = 0; i < count; i++) {
    length += push_operation(L, i).length;
    lua_pop(L, 1);
  }
  return length;
}

static void copy_operations(lua_State *L, struct mde_text *operations, size_t count, char **place)
{
  for (size_t i = 0; i < count; i++) {
    operations[i] = copy_text(push_operation(L, i), place);
    lua_pop(L, 1);
  }
}

/*
 * Pushes a change that has not begun, of the order at argument 1: { verb, machine_id, operation_id,
 * incident, subject, comment, keyed, look, resend, cancel_opposite, dry_run, decided_at, decided_on,
 * withdrawn_since, operations, expired }. decided_at, withdrawn_since: Unix seconds by the service's
 * clock, or nil. operations, expired: of a release, what its claim covers; neither: no claim.
 * Without a comment, one that was cut is not known again.
 */
static struct change *push_change(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  struct mde_order order = {
      .response = mde_response_named(mde_text_field(L, 1, "verb")),
      .machine = mde_text_field(L, 1, "machine_id"),
      .operation = mde_text_field(L, 1, "operation_id"),
      .incident = mde_text_field(L, 1, "incident"),
      .subject = mde_text_field(L, 1, "subject"),
      .comment = mde_text_field(L, 1, "comment"),
      .keyed = flag_field(L, 1, "keyed"),
      .look = flag_field(L, 1, "look"),
      .resend = flag_field(L, 1, "resend"),
      .cancel_opposite = flag_field(L, 1, "cancel_opposite"),
      .dry_run = flag_field(L, 1, "dry_run"),
      .decided_at = mde_time_field(L, 1, "decided_at"),
      .withdrawn_since = mde_time_field(L, 1, "withdrawn_since"),
  };
  order.claims_expired = flag_field(L, 1, "expired");
  order.is_claim = order.claims_expired;
  if (mde_field(L, 1, "operations")) {
    order.is_claim = true;
    luaL_checktype(L, -1, LUA_TTABLE);
    order.claim.operation_count = mde_rawlen(L, -1);
  }
  lua_pop(L, 1);
  order.is_decided_on = mde_id_read(mde_text_field(L, 1, "decided_on"), &order.decided_on);
  luaL_argcheck(L, order.response != NULL && order.response->kind == MDE_RESPONSE_ACTS, 1,
                "an order has the name of a response action as its verb");
  luaL_argcheck(L, order.machine.bytes != NULL && order.operation.bytes != NULL, 1,
                "an order has a machine_id and an operation_id");
  luaL_argcheck(L, !order.is_claim || order.response->opposite != NULL, 1,
                "what has no opposite has no claim");
  size_t claimed = order.claim.operation_count * sizeof(struct mde_text);
  struct change *self = mde_newuserdata(
      L, sizeof *self + claimed + length_of_operations(L, order.claim.operation_count) +
             order.machine.length + order.operation.length + order.incident.length +
             order.subject.length + order.comment.length);
  struct mde_text *operations = (struct mde_text *)(void *)(self + 1);
  char *place = (char *)(self + 1) + claimed;
  copy_operations(L, operations, order.claim.operation_count, &place);
  order.claim.operations = operations;
  order.machine = copy_text(order.machine, &place);
  order.operation = copy_text(order.operation, &place);
  order.incident = copy_text(order.incident, &place);
  order.subject = copy_text(order.subject, &place);
  order.comment = copy_text(order.comment, &place);
  self->order = order;
  return self;
}

/* Lets the change on top be used: it has begun. */
static int pushed(lua_State *L)
{
  luaL_getmetatable(L, CHANGE);
  lua_setmetatable(L, -2);
  return 1;
}

/* new(order, now) -> a change. now: by the clock of the driver */
static int change_new(lua_State *L)
{
  int64_t now = check_now(L, 2);
  struct change *self = push_change(L);
  luaL_argcheck(L, self->order.comment.bytes != NULL, 1, "an order has a comment");
  mde_change_begin(&self->change, &self->order, now);
  return pushed(L);
}

/*
 * lost(order, { sent_at, sends, looked }, now) -> a change of which only this is known, and that
 * its answer was lost. sent_at: Unix seconds by the service's clock, or nil; sends: nil for 1
 */
static int change_lost(lua_State *L)
{
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t now = check_now(L, 3);
  struct mde_lost lost = {
      .sent_at = mde_time_field(L, 2, "sent_at"), .looked = flag_field(L, 2, "looked"), .sends = 1};
  if (mde_field(L, 2, "sends")) lost.sends = luaL_checkinteger(L, -1) > 1 ? 2 : 1;
  struct change *self = push_change(L);
  mde_change_begin_lost(&self->change, &self->order, &lost, now);
  return pushed(L);
}

/*
 * unpack(order, bytes, now, away) -> the change that was packed so many seconds ago, by a clock
 * that both processes have; nil for anything else
 */
static int change_unpack(lua_State *L)
{
  struct mde_text bytes = mde_check_text(L, 2);
  int64_t now = check_now(L, 3);
  int64_t away = check_now(L, 4);
  struct change *self = push_change(L);
  if (mde_change_unpack(&self->change, (const unsigned char *)bytes.bytes, bytes.length, now, away))
    return pushed(L);
  lua_pushnil(L);
  return 1;
}

/* change:pack(now) -> bytes, so that another process can go on from here */
static int change_pack(lua_State *L)
{
  unsigned char bytes[MDE_PACKED_CHANGE_MAX];
  size_t size = mde_change_pack(&check_change(L)->change, check_now(L, 2), bytes);
  lua_pushlstring(L, (const char *)bytes, size);
  return 1;
}

/* change:see(id, status): the caller knew of this action before it decided. */
static int change_see(lua_State *L)
{
  struct change *self = check_change(L);
  struct mde_id id;
  if (mde_id_read(mde_check_text(L, 2), &id))
    mde_change_see(&self->change, id, mde_status_read(mde_check_text(L, 3)));
  return 0;
}

/*
 * change:next() -> "nothing", "history", "slot", "cancel", "end", "send" or "sleep"; of a history
 * "cached", "now" or "own", of a sleep the seconds; "look", "send" or "find"
 */
static int change_next(lua_State *L)
{
  static const char *const wants[] = {
      [MDE_WANT_NOTHING] = "nothing", [MDE_WANT_HISTORY] = "history", [MDE_WANT_SLOT] = "slot",
      [MDE_WANT_CANCEL] = "cancel",   [MDE_WANT_END] = "end",         [MDE_WANT_SEND] = "send",
      [MDE_WANT_SLEEP] = "sleep",
  };
  static const char *const readings[] = {
      [MDE_READING_CACHED] = "cached", [MDE_READING_NOW] = "now", [MDE_READING_OWN] = "own"};
  static const char *const phases[] = {
      [MDE_PHASE_LOOK] = "look", [MDE_PHASE_SEND] = "send", [MDE_PHASE_FIND] = "find"};
  struct mde_wanted wanted = mde_change_next(&check_change(L)->change);
  lua_pushstring(L, wants[wanted.want]);
  if (wanted.want == MDE_WANT_HISTORY)
    lua_pushstring(L, readings[wanted.reading]);
  else if (wanted.want == MDE_WANT_SLEEP)
    lua_pushnumber(L, (lua_Number)wanted.wait / (lua_Number)MDE_TICKS_PER_SECOND);
  else
    lua_pushnil(L);
  lua_pushstring(L, phases[wanted.phase]);
  return 3;
}

static void push_row(lua_State *L, size_t index)
{
  if (index == MDE_NO_ACTION)
    lua_pushnil(L);
  else
    lua_rawgeti(L, 2, (int)(index + 1));
}

static int unasked(lua_State *L, const char *what)
{
  return luaL_error(L, "the change does not want %s", what);
}

/*
 * change:history(rows, { cached, shared, absent, single, read_at, told_at, began_at,
 * latest }) -> the row
 * that it is about | nil; the newest opposite action that succeeded | nil. began_at: when the
 * change began, by the service's time; latest: after which no time of an action is usable. Raises
 * if no history was wanted.
 */
static int change_history(lua_State *L)
{
  struct change *self = check_change(L);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  lua_getfield(L, 3, "read_at");
  lua_getfield(L, 3, "told_at");
  int64_t told_at = check_now(L, 5);
  struct mde_list list = {.flags = (flag_field(L, 3, "cached") ? MDE_LIST_CACHED : 0u) |
                                   (flag_field(L, 3, "shared") ? MDE_LIST_SHARED : 0u) |
                                   (flag_field(L, 3, "absent") ? MDE_LIST_ABSENT : 0u) |
                                   (flag_field(L, 3, "single") ? MDE_LIST_SINGLE : 0u),
                          .read_at = check_now(L, 4),
                          .told_at = told_at,
                          .began_at = mde_time_field(L, 3, "began_at")};
  size_t count;
  struct mde_action *actions = mde_read_actions(L, 2, self->order.response, self->order.machine,
                                                mde_time_field(L, 3, "latest"), &count);
  size_t about;
  size_t overturned;
  if (mde_change_history(&self->change, &self->order, actions, count, &list, &about, &overturned) !=
      MDE_CHANGE_OK)
    return unasked(L, "a history");
  push_row(L, about);
  push_row(L, overturned);
  return 2;
}

static struct mde_moment check_moment(lua_State *L)
{
  return (struct mde_moment){.now = check_now(L, 3), .sent_at = mde_check_ticks(L, 4)};
}

/* change:answer(row, now, sent_at): the action that answered the send. Raises if none was sent. */
static int change_answer(lua_State *L)
{
  struct change *self = check_change(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  struct mde_moment moment = check_moment(L);
  struct mde_action_text text = mde_action_text_at(L, 2);
  if (mde_change_answer(&self->change, &self->order, &text, moment) != MDE_CHANGE_OK)
    return unasked(L, "an answer");
  return 0;
}

/* change:tell(event, now [, sent_at]) -> true; false to "sending" if it must not leave. Raises if
   that was not wanted. */
static int change_tell(lua_State *L)
{
  static const char *const events[] = {
      [MDE_EVENT_UNREADABLE] = "unreadable",
      [MDE_EVENT_SLOT_TAKEN] = "slot_taken",
      [MDE_EVENT_SLOT_DENIED] = "slot_denied",
      [MDE_EVENT_CANCELLED] = "cancelled",
      [MDE_EVENT_CANCEL_DENIED] = "cancel_denied",
      [MDE_EVENT_ENDED] = "ended",
      [MDE_EVENT_OPEN] = "open",
      [MDE_EVENT_SENDING] = "sending",
      [MDE_EVENT_SENDING_LATER] = "sending_later",
      [MDE_EVENT_NOT_SENT] = "not_sent",
      [MDE_EVENT_REFUSED] = "refused",
      [MDE_EVENT_ACTIVE] = "active",
      [MDE_EVENT_LOST] = "lost",
      [MDE_EVENT_SLEPT] = "slept",
      [MDE_EVENT_TIME_UP] = "time_up",
      [MDE_EVENT_STOPPED] = "stopped",
      NULL,
  };
  struct change *self = check_change(L);
  int event = luaL_checkoption(L, 2, NULL, events);
  int told = mde_change_tell(&self->change, &self->order, (enum mde_event)event, check_moment(L));
  if (told == MDE_CHANGE_UNASKED) return unasked(L, events[event]);
  lua_pushboolean(L, told == MDE_CHANGE_OK);
  return 1;
}

/*
 * change:result() -> { fate, reason, sends, looked, recorded, reconciled, comment_cut, slot }, as
 * if it ended now. reason: nil for none; slot: "return", "count", nil for none.
 */
static int change_result(lua_State *L)
{
  static const char *const fates[] = {
      [MDE_FATE_ACCEPTED] = "accepted",     [MDE_FATE_ALREADY_ACTIVE] = "already_active",
      [MDE_FATE_WOULD_SEND] = "would_send", [MDE_FATE_CONFLICT] = "conflict",
      [MDE_FATE_SUPERSEDED] = "superseded", [MDE_FATE_PROTECTED] = "protected",
      [MDE_FATE_REFUSED] = "refused",       [MDE_FATE_NOT_SENT] = "not_sent",
      [MDE_FATE_UNKNOWN] = "unknown",
  };
  static const char *const reasons[] = {
      [MDE_REASON_NONE] = NULL,
      [MDE_REASON_KEY] = "key",
      [MDE_REASON_DECIDED] = "decided",
      [MDE_REASON_WITHDRAWN] = "withdrawn",
      [MDE_REASON_DECIDED_ON_LOSS] = "decided_on_loss",
      [MDE_REASON_OPPOSITE] = "opposite",
      [MDE_REASON_UNTIMED] = "untimed",
      [MDE_REASON_CANCEL_DENIED] = "cancel_denied",
      [MDE_REASON_CANCEL_LATE] = "cancel_late",
      [MDE_REASON_CANCELS] = "cancels",
      [MDE_REASON_UNREADABLE] = "unreadable",
      [MDE_REASON_STOPPED] = "stopped",
      [MDE_REASON_TIME] = "time",
      [MDE_REASON_ABSENT] = "absent",
      [MDE_REASON_INCOMPLETE] = "incomplete",
      [MDE_REASON_UNCLEAR] = "unclear",
      [MDE_REASON_NOT_SHOWN] = "not_shown",
      [MDE_REASON_RESENT] = "resent",
      [MDE_REASON_NOT_RESENT] = "not_resent",
      [MDE_REASON_HELD] = "held",
      [MDE_REASON_NOT_HELD] = "not_held",
      [MDE_REASON_DIFFERENT] = "different",
  };
  static const char *const slots[] = {
      [MDE_SLOT_NONE] = NULL, [MDE_SLOT_RETURN] = "return", [MDE_SLOT_COUNT] = "count"};
  struct mde_result result = mde_change_result(&check_change(L)->change);
  lua_createtable(L, 0, 8);
  lua_pushstring(L, fates[result.fate]);
  lua_setfield(L, -2, "fate");
  lua_pushstring(L, reasons[result.reason]);
  lua_setfield(L, -2, "reason");
  lua_pushinteger(L, result.sends);
  lua_setfield(L, -2, "sends");
  lua_pushboolean(L, result.looked);
  lua_setfield(L, -2, "looked");
  lua_pushboolean(L, result.recorded);
  lua_setfield(L, -2, "recorded");
  lua_pushboolean(L, result.reconciled);
  lua_setfield(L, -2, "reconciled");
  lua_pushboolean(L, result.comment_cut);
  lua_setfield(L, -2, "comment_cut");
  lua_pushstring(L, slots[result.slot]);
  lua_setfield(L, -2, "slot");
  return 1;
}

static const luaL_Reg methods[] = {
    {"see", change_see},       {"next", change_next}, {"history", change_history},
    {"answer", change_answer}, {"tell", change_tell}, {"result", change_result},
    {"pack", change_pack},     {NULL, NULL},
};

static const luaL_Reg metamethods[] = {{NULL, NULL}};

static const luaL_Reg functions[] = {
    {"new", change_new}, {"lost", change_lost}, {"unpack", change_unpack}, {NULL, NULL}};

void mde_open_change(lua_State *L)
{
  mde_metatable(L, CHANGE, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
