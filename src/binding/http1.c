/*
 * mde.core.http1: heads and chunked bodies of HTTP/1.1 (src/core/http1.h).
 */
#include "compat.h"
#include "http_field.h"

#include "http1.h"

#define CHUNKS "mde.http1.chunks"

/* The bytes at index 1 from the position at index 2 on. */
static struct mde_text input_from(lua_State *L, lua_Integer *from)
{
  struct mde_text input;
  input.bytes = luaL_checklstring(L, 1, &input.length);
  *from = luaL_optinteger(L, 2, 1);
  luaL_argcheck(L, *from >= 1 && (size_t)*from <= input.length + 1, 2, "outside of the bytes");
  input.bytes += *from - 1;
  input.length -= (size_t)*from - 1;
  return input;
}

/* Sets field `name` of the table on top. */
static void set_text(lua_State *L, const char *name, struct mde_text text)
{
  lua_pushlstring(L, text.bytes, text.length);
  lua_setfield(L, -2, name);
}

/* The code of ours for what is wrong with a head or a body. */
static const char *name_of_flaw(int status)
{
  return status == MDE_HTTP1_TOO_LONG ? "too_long" : "bad";
}

static int push_head(lua_State *L, const struct mde_http1_head *head, int used, lua_Integer from)
{
  static const char *const bodies[] = {
      [MDE_HTTP1_BODY_NONE] = "none",
      [MDE_HTTP1_BODY_CHUNKED] = "chunked",
      [MDE_HTTP1_BODY_LENGTH] = "length",
      [MDE_HTTP1_BODY_UNTIL_CLOSE] = "close",
  };
  if (used == MDE_HTTP1_MORE) {
    lua_pushnil(L);
    lua_pushliteral(L, "more");
    return 2;
  }
  if (used < 0) {
    lua_pushnil(L);
    lua_pushstring(L, name_of_flaw(used));
    lua_pushstring(L, head->problem);
    return 3;
  }
  lua_createtable(L, 0, 6);
  if (head->status == 0) {
    set_text(L, "method", head->method);
    set_text(L, "target", head->target);
  } else {
    lua_pushinteger(L, head->status);
    lua_setfield(L, -2, "status");
    set_text(L, "reason", head->reason);
  }
  lua_pushstring(L, head->minor_version == 0 ? "1.0" : "1.1");
  lua_setfield(L, -2, "version");
  lua_pushstring(L, bodies[head->body]);
  lua_setfield(L, -2, "body");
  if (head->body == MDE_HTTP1_BODY_LENGTH) {
    lua_pushinteger(L, (lua_Integer)head->length);
    lua_setfield(L, -2, "length");
  }
  if (head->reusable) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "reusable");
  }
  lua_createtable(L, 0, (int)head->field_count);
  for (size_t i = 0; i < head->field_count; i++)
    mde_push_http_field(L, &head->fields[i]);
  lua_setfield(L, -2, "headers");
  lua_pushinteger(L, from + used);
  return 2;
}

/*
 * request_head(bytes [, from]) -> { method, target, version, headers, body, length }, and the index
 * behind the head | nil, "more" | nil, "bad" or "too_long", what is wrong.
 */
static int http1_request_head(lua_State *L)
{
  struct mde_http1_head head;
  lua_Integer from;
  struct mde_text input = input_from(L, &from);
  int used = mde_http1_request(input, &head);
  return push_head(L, &head, used, from);
}

/*
 * response_head(bytes [, from [, request_method]]) -> { status, reason, version, headers, body,
 * length, reusable }, and the index behind the head | nil, "more" | nil, "bad" or "too_long", what
 * is wrong.
 */
static int http1_response_head(lua_State *L)
{
  struct mde_http1_head head;
  struct mde_text method = {NULL, 0};
  lua_Integer from;
  struct mde_text input = input_from(L, &from);
  if (!lua_isnoneornil(L, 3)) method.bytes = luaL_checklstring(L, 3, &method.length);
  int used = mde_http1_response(input, method, &head);
  return push_head(L, &head, used, from);
}

/* chunks(limit) -> a decoder of one chunked body of at most `limit` bytes */
static int http1_chunks(lua_State *L)
{
  lua_Number limit = luaL_checknumber(L, 1);
  luaL_argcheck(L, limit >= 0 && limit <= (lua_Number)MDE_HTTP1_MAX_BODY_BYTES, 1,
                "a number of bytes expected");
  struct mde_http1_chunks *chunks = mde_newuserdata(L, sizeof *chunks);
  mde_http1_chunks_init(chunks, (uint64_t)limit);
  luaL_getmetatable(L, CHUNKS);
  lua_setmetatable(L, -2);
  return 1;
}

/*
 * decoder:feed(bytes) -> the body's bytes among them, whether the body is complete, and what was
 * behind it or nil | nil, "bad" or "too_long", what is wrong. However the bytes are cut, they give
 * the same.
 */
static int chunks_feed(lua_State *L)
{
  struct mde_http1_chunks *chunks = luaL_checkudata(L, 1, CHUNKS);
  struct mde_text input;
  struct mde_text data;
  luaL_Buffer decoded;
  int status;
  input.bytes = luaL_checklstring(L, 2, &input.length);
  luaL_buffinit(L, &decoded);
  while ((status = mde_http1_chunks_next(chunks, &input, &data)) == MDE_HTTP1_DATA)
    luaL_addlstring(&decoded, data.bytes, data.length);
  luaL_pushresult(&decoded);
  if (status < 0) {
    lua_pushnil(L);
    lua_pushstring(L, name_of_flaw(status));
    lua_pushstring(L, chunks->problem);
    return 3;
  }
  lua_pushboolean(L, status == MDE_HTTP1_DONE);
  if (input.length > 0)
    lua_pushlstring(L, input.bytes, input.length);
  else
    lua_pushnil(L);
  return 3;
}

static const luaL_Reg functions[] = {
    {"request_head", http1_request_head},
    {"response_head", http1_response_head},
    {"chunks", http1_chunks},
    {NULL, NULL},
};

static const luaL_Reg chunks_methods[] = {{"feed", chunks_feed}, {NULL, NULL}};
static const luaL_Reg no_metamethods[] = {{NULL, NULL}};

void mde_open_http1(lua_State *L)
{
  mde_metatable(L, CHUNKS, chunks_methods, no_metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
