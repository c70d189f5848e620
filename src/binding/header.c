/*
 * mde.core.header: what stands inside the values of HTTP headers (src/core/header.h).
 */
#include "compat.h"

#include <math.h>

#include "header.h"
#include "refusal.h"

/* A field that is there but no string is empty text, which is nothing that could be understood. */
static struct mde_text text_field(lua_State *L, int index, const char *name)
{
  struct mde_text text = {NULL, 0};
  if (!mde_field(L, index, name)) return text;
  text.bytes = lua_tolstring(L, -1, &text.length);
  if (text.bytes == NULL) text.bytes = "";
  return text;
}

static void push_seconds(lua_State *L, lua_Number seconds)
{
  if (seconds == floor(seconds))
    lua_pushinteger(L, (lua_Integer)seconds);
  else
    lua_pushnumber(L, seconds);
}

/*
 * retry_after(headers, wall_time, [status, message]) -> seconds to wait from now on, at least 0;
 * nothing but nil if nothing says so; nil and "invalid" if a header does and cannot be understood.
 * The message is the service's, which counts in a 429 without such a header.
 */
static int header_retry_after(lua_State *L)
{
  struct mde_retry_headers headers;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Number now = luaL_checknumber(L, 2);
  lua_Number status = luaL_optnumber(L, 3, 0);
  struct mde_text message = {NULL, 0};
  lua_settop(L, 4);
  if (lua_type(L, 4) == LUA_TSTRING) message.bytes = lua_tolstring(L, 4, &message.length);
  headers.retry_after_ms = text_field(L, 1, "retry-after-ms");
  headers.x_ms_retry_after_ms = text_field(L, 1, "x-ms-retry-after-ms");
  headers.retry_after = text_field(L, 1, "retry-after");
  headers.date = text_field(L, 1, "date"); /* four values keep their bytes alive */
  lua_Number seconds = 0;
  switch (mde_refusal_retry_after(&headers, status == 429 ? 429 : 0, message, now, &seconds)) {
  case MDE_RETRY_AFTER_FOUND:
    push_seconds(L, seconds);
    return 1;
  case MDE_RETRY_AFTER_INVALID:
    lua_pushnil(L);
    lua_pushliteral(L, "invalid");
    return 2;
  default:
    lua_pushnil(L);
    return 1;
  }
}

/*
 * date(text, wall_time) -> Unix seconds | nil. The wall time decides on the century of a two-digit
 * year and on nothing else.
 */
static int header_date(lua_State *L)
{
  struct mde_text text;
  int64_t seconds = 0;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  lua_Number now = luaL_checknumber(L, 2);
  luaL_argcheck(L, now >= -1e12 && now <= 1e12, 2, "Unix seconds expected");
  if (mde_header_date(text, (int64_t)now, &seconds))
    lua_pushinteger(L, (lua_Integer)seconds);
  else
    lua_pushnil(L);
  return 1;
}

static void push_lower(lua_State *L, struct mde_text text)
{
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < text.length; i++)
    luaL_addchar(&buffer, (char)mde_ascii_lower(text.bytes[i]));
  luaL_pushresult(&buffer);
}

static void push_value(lua_State *L, const struct mde_challenge_reader *reader)
{
  struct mde_text value = reader->value;
  if (!reader->quoted || memchr(value.bytes, '\\', value.length) == NULL) {
    lua_pushlstring(L, value.bytes, value.length);
    return;
  }
  char *out = lua_newuserdata(L, value.length);
  lua_pushlstring(L, out, mde_header_unquote(value, out, value.length));
  lua_remove(L, -2);
}

enum { CHALLENGES = 2, CHALLENGE = 3, PARAMETERS = 4 };

/* Puts one piece into the tables that are being built; false if a parameter comes a second time. */
static bool add_piece(lua_State *L, enum mde_challenge_piece piece,
                      const struct mde_challenge_reader *reader)
{
  switch (piece) {
  case MDE_CHALLENGE_PIECE_SCHEME:
    lua_settop(L, CHALLENGES);
    lua_newtable(L);
    push_lower(L, reader->name);
    lua_setfield(L, CHALLENGE, "scheme");
    lua_newtable(L);
    lua_pushvalue(L, PARAMETERS);
    lua_setfield(L, CHALLENGE, "parameters");
    lua_pushvalue(L, CHALLENGE);
    lua_rawseti(L, CHALLENGES, (int)mde_rawlen(L, CHALLENGES) + 1);
    return true;
  case MDE_CHALLENGE_PIECE_TOKEN68:
    push_value(L, reader);
    lua_setfield(L, CHALLENGE, "token68");
    return true;
  default:
    push_lower(L, reader->name);
    lua_pushvalue(L, -1);
    lua_rawget(L, PARAMETERS);
    if (!lua_isnil(L, -1)) return false;
    lua_pop(L, 1);
    push_value(L, reader);
    lua_rawset(L, PARAMETERS);
    return true;
  }
}

/*
 * challenges(text) -> a list of { scheme, token68 or nil, parameters }, schemes and the parameters'
 * names in lower case | nil if it is malformed or names a parameter of one challenge twice.
 */
static int header_challenges(lua_State *L)
{
  struct mde_challenge_reader reader;
  struct mde_text text;
  enum mde_challenge_piece piece;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  lua_settop(L, 1);
  lua_newtable(L);
  mde_challenge_reader_init(&reader, text);
  while ((piece = mde_challenge_next(&reader)) > MDE_CHALLENGE_PIECE_END)
    if (!add_piece(L, piece, &reader)) break;
  if (piece == MDE_CHALLENGE_PIECE_END)
    lua_settop(L, CHALLENGES);
  else
    lua_pushnil(L);
  return 1;
}

/* is_token(text) -> whether it may be a header's name or a method */
static int header_is_token(lua_State *L)
{
  struct mde_text text;
  text.bytes = luaL_checklstring(L, 1, &text.length);
  lua_pushboolean(L, mde_header_is_token(text));
  return 1;
}

static const luaL_Reg functions[] = {
    {"retry_after", header_retry_after}, {"date", header_date}, {"challenges", header_challenges},
    {"is_token", header_is_token},       {NULL, NULL},
};

void mde_open_header(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
