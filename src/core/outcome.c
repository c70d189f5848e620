#include "outcome.h"

#include <math.h>
#include <string.h>

#define FIRST_BACKOFF_SECONDS 0.8
#define MAX_BACKOFF_SECONDS 60.0
#define GARBAGE_AFTER_429 60.0
#define RETRY_AFTER_SPREAD 0.1

/* An identity's endpoint that is not ready is asked at 0, 1, 3, 7, 15, 23, 31 ... 71 s. */
#define FIRST_IDENTITY_BACKOFF_SECONDS 1.0
#define MAX_IDENTITY_BACKOFF_SECONDS 8.0
#define IDENTITY_ATTEMPTS 7
#define IDENTITY_GONE_ATTEMPTS 12

static bool asks_for_token(const struct mde_attempt *attempt)
{
  return attempt->kind == MDE_REQUEST_KIND_TOKEN || attempt->kind == MDE_REQUEST_KIND_IDENTITY;
}

static enum mde_class classify(const struct mde_attempt *attempt)
{
  int status = attempt->status;
  if (!attempt->answered) return attempt->maybe_sent ? MDE_CLASS_UNKNOWN : MDE_CLASS_NOT_SENT;
  if (status >= 200 && status <= 299)
    return attempt->usable ? MDE_CLASS_DEFINITE : MDE_CLASS_UNKNOWN;
  if (status < 300 || status > 499) return MDE_CLASS_UNKNOWN;
  if (status >= 400 && attempt->temporary && asks_for_token(attempt))
    return MDE_CLASS_REFUSED_UNPROCESSED;
  switch (status) {
  case 401:
    if (asks_for_token(attempt) || attempt->authentications > 0) return MDE_CLASS_DEFINITE;
    return MDE_CLASS_REFUSED_UNPROCESSED;
  case 404:
  case 410:
    return attempt->kind == MDE_REQUEST_KIND_IDENTITY ? MDE_CLASS_REFUSED_UNPROCESSED
                                                      : MDE_CLASS_DEFINITE;
  case 408:
    return MDE_CLASS_UNKNOWN;
  case 421:
  case 425:
  case 429:
    return MDE_CLASS_REFUSED_UNPROCESSED;
  default:
    return MDE_CLASS_DEFINITE;
  }
}

/* Seconds that the answer asks to stay away; negative if it says nothing of the kind. */
static double asked_to_wait(const struct mde_attempt *attempt)
{
  if (!attempt->answered) return -1;
  bool told = attempt->has_retry_after && !attempt->retry_after_invalid;
  if (told && attempt->retry_after >= 0 && isfinite(attempt->retry_after))
    return fmin(attempt->retry_after, MDE_MAX_WAIT_SECONDS);
  bool garbage = attempt->has_retry_after || attempt->retry_after_invalid;
  return garbage && attempt->status == 429 ? GARBAGE_AFTER_429 : -1;
}

/*
 * Whether a managed identity's endpoint is being set up, or brought up to date. One that was there
 * a moment ago is being started again; one that never was is not waited for.
 */
static bool is_not_ready(const struct mde_attempt *attempt)
{
  if (attempt->kind != MDE_REQUEST_KIND_IDENTITY) return false;
  return attempt->answered ? attempt->status >= 400 : attempt->was_answered;
}

static int attempts_allowed(const struct mde_attempt *attempt)
{
  if (attempt->attempts_allowed > 0) return attempt->attempts_allowed;
  if (!is_not_ready(attempt)) return MDE_ATTEMPTS;
  bool gone = attempt->status == 410 || !attempt->answered;
  return gone ? IDENTITY_GONE_ATTEMPTS : IDENTITY_ATTEMPTS;
}

static double backoff(const struct mde_attempt *attempt)
{
  if (is_not_ready(attempt))
    return fmin(MAX_IDENTITY_BACKOFF_SECONDS,
                ldexp(FIRST_IDENTITY_BACKOFF_SECONDS, attempt->attempt - 1));
  return attempt->random *
         fmin(MAX_BACKOFF_SECONDS, ldexp(FIRST_BACKOFF_SECONDS, attempt->attempt - 1));
}

static bool is_in_vain(const struct mde_attempt *attempt)
{
  static const char of_certificate[] = "tls_";
  if (attempt->answered || attempt->code == NULL) return false;
  return strncmp(attempt->code, of_certificate, sizeof of_certificate - 1) == 0 ||
         strcmp(attempt->code, "proxy_auth") == 0;
}

static struct mde_judgement try_again(const struct mde_attempt *attempt, enum mde_class class)
{
  struct mde_judgement judgement = {.class = class, .verdict = MDE_VERDICT_RETRY};
  double asked = asked_to_wait(attempt);
  double spread =
      asked >= 0 ? fmin(asked * (1 + RETRY_AFTER_SPREAD * attempt->random), MDE_MAX_WAIT_SECONDS)
                 : 0;
  judgement.delay = fmax(spread, backoff(attempt));
  double left = attempt->deadline - attempt->now;
  if (is_not_ready(attempt) && asked < 0 && judgement.delay >= left &&
      left > FIRST_IDENTITY_BACKOFF_SECONDS)
    judgement.delay = fmax(left / 2, FIRST_IDENTITY_BACKOFF_SECONDS);
  judgement.spent = attempt->attempt >= attempts_allowed(attempt);
  if (judgement.spent || is_in_vain(attempt)) {
    judgement.verdict = MDE_VERDICT_EXHAUSTED;
    judgement.delay = spread;
  } else if (judgement.delay >= left) {
    judgement.verdict = asked > 0 ? MDE_VERDICT_THROTTLED : MDE_VERDICT_EXHAUSTED;
    judgement.delay = spread;
  }
  return judgement;
}

static enum mde_verdict definite(const struct mde_attempt *attempt)
{
  if (attempt->status <= 299) return MDE_VERDICT_DONE;
  bool active =
      attempt->kind == MDE_REQUEST_KIND_ACTION && attempt->status == 400 && attempt->active_request;
  return active ? MDE_VERDICT_ACTIVE : MDE_VERDICT_REFUSED;
}

struct mde_judgement mde_judge(const struct mde_attempt *attempt)
{
  enum mde_class class = classify(attempt);
  struct mde_judgement judgement = {.class = class};
  if (class == MDE_CLASS_DEFINITE) {
    judgement.verdict = definite(attempt);
  } else if (class == MDE_CLASS_UNKNOWN && attempt->kind == MDE_REQUEST_KIND_ACTION) {
    judgement.verdict = MDE_VERDICT_UNKNOWN;
  } else if (attempt->answered && attempt->status == 401 && !asks_for_token(attempt)) {
    bool late = attempt->now >= attempt->deadline;
    judgement.verdict = late ? MDE_VERDICT_EXHAUSTED : MDE_VERDICT_AUTHENTICATE;
  } else {
    judgement = try_again(attempt, class);
  }
  return judgement;
}

const char *mde_class_name(enum mde_class class)
{
  static const char *const names[] = {"not_sent", "refused_unprocessed", "unknown", "definite"};
  return names[class];
}

const char *mde_verdict_name(enum mde_verdict verdict)
{
  static const char *const names[] = {"done",      "refused",   "retry",   "authenticate",
                                      "throttled", "exhausted", "unknown", "active"};
  return names[verdict];
}
