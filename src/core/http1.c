#include "http1.h"

#include "header.h"

/* ---- heads */

struct reader {
  const char *start;
  const char *at;
  const char *end;
  struct mde_http1_head *head;
  bool is_answer; /* takes some of what a request must not have */
};

/* The steps of reading a head return one of these. */
enum { READ = 1, MORE = MDE_HTTP1_MORE, BAD = MDE_HTTP1_BAD };

static int bad(struct reader *reader, const char *problem)
{
  reader->head->problem = problem;
  return BAD;
}

/* What a request's target may be made of. */
static bool is_visible(char c)
{
  return c > 0x20 && c < 0x7f;
}

static struct mde_text between(const char *from, const char *to)
{
  struct mde_text text = {.bytes = from, .length = (size_t)(to - from)};
  return text;
}

static bool is_word(struct mde_text text, const char *word)
{
  struct mde_text other = {.bytes = word, .length = strlen(word)};
  return mde_text_same_caseless(text, other);
}

static int take_byte(struct reader *reader, char byte, const char *problem)
{
  if (reader->at == reader->end) return MORE;
  if (*reader->at != byte) return bad(reader, problem);
  reader->at++;
  return READ;
}

/* The carriage return and line feed that end every line. */
static int take_line_end(struct reader *reader, const char *problem)
{
  int status = take_byte(reader, '\r', problem);
  if (status != READ) return status;
  return take_byte(reader, '\n', "a carriage return without a line feed");
}

static int take_token(struct reader *reader, struct mde_text *token, char stop, const char *problem)
{
  const char *from = reader->at;
  while (reader->at < reader->end && mde_header_is_token_byte(*reader->at))
    reader->at++;
  if (reader->at == reader->end) return MORE;
  if (reader->at == from || *reader->at != stop) return bad(reader, problem);
  *token = between(from, reader->at);
  reader->at++;
  return READ;
}

static int take_version(struct reader *reader)
{
  static const char prefix[] = "HTTP/1.";
  for (const char *expected = prefix; *expected != '\0'; expected++) {
    int status = take_byte(reader, *expected, "not HTTP/1.0 or HTTP/1.1");
    if (status != READ) return status;
  }
  if (reader->at == reader->end) return MORE;
  if (*reader->at != '0' && *reader->at != '1') return bad(reader, "not HTTP/1.0 or HTTP/1.1");
  reader->head->minor_version = *reader->at - '0';
  reader->at++;
  return READ;
}

static int take_request_line(struct reader *reader)
{
  int status = take_token(reader, &reader->head->method, ' ', "the method is not a token");
  if (status != READ) return status;
  const char *from = reader->at;
  while (reader->at < reader->end && is_visible(*reader->at))
    reader->at++;
  if (reader->at == reader->end) return MORE;
  if (reader->at == from || *reader->at != ' ')
    return bad(reader, "the request's target is not visible ASCII");
  reader->head->target = between(from, reader->at);
  reader->at++;
  status = take_version(reader);
  if (status != READ) return status;
  return take_line_end(reader, "the request line does not end behind the version");
}

static int take_status_line(struct reader *reader)
{
  int status = take_version(reader);
  if (status == READ) status = take_byte(reader, ' ', "no space behind the version");
  if (status != READ) return status;
  int code = 0;
  for (int i = 0; i < 3; i++) {
    if (reader->at == reader->end) return MORE;
    if (!mde_ascii_is_digit(*reader->at)) return bad(reader, "the status is not three digits");
    code = code * 10 + (*reader->at - '0');
    reader->at++;
  }
  if (code < 100) return bad(reader, "the status is below 100");
  reader->head->status = code;
  if (reader->at == reader->end) return MORE;
  /* Some servers leave out the space before an absent reason. */
  if (*reader->at == ' ')
    reader->at++;
  else if (*reader->at != '\r')
    return bad(reader, "the status is not three digits");
  const char *from = reader->at;
  while (reader->at < reader->end && mde_ascii_is_field_byte(*reader->at))
    reader->at++;
  reader->head->reason = between(from, reader->at);
  return take_line_end(reader, "a control character in the reason");
}

static int take_field(struct reader *reader)
{
  struct mde_http1_head *head = reader->head;
  if (mde_ascii_is_blank(*reader->at)) return bad(reader, "a blank before the first field");
  if (head->field_count == MDE_HTTP1_MAX_FIELDS) return bad(reader, "too many fields");
  struct mde_http1_field *field = &head->fields[head->field_count];
  int status = take_token(reader, &field->name, ':', "a field's name is not a token");
  if (status != READ) return status;
  while (reader->at < reader->end && mde_ascii_is_blank(*reader->at))
    reader->at++;
  const char *from = reader->at, *to = from;
  field->folded = false;
  for (;;) {
    for (; reader->at < reader->end && mde_ascii_is_field_byte(*reader->at); reader->at++)
      if (!mde_ascii_is_blank(*reader->at)) to = reader->at + 1;
    status = take_line_end(reader, "a control character in a field's value");
    if (status != READ) return status;
    if (reader->at == reader->end) return MORE; /* whether it goes on is in the next byte */
    if (!mde_ascii_is_blank(*reader->at)) break;
    if (!reader->is_answer) return bad(reader, "a folded line");
    field->folded = true;
    while (reader->at < reader->end && mde_ascii_is_blank(*reader->at))
      reader->at++;
    if (to == from) from = to = reader->at;
  }
  field->value = between(from, to);
  head->field_count++;
  return READ;
}

static int take_fields(struct reader *reader)
{
  for (;;) {
    if (reader->at == reader->end) return MORE;
    if (*reader->at == '\r') return take_line_end(reader, "");
    int status = take_field(reader);
    if (status != READ) return status;
  }
}

/* Digits, or the same number several times with commas between. */
static bool read_length(struct mde_text text, int64_t *length)
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  bool first = true;
  for (;;) {
    int64_t number = 0;
    const char *from = at;
    for (; at < end && mde_ascii_is_digit(*at); at++) {
      number = number * 10 + (*at - '0');
      if (number > MDE_HTTP1_MAX_BODY_BYTES) return false;
    }
    if (at == from || (!first && number != *length)) return false;
    *length = number;
    first = false;
    while (at < end && mde_ascii_is_blank(*at))
      at++;
    if (at == end) return true;
    if (*at != ',') return false;
    at++;
    while (at < end && mde_ascii_is_blank(*at))
      at++;
  }
}

/* "chunked", in an answer more than once with commas between: that is said twice, and done once. */
static bool is_chunked(struct mde_text text, bool is_answer, bool *repeated)
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  for (;;) {
    const char *from = at;
    while (at < end && *at != ',' && !mde_ascii_is_blank(*at))
      at++;
    if (!is_word(between(from, at), "chunked")) return false;
    while (at < end && mde_ascii_is_blank(*at))
      at++;
    if (at == end) return true;
    if (*at != ',' || !is_answer) return false;
    *repeated = true;
    at++;
    while (at < end && mde_ascii_is_blank(*at))
      at++;
  }
}

/* What says where a body ends, or what it is packed in. */
static bool is_about_body(struct mde_text name)
{
  return is_word(name, "content-length") || is_word(name, "transfer-encoding") ||
         is_word(name, "content-encoding");
}

/* How the body is delimited, from the fields alone; MDE_HTTP1_BODY_NONE if they do not say. */
static int read_framing(struct reader *reader)
{
  struct mde_http1_head *head = reader->head;
  bool has_length = false;
  bool has_coding = false;
  for (size_t i = 0; i < head->field_count; i++) {
    const struct mde_http1_field *field = &head->fields[i];
    if (field->folded) {
      if (is_about_body(field->name)) return bad(reader, "a folded line that is about the body");
      head->doubtful = true;
    }
    if (is_word(field->name, "content-length")) {
      int64_t length = 0;
      if (!read_length(field->value, &length))
        return bad(reader, "Content-Length is not a number, or not one");
      if (has_length && length != head->length) return bad(reader, "two different Content-Length");
      head->length = length;
      has_length = true;
    } else if (is_word(field->name, "transfer-encoding")) {
      if (has_coding && !reader->is_answer) return bad(reader, "two Transfer-Encoding");
      if (has_coding) head->doubtful = true;
      if (!is_chunked(field->value, reader->is_answer, &head->doubtful))
        return bad(reader, "a Transfer-Encoding other than chunked");
      has_coding = true;
    }
  }
  if (has_coding && has_length) {
    if (!reader->is_answer) return bad(reader, "both Transfer-Encoding and Content-Length");
    head->doubtful = true;
    head->length = 0;
  }
  if (has_coding && head->minor_version == 0) return bad(reader, "Transfer-Encoding in HTTP/1.0");
  if (has_coding)
    head->body = MDE_HTTP1_BODY_CHUNKED;
  else if (has_length)
    head->body = MDE_HTTP1_BODY_LENGTH;
  else
    head->body = MDE_HTTP1_BODY_NONE;
  return READ;
}

enum kind { REQUEST, ANSWER, ANSWER_TO_CONNECT };

/*
 * Behind a 2xx to CONNECT begins the tunnel, whatever its fields say of a body (RFC 9110, 9.3.6).
 */
static bool opens_tunnel(const struct mde_http1_head *head, enum kind kind)
{
  return kind == ANSWER_TO_CONNECT && head->status >= 200 && head->status <= 299;
}

/* A head is read as a whole or not at all; what is longer than the limit is not even looked at. */
static int read_head(struct mde_text input, int (*take_first_line)(struct reader *),
                     struct mde_http1_head *head, enum kind kind)
{
  head->method = head->target = head->reason = between(NULL, NULL);
  head->status = 0;
  head->minor_version = 0;
  head->body = MDE_HTTP1_BODY_NONE;
  head->length = 0;
  head->reusable = false;
  head->doubtful = false;
  head->field_count = 0;
  head->problem = NULL;
  bool is_cut = input.length > MDE_HTTP1_MAX_HEAD_BYTES;
  size_t length = is_cut ? (size_t)MDE_HTTP1_MAX_HEAD_BYTES : input.length;
  struct reader reader = {.start = input.bytes,
                          .at = input.bytes,
                          .end = input.bytes + length,
                          .head = head,
                          .is_answer = kind != REQUEST};
  int status = take_first_line(&reader);
  if (status == READ) status = take_fields(&reader);
  if (status == MORE && length == MDE_HTTP1_MAX_HEAD_BYTES) {
    head->problem = "the head is too long";
    return MDE_HTTP1_TOO_LONG;
  }
  if (status == READ && !opens_tunnel(head, kind)) status = read_framing(&reader);
  return status == READ ? (int)(reader.at - reader.start) : status;
}

int mde_http1_request(struct mde_text input, struct mde_http1_head *head)
{
  return read_head(input, take_request_line, head, REQUEST);
}

/* Whether one of the options of Connection is "close". */
static bool says_close(struct mde_text value)
{
  const char *at = value.bytes;
  const char *end = value.bytes + value.length;
  while (at < end) {
    const char *from = at;
    while (at < end && *at != ',' && !mde_ascii_is_blank(*at))
      at++;
    if (is_word(between(from, at), "close")) return true;
    if (at < end) at++;
  }
  return false;
}

static bool is_reusable(const struct mde_http1_head *head)
{
  bool definite =
      (head->status >= 200 && head->status <= 299) || (head->status >= 400 && head->status <= 499);
  bool delimited = head->body == MDE_HTTP1_BODY_CHUNKED || head->body == MDE_HTTP1_BODY_LENGTH;
  if (!definite || !delimited || head->minor_version == 0 || head->doubtful) return false;
  for (size_t i = 0; i < head->field_count; i++)
    if (is_word(head->fields[i].name, "connection") && says_close(head->fields[i].value))
      return false;
  return true;
}

int mde_http1_response(struct mde_text input, struct mde_text request_method,
                       struct mde_http1_head *head)
{
  static const struct mde_text method_head = {.bytes = "HEAD", .length = 4};
  static const struct mde_text method_connect = {.bytes = "CONNECT", .length = 7};
  bool has_method = request_method.bytes != NULL;
  bool to_head = has_method && mde_text_same(request_method, method_head);
  bool to_connect = has_method && mde_text_same(request_method, method_connect);
  enum kind kind = to_connect ? ANSWER_TO_CONNECT : ANSWER;
  int used = read_head(input, take_status_line, head, kind);
  if (used <= 0) return used;
  bool has_none = head->status < 200 || head->status == 204 || head->status == 304 || to_head ||
                  opens_tunnel(head, kind);
  if (has_none)
    head->body = MDE_HTTP1_BODY_NONE;
  else if (head->body == MDE_HTTP1_BODY_NONE)
    head->body = MDE_HTTP1_BODY_UNTIL_CLOSE;
  head->reusable = is_reusable(head);
  return used;
}

bool mde_http1_unfold(struct mde_text *value, struct mde_text *line)
{
  const char *at = value->bytes;
  const char *end = value->bytes + value->length;
  while (at < end && mde_ascii_is_space(*at))
    at++;
  if (at == end) return false;
  const char *from = at, *to = at;
  for (; at < end && *at != '\r'; at++)
    if (!mde_ascii_is_blank(*at)) to = at + 1;
  *line = between(from, to);
  *value = between(at, end);
  return true;
}

/* ---- chunked bodies */

enum chunk_state {
  CHUNK_STATE_SIZE,              /* the digits of a chunk's size */
  CHUNK_STATE_BEHIND_SIZE,       /* blanks between the size and what follows */
  CHUNK_STATE_EXTENSION,         /* to be ignored, up to the end of the line */
  CHUNK_STATE_SIZE_LINE_FEED,    /* the line feed behind a size */
  CHUNK_STATE_CONTENT,           /* the bytes of a chunk */
  CHUNK_STATE_CONTENT_RETURN,    /* the carriage return behind them */
  CHUNK_STATE_CONTENT_LINE_FEED, /* and the line feed */
  CHUNK_STATE_TRAILER,           /* the first byte of a line behind the last chunk */
  CHUNK_STATE_TRAILER_NAME,
  CHUNK_STATE_TRAILER_VALUE,
  CHUNK_STATE_TRAILER_LINE_FEED, /* the line feed behind a trailer */
  CHUNK_STATE_LAST_LINE_FEED,    /* the line feed of the empty line */
  CHUNK_STATE_DONE,
  CHUNK_STATE_BROKEN,
  CHUNK_STATE_TOO_LONG
};

void mde_http1_chunks_init(struct mde_http1_chunks *chunks, uint64_t limit)
{
  chunks->state = CHUNK_STATE_SIZE;
  chunks->digits = 0;
  chunks->left = 0;
  chunks->decoded = 0;
  chunks->limit = limit;
  chunks->overhead = 0;
  chunks->problem = NULL;
}

static void broken(struct mde_http1_chunks *chunks, const char *problem)
{
  chunks->state = CHUNK_STATE_BROKEN;
  chunks->problem = problem;
}

/* A digit of the size, or the first byte behind it. */
static void read_size(struct mde_http1_chunks *chunks, char c)
{
  int digit = mde_ascii_hexadecimal(c);
  if (digit >= 0) {
    if (++chunks->digits > 16) {
      broken(chunks, "a chunk's size is too long");
      return;
    }
    chunks->left = chunks->left * 16 + (uint64_t)digit;
  } else if (chunks->digits == 0) {
    broken(chunks, "a chunk without a size");
  } else if (c == '\r') {
    chunks->state = CHUNK_STATE_SIZE_LINE_FEED;
  } else if (c == ';') {
    chunks->state = CHUNK_STATE_EXTENSION;
  } else if (mde_ascii_is_blank(c)) {
    chunks->state = CHUNK_STATE_BEHIND_SIZE;
  } else {
    broken(chunks, "a chunk's size is not hexadecimal");
  }
}

/* The line with a chunk's size is complete. */
static void begin_chunk(struct mde_http1_chunks *chunks)
{
  if (chunks->left > chunks->limit - chunks->decoded) {
    chunks->state = CHUNK_STATE_TOO_LONG;
    chunks->problem = "the body is longer than allowed";
    return;
  }
  chunks->decoded += chunks->left;
  chunks->state = chunks->left == 0 ? CHUNK_STATE_TRAILER : CHUNK_STATE_CONTENT;
}

/* Extensions and trailers are for nobody, but they must not go on for ever. */
static void count_overhead(struct mde_http1_chunks *chunks)
{
  if (++chunks->overhead > MDE_HTTP1_MAX_OVERHEAD_BYTES)
    broken(chunks, "too many chunk extensions or trailers");
}

static void expect(struct mde_http1_chunks *chunks, char c, char expected, int next,
                   const char *problem)
{
  if (c == expected)
    chunks->state = next;
  else
    broken(chunks, problem);
}

/* One byte that is not a chunk's content. */
static void read_byte(struct mde_http1_chunks *chunks, char c)
{
  static const char no_line_feed[] = "a carriage return without a line feed";
  switch ((enum chunk_state)chunks->state) {
  case CHUNK_STATE_SIZE:
    read_size(chunks, c);
    break;
  case CHUNK_STATE_BEHIND_SIZE:
    if (c == ';')
      chunks->state = CHUNK_STATE_EXTENSION;
    else if (!mde_ascii_is_blank(c))
      expect(chunks, c, '\r', CHUNK_STATE_SIZE_LINE_FEED, "a chunk's size is not hexadecimal");
    count_overhead(chunks);
    break;
  case CHUNK_STATE_EXTENSION:
    if (!mde_ascii_is_field_byte(c))
      expect(chunks, c, '\r', CHUNK_STATE_SIZE_LINE_FEED,
             "a control character in a chunk extension");
    count_overhead(chunks);
    break;
  case CHUNK_STATE_SIZE_LINE_FEED:
    if (c == '\n')
      begin_chunk(chunks);
    else
      broken(chunks, no_line_feed);
    break;
  case CHUNK_STATE_CONTENT_RETURN:
    expect(chunks, c, '\r', CHUNK_STATE_CONTENT_LINE_FEED, "a chunk is longer than its size");
    break;
  case CHUNK_STATE_CONTENT_LINE_FEED:
    chunks->digits = 0;
    expect(chunks, c, '\n', CHUNK_STATE_SIZE, no_line_feed);
    break;
  case CHUNK_STATE_TRAILER:
    if (c == '\r')
      chunks->state = CHUNK_STATE_LAST_LINE_FEED;
    else if (mde_header_is_token_byte(c))
      chunks->state = CHUNK_STATE_TRAILER_NAME;
    else
      broken(chunks, "a trailer's name is not a token");
    count_overhead(chunks);
    break;
  case CHUNK_STATE_TRAILER_NAME:
    if (!mde_header_is_token_byte(c))
      expect(chunks, c, ':', CHUNK_STATE_TRAILER_VALUE, "a trailer's name is not a token");
    count_overhead(chunks);
    break;
  case CHUNK_STATE_TRAILER_VALUE:
    if (!mde_ascii_is_field_byte(c))
      expect(chunks, c, '\r', CHUNK_STATE_TRAILER_LINE_FEED, "a control character in a trailer");
    count_overhead(chunks);
    break;
  case CHUNK_STATE_TRAILER_LINE_FEED:
    expect(chunks, c, '\n', CHUNK_STATE_TRAILER, no_line_feed);
    break;
  case CHUNK_STATE_LAST_LINE_FEED:
    expect(chunks, c, '\n', CHUNK_STATE_DONE, no_line_feed);
    break;
  case CHUNK_STATE_CONTENT:
  case CHUNK_STATE_DONE:
  case CHUNK_STATE_BROKEN:
  case CHUNK_STATE_TOO_LONG:
    break;
  }
}

int mde_http1_chunks_next(struct mde_http1_chunks *chunks, struct mde_text *input,
                          struct mde_text *data)
{
  for (;;) {
    if (chunks->state == CHUNK_STATE_BROKEN) return MDE_HTTP1_BAD;
    if (chunks->state == CHUNK_STATE_TOO_LONG) return MDE_HTTP1_TOO_LONG;
    if (chunks->state == CHUNK_STATE_DONE) return MDE_HTTP1_DONE;
    if (input->length == 0) return MDE_HTTP1_MORE;
    if (chunks->state == CHUNK_STATE_CONTENT) {
      size_t take = chunks->left < input->length ? (size_t)chunks->left : input->length;
      data->bytes = input->bytes;
      data->length = take;
      input->bytes += take;
      input->length -= take;
      chunks->left -= take;
      if (chunks->left == 0) chunks->state = CHUNK_STATE_CONTENT_RETURN;
      return MDE_HTTP1_DATA;
    }
    read_byte(chunks, *input->bytes);
    input->bytes++;
    input->length--;
  }
}
