#define _GNU_SOURCE 1 /* clock_gettime */

#include "transfer.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "http1.h"

#define MAX_REQUEST_HEAD_BYTES ((size_t)1 << 20)
#define MAX_CONNECT_SECONDS 10L
#define MIN_BYTES_PER_SECOND 1L
#define MAX_SLOW_SECONDS 20L
#define MAX_CONNECTION_LIFE_SECONDS 600L
/* From here on libcurl asks before it sends a request, on whatever connection. */
#define FIRST_THAT_ASKS 0x075000

/* Header lines that a request gets besides its own, and so the nodes that it needs beyond them. */
enum { EXPECT_LINE, CONTENT_TYPE_LINE, OWN_LINES };

void mde_transfer_init(struct mde_transfer *transfer, struct mde_allocator allocator)
{
  memset(transfer, 0, sizeof *transfer);
  transfer->state = MDE_TRANSFER_STATE_NEW;
  mde_buffer_init(&transfer->lines, allocator, MAX_REQUEST_HEAD_BYTES);
  mde_buffer_init(&transfer->body, allocator, PTRDIFF_MAX);
  mde_buffer_init(&transfer->head, allocator, MDE_HTTP1_MAX_HEAD_BYTES);
  mde_buffer_init(&transfer->answer, allocator, 0);
}

/*
 * libcurl takes "Name:" for an order to leave the header out, and "Name;" for one without a value.
 */
int mde_transfer_header(struct mde_transfer *transfer, const char *name, const char *value)
{
  const char *separator = *value != '\0' ? ": " : ";";
  size_t before = transfer->lines.length;
  int status = mde_buffer_append(&transfer->lines, name, strlen(name));
  if (status == MDE_BUFFER_OK)
    status = mde_buffer_append(&transfer->lines, separator, strlen(separator));
  if (status == MDE_BUFFER_OK)
    status = mde_buffer_append(&transfer->lines, value, strlen(value) + 1);
  if (status != MDE_BUFFER_OK) {
    transfer->lines.length = before;
    return status;
  }
  static const struct mde_text content_type = {"content-type", sizeof "content-type" - 1};
  if (mde_text_same_caseless((struct mde_text){name, strlen(name)}, content_type))
    transfer->has_content_type = true;
  transfer->node_count++;
  return MDE_BUFFER_OK;
}

int mde_transfer_body(struct mde_transfer *transfer, const char *bytes, size_t length)
{
  int status = mde_buffer_set(&transfer->body, bytes, length);
  if (status == MDE_BUFFER_OK) transfer->has_body = true;
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

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
  struct mde_transfer *transfer = context;
  size_t length = size * count;
  if (transfer->trouble != MDE_TRANSFER_TROUBLE_NONE) return 0;
  int status = mde_buffer_append(&transfer->answer, bytes, length);
  if (status == MDE_BUFFER_OK) return length;
  transfer->trouble =
      status == MDE_BUFFER_TOO_LONG ? MDE_TRANSFER_TROUBLE_BODY : MDE_TRANSFER_TROUBLE_MEMORY;
  return 0;
}

/* What comes after the answer cannot be understood. */
static void give_up_connection(struct mde_transfer *transfer)
{
  mde_connections_spoil(transfer->connections, transfer->connection);
  curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
}

static void note_packed(struct mde_transfer *transfer, struct mde_text bytes)
{
  const size_t size = sizeof transfer->packed_end;
  if (bytes.length >= size) {
    memcpy(transfer->packed_end, bytes.bytes + bytes.length - size, size);
  } else {
    memmove(transfer->packed_end, transfer->packed_end + bytes.length, size - bytes.length);
    if (bytes.length > 0)
      memcpy(transfer->packed_end + size - bytes.length, bytes.bytes, bytes.length);
  }
}

static void trace_chunks(struct mde_transfer *transfer, struct mde_text input)
{
  struct mde_text data;
  int status;
  while ((status = mde_http1_chunks_next(&transfer->chunks, &input, &data)) == MDE_HTTP1_DATA)
    note_packed(transfer, data);
  if (status < 0) {
    transfer->trouble =
        status == MDE_HTTP1_TOO_LONG ? MDE_TRANSFER_TROUBLE_BODY : MDE_TRANSFER_TROUBLE_MALFORMED;
    transfer->problem = transfer->chunks.problem;
  }
  if (status < 0 || (status == MDE_HTTP1_DONE && input.length > 0)) give_up_connection(transfer);
}

/*
 * The bytes of the body as they came. libcurl is generous with chunks, drops what it has read
 * behind the last one without a word, and takes a packed body for whole whose end is missing. Only
 * its trace shows these bytes, so that is switched on for them.
 */
static int trace(CURL *easy, curl_infotype type, char *bytes, size_t length, void *context)
{
  struct mde_transfer *transfer = context;
  struct mde_text input = {bytes, length};
  (void)easy;
  if (type != CURLINFO_DATA_IN) return 0;
  if (transfer->framing == MDE_HTTP1_BODY_CHUNKED) {
    trace_chunks(transfer, input);
  } else {
    if ((uint64_t)length > (uint64_t)transfer->packed_left)
      input.length = (size_t)transfer->packed_left;
    transfer->packed_left -= (int64_t)input.length;
    note_packed(transfer, input);
  }
  return 0;
}

/* A packed body ends with the length that it has unpacked, modulo 2^32 (RFC 1952). */
static bool is_cut(const struct mde_transfer *transfer)
{
  const unsigned char *end = transfer->packed_end;
  uint32_t length =
      (uint32_t)end[0] | (uint32_t)end[1] << 8 | (uint32_t)end[2] << 16 | (uint32_t)end[3] << 24;
  return transfer->is_gzip && length != (uint32_t)transfer->answer.length;
}

static bool is_packed(const struct mde_http1_head *head)
{
  static const struct mde_text name = {"content-encoding", 16}, gzip = {"gzip", 4};
  for (size_t i = 0; i < head->field_count; i++)
    if (mde_text_same_caseless(head->fields[i].name, name) &&
        mde_text_same_caseless(head->fields[i].value, gzip))
      return true;
  return false;
}

/*
 * libcurl is generous with heads; the core's reader, by which other drivers go too, is not. True if
 * the answer can be understood. If it can be, and another one after it cannot, the connection ends
 * with it. Where the body is empty, nobody sees what libcurl has read behind the head; it drops
 * that, so that at least no answer is shifted by it.
 */
static bool judge_head(struct mde_transfer *transfer)
{
  struct mde_http1_head head;
  if (!mde_transfer_read_head(transfer, &head)) return false;
  transfer->head_is_interim = head.status < 200;
  if (transfer->head_is_interim) return true;
  if (!head.reusable) give_up_connection(transfer);
  if (head.body == MDE_HTTP1_BODY_UNTIL_CLOSE) {
    transfer->trouble = MDE_TRANSFER_TROUBLE_ENDLESS;
    return false;
  }
  transfer->framing = head.body;
  transfer->packed_left = head.length;
  transfer->is_gzip = head.body != MDE_HTTP1_BODY_NONE && is_packed(&head);
  mde_http1_chunks_init(&transfer->chunks, MDE_HTTP1_MAX_BODY_BYTES);
  bool wants_trace = head.body == MDE_HTTP1_BODY_CHUNKED || transfer->is_gzip;
  return curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, wants_trace ? 1L : 0L) == CURLE_OK;
}

/* Keeps the head of the final answer: an interim one gives way to the next, trailers are no
 * headers. */
static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
  struct mde_transfer *transfer = context;
  size_t length = size * count;
  if (transfer->head_ended) {
    if (!transfer->head_is_interim) return length;
    mde_buffer_clear(&transfer->head);
    transfer->head_ended = false;
  }
  int status = mde_buffer_append(&transfer->head, bytes, length);
  if (status == MDE_BUFFER_OK) {
    transfer->head_ended = length > 0 && (bytes[0] == '\r' || bytes[0] == '\n');
    return !transfer->head_ended || judge_head(transfer) ? length : 0;
  }
  transfer->trouble =
      status == MDE_BUFFER_TOO_LONG ? MDE_TRANSFER_TROUBLE_HEAD : MDE_TRANSFER_TROUBLE_MEMORY;
  return 0;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* Called on a connection that stands, before each sending of the request; libcurl likes to send
 * twice. */
static int before_request(void *context, char *remote, char *local, int remote_port, int local_port)
{
  struct mde_transfer *transfer = context;
  const struct mde_connection_ends ends = {remote, local, remote_port, local_port};
  if (transfer->head_offered) {
    transfer->trouble = MDE_TRANSFER_TROUBLE_REPEATED;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer->connection =
      mde_connections_use(transfer->connections, transfer->easy, !transfer->plain, &ends);
  if (transfer->connection == 0 && !transfer->fresh) {
    transfer->trouble = MDE_TRANSFER_TROUBLE_UNCLEAN;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer->head_offered = true;
  return CURL_PREREQFUNC_OK;
}
#endif

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
  (void)purpose;
  return mde_connections_open(context, address);
}

static int close_socket(void *context, curl_socket_t socket)
{
  return mde_connections_close(context, socket);
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
  SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  if (options->ca_file != NULL || options->ca_path != NULL) {
    SET(CURLOPT_CAINFO, options->ca_file);
    SET(CURLOPT_CAPATH, options->ca_path);
    SET(CURLOPT_PROXY_CAINFO, options->ca_file);
    SET(CURLOPT_PROXY_CAPATH, options->ca_path);
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
  return CURLE_OK;
}

static CURLcode set_time(CURL *easy, const struct mde_transfer_options *options)
{
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT, MAX_CONNECT_SECONDS);
  SET(CURLOPT_TIMEOUT_MS, options->timeout);
  SET(CURLOPT_LOW_SPEED_LIMIT, MIN_BYTES_PER_SECOND);
  SET(CURLOPT_LOW_SPEED_TIME, MAX_SLOW_SECONDS);
  if (options->max_idle < 0 || LIBCURL_VERSION_NUM < FIRST_THAT_ASKS)
    SET(CURLOPT_FRESH_CONNECT, 1L);
  else
    SET(CURLOPT_MAXAGE_CONN, options->max_idle);
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_MAXLIFETIME_CONN, MAX_CONNECTION_LIFE_SECONDS);
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
    SET(CURLOPT_READFUNCTION, give_body);
    SET(CURLOPT_READDATA, transfer);
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
  SET(CURLOPT_DEBUGFUNCTION, trace);
  SET(CURLOPT_DEBUGDATA, transfer);
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_PREREQFUNCTION, before_request);
  SET(CURLOPT_PREREQDATA, transfer);
#endif
  SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  SET(CURLOPT_OPENSOCKETDATA, transfer->connections);
  SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  SET(CURLOPT_CLOSESOCKETDATA, transfer->connections);
  SET(CURLOPT_ERRORBUFFER, transfer->error);
  SET(CURLOPT_PRIVATE, transfer);
  return CURLE_OK;
}

static long now_milliseconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

CURLcode mde_transfer_prepare(struct mde_transfer *transfer, CURL *easy,
                              struct mde_connections *connections,
                              const struct mde_transfer_options *options)
{
  if (!make_nodes(transfer)) return CURLE_OUT_OF_MEMORY;
  transfer->connections = connections;
  transfer->ends = now_milliseconds() + options->timeout;
  transfer->answer.limit = options->max_bytes;
  transfer->plain = options->plain;
  transfer->is_head = strcmp(options->method, "HEAD") == 0;
  transfer->fresh = options->max_idle < 0;
  CURLcode code = set_security(easy, options);
  if (code == CURLE_OK) code = set_time(easy, options);
  if (code == CURLE_OK) code = set_request(transfer, easy, options);
  if (code == CURLE_OK) code = set_callbacks(transfer, easy);
  return code;
}

CURLcode mde_transfer_prepare_again(struct mde_transfer *transfer, CURL *easy)
{
  long left = transfer->ends - now_milliseconds();
  transfer->trouble = MDE_TRANSFER_TROUBLE_NONE;
  transfer->error[0] = '\0';
  transfer->fresh = true;
  SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_TIMEOUT_MS, left > 1 ? left : 1L);
  return CURLE_OK;
}

/* ---- afterwards */

/* libcurl keeps a line until it has its end, and before 8.6 had one code for no memory and too much
 * of it. */
void mde_transfer_judge_end(struct mde_transfer *transfer)
{
  if (transfer->code == CURLE_OK && transfer->trouble == MDE_TRANSFER_TROUBLE_NONE &&
      is_cut(transfer))
    transfer->trouble = MDE_TRANSFER_TROUBLE_CUT;
  bool is_full = transfer->code == CURLE_OUT_OF_MEMORY;
#if LIBCURL_VERSION_NUM >= 0x080600
  is_full = is_full || transfer->code == CURLE_TOO_LARGE;
#endif
  if (is_full && transfer->trouble == MDE_TRANSFER_TROUBLE_NONE && transfer->answer_began &&
      !transfer->head_ended)
    transfer->trouble = MDE_TRANSFER_TROUBLE_HEAD;
}

bool mde_transfer_read_head(struct mde_transfer *transfer, struct mde_http1_head *head)
{
  static const struct mde_text method_head = {"HEAD", 4}, any_method = {NULL, 0};
  struct mde_text input = {transfer->head.bytes, transfer->head.length};
  struct mde_text method = transfer->is_head ? method_head : any_method;
  int taken = input.bytes != NULL ? mde_http1_response(input, method, head) : MDE_HTTP1_MORE;
  if (taken > 0) return true;
  if (taken == MDE_HTTP1_MORE) {
    transfer->trouble = MDE_TRANSFER_TROUBLE_CUT_HEAD;
  } else {
    transfer->trouble =
        taken == MDE_HTTP1_TOO_LONG ? MDE_TRANSFER_TROUBLE_HEAD : MDE_TRANSFER_TROUBLE_MALFORMED;
    transfer->problem = head->problem;
  }
  return false;
}

bool mde_transfer_maybe_sent(const struct mde_transfer *transfer)
{
  if (transfer->has_body && transfer->body.length > 0) return transfer->body_offered;
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
  mde_buffer_clear(&transfer->lines);
  mde_buffer_clear(&transfer->body);
  mde_buffer_clear(&transfer->head);
  mde_buffer_clear(&transfer->answer);
}
