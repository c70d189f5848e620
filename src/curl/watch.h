/*
 * watch: libcurl's sockets and its timer behind one descriptor.
 *
 * The descriptor is an epoll one, and the timer is in it too: it is readable whenever there is
 * something to do, no matter who started or ended transfers in between, so an event loop needs to
 * know nothing else. Knows no Lua, and of libcurl only what it wants to be told of a socket.
 *
 * A child of a fork has the parent's descriptors, through which it would take sockets out of the
 * parent's set. It forgets them: they stay open until it ends or starts another program, since
 * nobody can tell whether their numbers still mean them.
 */
#ifndef MDE_CURL_WATCH_H
#define MDE_CURL_WATCH_H

#include <stdbool.h>

struct mde_watch {
  int epoll; /* -1: not open */
  int timer;
};

/* Closed. */
void mde_watch_init(struct mde_watch *watch);

/* Harmless when open. 0 or an errno: ENOSYS where the system has no epoll. */
int mde_watch_open(struct mde_watch *watch);

void mde_watch_close(struct mde_watch *watch);

/* Closed, without closing anything. */
void mde_watch_forget(struct mde_watch *watch);

/* Watches a socket for CURL_POLL_IN, OUT or INOUT, or with CURL_POLL_REMOVE no longer. False: the
 * system would not. */
bool mde_watch_socket(struct mde_watch *watch, int socket, int what);

/* Sets the timer; it goes off once. Negative: never. Harmless when closed. */
void mde_watch_timer(struct mde_watch *watch, long milliseconds);

/* Seconds until the timer goes off, 0 if it has; negative: never. */
double mde_watch_left(const struct mde_watch *watch);

/*
 * Waits at most so long for something to do, less if a signal comes. The number of sockets on which
 * something happened, put into `sockets`; `due` says whether the timer went off, which sets it
 * back. What finds no room is found next time.
 */
int mde_watch_wait(struct mde_watch *watch, int sockets[], int room, int milliseconds, bool *due);

#endif
