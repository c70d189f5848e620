/*
 * mde.core.name: how the names of devices are compared (src/core/name.h).
 */
#include "text_value.h"

#include "name.h"

static enum mde_name_relation check_relation(lua_State *L, int index)
{
  static const char *const names[] = {
      [MDE_NAME_RELATION_IS] = "eq",           [MDE_NAME_RELATION_STARTS] = "startswith",
      [MDE_NAME_RELATION_ENDS] = "endswith",   [MDE_NAME_RELATION_CONTAINS] = "contains",
      [MDE_NAME_RELATION_CONTAINS + 1] = NULL,
  };
  return (enum mde_name_relation)luaL_checkoption(L, index, NULL, names);
}

/* normal(text) -> the one form of a name; normal(texts) -> those of all of them, a line each */
static int name_normal(lua_State *L)
{
  if (!lua_istable(L, 1)) {
    mde_push_changed(L, mde_check_text(L, 1), mde_name_normal);
    return 1;
  }
  lua_settop(L, 1);
  lua_pushliteral(L, "");
  size_t count = mde_rawlen(L, 1);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) lua_pushliteral(L, "\n");
    lua_rawgeti(L, 1, (int)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "a list of texts expected");
    mde_push_changed(L, mde_check_text(L, -1), mde_name_normal);
    lua_remove(L, -2);
    lua_concat(L, lua_gettop(L) - 1);
  }
  return 1;
}

/* asked(text, relation) -> what is looked for */
static int name_asked(lua_State *L)
{
  struct mde_text asked = mde_name_asked(mde_check_text(L, 1), check_relation(L, 2));
  lua_pushlstring(L, asked.bytes, asked.length);
  return 1;
}

/* matches(name, relation, text) -> whether the name is, begins with, ends with or contains it */
static int name_matches(lua_State *L)
{
  struct mde_text name = mde_check_text(L, 1);
  enum mde_name_relation relation = check_relation(L, 2);
  lua_pushboolean(L, mde_name_matches(name, relation, mde_check_text(L, 3)));
  return 1;
}

/* spellings(text) -> a list of the text as it is, in small letters and in capitals, each once */
static int name_spellings(lua_State *L)
{
  struct mde_text text = mde_check_text(L, 1);
  lua_settop(L, 1);
  mde_push_changed(L, text, mde_name_in_small_letters);
  mde_push_changed(L, text, mde_name_in_capitals);
  lua_createtable(L, 3, 0);
  int count = 0;
  for (int i = 1; i <= 3; i++) {
    if (i > 1 && lua_rawequal(L, i, 1)) continue;
    if (i > 2 && lua_rawequal(L, i, 2)) continue;
    lua_pushvalue(L, i);
    lua_rawseti(L, 4, ++count);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"normal", name_normal},       {"asked", name_asked}, {"matches", name_matches},
    {"spellings", name_spellings}, {NULL, NULL},
};

void mde_open_name(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
