/*
 * header: any bytes as a date, a Retry-After and a challenge.
 */
#include <stdint.h>

#include "header.h"
#include "target.h"

/* A span that a reader gave out lies within its text. */
static void require_inside(struct mde_text part, struct mde_text text)
{
  require(part.bytes >= text.bytes && part.length <= text.length &&
          part.bytes + part.length <= text.bytes + text.length);
}

static void read_waits(struct mde_text text)
{
  struct mde_text date = {"Thu, 01 Jan 2026 00:00:00 GMT", 29};
  struct mde_text nothing = {NULL, 0};
  struct mde_retry_headers forms[] = {
      {nothing, nothing, text, nothing}, {nothing, nothing, text, date},
      {nothing, nothing, text, text},    {text, text, nothing, date},
      {text, nothing, text, date},
  };
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    double seconds = -1;
    if (mde_header_retry_after(&forms[i], 1767225600, &seconds) == MDE_RETRY_AFTER_FOUND)
      require(seconds >= 0 && seconds <= MDE_HEADER_MAX_WAIT_SECONDS);
  }
}

static void read_challenges(struct mde_text text)
{
  struct mde_challenge_reader reader;
  enum mde_challenge_piece piece;
  size_t pieces = 0;
  bool has_scheme = false;
  mde_challenge_reader_init(&reader, text);
  while ((piece = mde_challenge_next(&reader)) > MDE_CHALLENGE_PIECE_END) {
    if (piece == MDE_CHALLENGE_PIECE_SCHEME) has_scheme = true;
    require(has_scheme);
    if (piece != MDE_CHALLENGE_PIECE_TOKEN68) require_inside(reader.name, text);
    if (piece != MDE_CHALLENGE_PIECE_SCHEME) {
      char out[16];
      require_inside(reader.value, text);
      require(mde_header_unquote(reader.value, out, sizeof out) <= reader.value.length);
    }
    require(++pieces <= text.length);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = (const char *)bytes, .length = length};
  int64_t seconds = 0;
  if (length == 0) text.bytes = "";
  if (mde_header_date(text, 1767225600, &seconds))
    require(seconds >= -62167219200 && seconds <= 253402300800);
  read_waits(text);
  read_challenges(text);
  return 0;
}
