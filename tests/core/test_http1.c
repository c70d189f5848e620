/*
 * http1: heads and chunked bodies, whole, cut at every byte, and malformed in every way known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http1.h"
#include "test_edge.h"

#define REQUEST "POST /api/x HTTP/1.1\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\n"

static void assert_text(struct mde_text text, const char *expected)
{
  assert_int_equal(text.length, strlen(expected));
  assert_memory_equal(text.bytes, expected, text.length);
}

static void request(void **state)
{
  (void)state;
  struct mde_http1_head head;
  static const char bytes[] = "GET /api/machines?$top=1 HTTP/1.1\r\nHost: localhost\r\n"
                              "Accept:\t a,b \t\r\nX-Empty:\r\naccept: \xc3\xa4\r\n\r\n";
  assert_int_equal(mde_http1_request(test_edge_string(bytes), &head), (int)strlen(bytes));
  assert_text(head.method, "GET");
  assert_text(head.target, "/api/machines?$top=1");
  assert_int_equal(head.minor_version, 1);
  assert_int_equal(head.body, MDE_HTTP1_BODY_NONE);
  assert_int_equal(head.field_count, 4);
  assert_text(head.fields[1].name, "Accept");
  assert_text(head.fields[1].value, "a,b");
  assert_text(head.fields[2].value, "");
  assert_text(head.fields[3].value, "\xc3\xa4");
  /* Cut anywhere, it is incomplete and nothing else; what follows it is left alone. */
  for (size_t length = 0; length < strlen(bytes); length++)
    assert_int_equal(mde_http1_request(test_edge(bytes, length), &head), MDE_HTTP1_MORE);
  assert_int_equal(mde_http1_request(test_edge_string("GET / HTTP/1.0\r\n\r\n\n\n"), &head), 18);
  assert_int_equal(head.minor_version, 0);
}

static void response(void **state)
{
  (void)state;
  struct mde_http1_head head;
  struct mde_text none = {NULL, 0};
  static const char bytes[] = "HTTP/1.1 404 Not \xe4 Found\r\nContent-Length: 5\r\nDate: x\r\n\r\n";
  assert_int_equal(mde_http1_response(test_edge_string(bytes), none, &head), (int)strlen(bytes));
  assert_int_equal(head.status, 404);
  assert_text(head.reason, "Not \xe4 Found");
  assert_int_equal(head.body, MDE_HTTP1_BODY_LENGTH);
  assert_int_equal(head.length, 5);
  for (size_t length = 0; length < strlen(bytes); length++)
    assert_int_equal(mde_http1_response(test_edge(bytes, length), none, &head), MDE_HTTP1_MORE);
}

static void reuse(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    const char *method;
    bool reusable;
  } cases[] = {
      {RESPONSE "Content-Length: 1\r\n\r\n", NULL, true},
      {RESPONSE "Content-Length: 0\r\n\r\n", NULL, true},
      {RESPONSE "Transfer-Encoding: chunked\r\n\r\n", NULL, true},
      {RESPONSE "Connection: keep-alive, x-close\r\nContent-Length: 1\r\n\r\n", NULL, true},
      {RESPONSE "X: close\r\nContent-Length: 1\r\n\r\n", NULL, true},
      {"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n", NULL, true},
      {"HTTP/1.1 400 Bad Request\r\nContent-Length: 1\r\n\r\n", NULL, true},
      {"HTTP/1.1 499 X\r\nContent-Length: 1\r\n\r\n", NULL, true},

      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {RESPONSE "Connection: close\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {RESPONSE "connection: CLOSE\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {RESPONSE "Connection: a ,\tclose\t, b\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {RESPONSE "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", NULL,
       false},
      {RESPONSE "Transfer-Encoding: chunked, chunked\r\n\r\n", NULL, false},
      {RESPONSE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, false},
      {RESPONSE "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {RESPONSE "A: b\r\n c\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {RESPONSE "\r\n", NULL, false},
      {RESPONSE "Content-Length: 1\r\n\r\n", "HEAD", false},
      {"HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {"HTTP/1.1 302 Found\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {"HTTP/1.1 500 X\r\nContent-Length: 1\r\n\r\n", NULL, false},
      {"HTTP/1.1 999 X\r\nContent-Length: 1\r\n\r\n", NULL, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_http1_head head;
    struct mde_text method = {cases[i].method,
                              cases[i].method != NULL ? strlen(cases[i].method) : 0};
    if (mde_http1_response(test_edge_string(cases[i].bytes), method, &head) <= 0 ||
        head.reusable != cases[i].reusable)
      fail_msg("%s%s", cases[i].bytes, head.reusable ? "is reusable" : "is not reusable");
  }
}

static void framing(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    const char *method;
    enum mde_http1_body body;
    int64_t length;
  } cases[] = {
      {REQUEST "\r\n", NULL, MDE_HTTP1_BODY_NONE, 0},
      {REQUEST "Content-Length: 0\r\n\r\n", NULL, MDE_HTTP1_BODY_LENGTH, 0},
      {REQUEST "cOnTeNt-LeNgTh: 17\r\n\r\n", NULL, MDE_HTTP1_BODY_LENGTH, 17},
      {REQUEST "Content-Length: 17, 17\r\n\r\n", NULL, MDE_HTTP1_BODY_LENGTH, 17},
      {REQUEST "Content-Length: 17\r\nContent-Length: 17\r\n\r\n", NULL, MDE_HTTP1_BODY_LENGTH, 17},
      {REQUEST "Content-Length: 9007199254740991\r\n\r\n", NULL, MDE_HTTP1_BODY_LENGTH,
       9007199254740991},
      {REQUEST "Transfer-Encoding: Chunked\r\n\r\n", NULL, MDE_HTTP1_BODY_CHUNKED, 0},
      {RESPONSE "\r\n", "GET", MDE_HTTP1_BODY_UNTIL_CLOSE, 0},
      {RESPONSE "\r\n", NULL, MDE_HTTP1_BODY_UNTIL_CLOSE, 0},
      {"HTTP/1.0 200\r\n\r\n", "GET", MDE_HTTP1_BODY_UNTIL_CLOSE, 0},
      {RESPONSE "Content-Length: 3\r\n\r\n", "GET", MDE_HTTP1_BODY_LENGTH, 3},
      {RESPONSE "Transfer-Encoding: chunked\r\n\r\n", "GET", MDE_HTTP1_BODY_CHUNKED, 0},
      {RESPONSE "Transfer-Encoding: chunked , Chunked\r\n\r\n", "GET", MDE_HTTP1_BODY_CHUNKED, 0},
      {RESPONSE "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "GET",
       MDE_HTTP1_BODY_CHUNKED, 0},
      {RESPONSE "A: b\r\n c\r\nContent-Length: 3\r\n\r\n", "GET", MDE_HTTP1_BODY_LENGTH, 3},
      {RESPONSE "Content-Length: 3\r\n\r\n", "HEAD", MDE_HTTP1_BODY_NONE, 3},
      {RESPONSE "Content-Length: 3\r\n\r\n", "head", MDE_HTTP1_BODY_LENGTH, 3},
      {RESPONSE "\r\n", "CONNECT", MDE_HTTP1_BODY_NONE, 0},
      {RESPONSE "Content-Length: 3\r\n\r\n", "CONNECT", MDE_HTTP1_BODY_NONE, 0},
      {RESPONSE "Content-Length: x\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\n",
       "CONNECT", MDE_HTTP1_BODY_NONE, 0},
      {"HTTP/1.0 200\r\nTransfer-Encoding: chunked\r\n\r\n", "CONNECT", MDE_HTTP1_BODY_NONE, 0},
      {"HTTP/1.1 407 x\r\nContent-Length: 3\r\n\r\n", "CONNECT", MDE_HTTP1_BODY_LENGTH, 3},
      {"HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\n", "GET", MDE_HTTP1_BODY_NONE, 3},
      {"HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n", "GET", MDE_HTTP1_BODY_NONE, 3},
      {"HTTP/1.1 100 Continue\r\n\r\n", "GET", MDE_HTTP1_BODY_NONE, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_http1_head head;
    struct mde_text method = {.bytes = cases[i].method};
    struct mde_text input = test_edge_string(cases[i].bytes);
    if (method.bytes != NULL) method.length = strlen(method.bytes);
    int used = cases[i].bytes[0] == 'P' ? mde_http1_request(input, &head)
                                        : mde_http1_response(input, method, &head);
    if (used != (int)strlen(cases[i].bytes) || head.body != cases[i].body ||
        head.length != cases[i].length)
      fail_msg("case %zu: %d bytes, body %d, length %lld", i, used, (int)head.body,
               (long long)head.length);
  }
}

static void malformed_heads(void **state)
{
  (void)state;
  static const char *const requests[] = {
      "\r\n" REQUEST "\r\n",
      "GET / HTTP/1.1\n\n",
      "GET / HTTP/1.1\r\nA: b\n\r\n",
      "GET / HTTP/1.1\r\rA: b\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
      "GET / HTTP/1.1\r\nA: b\r\n\n",
      "GET / HTTP/1.1\r\n\rx",
      "GET  / HTTP/1.1\r\n",
      "GET /  HTTP/1.1\r\n",
      "GET / HTTP/1.1 \r\n",
      "GET /\r\n\r\n",
      "GET / HTTP/2.0\r\n",
      "GET / HTTP/1.2\r\n",
      "GET / http/1.1\r\n",
      "GET / HTTP/1.10\r\n",
      "G(T / HTTP/1.1\r\n",
      " GET / HTTP/1.1\r\n",
      "GET /\x01 HTTP/1.1\r\n",
      "GET /\x7f HTTP/1.1\r\n",
      "GET /\xc3\xa4 HTTP/1.1\r\n",
      REQUEST "A : b\r\n\r\n",
      REQUEST " A: b\r\n\r\n",
      REQUEST "A: b\r\n c\r\n\r\n",
      REQUEST "A: b\r\n\tc\r\n\r\n",
      REQUEST ": b\r\n\r\n",
      REQUEST "A\r\n\r\n",
      REQUEST "A{: b\r\n\r\n",
      REQUEST "A: b\x7f\r\n\r\n",
      REQUEST "A: b\x1b[0m\r\n\r\n",
      REQUEST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
      REQUEST "Content-Length: 5, 6\r\n\r\n",
      REQUEST "Content-Length: 5,\r\n\r\n",
      REQUEST "Content-Length:\r\n\r\n",
      REQUEST "Content-Length: -1\r\n\r\n",
      REQUEST "Content-Length: +1\r\n\r\n",
      REQUEST "Content-Length: 1 2\r\n\r\n",
      REQUEST "Content-Length: 0x10\r\n\r\n",
      REQUEST "Content-Length: 1e3\r\n\r\n",
      REQUEST "Content-Length: 9007199254740992\r\n\r\n",
      REQUEST "Content-Length: 18446744073709551617\r\n\r\n",
      REQUEST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      REQUEST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
      REQUEST "Transfer-Encoding: gzip, chunked\r\n\r\n",
      REQUEST "Transfer-Encoding: chunked, identity\r\n\r\n",
      REQUEST "Transfer-Encoding: xchunked\r\n\r\n",
      REQUEST "Transfer-Encoding:\r\n\r\n",
      REQUEST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  };
  static const char *const responses[] = {
      "HTTP/1.1  200 OK\r\n",
      "HTTP/1.1 20 OK\r\n",
      "HTTP/1.1 2000 OK\r\n",
      "HTTP/1.1 099 OK\r\n",
      "HTTP/1.1 2x0 OK\r\n",
      "HTTP/2 200\r\n",
      "ICY 200 OK\r\n",
      "HTTP/1.1 200 O\x01K\r\n",
      "HTTP/1.1 200 OK\n",
      "<html>",
      RESPONSE "Content-Length: 5\r\nContent-Length: 4\r\n\r\n",
      RESPONSE "Content-Length: 5, 4\r\nTransfer-Encoding: chunked\r\n\r\n",
      RESPONSE "Content-Length: +5\r\n\r\n",
      RESPONSE "Content-Length: 5;\r\n\r\n",
      RESPONSE "Content-Length:\r\n 5\r\n\r\n",
      RESPONSE "Content-Length: 1\r\n 5\r\n\r\n",
      RESPONSE "Transfer-Encoding:\r\n chunked\r\n\r\n",
      RESPONSE "Content-Encoding: g\r\n zip\r\n\r\n",
      RESPONSE "Transfer-Encoding: chunked, gzip\r\n\r\n",
      RESPONSE "Transfer-Encoding: chunked,\r\n\r\n",
      RESPONSE "Transfer-Encoding: chunkedchunked\r\n\r\n",
      RESPONSE " A: b\r\n\r\n",
      RESPONSE "A: b\r\n \x01\r\n\r\n",
      RESPONSE "A : b\r\n\r\n",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  };
  struct mde_http1_head head;
  struct mde_text none = {NULL, 0};
  for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
    int used = mde_http1_request(test_edge_string(requests[i]), &head);
    if (used != MDE_HTTP1_BAD || head.problem == NULL || head.problem[0] == '\0')
      fail_msg("request %zu: %d", i, used);
  }
  for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
    int used = mde_http1_response(test_edge_string(responses[i]), none, &head);
    if (used != MDE_HTTP1_BAD || head.problem == NULL || head.problem[0] == '\0')
      fail_msg("response %zu: %d", i, used);
  }
  static const char with_nul[] = REQUEST "A: b\0c\r\n\r\n";
  assert_int_equal(mde_http1_request(test_edge(with_nul, sizeof with_nul - 1), &head),
                   MDE_HTTP1_BAD);
}

/*
 * A value whose lines are folded, and what it is unfolded; the head is incomplete without its end.
 */
static void folded(void **state)
{
  (void)state;
  static const struct {
    const char *value, *expected;
  } cases[] = {
      {" a\r\n b", "a b"},     {" a \t\r\n\t  b  c \r\n d \t", "a b  c d"},
      {"\r\n a", "a"},         {"\r\n \r\n\ta\r\n ", "a"},
      {"a\r\n \r\n b", "a b"}, {"\r\n ", ""},
  };
  struct mde_text none = {NULL, 0};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char bytes[128], value[128] = "";
    struct mde_http1_head head;
    snprintf(bytes, sizeof bytes, RESPONSE "A:%s\r\nContent-Length: 1\r\n\r\n", cases[i].value);
    int length = (int)strlen(bytes);
    for (int cut = 0; cut < length; cut++)
      assert_int_equal(mde_http1_response(test_edge(bytes, (size_t)cut), none, &head),
                       MDE_HTTP1_MORE);
    assert_int_equal(mde_http1_response(test_edge(bytes, (size_t)length), none, &head), length);
    assert_true(head.field_count == 2 && head.fields[0].folded && !head.fields[1].folded);
    struct mde_text rest = head.fields[0].value, line;
    while (mde_http1_unfold(&rest, &line)) {
      if (value[0] != '\0') strcat(value, " ");
      strncat(value, line.bytes, line.length);
    }
    assert_string_equal(value, cases[i].expected);
  }
}

static char *repeated(const char *start, const char *part, size_t count, const char *end)
{
  size_t part_length = strlen(part);
  char *text = malloc(strlen(start) + count * part_length + strlen(end) + 1);
  assert_non_null(text);
  strcpy(text, start);
  char *at = text + strlen(start);
  for (size_t i = 0; i < count; i++, at += part_length)
    memcpy(at, part, part_length);
  strcpy(at, end);
  return text;
}

static int request_status(const char *start, const char *part, size_t count, const char *end)
{
  struct mde_http1_head head;
  char *text = repeated(start, part, count, end);
  int used = mde_http1_request(test_edge_string(text), &head);
  free(text);
  return used;
}

static void limits_of_heads(void **state)
{
  (void)state;
  assert_true(request_status(REQUEST, "A: b\r\n", MDE_HTTP1_MAX_FIELDS, "\r\n") > 0);
  assert_int_equal(request_status(REQUEST, "A: b\r\n", MDE_HTTP1_MAX_FIELDS + 1, "\r\n"),
                   MDE_HTTP1_BAD);
  size_t room = MDE_HTTP1_MAX_HEAD_BYTES - strlen(REQUEST "A: \r\n\r\n");
  assert_int_equal(request_status(REQUEST "A: ", "x", room, "\r\n\r\n"), MDE_HTTP1_MAX_HEAD_BYTES);
  assert_int_equal(request_status(REQUEST "A: ", "x", room, "\r\n\r\nBODY"),
                   MDE_HTTP1_MAX_HEAD_BYTES);
  assert_int_equal(request_status(REQUEST "A: ", "x", room + 1, "\r\n\r\n"), MDE_HTTP1_TOO_LONG);
  assert_int_equal(request_status("", "x", MDE_HTTP1_MAX_HEAD_BYTES - 1, ""), MDE_HTTP1_MORE);
  assert_int_equal(request_status("", "x", MDE_HTTP1_MAX_HEAD_BYTES, ""), MDE_HTTP1_TOO_LONG);
}

/*
 * Feeds the bytes in pieces of `piece` bytes. Returns the last status, and the body in `out`, and
 * how many bytes were left behind the end.
 */
static int decode(const char *bytes, size_t length, size_t piece, uint64_t limit, char *out,
                  size_t *out_length, size_t *rest)
{
  struct mde_http1_chunks chunks;
  int status = MDE_HTTP1_MORE;
  mde_http1_chunks_init(&chunks, limit);
  *out_length = 0;
  *rest = 0;
  for (size_t at = 0; at < length && status == MDE_HTTP1_MORE; at += piece) {
    struct mde_text data;
    struct mde_text input = test_edge(bytes + at, length - at < piece ? length - at : piece);
    while ((status = mde_http1_chunks_next(&chunks, &input, &data)) == MDE_HTTP1_DATA) {
      memcpy(out + *out_length, data.bytes, data.length);
      *out_length += data.length;
    }
    if (status == MDE_HTTP1_DONE)
      *rest = input.length + (length - at < piece ? 0 : length - at - piece);
    if (status < 0) assert_true(chunks.problem != NULL && chunks.problem[0] != '\0');
    struct mde_text nothing = {"", 0};
    if (status != MDE_HTTP1_MORE)
      assert_int_equal(mde_http1_chunks_next(&chunks, &nothing, &data), status);
  }
  return status;
}

static void chunks(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    uint64_t limit;
    int status;
    const char *body;
    size_t rest;
  } cases[] = {
      {"0\r\n\r\n", 0, MDE_HTTP1_DONE, "", 0},
      {"5\r\nhello\r\n0\r\n\r\n", 5, MDE_HTTP1_DONE, "hello", 0},
      {"5\r\nhello\r\n0\r\n\r\n", 4, MDE_HTTP1_TOO_LONG, "", 0},
      {"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 5, MDE_HTTP1_DONE, "hello", 0},
      {"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 4, MDE_HTTP1_TOO_LONG, "he", 0},
      {"a\r\n0123456789\r\n0\r\n\r\nHTTP/1.1", 99, MDE_HTTP1_DONE, "0123456789", 8},
      {"A\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", 99, MDE_HTTP1_DONE, "\r\n\r\n\r\n\r\n\r\n", 0},
      {"0000000000000005\r\nhello\r\n0\r\n\r\n", 99, MDE_HTTP1_DONE, "hello", 0},
      {"5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", 99, MDE_HTTP1_DONE, "hello", 0},
      {"5 \t;a\r\nhello\r\n0  \r\n\r\n", 99, MDE_HTTP1_DONE, "hello", 0},
      {"0\r\nA: b\r\nC:\r\n\r\nx", 99, MDE_HTTP1_DONE, "", 1},
      /* Incomplete. */
      {"5\r\nhel", 99, MDE_HTTP1_MORE, "hel", 0},
      {"5\r\nhello\r\n0\r\n\r", 99, MDE_HTTP1_MORE, "hello", 0},
      {"0\r\nA: b\r\n", 99, MDE_HTTP1_MORE, "", 0},
      {"fffffffffffff\r\nx", UINT64_MAX, MDE_HTTP1_MORE, "x", 0},
      /* Malformed. */
      {"\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"x\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"-5\r\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {"+5\r\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {"0x5\r\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {" 5\r\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {"5 5\r\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {";a\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"5\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {"5\rhello", 99, MDE_HTTP1_BAD, "", 0},
      {"5;a\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {"5;\x01\r\nhello", 99, MDE_HTTP1_BAD, "", 0},
      {"5\r\nhelloX", 99, MDE_HTTP1_BAD, "hello", 0},
      {"5\r\nhello\n0\r\n\r\n", 99, MDE_HTTP1_BAD, "hello", 0},
      {"5\r\nhello\rX", 99, MDE_HTTP1_BAD, "hello", 0},
      {"5\r\nhello\r\n\r\n", 99, MDE_HTTP1_BAD, "hello", 0},
      {"ffffffffffffffff\r\n", 99, MDE_HTTP1_TOO_LONG, "", 0},
      {"1\r\nx\r\nffffffffffffffff\r\n", UINT64_MAX - 1, MDE_HTTP1_TOO_LONG, "x", 0},
      {"10000000000000000\r\n", UINT64_MAX, MDE_HTTP1_BAD, "", 0},
      {"00000000000000005\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\n A: b\r\n\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\nA: b\r\n c\r\n\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\nA : b\r\n\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\n: b\r\n\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\nA: b\n\r\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\n\n", 99, MDE_HTTP1_BAD, "", 0},
      {"0\r\n\rX", 99, MDE_HTTP1_BAD, "", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (size_t piece = 1; piece <= strlen(cases[i].bytes); piece++) {
      char out[64];
      size_t length;
      size_t rest;
      int status = decode(cases[i].bytes, strlen(cases[i].bytes), piece, cases[i].limit, out,
                          &length, &rest);
      if (status != cases[i].status || length != strlen(cases[i].body) ||
          memcmp(out, cases[i].body, length) != 0 || rest != cases[i].rest)
        fail_msg("case %zu in pieces of %zu: status %d, body \"%.*s\", rest %zu", i, piece, status,
                 (int)length, out, rest);
    }
}

static int overhead_status(const char *start, const char *part, size_t count, const char *end)
{
  char *text = repeated(start, part, count, end);
  char *out = malloc(strlen(text) + 1);
  size_t length;
  size_t rest;
  assert_non_null(out);
  int status = decode(text, strlen(text), 4096, UINT64_MAX, out, &length, &rest);
  free(out);
  free(text);
  return status;
}

static void limits_of_chunks(void **state)
{
  (void)state;
  assert_int_equal(overhead_status("0;", "x", 16000, "\r\n\r\n"), MDE_HTTP1_DONE);
  assert_int_equal(overhead_status("0;", "x", 17000, "\r\n\r\n"), MDE_HTTP1_BAD);
  assert_int_equal(overhead_status("0\r\n", "A: bcde\r\n", 1900, "\r\n"), MDE_HTTP1_DONE);
  assert_int_equal(overhead_status("0\r\n", "A: bcde\r\n", 2100, "\r\n"), MDE_HTTP1_BAD);
  assert_int_equal(overhead_status("", "1;xxxxxxx\r\nx\r\n", 1900, "0\r\n\r\n"), MDE_HTTP1_DONE);
  assert_int_equal(overhead_status("", "1;xxxxxxx\r\nx\r\n", 2100, "0\r\n\r\n"), MDE_HTTP1_BAD);
  assert_int_equal(overhead_status("", "1\r\nx\r\n", 20000, "0\r\n\r\n"), MDE_HTTP1_DONE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(request),
      cmocka_unit_test(response),
      cmocka_unit_test(framing),
      cmocka_unit_test(folded),
      cmocka_unit_test(reuse),
      cmocka_unit_test(malformed_heads),
      cmocka_unit_test(limits_of_heads),
      cmocka_unit_test(chunks),
      cmocka_unit_test(limits_of_chunks),
  };
  return cmocka_run_group_tests_name("http1", tests, NULL, NULL);
}
