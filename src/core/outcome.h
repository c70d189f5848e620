/*
 * outcome: judges one attempt at a request, and says what to do next.
 *
 * The question behind every rule is whether the other side may have acted. Reads and token requests
 * may be repeated whatever happened. An action is repeated only if it certainly was not executed;
 * otherwise its fate is unknown, and only looking at the service can tell.
 *
 *   class                 when                                           read, token   action
 *   not sent              no answer, and certainly no byte of a body     retry         retry
 *                         was handed over
 *   refused unprocessed   401 the first time, 421, 425, 429              retry         retry
 *   unknown               no answer though something may have been       retry         unknown
 *                         sent; 408; any 5xx; a 2xx that is not what
 *                         was asked for; 1xx, or no status at all
 *   definite              a usable 2xx                                   done          done
 *                         any 3xx, any other 4xx, a further 401          refused       refused
 *                         400 that names an active request               refused       active
 *
 * 408. RFC 9110, 15.5.9, means a server that did not get the whole request. Gateways send it after
 * a slow backend, too, which may have acted.
 *
 * Token requests. A 4xx whose OAuth error is `temporarily_unavailable` is refused unprocessed. The
 * endpoint of a managed identity answers 404, 410, 429 and 5xx while it is being set up, after a
 * boot for instance, or brought up to date: refused unprocessed, or unknown.
 *
 * 401. The first is answered with a new token ("authenticate") at once; it counts as no attempt,
 * and attempts_allowed does not stop it. A second one in the same request is refused. For a token
 * or identity request a 401 is the answer itself: refused.
 *
 * Retry. At most attempts_allowed attempts (default 4), the first included. Before the n-th further
 * one a random time from 0 to 0.8 s * 2^(n - 1) passes, from 0 to 60 s at most. An answer's
 * Retry-After is obeyed instead, whatever the status: never less, up to a tenth more, but at most
 * MDE_MAX_WAIT_SECONDS and never sooner than without it. One that cannot be read (a negative one,
 * too) means 60 s with a 429 and nothing elsewhere.
 *
 * Not ready. Such an endpoint is given more time: before the n-th further attempt 2^(n - 1) s pass,
 * 8 s at most. Without attempts_allowed there are 7 attempts, which takes 31 s, and 12 after a 410,
 * which takes 71 s: it is back within 70 s, says Azure's page on the instance metadata service.
 * Where the deadline comes first, the next attempt is made in half of what is left, but not sooner
 * than in 1 s.
 *
 * In vain. A driver gives the reason of a failure a code (lua/mde/driver/driver.md). Neither a
 * certificate that was refused (tls_untrusted, tls_name, tls_expired; every code that begins with
 * "tls_") nor a proxy that wants another password (proxy_auth) is another one a second later:
 * "exhausted" after the first attempt.
 *
 * Deadline. A retry that would start when the deadline has come is not made. If a Retry-After is
 * the reason, that is "throttled" and says when it may be tried; else it is "exhausted". So is
 * running out of attempts. Either way nothing took effect, or it was a read.
 */
#ifndef MDE_OUTCOME_H
#define MDE_OUTCOME_H

#include <stdbool.h>

/* Seconds: the longest window of the service's limits. A Retry-After beyond it is a mistake. */
#define MDE_MAX_WAIT_SECONDS 3600.0

/* Attempts, where attempts_allowed says nothing. */
#define MDE_ATTEMPTS 4

enum mde_request_kind {
  MDE_REQUEST_KIND_READ,
  MDE_REQUEST_KIND_TOKEN,
  MDE_REQUEST_KIND_IDENTITY, /* a token request to a managed identity's endpoint */
  MDE_REQUEST_KIND_ACTION    /* changes something */
};

enum mde_class {
  MDE_CLASS_NOT_SENT,
  MDE_CLASS_REFUSED_UNPROCESSED,
  MDE_CLASS_UNKNOWN,
  MDE_CLASS_DEFINITE
};

enum mde_verdict {
  MDE_VERDICT_DONE,
  MDE_VERDICT_REFUSED,      /* a definite no */
  MDE_VERDICT_RETRY,        /* after `delay` */
  MDE_VERDICT_AUTHENTICATE, /* get a new token and send again */
  MDE_VERDICT_THROTTLED,    /* may be tried after `delay`, which is past the deadline */
  MDE_VERDICT_EXHAUSTED,    /* attempts or time are used up */
  MDE_VERDICT_UNKNOWN,      /* an action that may or may not have taken effect */
  MDE_VERDICT_ACTIVE        /* an action that is already under way */
};

/* What is known after an attempt. Times are seconds on one clock that only goes forward. */
struct mde_attempt {
  enum mde_request_kind kind;
  int attempt;          /* 1: the first; 401s that were answered with a new token do not count */
  int attempts_allowed; /* 0: the default */
  int authentications;  /* how many 401 of this request were answered with a new token */
  double now;
  double deadline;
  double random; /* in [0, 1) */

  bool answered;     /* there was a whole response */
  bool maybe_sent;   /* without one: something may have been handed to the transport */
  const char *code;  /* without one: the driver's code for the reason, or NULL */
  bool was_answered; /* without one: there was one to an earlier attempt */

  int status;
  bool usable;         /* a 2xx that parsed to what was asked for; means nothing elsewhere */
  bool temporary;      /* a 4xx to a token request that says temporarily_unavailable */
  bool active_request; /* of a 400: mde_refusal_is_active */
  bool has_retry_after;
  bool retry_after_invalid; /* there was one, and it could not be read */
  double retry_after;       /* seconds */
};

struct mde_judgement {
  enum mde_class class;
  enum mde_verdict verdict;
  /*
   * Seconds to wait before a retry; with _THROTTLED and _EXHAUSTED, how long the answer's
   * Retry-After asks everybody to stay away. 0 elsewhere.
   */
  double delay;
  bool spent; /* with _EXHAUSTED: the attempts are used up; else the time, or it would be in vain */
};

struct mde_judgement mde_judge(const struct mde_attempt *attempt);

/* Names of ours for a trace: "not_sent", "refused_unprocessed", "unknown", "definite". */
const char *mde_class_name(enum mde_class class);

/* "done", "refused", "retry", "authenticate", "throttled", "exhausted", "unknown", "active". */
const char *mde_verdict_name(enum mde_verdict verdict);

#endif
