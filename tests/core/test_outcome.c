/*
 * The outcome of an attempt: a row for every class of answer and every kind of request, and the
 * times between attempts.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "outcome.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define DONE MDE_VERDICT_DONE
#define REFUSED MDE_VERDICT_REFUSED
#define RETRY MDE_VERDICT_RETRY
#define AUTHENTICATE MDE_VERDICT_AUTHENTICATE
#define THROTTLED MDE_VERDICT_THROTTLED
#define EXHAUSTED MDE_VERDICT_EXHAUSTED
#define UNKNOWN MDE_VERDICT_UNKNOWN
#define ACTIVE MDE_VERDICT_ACTIVE

/* ---- what each answer means to each kind of request, on the first attempt, with time to spare */

static const struct {
  const char *answer;
  bool answered, maybe_sent;
  int status;
  bool usable, active_request;
  int authentications;
  enum mde_class class, class_of_token;
  enum mde_verdict read, token, action;
} answers[] = {
#define NOTHING(text, maybe_sent, class, read, token, action)                                      \
  {                                                                                                \
    text, false, maybe_sent, 0, true, true, 0, class, class, read, token, action                   \
  }
#define ANSWER(status, class, read, token, action)                                                 \
  {                                                                                                \
    "status " #status, true, true, status, false, false, 0, class, class, read, token, action      \
  }

    NOTHING("not sent: no such host, no connection, no TLS, no proxy, cancelled", false,
            MDE_CLASS_NOT_SENT, RETRY, RETRY, RETRY),
    NOTHING("sent, perhaps: timeout, reset, cut off, broken", true, MDE_CLASS_UNKNOWN, RETRY, RETRY,
            UNKNOWN),

    {"a 2xx that is what was asked for", true, true, 200, true, false, 0, MDE_CLASS_DEFINITE,
     MDE_CLASS_DEFINITE, DONE, DONE, DONE},
    {"a 201 that is what was asked for", true, true, 201, true, false, 0, MDE_CLASS_DEFINITE,
     MDE_CLASS_DEFINITE, DONE, DONE, DONE},
    {"a 299 that is what was asked for", true, true, 299, true, false, 0, MDE_CLASS_DEFINITE,
     MDE_CLASS_DEFINITE, DONE, DONE, DONE},
    ANSWER(200, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN), /* but not what was asked for */
    ANSWER(201, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(204, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),

    {"the first 401", true, true, 401, false, false, 0, MDE_CLASS_REFUSED_UNPROCESSED,
     MDE_CLASS_DEFINITE, AUTHENTICATE, REFUSED, AUTHENTICATE},
    {"the second 401", true, true, 401, false, false, 1, MDE_CLASS_DEFINITE, MDE_CLASS_DEFINITE,
     REFUSED, REFUSED, REFUSED},
    ANSWER(408, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(421, MDE_CLASS_REFUSED_UNPROCESSED, RETRY, RETRY, RETRY),
    ANSWER(425, MDE_CLASS_REFUSED_UNPROCESSED, RETRY, RETRY, RETRY),
    ANSWER(429, MDE_CLASS_REFUSED_UNPROCESSED, RETRY, RETRY, RETRY),

    ANSWER(500, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(501, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(502, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(503, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(504, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(599, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),

    ANSWER(300, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(301, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(302, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(304, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(307, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(308, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(399, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(400, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(403, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(404, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(410, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(405, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(409, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(413, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),
    ANSWER(499, MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED),

    {"400 that names an active request", true, true, 400, false, true, 0, MDE_CLASS_DEFINITE,
     MDE_CLASS_DEFINITE, REFUSED, REFUSED, ACTIVE},
    {"409 does not", true, true, 409, false, true, 0, MDE_CLASS_DEFINITE, MDE_CLASS_DEFINITE,
     REFUSED, REFUSED, REFUSED},
    {"a 400 is not done, whatever its body", true, true, 400, true, false, 0, MDE_CLASS_DEFINITE,
     MDE_CLASS_DEFINITE, REFUSED, REFUSED, REFUSED},
    {"a 500 is not done, whatever its body", true, true, 500, true, false, 0, MDE_CLASS_UNKNOWN,
     MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN},

    ANSWER(100, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(199, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(0, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(-1, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(99, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(600, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
    ANSWER(999, MDE_CLASS_UNKNOWN, RETRY, RETRY, UNKNOWN),
};

static void expect(const char *what, const char *kind, struct mde_judgement judgement,
                   enum mde_class class, enum mde_verdict verdict)
{
  if (judgement.class != class || judgement.verdict != verdict)
    fail_msg("%s, %s: %s (%s), not %s (%s)", what, kind, mde_verdict_name(judgement.verdict),
             mde_class_name(judgement.class), mde_verdict_name(verdict), mde_class_name(class));
}

static void every_answer_has_its_verdict(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(answers); i++) {
    struct mde_attempt attempt = {.attempt = 1,
                                  .attempts_allowed = 4,
                                  .authentications = answers[i].authentications,
                                  .now = 1000,
                                  .deadline = 1120,
                                  .random = 0.5,
                                  .answered = answers[i].answered,
                                  .maybe_sent = answers[i].maybe_sent,
                                  .status = answers[i].status,
                                  .usable = answers[i].usable,
                                  .active_request = answers[i].active_request};
    attempt.kind = MDE_REQUEST_KIND_READ;
    expect(answers[i].answer, "read", mde_judge(&attempt), answers[i].class, answers[i].read);
    attempt.kind = MDE_REQUEST_KIND_ACTION;
    expect(answers[i].answer, "action", mde_judge(&attempt), answers[i].class, answers[i].action);
    attempt.kind = MDE_REQUEST_KIND_TOKEN;
    expect(answers[i].answer, "token", mde_judge(&attempt), answers[i].class_of_token,
           answers[i].token);
  }
}

/* What differs for the endpoint of a managed identity: it may be there in a moment. */
static void an_identity_endpoint_may_be_away(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(answers); i++) {
    struct mde_attempt attempt = {.kind = MDE_REQUEST_KIND_IDENTITY,
                                  .attempt = 1,
                                  .attempts_allowed = 4,
                                  .authentications = answers[i].authentications,
                                  .now = 1000,
                                  .deadline = 1120,
                                  .random = 0.5,
                                  .answered = answers[i].answered,
                                  .maybe_sent = answers[i].maybe_sent,
                                  .status = answers[i].status,
                                  .usable = answers[i].usable};
    bool away = answers[i].status == 404 || answers[i].status == 410;
    expect(answers[i].answer, "identity", mde_judge(&attempt),
           away ? MDE_CLASS_REFUSED_UNPROCESSED : answers[i].class_of_token,
           away ? RETRY : answers[i].token);
  }
}

/* How long an endpoint that is not ready is waited for, and how often it is asked, until a
 * deadline. */
static void an_identity_endpoint_is_given_time(void **state)
{
  (void)state;
  static const struct {
    int status;
    double deadline;
    int attempts;
    double seconds;
    bool spent;
  } cases[] = {
      {410, HUGE_VAL, 12, 71, true},
      {404, HUGE_VAL, 7, 31, true},
      {429, HUGE_VAL, 7, 31, true},
      {500, HUGE_VAL, 7, 31, true},
      {599, HUGE_VAL, 7, 31, true},
      /* 0, 1, 3, 7, and then half of what is left, but no less than a second. */
      {410, 20, 8, 19.75, false},
      {410, 1, 1, 0, false},
      {503, 0.5, 1, 0, false},
      /* What answers, but gives no token, is no endpoint that will be there in a moment. */
      {200, HUGE_VAL, 4, 2.8, true},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_attempt attempt = {.kind = MDE_REQUEST_KIND_IDENTITY,
                                  .attempt = 1,
                                  .deadline = cases[i].deadline,
                                  .random = 0.5,
                                  .answered = true,
                                  .status = cases[i].status};
    struct mde_judgement judgement = mde_judge(&attempt);
    for (; judgement.verdict == MDE_VERDICT_RETRY; judgement = mde_judge(&attempt)) {
      assert_true(judgement.delay > 0);
      attempt.now += judgement.delay;
      attempt.attempt++;
      assert_true(attempt.now < attempt.deadline);
    }
    assert_int_equal(judgement.verdict, MDE_VERDICT_EXHAUSTED);
    assert_int_equal(attempt.attempt, cases[i].attempts);
    assert_float_equal(attempt.now, cases[i].seconds, 1e-6);
    assert_int_equal(judgement.spent, cases[i].spent);
  }
}

static void only_a_token_request_is_temporarily_unavailable(void **state)
{
  (void)state;
  static const struct {
    enum mde_request_kind kind;
    int status;
    enum mde_verdict verdict;
  } cases[] = {
      {MDE_REQUEST_KIND_TOKEN, 400, RETRY},    {MDE_REQUEST_KIND_TOKEN, 401, RETRY},
      {MDE_REQUEST_KIND_IDENTITY, 400, RETRY}, {MDE_REQUEST_KIND_READ, 400, REFUSED},
      {MDE_REQUEST_KIND_ACTION, 400, REFUSED}, {MDE_REQUEST_KIND_TOKEN, 302, REFUSED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct mde_attempt attempt = {.kind = cases[i].kind,
                                  .attempt = 1,
                                  .attempts_allowed = 4,
                                  .now = 1000,
                                  .deadline = 1120,
                                  .answered = true,
                                  .temporary = true,
                                  .status = cases[i].status};
    assert_int_equal(mde_judge(&attempt).verdict, cases[i].verdict);
  }
}

/* ---- when it is tried again, and when not */

#define HALF_WAY .random = 0.5
#define RETRY_AFTER(seconds) .has_retry_after = true, .retry_after = (seconds)
#define ANSWERED(code) .answered = true, .status = (code)

static const struct {
  const char *rule;
  struct mde_attempt attempt; /* at 1000; default up to 1120; default 4 attempts */
  enum mde_verdict verdict;
  double delay;
} waits[] = {
    {"before the second: up to 0.8 s", {ANSWERED(500), .attempt = 1, HALF_WAY}, RETRY, 0.4},
    {"before the third: up to 1.6 s", {ANSWERED(500), .attempt = 2, HALF_WAY}, RETRY, 0.8},
    {"before the fourth: up to 3.2 s", {ANSWERED(500), .attempt = 3, HALF_WAY}, RETRY, 1.6},
    {"the jitter is full", {ANSWERED(500), .attempt = 3, .random = 0}, RETRY, 0},
    {"the seventh: up to 51.2 s",
     {ANSWERED(500), .attempt = 7, .attempts_allowed = 99, HALF_WAY},
     RETRY,
     25.6},
    {"later ones: up to 60 s",
     {ANSWERED(500), .attempt = 8, .attempts_allowed = 99, HALF_WAY},
     RETRY,
     30},
    {"much later ones, too",
     {ANSWERED(500), .attempt = 2000000000, .attempts_allowed = 2100000000, HALF_WAY},
     RETRY,
     30},
    {"the fourth is the last", {ANSWERED(500), .attempt = 4, HALF_WAY}, EXHAUSTED, 0},
    {"also for what was not sent", {.attempt = 4, HALF_WAY}, EXHAUSTED, 0},
    {"also for an action that was not sent",
     {.kind = MDE_REQUEST_KIND_ACTION, .attempt = 4, HALF_WAY},
     EXHAUSTED,
     0},
    {"also for an action that was refused unprocessed",
     {ANSWERED(429), .kind = MDE_REQUEST_KIND_ACTION, .attempt = 4, HALF_WAY},
     EXHAUSTED,
     0},
    {"an unknown action is unknown at the first",
     {.maybe_sent = true, .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, HALF_WAY},
     UNKNOWN,
     0},
    {"and at the last",
     {.maybe_sent = true, .kind = MDE_REQUEST_KIND_ACTION, .attempt = 4},
     UNKNOWN,
     0},
    {"and after the deadline",
     {ANSWERED(503), .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, .deadline = 900},
     UNKNOWN,
     0},
    {"and with Retry-After",
     {ANSWERED(503), .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, RETRY_AFTER(3)},
     UNKNOWN,
     0},
    {"a certificate is the same a second later",
     {.code = "tls_untrusted", .attempt = 1, HALF_WAY},
     EXHAUSTED,
     0},
    {"another one, too", {.code = "tls_name", .attempt = 1, HALF_WAY}, EXHAUSTED, 0},
    {"and one that expired", {.code = "tls_expired", .attempt = 1, HALF_WAY}, EXHAUSTED, 0},
    {"whatever is asked for over it",
     {.code = "tls_expired", .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, HALF_WAY},
     EXHAUSTED,
     0},
    {"a token, too",
     {.code = "tls_authorities", .kind = MDE_REQUEST_KIND_TOKEN, .attempt = 1, HALF_WAY},
     EXHAUSTED,
     0},
    {"so is a proxy's password", {.code = "proxy_auth", .attempt = 1, HALF_WAY}, EXHAUSTED, 0},
    {"a handshake may fail once", {.code = "tls", .attempt = 1, HALF_WAY}, RETRY, 0.4},
    {"so may a proxy", {.code = "proxy", .attempt = 1, HALF_WAY}, RETRY, 0.4},
    {"and what has another code", {.code = "connect", .attempt = 1, HALF_WAY}, RETRY, 0.4},
    {"or an empty one", {.code = "", .attempt = 1, HALF_WAY}, RETRY, 0.4},
    {"an identity's endpoint is asked once, where no more is allowed",
     {ANSWERED(410), .kind = MDE_REQUEST_KIND_IDENTITY, .attempt = 1, .attempts_allowed = 1},
     EXHAUSTED,
     0},
    {"it is not asked before it says",
     {ANSWERED(429), .kind = MDE_REQUEST_KIND_IDENTITY, .attempt = 1, RETRY_AFTER(20)},
     RETRY,
     20},
    {"nor where the deadline comes first",
     {ANSWERED(410), .kind = MDE_REQUEST_KIND_IDENTITY, .attempt = 1, RETRY_AFTER(20),
      .deadline = 1010},
     THROTTLED,
     20},
    {"one that is not there is not waited for",
     {.kind = MDE_REQUEST_KIND_IDENTITY, .attempt = 2, HALF_WAY},
     RETRY,
     0.8},
    {"but one that was there before is",
     {.kind = MDE_REQUEST_KIND_IDENTITY,
      .attempt = 4,
      .attempts_allowed = 0,
      .code = "connect",
      .was_answered = true},
     RETRY,
     8},
    {"as long as one that is brought up to date",
     {.kind = MDE_REQUEST_KIND_IDENTITY, .attempt = 12, .was_answered = true},
     EXHAUSTED,
     0},
    {"and anything else is not",
     {.kind = MDE_REQUEST_KIND_TOKEN, .attempt = 4, .was_answered = true},
     EXHAUSTED,
     0},
    {"a code means nothing beside an answer",
     {ANSWERED(500), .code = "tls_name", .attempt = 1, HALF_WAY},
     RETRY,
     0.4},
    {"and nothing where an action may have been sent",
     {.code = "tls_name", .maybe_sent = true, .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1},
     UNKNOWN,
     0},
    {"one attempt allowed",
     {ANSWERED(500), .attempt = 1, .attempts_allowed = 1, HALF_WAY},
     EXHAUSTED,
     0},
    {"what is done is done after the deadline, too",
     {ANSWERED(200), .usable = true, .attempt = 1, .deadline = 900},
     DONE,
     0},
    {"what is refused, too", {ANSWERED(404), .attempt = 1, .deadline = 900}, REFUSED, 0},

    {"a retry that starts before the deadline",
     {ANSWERED(500), .attempt = 1, HALF_WAY, .deadline = 1000.5},
     RETRY,
     0.4},
    {"a retry that starts at the deadline",
     {ANSWERED(500), .attempt = 1, HALF_WAY, .deadline = 1000.4},
     EXHAUSTED,
     0},
    {"a retry that starts after the deadline",
     {ANSWERED(500), .attempt = 1, HALF_WAY, .deadline = 1000.3},
     EXHAUSTED,
     0},
    {"the same for what was not sent",
     {.kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, HALF_WAY, .deadline = 1000.3},
     EXHAUSTED,
     0},
    {"no deadline", {ANSWERED(500), .attempt = 1, HALF_WAY, .deadline = HUGE_VAL}, RETRY, 0.4},

    {"Retry-After wins over backoff", {ANSWERED(429), .attempt = 1, RETRY_AFTER(8)}, RETRY, 8},
    {"but it is never sooner than without it",
     {ANSWERED(429), .attempt = 3, RETRY_AFTER(0), HALF_WAY},
     RETRY,
     1.6},
    {"nor is a short one", {ANSWERED(503), .attempt = 3, RETRY_AFTER(1), HALF_WAY}, RETRY, 1.6},
    {"an hour counts in full",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(3600), HALF_WAY, .deadline = HUGE_VAL},
     RETRY,
     3600},
    {"a day counts as an hour",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(86400), .deadline = HUGE_VAL},
     RETRY,
     3600},
    {"decades count as an hour", {ANSWERED(429), .attempt = 1, RETRY_AFTER(1e19)}, THROTTLED, 3600},
    {"so with attempts used up", {ANSWERED(503), .attempt = 4, RETRY_AFTER(1e19)}, EXHAUSTED, 3600},
    {"up to a tenth is added", {ANSWERED(429), .attempt = 1, RETRY_AFTER(8), HALF_WAY}, RETRY, 8.4},
    {"also with 503", {ANSWERED(503), .attempt = 1, RETRY_AFTER(8)}, RETRY, 8},
    {"also with 408", {ANSWERED(408), .attempt = 1, RETRY_AFTER(8)}, RETRY, 8},
    {"also with a 2xx of no use", {ANSWERED(202), .attempt = 1, RETRY_AFTER(8)}, RETRY, 8},
    {"also for an action",
     {ANSWERED(429), .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, RETRY_AFTER(8)},
     RETRY,
     8},
    {"also for a token",
     {ANSWERED(429), .kind = MDE_REQUEST_KIND_TOKEN, .attempt = 1, RETRY_AFTER(8)},
     RETRY,
     8},
    {"without an answer there is none",
     {.maybe_sent = true, .attempt = 1, RETRY_AFTER(8), HALF_WAY},
     RETRY,
     0.4},
    {"429 without Retry-After: backoff", {ANSWERED(429), .attempt = 1, HALF_WAY}, RETRY, 0.4},
    {"garbage with 429 means 60 s",
     {ANSWERED(429), .attempt = 1, .retry_after_invalid = true},
     RETRY,
     60},
    {"up to a tenth is added to that",
     {ANSWERED(429), .attempt = 1, .retry_after_invalid = true, HALF_WAY},
     RETRY,
     63},
    {"negative with 429 means 60 s", {ANSWERED(429), .attempt = 1, RETRY_AFTER(-1)}, RETRY, 60},
    {"without end with 429 means 60 s",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(HUGE_VAL)},
     RETRY,
     60},
    {"no number with 429 means 60 s", {ANSWERED(429), .attempt = 1, RETRY_AFTER(NAN)}, RETRY, 60},
    {"garbage wins over what was read of it",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(3), .retry_after_invalid = true},
     RETRY,
     60},
    {"garbage with 503 means nothing",
     {ANSWERED(503), .attempt = 1, .retry_after_invalid = true, HALF_WAY},
     RETRY,
     0.4},
    {"Retry-After past the deadline: throttled, and when to come back",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(300)},
     THROTTLED,
     300},
    {"so for an action",
     {ANSWERED(429), .kind = MDE_REQUEST_KIND_ACTION, .attempt = 1, RETRY_AFTER(300)},
     THROTTLED,
     300},
    {"so with 503", {ANSWERED(503), .attempt = 1, RETRY_AFTER(300)}, THROTTLED, 300},
    {"so with garbage",
     {ANSWERED(429), .attempt = 1, .retry_after_invalid = true, .deadline = 1030},
     THROTTLED,
     60},
    {"Retry-After of zero past the deadline is not to blame",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(0), .deadline = 1000},
     EXHAUSTED,
     0},
    {"it fits, but what is added does not",
     {ANSWERED(429), .attempt = 1, RETRY_AFTER(119), HALF_WAY},
     THROTTLED,
     124.95},
    {"attempts are used up, and when to come back",
     {ANSWERED(429), .attempt = 4, RETRY_AFTER(7)},
     EXHAUSTED,
     7},

    {"401 is answered at once", {ANSWERED(401), .attempt = 1, HALF_WAY}, AUTHENTICATE, 0},
    {"whatever its Retry-After", {ANSWERED(401), .attempt = 1, RETRY_AFTER(300)}, AUTHENTICATE, 0},
    {"it needs no attempt left", {ANSWERED(401), .attempt = 4}, AUTHENTICATE, 0},
    {"for an action, too",
     {ANSWERED(401), .kind = MDE_REQUEST_KIND_ACTION, .attempt = 4},
     AUTHENTICATE,
     0},
    {"it needs time left", {ANSWERED(401), .attempt = 1, .deadline = 1000}, EXHAUSTED, 0},
    {"a second 401 is refused", {ANSWERED(401), .attempt = 1, .authentications = 1}, REFUSED, 0},
    {"a 429 after the 401 is retried",
     {ANSWERED(429), .attempt = 1, .authentications = 1, HALF_WAY},
     RETRY,
     0.4},
};

static void every_wait_has_its_length(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(waits); i++) {
    struct mde_attempt attempt = waits[i].attempt;
    attempt.now = 1000;
    if (attempt.deadline == 0) attempt.deadline = 1120;
    struct mde_judgement judgement = mde_judge(&attempt);
    if (judgement.verdict != waits[i].verdict || fabs(judgement.delay - waits[i].delay) > 1e-9)
      fail_msg("%s: %s after %g s, not %s after %g s", waits[i].rule,
               mde_verdict_name(judgement.verdict), judgement.delay,
               mde_verdict_name(waits[i].verdict), waits[i].delay);
  }
}

/* Whatever an action is answered, it is sent again only if it certainly was not executed. */
static void an_action_is_never_repeated_unseen(void **state)
{
  (void)state;
  for (int status = -1; status <= 1000; status++) {
    for (int bits = 0; bits < 128; bits++) {
      struct mde_attempt attempt = {.kind = MDE_REQUEST_KIND_ACTION,
                                    .attempt = 1 + (bits & 1),
                                    .attempts_allowed = 4,
                                    .authentications = bits >> 1 & 1,
                                    .now = 5,
                                    .deadline = 100,
                                    .answered = true,
                                    .maybe_sent = bits >> 2 & 1,
                                    .status = status,
                                    .usable = bits >> 3 & 1,
                                    .active_request = bits >> 4 & 1,
                                    .has_retry_after = bits >> 5 & 1,
                                    .retry_after = 2,
                                    .retry_after_invalid = bits >> 6 & 1};
      enum mde_verdict verdict = mde_judge(&attempt).verdict;
      if (verdict == RETRY) assert_true(status == 421 || status == 425 || status == 429);
      if (verdict == AUTHENTICATE) assert_true(status == 401 && attempt.authentications == 0);
      if (verdict == DONE) assert_true(status >= 200 && status <= 299 && attempt.usable);
      if (verdict == REFUSED) assert_true(status >= 300 && status <= 499);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_answer_has_its_verdict),
      cmocka_unit_test(an_identity_endpoint_may_be_away),
      cmocka_unit_test(an_identity_endpoint_is_given_time),
      cmocka_unit_test(only_a_token_request_is_temporarily_unavailable),
      cmocka_unit_test(every_wait_has_its_length),
      cmocka_unit_test(an_action_is_never_repeated_unseen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
