/*
 * mde.core.url: what a URL says, what may be shown of it, and whose its host is (src/core/url.h).
 */
#include "text_value.h"

#include "ip_address.h"
#include "url.h"

static void push_small(lua_State *L, struct mde_text text)
{
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < text.length; i++)
    luaL_addchar(&buffer, (char)mde_ascii_lower(text.bytes[i]));
  luaL_pushresult(&buffer);
}

/* Sets a field of the table on top, unless the text is absent. */
static void set_text(lua_State *L, const char *name, struct mde_text text)
{
  if (text.bytes == NULL) return;
  lua_pushlstring(L, text.bytes, text.length);
  lua_setfield(L, -2, name);
}

static void set_small(lua_State *L, const char *name, struct mde_text text)
{
  push_small(L, text);
  lua_setfield(L, -2, name);
}

static void set_port(lua_State *L, int port)
{
  if (port == 0) return;
  lua_pushinteger(L, port);
  lua_setfield(L, -2, "port");
}

/* A URL, and what writes a text of it. */
struct url_writing {
  size_t (*write)(const struct mde_url *, char *, size_t);
  const struct mde_url *url;
};

static size_t write_url(const void *from, char *out, size_t size)
{
  const struct url_writing *writing = from;
  return writing->write(writing->url, out, size);
}

static void push_written(lua_State *L, const struct mde_url *url,
                         size_t (*write)(const struct mde_url *, char *, size_t))
{
  struct url_writing writing = {.write = write, .url = url};
  mde_push_written(L, write_url, &writing);
}

static void push_class(lua_State *L, struct mde_text host)
{
  static const char *const names[] = {
      [MDE_URL_CLASS_FOREIGN] = "foreign",
      [MDE_URL_CLASS_THIS_MACHINE] = "this_machine",
      [MDE_URL_CLASS_LINK_LOCAL] = "link_local",
      [MDE_URL_CLASS_MICROSOFT] = "microsoft",
  };
  lua_pushstring(L, names[mde_url_class(host)]);
}

/* parse(url) -> its parts | nil if it is no URL */
static int url_parse(lua_State *L)
{
  struct mde_url url;
  if (mde_url_parse(mde_check_text(L, 1), &url, NULL) != MDE_URL_FLAW_NONE) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 8);
  set_small(L, "scheme", url.scheme);
  set_text(L, "user", url.user);
  set_text(L, "authority", url.authority);
  set_small(L, "host", url.host);
  set_port(L, mde_url_port(&url));
  set_text(L, "path", url.path);
  set_text(L, "query", url.query);
  push_class(L, url.host);
  lua_setfield(L, -2, "class");
  return 1;
}

/* authority(url) -> host and port as they stand there | nil */
static int url_authority(lua_State *L)
{
  struct mde_url url;
  if (mde_url_parse(mde_check_text(L, 1), &url, NULL) == MDE_URL_FLAW_NONE)
    lua_pushlstring(L, url.authority.bytes, url.authority.length);
  else
    lua_pushnil(L);
  return 1;
}

/* class(host) -> "this_machine", "link_local", "microsoft" or "foreign" */
static int url_class(lua_State *L)
{
  push_class(L, mde_check_text(L, 1));
  return 1;
}

/* cloud(host) -> "public", "us_government" or "china" | nil if that is not known */
static int url_cloud(lua_State *L)
{
  static const char *const names[] = {
      [MDE_URL_CLOUD_UNKNOWN] = NULL,
      [MDE_URL_CLOUD_PUBLIC] = "public",
      [MDE_URL_CLOUD_US_GOVERNMENT] = "us_government",
      [MDE_URL_CLOUD_CHINA] = "china",
  };
  lua_pushstring(L, names[mde_url_cloud(mde_check_text(L, 1))]);
  return 1;
}

/* is_address(host) -> whether it is an IP address and no name */
static int url_is_address(lua_State *L)
{
  struct mde_ip_address address;
  lua_pushboolean(L, mde_ip_address_read(mde_check_text(L, 1), &address));
  return 1;
}

/* is_domain(text) -> whether it is a name with a dot in it, none at its end, and no address */
static int url_is_domain(lua_State *L)
{
  lua_pushboolean(L, mde_url_is_domain(mde_check_text(L, 1)));
  return 1;
}

/* same_origin(a, b) -> whether both are URLs, of the same scheme, host and port */
static int url_same_origin(lua_State *L)
{
  struct mde_url a, b;
  struct mde_text one = mde_check_text(L, 1);
  struct mde_text other = mde_check_text(L, 2);
  lua_pushboolean(L, mde_url_parse(one, &a, NULL) == MDE_URL_FLAW_NONE &&
                         mde_url_parse(other, &b, NULL) == MDE_URL_FLAW_NONE &&
                         mde_url_same_origin(&a, &b));
  return 1;
}

/* Pushes nil and what is wrong with the URL of a setting. */
static int push_flaw(lua_State *L, enum mde_url_setting setting)
{
  lua_pushnil(L);
  lua_pushstring(L, setting == MDE_URL_SETTING_INSECURE ? "insecure" : "malformed");
  return 2;
}

/* https(text) -> the URL in its one form | nil, "malformed" or "insecure" */
static int url_https(lua_State *L)
{
  struct mde_url url;
  enum mde_url_setting setting = mde_url_https(mde_check_text(L, 1), &url);
  if (setting != MDE_URL_SETTING_OK) return push_flaw(L, setting);
  push_written(L, &url, mde_url_normal);
  return 1;
}

/* endpoint(url) -> true | nil, "malformed" or "insecure" */
static int url_endpoint(lua_State *L)
{
  struct mde_url url;
  enum mde_url_setting setting = mde_url_endpoint(mde_check_text(L, 1), &url);
  if (setting != MDE_URL_SETTING_OK) return push_flaw(L, setting);
  lua_pushboolean(L, 1);
  return 1;
}

/* proxy(text) -> its parts and what may be shown of it | nil if it names no proxy */
static int url_proxy(lua_State *L)
{
  struct mde_url url;
  if (!mde_url_proxy(mde_check_text(L, 1), &url)) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 6);
  set_small(L, "scheme", url.scheme);
  set_text(L, "host", url.host);
  set_text(L, "authority", url.authority);
  set_port(L, url.port);
  if (url.user.bytes != NULL) {
    push_written(L, &url, mde_url_proxy_user);
    lua_setfield(L, -2, "user");
  }
  push_written(L, &url, mde_url_proxy_shown);
  lua_setfield(L, -2, "shown");
  return 1;
}

/* request(url [, plain]) -> authority, host, port, path and query | nil, a sentence about `url` */
static int url_request(lua_State *L)
{
  struct mde_url url;
  char problem[MDE_URL_PROBLEM_SIZE];
  struct mde_text text = mde_check_text(L, 1);
  if (!mde_url_request(text, lua_toboolean(L, 2), &url, problem)) {
    lua_pushnil(L);
    lua_pushstring(L, problem);
    return 2;
  }
  lua_pushlstring(L, url.authority.bytes, url.authority.length);
  lua_pushlstring(L, url.host.bytes, url.host.length);
  lua_pushinteger(L, mde_url_port(&url));
  lua_pushstring(L, url.path.length > 0 ? "" : "/");
  lua_pushlstring(L, url.path.bytes, (size_t)(text.bytes + text.length - url.path.bytes));
  lua_concat(L, 2);
  return 4;
}

/* shown(text) -> what may be shown of what is meant as a URL */
static int url_shown(lua_State *L)
{
  mde_push_changed(L, mde_check_text(L, 1), mde_url_shown);
  return 1;
}

static const luaL_Reg functions[] = {
    {"parse", url_parse},
    {"authority", url_authority},
    {"class", url_class},
    {"cloud", url_cloud},
    {"is_address", url_is_address},
    {"is_domain", url_is_domain},
    {"same_origin", url_same_origin},
    {"https", url_https},
    {"endpoint", url_endpoint},
    {"proxy", url_proxy},
    {"request", url_request},
    {"shown", url_shown},
    {NULL, NULL},
};

void mde_open_url(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
