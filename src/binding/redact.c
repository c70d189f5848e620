/*
 * mde.core.redact: takes the secrets out of text that is about to be shown (src/core/redact.h,
 * src/core/redact_known.h).
 */
#include "text_value.h"

#include "redact.h"
#include "redact_known.h"
#include "secret_value.h"

#define WORK "mde.redact.work"

/* What a redaction writes to. The collector owns it, so that nothing that raises loses it. */
struct work {
  struct mde_buffer out;
  struct mde_buffer scratch;
};

static struct work *new_work(lua_State *L, size_t length)
{
  struct mde_allocator allocator = mde_state_allocator(L);
  size_t limit = mde_redact_limit(length);
  struct work *work = mde_newuserdata(L, sizeof *work);
  mde_buffer_init(&work->out, allocator, limit);
  mde_buffer_init(&work->scratch, allocator, limit);
  luaL_getmetatable(L, WORK);
  lua_setmetatable(L, -2);
  return work;
}

static void clear(struct work *work)
{
  mde_buffer_clear(&work->out);
  mde_buffer_clear(&work->scratch);
}

static int work_gc(lua_State *L)
{
  clear(lua_touserdata(L, 1));
  return 0;
}

/* Pushes what has been written. What could not be written whole is not shown at all. */
static int push_result(lua_State *L, struct work *work, int status)
{
  if (status == MDE_BUFFER_NO_MEMORY) {
    clear(work);
    return luaL_error(L, "not enough memory");
  }
  if (status != MDE_BUFFER_OK)
    lua_pushliteral(L, MDE_REDACTED);
  else
    lua_pushlstring(L, work->out.length > 0 ? work->out.bytes : "", work->out.length);
  clear(work);
  return 1;
}

/* text(s) -> s without the secrets that can be known by their names */
static int redact_text(lua_State *L)
{
  struct mde_text text = mde_check_text(L, 1);
  struct work *work = new_work(L, text.length);
  return push_result(L, work, mde_redact_text(&work->out, text));
}

/* header(name, value) -> the value as it may be shown */
static int redact_header(lua_State *L)
{
  struct mde_text name = mde_check_text(L, 1);
  struct mde_text value = mde_check_text(L, 2);
  struct work *work = new_work(L, value.length);
  return push_result(L, work, mde_redact_header(&work->out, name, value));
}

/* The secret in the table at index 2, number `i`: a string, which the table keeps, or a secret. */
static struct mde_text secret_in_list(lua_State *L, int i)
{
  struct mde_text text = {NULL, 0};
  lua_rawgeti(L, 2, i);
  const struct mde_buffer *secret = mde_test_secret(L, -1);
  if (secret != NULL) {
    text.bytes = secret->bytes;
    text.length = secret->length;
  } else if (lua_type(L, -1) == LUA_TSTRING) {
    text.bytes = lua_tolstring(L, -1, &text.length);
  } else {
    luaL_argerror(L, 2, "a list of strings and secrets expected");
  }
  lua_pop(L, 1);
  return text;
}

/*
 * known(text, secrets) -> the text also without these values, in whatever encoding they stand there
 */
static int redact_known(lua_State *L)
{
  struct mde_text text = mde_check_text(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  size_t count = mde_rawlen(L, 2);
  struct mde_text *values = lua_newuserdata(L, (count + 1) * sizeof *values);
  for (size_t i = 0; i < count; i++)
    values[i] = secret_in_list(L, (int)i + 1);
  struct work *work = new_work(L, text.length);
  return push_result(L, work, mde_redact_known(&work->out, &work->scratch, text, values, count));
}

static const luaL_Reg functions[] = {
    {"text", redact_text},
    {"header", redact_header},
    {"known", redact_known},
    {NULL, NULL},
};

static const luaL_Reg no_methods[] = {{NULL, NULL}};
static const luaL_Reg work_metamethods[] = {{"__gc", work_gc}, {NULL, NULL}};

void mde_open_redact(lua_State *L)
{
  mde_metatable(L, WORK, no_methods, work_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
