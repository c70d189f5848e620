#define _GNU_SOURCE 1 /* CLOCK_MONOTONIC */

#include "watch.h"

#include <errno.h>
#include <stddef.h>

void mde_watch_init(struct mde_watch *watch)
{
  watch->epoll = watch->timer = -1;
}

void mde_watch_forget(struct mde_watch *watch)
{
  mde_watch_init(watch);
}

#if defined(__linux__) && !defined(MDE_PORTABLE)

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#define MAX_EVENTS_AT_ONCE 64

static int add(int epoll, int operation, int descriptor, unsigned int events)
{
  struct epoll_event event = {.events = events, .data.fd = descriptor};
  return epoll_ctl(epoll, operation, descriptor, &event);
}

int mde_watch_open(struct mde_watch *watch)
{
  if (watch->epoll != -1) return 0;
  watch->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (watch->epoll == -1) return errno;
  watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (watch->timer == -1 || add(watch->epoll, EPOLL_CTL_ADD, watch->timer, EPOLLIN) != 0) {
    int problem = errno;
    mde_watch_close(watch);
    return problem;
  }
  return 0;
}

void mde_watch_close(struct mde_watch *watch)
{
  if (watch->timer != -1) close(watch->timer);
  if (watch->epoll != -1) close(watch->epoll);
  mde_watch_forget(watch);
}

/* libcurl names a socket again whenever what it wants of it changes. One whose number was that of
 * another before may still be in the set, or not any more. */
bool mde_watch_socket(struct mde_watch *watch, int socket, int what)
{
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(watch->epoll, EPOLL_CTL_DEL, socket, NULL);
    return true;
  }
  unsigned int events = (what & CURL_POLL_IN ? (unsigned int)EPOLLIN : 0u) |
                        (what & CURL_POLL_OUT ? (unsigned int)EPOLLOUT : 0u);
  if (add(watch->epoll, EPOLL_CTL_MOD, socket, events) == 0) return true;
  return errno == ENOENT && add(watch->epoll, EPOLL_CTL_ADD, socket, events) == 0;
}

/* All zero would stop the timer, so one that is to go off at once has a nanosecond. */
void mde_watch_timer(struct mde_watch *watch, long milliseconds)
{
  struct itimerspec when = {.it_value = {.tv_sec = 0}};
  if (watch->timer == -1) return;
  if (milliseconds > 0) {
    when.it_value.tv_sec = milliseconds / 1000;
    when.it_value.tv_nsec = milliseconds % 1000 * 1000000;
  } else if (milliseconds == 0) {
    when.it_value.tv_nsec = 1;
  }
  timerfd_settime(watch->timer, 0, &when, NULL);
}

double mde_watch_left(const struct mde_watch *watch)
{
  struct itimerspec when;
  struct epoll_event event;
  if (timerfd_gettime(watch->timer, &when) != 0) return -1;
  if (when.it_value.tv_sec != 0 || when.it_value.tv_nsec != 0)
    return (double)when.it_value.tv_sec + (double)when.it_value.tv_nsec * 1e-9;
  /* stopped, or gone off and not yet set back: then the descriptor is readable */
  return epoll_wait(watch->epoll, &event, 1, 0) > 0 ? 0 : -1;
}

int mde_watch_wait(struct mde_watch *watch, int sockets[], int room, int milliseconds, bool *due)
{
  struct epoll_event events[MAX_EVENTS_AT_ONCE];
  int most = room < MAX_EVENTS_AT_ONCE ? room : MAX_EVENTS_AT_ONCE;
  int happened = epoll_wait(watch->epoll, events, most, milliseconds), count = 0;
  *due = false;
  for (int i = 0; i < happened; i++) {
    if (events[i].data.fd != watch->timer)
      sockets[count++] = events[i].data.fd;
    else
      *due = true;
  }
  if (*due) mde_watch_timer(watch, -1);
  return count;
}

#else

int mde_watch_open(struct mde_watch *watch)
{
  (void)watch;
  return ENOSYS;
}

void mde_watch_close(struct mde_watch *watch)
{
  (void)watch;
}

bool mde_watch_socket(struct mde_watch *watch, int socket, int what)
{
  (void)watch, (void)socket, (void)what;
  return false;
}

void mde_watch_timer(struct mde_watch *watch, long milliseconds)
{
  (void)watch, (void)milliseconds;
}

double mde_watch_left(const struct mde_watch *watch)
{
  (void)watch;
  return -1;
}

int mde_watch_wait(struct mde_watch *watch, int sockets[], int room, int milliseconds, bool *due)
{
  (void)watch, (void)sockets, (void)room, (void)milliseconds;
  *due = false;
  return 0;
}

#endif
