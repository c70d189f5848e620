/*
 * json: any bytes as an answer; any bytes as the texts of a list, whose number is known; and any
 * bytes repaired.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "json_digits.h"
#include "json_repair.h"
#include "target.h"
#include "utf8.h"

enum { LONGEST = 4096 };

static const struct mde_text value = {"value", 5};

static void read_answer(struct mde_text text)
{
  size_t count = 0;
  if (!mde_json_list(text, value, &count)) return;
  require(count <= text.length);
  /* Nothing that is cut is a list, and nothing that goes on. */
  size_t end = text.length;
  while (text.bytes[end - 1] != '}')
    end--;
  size_t ignored;
  require(!mde_json_list((struct mde_text){text.bytes, end - 1}, value, &ignored));
  require(!mde_json_list((struct mde_text){text.bytes, end / 2}, value, &ignored));
  char longer[LONGEST + 1];
  memcpy(longer, text.bytes, text.length);
  longer[text.length] = '}';
  require(!mde_json_list((struct mde_text){longer, text.length + 1}, value, &ignored));
}

/* Each line of the input as a text of the list, and once more as the name of a member before it. */
static void read_list(struct mde_text text)
{
  static char json[16 * LONGEST];
  char *at = json + sprintf(json, "{\"x\":{\"value\":{}},\"value\" : [");
  size_t lines = 0;
  for (size_t i = 0; i <= text.length; i++) {
    if (i == 0 || text.bytes[i - 1] == '\n') {
      at += sprintf(at, lines > 0 ? "\", \"" : "\"");
      lines++;
    }
    if (i == text.length) break;
    unsigned char c = (unsigned char)text.bytes[i];
    if (c == '"' || c == '\\') *at++ = '\\';
    if (c < ' ')
      at += sprintf(at, "\\u%04x", c);
    else
      *at++ = (char)c;
  }
  at += sprintf(at, "\"]}");
  size_t count = 0;
  require(mde_json_list((struct mde_text){json, (size_t)(at - json)}, value, &count));
  require(count == lines);
}

/* What was repaired is UTF-8 without a NUL, as long as was counted. */
static void repair(struct mde_text text)
{
  static char out[MDE_JSON_REPAIR_GROWTH * LONGEST];
  size_t length = mde_json_repair(text, NULL);
  require(length <= MDE_JSON_REPAIR_GROWTH * text.length && mde_json_repair(text, out) == length);
  struct mde_text repaired = {out, length};
  require(mde_utf8_is_valid(repaired) && memchr(out, '\0', length) == NULL);
}

/* What has its digits kept is as long as was counted, and keeping them once more changes nothing. */
static void keep_digits(struct mde_text text)
{
  static char out[MDE_JSON_DIGITS_GROWTH * LONGEST];
  size_t length = mde_json_digits(text, NULL);
  require(length <= MDE_JSON_DIGITS_GROWTH * text.length && mde_json_digits(text, out) == length);
  require(mde_json_digits((struct mde_text){out, length}, NULL) == length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  if (length > LONGEST) return 0;
  read_answer(text);
  read_list(text);
  repair(text);
  keep_digits(text);
  return 0;
}
