/*
 * connections: the sockets that libcurl has open, and whether each may carry another request.
 *
 * libcurl uses a connection again whatever lies unread on it, and takes that for the answer to the
 * next request. So each is looked at just before a request goes over it. Knows no Lua, and of
 * libcurl what it tells a pre-request callback: the two ends of a connection, by which its socket
 * is found.
 */
#ifndef MDE_CURL_CONNECTIONS_H
#define MDE_CURL_CONNECTIONS_H

#include <stdbool.h>

#include <curl/curl.h>

struct mde_connection;

struct mde_connections {
  struct mde_connection *first;
  unsigned long count;   /* of connections so far, by which each is known */
  void *pending;         /* the TLS library's function that tells what is left in it */
  bool pending_is_known; /* whether there is one, that is */
};

/* The two ends of a connection, as libcurl tells them. */
struct mde_connection_ends {
  const char *remote;
  const char *local;
  int remote_port;
  int local_port;
};

/* A socket for libcurl, which no program that this one starts inherits; CURL_SOCKET_BAD: none. */
curl_socket_t mde_connections_open(struct mde_connections *connections,
                                   const struct curl_sockaddr *address);

/* Closes a socket for libcurl. What close returned. */
int mde_connections_close(struct mde_connections *connections, curl_socket_t socket);

/*
 * The number of the connection over which a request of `easy` is about to go; 0 if it must not:
 * something unread lies on it, in the socket or in TLS, it was spoilt, or it is not known. One
 * that has carried no request is not looked at.
 */
unsigned long mde_connections_use(struct mde_connections *connections, CURL *easy, bool is_tls,
                                  const struct mde_connection_ends *ends);

/* No further request goes over the connection. Harmless for one that is closed, and for 0. */
void mde_connections_spoil(struct mde_connections *connections, unsigned long number);

/*
 * Whether the connection goes through a proxy, of which libcurl tells the first request alone:
 * `is_told` says whether it was told of this one.
 */
bool mde_connections_through_proxy(struct mde_connections *connections, unsigned long number,
                                   bool is_told);

/* Forgets all, without closing anything. */
void mde_connections_forget(struct mde_connections *connections);

#endif
