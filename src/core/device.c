#include "device.h"

#include <stdio.h>

#include "ascii.h"
#include "ip_address.h"
#include "name.h"
#include "odata.h"
#include "timestamp.h"
#include "utf8.h"

/* ---- ids */

bool mde_device_is_machine_id(struct mde_text text)
{
  if (text.length != 40) return false;
  for (size_t i = 0; i < text.length; i++)
    if (mde_ascii_hexadecimal(text.bytes[i]) < 0) return false;
  return true;
}

bool mde_device_is_guid(struct mde_text text)
{
  if (text.length != 36) return false;
  for (size_t i = 0; i < text.length; i++) {
    bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text.bytes[i] != '-' : mde_ascii_hexadecimal(text.bytes[i]) < 0) return false;
  }
  return true;
}

bool mde_device_is_zero_guid(struct mde_text text)
{
  if (!mde_device_is_guid(text)) return false;
  for (size_t i = 0; i < text.length; i++)
    if (text.bytes[i] != '0' && text.bytes[i] != '-') return false;
  return true;
}

/* Whether an id has been damaged on its way; if so, the reason is set. */
static bool is_damaged_id(struct mde_text text, struct mde_device *device)
{
  if (text.length < 30 || text.length > 64) return false;
  size_t digits = 0;
  for (size_t i = 0; i < text.length; i++) {
    char c = text.bytes[i];
    if (mde_ascii_hexadecimal(c) >= 0)
      digits++;
    else if (c != '-' && c != '{' && c != '}')
      return false;
  }
  if (digits == text.length && digits != 32)
    snprintf(device->reason, sizeof device->reason,
             "looks like a machine id, but has %zu hex digits instead of 40", digits);
  else
    snprintf(device->reason, sizeof device->reason,
             "looks like an Entra device id, but is not 8-4-4-4-12 hex digits with dashes between");
  return true;
}

/* ---- names */

struct mde_text mde_device_host(struct mde_text name)
{
  if (name.length < 2) return name;
  const char *dot = memchr(name.bytes + 1, '.', name.length - 1);
  if (dot != NULL) name.length = (size_t)(dot - name.bytes);
  return name;
}

static bool is_only_space(struct mde_text text)
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  uint32_t code_point = 0;
  while (mde_utf8_next(&at, end, &code_point) == 1)
    if (!mde_name_is_blank(code_point)) return false;
  return true;
}

static bool is_only_dots(struct mde_text text)
{
  for (size_t i = 0; i < text.length; i++)
    if (text.bytes[i] != '.') return false;
  return true;
}

/* The first character that no device's name has; NUL without one. */
static char foreign_character(struct mde_text text)
{
  for (size_t i = 0; i < text.length; i++)
    if (strchr("/\\:*?<>|", text.bytes[i]) != NULL) return text.bytes[i];
  return '\0';
}

/* ---- what is asked for */

static struct mde_text canonical_of(const struct mde_device *device)
{
  return (struct mde_text){.bytes = device->canonical, .length = device->length};
}

static void set_canonical(struct mde_device *device, enum mde_device_kind kind,
                          struct mde_text text)
{
  device->kind = kind;
  device->length = text.length;
  memcpy(device->canonical, text.bytes, text.length);
  if (kind == MDE_DEVICE_KIND_FULL_NAME || kind == MDE_DEVICE_KIND_BARE_NAME) return;
  for (size_t i = 0; i < device->length; i++)
    device->canonical[i] = (char)mde_ascii_lower(device->canonical[i]);
}

static void refuse(struct mde_device *device, const char *reason)
{
  snprintf(device->reason, sizeof device->reason, "%s", reason);
}

/* A text that is no machine id, without blanks around it and the dot at its end. */
static void read_trimmed(struct mde_text text, struct mde_device *device)
{
  struct mde_ip_address address;
  if (mde_device_is_zero_guid(text)) {
    refuse(device, "is the all-zero GUID, which no device has");
  } else if (mde_device_is_guid(text)) {
    set_canonical(device, MDE_DEVICE_KIND_GUID, text);
  } else if (mde_ip_address_read(text, &address)) {
    refuse(device, "is an IP address, and who has it now may not be who had it then");
    set_canonical(device, MDE_DEVICE_KIND_IP_ADDRESS, address.text);
  } else if (is_damaged_id(text, device)) {
    return;
  } else if (is_only_dots(text)) {
    refuse(device, "is only dots");
  } else if (foreign_character(text) != '\0') {
    snprintf(device->reason, sizeof device->reason, "contains \"%c\", which no device name has",
             foreign_character(text));
  } else {
    bool is_bare = mde_device_host(text).length == text.length;
    set_canonical(device, is_bare ? MDE_DEVICE_KIND_BARE_NAME : MDE_DEVICE_KIND_FULL_NAME, text);
  }
}

void mde_device_read(struct mde_text text, struct mde_device *device)
{
  device->kind = MDE_DEVICE_KIND_NONE;
  device->length = 0;
  device->reason[0] = '\0';
  if (text.length == 0) {
    refuse(device, "is empty");
  } else if (text.length > MDE_DEVICE_MAX_BYTES) {
    snprintf(device->reason, sizeof device->reason, "is %zu bytes long; a name has at most %d",
             text.length, (int)MDE_DEVICE_MAX_BYTES);
  } else if (mde_device_is_machine_id(text)) {
    set_canonical(device, MDE_DEVICE_KIND_MACHINE_ID, text);
  } else if (mde_odata_flaw(text, device->reason) != MDE_ODATA_FLAW_NONE) {
    return;
  } else if (is_only_space(text)) {
    refuse(device, "is only white space");
  } else {
    struct mde_text trimmed = mde_name_asked(text, MDE_NAME_RELATION_IS);
    bool is_id = mde_device_is_machine_id(trimmed) || mde_device_is_guid(trimmed);
    if (is_id && trimmed.length < text.length)
      refuse(device, "is an id with a blank or a dot beside it");
    else
      read_trimmed(trimmed, device);
  }
}

/* ---- the records */

/* Whether that is the record's name, or the host in it. `name` is without blanks and dot. */
static bool has_name(const struct mde_device_record *record, struct mde_text name)
{
  if (record->name.bytes == NULL) return false;
  struct mde_text own = mde_name_asked(record->name, MDE_NAME_RELATION_IS);
  return mde_text_same_caseless(own, name) || mde_text_same_caseless(mde_device_host(own), name);
}

bool mde_device_answers(const struct mde_device *asked, const struct mde_device_record *record)
{
  switch (asked->kind) {
  case MDE_DEVICE_KIND_MACHINE_ID:
    return mde_text_same_caseless(record->id, canonical_of(asked));
  case MDE_DEVICE_KIND_GUID:
    return mde_text_same_caseless(record->entra_id, canonical_of(asked));
  case MDE_DEVICE_KIND_FULL_NAME:
  case MDE_DEVICE_KIND_BARE_NAME:
    return has_name(record, canonical_of(asked));
  case MDE_DEVICE_KIND_NONE:
  case MDE_DEVICE_KIND_IP_ADDRESS:
    break;
  }
  return false;
}

static bool is(struct mde_text value, const char *word)
{
  struct mde_text text = {.bytes = word, .length = strlen(word)};
  return mde_text_same_caseless(value, text);
}

enum mde_device_standing mde_device_standing(const struct mde_device_record *record)
{
  if (!mde_device_is_machine_id(record->id)) return MDE_DEVICE_STANDING_UNIDENTIFIED;
  if (record->merged_into.length > 0) return MDE_DEVICE_STANDING_MERGED;
  if (record->onboarding.length > 0 && !is(record->onboarding, "onboarded"))
    return MDE_DEVICE_STANDING_NOT_ONBOARDED;
  return is(record->health, "inactive") ? MDE_DEVICE_STANDING_INACTIVE : MDE_DEVICE_STANDING_LIVE;
}

/* ---- the order of candidates */

static bool comes_before(const struct mde_device_record *records, struct mde_device_listed a,
                         struct mde_device_listed b)
{
  if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
  return mde_text_before(records[a.index].id, records[b.index].id);
}

static void swap(struct mde_device_listed *a, struct mde_device_listed *b)
{
  struct mde_device_listed kept = *a;
  *a = *b;
  *b = kept;
}

/* Moves one down to where it belongs in a heap that has what comes last on top. */
static void sink(const struct mde_device_record *records, struct mde_device_listed *heap,
                 size_t count, size_t at)
{
  for (size_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
    if (child + 1 < count && comes_before(records, heap[child], heap[child + 1])) child++;
    if (!comes_before(records, heap[at], heap[child])) return;
    swap(&heap[at], &heap[child]);
  }
}

static void sort(const struct mde_device_record *records, struct mde_device_listed *listed,
                 size_t count)
{
  for (size_t i = count / 2; i > 0; i--)
    sink(records, listed, count, i - 1);
  for (size_t left = count; left > 1; left--) {
    swap(&listed[0], &listed[left - 1]);
    sink(records, listed, left - 1, 0);
  }
}

/* ---- the choice */

static bool is_by_id(const struct mde_device *asked)
{
  return asked != NULL && asked->kind == MDE_DEVICE_KIND_MACHINE_ID;
}

/* MDE_DEVICE_STANDINGS: it does not answer. */
static enum mde_device_standing standing_for(const struct mde_device *asked,
                                             const struct mde_device_record *record)
{
  if (asked != NULL && !mde_device_answers(asked, record)) return MDE_DEVICE_STANDINGS;
  enum mde_device_standing standing = mde_device_standing(record);
  return is_by_id(asked) && standing != MDE_DEVICE_STANDING_MERGED ? MDE_DEVICE_STANDING_LIVE
                                                                   : standing;
}

enum mde_device_choice mde_device_choose(const struct mde_device *asked,
                                         const struct mde_device_record *records, size_t count,
                                         struct mde_device_listed *listed, size_t *listed_count)
{
  size_t counts[MDE_DEVICE_STANDINGS + 1] = {0};
  for (size_t i = 0; i < count; i++)
    counts[standing_for(asked, &records[i])]++;
  *listed_count = 0;
  if (counts[MDE_DEVICE_STANDING_UNIDENTIFIED] > 0) return MDE_DEVICE_CHOICE_UNIDENTIFIED;
  /* Of one id, what says that it was merged is the newer. */
  if (is_by_id(asked) && counts[MDE_DEVICE_STANDING_MERGED] > 0)
    counts[MDE_DEVICE_STANDING_LIVE] = 0;

  enum mde_device_standing best = MDE_DEVICE_STANDING_LIVE;
  while (best > MDE_DEVICE_STANDING_UNIDENTIFIED && counts[best] == 0)
    best--;
  if (best == MDE_DEVICE_STANDING_UNIDENTIFIED) return MDE_DEVICE_CHOICE_NONE;
  for (size_t i = 0; i < count; i++)
    if (standing_for(asked, &records[i]) == best)
      listed[(*listed_count)++] =
          (struct mde_device_listed){.index = i, .last_seen = mde_timestamp(records[i].last_seen)};
  sort(records, listed, *listed_count);

  if (best == MDE_DEVICE_STANDING_NOT_ONBOARDED) return MDE_DEVICE_CHOICE_NOT_ONBOARDED;
  if (best == MDE_DEVICE_STANDING_MERGED)
    return counts[MDE_DEVICE_STANDING_NOT_ONBOARDED] > 0 ? MDE_DEVICE_CHOICE_MERGED_OR_NOT_ONBOARDED
                                                         : MDE_DEVICE_CHOICE_MERGED;
  if (*listed_count > 1 && !is_by_id(asked)) return MDE_DEVICE_CHOICE_SEVERAL;
  *listed_count = 1;
  return MDE_DEVICE_CHOICE_ONE;
}

/* ---- several identifiers */

static bool can_mean(struct mde_text identifier, const struct mde_device_record *record)
{
  struct mde_device asked;
  mde_device_read(identifier, &asked);
  if (asked.kind == MDE_DEVICE_KIND_NONE) return false;
  return mde_device_answers(&asked, record) || has_name(record, canonical_of(&asked));
}

static bool fits(struct mde_text identifier, const struct mde_device_record *record)
{
  if (can_mean(identifier, record)) return true;
  if (identifier.length < 2 || identifier.bytes[0] != '\'') return false;
  identifier.bytes++;
  identifier.length--;
  return can_mean(identifier, record);
}

size_t mde_device_differs(const struct mde_device_record *record,
                          const struct mde_text *identifiers, size_t count)
{
  size_t i = 0;
  while (i < count && fits(identifiers[i], record))
    i++;
  return i;
}
