/*
 * mde.core.kql: values on their way into a query of advanced hunting, and its names (src/core/kql.h).
 */
#include "text_value.h"

#include <math.h>

#include "kql.h"

/* The largest integer up to which a double holds every one exactly. */
#define MAX_EXACT_INTEGER 9007199254740992.0

static const char *const types[] = {
    [MDE_KQL_TYPE_STRING] = "string",     [MDE_KQL_TYPE_LONG] = "long",
    [MDE_KQL_TYPE_REAL] = "real",         [MDE_KQL_TYPE_BOOL] = "bool",
    [MDE_KQL_TYPE_DATETIME] = "datetime", [MDE_KQL_TYPE_TIMESPAN] = "timespan",
    [MDE_KQL_TYPE_GUID] = "guid",         [MDE_KQL_TYPE_GUID + 1] = NULL,
};

static const char *const flaws[] = {
    [MDE_KQL_FLAW_NOT_UTF8] = "not_utf8",     [MDE_KQL_FLAW_NOT_FINITE] = "not_finite",
    [MDE_KQL_FLAW_NOT_A_TIME] = "not_a_time", [MDE_KQL_FLAW_NOT_A_SPAN] = "not_a_span",
    [MDE_KQL_FLAW_NOT_A_GUID] = "not_a_guid",
};

static int64_t check_whole(lua_State *L, int index, int argument)
{
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, index)) return (int64_t)lua_tointeger(L, index);
#endif
  lua_Number number = lua_tonumber(L, index);
  luaL_argcheck(L, floor(number) == number && fabs(number) <= MAX_EXACT_INTEGER, argument,
                "a whole number expected");
  return (int64_t)number;
}

/*
 * The value at `index`, as one of a type; it stays alive as long as that is. Raises about the
 * argument if it is of another type.
 */
static struct mde_kql_value check_value(lua_State *L, int index, enum mde_kql_type type,
                                        int argument)
{
  struct mde_kql_value value = {.type = type};
  int expected = LUA_TNUMBER;
  if (type == MDE_KQL_TYPE_STRING || type == MDE_KQL_TYPE_GUID) expected = LUA_TSTRING;
  if (type == MDE_KQL_TYPE_BOOL) expected = LUA_TBOOLEAN;
  luaL_argcheck(L, lua_type(L, index) == expected, argument, "a value of another type expected");
  if (expected == LUA_TSTRING)
    value.text.bytes = lua_tolstring(L, index, &value.text.length);
  else if (expected == LUA_TBOOLEAN)
    value.truth = lua_toboolean(L, index);
  else if (type == MDE_KQL_TYPE_LONG)
    value.whole = check_whole(L, index, argument);
  else
    value.number = lua_tonumber(L, index);
  return value;
}

static size_t write_literal(const void *from, char *out, size_t size)
{
  return mde_kql_literal(from, out, size);
}

static size_t write_list(const void *from, char *out, size_t size)
{
  return mde_kql_list(from, out, size);
}

/* literal(type, value) -> its literal | nil, what is wrong with it */
static int kql_literal(lua_State *L)
{
  enum mde_kql_type type = (enum mde_kql_type)luaL_checkoption(L, 1, NULL, types);
  struct mde_kql_value value = check_value(L, 2, type, 2);
  enum mde_kql_flaw flaw = mde_kql_flaw(&value);
  if (flaw != MDE_KQL_FLAW_NONE) {
    lua_pushnil(L);
    lua_pushstring(L, flaws[flaw]);
    return 2;
  }
  mde_push_written(L, write_literal, &value);
  return 1;
}

/* list(type, values) -> the literal of all | nil, what is wrong with one, its place */
static int kql_list(lua_State *L)
{
  enum mde_kql_type type = (enum mde_kql_type)luaL_checkoption(L, 1, NULL, types);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  size_t count = mde_rawlen(L, 2);
  struct mde_kql_value *list = mde_newuserdata(L, (count + 1) * sizeof *list);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)(i + 1));
    list[i] = check_value(L, 4, type, 2);
    lua_pop(L, 1); /* the table keeps it */
    enum mde_kql_flaw flaw = mde_kql_flaw(&list[i]);
    if (flaw == MDE_KQL_FLAW_NONE) continue;
    lua_pushnil(L);
    lua_pushstring(L, flaws[flaw]);
    lua_pushinteger(L, (lua_Integer)(i + 1));
    return 3;
  }
  struct mde_kql_values values = {.list = list, .count = count};
  mde_push_written(L, write_list, &values);
  return 1;
}

/* name_flaw(name) -> why a parameter cannot have it | nil */
static int kql_name_flaw(lua_State *L)
{
  static const char *const names[] = {
      [MDE_KQL_NAME_FLAW_NOT_A_NAME] = "not_a_name",
      [MDE_KQL_NAME_FLAW_LIKE_A_COLUMN] = "like_a_column",
      [MDE_KQL_NAME_FLAW_KEYWORD] = "keyword",
  };
  enum mde_kql_name_flaw flaw = mde_kql_name_flaw(mde_check_text(L, 1));
  if (flaw == MDE_KQL_NAME_FLAW_NONE)
    lua_pushnil(L);
  else
    lua_pushstring(L, names[flaw]);
  return 1;
}

/* use(query, name) -> "read", "defined", "called" | nil */
static int kql_use(lua_State *L)
{
  static const char *const uses[] = {
      [MDE_KQL_USE_READ] = "read",
      [MDE_KQL_USE_DEFINED] = "defined",
      [MDE_KQL_USE_CALLED] = "called",
  };
  enum mde_kql_use use = mde_kql_use(mde_check_text(L, 1), mde_check_text(L, 2));
  if (use == MDE_KQL_USE_NONE)
    lua_pushnil(L);
  else
    lua_pushstring(L, uses[use]);
  return 1;
}

/* names(query) -> the names in it, each once */
static int kql_names(lua_State *L)
{
  struct mde_text query = mde_check_text(L, 1);
  const char *at = query.bytes;
  struct mde_text name;
  int count = 0;
  lua_settop(L, 1);
  lua_newtable(L);
  lua_newtable(L); /* the names that were */
  while (mde_kql_next_name(&at, query.bytes + query.length, &name) != MDE_KQL_USE_NONE) {
    lua_pushlstring(L, name.bytes, name.length);
    lua_pushvalue(L, -1);
    lua_rawget(L, 3);
    bool is_known = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (!is_known) {
      lua_pushvalue(L, -1);
      lua_rawseti(L, 2, ++count);
      lua_pushvalue(L, -1);
      lua_pushboolean(L, 1);
      lua_rawset(L, 3);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, 2);
  return 1;
}

static const luaL_Reg functions[] = {
    {"literal", kql_literal}, {"list", kql_list},   {"name_flaw", kql_name_flaw},
    {"use", kql_use},         {"names", kql_names}, {NULL, NULL},
};

void mde_open_kql(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
