#include "guard.h"

#include <stdint.h>

#include "casefold.h"
#include "name.h"
#include "unicode.h"
#include "utf8.h"

/* Beside the characters of casefold.h. */
enum { ANY_TEXT = 0x200000, ANY_CHARACTER };

struct pattern {
  const uint32_t *characters; /* folded */
  size_t length;
  struct mde_text text; /* as it was given */
};

struct mde_guard {
  struct {
    const struct pattern *patterns;
    size_t count;
  } rules[MDE_GUARD_RULES];
};

static const char *const rule_names[] = {
    [MDE_GUARD_TAGS] = "tags",
    [MDE_GUARD_NAMES] = "names",
    [MDE_GUARD_DEVICE_VALUES] = "device_values",
    [MDE_GUARD_SERVERS] = "servers",
    [MDE_GUARD_PLATFORMS] = "platforms",
};

/* A host of virtual machines is one, too, whatever it is called: cutting it off cuts off its guests. */
static const struct mde_text any_server[] = {
    {"*server*", 8}, {"*azurestack*", 12}, {"*azurelocal*", 12}, {"*hyperv*", 8}, {"*hyper-v*", 9}};

static const struct mde_text device_values[] = {{"low", 3}, {"normal", 6}, {"high", 4}};

const char *mde_guard_rule_name(enum mde_guard_rule rule)
{
  return rule_names[rule];
}

/* ---- texts */

static bool is_blank(uint32_t character)
{
  return mde_unicode_is_white_space(character) || mde_unicode_is_control(character);
}

/* Without blanks around; empty if there is nothing else. */
static struct mde_text trimmed(struct mde_text text)
{
  const char *end = text.bytes + text.length;
  struct mde_text inside = {text.bytes, 0};
  for (const char *at = text.bytes; at < end;) {
    const char *character = at;
    uint32_t code_point = UINT32_MAX;
    if (mde_utf8_next(&at, end, &code_point) != 1) at++;
    if (is_blank(code_point)) continue;
    if (inside.length == 0) inside.bytes = character;
    inside.length = (size_t)(at - inside.bytes);
  }
  return inside;
}

/* The part of a rule's text, or of the field that the rule is about, that is compared. */
static struct mde_text compared(enum mde_guard_rule rule, struct mde_text text)
{
  text = trimmed(text);
  return rule == MDE_GUARD_NAMES ? mde_name_asked(text, MDE_NAME_RELATION_IS) : text;
}

size_t mde_guard_tag(struct mde_text tag, char *out, size_t size)
{
  return mde_casefold(compared(MDE_GUARD_TAGS, tag), out, size);
}

/* ---- what is protected */

static bool has_one_of(struct mde_text text, const char *characters)
{
  for (size_t i = 0; i < text.length; i++)
    if (text.bytes[i] != '\0' && strchr(characters, text.bytes[i]) != NULL) return true;
  return false;
}

static bool has_control(struct mde_text text)
{
  const char *end = text.bytes + text.length;
  for (const char *at = text.bytes; at < end;) {
    uint32_t code_point = UINT32_MAX;
    if (mde_utf8_next(&at, end, &code_point) != 1) at++;
    if (mde_unicode_is_control(code_point)) return true;
  }
  return false;
}

static bool is_device_value(struct mde_text text)
{
  for (size_t i = 0; i < sizeof device_values / sizeof device_values[0]; i++)
    if (mde_text_same_caseless(text, device_values[i])) return true;
  return false;
}

enum mde_guard_flaw mde_guard_flaw(enum mde_guard_rule rule, struct mde_text text)
{
  struct mde_text inside = trimmed(text);
  if (inside.length == 0) return MDE_GUARD_FLAW_EMPTY;
  if (rule == MDE_GUARD_NAMES) {
    if (has_control(text)) return MDE_GUARD_FLAW_CONTROL;
    if (inside.length < text.length) return MDE_GUARD_FLAW_BLANK;
    if (has_one_of(text, "[]{}")) return MDE_GUARD_FLAW_BRACKET;
    if (text.length > MDE_GUARD_MAX_NAME) return MDE_GUARD_FLAW_LONG;
  }
  if (rule == MDE_GUARD_DEVICE_VALUES && !is_device_value(inside)) return MDE_GUARD_FLAW_UNKNOWN;
  if (rule == MDE_GUARD_PLATFORMS && has_one_of(text, "*?")) return MDE_GUARD_FLAW_WILDCARD;
  return MDE_GUARD_FLAW_NONE;
}

static struct mde_guard_texts texts_of(const struct mde_protect *protect, enum mde_guard_rule rule)
{
  switch (rule) {
  case MDE_GUARD_TAGS:
    return protect->tags;
  case MDE_GUARD_NAMES:
    return protect->names;
  case MDE_GUARD_DEVICE_VALUES:
    return protect->device_values;
  case MDE_GUARD_SERVERS:
    return (struct mde_guard_texts){
        any_server, protect->servers ? sizeof any_server / sizeof any_server[0] : 0};
  case MDE_GUARD_PLATFORMS:
    return protect->platforms;
  case MDE_GUARD_RULES:
    break;
  }
  return (struct mde_guard_texts){NULL, 0};
}

/* How many texts there are; adds up their bytes. A text has at most as many characters. */
static size_t measure(const struct mde_protect *protect, size_t *bytes)
{
  size_t count = 0;
  *bytes = 0;
  for (int rule = 0; rule < MDE_GUARD_RULES; rule++) {
    struct mde_guard_texts texts = texts_of(protect, (enum mde_guard_rule)rule);
    for (size_t i = 0; i < texts.count; i++)
      *bytes += texts.items[i].length;
    count += texts.count;
  }
  return count;
}

size_t mde_guard_size(const struct mde_protect *protect)
{
  size_t bytes;
  size_t count = measure(protect, &bytes);
  return sizeof(struct mde_guard) + count * sizeof(struct pattern) + bytes * (sizeof(uint32_t) + 1);
}

/* Writes the characters of a rule's text; returns how many. */
static size_t fold(enum mde_guard_rule rule, struct mde_text text, uint32_t *characters)
{
  bool has_wildcards = rule == MDE_GUARD_NAMES || rule == MDE_GUARD_SERVERS;
  size_t length = 0;
  text = compared(rule, text);
  for (const char *at = text.bytes; at < text.bytes + text.length;) {
    uint32_t character = mde_casefold_next(&at, text.bytes + text.length);
    if (has_wildcards && character == '*') character = ANY_TEXT;
    if (has_wildcards && character == '?') character = ANY_CHARACTER;
    characters[length++] = character;
  }
  return length;
}

const struct mde_guard *mde_guard_compile(const struct mde_protect *protect, void *room)
{
  size_t bytes;
  size_t count = measure(protect, &bytes);
  struct mde_guard *guard = room;
  struct pattern *pattern = (struct pattern *)(guard + 1);
  uint32_t *characters = (uint32_t *)(pattern + count);
  char *text = (char *)(characters + bytes);
  for (int i = 0; i < MDE_GUARD_RULES; i++) {
    enum mde_guard_rule rule = (enum mde_guard_rule)i;
    struct mde_guard_texts texts = texts_of(protect, rule);
    guard->rules[rule].patterns = pattern;
    guard->rules[rule].count = texts.count;
    for (size_t n = 0; n < texts.count; n++, pattern++) {
      struct mde_text given = texts.items[n];
      pattern->characters = characters;
      pattern->length = fold(rule, given, characters);
      pattern->text = (struct mde_text){text, given.length};
      if (given.length > 0) memcpy(text, given.bytes, given.length);
      characters += pattern->length;
      text += given.length;
    }
  }
  return guard;
}

bool mde_guard_has(const struct mde_guard *guard, enum mde_guard_rule rule)
{
  return guard->rules[rule].count > 0;
}

/* ---- the machine */

/* Where the last star took too little, it takes one character more. */
static bool matches(const struct pattern *pattern, struct mde_text text)
{
  const uint32_t *own = pattern->characters;
  const uint32_t *own_end = own + pattern->length;
  const char *at = text.bytes;
  const char *end = at + text.length;
  const uint32_t *behind_star = NULL;
  const char *taken = NULL;
  while (at < end) {
    if (own < own_end && *own == ANY_TEXT) {
      behind_star = ++own;
      taken = at;
      continue;
    }
    const char *behind = at;
    uint32_t character = mde_casefold_next(&behind, end);
    if (own < own_end && (*own == ANY_CHARACTER || *own == character)) {
      own++;
      at = behind;
    } else if (behind_star != NULL) {
      mde_casefold_next(&taken, end);
      own = behind_star;
      at = taken;
    } else {
      return false;
    }
  }
  while (own < own_end && *own == ANY_TEXT)
    own++;
  return own == own_end;
}

static struct mde_text host_of(struct mde_text name)
{
  const char *dot = memchr(name.bytes, '.', name.length);
  if (dot != NULL) name.length = (size_t)(dot - name.bytes);
  return name;
}

/* Judges a text of the record by a rule. */
static bool judge_text(const struct mde_guard *guard, enum mde_guard_rule rule,
                       struct mde_text found, struct mde_guard_broken *broken)
{
  struct mde_text text = compared(rule, found);
  broken->found = found;
  for (size_t i = 0; i < guard->rules[rule].count; i++) {
    const struct pattern *pattern = &guard->rules[rule].patterns[i];
    if (matches(pattern, text) || (rule == MDE_GUARD_NAMES && matches(pattern, host_of(text)))) {
      broken->reason = MDE_GUARD_MATCHES;
      broken->by = pattern->text;
      return true;
    }
  }
  return false;
}

static bool judge_tags(const struct mde_guard *guard, const struct mde_guard_value *tags,
                       struct mde_guard_broken *broken)
{
  if (tags->kind == MDE_GUARD_ABSENT) return false;
  broken->reason = MDE_GUARD_NOT_A_LIST;
  if (tags->kind != MDE_GUARD_LIST) return true;
  bool has_other = false;
  for (size_t i = 0; i < tags->count; i++) {
    if (tags->items[i].bytes == NULL)
      has_other = true;
    else if (judge_text(guard, MDE_GUARD_TAGS, tags->items[i], broken))
      return true;
  }
  broken->reason = MDE_GUARD_ITEM_NOT_A_TEXT;
  broken->found = (struct mde_text){NULL, 0};
  return has_other;
}

/* Judges a field that holds one text. */
static bool judge_field(const struct mde_guard *guard, enum mde_guard_rule rule,
                        const struct mde_guard_value *field, struct mde_guard_broken *broken)
{
  bool is_text = field->kind == MDE_GUARD_TEXT;
  if (field->kind == MDE_GUARD_ABSENT || (is_text && trimmed(field->text).length == 0)) {
    broken->reason = MDE_GUARD_MISSING;
    return rule != MDE_GUARD_DEVICE_VALUES;
  }
  broken->reason = MDE_GUARD_NOT_A_TEXT;
  if (!is_text) return true;
  broken->reason = MDE_GUARD_TOO_LONG;
  broken->found = field->text;
  if (rule == MDE_GUARD_NAMES && field->text.length > MDE_GUARD_MAX_NAME) return true;
  return judge_text(guard, rule, field->text, broken);
}

size_t mde_guard_judge(const struct mde_guard *guard, const struct mde_guard_record *record,
                       const bool lifted[MDE_GUARD_RULES],
                       struct mde_guard_broken broken[MDE_GUARD_RULES])
{
  const struct mde_guard_value *const fields[] = {
      [MDE_GUARD_TAGS] = &record->tags,
      [MDE_GUARD_NAMES] = &record->name,
      [MDE_GUARD_DEVICE_VALUES] = &record->device_value,
      [MDE_GUARD_SERVERS] = &record->platform,
      [MDE_GUARD_PLATFORMS] = &record->platform,
  };
  size_t count = 0;
  for (int i = 0; i < MDE_GUARD_RULES; i++) {
    enum mde_guard_rule rule = (enum mde_guard_rule)i;
    if (lifted[rule] || !mde_guard_has(guard, rule)) continue;
    broken[count] = (struct mde_guard_broken){.rule = rule};
    if (rule == MDE_GUARD_TAGS ? judge_tags(guard, fields[rule], &broken[count])
                               : judge_field(guard, rule, fields[rule], &broken[count]))
      count++;
  }
  return count;
}
