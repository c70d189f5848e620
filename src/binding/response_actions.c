/*
 * mde.core.response_actions: the rows of src/core/response_actions.h, by name: { type, path,
 * opposite, holds }.
 */
#include "compat.h"

#include "response_actions.h"

static void set_text(lua_State *L, const char *name, const char *text)
{
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

void mde_open_response_actions(lua_State *L)
{
  lua_newtable(L);
  for (int i = 0; i < MDE_RESPONSE_COUNT; i++) {
    const struct mde_response *response = &mde_responses[i];
    lua_createtable(L, 0, 4);
    set_text(L, "type", response->type);
    set_text(L, "path", response->path);
    set_text(L, "opposite", response->opposite != NULL ? response->opposite->name : NULL);
    lua_pushboolean(L, response->holds);
    lua_setfield(L, -2, "holds");
    lua_setfield(L, -2, response->name);
  }
}
