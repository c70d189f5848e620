#include "token.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "timestamp.h"

#define MINUTE 60.0
#define HOUR 3600.0

#define DEFAULT_LIFE_SECONDS (10 * MINUTE)
#define MAX_LIFE_SECONDS (28 * HOUR)
#define LONG_LIFE_SECONDS (2 * HOUR) /* refreshed at its half */
#define REFRESH_BEFORE_END_SECONDS (5 * MINUTE)
#define USABLE_BEFORE_END_SECONDS 30.0
#define MAX_JITTER_SECONDS (5 * MINUTE)
#define MAX_JITTER_PART 0.1

#define BETWEEN_REFRESHES_SECONDS 30.0
#define AFTER_DEFINITE_NO_SECONDS 60.0
#define AFTER_TROUBLE_SECONDS 5.0
#define MIN_RETRY_AFTER_SECONDS 1.0

/* Characters; nothing that is meant as one has more. */
#define MAX_NUMBER_LENGTH 32
#define MAX_DATE_LENGTH 40

/* ---- reading a reply */

struct cursor {
  const char *at;
  const char *end;
};

static bool literal(struct cursor *cursor, char c)
{
  if (cursor->at == cursor->end || *cursor->at != c) return false;
  cursor->at++;
  return true;
}

/* From `fewest` to `most` digits, as a number. */
static bool digits(struct cursor *cursor, int fewest, int most, int *number)
{
  int count = 0;
  *number = 0;
  while (count < most && cursor->at < cursor->end && mde_ascii_is_digit(*cursor->at)) {
    *number = *number * 10 + (*cursor->at++ - '0');
    count++;
  }
  return count >= fewest;
}

/* All digits that follow, as a number; there must be one. */
static bool whole_number(struct cursor *cursor, double *number)
{
  const char *first = cursor->at;
  *number = 0;
  while (cursor->at < cursor->end && mde_ascii_is_digit(*cursor->at))
    *number = *number * 10 + (*cursor->at++ - '0');
  return cursor->at > first;
}

/* A decimal number without an exponent, which is what stands between quotes in replies. */
static bool read_number(struct mde_text text, double *number)
{
  if (text.length > MAX_NUMBER_LENGTH) return false;
  struct cursor cursor = {text.bytes, text.bytes + text.length};
  double fraction;
  bool negative = literal(&cursor, '-');
  if (!negative) literal(&cursor, '+');
  if (!whole_number(&cursor, number)) return false;
  if (literal(&cursor, '.') && !whole_number(&cursor, &fraction)) return false;
  if (negative) *number = -*number;
  return cursor.at == cursor.end;
}

/* AM or PM after an hour from 1 to 12, if it is there. */
static bool half_of_day(struct cursor *cursor, int *hour)
{
  struct cursor ahead = *cursor;
  literal(&ahead, ' ');
  bool afternoon = literal(&ahead, 'P');
  if (!afternoon && !literal(&ahead, 'A')) return true;
  if (!literal(&ahead, 'M') || *hour < 1 || *hour > 12) return false;
  *hour = *hour % 12 + (afternoon ? 12 : 0);
  *cursor = ahead;
  return true;
}

/* Seconds since 1970 of a date in any of the forms of `expires_on`, by way of RFC 3339. */
static bool read_date(struct mde_text text, double *seconds)
{
  char rfc3339[MAX_DATE_LENGTH + 8];
  int year, month, day, hour;
  if (text.length == 0 || text.length > MAX_DATE_LENGTH) return false;
  if (memchr(text.bytes, '\0', text.length) != NULL) return false;
  bool american = memchr(text.bytes, '/', text.length) != NULL;
  struct cursor cursor = {text.bytes, text.bytes + text.length};
  if (american) {
    if (!digits(&cursor, 1, 2, &month) || !literal(&cursor, '/')) return false;
    if (!digits(&cursor, 1, 2, &day) || !literal(&cursor, '/')) return false;
    if (!digits(&cursor, 4, 4, &year)) return false;
  } else {
    if (!digits(&cursor, 4, 4, &year) || !literal(&cursor, '-')) return false;
    if (!digits(&cursor, 2, 2, &month) || !literal(&cursor, '-')) return false;
    if (!digits(&cursor, 2, 2, &day)) return false;
  }
  if (!literal(&cursor, ' ') && !literal(&cursor, 'T') && !literal(&cursor, 't')) return false;
  if (!digits(&cursor, 1, 2, &hour)) return false;
  const char *minutes = cursor.at;
  while (cursor.at < cursor.end &&
         (mde_ascii_is_digit(*cursor.at) || *cursor.at == ':' || *cursor.at == '.'))
    cursor.at++;
  int minutes_length = (int)(cursor.at - minutes);
  if (american && !half_of_day(&cursor, &hour)) return false;
  literal(&cursor, ' ');
  int length = snprintf(rfc3339, sizeof rfc3339, "%04d-%02d-%02dT%02d%.*s%.*s", year, month, day,
                        hour, minutes_length, minutes, (int)(cursor.end - cursor.at), cursor.at);
  if (length < 0 || (size_t)length >= sizeof rfc3339) return false;
  int64_t ticks = mde_timestamp((struct mde_text){rfc3339, (size_t)length});
  *seconds = (double)ticks / (double)MDE_TICKS_PER_SECOND;
  return ticks != MDE_NO_TIME;
}

static bool field_number(const struct mde_token_field *field, double *number)
{
  switch (field->type) {
  case MDE_TOKEN_FIELD_NUMBER:
    *number = field->number;
    return isfinite(field->number);
  case MDE_TOKEN_FIELD_TEXT:
    return read_number(field->text, number);
  case MDE_TOKEN_FIELD_MISSING:
    break;
  }
  return false;
}

static bool field_date(const struct mde_token_field *field, double *seconds)
{
  return field->type == MDE_TOKEN_FIELD_TEXT && read_date(field->text, seconds);
}

struct mde_token_lifetime mde_token_read_lifetime(const struct mde_token_reply *reply,
                                                  double wall_now)
{
  struct mde_token_lifetime lifetime = {.seconds = DEFAULT_LIFE_SECONDS, .refresh_in = 0};
  double in = 0, on = 0;
  bool has_in = field_number(&reply->expires_in, &in);
  if (field_number(&reply->expires_on, &on)) {
    double left = on - wall_now;
    bool in_wins = has_in && (in < left || left <= 0);
    lifetime.seconds = in_wins ? in : left;
  } else if (has_in) {
    lifetime.seconds = in;
  } else if (field_date(&reply->expires_on, &on)) {
    lifetime.seconds = on - wall_now;
  }
  lifetime.seconds = fmin(lifetime.seconds, MAX_LIFE_SECONDS);
  if (!field_number(&reply->refresh_in, &lifetime.refresh_in)) lifetime.refresh_in = 0;
  return lifetime;
}

bool mde_token_read_sent(double expires_at, const struct mde_token_field *expires_in,
                         double *seconds)
{
  double life;
  if (!isfinite(expires_at) || !field_number(expires_in, &life)) return false;
  *seconds = expires_at - life;
  return true;
}

/* ---- the cache */

void mde_token_init(struct mde_token_cache *cache, struct mde_allocator allocator)
{
  memset(cache, 0, sizeof *cache);
  mde_buffer_init(&cache->value, allocator, MDE_TOKEN_MAX_BYTES);
  cache->newest_sent_at = -HUGE_VAL;
  cache->leased_at = -HUGE_VAL;
}

void mde_token_clear(struct mde_token_cache *cache)
{
  mde_buffer_clear(&cache->value);
}

double mde_token_usable_until(const struct mde_token_cache *cache)
{
  return cache->value.length > 0 ? cache->usable_until : -HUGE_VAL;
}

static bool is_usable(const struct mde_token_cache *cache, double now)
{
  return now < mde_token_usable_until(cache);
}

static bool is_held(const struct mde_token_cache *cache, double now)
{
  return cache->leased && now < cache->leased_until;
}

static bool is_due(const struct mde_token_cache *cache, double now)
{
  if (now < cache->refresh_at || is_held(cache, now)) return false;
  if (now < cache->leased_at + BETWEEN_REFRESHES_SECONDS) return false;
  return !(cache->failed && cache->failed_with_retry_after && now < cache->failed_until);
}

enum mde_token_answer mde_token_ask(const struct mde_token_cache *cache, double now)
{
  if (is_usable(cache, now))
    return is_due(cache, now) ? MDE_TOKEN_ANSWER_REFRESH : MDE_TOKEN_ANSWER_USE;
  if (is_held(cache, now)) return MDE_TOKEN_ANSWER_WAIT;
  if (cache->failed && now < cache->failed_until) return MDE_TOKEN_ANSWER_FAILED;
  return MDE_TOKEN_ANSWER_FETCH;
}

uint64_t mde_token_lease(struct mde_token_cache *cache, double now, double seconds)
{
  if (now >= cache->failed_until) cache->failed = false;
  cache->leased = true;
  cache->leased_at = now;
  cache->leased_until = now + seconds;
  return ++cache->lease;
}

/*
 * Whether `lease` is the last one given and its holder has not ended it, be its time past or not.
 */
static bool is_open(const struct mde_token_cache *cache, uint64_t lease)
{
  return cache->leased && cache->lease == lease;
}

/* The times of a token whose request was sent at `sent_at`. */
static void plan(struct mde_token_cache *cache, double sent_at, struct mde_token_lifetime lifetime,
                 double random)
{
  double life = lifetime.seconds;
  double usable = life - fmin(USABLE_BEFORE_END_SECONDS, life / 2);
  double refresh_in = lifetime.refresh_in;
  if (!(refresh_in > 0 && refresh_in < usable)) {
    if (life >= LONG_LIFE_SECONDS)
      refresh_in = life / 2;
    else
      refresh_in = fmax(life - REFRESH_BEFORE_END_SECONDS, usable / 2);
  }
  double jitter = random * fmin(MAX_JITTER_SECONDS, life * MAX_JITTER_PART);
  cache->refresh_at = sent_at + fmax(refresh_in - jitter, 0);
  cache->usable_until = sent_at + usable;
  cache->expires_at = sent_at + life;
}

enum mde_token_result mde_token_fetched(struct mde_token_cache *cache, uint64_t lease,
                                        double sent_at, const char *value, size_t length,
                                        struct mde_token_lifetime lifetime, double random)
{
  enum mde_token_result result = MDE_TOKEN_RESULT_TAKEN;
  if (sent_at < cache->newest_sent_at) {
    result = MDE_TOKEN_RESULT_OLDER;
  } else if (lifetime.seconds <= 0) {
    result = MDE_TOKEN_RESULT_NOT_KEPT;
  } else {
    int status = mde_buffer_set(&cache->value, value, length);
    if (status == MDE_BUFFER_NO_MEMORY) return MDE_TOKEN_RESULT_NO_MEMORY;
    if (status == MDE_BUFFER_TOO_LONG) result = MDE_TOKEN_RESULT_TOO_LONG;
  }
  if (result == MDE_TOKEN_RESULT_TAKEN) {
    cache->generation++;
    cache->newest_sent_at = sent_at;
    plan(cache, sent_at, lifetime, random);
  }
  if (is_open(cache, lease)) {
    cache->leased = false;
    cache->failed = false;
  }
  return result;
}

/* Whether the sign-in service will say the same in a minute, as far as its status tells. */
static bool is_definite_no(int status)
{
  switch (status) {
  case 408:
  case 421:
  case 425:
  case 429:
    return false;
  default:
    return status >= 300 && status <= 499;
  }
}

enum mde_token_failure mde_token_failed(struct mde_token_cache *cache, uint64_t lease, double now,
                                        int status, double retry_after)
{
  if (!is_open(cache, lease) || !is_held(cache, now)) return MDE_TOKEN_FAILURE_IGNORED;
  bool told_when = retry_after >= 0;
  double pause = is_definite_no(status) ? AFTER_DEFINITE_NO_SECONDS : AFTER_TROUBLE_SECONDS;
  if (told_when) {
    double least = is_definite_no(status) ? AFTER_DEFINITE_NO_SECONDS : MIN_RETRY_AFTER_SECONDS;
    pause = fmin(fmax(retry_after, least), MDE_TOKEN_MAX_FAILURE_SECONDS);
  }
  cache->leased = false;
  cache->failed = true;
  cache->failed_with_retry_after = told_when;
  cache->failed_at = now;
  cache->failed_until = now + pause;
  return is_usable(cache, now) ? MDE_TOKEN_FAILURE_HIDDEN : MDE_TOKEN_FAILURE_PRESENT;
}

bool mde_token_rejected(struct mde_token_cache *cache, uint64_t generation)
{
  if (cache->value.length == 0 || cache->generation != generation) return false;
  mde_buffer_clear(&cache->value);
  return true;
}

void mde_token_abandon(struct mde_token_cache *cache, uint64_t lease)
{
  if (is_open(cache, lease)) cache->leased = false;
}

void mde_token_forget_failure(struct mde_token_cache *cache)
{
  cache->failed = false;
}
