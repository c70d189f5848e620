/*
 * transfer: one request on one libcurl easy handle, and what came back.
 *
 * Knows no Lua. Header lines, bodies and the answer lie in wiped buffers of the allocator given at
 * birth; libcurl's callbacks touch nothing else. A transfer must not move while it is in flight.
 */
#ifndef MDE_CURL_TRANSFER_H
#define MDE_CURL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "allocator.h"
#include "connections.h"
#include "http1.h"
#include "buffer.h"

enum mde_transfer_state {
  MDE_TRANSFER_STATE_NEW,       /* being filled; libcurl does not know it */
  MDE_TRANSFER_STATE_IN_FLIGHT, /* libcurl works on it */
  MDE_TRANSFER_STATE_FINISHED,  /* ended, and not yet released by who reads what finished */
  MDE_TRANSFER_STATE_RELEASED   /* in no list any more */
};

enum mde_transfer_trouble {
  MDE_TRANSFER_TROUBLE_NONE,
  MDE_TRANSFER_TROUBLE_MEMORY,    /* no memory for what came */
  MDE_TRANSFER_TROUBLE_HEAD,      /* the answer's head is longer than a head may be */
  MDE_TRANSFER_TROUBLE_MALFORMED, /* the answer's head is not what a head must be */
  MDE_TRANSFER_TROUBLE_CUT_HEAD,  /* the connection ended within the answer's head */
  MDE_TRANSFER_TROUBLE_ENDLESS,   /* only the end of the connection says where the answer ends */
  MDE_TRANSFER_TROUBLE_CUT,       /* the answer's body was packed, and its end is missing */
  MDE_TRANSFER_TROUBLE_BODY,      /* the answer's body is longer than max_bytes */
  MDE_TRANSFER_TROUBLE_REPEATED,  /* libcurl wanted to send the request once more */
  MDE_TRANSFER_TROUBLE_UNCLEAN, /* the connection that libcurl chose must not carry a request; none
                                   went */
  MDE_TRANSFER_TROUBLE_FORKED,  /* the connection belongs to the process that this one was forked
                                   from */
  MDE_TRANSFER_TROUBLE_UNWATCHED, /* the system would not watch its socket for an event loop */
  MDE_TRANSFER_TROUBLE_WITHDRAWN, /* taken back by the caller */
  MDE_TRANSFER_TROUBLE_CLOSED     /* the multi handle was closed under it */
};

struct mde_transfer {
  struct mde_transfer *previous; /* in the list that its state says */
  struct mde_transfer *next;
  enum mde_transfer_state state;
  enum mde_transfer_trouble trouble;
  CURL *easy; /* NULL unless in flight */
  CURLcode code;
  long status;
  long proxy_status;       /* of the proxy's answer to CONNECT, or 0 */
  long proxy_error;        /* libcurl's number for what a SOCKS proxy said */
  bool proxied;            /* it went through a proxy that makes tunnels */
  long verification;       /* what the TLS library found of the certificate, a number of its own */
  long proxy_verification; /* the same of the certificate of a proxy that is spoken to by TLS */
  bool tls_is_openssl;

  struct mde_buffer lines; /* request header lines, each ended by a NUL */
  struct curl_slist *nodes;
  size_t node_count;
  struct mde_buffer body;
  size_t body_taken; /* bytes of it that libcurl has read */
  bool has_body;
  bool has_content_type;

  bool plain;   /* http, so no TLS */
  bool is_head; /* a HEAD request, whose answer has no body */
  bool fresh;   /* goes over a new connection */
  long ends;    /* when its time is up, in milliseconds of a clock that only goes forward */
  struct mde_connections *connections;
  unsigned long connection; /* over which it goes or went; 0: not known */

  bool head_offered; /* a connection stood, so bytes of the request's head may have gone */
  bool body_offered; /* libcurl asked for a byte of the body */

  struct mde_buffer head; /* the final answer's status line and headers */
  struct mde_buffer answer;
  bool head_ended;
  bool head_is_interim;           /* the one that ended last */
  enum mde_http1_body framing;    /* of the answer */
  struct mde_http1_chunks chunks; /* of the answer, if it has any */
  int64_t packed_left;         /* bytes of the answer's body that are to come, if it has a length */
  bool is_gzip;                /* the answer's body is packed */
  unsigned char packed_end[4]; /* its last bytes so far, before they were unpacked */
  bool answer_began;           /* a byte came */
  const char *problem;         /* with MDE_TRANSFER_TROUBLE_MALFORMED: a phrase */

  char host[256];
  char error[CURL_ERROR_SIZE];
};

struct mde_transfer_options {
  const char *method;
  const char *url; /* https, or http if `plain`; checked by the caller */
  bool plain;      /* http, and no proxy */
  /* What is trusted, of a proxy too. Both NULL: libcurl's default; else nothing beside them. */
  const char *ca_file;
  const char *ca_path; /* directories of hashed names, with colons; read by OpenSSL alone */
  const char *proxy;   /* NULL: the environment's; "": none */
  long timeout;        /* milliseconds for the whole exchange; above 0 */
  long max_idle; /* a connection idle for that many whole seconds is still used; -1: a new one */
  size_t max_bytes;
};

/* An empty transfer. Allocates nothing; cannot fail. */
void mde_transfer_init(struct mde_transfer *transfer, struct mde_allocator allocator);

/* Adds one request header. An MDE_BUFFER_ code. */
int mde_transfer_header(struct mde_transfer *transfer, const char *name, const char *value);

/* Sets the request's body (empty is not none). An MDE_BUFFER_ code. */
int mde_transfer_body(struct mde_transfer *transfer, const char *bytes, size_t length);

/*
 * Sets every option of a fresh or reset easy handle. After this no header may be added. The easy
 * handle refers to the transfer until it is reset or cleaned up, and each connection that it opens
 * refers to `connections` until it is closed. CURLE_OK or why not.
 */
CURLcode mde_transfer_prepare(struct mde_transfer *transfer, CURL *easy,
                              struct mde_connections *connections,
                              const struct mde_transfer_options *options);

/* Prepares it again after libcurl chose a connection that must not carry it: for a new one. */
CURLcode mde_transfer_prepare_again(struct mde_transfer *transfer, CURL *easy);

/*
 * Sees through a code of libcurl's that means something else: no memory for a header line that is
 * too long for it, and success for a packed body whose end is missing.
 */
void mde_transfer_judge_end(struct mde_transfer *transfer);

/* Reads the head of the answer; false if it is none, which is the transfer's trouble then. */
bool mde_transfer_read_head(struct mde_transfer *transfer, struct mde_http1_head *head);

/*
 * False only if it is certain that no byte of the body, or of the head of a request without one,
 * was handed to the transport.
 */
bool mde_transfer_maybe_sent(const struct mde_transfer *transfer);

/* Wipes and frees all buffers; harmless when repeated. Not while in flight. */
void mde_transfer_clear(struct mde_transfer *transfer);

#endif
