#include "pem_argument.h"

#include <limits.h>

#include "pem.h"
#include "secret_value.h"

#define PEM "mde.crypto.pem"

static bool text_at(lua_State *L, int index, struct mde_text *text)
{
  const struct mde_buffer *secret = mde_test_secret(L, index);
  if (secret != NULL) {
    *text = (struct mde_text){secret->length > 0 ? secret->bytes : "", secret->length};
    return true;
  }
  if (lua_type(L, index) != LUA_TSTRING) return false;
  text->bytes = lua_tolstring(L, index, &text->length);
  return true;
}

struct mde_text mde_check_text(lua_State *L, int index)
{
  struct mde_text text;
  if (!text_at(L, index, &text)) luaL_argerror(L, index, "a string or a secret is needed");
  luaL_argcheck(L, text.length <= INT_MAX, index, "it is too long");
  return text;
}

struct mde_text mde_push_pem(lua_State *L, int index, int *flaw)
{
  struct mde_text given = mde_check_text(L, index);
  luaL_argcheck(L, mde_pem_limit(given.length) <= INT_MAX, index, "it is too long");
  struct mde_buffer *mended = mde_newuserdata(L, sizeof *mended);
  mde_buffer_init(mended, mde_state_allocator(L), mde_pem_limit(given.length));
  luaL_getmetatable(L, PEM);
  lua_setmetatable(L, -2);
  *flaw = mde_pem_mend(mended, given);
  if (*flaw == MDE_PEM_NO_MEMORY) luaL_error(L, "not enough memory");
  return (struct mde_text){mended->length > 0 ? mended->bytes : "", mended->length};
}

void mde_clear_pem(lua_State *L, int index)
{
  mde_buffer_clear(luaL_checkudata(L, index, PEM));
}

const char *mde_pem_problem(int flaw)
{
  switch (flaw) {
  case MDE_PEM_UTF16:
    return "it is UTF-16, not ASCII or UTF-8";
  case MDE_PEM_NOT_CLOSED:
    return "a line -----BEGIN ...----- in it has no line -----END ...----- of its own";
  case MDE_PEM_FLAT:
    return "the lines of an encrypted private key in it have become one";
  default:
    return NULL;
  }
}

static int pem_clear(lua_State *L)
{
  mde_buffer_clear(luaL_checkudata(L, 1, PEM));
  return 0;
}

static const luaL_Reg no_methods[] = {{NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__gc", pem_clear},
    {NULL, NULL},
};

void mde_open_pem_argument(lua_State *L)
{
  mde_metatable(L, PEM, no_methods, metamethods);
  lua_pop(L, 1);
}
