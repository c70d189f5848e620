/*
 * guard: any bytes as a record, one field a line, and behind them what is protected: lines of a
 * letter for the rule and a text. Judged by the first of these, by two of them, and so on.
 *
 * Folding twice is folding once. What the machine has protects it in any case of A to Z. One more
 * text never protects less. Whether a name matches is told a second way, by all that is possible at
 * each character. To judge reads no byte of what is compiled beyond its own, and none of the input.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "casefold.h"
#include "guard.h"
#include "name.h"
#include "target.h"

enum { MOST_LINES = 24, MOST_TEXTS = 16, MOST_BYTES = 4096 };

/* ---- folding */

static void fold_twice(struct mde_text text)
{
  static char once[3 * MOST_BYTES], twice[3 * MOST_BYTES];
  size_t length = mde_casefold(text, once, sizeof once);
  require(length <= sizeof once);
  require(mde_casefold((struct mde_text){once, length}, twice, sizeof twice) == length);
  require(memcmp(once, twice, length) == 0);
  /* Character by character it is the same text. */
  const char *at = text.bytes, *end = text.bytes + text.length;
  const char *own = once, *own_end = once + length;
  while (at < end) {
    require(own < own_end);
    require(mde_casefold_next(&at, end) == mde_casefold_next(&own, own_end));
  }
  require(own == own_end);
}

/* ---- a second opinion about names */

static size_t characters_of(struct mde_text text, uint32_t characters[MOST_BYTES])
{
  size_t count = 0;
  for (const char *at = text.bytes; at < text.bytes + text.length;)
    characters[count++] = mde_casefold_next(&at, text.bytes + text.length);
  return count;
}

/* Which beginnings of the text the beginning of the glob so far may be. */
static bool matches(struct mde_text glob, struct mde_text text)
{
  static uint32_t wanted[MOST_BYTES], own[MOST_BYTES];
  static bool may[MOST_BYTES + 1];
  size_t glob_length = characters_of(glob, wanted), length = characters_of(text, own);
  memset(may, 0, sizeof may);
  may[0] = true;
  for (size_t g = 0; g < glob_length; g++) {
    if (wanted[g] == '*') {
      for (size_t i = 1; i <= length; i++)
        may[i] = may[i] || may[i - 1];
      continue;
    }
    for (size_t i = length; i > 0; i--)
      may[i] = may[i - 1] && (wanted[g] == '?' || wanted[g] == own[i - 1]);
    may[0] = false;
  }
  return may[length];
}

/* Blanks as guard.h has them, in ASCII alone: what is trimmed beyond is left to the table test. */
static struct mde_text trimmed(struct mde_text text)
{
  while (text.length > 0 && (unsigned char)text.bytes[0] <= ' ')
    text.bytes++, text.length--;
  while (text.length > 0 && (unsigned char)text.bytes[text.length - 1] <= ' ')
    text.length--;
  return text;
}

static bool is_ascii(struct mde_text text)
{
  for (size_t i = 0; i < text.length; i++)
    if ((signed char)text.bytes[i] < 0 || text.bytes[i] == 0x7f) return false;
  return true;
}

static void check_name(struct mde_text glob, struct mde_text name, bool is_protected)
{
  if (!is_ascii(glob) || !is_ascii(name) || glob.length * name.length > 65536) return;
  glob = mde_name_asked(trimmed(glob), MDE_NAME_RELATION_IS);
  name = mde_name_asked(trimmed(name), MDE_NAME_RELATION_IS);
  struct mde_text host = name;
  const char *dot = memchr(host.bytes, '.', host.length);
  if (dot != NULL) host.length = (size_t)(dot - host.bytes);
  require(is_protected == (matches(glob, name) || matches(glob, host)));
}

/* ---- and about tags */

static void check_tag(struct mde_text tag, const struct mde_guard_value *tags, bool is_protected)
{
  static char wanted[3 * MOST_BYTES], own[3 * MOST_BYTES];
  size_t length = mde_guard_tag(tag, wanted, sizeof wanted);
  bool has = false;
  for (size_t i = 0; i < tags->count; i++)
    has = has || (mde_guard_tag(tags->items[i], own, sizeof own) == length &&
                  memcmp(own, wanted, length) == 0);
  require(is_protected == has);
}

/* ---- judging */

struct protection {
  struct mde_text texts[4][MOST_TEXTS];
  size_t counts[4];
  bool servers;
};

/* Which rules protect the machine; what is found and what it is by have to be whole. */
static unsigned judge(const struct protection *protection, const struct mde_guard_record *record)
{
  static const bool none[MDE_GUARD_RULES] = {false};
  struct mde_protect protect = {
      .tags = {protection->texts[0], protection->counts[0]},
      .names = {protection->texts[1], protection->counts[1]},
      .device_values = {protection->texts[2], protection->counts[2]},
      .platforms = {protection->texts[3], protection->counts[3]},
      .servers = protection->servers,
  };
  struct mde_guard_broken broken[MDE_GUARD_RULES];
  void *room = malloc(mde_guard_size(&protect));
  require(room != NULL);
  const struct mde_guard *guard = mde_guard_compile(&protect, room);
  size_t count = mde_guard_judge(guard, record, none, broken);
  require(count <= MDE_GUARD_RULES);
  unsigned rules = 0;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) {
    require(i == 0 || broken[i - 1].rule < broken[i].rule);
    require(mde_guard_has(guard, broken[i].rule));
    rules |= 1u << broken[i].rule;
    for (size_t b = 0; b < broken[i].found.length; b++)
      bytes += (unsigned char)broken[i].found.bytes[b];
    for (size_t b = 0; b < broken[i].by.length; b++)
      bytes += (unsigned char)broken[i].by.bytes[b];
  }
  require(bytes < SIZE_MAX);
  free(room);
  return rules;
}

/* With the case of each letter of A to Z as the bits have it. */
static struct mde_text in_mixed_case(struct mde_text text, unsigned bits, char *room)
{
  for (size_t i = 0; i < text.length; i++)
    room[i] = (char)((bits >> i % 8 & 1) != 0 ? mde_ascii_upper(text.bytes[i])
                                              : mde_ascii_lower(text.bytes[i]));
  return (struct mde_text){room, text.length};
}

static void protects_itself(const struct mde_guard_record *record, unsigned bits)
{
  static char room[3][MOST_BYTES];
  struct protection own = {.counts = {record->tags.count > 0 ? 1 : 0, 1, 0, 1}};
  if (record->tags.count > 0)
    own.texts[0][0] = in_mixed_case(record->tags.items[record->tags.count - 1], bits, room[0]);
  own.texts[1][0] = in_mixed_case(record->name.text, bits, room[1]);
  own.texts[3][0] = in_mixed_case(record->platform.text, bits, room[2]);
  unsigned rules = judge(&own, record);
  require(record->tags.count == 0 || (rules & 1u << MDE_GUARD_TAGS) != 0);
  require((rules & 1u << MDE_GUARD_NAMES) != 0);
  require((rules & 1u << MDE_GUARD_PLATFORMS) != 0);
}

static struct mde_text next_line(const char **at, const char *end)
{
  const char *from = *at, *stop = from;
  while (stop < end && *stop != '\n')
    stop++;
  *at = stop < end ? stop + 1 : stop;
  return (struct mde_text){from, (size_t)(stop - from)};
}

static struct mde_guard_value value_of(struct mde_text text)
{
  return (struct mde_guard_value){.kind = MDE_GUARD_TEXT, .text = text};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  if (length == 0 || length > MOST_BYTES) return 0;
  const char *at = (const char *)bytes, *end = at + length;
  unsigned bits = bytes[0];
  struct mde_text tags[3];
  struct mde_guard_record record;
  record.name = value_of(next_line(&at, end));
  record.platform = value_of(next_line(&at, end));
  record.device_value = value_of(next_line(&at, end));
  record.tags = (struct mde_guard_value){
      .kind = MDE_GUARD_LIST, .items = tags, .count = bits % (sizeof tags / sizeof tags[0] + 1)};
  for (size_t i = 0; i < record.tags.count; i++)
    tags[i] = next_line(&at, end);

  fold_twice((struct mde_text){(const char *)bytes, length});
  fold_twice(record.name.text);
  protects_itself(&record, bits);

  struct protection protection = {.servers = false};
  unsigned before = judge(&protection, &record);
  require(before == 0);
  for (int lines = 0; at < end && lines < MOST_LINES; lines++) {
    struct mde_text line = next_line(&at, end);
    if (line.length == 0) continue;
    static const char letters[] = {'t', 'n', 'v', 'p'};
    int rule = 0;
    while (rule < 4 && line.bytes[0] != letters[rule])
      rule++;
    struct mde_text text = {line.bytes + 1, line.length - 1};
    if (rule == 4)
      protection.servers = true;
    else if (protection.counts[rule] < MOST_TEXTS)
      protection.texts[rule][protection.counts[rule]++] = text;
    unsigned now = judge(&protection, &record);
    require((before & ~now) == 0);
    before = now;
    if (rule > 1) continue;
    struct protection alone = {.counts = {0}};
    alone.texts[rule][alone.counts[rule]++] = text;
    bool is_protected = judge(&alone, &record) != 0;
    if (rule == 0)
      check_tag(text, &record.tags, is_protected);
    else if (record.name.text.length <= MDE_GUARD_MAX_NAME && trimmed(record.name.text).length > 0)
      check_name(text, record.name.text, is_protected);
  }
  return 0;
}
