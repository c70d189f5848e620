/*
 * device: any bytes as what is asked for, in the first line, and as the records behind it, one a
 * line: id|name|health|status|into|seen|entra.
 *
 * So that fuzzing finds records that answer: #7 is the machine id of sevens, = is what is asked
 * for, and >x is that with a dot and an x behind it.
 *
 * What is read is read alike again. Which records answer is told a second way, by what a name begins
 * with. The one that is meant is onboarded, unmerged, answers, and is alone in that. The order of the
 * records changes nothing, nor does one of another name. A second one in use is never passed over.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "device.h"
#include "name.h"
#include "target.h"
#include "timestamp.h"

enum { MOST_RECORDS = 12, MOST_BYTES = 1024 };

static struct mde_text canonical_of(const struct mde_device *device)
{
  return (struct mde_text){device->canonical, device->length};
}

/* ---- the input */

static struct mde_text next_part(const char **at, const char *end, char behind)
{
  const char *found = *at < end ? memchr(*at, behind, (size_t)(end - *at)) : NULL;
  const char *part_end = found == NULL ? end : found;
  struct mde_text part = {*at, (size_t)(part_end - *at)};
  *at = found == NULL ? end : found + 1;
  return part;
}

static char made[MOST_RECORDS * 3][MOST_BYTES];
static size_t made_count;

/* What a field stands for. */
static struct mde_text value_of(struct mde_text field, struct mde_text asked)
{
  if (field.length == 0) return (struct mde_text){NULL, 0};
  if (field.length == 1 && field.bytes[0] == '=') return asked;
  if (made_count == sizeof made / sizeof made[0]) return field;
  char *out = made[made_count];
  if (field.length == 2 && field.bytes[0] == '#') {
    made_count++;
    memset(out, field.bytes[1], 40);
    return (struct mde_text){out, 40};
  }
  if (field.bytes[0] != '>' || asked.length + field.length > MOST_BYTES) return field;
  made_count++;
  memcpy(out, asked.bytes, asked.length);
  memcpy(out + asked.length, field.bytes, field.length);
  out[asked.length] = '.';
  return (struct mde_text){out, asked.length + field.length};
}

static struct mde_device_record record_of(struct mde_text line, struct mde_text asked)
{
  const char *at = line.bytes, *end = line.bytes + line.length;
  struct mde_device_record record;
  record.id = value_of(next_part(&at, end, '|'), asked);
  record.name = value_of(next_part(&at, end, '|'), asked);
  record.health = value_of(next_part(&at, end, '|'), asked);
  record.onboarding = value_of(next_part(&at, end, '|'), asked);
  record.merged_into = value_of(next_part(&at, end, '|'), asked);
  record.last_seen = value_of(next_part(&at, end, '|'), asked);
  record.entra_id = value_of(next_part(&at, end, '|'), asked);
  return record;
}

/* ---- what is asked for */

static void read_again(const struct mde_device *device)
{
  static struct mde_device again;
  require(memchr(device->reason, '\0', sizeof device->reason) != NULL);
  bool means_none = device->kind == MDE_DEVICE_KIND_NONE;
  require((device->reason[0] != '\0') ==
          (means_none || device->kind == MDE_DEVICE_KIND_IP_ADDRESS));
  require(means_none == (device->length == 0));
  if (means_none) return;
  mde_device_read(canonical_of(device), &again);
  require(again.kind == device->kind && again.length == device->length &&
          memcmp(again.canonical, device->canonical, device->length) == 0);
}

/* ---- which records answer: a second opinion */

static bool is_name(const struct mde_device *asked)
{
  return asked->kind == MDE_DEVICE_KIND_FULL_NAME || asked->kind == MDE_DEVICE_KIND_BARE_NAME;
}

static bool begins_with(struct mde_text name, const struct mde_device *asked)
{
  char beginning[MDE_DEVICE_MAX_BYTES + 1];
  memcpy(beginning, asked->canonical, asked->length);
  beginning[asked->length] = '.';
  return mde_name_matches(name, MDE_NAME_RELATION_STARTS,
                          (struct mde_text){beginning, asked->length + 1});
}

static void check_answer(const struct mde_device *asked, struct mde_text text,
                         const struct mde_device_record *record)
{
  bool answers = mde_device_answers(asked, record);
  if (answers) require(mde_device_differs(record, &text, 1) == 1);
  if (!is_name(asked)) return;
  struct mde_text canonical = canonical_of(asked);
  bool by_name = false;
  if (record->name.bytes != NULL) {
    by_name = mde_name_matches(record->name, MDE_NAME_RELATION_IS, canonical);
    if (asked->kind == MDE_DEVICE_KIND_BARE_NAME)
      by_name = by_name || begins_with(record->name, asked);
  }
  require(by_name == answers);
  if (!answers) return;
  struct mde_text own = mde_name_asked(record->name, MDE_NAME_RELATION_IS);
  require(mde_text_same_caseless(mde_device_host(own), mde_device_host(canonical)));
}

/* ---- the choice */

struct result {
  enum mde_device_choice choice;
  struct mde_device_listed listed[MOST_RECORDS + 2];
  size_t count;
};

static struct result choose(const struct mde_device *asked, const struct mde_device_record *records,
                            size_t count)
{
  struct result result;
  result.choice = mde_device_choose(asked, records, count, result.listed, &result.count);
  require(result.count <= count);
  return result;
}

static bool is(struct mde_text value, const char *word)
{
  return mde_text_same_caseless(value, (struct mde_text){word, strlen(word)});
}

static bool is_usable(const struct mde_device_record *record)
{
  return record->merged_into.length == 0 &&
         (record->onboarding.length == 0 || is(record->onboarding, "onboarded"));
}

static bool is_live(const struct mde_device_record *record)
{
  return is_usable(record) && !is(record->health, "inactive");
}

/* What the choice says of the records, counted one by one. */
static void check_choice(const struct mde_device *asked, const struct mde_device_record *records,
                         size_t count, const struct result *result)
{
  size_t answering = 0, unidentified = 0, live = 0, usable = 0, merged = 0;
  bool is_by_id = asked != NULL && asked->kind == MDE_DEVICE_KIND_MACHINE_ID;
  for (size_t i = 0; i < count; i++) {
    if (asked != NULL && !mde_device_answers(asked, &records[i])) continue;
    answering++;
    if (!mde_device_is_machine_id(records[i].id)) unidentified++;
    if (is_usable(&records[i])) usable++;
    if (is_live(&records[i])) live++;
    if (records[i].merged_into.length > 0) merged++;
  }
  require((result->choice == MDE_DEVICE_CHOICE_NONE) == (answering == 0));
  require((result->choice == MDE_DEVICE_CHOICE_UNIDENTIFIED) == (unidentified > 0));
  for (size_t i = 0; i < result->count; i++) {
    const struct mde_device_record *record = &records[result->listed[i].index];
    require(asked == NULL || mde_device_answers(asked, record));
    require(mde_device_is_machine_id(record->id));
    if (i == 0) continue;
    const struct mde_device_record *before = &records[result->listed[i - 1].index];
    int64_t time = mde_timestamp(record->last_seen), earlier = mde_timestamp(before->last_seen);
    require(earlier > time || (earlier == time && !mde_text_before(record->id, before->id)));
  }
  const struct mde_device_record *first = &records[result->count > 0 ? result->listed[0].index : 0];
  switch (result->choice) {
  case MDE_DEVICE_CHOICE_ONE:
    require(result->count == 1 && first->merged_into.length == 0);
    if (is_by_id) require(merged == 0);
    if (!is_by_id) require(is_usable(first) && live <= 1 && is_live(first) == (live == 1));
    break;
  case MDE_DEVICE_CHOICE_SEVERAL:
    require(!is_by_id && result->count > 1);
    require(result->count == (live > 0 ? live : usable));
    break;
  case MDE_DEVICE_CHOICE_MERGED:
    require(result->count == merged && (is_by_id || merged == answering));
    break;
  case MDE_DEVICE_CHOICE_MERGED_OR_NOT_ONBOARDED:
    require(result->count == merged && merged > 0 && merged < answering && usable == 0);
    break;
  case MDE_DEVICE_CHOICE_NOT_ONBOARDED:
    require(result->count == answering && merged == 0 && usable == 0);
    break;
  case MDE_DEVICE_CHOICE_NONE:
  case MDE_DEVICE_CHOICE_UNIDENTIFIED:
    require(result->count == 0);
    break;
  }
}

static void require_same(const struct result *a, const struct mde_device_record *a_records,
                         const struct result *b, const struct mde_device_record *b_records)
{
  require(a->choice == b->choice && a->count == b->count);
  for (size_t i = 0; i < a->count; i++) {
    require(a->listed[i].last_seen == b->listed[i].last_seen);
    require(mde_text_same(a_records[a->listed[i].index].id, b_records[b->listed[i].index].id));
  }
}

static void exchange_them(const struct mde_device *asked, const struct mde_device_record *records,
                          size_t count, const struct result *result)
{
  struct mde_device_record others[MOST_RECORDS];
  for (size_t by = 0; by < count; by++) {
    for (size_t i = 0; i < count; i++)
      others[i] = records[by % 2 == 0 ? (i + by) % count : count - 1 - (i + by) % count];
    struct result again = choose(asked, others, count);
    require_same(result, records, &again, others);
  }
}

static const char other_id[] = "5555555555555555555555555555555555555eee";

/* One that does not answer changes nothing; one in use that does is never passed over. */
static void add_one(const struct mde_device *asked, const struct mde_device_record *records,
                    size_t count, const struct result *result)
{
  struct mde_device_record more[MOST_RECORDS + 1];
  memcpy(more + 1, records, count * sizeof *records);
  struct mde_device_record one = {.id = {other_id, 40}, .name = {"unrelated", 9}};
  more[0] = one;
  if (!mde_device_answers(asked, &one)) {
    struct result again = choose(asked, more, count + 1);
    require_same(result, records, &again, more);
  }
  if (asked->kind == MDE_DEVICE_KIND_MACHINE_ID) return;
  more[0].name = is_name(asked) ? canonical_of(asked) : (struct mde_text){NULL, 0};
  more[0].entra_id = is_name(asked) ? (struct mde_text){NULL, 0} : canonical_of(asked);
  struct result again = choose(asked, more, count + 1);
  check_choice(asked, more, count + 1, &again);
  bool had_live = result->count > 0 && is_live(&records[result->listed[0].index]);
  if (result->choice == MDE_DEVICE_CHOICE_UNIDENTIFIED)
    require(again.choice == MDE_DEVICE_CHOICE_UNIDENTIFIED);
  else if (had_live)
    require(again.choice == MDE_DEVICE_CHOICE_SEVERAL && again.count == result->count + 1);
  else
    require(again.choice == MDE_DEVICE_CHOICE_ONE && again.listed[0].index == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const char *at = length == 0 ? "" : (const char *)bytes, *end = at + length;
  static struct mde_device asked;
  struct mde_text text = next_part(&at, end, '\n');
  mde_device_read(text, &asked);
  read_again(&asked);

  struct mde_device_record records[MOST_RECORDS];
  size_t count = 0;
  made_count = 0;
  while (at < end && count < MOST_RECORDS) {
    records[count] = record_of(next_part(&at, end, '\n'), canonical_of(&asked));
    check_answer(&asked, text, &records[count++]);
  }
  struct result all = choose(NULL, records, count);
  check_choice(NULL, records, count, &all);
  exchange_them(NULL, records, count, &all);
  struct result result = choose(&asked, records, count);
  check_choice(&asked, records, count, &result);
  exchange_them(&asked, records, count, &result);
  if (asked.kind != MDE_DEVICE_KIND_NONE && asked.kind != MDE_DEVICE_KIND_IP_ADDRESS)
    add_one(&asked, records, count, &result);
  return 0;
}
