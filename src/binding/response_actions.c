/*
 * mde.core.response_actions: the rows of src/core/response_actions.h by name, and each name at its
 * place in their order.
 */
#include "text_value.h"

#include "response_actions.h"

static void set_text(lua_State *L, const char *name, const char *text)
{
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool is_set)
{
  lua_pushboolean(L, is_set);
  lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, int value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* field.takes(value) -> whether a text can be its value */
static int field_takes(lua_State *L)
{
  const struct mde_response_field *field = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushboolean(L, mde_response_field_takes(field, mde_check_text(L, 1)));
  return 1;
}

/* Pushes { name, option, kind, words, value, takes }. */
static void push_field(lua_State *L, const struct mde_response_field *field)
{
  static const char *const kinds[] = {
      [MDE_FIELD_WORD] = "word", [MDE_FIELD_SHA1] = "sha1", [MDE_FIELD_TEXT] = "text"};
  lua_createtable(L, 0, 6);
  set_text(L, "name", field->name);
  set_text(L, "option", field->option);
  set_text(L, "kind", kinds[field->kind]);
  set_text(L, "value", field->value);
  lua_newtable(L);
  for (int i = 0; i < MDE_FIELD_MAX_WORDS && field->words[i] != NULL; i++) {
    lua_pushstring(L, field->words[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "words");
  lua_pushlightuserdata(L, (void *)field);
  lua_pushcclosure(L, field_takes, 1);
  lua_setfield(L, -2, "takes");
}

static void push_fields(lua_State *L, const struct mde_response *response)
{
  lua_newtable(L);
  for (int i = 0; i < MDE_RESPONSE_MAX_FIELDS && response->fields[i].name != NULL; i++) {
    push_field(L, &response->fields[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_row(lua_State *L, const struct mde_response *response)
{
  static const char *const kinds[] = {[MDE_RESPONSE_ACTS] = "acts",
                                      [MDE_RESPONSE_RECORDS] = "records",
                                      [MDE_RESPONSE_FOLLOWS] = "follows"};
  static const char *const subjects[] = {
      [MDE_SUBJECT_NONE] = NULL, [MDE_SUBJECT_SCOPE] = "scope", [MDE_SUBJECT_FILE] = "file"};
  static const char *const duplicates[] = {[MDE_DUPLICATE_APPLIES] = "applies",
                                           [MDE_DUPLICATE_EITHER] = "either",
                                           [MDE_DUPLICATE_REFUSED] = "refused",
                                           [MDE_DUPLICATE_UNCERTAIN] = "uncertain"};
  lua_createtable(L, 0, 24);
  set_text(L, "name", response->name);
  set_text(L, "kind", kinds[response->kind]);
  set_text(L, "type", response->type);
  set_text(L, "path", response->path);
  set_text(L, "many_path", response->many_path);
  set_integer(L, "many", response->many);
  set_text(L, "opposite", response->opposite != NULL ? response->opposite->name : NULL);
  set_flag(L, "holds", response->holds);
  set_flag(L, "is_unmanaged", response->is_unmanaged);
  set_flag(L, "is_capped", response->is_capped);
  set_flag(L, "has_comment", response->has_comment);
  set_text(L, "subject", subjects[response->subject]);
  set_text(L, "state", response->state);
  set_text(L, "changing", response->changing);
  set_text(L, "permission", response->permission);
  set_integer(L, "per_minute", response->per_minute);
  set_integer(L, "per_hour", response->per_hour);
  set_text(L, "duplicate", duplicates[response->duplicate]);
  set_integer(L, "wait_seconds", response->wait_seconds);
  set_integer(L, "offline_seconds", response->offline_seconds);
  set_text(L, "platforms", response->platforms);
  set_text(L, "summary", response->summary);
  set_text(L, "source", response->source);
  push_fields(L, response);
  lua_setfield(L, -2, "fields");
}

void mde_open_response_actions(lua_State *L)
{
  lua_createtable(L, MDE_RESPONSE_COUNT, MDE_RESPONSE_COUNT);
  for (int i = 0; i < MDE_RESPONSE_COUNT; i++) {
    lua_pushstring(L, mde_responses[i].name);
    lua_rawseti(L, -2, i + 1);
    push_row(L, &mde_responses[i]);
    lua_setfield(L, -2, mde_responses[i].name);
  }
}
