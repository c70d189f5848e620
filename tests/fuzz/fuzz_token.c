/*
 * token: the lives that a sign-in service's reply tells, in any text. Three texts, separated by
 * 0xff; and the same as numbers, as a reply may have them.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "target.h"
#include "token.h"

static struct mde_token_field field_of(const char *text, size_t length, bool is_number)
{
  struct mde_token_field field = {.type = MDE_TOKEN_FIELD_MISSING};
  if (is_number && length >= sizeof field.number) {
    field.type = MDE_TOKEN_FIELD_NUMBER;
    memcpy(&field.number, text, sizeof field.number);
  } else if (length > 0) {
    field.type = MDE_TOKEN_FIELD_TEXT;
    field.text = (struct mde_text){text, length};
  }
  return field;
}

/* A cache takes whatever life was read, and hands nothing out behind its end. */
static void keep(struct mde_token_lifetime lifetime, double random)
{
  struct mde_token_cache cache;
  mde_token_init(&cache, (struct mde_allocator){.allocate = reallocate});
  uint64_t lease = mde_token_lease(&cache, 1000, 35);
  enum mde_token_result result =
      mde_token_fetched(&cache, lease, 1000, "token", 5, lifetime, random);
  if (lifetime.seconds <= 0) require(result == MDE_TOKEN_RESULT_NOT_KEPT);
  if (lifetime.seconds > 0) {
    require(result == MDE_TOKEN_RESULT_TAKEN);
    require(cache.expires_at == 1000 + lifetime.seconds);
    require(cache.usable_until <= cache.expires_at && cache.refresh_at <= cache.usable_until);
    require(mde_token_ask(&cache, cache.expires_at) == MDE_TOKEN_ANSWER_FETCH);
  }
  mde_token_clear(&cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const char *texts[3] = {NULL, NULL, NULL};
  size_t lengths[3] = {0, 0, 0};
  size_t at = 0;
  for (int i = 0; i < 3 && at < length; i++) {
    const uint8_t *end = i < 2 ? memchr(bytes + at, 0xff, length - at) : NULL;
    texts[i] = (const char *)bytes + at;
    lengths[i] = end != NULL ? (size_t)(end - bytes) - at : length - at;
    at += lengths[i] + 1;
  }
  for (int numbers = 0; numbers < 8; numbers++) {
    struct mde_token_reply reply = {
        .expires_in = field_of(texts[0], lengths[0], (numbers & 1) != 0),
        .expires_on = field_of(texts[1], lengths[1], (numbers & 2) != 0),
        .refresh_in = field_of(texts[2], lengths[2], (numbers & 4) != 0),
    };
    struct mde_token_lifetime lifetime = mde_token_read_lifetime(&reply, 1767225600);
    require(!isnan(lifetime.seconds) && lifetime.seconds <= 28 * 3600);
    require(!isnan(lifetime.refresh_in));
    keep(lifetime, 0);
    keep(lifetime, 0.999);
  }
  return 0;
}
