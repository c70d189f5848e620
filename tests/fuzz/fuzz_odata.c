/*
 * odata: any bytes as a literal, a value in a URL and a name.
 */
#include <stdint.h>
#include <stdlib.h>

#include "name.h"
#include "odata.h"
#include "target.h"

static char *written(struct mde_text text, size_t (*write)(struct mde_text, char *, size_t),
                     size_t *length)
{
  *length = write(text, NULL, 0);
  char *out = malloc(*length + 1);
  require(out != NULL);
  require(write(text, out, *length) == *length);
  return out;
}

/* What is encoded is read back, and nothing in it could end or begin a part of a URL. */
static void encode_and_decode(struct mde_text text)
{
  size_t length;
  char *encoded = written(text, mde_odata_encode, &length);
  for (size_t i = 0; i < length; i++)
    require(encoded[i] > 0x20 && encoded[i] < 0x7f && strchr("&=#+?/'\"", encoded[i]) == NULL);
  struct mde_text again = {.bytes = encoded, .length = length};
  char *decoded = malloc(text.length + 1);
  require(decoded != NULL);
  require(mde_odata_decode(again, true, decoded, text.length) == text.length);
  require(memcmp(decoded, text.bytes, text.length) == 0);
  size_t direct = mde_odata_decode(text, false, decoded, text.length);
  require(direct == MDE_ODATA_MALFORMED || direct <= text.length);
  free(decoded);
  free(encoded);
}

/* Every quote inside a literal has a second one beside it. */
static void write_literal(struct mde_text text)
{
  size_t length;
  char *literal = written(text, mde_odata_literal, &length);
  require(length >= 2 && literal[0] == '\'' && literal[length - 1] == '\'');
  for (size_t i = 1; i < length - 1; i++)
    if (literal[i] == '\'') require(i + 1 < length - 1 && literal[++i] == '\'');
  free(literal);
}

/* The one form of a name is its own, and is what the name is. */
static void compare_names(struct mde_text text)
{
  size_t length;
  char *normal = written(text, mde_name_normal, &length);
  struct mde_text form = {.bytes = normal, .length = length};
  size_t again_length;
  char *again = written(form, mde_name_normal, &again_length);
  require(again_length == length && memcmp(again, normal, length) == 0);
  require(mde_name_matches(text, MDE_NAME_RELATION_IS, form) &&
          mde_name_matches(form, MDE_NAME_RELATION_IS, text));
  free(again);
  free(normal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = (const char *)bytes, .length = length};
  if (length == 0) text.bytes = "";
  encode_and_decode(text);
  write_literal(text);
  compare_names(text);
  return 0;
}
