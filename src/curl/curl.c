/*
 * mde.curl: requests over libcurl, for Lua. The face is lua/mde/driver/curl.lua.
 *
 *   curl.multi() -> the multi handle of this Lua state
 *   curl.loop() -> the same, behind a descriptor that any event loop can watch | nil, message
 *   curl.version -> "libcurl/7.88.1 OpenSSL/3.0.9"
 *   multi:start(request, settings) -> transfer | nil, message, false, code
 *   multi:poll(seconds)
 *   multi:finished() -> the transfer that finished first, until it is released | nil
 *   multi:release(transfer)
 *   multi:close()
 *   transfer:result() -> response | nil, message, maybe_sent, code; once
 *   transfer:discard(): no further request goes over the connection that brought the answer
 *   transfer:withdraw() -> true if it was taken off the wire before the other side could act on it
 *
 * For an event loop, as cqueues.poll asks an object:
 *
 *   multi:pollfd() -> the descriptor; another one after a fork
 *   multi:events() -> "r": when it is readable there is something to do
 *   multi:timeout() -> seconds until there will be in any case | nil; the descriptor knows it too
 *   multi:step() does what there is to do, and does not wait
 *
 * `request` is the driver contract's; `settings` has ca_file, ca_path and proxy. A request that
 * nobody could send raises, what the outside world does is returned.
 *
 * A transfer in flight is anchored in the multi's user value, and has that table for its own user
 * value, in which the multi is too: neither can be collected while the other needs it, and in a
 * closing state, where finalizers come in any order, each takes itself out of the other.
 */
#include "compat.h"
#include "http_field.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "header.h"
#include "http1.h"
#include "multi.h"
#include "url.h"

#define MULTI "mde.curl.multi"
#define TRANSFER "mde.curl.transfer"

#define DEFAULT_TIMEOUT_SECONDS 30
#define DEFAULT_MAX_BYTES (64 * 1024 * 1024)
#define DEFAULT_MAX_IDLE_SECONDS 50

struct transfer {
  struct mde_transfer of_curl; /* first: the lists hold pointers to it */
  struct mde_multi *multi;     /* NULL until it was started */
  int anchor;                  /* in the multi's user value */
  bool taken;                  /* its result was */
};

MDE_EXPORT int luaopen_mde_curl(lua_State *L);

static struct mde_multi *check_multi(lua_State *L)
{
  return luaL_checkudata(L, 1, MULTI);
}

static struct transfer *check_transfer(lua_State *L, int index)
{
  return luaL_checkudata(L, index, TRANSFER);
}

/* ---- what a request may look like */

/* Raises what is wrong with a request, with the place where the driver's send was called. */
__attribute__((noreturn, format(printf, 2, 3))) static void refuse(lua_State *L, const char *format,
                                                                   ...)
{
  va_list arguments;
  va_start(arguments, format);
  luaL_where(L, 2);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  lua_error(L);
  abort(); /* not reached, which lua_error's declaration does not say */
}

/* Of a token, which is long, too: memchr looks at many bytes at a time. */
static bool has_controls(const char *text, size_t length)
{
  return memchr(text, '\r', length) != NULL || memchr(text, '\n', length) != NULL ||
         memchr(text, '\0', length) != NULL;
}

/*
 * Pushes the field and returns its text: never NULL unless it may be missing and is. It stays on
 * the stack, so the text lives as long as the call.
 */
static const char *text_field(lua_State *L, int table, const char *name, bool required,
                              size_t *length)
{
  size_t ignored;
  if (!mde_field(L, table, name) && !required) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING)
    refuse(L, "%s must be a string, not %s", name, luaL_typename(L, -1));
  return lua_tolstring(L, -1, length != NULL ? length : &ignored);
}

/* A file's name or a proxy: text that C reads, so a NUL in it would cut it short unseen. */
static const char *line_field(lua_State *L, int table, const char *name)
{
  size_t length;
  const char *text = text_field(L, table, name, false, &length);
  if (text != NULL && has_controls(text, length))
    refuse(L, "%s has a line break or NUL in it", name);
  return text;
}

static lua_Number number_field(lua_State *L, int table, const char *name, lua_Number otherwise)
{
  lua_Number value = otherwise;
  if (mde_field(L, table, name)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      refuse(L, "%s must be a number, not %s", name, luaL_typename(L, -1));
    value = lua_tonumber(L, -1);
    if (!(value >= 0)) refuse(L, "%s must not be negative", name);
  }
  lua_pop(L, 1);
  return value;
}

static bool flag_field(lua_State *L, int table, const char *name)
{
  bool value = false;
  if (mde_field(L, table, name)) {
    if (!lua_isboolean(L, -1))
      refuse(L, "%s must be a boolean, not %s", name, luaL_typename(L, -1));
    value = lua_toboolean(L, -1);
  }
  lua_pop(L, 1);
  return value;
}

/* libcurl would be generous with a URL. Copies the host and port for messages. */
static void check_url(lua_State *L, const char *url, size_t length, bool plain, char *host,
                      size_t host_size)
{
  struct mde_url parts;
  char problem[MDE_URL_PROBLEM_SIZE];
  struct mde_text text = {.bytes = url, .length = length};
  if (!mde_url_request(text, plain, &parts, problem)) refuse(L, "%s", problem);
  if (parts.authority.length >= host_size) refuse(L, "url names a host that is too long");
  memcpy(host, parts.authority.bytes, parts.authority.length);
  host[parts.authority.length] = '\0';
}

/* Raises for memory only: a header that is too long was too long for any server. */
static void check_secret(lua_State *L, int status)
{
  if (status == MDE_BUFFER_TOO_LONG) refuse(L, "headers are too long");
  if (status != MDE_BUFFER_OK) refuse(L, "not enough memory");
}

/* What says where a request ends, and to whom it goes, is libcurl's to write. */
static bool is_own_header(const char *name, size_t length)
{
  static const char *const own[] = {"connection", "content-length", "host", "transfer-encoding"};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
    if (mde_text_same_caseless((struct mde_text){name, length},
                               (struct mde_text){own[i], strlen(own[i])}))
      return true;
  return false;
}

static void add_headers(lua_State *L, int request, struct mde_transfer *transfer)
{
  if (!mde_field(L, request, "headers")) {
    lua_pop(L, 1);
    return;
  }
  if (!lua_istable(L, -1)) refuse(L, "headers must be a table, not %s", luaL_typename(L, -1));
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    size_t name_length, value_length;
    if (lua_type(L, -2) != LUA_TSTRING) refuse(L, "a header's name is not a string");
    const char *name = lua_tolstring(L, -2, &name_length);
    if (!mde_header_is_token((struct mde_text){name, name_length}))
      refuse(L, "a header's name has a character that is not allowed");
    if (is_own_header(name, name_length)) refuse(L, "header %s is the driver's own", name);
    if (lua_type(L, -1) != LUA_TSTRING)
      refuse(L, "header %s must be a string, not %s", name, luaL_typename(L, -1));
    const char *value = lua_tolstring(L, -1, &value_length);
    if (has_controls(value, value_length))
      refuse(L, "header %s has a line break or NUL in it", name);
    check_secret(L, mde_transfer_header(transfer, name, value));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void add_body(lua_State *L, int request, struct mde_transfer *transfer)
{
  size_t length;
  const char *body = text_field(L, request, "body", false, &length);
  if (body != NULL) check_secret(L, mde_transfer_body(transfer, body, length));
  lua_pop(L, 1);
}

static long milliseconds(lua_Number seconds)
{
  lua_Number rounded_up = ceil(seconds * 1000);
  if (!(rounded_up >= 1)) return 1;
  return rounded_up > 1e9 ? 1000000000L : (long)rounded_up;
}

/*
 * libcurl counts idle time in whole seconds that have passed and uses a connection that has reached
 * the limit; so with a limit of 5 it may be told 4.
 */
static long whole_idle_seconds(lua_Number seconds)
{
  lua_Number whole = ceil(seconds) - 1;
  return whole > 1e6 ? 1000000L : (long)whole;
}

/* ---- the multi handle */

/* A transfer that owns what it is given from the first byte on, not yet known to the multi. */
static struct transfer *new_transfer(lua_State *L)
{
  struct transfer *transfer = mde_newuserdata(L, sizeof *transfer);
  mde_transfer_init(&transfer->of_curl, mde_state_allocator(L));
  transfer->multi = NULL;
  transfer->anchor = LUA_NOREF;
  transfer->taken = false;
  luaL_getmetatable(L, TRANSFER);
  lua_setmetatable(L, -2);
  return transfer;
}

static int return_unstarted(lua_State *L, CURLcode code)
{
  char text[MDE_FAILURE_SIZE];
  mde_failure_describe_start(code, text);
  lua_pushnil(L);
  lua_pushstring(L, text);
  lua_pushboolean(L, 0);
  lua_pushstring(L, mde_failure_code_of_start(code));
  return 4;
}

/* What the environment says; NULL if it is not set, or to nothing. */
static const char *variable(const char *name)
{
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

static int multi_start(lua_State *L)
{
  struct mde_multi *multi = check_multi(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  luaL_checkstack(L, 16, "mde.curl");

  struct transfer *transfer = new_transfer(L);
  const int itself = lua_gettop(L);
  struct mde_transfer_options options;
  size_t url_length, method_length;
  options.method = text_field(L, 2, "method", true, &method_length);
  if (!mde_header_is_token((struct mde_text){options.method, method_length}))
    refuse(L, "method is not one word");
  options.url = text_field(L, 2, "url", true, &url_length);
  options.plain = flag_field(L, 2, "plain");
  check_url(L, options.url, url_length, options.plain, transfer->of_curl.host,
            sizeof transfer->of_curl.host);
  options.ca_file = line_field(L, 3, "ca_file");
  options.ca_path = line_field(L, 3, "ca_path");
  if (options.ca_file == NULL && options.ca_path == NULL) {
    options.ca_file = variable("SSL_CERT_FILE");
    options.ca_path = variable("SSL_CERT_DIR");
  }
  options.proxy = line_field(L, 3, "proxy");
  options.timeout = milliseconds(number_field(L, 2, "timeout", DEFAULT_TIMEOUT_SECONDS));
  options.max_idle = whole_idle_seconds(number_field(L, 2, "max_idle", DEFAULT_MAX_IDLE_SECONDS));
  lua_Number max_bytes = number_field(L, 2, "max_bytes", DEFAULT_MAX_BYTES);
  options.max_bytes = max_bytes < (lua_Number)PTRDIFF_MAX ? (size_t)max_bytes : PTRDIFF_MAX;
  add_headers(L, 2, &transfer->of_curl);
  add_body(L, 2, &transfer->of_curl);

  mde_getuservalue(L, 1);
  lua_pushvalue(L, -1);
  mde_setuservalue(L, itself);
  lua_pushvalue(L, itself);
  transfer->anchor = luaL_ref(L, -2);
  CURLcode code = mde_multi_start(multi, &transfer->of_curl, &options);
  if (code != CURLE_OK) {
    luaL_unref(L, -1, transfer->anchor);
    transfer->anchor = LUA_NOREF;
    mde_transfer_clear(&transfer->of_curl);
    return return_unstarted(L, code);
  }
  transfer->multi = multi;
  lua_pushvalue(L, itself);
  return 1;
}

static int multi_poll(lua_State *L)
{
  struct mde_multi *multi = check_multi(L);
  lua_Number seconds = luaL_checknumber(L, 2);
  mde_multi_poll(multi, seconds > 0 ? (int)milliseconds(seconds) : 0);
  return 0;
}

static int multi_step(lua_State *L)
{
  mde_multi_step(check_multi(L));
  return 0;
}

static int multi_pollfd(lua_State *L)
{
  struct mde_multi *multi = check_multi(L);
  int problem = mde_multi_watch(multi);
  if (problem != 0)
    return luaL_error(L, "there is no descriptor for an event loop: %s", strerror(problem));
  lua_pushinteger(L, multi->watch.epoll);
  return 1;
}

static int multi_events(lua_State *L)
{
  check_multi(L);
  lua_pushliteral(L, "r");
  return 1;
}

static int multi_timeout(lua_State *L)
{
  struct mde_multi *multi = check_multi(L);
  double left = mde_multi_left(multi);
  if (left < 0) return 0;
  lua_pushnumber(L, left);
  return 1;
}

static int multi_finished(lua_State *L)
{
  struct transfer *transfer = (struct transfer *)mde_multi_finished(check_multi(L));
  if (transfer == NULL) return 0;
  mde_getuservalue(L, 1);
  lua_rawgeti(L, -1, transfer->anchor);
  return 1;
}

/* Leaves the lists and the anchor; the table of anchors is that of the transfer at `index`. */
static void release(lua_State *L, int index, struct transfer *transfer)
{
  if (transfer->multi == NULL) return;
  mde_multi_release(transfer->multi, &transfer->of_curl);
  transfer->multi = NULL;
  mde_getuservalue(L, index);
  luaL_unref(L, -1, transfer->anchor);
  transfer->anchor = LUA_NOREF;
  lua_pop(L, 1);
}

static int multi_release(lua_State *L)
{
  check_multi(L);
  release(L, 2, check_transfer(L, 2));
  return 0;
}

static int multi_close(lua_State *L)
{
  mde_multi_close(check_multi(L));
  return 0;
}

/* Clears the transfers too: one that a finalizer starts in a closing state gets no finalizer
 * itself. */
static int multi_collect(lua_State *L)
{
  struct mde_multi *multi = check_multi(L);
  multi->gone = true;
  mde_multi_close(multi);
  while (multi->finished.first != NULL) {
    struct transfer *transfer = (struct transfer *)multi->finished.first;
    mde_multi_release(multi, &transfer->of_curl);
    mde_transfer_clear(&transfer->of_curl);
    transfer->multi = NULL;
  }
  return 0;
}

static int multi_tostring(lua_State *L)
{
  lua_pushliteral(L, MULTI);
  return 1;
}

/* ---- a transfer's answer */

static int return_failure(lua_State *L, struct mde_transfer *transfer)
{
  char text[MDE_FAILURE_SIZE];
  mde_failure_describe(transfer, text);
  bool maybe_sent = mde_transfer_maybe_sent(transfer);
  mde_transfer_clear(transfer);
  lua_pushnil(L);
  lua_pushstring(L, text);
  lua_pushboolean(L, maybe_sent);
  lua_pushstring(L, mde_failure_code(transfer));
  return 4;
}

static int transfer_result(lua_State *L)
{
  struct transfer *transfer = check_transfer(L, 1);
  struct mde_transfer *of_curl = &transfer->of_curl;
  if (of_curl->state == MDE_TRANSFER_STATE_IN_FLIGHT)
    return luaL_error(L, "the transfer is in flight");
  if (transfer->taken) return luaL_error(L, "the transfer's result was taken already");
  transfer->taken = true;
  struct mde_http1_head head;
  if (!mde_transfer_answered(of_curl) || !mde_transfer_read_head(of_curl, &head))
    return return_failure(L, of_curl);
  lua_createtable(L, 0, 4);
  if (of_curl->proxied) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "proxied");
  }
  lua_pushinteger(L, (lua_Integer)of_curl->status);
  lua_setfield(L, -2, "status");
  lua_createtable(L, 0, (int)head.field_count);
  for (size_t i = 0; i < head.field_count; i++)
    mde_push_http_field(L, &head.fields[i]);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, of_curl->answer.bytes != NULL ? of_curl->answer.bytes : "",
                  of_curl->answer.length);
  lua_setfield(L, -2, "body");
  mde_transfer_clear(of_curl);
  return 1;
}

/* Harmless after a fork: its connection is the parent's, of whom no number is known here. */
static int transfer_discard(lua_State *L)
{
  struct mde_transfer *of_curl = &check_transfer(L, 1)->of_curl;
  if (of_curl->connections != NULL)
    mde_connections_spoil(of_curl->connections, of_curl->connection);
  return 0;
}

static int transfer_withdraw(lua_State *L)
{
  struct transfer *transfer = check_transfer(L, 1);
  bool possible = transfer->multi != NULL &&
                  transfer->of_curl.state == MDE_TRANSFER_STATE_IN_FLIGHT &&
                  !mde_transfer_maybe_sent(&transfer->of_curl);
  if (possible) mde_multi_end(transfer->multi, &transfer->of_curl, MDE_TRANSFER_TROUBLE_WITHDRAWN);
  lua_pushboolean(L, possible);
  return 1;
}

static int transfer_collect(lua_State *L)
{
  struct transfer *transfer = check_transfer(L, 1);
  if (transfer->multi != NULL) mde_multi_release(transfer->multi, &transfer->of_curl);
  transfer->multi = NULL;
  mde_transfer_clear(&transfer->of_curl);
  return 0;
}

static int transfer_tostring(lua_State *L)
{
  lua_pushliteral(L, TRANSFER);
  return 1;
}

/* ---- the module */

static const luaL_Reg multi_methods[] = {
    {"start", multi_start},       {"poll", multi_poll},
    {"finished", multi_finished}, {"release", multi_release},
    {"close", multi_close},       {"step", multi_step},
    {"pollfd", multi_pollfd},     {"events", multi_events},
    {"timeout", multi_timeout},   {NULL, NULL},
};

static const luaL_Reg multi_metamethods[] = {
    {"__gc", multi_collect},
    {"__tostring", multi_tostring},
    {NULL, NULL},
};

static const luaL_Reg transfer_methods[] = {
    {"result", transfer_result},
    {"withdraw", transfer_withdraw},
    {"discard", transfer_discard},
    {NULL, NULL},
};

static const luaL_Reg transfer_metamethods[] = {
    {"__gc", transfer_collect},
    {"__tostring", transfer_tostring},
    {NULL, NULL},
};

/* multi(): the one of this Lua state, made on the first call; it lives as long as the state. */
static int curl_multi(lua_State *L)
{
  lua_getfield(L, LUA_REGISTRYINDEX, MULTI ".instance");
  if (!lua_isnil(L, -1)) return 1;
  struct mde_multi *multi = mde_newuserdata(L, sizeof *multi);
  mde_multi_init(multi);
  luaL_getmetatable(L, MULTI);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "multi");
  mde_setuservalue(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, MULTI ".instance");
  return 1;
}

static int curl_loop(lua_State *L)
{
  curl_multi(L);
  int problem = mde_multi_watch(luaL_checkudata(L, -1, MULTI));
  if (problem == 0) return 1;
  lua_pushnil(L);
  lua_pushfstring(L, "there is no descriptor for an event loop: %s",
                  problem == ENOSYS
                      ? "on this system mde has none; use mde.driver.curl, which blocks"
                      : strerror(problem));
  return 2;
}

static const luaL_Reg functions[] = {
    {"multi", curl_multi},
    {"loop", curl_loop},
    {NULL, NULL},
};

int luaopen_mde_curl(lua_State *L)
{
  luaL_checkstack(L, 8, "mde.curl");
  CURLcode code = mde_multi_initialize_process();
  if (code != CURLE_OK)
    return luaL_error(L, "libcurl could not be started: %s", curl_easy_strerror(code));
  mde_metatable(L, MULTI, multi_methods, multi_metamethods);
  mde_metatable(L, TRANSFER, transfer_methods, transfer_metamethods);
  lua_pop(L, 2);
  lua_newtable(L);
  mde_setfuncs(L, functions);
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  lua_pushfstring(L, "libcurl/%s %s", info->version,
                  info->ssl_version != NULL ? info->ssl_version : "without TLS");
  lua_setfield(L, -2, "version");
  return 1;
}
