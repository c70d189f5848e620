/*
 * url: any bytes as a URL, a setting, a proxy, a request's URL and a host. What was taken apart is
 * put together again, the same origin is the same from both sides, and nothing of a password is
 * shown.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "target.h"
#include "url.h"

/* Bytes of its own, so that a sanitizer sees what reads beyond them. */
static struct mde_text copy_of(struct mde_text text)
{
  char *bytes = malloc(text.length > 0 ? text.length : 1);
  require(bytes != NULL);
  if (text.length > 0) memcpy(bytes, text.bytes, text.length);
  return (struct mde_text){.bytes = bytes, .length = text.length};
}

static void drop(struct mde_text text)
{
  free((void *)(uintptr_t)text.bytes);
}

static struct mde_text written(const struct mde_url *url,
                               size_t (*write)(const struct mde_url *, char *, size_t))
{
  size_t length = write(url, NULL, 0);
  char *out = malloc(length + 1);
  require(out != NULL);
  require(write(url, out, length) == length);
  return (struct mde_text){.bytes = out, .length = length};
}

static bool contains(struct mde_text text, const char *part)
{
  size_t length = strlen(part);
  for (size_t i = 0; i + length <= text.length; i++)
    if (memcmp(text.bytes + i, part, length) == 0) return true;
  return false;
}

struct joined {
  char *bytes;
  size_t length;
};

static void join(struct joined *joined, const char *before, struct mde_text text,
                 const char *behind)
{
  if (text.bytes == NULL) return;
  memcpy(joined->bytes + joined->length, before, strlen(before));
  joined->length += strlen(before);
  memcpy(joined->bytes + joined->length, text.bytes, text.length);
  joined->length += text.length;
  memcpy(joined->bytes + joined->length, behind, strlen(behind));
  joined->length += strlen(behind);
}

/* The parts, and what stands between them, are the whole; so are the parts of the authority. */
static void put_together(struct mde_text text, const struct mde_url *url)
{
  struct joined joined = {.bytes = malloc(text.length + 16)};
  require(joined.bytes != NULL);
  join(&joined, "", url->scheme, "://");
  join(&joined, "", url->user, "@");
  join(&joined, "", url->authority, "");
  join(&joined, "", url->path, "");
  join(&joined, "?", url->query, "");
  require(joined.length == text.length && memcmp(joined.bytes, text.bytes, text.length) == 0);
  joined.length = 0;
  bool is_literal = url->authority.bytes[0] == '[';
  join(&joined, is_literal ? "[" : "", url->host, is_literal ? "]" : "");
  join(&joined, ":", url->port_text, "");
  require(joined.length == url->authority.length &&
          memcmp(joined.bytes, url->authority.bytes, joined.length) == 0);
  free(joined.bytes);
}

static void take_apart(struct mde_text text)
{
  struct mde_url url, same;
  size_t place;
  enum mde_url_flaw flaw = mde_url_parse(text, &url, &place);
  require(place <= text.length && (place == 0 || flaw == MDE_URL_FLAW_CHARACTER));
  char problem[MDE_URL_PROBLEM_SIZE];
  for (int plain = 0; plain < 2; plain++) {
    bool may_go = mde_url_request(text, plain != 0, &same, problem);
    require(memchr(problem, '\0', sizeof problem) != NULL && may_go == (problem[0] == '\0'));
    require(!may_go || (flaw == MDE_URL_FLAW_NONE && url.user.bytes == NULL));
  }
  if (flaw != MDE_URL_FLAW_NONE) return;
  put_together(text, &url);
  require(url.host.length > 0 && mde_url_port(&url) >= 0 && mde_url_port(&url) <= 65535);
  require(mde_url_same_origin(&url, &url));
  if (url.user.bytes != NULL && url.user.length > 4 && !mde_url_is_ambiguous(text)) {
    size_t length = mde_url_shown(text, NULL, 0);
    require(length < text.length + sizeof "[redacted][redacted]" - url.user.length);
  }
}

static void compare(struct mde_text a, struct mde_text b)
{
  struct mde_url one, other;
  if (mde_url_parse(a, &one, NULL) != MDE_URL_FLAW_NONE) return;
  if (mde_url_parse(b, &other, NULL) != MDE_URL_FLAW_NONE) return;
  bool same = mde_url_same_origin(&one, &other);
  require(same == mde_url_same_origin(&other, &one));
  if (same) require(mde_url_class(one.host) == mde_url_class(other.host));
}

static void set(struct mde_text text)
{
  struct mde_url url;
  if (mde_url_https(text, &url) == MDE_URL_SETTING_OK) {
    struct mde_text normal = written(&url, mde_url_normal);
    struct mde_url again, parsed;
    require(mde_url_https(normal, &again) == MDE_URL_SETTING_OK);
    require(mde_url_parse(normal, &parsed, NULL) == MDE_URL_FLAW_NONE);
    require(!mde_url_is_ambiguous(normal));
    struct mde_text twice = written(&again, mde_url_normal);
    require(mde_text_same(normal, twice));
    require(mde_url_class(url.host) == mde_url_class(parsed.host));
    drop(twice);
    drop(normal);
  }
  if (mde_url_endpoint(text, &url) == MDE_URL_SETTING_OK)
    require(mde_text_same_caseless(url.scheme, (struct mde_text){"https", 5}) ||
            mde_url_class(url.host) == MDE_URL_CLASS_THIS_MACHINE ||
            mde_url_class(url.host) == MDE_URL_CLASS_LINK_LOCAL);
  if (mde_url_proxy(text, &url)) {
    struct mde_text shown = written(&url, mde_url_proxy_shown);
    struct mde_url again;
    require(!contains(shown, "@") && mde_url_proxy(shown, &again));
    struct mde_text twice = written(&again, mde_url_proxy_shown);
    require(mde_text_same(shown, twice));
    drop(twice);
    drop(shown);
    if (url.user.bytes != NULL) {
      struct mde_text user = written(&url, mde_url_proxy_user);
      require(contains(user, ":"));
      for (size_t i = 0; i < user.length; i++)
        require((unsigned char)user.bytes[i] >= ' ' && user.bytes[i] != 0x7f);
      drop(user);
    }
  }
}

/* A password in front of a host, in the middle of whatever else. */
static void keep_secret(struct mde_text text, const char *password)
{
  size_t size = text.length + strlen("user:") + strlen(password) + sizeof "@host/";
  char *bytes = malloc(size);
  require(bytes != NULL);
  for (size_t cut = 0; cut <= text.length; cut += text.length / 7 + 1) {
    struct joined joined = {.bytes = bytes};
    join(&joined, "", (struct mde_text){text.bytes, cut}, "user:");
    join(&joined, "", (struct mde_text){password, strlen(password)}, "@host/");
    join(&joined, "", (struct mde_text){text.bytes + cut, text.length - cut}, "");
    struct mde_text url = copy_of((struct mde_text){joined.bytes, joined.length});
    size_t length = mde_url_shown(url, NULL, 0);
    char *out = malloc(length + 1);
    require(out != NULL && mde_url_shown(url, out, length) == length);
    require(contains(text, "hush") || !contains((struct mde_text){out, length}, "hush"));
    free(out);
    drop(url);
  }
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = copy_of((struct mde_text){(const char *)bytes, length});
  take_apart(text);
  set(text);
  keep_secret(text, "hush");
  keep_secret(text, "hush%2f:hush");
  keep_secret(text, "hush@/?#\\:%[]hush");
  const char *line = length > 0 ? memchr(bytes, '\n', length) : NULL;
  size_t first = line != NULL ? (size_t)(line - (const char *)bytes) : length;
  struct mde_text a = copy_of((struct mde_text){(const char *)bytes, first});
  struct mde_text b = copy_of((struct mde_text){(const char *)bytes + first + (line != NULL),
                                                length - first - (line != NULL)});
  enum mde_url_class class = mde_url_class(a);
  require(class <= MDE_URL_CLASS_MICROSOFT);
  require(class == MDE_URL_CLASS_MICROSOFT || mde_url_cloud(a) == MDE_URL_CLOUD_UNKNOWN);
  compare(a, b);
  drop(a);
  drop(b);
  drop(text);
  return 0;
}
