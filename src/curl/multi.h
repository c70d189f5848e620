/*
 * multi: the transfers in flight, their connections, and what of them has finished.
 *
 * Knows no Lua. There is one for each Lua state. libcurl's handle is made when the first transfer
 * needs it, and made again after a fork: a handle from before belongs to the parent, whose
 * connections it would share, so the child forgets it and neither closes nor frees anything of it.
 *
 * It is driven by the waiters (mde_multi_poll), or by an event loop that watches its descriptor
 * and has mde_multi_step called when that is readable; once there is a descriptor, by both.
 */
#ifndef MDE_CURL_MULTI_H
#define MDE_CURL_MULTI_H

#include "transfer.h"
#include "watch.h"

#define MDE_MULTI_MAX_SPARES 16

struct mde_transfer_list {
  struct mde_transfer *first;
  struct mde_transfer *last;
};

struct mde_multi {
  CURLM *handle;                      /* NULL until needed */
  CURLSH *sessions;                   /* of TLS, of all easy handles; NULL until needed */
  unsigned long generation;           /* of forks, when the handle was made */
  struct mde_connections connections; /* of the handle */
  struct mde_transfer_list in_flight;
  struct mde_transfer_list finished;  /* oldest first */
  CURL *spares[MDE_MULTI_MAX_SPARES]; /* easy handles at rest */
  int spare_count;
  bool watched;             /* there is to be a descriptor, in each process */
  struct mde_watch watch;   /* closed unless there is one */
  bool unwatched_transfers; /* the system would not watch a socket of some */
  bool gone;                /* the Lua state is closing: nothing starts any more */
};

/* Starts libcurl and the counting of forks, once for the process. CURLE_OK or why not. */
CURLcode mde_multi_initialize_process(void);

void mde_multi_init(struct mde_multi *multi);

/*
 * Sends a filled transfer off. CURLE_OK: it is in flight; the bytes go when the multi is polled.
 * Otherwise it is new as before, nothing was sent, and it can only be cleared.
 */
CURLcode mde_multi_start(struct mde_multi *multi, struct mde_transfer *transfer,
                         const struct mde_transfer_options *options);

/*
 * Carries bytes, waiting at most so long for something to happen; less if a signal comes or a
 * transfer finishes.
 */
void mde_multi_poll(struct mde_multi *multi, int milliseconds);

/*
 * Puts the multi behind a descriptor, for good; harmless when repeated, and needed again after a
 * fork. 0 or an errno, and then nothing has changed.
 */
int mde_multi_watch(struct mde_multi *multi);

/* Seconds until something is due in any case, 0 if it is; negative: nothing is. */
double mde_multi_left(struct mde_multi *multi);

/* Does what is due, without waiting. */
void mde_multi_step(struct mde_multi *multi);

/* The transfer that finished first and was not released yet, or NULL. */
struct mde_transfer *mde_multi_finished(struct mde_multi *multi);

/* Takes a transfer that is in flight off the wire; it is finished then. */
void mde_multi_end(struct mde_multi *multi, struct mde_transfer *transfer,
                   enum mde_transfer_trouble trouble);

/* Takes a transfer out of whatever list it is in, off the wire if need be. */
void mde_multi_release(struct mde_multi *multi, struct mde_transfer *transfer);

/*
 * Ends what is in flight and closes all connections. The multi can be used again, unless gone; its
 * descriptor stays, since an event loop may hold it, until it is gone.
 */
void mde_multi_close(struct mde_multi *multi);

#endif
