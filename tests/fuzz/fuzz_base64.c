/*
 * base64: any bytes, encoded and read back; any text, read and encoded again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base64.h"
#include "target.h"

enum { LONGEST = 4096 };

static void read_back(struct mde_text bytes, size_t (*encode)(struct mde_text, char *, size_t))
{
  char text[2 * LONGEST];
  char back[LONGEST];
  size_t length = encode(bytes, text, sizeof text);
  require(length <= (bytes.length + 2) / 3 * 4);
  require(mde_base64_decode((struct mde_text){text, length}, back, sizeof back) == bytes.length);
  require(memcmp(back, bytes.bytes, bytes.length) == 0);
  /* Where there is less room, what fits is the same, and nothing else is written. */
  char little[8] = "unused!";
  require(encode(bytes, little, 3) == length);
  require(memcmp(little, text, length < 3 ? length : 3) == 0);
  require(strcmp(little + 3, "sed!") == 0);
}

static void read_text(struct mde_text text)
{
  char bytes[LONGEST];
  char again[2 * LONGEST];
  size_t length = mde_base64_decode(text, bytes, sizeof bytes);
  if (length == MDE_BASE64_MALFORMED) return;
  require(length <= text.length / 4 * 3 + 2);
  struct mde_text read = {bytes, length};
  size_t shortest = mde_base64_encode_url(read, again, sizeof again);
  require(shortest <= text.length && text.length - shortest <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  if (length > LONGEST) return 0;
  read_back(text, mde_base64_encode);
  read_back(text, mde_base64_encode_url);
  read_text(text);
  return 0;
}
