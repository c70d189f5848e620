#define _GNU_SOURCE 1 /* sigtimedwait */

#include "multi.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#define MAX_CONNECTIONS_PER_HOST 8L
#define MAX_CONNECTIONS_PER_HOST_IN_A_LOOP 32L /* which may serve many callers at a time */
#define MAX_SOCKETS_AT_ONCE 64
#define FIRST_WITHOUT_SIGPIPE 0x075700 /* from here on libcurl's TLS writes with MSG_NOSIGNAL */

/* In between, a handle that carries another request looks at a field of its last answer, which is
 * freed, if the next answer begins with a folded line (curl's pull request 11103). */
#define FIRST_WITH_STALE_FIELD 0x075300
#define FIRST_WITHOUT_STALE_FIELD 0x080100

#ifndef CURL_IGNORE_DEPRECATION /* libcurl before 7.87 */
#define CURL_IGNORE_DEPRECATION(statements) statements
#endif

static unsigned long fork_generation;
static unsigned int running_version;
static CURLcode initialized;

static void after_fork_in_child(void)
{
  fork_generation++;
}

static void initialize(void)
{
  initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  running_version = curl_version_info(CURLVERSION_NOW)->version_num;
  pthread_atfork(NULL, NULL, after_fork_in_child);
}

CURLcode mde_multi_initialize_process(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, initialize);
  return initialized;
}

/* ---- SIGPIPE: a peer that hangs up must not end the program */

struct sigpipe_guard {
  bool active;
  bool was_pending;
  sigset_t mask;
};

static void sigpipe_set(sigset_t *set)
{
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

static void guard_enter(struct sigpipe_guard *guard)
{
  guard->active = running_version < FIRST_WITHOUT_SIGPIPE;
  if (!guard->active) return;
  sigset_t pending, sigpipe;
  sigpending(&pending);
  guard->was_pending = sigismember(&pending, SIGPIPE) == 1;
  sigpipe_set(&sigpipe);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &guard->mask);
}

/* Takes a SIGPIPE that is pending, and says whether there was one. */
static bool take_sigpipe(const sigset_t *sigpipe)
{
#if defined(__APPLE__) || defined(MDE_PORTABLE)
  sigset_t pending;
  int signal_number;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1 && sigwait(sigpipe, &signal_number) == 0;
#else
  static const struct timespec at_once = {0, 0};
  return sigtimedwait(sigpipe, NULL, &at_once) == SIGPIPE;
#endif
}

static void guard_leave(const struct sigpipe_guard *guard)
{
  if (!guard->active) return;
  if (!guard->was_pending) {
    sigset_t sigpipe;
    sigpipe_set(&sigpipe);
    while (take_sigpipe(&sigpipe))
      continue;
  }
  pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
}

/* ---- lists */

static void link_last(struct mde_transfer_list *list, struct mde_transfer *transfer)
{
  transfer->previous = list->last;
  transfer->next = NULL;
  if (list->last != NULL)
    list->last->next = transfer;
  else
    list->first = transfer;
  list->last = transfer;
}

static void unlink_from(struct mde_transfer_list *list, struct mde_transfer *transfer)
{
  if (transfer->previous != NULL)
    transfer->previous->next = transfer->next;
  else
    list->first = transfer->next;
  if (transfer->next != NULL)
    transfer->next->previous = transfer->previous;
  else
    list->last = transfer->previous;
  transfer->previous = transfer->next = NULL;
}

static void move_to_finished(struct mde_multi *multi, struct mde_transfer *transfer)
{
  unlink_from(&multi->in_flight, transfer);
  link_last(&multi->finished, transfer);
  transfer->state = MDE_TRANSFER_STATE_FINISHED;
}

/* ---- easy handles */

/* What is known of TLS sessions stays where a handle does not, and serves all of them. */
static CURL *take_spare(struct mde_multi *multi)
{
  if (multi->spare_count > 0) return multi->spares[--multi->spare_count];
  CURL *easy = curl_easy_init();
  if (easy != NULL) curl_easy_setopt(easy, CURLOPT_SHARE, multi->sessions);
  return easy;
}

/* A reset handle has forgotten every option, and with them our buffers. */
static void give_back(struct mde_multi *multi, CURL *easy)
{
  bool is_stale =
      running_version >= FIRST_WITH_STALE_FIELD && running_version < FIRST_WITHOUT_STALE_FIELD;
  if (is_stale || multi->spare_count == MDE_MULTI_MAX_SPARES) {
    curl_easy_cleanup(easy);
    return;
  }
  curl_easy_reset(easy);
  multi->spares[multi->spare_count++] = easy;
}

/* `well`: it ended as libcurl wanted. The handle of another one remembers more than a reset
 * forgets: that the next body has to be sent from its beginning, say, where it could not be. */
static void detach(struct mde_multi *multi, struct mde_transfer *transfer, bool well)
{
  CURL *easy = transfer->easy;
  transfer->easy = NULL;
#if LIBCURL_VERSION_NUM < 0x075000
  curl_off_t pretransfer = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  if (pretransfer > 0) transfer->head_offered = true;
#endif
  curl_off_t first_byte = 0;
  struct curl_tlssessioninfo *tls = NULL;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer->status);
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &transfer->proxy_status);
  curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &transfer->proxy_error);
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &transfer->verification);
  curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
  curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &tls);
  curl_easy_getinfo(easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &transfer->proxy_verification);
  transfer->answer_began = first_byte > 0;
  transfer->proxied = mde_connections_through_proxy(&multi->connections, transfer->connection,
                                                    transfer->proxy_status != 0);
  transfer->tls_is_openssl = tls != NULL && tls->backend == CURLSSLBACKEND_OPENSSL;
  curl_multi_remove_handle(multi->handle, easy);
  if (well)
    give_back(multi, easy);
  else
    curl_easy_cleanup(easy);
}

/* ---- the multi handle */

void mde_multi_init(struct mde_multi *multi)
{
  *multi = (struct mde_multi){.handle = NULL};
  mde_watch_init(&multi->watch);
}

/* After a fork: what the parent has in flight is its own, and so is every handle. */
static void forget_parent(struct mde_multi *multi)
{
  if (multi->generation == fork_generation) return;
  multi->generation = fork_generation;
  multi->handle = NULL;
  multi->sessions = NULL;
  mde_connections_forget(&multi->connections);
  multi->spare_count = 0;
  multi->unwatched_transfers = false;
  mde_watch_forget(&multi->watch);
  while (multi->in_flight.first != NULL) {
    struct mde_transfer *transfer = multi->in_flight.first;
    transfer->easy = NULL;
    transfer->head_offered = transfer->body_offered = true;
    transfer->trouble = MDE_TRANSFER_TROUBLE_FORKED;
    move_to_finished(multi, transfer);
  }
}

/* ---- libcurl's callbacks: C memory only, and no call into libcurl's multi handle */

/* A transfer whose socket nobody watches would hang until its time is up; it is ended instead. */
static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *ignored)
{
  struct mde_multi *multi = context;
  struct mde_transfer *transfer = NULL;
  (void)ignored;
  if (mde_watch_socket(&multi->watch, socket, what)) return 0;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
  if (transfer != NULL) transfer->trouble = MDE_TRANSFER_TROUBLE_UNWATCHED;
  multi->unwatched_transfers = true;
  return 0;
}

static int watch_timer(CURLM *handle, long milliseconds, void *context)
{
  struct mde_multi *multi = context;
  (void)handle;
  mde_watch_timer(&multi->watch, milliseconds);
  return 0;
}

static void tell_watch(struct mde_multi *multi)
{
  curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, watch_socket);
  curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
  curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, watch_timer);
  curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
  curl_multi_setopt(multi->handle, CURLMOPT_MAX_HOST_CONNECTIONS,
                    MAX_CONNECTIONS_PER_HOST_IN_A_LOOP);
}

/* Without locks: all handles are of one thread. */
static CURLSH *new_sessions(void)
{
  CURLSH *sessions = curl_share_init();
  if (sessions != NULL) curl_share_setopt(sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  return sessions;
}

static CURLcode need_handle(struct mde_multi *multi)
{
  forget_parent(multi);
  if (multi->handle != NULL) return CURLE_OK;
  if (multi->gone) return CURLE_FAILED_INIT;
  if (multi->watched && mde_watch_open(&multi->watch) != 0) return CURLE_OUT_OF_MEMORY;
  if (multi->sessions == NULL) multi->sessions = new_sessions();
  if (multi->sessions == NULL) return CURLE_OUT_OF_MEMORY;
  multi->handle = curl_multi_init();
  if (multi->handle == NULL) return CURLE_OUT_OF_MEMORY;
  curl_multi_setopt(multi->handle, CURLMOPT_MAX_HOST_CONNECTIONS, MAX_CONNECTIONS_PER_HOST);
  curl_multi_setopt(multi->handle, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
  if (multi->watched) tell_watch(multi);
  return CURLE_OK;
}

CURLcode mde_multi_start(struct mde_multi *multi, struct mde_transfer *transfer,
                         const struct mde_transfer_options *options)
{
  CURLcode code = need_handle(multi);
  if (code != CURLE_OK) return code;
  CURL *easy = take_spare(multi);
  if (easy == NULL) return CURLE_OUT_OF_MEMORY;
  code = mde_transfer_prepare(transfer, easy, &multi->connections, options);
  if (code == CURLE_OK && curl_multi_add_handle(multi->handle, easy) != CURLM_OK)
    code = CURLE_OUT_OF_MEMORY;
  if (code != CURLE_OK) {
    give_back(multi, easy);
    return code;
  }
  transfer->easy = easy;
  transfer->state = MDE_TRANSFER_STATE_IN_FLIGHT;
  link_last(&multi->in_flight, transfer);
  return CURLE_OK;
}

/* Sends a transfer off again of which nothing has gone; false if that is not possible. */
static bool start_again(struct mde_multi *multi, struct mde_transfer *transfer)
{
  curl_multi_remove_handle(multi->handle, transfer->easy);
  return mde_transfer_prepare_again(transfer, transfer->easy) == CURLE_OK &&
         curl_multi_add_handle(multi->handle, transfer->easy) == CURLM_OK;
}

static void collect(struct mde_multi *multi)
{
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi->handle, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode code = message->data.result;
    struct mde_transfer *transfer = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    if (transfer->trouble == MDE_TRANSFER_TROUBLE_UNCLEAN) {
      if (start_again(multi, transfer)) continue;
      code = CURLE_OUT_OF_MEMORY;
    }
    transfer->code = code;
    detach(multi, transfer, code == CURLE_OK);
    mde_transfer_judge_end(transfer);
    move_to_finished(multi, transfer);
  }
}

static void perform(struct mde_multi *multi)
{
  int running = 0;
  struct sigpipe_guard guard;
  guard_enter(&guard);
  curl_multi_perform(multi->handle, &running);
  collect(multi);
  guard_leave(&guard);
}

/* ---- behind a descriptor */

static void end_unwatched(struct mde_multi *multi)
{
  if (!multi->unwatched_transfers) return;
  multi->unwatched_transfers = false;
  for (struct mde_transfer *transfer = multi->in_flight.first, *next; transfer != NULL;
       transfer = next) {
    next = transfer->next;
    if (transfer->trouble == MDE_TRANSFER_TROUBLE_UNWATCHED)
      mde_multi_end(multi, transfer, MDE_TRANSFER_TROUBLE_UNWATCHED);
  }
}

/*
 * libcurl looks itself at what happened on a socket (the 0), as it does when nobody watches for it.
 */
static void act(struct mde_multi *multi, int milliseconds)
{
  int sockets[MAX_SOCKETS_AT_ONCE], running = 0;
  bool due;
  int count = mde_watch_wait(&multi->watch, sockets, MAX_SOCKETS_AT_ONCE, milliseconds, &due);
  struct sigpipe_guard guard;
  guard_enter(&guard);
  for (int i = 0; i < count; i++)
    curl_multi_socket_action(multi->handle, sockets[i], 0, &running);
  if (due) curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &running);
  collect(multi);
  end_unwatched(multi);
  guard_leave(&guard);
}

/* The sockets of what is in flight already are told by the one call that tells all. */
int mde_multi_watch(struct mde_multi *multi)
{
  forget_parent(multi);
  bool at_first = multi->watch.epoll == -1;
  int problem = mde_watch_open(&multi->watch);
  if (problem != 0) return problem;
  multi->watched = true;
  if (at_first && multi->handle != NULL) {
    int running = 0;
    struct sigpipe_guard guard;
    guard_enter(&guard);
    tell_watch(multi);
    CURL_IGNORE_DEPRECATION(curl_multi_socket_all(multi->handle, &running);)
    collect(multi);
    end_unwatched(multi);
    guard_leave(&guard);
  }
  return 0;
}

double mde_multi_left(struct mde_multi *multi)
{
  forget_parent(multi);
  if (multi->finished.first != NULL) return 0;
  return multi->watch.epoll != -1 ? mde_watch_left(&multi->watch) : -1;
}

void mde_multi_step(struct mde_multi *multi)
{
  if (need_handle(multi) != CURLE_OK) return;
  if (multi->watched)
    act(multi, 0);
  else
    perform(multi);
}

/*
 * For the loop that has nothing in flight too this is how it sleeps, so there is always a handle.
 */
void mde_multi_poll(struct mde_multi *multi, int milliseconds)
{
  if (need_handle(multi) != CURLE_OK) return;
  mde_multi_step(multi);
  if (milliseconds == 0 || multi->finished.first != NULL) return;
  if (multi->watched) {
    act(multi, milliseconds);
  } else {
    curl_multi_poll(multi->handle, NULL, 0, milliseconds, NULL);
    perform(multi);
  }
}

struct mde_transfer *mde_multi_finished(struct mde_multi *multi)
{
  forget_parent(multi);
  return multi->finished.first;
}

void mde_multi_end(struct mde_multi *multi, struct mde_transfer *transfer,
                   enum mde_transfer_trouble trouble)
{
  forget_parent(multi);
  if (transfer->state != MDE_TRANSFER_STATE_IN_FLIGHT) return;
  struct sigpipe_guard guard;
  guard_enter(&guard);
  detach(multi, transfer, false);
  guard_leave(&guard);
  transfer->trouble = trouble;
  move_to_finished(multi, transfer);
  mde_watch_timer(&multi->watch, 0); /* somebody is to be told */
}

void mde_multi_release(struct mde_multi *multi, struct mde_transfer *transfer)
{
  mde_multi_end(multi, transfer, MDE_TRANSFER_TROUBLE_WITHDRAWN);
  if (transfer->state != MDE_TRANSFER_STATE_FINISHED) return;
  unlink_from(&multi->finished, transfer);
  transfer->state = MDE_TRANSFER_STATE_RELEASED;
}

void mde_multi_close(struct mde_multi *multi)
{
  forget_parent(multi);
  struct sigpipe_guard guard;
  guard_enter(&guard);
  while (multi->in_flight.first != NULL)
    mde_multi_end(multi, multi->in_flight.first, MDE_TRANSFER_TROUBLE_CLOSED);
  while (multi->spare_count > 0)
    curl_easy_cleanup(multi->spares[--multi->spare_count]);
  if (multi->handle != NULL) curl_multi_cleanup(multi->handle);
  multi->handle = NULL;
  if (multi->sessions != NULL) curl_share_cleanup(multi->sessions);
  multi->sessions = NULL;
  mde_connections_forget(&multi->connections);
  if (multi->gone) mde_watch_close(&multi->watch);
  guard_leave(&guard);
}
