/*
 * The token cache: how long a token lives, when it is refreshed, and who gets what meanwhile.
 * Tables of made-up times; one row for each rule.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "test_allocator.h"
#include "token.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HOUR 3600.0

/* ---- how long a token lives by what its reply says */

#define MISSING                                                                                    \
  {                                                                                                \
    .type = MDE_TOKEN_FIELD_MISSING                                                                \
  }
#define NUMBER(n)                                                                                  \
  {                                                                                                \
    .type = MDE_TOKEN_FIELD_NUMBER, .number = (n)                                                  \
  }
#define TEXT(t)                                                                                    \
  {                                                                                                \
    .type = MDE_TOKEN_FIELD_TEXT, .text = {(t), sizeof(t) - 1 }                                    \
  }

/* 2026-02-03 10:00:00 UTC */
#define WALL 1770112800.0

static const struct {
  const char *rule;
  struct mde_token_reply reply;
  double seconds;
  double refresh_in;
} replies[] = {
    {"expires_in as a number", {NUMBER(3599), MISSING, MISSING}, 3599, 0},
    {"expires_in as text", {TEXT("3599"), MISSING, MISSING}, 3599, 0},
    {"expires_in with a fraction", {TEXT("3599.25"), MISSING, MISSING}, 3599, 0},
    {"expires_in with a sign", {TEXT("+3599"), MISSING, MISSING}, 3599, 0},
    {"nothing: ten minutes", {MISSING, MISSING, MISSING}, 600, 0},
    {"empty text is missing", {TEXT(""), MISSING, MISSING}, 600, 0},
    {"a word is missing", {TEXT("soon"), MISSING, MISSING}, 600, 0},
    {"a number and a word is missing", {TEXT("3599 s"), MISSING, MISSING}, 600, 0},
    {"hexadecimal is missing", {TEXT("0xE0F"), MISSING, MISSING}, 600, 0},
    {"an exponent is missing", {TEXT("1e3"), MISSING, MISSING}, 600, 0},
    {"a lone sign is missing", {TEXT("-"), MISSING, MISSING}, 600, 0},
    {"a lone point is missing", {TEXT("5."), MISSING, MISSING}, 600, 0},
    {"NUL inside is missing",
     {TEXT("35\0"
           "99"),
      MISSING, MISSING},
     600,
     0},
    {"endless digits are missing",
     {TEXT("999999999999999999999999999999999"), MISSING, MISSING},
     600,
     0},
    {"32 digits are not endless",
     {TEXT("00000000000000000000000000003599"), MISSING, MISSING},
     3599,
     0},
    {"no number is missing", {NUMBER(NAN), MISSING, MISSING}, 600, 0},
    {"infinity is missing", {NUMBER(INFINITY), MISSING, MISSING}, 600, 0},
    {"zero: not kept", {NUMBER(0), MISSING, MISSING}, 0, 0},
    {"less than zero: not kept", {NUMBER(-5), MISSING, MISSING}, -5, 0},
    {"less than zero as text", {TEXT("-5"), MISSING, MISSING}, -5, 0},
    {"28 h are not too long", {NUMBER(28 * HOUR), MISSING, MISSING}, 28 * HOUR, 0},
    {"more than 28 h are 28 h", {NUMBER(28 * HOUR + 1), MISSING, MISSING}, 28 * HOUR, 0},
    {"more than 28 h as text", {TEXT("9999999999"), MISSING, MISSING}, 28 * HOUR, 0},

    {"refresh_in as a number", {NUMBER(86400), MISSING, NUMBER(43200)}, 86400, 43200},
    {"refresh_in as text", {TEXT("86400"), MISSING, TEXT("43200")}, 86400, 43200},
    {"refresh_in malformed", {NUMBER(86400), MISSING, TEXT("half")}, 86400, 0},

    {"expires_on as a number", {MISSING, NUMBER(WALL + 3000), MISSING}, 3000, 0},
    {"expires_on as text", {MISSING, TEXT("1770115800"), MISSING}, 3000, 0},
    {"expires_on is in the past", {MISSING, NUMBER(WALL - 10), MISSING}, -10, 0},
    {"expires_on far away", {MISSING, NUMBER(WALL + 1e9), MISSING}, 28 * HOUR, 0},
    {"expires_on decides", {TEXT("86400"), TEXT("1770115800"), MISSING}, 3000, 0},
    {"our clock is behind: expires_in", {NUMBER(3600), NUMBER(WALL + 7200), MISSING}, 3600, 0},
    {"our clock is ahead: expires_in", {NUMBER(3600), NUMBER(WALL - 7200), MISSING}, 3600, 0},
    {"our clock is ahead to the second", {NUMBER(3600), NUMBER(WALL), MISSING}, 3600, 0},
    {"expires_on malformed: expires_in", {NUMBER(3600), TEXT("later"), MISSING}, 3600, 0},
    {"a date is second to expires_in",
     {NUMBER(3600), TEXT("2026-02-03T10:30:00Z"), MISSING},
     3600,
     0},
    {"RFC 3339", {MISSING, TEXT("2026-02-03T10:30:00Z"), MISSING}, 1800, 0},
    {"RFC 3339 with a fraction", {MISSING, TEXT("2026-02-03T10:30:00.000Z"), MISSING}, 1800, 0},
    {"RFC 3339 with a zone", {MISSING, TEXT("2026-02-03T12:30:00+02:00"), MISSING}, 1800, 0},
    {"year first", {MISSING, TEXT("2026-02-03 10:30:00"), MISSING}, 1800, 0},
    {"year first with a zone", {MISSING, TEXT("2026-02-03 08:30:00 -02:00"), MISSING}, 1800, 0},
    {"month first", {MISSING, TEXT("02/03/2026 10:30:00"), MISSING}, 1800, 0},
    {"month first with a zone", {MISSING, TEXT("02/03/2026 10:30:00 +00:00"), MISSING}, 1800, 0},
    {"month first, AM", {MISSING, TEXT("2/3/2026 10:30:00 AM +00:00"), MISSING}, 1800, 0},
    {"month first, PM", {MISSING, TEXT("2/3/2026 1:00:00 PM +00:00"), MISSING}, 3 * HOUR, 0},
    {"noon is 12 PM", {MISSING, TEXT("2/3/2026 12:00:00 PM"), MISSING}, 2 * HOUR, 0},
    {"midnight is 12 AM", {MISSING, TEXT("2/4/2026 12:00:00 AM"), MISSING}, 14 * HOUR, 0},
    {"13 PM is no hour", {MISSING, TEXT("2/3/2026 13:00:00 PM"), MISSING}, 600, 0},
    {"no such month", {MISSING, TEXT("13/03/2026 10:30:00"), MISSING}, 600, 0},
    {"no such day", {MISSING, TEXT("2026-02-30T10:30:00Z"), MISSING}, 600, 0},
    {"no such hour", {MISSING, TEXT("2026-02-03 24:30:00"), MISSING}, 600, 0},
    {"a T may be small", {MISSING, TEXT("2026-02-03t10:30:00z"), MISSING}, 1800, 0},
    {"zero AM is no hour", {MISSING, TEXT("2/3/2026 0:30:00 AM"), MISSING}, 600, 0},
    {"P alone is no half of the day", {MISSING, TEXT("2/3/2026 1:00:00 P"), MISSING}, 600, 0},
    {"a month that is no number", {MISSING, TEXT("x/03/2026 10:30:00"), MISSING}, 600, 0},
    {"a day that is no number", {MISSING, TEXT("02/x/2026 10:30:00"), MISSING}, 600, 0},
    {"a year of two digits", {MISSING, TEXT("02/03/26 10:30:00"), MISSING}, 600, 0},
    {"a word instead of a date", {MISSING, TEXT("later"), MISSING}, 600, 0},
    {"a year first and a word", {MISSING, TEXT("2026-xx-03 10:30:00"), MISSING}, 600, 0},
    {"a year first, a month and a word", {MISSING, TEXT("2026-02-xx 10:30:00"), MISSING}, 600, 0},
    {"a day of three digits", {MISSING, TEXT("2026-02-003T10:30:00Z"), MISSING}, 600, 0},
    {"an hour that is no number", {MISSING, TEXT("2026-02-03Txx:30:00Z"), MISSING}, 600, 0},
    {"a date without a time", {MISSING, TEXT("2026-02-03"), MISSING}, 600, 0},
    {"a date and more", {MISSING, TEXT("2026-02-03T10:30:00Z soon"), MISSING}, 600, 0},
    {"a date, NUL and more", {MISSING, TEXT("2026-02-03T10:30:00Z\0Z"), MISSING}, 600, 0},
    {"a date that is too long",
     {MISSING, TEXT("2026-02-03T10:30:00.00000000000000000000000Z"), MISSING},
     600,
     0},
};

static void lifetimes(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(replies); i++) {
    struct mde_token_lifetime lifetime = mde_token_read_lifetime(&replies[i].reply, WALL);
    if (lifetime.seconds != replies[i].seconds || lifetime.refresh_in != replies[i].refresh_in)
      fail_msg("%s: %g s and refresh_in %g, not %g and %g", replies[i].rule, lifetime.seconds,
               lifetime.refresh_in, replies[i].seconds, replies[i].refresh_in);
  }
}

static void what_is_left_of_a_life_tells_when_it_was_asked_for(void **state)
{
  (void)state;
  static const struct {
    double expires_at;
    struct mde_token_field expires_in;
    bool is_told;
    double seconds;
  } cases[] = {
      {WALL + 3600, NUMBER(3600), true, WALL},
      {WALL + 1800, TEXT("1800"), true, WALL},
      {WALL, NUMBER(0), true, WALL},
      {WALL, TEXT("-60"), true, WALL + 60},
      {WALL, {.type = MDE_TOKEN_FIELD_MISSING}, false, 0},
      {WALL, TEXT(""), false, 0},
      {WALL, TEXT("1800 "), false, 0},
      {WALL, TEXT("soon"), false, 0},
      {WALL, TEXT("1800\0"), false, 0},
      {WALL, NUMBER(NAN), false, 0},
      {WALL, NUMBER(INFINITY), false, 0},
      {NAN, NUMBER(3600), false, 0},
      {INFINITY, NUMBER(3600), false, 0},
      {-INFINITY, TEXT("3600"), false, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    double seconds = 0;
    bool is_told = mde_token_read_sent(cases[i].expires_at, &cases[i].expires_in, &seconds);
    if (is_told != cases[i].is_told || seconds != cases[i].seconds) fail_msg("case %zu", i);
  }
}

/* Every beginning and every one-byte change of a date is read without a step outside it. */
static void dates_are_read_within_their_bounds(void **state)
{
  (void)state;
  static const char date[] = "12/31/2026 11:59:59.5 PM +00:00";
  for (size_t length = 0; length < sizeof date; length++) {
    for (int byte = 0; byte < 256; byte += 5) {
      struct test_memory memory = {0};
      struct mde_allocator allocator = test_allocator(&memory);
      size_t size = length + 1;
      char *copy = mde_allocate(&allocator, size);
      memcpy(copy, date, length);
      copy[length] = (char)byte;
      struct mde_token_reply reply = {MISSING, MISSING, MISSING};
      reply.expires_on.type = MDE_TOKEN_FIELD_TEXT;
      reply.expires_on.text = (struct mde_text){copy, size};
      struct mde_token_lifetime lifetime = mde_token_read_lifetime(&reply, WALL);
      assert_true(lifetime.seconds <= 28 * HOUR);
      mde_release(&allocator, copy, size);
    }
  }
}

/* ---- when a token is refreshed and until when it is used */

static const struct {
  const char *rule;
  double life, refresh_in, random;
  double refresh_at, usable_until; /* counted from when the request was sent */
} plans[] = {
    {"5 min before the end", 3599, 0, 0, 3299, 3569},
    {"half life from 2 h on", 7200, 0, 0, 3600, 7170},
    {"just under 2 h", 7199, 0, 0, 6899, 7169},
    {"refresh_in", 86400, 50000, 0, 50000, 86370},
    {"refresh_in wins over half life", 86400, 80000, 0, 80000, 86370},
    {"refresh_in beyond the usable part is ignored", 3600, 3580, 0, 3300, 3570},
    {"refresh_in at the end of the usable part is ignored", 3600, 3570, 0, 3300, 3570},
    {"refresh_in of zero is ignored", 3600, 0, 0, 3300, 3570},
    {"refresh_in below zero is ignored", 3600, -7, 0, 3300, 3570},
    {"jitter is a tenth of the life", 2000, 0, 0.5, 1600, 1970},
    {"jitter is at most 5 min", 86400, 0, 0.5, 43050, 86370},
    {"jitter applies to refresh_in", 3600, 2000, 0.5, 1850, 3570},
    {"jitter does not reach before the request", 3600, 10, 0.5, 0, 3570},
    {"what is missing lives 10 min", 600, 0, 0, 300, 570},
    {"the last life with the fixed lead", 570, 0, 0, 270, 540},
    {"shorter: half of the usable part", 400, 0, 0, 185, 370},
    {"a minute is usable for half of it", 60, 0, 0, 15, 30},
    {"two seconds are usable for one", 2, 0, 0, 0.5, 1},
};

static const struct mde_token_lifetime one_hour = {3600, 0};

static void plans_are_kept(void **state)
{
  (void)state;
  const double sent_at = 1000, moment = 1e-6;
  for (size_t i = 0; i < COUNT(plans); i++) {
    struct test_memory memory = {.check_wiped = true};
    struct mde_token_cache cache;
    mde_token_init(&cache, test_allocator(&memory));
    struct mde_token_lifetime lifetime = {plans[i].life, plans[i].refresh_in};
    assert_int_equal(mde_token_fetched(&cache, 0, sent_at, "t", 1, lifetime, plans[i].random),
                     MDE_TOKEN_RESULT_TAKEN);
    double refresh_at = sent_at + plans[i].refresh_at;
    double usable_until = sent_at + plans[i].usable_until;
    if (mde_token_ask(&cache, refresh_at + moment) != MDE_TOKEN_ANSWER_REFRESH ||
        (plans[i].refresh_at > 0 &&
         mde_token_ask(&cache, refresh_at - moment) != MDE_TOKEN_ANSWER_USE))
      fail_msg("%s: refreshed at %g", plans[i].rule, cache.refresh_at - sent_at);
    if (mde_token_ask(&cache, usable_until - moment) != MDE_TOKEN_ANSWER_REFRESH ||
        mde_token_ask(&cache, usable_until) != MDE_TOKEN_ANSWER_FETCH)
      fail_msg("%s: used until %g", plans[i].rule, cache.usable_until - sent_at);
    assert_true(fabs(mde_token_usable_until(&cache) - usable_until) < moment);
    assert_true(cache.expires_at == sent_at + plans[i].life);
    mde_token_clear(&cache);
    assert_true(mde_token_usable_until(&cache) < 0 && !isfinite(mde_token_usable_until(&cache)));
    test_allocator_finish(&memory);
  }
}

/* ---- who gets what: stories, told step by step */

enum step_kind { END, ASK, FETCHED, FAILED, REJECTED, ABANDON, FORGET };

struct step {
  enum step_kind kind;
  double time;    /* now, or when the request was sent */
  uint64_t lease; /* or the generation that was rejected */
  double seconds; /* life, or Retry-After (negative: none) */
  int status;
  int expected;
};

/* clang-format off */

/* An asker who is told to fetch or refresh takes the lease, for 35 s. */
#define ASK(now, answer) {ASK, (now), 0, 0, 0, MDE_TOKEN_ANSWER_##answer}

/* The n-th lease brings a token that lives that long, by a request sent at that time. */
#define FETCHED(lease, sent_at, life, result) \
  {FETCHED, (sent_at), (lease), (life), 0, MDE_TOKEN_RESULT_##result}

/* The n-th lease brings nothing. */
#define FAILED(lease, now, status, retry_after, failure) \
  {FAILED, (now), (lease), (retry_after), (status), MDE_TOKEN_FAILURE_##failure}

#define REJECTED(generation, was_it) {REJECTED, 0, (generation), 0, 0, (was_it)}
#define ABANDON(lease) {ABANDON, 0, (lease), 0, 0, 0}
#define FORGET() {FORGET, 0, 0, 0, 0, 0}
#define NONE (-1)
#define NO_ANSWER 0

/* clang-format on */

static const struct {
  const char *rule;
  struct step steps[16];
} stories[] = {
    {"one fetches, the others wait, all get the token",
     {ASK(0, FETCH), ASK(0, WAIT), ASK(10, WAIT), FETCHED(1, 0, 3600, TAKEN), ASK(10, USE),
      ASK(11, USE)}},
    {"one fetches, the others wait, all get the failure",
     {ASK(0, FETCH), ASK(1, WAIT), FAILED(1, 2, 401, NONE, PRESENT), ASK(2, FAILED),
      ASK(3, FAILED)}},
    {"when the one who fetches dies, the next takes over",
     {ASK(0, FETCH), ASK(34.9, WAIT), ASK(35, FETCH), ASK(35, WAIT), ASK(69.9, WAIT),
      ASK(70, FETCH)}},
    {"when the one who fetches gives up, the next takes over at once",
     {ASK(0, FETCH), ASK(1, WAIT), ABANDON(1), ASK(1, FETCH), ASK(1, WAIT)}},
    {"giving up twice does not end the next one's lease",
     {ASK(0, FETCH), ABANDON(1), ASK(1, FETCH), ABANDON(1), ASK(2, WAIT)}},
    {"a late success is taken if nothing newer is there",
     {ASK(0, FETCH), ASK(35, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(36, USE)}},
    {"a late success leaves the lease of the one who took over",
     {ASK(0, FETCH), ASK(35, FETCH), FETCHED(1, 0, 3600, TAKEN), REJECTED(1, 1), ASK(37, WAIT)}},
    {"the one who took over replaces it",
     {ASK(0, FETCH), ASK(35, FETCH), FETCHED(1, 0, 3600, TAKEN), FETCHED(2, 35, 3600, TAKEN),
      REJECTED(1, 0), REJECTED(2, 1)}},
    {"a late success does not replace a newer token",
     {ASK(0, FETCH), ASK(35, FETCH), FETCHED(2, 35, 3600, TAKEN), FETCHED(1, 0, 7200, OLDER),
      REJECTED(1, 1)}},
    {"a late success does not come back after a newer one was rejected",
     {ASK(0, FETCH), ASK(35, FETCH), FETCHED(2, 35, 3600, TAKEN), REJECTED(1, 1),
      FETCHED(1, 0, 7200, OLDER), ASK(40, FETCH)}},
    {"one that was asked for at the same moment is not older",
     {ASK(0, FETCH), FETCHED(0, 5, 3600, TAKEN), FETCHED(1, 5, 3600, TAKEN), REJECTED(2, 1)}},
    {"a late failure is ignored, though nobody took over",
     {ASK(0, FETCH), FAILED(1, 35, 401, NONE, IGNORED), ASK(35, FETCH)}},
    {"a late failure is ignored, and leaves the lease of the one who took over",
     {ASK(0, FETCH), ASK(35, FETCH), FAILED(1, 36, 401, NONE, IGNORED), ASK(36, WAIT)}},
    {"a failure is told once",
     {ASK(0, FETCH), FAILED(1, 1, 503, NONE, PRESENT), FAILED(1, 5, 401, NONE, IGNORED),
      ASK(6, FETCH)}},
    {"a late success does not end the memory of a failure that came after it",
     {ASK(0, FETCH), ASK(35, FETCH), FAILED(2, 40, 429, 100, PRESENT), FETCHED(1, 0, 3600, TAKEN),
      ASK(41, USE), REJECTED(1, 1), ASK(42, FAILED)}},
    {"a token of nobody's lease is taken, and the one who fetches goes on",
     {ASK(0, FETCH), FETCHED(0, 0, 3600, TAKEN), ASK(1, USE), FETCHED(1, 1, 3600, TAKEN)}},
    {"an older one than that ends its lease",
     {ASK(0, FETCH), FETCHED(0, 5, 3600, TAKEN), FETCHED(1, 1, 3600, OLDER), REJECTED(1, 1),
      ASK(6, FETCH)}},

    {"400 is remembered for 60 s",
     {ASK(0, FETCH), FAILED(1, 1, 400, NONE, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"401 is remembered for 60 s",
     {ASK(0, FETCH), FAILED(1, 1, 401, NONE, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"so is any other definite no",
     {ASK(0, FETCH), FAILED(1, 1, 404, NONE, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"from 300 on",
     {ASK(0, FETCH), FAILED(1, 1, 300, NONE, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"to 499",
     {ASK(0, FETCH), FAILED(1, 1, 499, NONE, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"so is a redirect",
     {ASK(0, FETCH), FAILED(1, 1, 302, NONE, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"400 with a longer Retry-After",
     {ASK(0, FETCH), FAILED(1, 1, 400, 90, PRESENT), ASK(90.9, FAILED), ASK(91, FETCH)}},
    {"400 with a shorter Retry-After",
     {ASK(0, FETCH), FAILED(1, 1, 400, 9, PRESENT), ASK(60.9, FAILED), ASK(61, FETCH)}},
    {"429 without Retry-After is remembered for 5 s",
     {ASK(0, FETCH), FAILED(1, 1, 429, NONE, PRESENT), ASK(5.9, FAILED), ASK(6, FETCH)}},
    {"408, 421 and 425 are like 429",
     {ASK(0, FETCH), FAILED(1, 1, 408, NONE, PRESENT), ASK(6, FETCH),
      FAILED(2, 7, 421, NONE, PRESENT), ASK(12, FETCH), FAILED(3, 13, 425, NONE, PRESENT),
      ASK(18, FETCH)}},
    {"429 with Retry-After",
     {ASK(0, FETCH), FAILED(1, 1, 429, 17, PRESENT), ASK(17.9, FAILED), ASK(18, FETCH)}},
    {"503 without Retry-After is remembered for 5 s",
     {ASK(0, FETCH), FAILED(1, 1, 503, NONE, PRESENT), ASK(5.9, FAILED), ASK(6, FETCH)}},
    {"503 with Retry-After",
     {ASK(0, FETCH), FAILED(1, 1, 503, 17, PRESENT), ASK(17.9, FAILED), ASK(18, FETCH)}},
    {"Retry-After is remembered for an hour at most",
     {ASK(0, FETCH), FAILED(1, 1, 429, 1e9, PRESENT), ASK(3600.9, FAILED), ASK(3601, FETCH)}},
    {"Retry-After of zero is remembered for a second",
     {ASK(0, FETCH), FAILED(1, 1, 429, 0, PRESENT), ASK(1.9, FAILED), ASK(2, FETCH)}},
    {"no answer is remembered for 5 s",
     {ASK(0, FETCH), FAILED(1, 1, NO_ANSWER, NONE, PRESENT), ASK(5.9, FAILED), ASK(6, FETCH)}},
    {"a broken answer is remembered for 5 s",
     {ASK(0, FETCH), FAILED(1, 1, 200, NONE, PRESENT), ASK(5.9, FAILED), ASK(6, FETCH)}},
    {"after a failure one fetches, the others wait",
     {ASK(0, FETCH), FAILED(1, 1, 429, NONE, PRESENT), ASK(6, FETCH), ASK(6, WAIT)}},
    {"giving up after that does not bring the failure back",
     {ASK(0, FETCH), FAILED(1, 1, 429, NONE, PRESENT), ASK(6, FETCH), ABANDON(2), ASK(6, FETCH)}},
    {"nor does a look at the clock that is a little old",
     {ASK(0, FETCH), FAILED(1, 1, 429, NONE, PRESENT), ASK(6, FETCH), ABANDON(2), ASK(5.9, FETCH)}},
    {"a changed credential ends the memory",
     {ASK(0, FETCH), FAILED(1, 1, 401, NONE, PRESENT), ASK(2, FAILED), FORGET(), ASK(2, FETCH)}},
    {"a success ends the memory",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH),
      FAILED(2, 3301, 401, NONE, HIDDEN), ASK(3330, REFRESH), FETCHED(3, 3330, 3600, TAKEN),
      REJECTED(2, 1), ASK(3331, FETCH)}},
    {"so does one that is not kept",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH),
      FAILED(2, 3301, 401, NONE, HIDDEN), ASK(3330, REFRESH), FETCHED(3, 3330, 0, NOT_KEPT),
      REJECTED(1, 1), ASK(3331, FETCH)}},

    {"while aging one refreshes, the others use the old token",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3299, USE), ASK(3300, REFRESH), ASK(3300, USE),
      ASK(3301, USE), FETCHED(2, 3300, 3600, TAKEN), ASK(3302, USE), ASK(6599, USE),
      ASK(6600, REFRESH)}},
    {"an error is hidden while the old token is usable, and tried again after 30 s",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH),
      FAILED(2, 3301, 500, NONE, HIDDEN), ASK(3302, USE), ASK(3329.9, USE), ASK(3330, REFRESH),
      FAILED(3, 3331, 401, NONE, HIDDEN), ASK(3359.9, USE), ASK(3360, REFRESH)}},
    {"or after Retry-After",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH),
      FAILED(2, 3301, 429, 100, HIDDEN), ASK(3400.9, USE), ASK(3401, REFRESH)}},
    {"a short Retry-After does not shorten the 30 s",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH),
      FAILED(2, 3301, 429, 3, HIDDEN), ASK(3329.9, USE), ASK(3330, REFRESH)}},
    {"a changed credential ends that waiting, but not the 30 s",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH),
      FAILED(2, 3301, 429, 100, HIDDEN), FORGET(), ASK(3329.9, USE), ASK(3330, REFRESH)}},
    {"one who dies while refreshing holds nobody up",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH), ASK(3334.9, USE),
      ASK(3335, REFRESH), ASK(3335, USE)}},
    {"one who gives up a refresh does not make the next hurry",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH), ABANDON(2), ASK(3301, USE),
      ASK(3330, REFRESH)}},
    {"a refresh that outlasts the old token is waited for",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3569, REFRESH), ASK(3570, WAIT),
      FETCHED(2, 3569, 3600, TAKEN), ASK(3571, USE)}},
    {"a hidden error comes to light with the end of the old token, no sooner",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3560, REFRESH),
      FAILED(2, 3561, 429, 100, HIDDEN), ASK(3569.9, USE), ASK(3570, FAILED), ASK(3661, FETCH)}},
    {"a hidden error that is past does not",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3560, REFRESH),
      FAILED(2, 3561, 500, NONE, HIDDEN), ASK(3570, FETCH)}},
    {"an error that comes after the end of the old token is not hidden",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3560, REFRESH),
      FAILED(2, 3571, 500, NONE, PRESENT), ASK(3572, FAILED)}},
    {"nobody asked for long: one fetches",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(9999, FETCH), ASK(9999, WAIT)}},

    {"a rejected token is dropped",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), REJECTED(1, 1), ASK(1, FETCH), ASK(1, WAIT)}},
    {"it is dropped once",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), REJECTED(1, 1), REJECTED(1, 0)}},
    {"a token that has been replaced is not the one that was rejected",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), REJECTED(1, 1), ASK(1, FETCH),
      FETCHED(2, 1, 3600, TAKEN), REJECTED(1, 0), ASK(2, USE)}},
    {"nothing was there to be rejected", {REJECTED(0, 0), REJECTED(1, 0), ASK(0, FETCH)}},
    {"dropped during a refresh: that one is waited for",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH), REJECTED(1, 1),
      ASK(3301, WAIT), FETCHED(2, 3300, 3600, TAKEN), ASK(3302, USE)}},
    {"dropped during a refresh that fails: the failure is told",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH), REJECTED(1, 1),
      FAILED(2, 3301, 400, NONE, PRESENT), ASK(3302, FAILED)}},

    {"a life of no length is not kept, and the next one fetches",
     {ASK(0, FETCH), ASK(1, WAIT), FETCHED(1, 0, 0, NOT_KEPT), ASK(1, FETCH), ASK(1, WAIT),
      FETCHED(2, 1, -5, NOT_KEPT), ASK(2, FETCH)}},
    {"it does not push out the old token",
     {ASK(0, FETCH), FETCHED(1, 0, 3600, TAKEN), ASK(3300, REFRESH), FETCHED(2, 3300, 0, NOT_KEPT),
      ASK(3301, USE), ASK(3330, REFRESH)}},
    {"a life of a minute costs one request in 30 s, not one for each call",
     {ASK(0, FETCH), FETCHED(1, 0, 60, TAKEN), ASK(1, USE), ASK(15, USE), ASK(29.9, USE),
      ASK(30, FETCH), ASK(30, WAIT), FETCHED(2, 30, 60, TAKEN), ASK(31, USE), ASK(59.9, USE),
      ASK(60, FETCH)}},
    {"a life of two seconds is used for one",
     {ASK(0, FETCH), FETCHED(1, 0, 2, TAKEN), ASK(0.1, USE), ASK(0.9, USE), ASK(1, FETCH)}},
    {"the life counts from when the request was sent, not from the answer",
     {ASK(0, FETCH), FETCHED(1, 0, 40, TAKEN), ASK(19.9, USE), ASK(20, FETCH)}},
};

static int take_step(struct mde_token_cache *cache, const struct step *step)
{
  enum mde_token_answer answer;
  struct mde_token_lifetime lifetime = {step->seconds, 0};
  switch (step->kind) {
  case ASK:
    answer = mde_token_ask(cache, step->time);
    if (answer == MDE_TOKEN_ANSWER_FETCH || answer == MDE_TOKEN_ANSWER_REFRESH)
      mde_token_lease(cache, step->time, 35);
    return (int)answer;
  case FETCHED:
    return (int)mde_token_fetched(cache, step->lease, step->time, "a made-up token", 15, lifetime,
                                  0);
  case FAILED:
    return (int)mde_token_failed(cache, step->lease, step->time, step->status, step->seconds);
  case REJECTED:
    return mde_token_rejected(cache, step->lease);
  case ABANDON:
    mde_token_abandon(cache, step->lease);
    return 0;
  case FORGET:
    mde_token_forget_failure(cache);
    return 0;
  case END:
    break;
  }
  return -1;
}

static void stories_come_true(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(stories); i++) {
    struct test_memory memory = {.check_wiped = true};
    struct mde_token_cache cache;
    mde_token_init(&cache, test_allocator(&memory));
    for (int n = 0; stories[i].steps[n].kind != END; n++) {
      int result = take_step(&cache, &stories[i].steps[n]);
      if (result != stories[i].steps[n].expected)
        fail_msg("%s: step %d gives %d, not %d", stories[i].rule, n + 1, result,
                 stories[i].steps[n].expected);
    }
    mde_token_clear(&cache);
    test_allocator_finish(&memory);
  }
}

/* ---- memory */

static void memory_that_runs_out_changes_nothing(void **state)
{
  (void)state;
  struct test_memory memory = {.check_wiped = true};
  struct mde_token_cache cache;
  mde_token_init(&cache, test_allocator(&memory));
  uint64_t lease = mde_token_lease(&cache, 0, 35);
  mde_token_fetched(&cache, lease, 0, "the old token", 13, one_hour, 0);
  lease = mde_token_lease(&cache, 3300, 35);
  memory.fail_at = 1;
  assert_int_equal(mde_token_fetched(&cache, lease, 3300, "the new token", 13, one_hour, 0),
                   MDE_TOKEN_RESULT_NO_MEMORY);
  assert_int_equal(cache.generation, 1);
  assert_memory_equal(cache.value.bytes, "the old token", 13);
  assert_int_equal(mde_token_ask(&cache, 3340), MDE_TOKEN_ANSWER_REFRESH);
  assert_int_equal(mde_token_ask(&cache, 3334), MDE_TOKEN_ANSWER_USE);
  mde_token_abandon(&cache, lease);
  assert_int_equal(mde_token_ask(&cache, 3334), MDE_TOKEN_ANSWER_REFRESH);
  mde_token_clear(&cache);
  mde_token_clear(&cache);
  test_allocator_finish(&memory);
}

static void a_token_has_its_longest_length(void **state)
{
  (void)state;
  static char token[MDE_TOKEN_MAX_BYTES + 1];
  memset(token, 'x', sizeof token);
  struct test_memory memory = {.check_wiped = true};
  struct mde_token_cache cache;
  mde_token_init(&cache, test_allocator(&memory));
  uint64_t lease = mde_token_lease(&cache, 0, 35);
  assert_int_equal(mde_token_fetched(&cache, lease, 0, token, sizeof token, one_hour, 0),
                   MDE_TOKEN_RESULT_TOO_LONG);
  assert_int_equal(mde_token_ask(&cache, 1), MDE_TOKEN_ANSWER_FETCH);
  assert_int_equal(mde_token_fetched(&cache, lease, 0, token, sizeof token - 1, one_hour, 0),
                   MDE_TOKEN_RESULT_TAKEN);
  mde_token_clear(&cache);
  test_allocator_finish(&memory);
}

/* ---- a model: whatever comes in whatever order, these hold */

/* MDE_TEST_SEED in the environment repeats what a seed that was printed did. */
static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % limit;
}

#define FLIGHTS 64

/*
 * A reply as it comes from a service whose clock is right, read by a machine whose wall clock is
 * `off`: its life has to come out no longer than it is.
 */
static struct mde_token_lifetime read_reply(double life, double sent_at, double off)
{
  struct mde_token_reply reply = {.expires_in = {MDE_TOKEN_FIELD_NUMBER, life, {NULL, 0}}};
  if (random_below(2)) {
    reply.expires_on.type = MDE_TOKEN_FIELD_NUMBER;
    reply.expires_on.number = 1.7e9 + sent_at + life;
  }
  if (random_below(2)) {
    reply.refresh_in.type = MDE_TOKEN_FIELD_NUMBER;
    reply.refresh_in.number = life / 3;
  }
  struct mde_token_lifetime lifetime = mde_token_read_lifetime(&reply, 1.7e9 + sent_at + off);
  assert_true(lifetime.seconds <= life || life <= 0);
  return lifetime;
}

static void play(uint32_t seed)
{
  static const double lives[] = {-1, 0, 2, 45, 60, 400, 600, 3599, 86400};
  /* A wall clock that is set forward or back now and then, by seconds, hours or years. */
  static const double steps[] = {0, 3, -3, 7200, -7200, 3e8, -3e8};
  random_state = seed;
  double off = 0;
  static const int statuses[] = {0, 200, 400, 401, 429, 503};
  struct test_memory memory = {.check_wiped = true};
  struct mde_token_cache cache;
  mde_token_init(&cache, test_allocator(&memory));
  struct {
    uint64_t lease;
    double sent_at;
  } flights[FLIGHTS] = {{0}};
  double now = 0, last_lease_until = -1, last_lease_at = -HUGE_VAL, silent_until = 0;
  double value_sent_at = -1, value_life = 0;
  bool ended = true; /* the last lease was ended by its holder */
  for (int turn = 0; turn < 200000; turn++) {
    now += random_below(4) == 0 ? random_below(600) : random_below(10);
    if (random_below(50) == 0) off = steps[random_below(COUNT(steps))];
    uint32_t which = random_below(FLIGHTS);
    double life = lives[random_below(COUNT(lives))];
    int status = statuses[random_below(COUNT(statuses))];
    bool holds = flights[which].lease != 0 && flights[which].lease == cache.lease && !ended;
    switch (random_below(8)) {
    default: {
      enum mde_token_answer answer = mde_token_ask(&cache, now);
      if (answer == MDE_TOKEN_ANSWER_USE || answer == MDE_TOKEN_ANSWER_REFRESH) {
        assert_true(cache.value.length > 0);
        assert_true(now < value_sent_at + value_life);
      }
      if (answer == MDE_TOKEN_ANSWER_FETCH || answer == MDE_TOKEN_ANSWER_REFRESH) {
        assert_true(ended || now >= last_lease_until);
        if (answer == MDE_TOKEN_ANSWER_FETCH) assert_true(now >= silent_until);
        if (answer == MDE_TOKEN_ANSWER_REFRESH) assert_true(now >= last_lease_at + 30);
        uint64_t lease = mde_token_lease(&cache, now, 35);
        flights[which].lease = lease;
        flights[which].sent_at = now + random_below(3);
        last_lease_at = now;
        last_lease_until = now + 35;
        ended = false;
      }
      if (answer == MDE_TOKEN_ANSWER_WAIT) assert_true(!ended && now < last_lease_until);
      if (answer == MDE_TOKEN_ANSWER_FAILED) assert_true(now < silent_until);
      break;
    }
    case 1:
    case 2: {
      if (flights[which].lease == 0) break;
      uint64_t before = cache.generation;
      struct mde_token_lifetime lifetime = read_reply(life, flights[which].sent_at, off);
      double random = random_below(1000) / 1000.0;
      memory.fail_at = random_below(10) == 0;
      enum mde_token_result result = mde_token_fetched(
          &cache, flights[which].lease, flights[which].sent_at, "made up", 7, lifetime, random);
      memory.fail_at = 0;
      assert_int_equal(cache.generation, before + (result == MDE_TOKEN_RESULT_TAKEN));
      if (result == MDE_TOKEN_RESULT_TAKEN) {
        assert_true(life > 0 && flights[which].sent_at >= value_sent_at);
        value_sent_at = flights[which].sent_at;
        value_life = lifetime.seconds;
      }
      if (result == MDE_TOKEN_RESULT_NO_MEMORY) break;
      if (holds) ended = true;
      if (holds) silent_until = 0;
      flights[which].lease = 0;
      break;
    }
    case 3: {
      double retry_after = random_below(3) == 0 ? random_below(9000) : -1.0;
      enum mde_token_failure failure =
          mde_token_failed(&cache, flights[which].lease, now, status, retry_after);
      assert_int_equal(failure != MDE_TOKEN_FAILURE_IGNORED, holds && now < last_lease_until);
      if (failure != MDE_TOKEN_FAILURE_IGNORED) {
        ended = true;
        silent_until = cache.failed_until;
        assert_true(silent_until >= now + 1 && silent_until <= now + 3600);
      }
      break;
    }
    case 4: {
      /* Of this token or of an older one, whose 401 comes late. */
      uint64_t late_by = random_below(3);
      size_t length = cache.value.length;
      bool dropped = mde_token_rejected(&cache, cache.generation - late_by);
      assert_int_equal(dropped, late_by == 0 && length > 0);
      assert_int_equal(cache.value.length, dropped ? 0 : length);
      break;
    }
    case 5:
      mde_token_abandon(&cache, flights[which].lease);
      if (holds) ended = true;
      break;
    }
  }
  assert_true(cache.generation > 1000);
  mde_token_clear(&cache);
  test_allocator_finish(&memory);
}

static void promises_hold_in_any_order(void **state)
{
  (void)state;
  const char *wanted = getenv("MDE_TEST_SEED");
  if (wanted != NULL) {
    play((uint32_t)strtoul(wanted, NULL, 10));
    return;
  }
  uint32_t seed = (uint32_t)time(NULL) | 1;
  for (uint32_t i = 0; i < 5; i++, seed = seed * 2654435761u | 1) {
    printf("a model of the cache: MDE_TEST_SEED=%u\n", seed);
    play(seed);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lifetimes),
      cmocka_unit_test(dates_are_read_within_their_bounds),
      cmocka_unit_test(what_is_left_of_a_life_tells_when_it_was_asked_for),
      cmocka_unit_test(plans_are_kept),
      cmocka_unit_test(stories_come_true),
      cmocka_unit_test(memory_that_runs_out_changes_nothing),
      cmocka_unit_test(a_token_has_its_longest_length),
      cmocka_unit_test(promises_hold_in_any_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
