#define _GNU_SOURCE 1 /* SOCK_CLOEXEC, RTLD_DEFAULT */

#include "connections.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct mde_connection {
  struct mde_connection *next;
  curl_socket_t socket;
  unsigned long number;
  bool used; /* has carried a request */
  bool spoilt;
  bool through_proxy;
};

/* ---- sockets */

static void forget_socket(struct mde_connections *connections, curl_socket_t socket)
{
  for (struct mde_connection **link = &connections->first; *link != NULL; link = &(*link)->next) {
    struct mde_connection *connection = *link;
    if (connection->socket != socket) continue;
    *link = connection->next;
    free(connection);
    return;
  }
}

/* A socket that no program inherits which this one starts. */
static curl_socket_t new_socket(const struct curl_sockaddr *address)
{
#if defined(SOCK_CLOEXEC) && !defined(MDE_PORTABLE)
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
  curl_socket_t created = socket(address->family, address->socktype, address->protocol);
  if (created != CURL_SOCKET_BAD) fcntl(created, F_SETFD, FD_CLOEXEC);
  return created;
#endif
}

/*
 * libcurl closes a socket by itself that was never connected; its number is given out again then.
 */
curl_socket_t mde_connections_open(struct mde_connections *connections,
                                   const struct curl_sockaddr *address)
{
  struct mde_connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) return CURL_SOCKET_BAD;
  connection->socket = new_socket(address);
  if (connection->socket == CURL_SOCKET_BAD) {
    free(connection);
    return CURL_SOCKET_BAD;
  }
  forget_socket(connections, connection->socket);
  connection->number = ++connections->count;
  connection->next = connections->first;
  connections->first = connection;
  return connection->socket;
}

int mde_connections_close(struct mde_connections *connections, curl_socket_t socket)
{
  forget_socket(connections, socket);
  return close(socket);
}

void mde_connections_forget(struct mde_connections *connections)
{
  while (connections->first != NULL) {
    struct mde_connection *connection = connections->first;
    connections->first = connection->next;
    free(connection);
  }
}

/* ---- which socket it is */

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static bool is_address(const union address *address, const char *text, int port)
{
  char own[INET6_ADDRSTRLEN];
  bool is_v6 = address->any.sa_family == AF_INET6;
  if (!is_v6 && address->any.sa_family != AF_INET) return false;
  if (ntohs(is_v6 ? address->v6.sin6_port : address->v4.sin_port) != port) return false;
  const void *bytes = is_v6 ? (const void *)&address->v6.sin6_addr : &address->v4.sin_addr;
  return inet_ntop(address->any.sa_family, bytes, own, sizeof own) != NULL &&
         strcmp(own, text) == 0;
}

static bool lies_between(curl_socket_t socket, const struct mde_connection_ends *ends)
{
  union address local, remote;
  socklen_t local_size = sizeof local, remote_size = sizeof remote;
  return getsockname(socket, &local.any, &local_size) == 0 &&
         is_address(&local, ends->local, ends->local_port) &&
         getpeername(socket, &remote.any, &remote_size) == 0 &&
         is_address(&remote, ends->remote, ends->remote_port);
}

static struct mde_connection *find_between(const struct mde_connections *connections,
                                           const struct mde_connection_ends *ends)
{
  struct mde_connection *connection = connections->first;
  while (connection != NULL && !lies_between(connection->socket, ends))
    connection = connection->next;
  return connection;
}

/* ---- what lies on it */

/* The end of the connection counts: nothing can be sent there, either. */
static bool socket_is_empty(curl_socket_t socket)
{
  char byte;
  ssize_t count = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Of the TLS library that libcurl was linked to, as the system would find it for libcurl. */
static void *find_pending(struct mde_connections *connections, const char *name)
{
  if (!connections->pending_is_known) connections->pending = dlsym(RTLD_DEFAULT, name);
  connections->pending_is_known = true;
  return connections->pending;
}

/*
 * The record with the end of an answer may hold more, which TLS has unpacked and the socket does
 * not show. A pointer to data is one to a function where there is dlsym; C has no cast that says
 * so. Where the library has no function that is known here, nobody can say that nothing is left.
 */
static bool tls_is_empty(struct mde_connections *connections, CURL *easy)
{
  struct curl_tlssessioninfo *tls = NULL;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || tls->internals == NULL)
    return false;
  if (tls->backend == CURLSSLBACKEND_OPENSSL) {
    void *function = find_pending(connections, "SSL_has_pending");
    int (*has_pending)(const void *);
    memcpy(&has_pending, &function, sizeof function);
    return function != NULL && has_pending(tls->internals) == 0;
  }
  if (tls->backend == CURLSSLBACKEND_GNUTLS) {
    void *function = find_pending(connections, "gnutls_record_check_pending");
    size_t (*check_pending)(void *);
    memcpy(&check_pending, &function, sizeof function);
    return function != NULL && check_pending(tls->internals) == 0;
  }
  return false;
}

unsigned long mde_connections_use(struct mde_connections *connections, CURL *easy, bool is_tls,
                                  const struct mde_connection_ends *ends)
{
  struct mde_connection *connection = find_between(connections, ends);
  if (connection == NULL || connection->spoilt) return 0;
  if (connection->used &&
      (!socket_is_empty(connection->socket) || (is_tls && !tls_is_empty(connections, easy))))
    return 0;
  connection->used = true;
  return connection->number;
}

void mde_connections_spoil(struct mde_connections *connections, unsigned long number)
{
  for (struct mde_connection *connection = connections->first; connection != NULL;
       connection = connection->next)
    if (connection->number == number) connection->spoilt = true;
}

bool mde_connections_through_proxy(struct mde_connections *connections, unsigned long number,
                                   bool is_told)
{
  struct mde_connection *connection = connections->first;
  while (connection != NULL && connection->number != number)
    connection = connection->next;
  if (connection == NULL) return is_told;
  connection->through_proxy = connection->through_proxy || is_told;
  return connection->through_proxy;
}
