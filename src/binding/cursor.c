/*
 * mde.core.cursor: which alerts were handed over (src/core/cursor.h, cursor_record.h).
 *
 * new() makes one. Its alerts are C memory that belongs to the userdata from the start.
 */
#include "text_value.h"

#include "cursor_record.h"
#include "timestamp.h"

#include <math.h>

#define CURSOR "mde.cursor"

static struct mde_cursor *check_cursor(lua_State *L)
{
  return luaL_checkudata(L, 1, CURSOR);
}

/* Seconds as ticks; what is further than any clock goes is cut. */
static int64_t ticks_of(double seconds)
{
  double farthest = 1e11;
  double bounded = fmax(-farthest, fmin(seconds, farthest));
  return (int64_t)(bounded * (double)MDE_TICKS_PER_SECOND);
}

static int64_t check_time(lua_State *L, int index)
{
  double seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, !isnan(seconds), index, "a number of seconds expected");
  return ticks_of(seconds);
}

static void push_seconds(lua_State *L, int64_t ticks)
{
  lua_pushnumber(L, (lua_Number)ticks / (lua_Number)MDE_TICKS_PER_SECOND);
}

/* What is no text is absent: a row may have anything. */
static struct mde_text text_at(lua_State *L, int index)
{
  struct mde_text text = {NULL, 0};
  if (lua_type(L, index) == LUA_TSTRING) text.bytes = lua_tolstring(L, index, &text.length);
  return text;
}

/* ---- limits */

static int64_t seconds_field(lua_State *L, int index, const char *name, int64_t otherwise)
{
  int64_t ticks = otherwise;
  if (mde_field(L, index, name)) ticks = check_time(L, -1);
  lua_pop(L, 1);
  return ticks;
}

static struct mde_cursor_limits check_limits(lua_State *L, int index)
{
  struct mde_cursor_limits limits = mde_cursor_limits_default();
  if (lua_isnoneornil(L, index)) return limits;
  luaL_checktype(L, index, LUA_TTABLE);
  limits.overlap = seconds_field(L, index, "overlap", limits.overlap);
  limits.span = seconds_field(L, index, "span", limits.span);
  limits.sweep_every = seconds_field(L, index, "sweep_every", limits.sweep_every);
  limits.delay = seconds_field(L, index, "delay", limits.delay);
  if (mde_field(L, index, "tries")) limits.tries = (int)luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  if (mde_field(L, index, "by_status") && lua_toboolean(L, -1)) limits.mode = MDE_CURSOR_BY_STATUS;
  lua_pop(L, 1);
  luaL_argcheck(L, mde_cursor_limits_are_valid(&limits), index, "a limit is out of its range");
  return limits;
}

/*
 * new(first [, limits]) -> a cursor that asks for what comes from that time on. limits: by_status,
 * tries, and in seconds overlap, span, sweep_every, delay
 */
static int cursor_new(lua_State *L)
{
  int64_t first = check_time(L, 1);
  struct mde_cursor_limits limits = check_limits(L, 2);
  struct mde_cursor *cursor = mde_newuserdata(L, sizeof *cursor);
  mde_cursor_init(cursor, mde_state_allocator(L), &limits, first);
  luaL_getmetatable(L, CURSOR);
  lua_setmetatable(L, -2);
  return 1;
}

/* ---- a read */

/* cursor:read(now) -> since when the rows are to be asked for, in whole seconds, which begin before */
static int cursor_read(lua_State *L)
{
  struct mde_cursor *cursor = check_cursor(L);
  int64_t since = mde_cursor_read(cursor, check_time(L, 2));
  lua_pushnumber(L, floor((double)since / (double)MDE_TICKS_PER_SECOND));
  return 1;
}

/*
 * cursor:tell(now, id, updated, created, status) -> what is to be done with a row: "hand_over",
 * "known", "later", "old", "interrupted", "no_id", "no_time" or "full". What is no text is absent.
 * Raises for lack of memory.
 */
static int cursor_tell(lua_State *L)
{
  static const char *const answers[] = {
      [MDE_CURSOR_HAND_OVER] = "hand_over",
      [MDE_CURSOR_KNOWN] = "known",
      [MDE_CURSOR_LATER] = "later",
      [MDE_CURSOR_OLD] = "old",
      [MDE_CURSOR_INTERRUPTED] = "interrupted",
      [MDE_CURSOR_NO_ID] = "no_id",
      [MDE_CURSOR_NO_TIME] = "no_time",
      [MDE_CURSOR_FULL] = "full",
  };
  struct mde_cursor *cursor = check_cursor(L);
  int64_t now = check_time(L, 2);
  struct mde_cursor_row row = {.id = text_at(L, 3),
                               .status = text_at(L, 6),
                               .updated = mde_timestamp(text_at(L, 4)),
                               .created = mde_timestamp(text_at(L, 5))};
  enum mde_cursor_answer answer = mde_cursor_tell(cursor, &row, now);
  if (answer == MDE_CURSOR_NO_MEMORY) return luaL_error(L, "not enough memory");
  lua_pushstring(L, answers[answer]);
  return 1;
}

/* cursor:end_read() -> how many were set aside, because they are not told any more */
static int cursor_end_read(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)mde_cursor_end_read(check_cursor(L)));
  return 1;
}

/* ---- an alert */

/* cursor:begin(id) -> which try this is | nil: it does not wait */
static int cursor_begin(lua_State *L)
{
  struct mde_cursor *cursor = check_cursor(L);
  int attempt = mde_cursor_begin(cursor, mde_check_text(L, 2));
  if (attempt == 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, attempt);
  return 1;
}

static const char *const states[] = {
    [MDE_CURSOR_WAITING] = "waiting", [MDE_CURSOR_BEGUN] = "begun", [MDE_CURSOR_DONE] = "done",
    [MDE_CURSOR_ASIDE] = "aside",     [MDE_CURSOR_LEFT] = "left",
};

/*
 * cursor:finish(id, "succeeded"|"failed"|"put_off", now [, not_before]) -> its state: "done",
 * "waiting" or "aside" | nil: it had not begun
 */
static int cursor_finish(lua_State *L)
{
  static const char *const ends[] = {"succeeded", "failed", "put_off", NULL};
  struct mde_cursor *cursor = check_cursor(L);
  struct mde_text id = mde_check_text(L, 2);
  enum mde_cursor_end end = (enum mde_cursor_end)luaL_checkoption(L, 3, NULL, ends);
  int64_t now = check_time(L, 4);
  int64_t not_before = lua_isnoneornil(L, 5) ? MDE_NO_TIME : check_time(L, 5);
  if (mde_cursor_finish(cursor, id, end, now, not_before))
    lua_pushstring(L, states[mde_cursor_find(cursor, id)->state]);
  else
    lua_pushnil(L);
  return 1;
}

/* cursor:again(id) -> whether it was set aside, and waits now */
static int cursor_again(lua_State *L)
{
  struct mde_cursor *cursor = check_cursor(L);
  lua_pushboolean(L, mde_cursor_again(cursor, mde_check_text(L, 2)));
  return 1;
}

/* cursor:in_state(state) -> the ids of those that are in it, in the order in which they came */
static int cursor_in_state(lua_State *L)
{
  struct mde_cursor *cursor = check_cursor(L);
  const char *names[sizeof states / sizeof states[0] + 1] = {NULL};
  for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
    names[i] = states[i];
  enum mde_cursor_state state = (enum mde_cursor_state)luaL_checkoption(L, 2, NULL, names);
  lua_newtable(L);
  int found = 0;
  for (size_t i = 0; i < cursor->entries.length; i++) {
    const struct mde_cursor_entry *entry = &cursor->entries.list[i];
    if (entry->state != state) continue;
    lua_pushlstring(L, entry->id, entry->length);
    lua_rawseti(L, -2, ++found);
  }
  return 1;
}

/* cursor:counts() -> { done = ever, known =, waiting =, aside = } */
static int cursor_counts(lua_State *L)
{
  const struct mde_cursor *cursor = check_cursor(L);
  lua_createtable(L, 0, 4);
  lua_pushnumber(L, (lua_Number)cursor->done);
  lua_setfield(L, -2, "done");
  lua_pushinteger(L, (lua_Integer)cursor->entries.length);
  lua_setfield(L, -2, "known");
  size_t open =
      mde_cursor_count(cursor, MDE_CURSOR_WAITING) + mde_cursor_count(cursor, MDE_CURSOR_BEGUN);
  lua_pushinteger(L, (lua_Integer)open);
  lua_setfield(L, -2, "waiting");
  lua_pushinteger(L, (lua_Integer)mde_cursor_count(cursor, MDE_CURSOR_ASIDE));
  lua_setfield(L, -2, "aside");
  return 1;
}

/* cursor:wait(now) -> seconds until a retry or a sweep is due */
static int cursor_wait(lua_State *L)
{
  const struct mde_cursor *cursor = check_cursor(L);
  push_seconds(L, mde_cursor_wait(cursor, check_time(L, 2)));
  return 1;
}

/* cursor:behind(now) -> for how many seconds nobody knows what has come */
static int cursor_behind(lua_State *L)
{
  const struct mde_cursor *cursor = check_cursor(L);
  push_seconds(L, mde_cursor_behind(cursor, check_time(L, 2)));
  return 1;
}

/* ---- as records */

/* Pushes the records to come. If this raises for lack of memory, all is to be packed again. */
static int push_records(lua_State *L, struct mde_cursor *cursor)
{
  size_t most = MDE_CURSOR_RECORD_MAX, count = 1;
  for (size_t i = 0; i < cursor->entries.length; i++)
    if (cursor->entries.list[i].has_changed) count++;
  unsigned char *bytes = mde_newuserdata(L, (count + 1) * most);
  size_t length = 0, size;
  while ((size = mde_cursor_next_record(cursor, bytes + length)) > 0)
    length += size;
  lua_pushlstring(L, (const char *)bytes, length);
  return 1;
}

/* cursor:changes() -> what has changed since the last time, as bytes to be put behind the others */
static int cursor_changes(lua_State *L)
{
  return push_records(L, check_cursor(L));
}

/* cursor:pack() -> all that is known, as bytes */
static int cursor_pack(lua_State *L)
{
  struct mde_cursor *cursor = check_cursor(L);
  mde_cursor_rewrite(cursor);
  return push_records(L, cursor);
}

/* cursor:must_pack() -> whether all of it is to be packed again, in the place of the changes */
static int cursor_must_pack(lua_State *L)
{
  lua_pushboolean(L, mde_cursor_must_rewrite(check_cursor(L)));
  return 1;
}

/* cursor:size() -> how many bytes all of it takes */
static int cursor_size(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)mde_cursor_size(check_cursor(L)));
  return 1;
}

/*
 * cursor:unpack(bytes) -> how many of them are whole; the rest was not safe yet, and if there is any,
 * all is to be packed again | nil and "other", "mode" or "damaged": it knows nothing then, as it does
 * when this raises for lack of memory.
 */
static int cursor_unpack(lua_State *L)
{
  static const char *const reasons[] = {
      [MDE_CURSOR_UNPACKED_OTHER] = "other",
      [MDE_CURSOR_UNPACKED_MODE] = "mode",
      [MDE_CURSOR_UNPACKED_DAMAGED] = "damaged",
  };
  struct mde_cursor *cursor = check_cursor(L);
  struct mde_text bytes = mde_check_text(L, 2);
  size_t used;
  enum mde_cursor_unpacked result =
      mde_cursor_unpack(cursor, (const unsigned char *)bytes.bytes, bytes.length, &used);
  if (result == MDE_CURSOR_UNPACKED_NO_MEMORY) return luaL_error(L, "not enough memory");
  if (result == MDE_CURSOR_UNPACKED_OK) {
    lua_pushinteger(L, (lua_Integer)used);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, reasons[result]);
  return 2;
}

static int cursor_gc(lua_State *L)
{
  mde_cursor_clear(luaL_checkudata(L, 1, CURSOR));
  return 0;
}

static const luaL_Reg functions[] = {{"new", cursor_new}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"read", cursor_read},           {"tell", cursor_tell},
    {"end_read", cursor_end_read},   {"begin", cursor_begin},
    {"finish", cursor_finish},       {"again", cursor_again},
    {"in_state", cursor_in_state},   {"counts", cursor_counts},
    {"wait", cursor_wait},           {"behind", cursor_behind},
    {"changes", cursor_changes},     {"pack", cursor_pack},
    {"must_pack", cursor_must_pack}, {"size", cursor_size},
    {"unpack", cursor_unpack},       {NULL, NULL},
};

static const luaL_Reg metamethods[] = {{"__gc", cursor_gc}, {NULL, NULL}};

void mde_open_cursor(lua_State *L)
{
  mde_metatable(L, CURSOR, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
  lua_pushinteger(L, MDE_CURSOR_TAIL_MAX);
  lua_setfield(L, -2, "TAIL_MAX");
}
