#define _GNU_SOURCE 1 /* SOCK_CLOEXEC */

#include "transfer.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "http1.h"

#define LONGEST_REQUEST_HEAD ((size_t)1 << 20)
#define CONNECT_SECONDS 10L
#define SLOWEST_BYTES 1L
#define SLOWEST_SECONDS 20L
#define CONNECTION_LIFE_SECONDS 600L

/* Header lines that a request gets besides its own, and so the nodes that it needs beyond them. */
enum { EXPECT_LINE, CONTENT_TYPE_LINE, OWN_LINES };

void mde_transfer_init(struct mde_transfer *transfer, struct mde_allocator allocator)
{
  memset(transfer, 0, sizeof *transfer);
  transfer->state = MDE_TRANSFER_NEW;
  mde_secret_init(&transfer->lines, allocator, LONGEST_REQUEST_HEAD);
  mde_secret_init(&transfer->body, allocator, PTRDIFF_MAX);
  mde_secret_init(&transfer->head, allocator, MDE_HTTP1_HEAD_LIMIT);
  mde_secret_init(&transfer->answer, allocator, 0);
}

/* libcurl takes "Name:" for an order to leave the header out, and "Name;" for one without a value.
 */
int mde_transfer_header(struct mde_transfer *transfer, const char *name, const char *value)
{
  const char *separator = *value != '\0' ? ": " : ";";
  size_t before = transfer->lines.length;
  int status = mde_secret_append(&transfer->lines, name, strlen(name));
  if (status == MDE_SECRET_OK)
    status = mde_secret_append(&transfer->lines, separator, strlen(separator));
  if (status == MDE_SECRET_OK)
    status = mde_secret_append(&transfer->lines, value, strlen(value) + 1);
  if (status != MDE_SECRET_OK) {
    transfer->lines.length = before;
    return status;
  }
  static const struct mde_text content_type = {"content-type", sizeof "content-type" - 1};
  if (mde_text_same_caseless((struct mde_text){name, strlen(name)}, content_type))
    transfer->has_content_type = true;
  transfer->node_count++;
  return MDE_SECRET_OK;
}

int mde_transfer_body(struct mde_transfer *transfer, const char *bytes, size_t length)
{
  int status = mde_secret_set(&transfer->body, bytes, length);
  if (status == MDE_SECRET_OK) transfer->has_body = true;
  return status;
}

/* A list over the header lines where they lie, so that no copy escapes the wiping. */
static bool make_nodes(struct mde_transfer *transfer)
{
  static char no_expect[] = "Expect:";
  static char no_content_type[] = "Content-Type:";
  size_t own = transfer->node_count;
  transfer->nodes =
      mde_allocate(&transfer->lines.allocator, (own + OWN_LINES) * sizeof *transfer->nodes);
  if (transfer->nodes == NULL) return false;
  transfer->node_count = own + OWN_LINES;

  struct curl_slist *node = transfer->nodes;
  node[EXPECT_LINE].data = no_expect;
  node[CONTENT_TYPE_LINE].data = no_content_type;
  char *line = transfer->lines.bytes;
  for (size_t i = 0; i < own; i++) {
    node[OWN_LINES + i].data = line;
    line += strlen(line) + 1;
  }
  size_t last = transfer->node_count - 1;
  for (size_t i = 0; i <= last; i++)
    node[i].next = i < last ? &node[i + 1] : NULL;
  if (transfer->has_content_type) node[EXPECT_LINE].next = node[CONTENT_TYPE_LINE].next;
  return true;
}

/* ---- libcurl's callbacks: C memory only; a return value is the one way out */

#ifndef MDE_CURL_POSTFIELDS
static size_t give_body(char *room, size_t size, size_t count, void *context)
{
  struct mde_transfer *transfer = context;
  size_t left = transfer->body.length - transfer->body_taken;
  size_t length = size * count < left ? size * count : left;
  transfer->body_offered = true;
  if (length > 0) memcpy(room, transfer->body.bytes + transfer->body_taken, length);
  transfer->body_taken += length;
  return length;
}
#endif

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
  struct mde_transfer *transfer = context;
  size_t length = size * count;
  int status = mde_secret_append(&transfer->answer, bytes, length);
  if (status == MDE_SECRET_OK) return length;
  transfer->trouble = status == MDE_SECRET_TOO_LONG ? MDE_TROUBLE_BODY : MDE_TROUBLE_MEMORY;
  return 0;
}

/* "HTTP/1.1 103 Early Hints" */
static bool is_interim(const struct mde_secret *head)
{
  const size_t first_digit = sizeof "HTTP/1.1 " - 1;
  return head->length > first_digit && head->bytes[first_digit] == '1';
}

/* Keeps the head of the final answer: an interim one gives way to the next, trailers are no
 * headers. */
static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
  struct mde_transfer *transfer = context;
  size_t length = size * count;
  if (transfer->head_ended) {
    if (!is_interim(&transfer->head)) return length;
    mde_secret_clear(&transfer->head);
    transfer->head_ended = false;
  }
  int status = mde_secret_append(&transfer->head, bytes, length);
  if (status == MDE_SECRET_OK) {
    transfer->head_ended = length > 0 && (bytes[0] == '\r' || bytes[0] == '\n');
    return length;
  }
  transfer->trouble = status == MDE_SECRET_TOO_LONG ? MDE_TROUBLE_HEAD : MDE_TROUBLE_MEMORY;
  return 0;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* Called on a connection that stands, before each sending of the request; libcurl likes to send
 * twice. */
static int before_request(void *context, char *remote, char *local, int remote_port, int local_port)
{
  struct mde_transfer *transfer = context;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
#ifndef MDE_CURL_POSTFIELDS
  if (transfer->head_offered) {
    transfer->trouble = MDE_TROUBLE_REPEATED;
    return CURL_PREREQFUNC_ABORT;
  }
#endif
  transfer->head_offered = true;
  return CURL_PREREQFUNC_OK;
}
#endif

/* A program that the script starts must not inherit a connection to the service. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
  (void)context, (void)purpose;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options */

#define SET(option, value)                                                                         \
  do {                                                                                             \
    CURLcode set_code = curl_easy_setopt(easy, option, value);                                     \
    if (set_code != CURLE_OK) return set_code;                                                     \
  } while (0)

static CURLcode set_security(CURL *easy, const struct mde_transfer_options *options)
{
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, options->plain ? "http" : "https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(options->plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS));
#endif
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  if (options->ca_file != NULL) {
    SET(CURLOPT_CAINFO, options->ca_file);
    SET(CURLOPT_CAPATH, (char *)NULL);
  }
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  if (options->plain)
    SET(CURLOPT_PROXY, "");
  else if (options->proxy != NULL)
    SET(CURLOPT_PROXY, options->proxy);
  SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  return CURLE_OK;
}

static CURLcode set_time(CURL *easy, const struct mde_transfer_options *options)
{
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
  SET(CURLOPT_TIMEOUT_MS, options->timeout);
  SET(CURLOPT_LOW_SPEED_LIMIT, SLOWEST_BYTES);
  SET(CURLOPT_LOW_SPEED_TIME, SLOWEST_SECONDS);
  if (options->max_idle < 0)
    SET(CURLOPT_FRESH_CONNECT, 1L);
  else
    SET(CURLOPT_MAXAGE_CONN, options->max_idle);
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_SECONDS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
  return CURLE_OK;
}

/*
 * The body goes through a read function, and there is no seek function: once a byte of it was read,
 * libcurl cannot send it again when a reused connection dies, as it otherwise does behind our back.
 */
static CURLcode set_request(struct mde_transfer *transfer, CURL *easy,
                            const struct mde_transfer_options *options)
{
  const char *method = options->method;
  bool is_get = strcmp(method, "GET") == 0;
  bool is_head = strcmp(method, "HEAD") == 0;
  bool is_post = strcmp(method, "POST") == 0;
  SET(CURLOPT_URL, options->url);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_ACCEPT_ENCODING, is_get ? "gzip" : "identity");
  if (transfer->has_body || is_post) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.length);
#ifdef MDE_CURL_POSTFIELDS
    SET(CURLOPT_POSTFIELDS, transfer->body.length > 0 ? transfer->body.bytes : "");
#else
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, transfer);
#endif
    if (!is_post) SET(CURLOPT_CUSTOMREQUEST, method);
  } else if (is_head) {
    SET(CURLOPT_NOBODY, 1L);
  } else {
    SET(CURLOPT_HTTPGET, 1L);
    if (!is_get) SET(CURLOPT_CUSTOMREQUEST, method);
  }
  SET(CURLOPT_HTTPHEADER, transfer->nodes);
  return CURLE_OK;
}

static CURLcode set_callbacks(struct mde_transfer *transfer, CURL *easy)
{
  SET(CURLOPT_WRITEFUNCTION, take_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_HEADERFUNCTION, take_head);
  SET(CURLOPT_HEADERDATA, transfer);
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_PREREQFUNCTION, before_request);
  SET(CURLOPT_PREREQDATA, transfer);
#endif
  SET(CURLOPT_ERRORBUFFER, transfer->error);
  SET(CURLOPT_PRIVATE, transfer);
  return CURLE_OK;
}

CURLcode mde_transfer_prepare(struct mde_transfer *transfer, CURL *easy,
                              const struct mde_transfer_options *options)
{
  if (!make_nodes(transfer)) return CURLE_OUT_OF_MEMORY;
  transfer->answer.limit = options->max_bytes;
  CURLcode code = set_security(easy, options);
  if (code == CURLE_OK) code = set_time(easy, options);
  if (code == CURLE_OK) code = set_request(transfer, easy, options);
  if (code == CURLE_OK) code = set_callbacks(transfer, easy);
  return code;
}

/* ---- afterwards */

bool mde_transfer_maybe_sent(const struct mde_transfer *transfer)
{
#ifndef MDE_CURL_POSTFIELDS
  if (transfer->has_body && transfer->body.length > 0) return transfer->body_offered;
#endif
  return transfer->head_offered;
}

void mde_transfer_clear(struct mde_transfer *transfer)
{
  if (transfer->nodes != NULL) {
    struct curl_slist *nodes = transfer->nodes;
    transfer->nodes = NULL;
    mde_release(&transfer->lines.allocator, nodes, transfer->node_count * sizeof *nodes);
  }
  transfer->node_count = 0;
  mde_secret_clear(&transfer->lines);
  mde_secret_clear(&transfer->body);
  mde_secret_clear(&transfer->head);
  mde_secret_clear(&transfer->answer);
}
