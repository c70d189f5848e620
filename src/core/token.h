/*
 * token: the cache of one access token, asked before a request and told the outcome.
 *
 * It does not know what a credential is, sends nothing and reads no clock. A caller who needs a
 * token asks (mde_token_ask) and is told to use the one that is there, to fetch one, to wait for
 * the one who is already fetching, or that fetching failed just now. The one who fetches holds a
 * lease meanwhile (mde_token_lease) and tells the cache how it went (mde_token_fetched,
 * mde_token_failed, mde_token_abandon). All times are seconds on one clock that only goes forward;
 * its zero means nothing.
 *
 *   state   when                                    a caller
 *   fresh   until refresh_at                        uses the token
 *   aging   from refresh_at until usable_until      uses it; one of them also refreshes it
 *   none    no token, or usable_until has passed    fetches, waits, or is given the failure
 *
 * Life. It counts from when the request for the token was sent, since that is certainly not later
 * than when the token was issued. Its length is what mde_token_read_lifetime makes of the reply.
 *
 *   usable_until  The end of the life less 30 s, so that a request which leaves with the token
 *                 also arrives with it; of a life under 60 s, less half of it.
 *   refresh_at    `refresh_in`, where the reply has one that lies within the usable part.
 *                 Else half of a life of 2 h or more.
 *                 Else 5 min before the end of the life, but not before half of the usable part
 *                 (which concerns lives under 570 s).
 *                 Then earlier, never later, by a random part of 5 min or of a tenth of the
 *                 life, whichever is less, so that a fleet does not refresh in step.
 *
 * Short lives. A token that lives 60 s is usable for 30 s, and one that lives 2 s for 1 s, where a
 * fixed margin would leave nothing and every call would fetch. A refresh follows the lease before
 * it by at least 30 s, so such a token is not refreshed while it ages but fetched again when it is
 * used up: one request in each usable part, however many calls there are.
 *
 * Leases. They are numbers that are never given twice. One ends when its result is told, when it is
 * abandoned, or when its time has passed; the next one who asks then gets another. A success that
 * comes after its lease ended is taken all the same, unless the cache has ever had a token that was
 * asked for later (that one may have been rejected since; an older one would hardly do better). A
 * failure that comes after its lease ended says nothing about now and is ignored. Lease 0 is
 * nobody's: with it a token is offered that others fetched, through a store that is shared between
 * processes say.
 *
 * Failures. Without a usable token, calls shortly after a failure are given that failure instead of
 * asking again. It is remembered from when it was told:
 *
 *   a definite no: 3xx, 4xx but those below    60 s, or Retry-After if that is longer
 *   408, 421, 425, 429, 5xx, a broken answer,  Retry-After, at least 1 s; without one 5 s
 *   no answer at all
 *
 * and never longer than MDE_TOKEN_MAX_FAILURE_SECONDS. While the old token is usable a failure is hidden: refreshing is
 * tried again 30 s after the last try began, or when a Retry-After has passed if that is later.
 * Should the old token end before the failure is forgotten, the failure comes to light: the sign-in
 * service's Retry-After is kept even then. A success ends the memory.
 */
#ifndef MDE_TOKEN_H
#define MDE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "text.h"

#define MDE_TOKEN_MAX_BYTES 65536 /* of one token: as many as a whole reply may have */

#define MDE_TOKEN_MAX_FAILURE_SECONDS 3600.0 /* so long a failure is remembered at most */

struct mde_token_cache {
  struct mde_buffer value; /* empty: no token */
  uint64_t generation; /* of the last token that was taken; 0 before the first; never used twice */
  double newest_sent_at; /* when that token's request was sent */
  double refresh_at;
  double usable_until;
  double expires_at;

  uint64_t lease; /* the last one given; 0 before the first */
  bool leased;    /* it has not been ended by its holder */
  double leased_at;
  double leased_until;

  bool failed; /* a failure is remembered */
  bool failed_with_retry_after;
  double failed_at;
  double failed_until;
};

enum mde_token_answer {
  MDE_TOKEN_ANSWER_USE,     /* fresh, or aging and not due for a refresh: use the value */
  MDE_TOKEN_ANSWER_REFRESH, /* aging and due: use the value, take the lease and refresh it */
  MDE_TOKEN_ANSWER_FETCH,   /* none: take the lease and fetch */
  MDE_TOKEN_ANSWER_WAIT,    /* none, and somebody holds the lease until leased_until */
  MDE_TOKEN_ANSWER_FAILED   /* none, and it could not be had at failed_at */
};

enum mde_token_result {
  MDE_TOKEN_RESULT_TAKEN = 0,      /* kept, with the new generation number */
  MDE_TOKEN_RESULT_OLDER = 1,      /* one that was asked for later has been here; that one stays */
  MDE_TOKEN_RESULT_NOT_KEPT = 2,   /* a life of no length; the old token stays */
  MDE_TOKEN_RESULT_NO_MEMORY = -1, /* nothing changed, the lease goes on until abandoned */
  MDE_TOKEN_RESULT_TOO_LONG = -2   /* longer than MDE_TOKEN_MAX_BYTES; the old token stays */
};

enum mde_token_failure {
  MDE_TOKEN_FAILURE_IGNORED, /* the lease had ended; nothing changed */
  MDE_TOKEN_FAILURE_HIDDEN,  /* remembered; callers go on with the old token */
  MDE_TOKEN_FAILURE_PRESENT  /* remembered; callers are given it from now on */
};

/* A field of a token reply as it came: nothing, a number, or text of any content. */
struct mde_token_field {
  enum { MDE_TOKEN_FIELD_MISSING, MDE_TOKEN_FIELD_NUMBER, MDE_TOKEN_FIELD_TEXT } type;
  double number;
  struct mde_text text;
};

struct mde_token_reply {
  struct mde_token_field expires_in; /* seconds */
  struct mde_token_field expires_on; /* seconds since 1970, or a date */
  struct mde_token_field refresh_in; /* seconds */
};

struct mde_token_lifetime {
  double seconds;    /* <= 0: not to be kept */
  double refresh_in; /* <= 0: the reply had none */
};

/*
 * How long a token lives by what the reply says. `wall_now` is the time in seconds since 1970 when
 * the request was sent; taken later, it makes the life shorter by as much.
 *
 * Numbers may be numbers or decimal text. `expires_on` may also be `MM/dd/yyyy HH:mm:ss` (with AM
 * or PM, too), `yyyy-MM-dd HH:mm:ss` or RFC 3339, UTC where no zone is named. What is malformed
 * counts as missing.
 *
 *   `expires_on` a number     decides, since a reply that comes out of somebody's cache may
 *                             repeat the `expires_in` of the day it was made. But it needs our
 *                             wall clock to be right, so an `expires_in` that is shorter wins,
 *                             and so does any if by our clock the token has expired already.
 *   else `expires_in`         decides
 *   else `expires_on` a date  decides
 *   none of them              600 s
 *
 * More than 28 h counts as 28 h. 0 or less means that the token is not to be kept.
 */
struct mde_token_lifetime mde_token_read_lifetime(const struct mde_token_reply *reply,
                                                  double wall_now);

/*
 * When the request for a token was sent, in seconds since 1970 by the sign-in service's clock: its
 * end, as the token itself has it, less what the reply says is left of its life. That holds as well
 * for one that was issued earlier and kept. False if either is no number.
 */
bool mde_token_read_sent(double expires_at, const struct mde_token_field *expires_in,
                         double *seconds);

/* An empty cache. Allocates nothing; cannot fail. */
void mde_token_init(struct mde_token_cache *cache, struct mde_allocator allocator);

/* Wipes and frees the token. A second call is harmless. */
void mde_token_clear(struct mde_token_cache *cache);

/*
 * Until when the token that is there may be handed out; what hands it out elsewhere, through a
 * store say, goes by this. -HUGE_VAL without a token.
 */
double mde_token_usable_until(const struct mde_token_cache *cache);

/* What a caller is to do. Changes nothing: after _REFRESH or _FETCH the caller takes the lease. */
enum mde_token_answer mde_token_ask(const struct mde_token_cache *cache, double now);

/*
 * Gives the lease for `seconds` and returns its number. To be called after mde_token_ask said
 * _REFRESH or _FETCH at the same `now`. A failure whose time has passed is forgotten.
 */
uint64_t mde_token_lease(struct mde_token_cache *cache, double now, double seconds);

/*
 * The one who holds (or held) `lease` got a token by a request that was sent at `sent_at`. `random`
 * is in [0, 1). Whatever the result, but for _NO_MEMORY, ends the lease and the memory of failures,
 * if the lease has not been given to another since.
 *
 * A token that is not kept may be used once by the one who fetched it and by those who were waiting
 * for it, on whom it is the fetcher's to bestow; the next call fetches again. The token from before
 * stays.
 */
enum mde_token_result mde_token_fetched(struct mde_token_cache *cache, uint64_t lease,
                                        double sent_at, const char *value, size_t length,
                                        struct mde_token_lifetime lifetime, double random);

/*
 * The one who holds `lease` got none. `status` is that of the answer, 0 without one; `retry_after`
 * the seconds of its Retry-After, negative without one. Ends the lease.
 */
enum mde_token_failure mde_token_failed(struct mde_token_cache *cache, uint64_t lease, double now,
                                        int status, double retry_after);

/*
 * The service rejected the token of this generation. True if it was the one in the cache, which is
 * then wiped; false if it has already been replaced or dropped, and asking again is enough.
 */
bool mde_token_rejected(struct mde_token_cache *cache, uint64_t generation);

/*
 * The holder of `lease` gives up without a result. Without a usable token the next one who asks
 * takes over at once; while one is aging there is no hurry, and the 30 s between refreshes hold.
 */
void mde_token_abandon(struct mde_token_cache *cache, uint64_t lease);

/* The credential has changed: what was refused before may succeed now. */
void mde_token_forget_failure(struct mde_token_cache *cache);

#endif
