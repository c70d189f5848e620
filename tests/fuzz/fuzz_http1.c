/*
 * http1: any bytes as a request, a response and a chunked body. Whatever was read from the whole is
 * not contradicted by what is read from a part, and a body is the same however it is cut.
 */
#include <stdint.h>

#include "http1.h"
#include "target.h"

static int read_request(struct mde_text input, struct mde_http1_head *head)
{
  return mde_http1_request(input, head);
}

static int read_response(struct mde_text input, struct mde_http1_head *head)
{
  struct mde_text method = {"GET", 3};
  return mde_http1_response(input, method, head);
}

static void read_head(struct mde_text input, int (*read)(struct mde_text, struct mde_http1_head *))
{
  static struct mde_http1_head head;
  int used = read(input, &head);
  require(used >= MDE_HTTP1_TOO_LONG && (used < 0 || (size_t)used <= input.length));
  require(used <= MDE_HTTP1_MAX_HEAD_BYTES && head.field_count <= MDE_HTTP1_MAX_FIELDS);
  require((used < 0) == (head.problem != NULL));
  if (used > 0)
    for (size_t i = 0; i < head.field_count; i++) {
      const struct mde_http1_field *field = &head.fields[i];
      require(field->name.length > 0 && field->name.bytes > input.bytes);
      require(field->value.bytes + field->value.length < input.bytes + used);
    }
  for (size_t length = 0; length < input.length && length < 300; length++) {
    struct mde_text part = {.bytes = input.bytes, .length = length};
    int partly = read(part, &head);
    if (used > 0 && length < (size_t)used) require(partly == MDE_HTTP1_MORE);
    if (used > 0 && length >= (size_t)used) require(partly == used);
    if (used == MDE_HTTP1_MORE) require(partly == MDE_HTTP1_MORE);
    if (used < 0) require(partly <= 0);
  }
}

struct result {
  int status;
  size_t length;
  uint32_t sum; /* of the bytes, each times its place */
  size_t rest;
};

static struct result decode(struct mde_text input, size_t piece)
{
  struct result result = {.status = MDE_HTTP1_MORE};
  struct mde_http1_chunks chunks;
  mde_http1_chunks_init(&chunks, 1000);
  for (size_t at = 0; at < input.length && result.status == MDE_HTTP1_MORE; at += piece) {
    struct mde_text data;
    struct mde_text part = {.bytes = input.bytes + at, .length = input.length - at};
    if (part.length > piece) part.length = piece;
    while ((result.status = mde_http1_chunks_next(&chunks, &part, &data)) == MDE_HTTP1_DATA)
      for (size_t i = 0; i < data.length; i++)
        result.sum += (uint32_t)++result.length * (unsigned char)data.bytes[i];
    if (result.status == MDE_HTTP1_DONE)
      result.rest = (size_t)(input.bytes + input.length - part.bytes);
  }
  require(result.length <= 1000);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text input = {.bytes = (const char *)bytes, .length = length};
  if (length == 0) input.bytes = "";
  read_head(input, read_request);
  read_head(input, read_response);
  struct result whole = decode(input, length + 1);
  for (size_t piece = 1; piece <= 7; piece++) {
    struct result cut = decode(input, piece);
    require(cut.status == whole.status && cut.length == whole.length && cut.sum == whole.sum &&
            cut.rest == whole.rest);
  }
  return 0;
}
