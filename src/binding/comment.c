/*
 * mde.core.comment: composing and reading the comment of an action (src/core/comment.h).
 */
#include "compat.h"

#include "comment.h"
#include "timestamp.h"

static struct mde_text text_argument(lua_State *L, int index)
{
  struct mde_text text = {NULL, 0};
  if (!lua_isnoneornil(L, index)) text.bytes = luaL_checklstring(L, index, &text.length);
  return text;
}

static void push_text(lua_State *L, struct mde_text text)
{
  if (text.bytes == NULL)
    lua_pushnil(L);
  else
    lua_pushlstring(L, text.bytes, text.length);
}

static const char *problem(int status)
{
  switch (status) {
  case MDE_COMMENT_STATUS_EMPTY:
    return "empty";
  case MDE_COMMENT_STATUS_NOT_UTF8:
    return "not_utf8";
  case MDE_COMMENT_STATUS_NUL:
    return "nul";
  case MDE_COMMENT_STATUS_TOO_LONG:
    return "too_long";
  case MDE_COMMENT_STATUS_INCIDENT:
    return "incident";
  default:
    return "operation";
  }
}

/*
 * compose(text, incident|nil, operation) -> the whole comment, whether the text in it was changed |
 * nil and one of "empty", "not_utf8", "nul", "too_long", "incident", "operation".
 */
static int comment_compose(lua_State *L)
{
  char out[MDE_COMMENT_MAX_BYTES];
  size_t length;
  bool changed;
  int status = mde_comment_compose(out, &length, &changed, text_argument(L, 1), text_argument(L, 2),
                                   text_argument(L, 3));
  if (status == MDE_COMMENT_STATUS_OK) {
    lua_pushlstring(L, out, length);
    lua_pushboolean(L, changed);
    return 2;
  }
  lua_pushnil(L);
  lua_pushstring(L, problem(status));
  return 2;
}

/* make(bytes) -> a text that can be composed */
static int comment_make(lua_State *L)
{
  char out[MDE_COMMENT_MAX_TEXT_BYTES];
  struct mde_text bytes;
  bytes.bytes = luaL_checklstring(L, 1, &bytes.length);
  lua_pushlstring(L, out, mde_comment_make(out, bytes));
  return 1;
}

/* parse(comment) -> text, incident|nil, operation|nil */
static int comment_parse(lua_State *L)
{
  struct mde_comment parts = mde_comment_parse(text_argument(L, 1));
  push_text(L, parts.text);
  push_text(L, parts.incident);
  push_text(L, parts.operation);
  return 3;
}

/* incident_valid(text) -> boolean */
static int comment_incident_valid(lua_State *L)
{
  lua_pushboolean(L, mde_incident_valid(text_argument(L, 1)));
  return 1;
}

/* operation_valid(text) -> boolean */
static int comment_operation_valid(lua_State *L)
{
  lua_pushboolean(L, mde_operation_valid(text_argument(L, 1)));
  return 1;
}

/* key_valid(text) -> boolean: whether a caller's key may be so */
static int comment_key_valid(lua_State *L)
{
  lua_pushboolean(L, mde_key_valid(text_argument(L, 1)));
  return 1;
}

/* expiry(operation|nil) -> Unix seconds until when it is meant to hold | nil */
static int comment_expiry(lua_State *L)
{
  int64_t until = mde_operation_until(text_argument(L, 1));
  if (until == MDE_NO_TIME) return 0;
  lua_pushnumber(L, (lua_Number)(until / MDE_TICKS_PER_SECOND));
  return 1;
}

/* with_expiry(name, seconds) -> the operation id with its end | nil: it is too long, or no time */
static int comment_with_expiry(lua_State *L)
{
  char out[MDE_OPERATION_MAX_BYTES];
  struct mde_text name = text_argument(L, 1);
  lua_Number seconds = luaL_checknumber(L, 2);
  if (!(seconds >= 0 && seconds < 1e11)) return 0;
  size_t length = mde_operation_with_until(out, name, (int64_t)seconds);
  if (length == 0) return 0;
  lua_pushlstring(L, out, length);
  return 1;
}

/* operation(random) -> a new operation id from 16 random bytes */
static int comment_operation(lua_State *L)
{
  char operation[MDE_OPERATION_LENGTH];
  size_t length;
  const char *random = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == MDE_OPERATION_RANDOM_BYTES, 1, "16 random bytes");
  mde_operation_make((const unsigned char *)random, operation);
  lua_pushlstring(L, operation, sizeof operation);
  return 1;
}

static const luaL_Reg functions[] = {
    {"compose", comment_compose},
    {"make", comment_make},
    {"parse", comment_parse},
    {"incident_valid", comment_incident_valid},
    {"operation_valid", comment_operation_valid},
    {"key_valid", comment_key_valid},
    {"expiry", comment_expiry},
    {"with_expiry", comment_with_expiry},
    {"operation", comment_operation},
    {NULL, NULL},
};

void mde_open_comment(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
