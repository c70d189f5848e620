/*
 * mde.core.guard: whether a machine may be restricted (src/core/guard.h).
 *
 * The compiled rules are the userdata. What a record is judged by are Lua's own texts, which the
 * record keeps alive.
 */
#include "actions.h"

#include "guard.h"

#define GUARD "mde.core.guard.Rules"

static const struct mde_guard *check_guard(lua_State *L)
{
  return luaL_checkudata(L, 1, GUARD);
}

static enum mde_guard_rule check_rule(lua_State *L, int index)
{
  const char *names[MDE_GUARD_RULES + 1] = {NULL};
  for (int rule = 0; rule < MDE_GUARD_RULES; rule++)
    names[rule] = mde_guard_rule_name((enum mde_guard_rule)rule);
  return (enum mde_guard_rule)luaL_checkoption(L, index, NULL, names);
}

/* The names of the rules that are in force, or of all (NULL), in their order. */
static int push_rules(lua_State *L, const struct mde_guard *guard)
{
  lua_createtable(L, MDE_GUARD_RULES, 0);
  int count = 0;
  for (int i = 0; i < MDE_GUARD_RULES; i++) {
    enum mde_guard_rule rule = (enum mde_guard_rule)i;
    if (guard != NULL && !mde_guard_has(guard, rule)) continue;
    lua_pushstring(L, mde_guard_rule_name(rule));
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* ---- what is protected */

/* The texts in a field of argument 1; pushes the field and what holds them. */
static struct mde_guard_texts push_texts(lua_State *L, const char *name)
{
  struct mde_guard_texts texts = {NULL, 0};
  if (!mde_field(L, 1, name)) {
    lua_pushnil(L);
    return texts;
  }
  luaL_argcheck(L, lua_istable(L, -1), 1, "a list of texts expected");
  texts.count = mde_rawlen(L, -1);
  struct mde_text *items = mde_newuserdata(L, (texts.count + 1) * sizeof *items);
  for (size_t i = 0; i < texts.count; i++) {
    lua_rawgeti(L, -2, (int)(i + 1));
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "a list of texts expected");
    items[i].bytes = lua_tolstring(L, -1, &items[i].length);
    lua_pop(L, 1);
  }
  texts.items = items;
  return texts;
}

/* new { tags, names, device_values, servers, platforms } -> what is protected, compiled */
static int guard_new(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_checkstack(L, 16, "guard");
  mde_field(L, 1, "servers");
  struct mde_protect protect = {.servers = lua_toboolean(L, -1) != 0};
  protect.tags = push_texts(L, "tags");
  protect.names = push_texts(L, "names");
  protect.device_values = push_texts(L, "device_values");
  protect.platforms = push_texts(L, "platforms");
  mde_guard_compile(&protect, mde_newuserdata(L, mde_guard_size(&protect)));
  luaL_getmetatable(L, GUARD);
  lua_setmetatable(L, -2);
  return 1;
}

/* flaw(rule, text) -> why the text protects nothing; nil if it may protect something */
static int guard_flaw(lua_State *L)
{
  static const char *const names[] = {
      [MDE_GUARD_FLAW_NONE] = NULL,         [MDE_GUARD_FLAW_EMPTY] = "empty",
      [MDE_GUARD_FLAW_BLANK] = "blank",     [MDE_GUARD_FLAW_CONTROL] = "control",
      [MDE_GUARD_FLAW_BRACKET] = "bracket", [MDE_GUARD_FLAW_LONG] = "long",
      [MDE_GUARD_FLAW_UNKNOWN] = "unknown", [MDE_GUARD_FLAW_WILDCARD] = "wildcard",
  };
  lua_pushstring(L, names[mde_guard_flaw(check_rule(L, 1), mde_check_text(L, 2))]);
  return 1;
}

/* tag(text) -> the one form of a tag */
static int guard_tag(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), mde_guard_tag);
  return 1;
}

/* guard:rules() -> the names of the rules in force */
static int guard_rules(lua_State *L)
{
  return push_rules(L, check_guard(L));
}

/* ---- the machine */

static struct mde_guard_value value_on_top(lua_State *L)
{
  struct mde_guard_value value = {.kind = MDE_GUARD_OTHER};
  if (lua_isnil(L, -1)) {
    value.kind = MDE_GUARD_ABSENT;
  } else if (lua_type(L, -1) == LUA_TSTRING) {
    value.kind = MDE_GUARD_TEXT;
    value.text.bytes = lua_tolstring(L, -1, &value.text.length);
  } else if (lua_istable(L, -1)) {
    value.kind = MDE_GUARD_LIST;
  }
  return value;
}

/* A field of the table at 2, which is pushed. */
static struct mde_guard_value push_field(lua_State *L, const char *name)
{
  mde_field(L, 2, name);
  return value_on_top(L);
}

/* The same, with all that is in it, under whatever keys. */
static struct mde_guard_value push_list(lua_State *L, const char *name)
{
  struct mde_guard_value list = push_field(L, name);
  if (list.kind != MDE_GUARD_LIST) return list;
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
    list.count++;
  struct mde_text *items = mde_newuserdata(L, (list.count + 1) * sizeof *items);
  list.items = items;
  for (lua_pushnil(L); lua_next(L, -3) != 0; lua_pop(L, 1))
    *items++ = value_on_top(L).text;
  return list;
}

static void push_text(lua_State *L, struct mde_text text)
{
  if (text.bytes == NULL)
    lua_pushnil(L);
  else
    lua_pushlstring(L, text.bytes, text.length);
}

/*
 * guard:judge(record, lifted) -> for each rule that protects the machine { rule, reason, found, by
 * }, in their order. lifted: rule to true
 */
static int guard_judge(lua_State *L)
{
  static const char *const reasons[] = {
      [MDE_GUARD_MATCHES] = "matches",
      [MDE_GUARD_MISSING] = "missing",
      [MDE_GUARD_NOT_A_TEXT] = "not_a_text",
      [MDE_GUARD_NOT_A_LIST] = "not_a_list",
      [MDE_GUARD_ITEM_NOT_A_TEXT] = "item_not_a_text",
      [MDE_GUARD_TOO_LONG] = "too_long",
  };
  const struct mde_guard *guard = check_guard(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  luaL_checkstack(L, 16, "guard");
  bool lifted[MDE_GUARD_RULES];
  for (int rule = 0; rule < MDE_GUARD_RULES; rule++) {
    mde_field(L, 3, mde_guard_rule_name((enum mde_guard_rule)rule));
    lifted[rule] = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
  }
  struct mde_guard_record record = {.name = push_field(L, "computerDnsName"),
                                    .platform = push_field(L, "osPlatform"),
                                    .device_value = push_field(L, "deviceValue"),
                                    .tags = push_list(L, "machineTags")};
  struct mde_guard_broken broken[MDE_GUARD_RULES];
  size_t count = mde_guard_judge(guard, &record, lifted, broken);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, mde_guard_rule_name(broken[i].rule));
    lua_setfield(L, -2, "rule");
    lua_pushstring(L, reasons[broken[i].reason]);
    lua_setfield(L, -2, "reason");
    push_text(L, broken[i].found);
    lua_setfield(L, -2, "found");
    push_text(L, broken[i].by);
    lua_setfield(L, -2, "by");
    lua_rawseti(L, -2, (int)(i + 1));
  }
  return 1;
}

static const luaL_Reg methods[] = {{"rules", guard_rules}, {"judge", guard_judge}, {NULL, NULL}};

static const luaL_Reg no_metamethods[] = {{NULL, NULL}};

static const luaL_Reg functions[] = {
    {"new", guard_new}, {"flaw", guard_flaw}, {"tag", guard_tag}, {NULL, NULL}};

void mde_open_guard(lua_State *L)
{
  mde_metatable(L, GUARD, methods, no_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
  push_rules(L, NULL);
  lua_setfield(L, -2, "rules");
}
