#include "refusal.h"

/* Moves `text` behind the first place where the words stand; false, and nothing moved, without. */
static bool move_behind(struct mde_text *text, const char *words)
{
  size_t length = strlen(words);
  if (text->bytes == NULL) return false;
  const char *end = text->bytes + text->length;
  for (const char *at = text->bytes; (size_t)(end - at) >= length; at++)
    if (memcmp(at, words, length) == 0) {
      *text = (struct mde_text){at + length, (size_t)(end - at) - length};
      return true;
    }
  return false;
}

static bool says(struct mde_text message, const char *words)
{
  return move_behind(&message, words);
}

bool mde_refusal_is_active(struct mde_text code, struct mde_text message)
{
  static const char active[] = "ActiveRequestAlreadyExists";
  return mde_text_same(code, (struct mde_text){active, sizeof active - 1}) ||
         says(message, "Action is already in progress");
}

/* What stands before the next blank. */
static struct mde_text word(struct mde_text text)
{
  const char *blank = memchr(text.bytes, ' ', text.length);
  if (blank != NULL) text.length = (size_t)(blank - text.bytes);
  return text;
}

static bool begins_with(struct mde_text text, const char *words)
{
  size_t length = strlen(words);
  return text.length >= length && memcmp(text.bytes, words, length) == 0;
}

bool mde_refusal_wait(struct mde_text message, double *seconds)
{
  bool found = false;
  *seconds = 0;
  while (move_behind(&message, "again in ")) {
    struct mde_text number = word(message);
    struct mde_text unit = {number.bytes + number.length, message.length - number.length};
    double wait;
    if (!begins_with(unit, " second") || !mde_header_number(number, &wait)) continue;
    if (wait >= MDE_REFUSAL_ABSURD_SECONDS) continue;
    if (wait > *seconds) *seconds = wait;
    found = true;
  }
  return found;
}

int mde_refusal_retry_after(const struct mde_retry_headers *headers, int status,
                            struct mde_text message, double now, double *seconds)
{
  int told = mde_header_retry_after(headers, now, seconds);
  if (told != MDE_RETRY_AFTER_NONE || status != 429) return told;
  return mde_refusal_wait(message, seconds) ? MDE_RETRY_AFTER_FOUND : MDE_RETRY_AFTER_NONE;
}

bool mde_refusal_is_not_provisioned(struct mde_text message)
{
  return says(message, "Account mode is inactive") || says(message, "not provisioned");
}

bool mde_refusal_roles(struct mde_text message, struct mde_text *required, struct mde_text *present)
{
  static const char between[] = ", application roles:";
  if (!move_behind(&message, "API required roles: ")) return false;
  *required = message;
  if (!move_behind(&message, between)) return false;
  required->length -= message.length + sizeof between - 1;
  if (message.length > 0 && message.bytes[0] == ' ') {
    message.bytes++;
    message.length--;
  }
  if (message.length > 0 && message.bytes[message.length - 1] == '.') message.length--;
  *present = message;
  return true;
}
