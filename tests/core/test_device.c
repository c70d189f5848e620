/*
 * device: which records answer to what is asked for, which of them is meant, and whether several
 * identifiers mean one.
 *
 * Each row of the choice is a sentence, and is tried with the records in every order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device.h"
#include "test_edge.h"
#include "timestamp.h"

#define ID "0123456789abcdef0123456789ABCDEF01234567"
#define ZERO "00000000-0000-0000-0000-000000000000"

/* ---- records, written as texts */

enum { MOST_RECORDS = 8, MOST_TEXTS = 64 };

/* Each text is a block of its own, for the sanitizers. */
static char *blocks[MOST_TEXTS];
static size_t block_count;

static struct mde_text own_text(const char *bytes, size_t length)
{
  char *block = malloc(length > 0 ? length : 1);
  assert_non_null(block);
  assert_true(block_count < MOST_TEXTS);
  blocks[block_count++] = block;
  memcpy(block, bytes, length);
  return (struct mde_text){.bytes = block, .length = length};
}

static void free_texts(void)
{
  while (block_count > 0)
    free(blocks[--block_count]);
}

/* 7 -> the machine id that ends so; other than numbers as they are. */
static struct mde_text make_id(const char *word, size_t length)
{
  char id[64];
  if (length == 0 || strspn(word, "0123456789") < length) return own_text(word, length);
  snprintf(id, sizeof id, "%040d", atoi(word));
  return own_text(id, strlen(id));
}

/* 7 -> that day of February. */
static struct mde_text make_time(const char *word, size_t length)
{
  char time[64];
  if (length == 0 || strspn(word, "0123456789") < length) return own_text(word, length);
  snprintf(time, sizeof time, "2026-02-%02dT10:11:12Z", atoi(word));
  return own_text(time, strlen(time));
}

/*
 * "1 desk health=Inactive status=x into=2 seen=7 entra=17171717-...": the id, the name, and what
 * else the record says. An id or a name that is absent is a dash.
 */
static struct mde_device_record make_record(const char *line, size_t length)
{
  struct mde_device_record record = {.id = {NULL, 0}};
  size_t place = 0;
  for (const char *at = line, *end = line + length; at < end; place++) {
    size_t size = strcspn(at, " ;");
    if (size > (size_t)(end - at)) size = (size_t)(end - at);
    const char *value = memchr(at, '=', size);
    bool is_absent = size == 1 && *at == '-';
    if (place == 0 && !is_absent) record.id = make_id(at, size);
    if (place == 1 && !is_absent) record.name = own_text(at, size);
    if (place > 1) {
      assert_non_null(value);
      value++;
      size_t value_size = (size_t)(at + size - value);
      if (strncmp(at, "health", 6) == 0)
        record.health = own_text(value, value_size);
      else if (strncmp(at, "status", 6) == 0)
        record.onboarding = own_text(value, value_size);
      else if (strncmp(at, "into", 4) == 0)
        record.merged_into = make_id(value, value_size);
      else if (strncmp(at, "seen", 4) == 0)
        record.last_seen = make_time(value, value_size);
      else if (strncmp(at, "entra", 5) == 0)
        record.entra_id = own_text(value, value_size);
      else
        fail_msg("%s", at);
    }
    at += size;
    if (at < end) at++;
  }
  return record;
}

static size_t make_records(const char *lines, struct mde_device_record records[MOST_RECORDS])
{
  size_t count = 0;
  for (const char *at = lines; *at != '\0';) {
    size_t length = strcspn(at, ";");
    assert_true(count < MOST_RECORDS);
    records[count++] = make_record(at, length);
    at += length;
    if (*at == ';') at += 2;
  }
  return count;
}

/* ---- the choice */

static void write_choice(char *out, size_t size, const struct mde_device *asked,
                         const struct mde_device_record *records, size_t count)
{
  static const char *const names[] = {
      [MDE_DEVICE_CHOICE_ONE] = "one",
      [MDE_DEVICE_CHOICE_NONE] = "none",
      [MDE_DEVICE_CHOICE_SEVERAL] = "several",
      [MDE_DEVICE_CHOICE_UNIDENTIFIED] = "unidentified",
      [MDE_DEVICE_CHOICE_MERGED] = "merged",
      [MDE_DEVICE_CHOICE_MERGED_OR_NOT_ONBOARDED] = "merged or not onboarded",
      [MDE_DEVICE_CHOICE_NOT_ONBOARDED] = "not onboarded",
  };
  struct mde_device_listed listed[MOST_RECORDS];
  size_t listed_count = 77;
  enum mde_device_choice choice = mde_device_choose(asked, records, count, listed, &listed_count);
  assert_true(listed_count <= count);
  size_t length = (size_t)snprintf(out, size, "%s", names[choice]);
  for (size_t i = 0; i < listed_count; i++) {
    char number[9] = {0};
    struct mde_text id = records[listed[i].index].id;
    memcpy(number, id.bytes + id.length - 8, 8);
    length += (size_t)snprintf(out + length, size - length, " %ld", strtol(number, NULL, 16));
  }
}

/* Every other order of them is reached by exchanging two. */
static void try_orders(const char *says, const struct mde_device *asked,
                       struct mde_device_record *records, size_t count, size_t from,
                       const char *expected)
{
  if (from + 1 >= count) {
    char found[256];
    write_choice(found, sizeof found, asked, records, count);
    if (strcmp(found, expected) != 0) fail_msg("%s: %s, not %s", says, found, expected);
    return;
  }
  for (size_t i = from; i < count; i++) {
    struct mde_device_record kept = records[from];
    records[from] = records[i];
    records[i] = kept;
    try_orders(says, asked, records, count, from + 1, expected);
    records[i] = records[from];
    records[from] = kept;
  }
}

#define ENTRA "17171717-0000-4000-8000-00000000000a"
#define NUMBER_5 "0000000000000000000000000000000000000005"
#define DESK "desk.corp.example"

static void choosing(void **state)
{
  (void)state;
  static const struct {
    const char *says;
    const char *asked; /* NULL: all of them answer */
    const char *records;
    const char *expected;
  } cases[] = {
      /* Names. */
      {"a name means nothing where there is nothing", DESK, "", "none"},
      {"a full name means the record that has it", DESK, "1 " DESK, "one 1"},
      {"a full name means no record with another", DESK, "1 desk.lab.example", "none"},
      {"a full name never means a bare record", DESK, "1 desk", "none"},
      {"a full name means no record that it is the beginning of", "desk.corp", "1 " DESK, "none"},
      {"a full name means no record that begins it", DESK ".com", "1 " DESK, "none"},
      {"a bare name means the record that has it", "desk", "1 desk", "one 1"},
      {"a bare name means the record whose host it is", "desk", "1 " DESK, "one 1"},
      {"a bare name is no mere beginning", "desk", "1 desk-17.corp.example", "none"},
      {"a bare name is no mere end", "desk", "1 front-desk", "none"},
      {"a bare name is no domain", "corp", "1 " DESK, "none"},
      {"a bare name is not longer than the host", "desk-17", "1 desk; 2 " DESK, "none"},
      {"a bare name that is one record's and begins another's is ambiguous", "desk",
       "1 desk seen=2; 2 " DESK " seen=1", "several 1 2"},
      {"a bare name in two domains is ambiguous", "desk", "1 " DESK "; 2 desk.lab.example",
       "several 1 2"},
      {"a full name tells two domains apart", "desk.lab.example", "1 " DESK "; 2 desk.lab.example",
       "one 2"},
      {"a name has no case", "DESK.Corp.Example", "1 dEsK.cORP.eXAMPLE", "one 1"},
      {"a bare name has no case", "DESK", "1 desk.corp.example", "one 1"},
      {"a dot at the end of what is asked for is no part of it", DESK ".", "1 " DESK, "one 1"},
      {"a dot at the end of a record's name is no part of it", DESK, "1 " DESK ".", "one 1"},
      {"a bare name with a dot at its end is a bare name", "desk.", "1 " DESK, "one 1"},
      {"blanks around what is asked for are no part of it", " \xc2\xa0" DESK " ", "1 " DESK,
       "one 1"},
      {"two dots behind a host begin a domain", "desk", "1 desk..", "one 1"},
      {"a name of bytes that are no UTF-8 is nobody's", "desk",
       "1 d\xff"
       "esk",
       "none"},
      {"another case of a letter beyond Z is another letter", "m\xc3\xbcller", "1 M\xc3\x9cLLER",
       "none"},
      {"a letter that looks the same is another", "desk", "1 d\xd0\xb5sk", "none"},
      {"a quote in a name is a character", "o'brien", "1 O'Brien.corp.example", "one 1"},
      {"a percent sign in a name is no wildcard", "d%k", "1 desk", "none"},
      {"an underscore in a name is no wildcard", "d_sk", "1 desk", "none"},
      {"a record without a name answers to none", "desk", "1 -", "none"},
      {"an id means no record that has it for a name", ID, "1 " ID, "none"},
      {"a record of another name is nobody's rival", "desk", "1 desk; 2 lamp; 3 -; - lamp",
       "one 1"},
      /* Ids. */
      {"a machine id means its record", NUMBER_5, "5 desk; 6 desk", "one 5"},
      {"a machine id has no case", "00000000000000000000000000000000000000AB",
       "00000000000000000000000000000000000000ab -", "one 171"},
      {"a machine id means an inactive record", NUMBER_5, "5 desk health=Inactive", "one 5"},
      {"a machine id means one that is not onboarded", NUMBER_5, "5 desk status=CanBeOnboarded",
       "one 5"},
      {"a machine id means one that lacks all else", NUMBER_5, "5 -", "one 5"},
      {"a machine id never means one that was merged", NUMBER_5, "5 desk into=6; 6 desk",
       "merged 5"},
      {"a machine id is nobody's where no record has it", NUMBER_5, "6 desk", "none"},
      {"a machine id is not that of a record without one", NUMBER_5, "- desk", "none"},
      {"a machine id that stands there twice means one machine, as it was seen last", NUMBER_5,
       "5 desk seen=1; 5 lamp seen=2", "one 5"},
      {"a machine id that stands there twice is merged if either says so", NUMBER_5,
       "5 desk seen=2; 5 desk into=6 seen=1", "merged 5"},
      {"an Entra id means the record that has it", ENTRA, "1 desk entra=" ENTRA "; 2 desk",
       "one 1"},
      {"an Entra id has no case", "17171717-0000-4000-8000-00000000000A", "1 - entra=" ENTRA,
       "one 1"},
      {"an Entra id that two records have is ambiguous", ENTRA,
       "1 desk entra=" ENTRA "; 2 lamp entra=" ENTRA, "several 1 2"},
      {"an Entra id means the one that is in use", ENTRA,
       "1 desk health=Inactive entra=" ENTRA "; 2 desk entra=" ENTRA, "one 2"},
      {"an Entra id is no machine id", ENTRA, ENTRA " desk", "none"},
      /* Standing. */
      {"merged records are left out", "desk", "1 desk into=2; 2 desk", "one 2"},
      {"what is merged into nothing is not merged", "desk", "1 desk into=", "one 1"},
      {"what is merged into anything is merged", "desk", "1 desk into=?", "merged 1"},
      {"records that are not onboarded are left out", "desk",
       "1 desk status=CanBeOnboarded; 2 desk", "one 2"},
      {"an onboarding status has no case", "desk", "1 desk status=ONBOARDED", "one 1"},
      {"an unknown onboarding status is none", "desk", "1 desk status=Onboarded2",
       "not onboarded 1"},
      {"no onboarding status is no reason to leave it out", "desk", "1 desk", "one 1"},
      {"an empty onboarding status says nothing", "desk", "1 desk status=", "one 1"},
      {"inactive ones are left out while another is in use", "desk",
       "1 desk health=Inactive; 2 desk health=ImpairedCommunication; 3 desk health=INACTIVE",
       "one 2"},
      {"an inactive one counts if there is no other", "desk", "1 desk health=inactive", "one 1"},
      {"an inactive one counts beside a merged and one that is not onboarded", "desk",
       "1 desk health=Inactive; 2 desk into=1; 3 desk status=x", "one 1"},
      {"several inactive ones are ambiguous", "desk",
       "1 desk health=Inactive; 2 desk health=Inactive", "several 1 2"},
      {"a record without a health is in use", "desk", "1 desk; 2 desk health=Inactive", "one 1"},
      {"an unknown health is in use", "desk", "1 desk health=x; 2 desk health=Inactive", "one 1"},
      {"no sensor data is in use", "desk", "1 desk health=NoSensorData; 2 desk health=Active",
       "several 1 2"},
      {"an inactive one that was merged is merged", "desk", "1 desk health=Inactive into=2",
       "merged 1"},
      {"one that is not onboarded and was merged is merged", "desk", "1 desk status=x into=2",
       "merged 1"},
      {"two in use are ambiguous, and the inactive one is no candidate", "desk",
       "1 desk; 2 desk; 3 desk health=Inactive", "several 1 2"},
      /* Nothing left. */
      {"where all were merged, the survivor that was told last is named first", "desk",
       "1 desk into=9 seen=1; 2 desk into=8 seen=2", "merged 2 1"},
      {"where some were merged and the others are not onboarded, the merged name survivors", "desk",
       "1 desk into=9; 2 desk status=x", "merged or not onboarded 1"},
      {"where none is onboarded, all are told", "desk",
       "1 desk status=x seen=1; 2 desk status=y seen=2 health=Inactive", "not onboarded 2 1"},
      /* Without an id. */
      {"a record without an id may be the one", "desk", "- desk", "unidentified"},
      {"a record with something else for an id may be the one", "desk", "? desk", "unidentified"},
      {"a record with a GUID for an id may be the one", "desk", ENTRA " desk", "unidentified"},
      {"an id with a digit too few is none", "desk",
       "000000000000000000000000000000000000001x desk", "unidentified"},
      {"one without an id keeps every other from being chosen", "desk", "1 desk; - desk",
       "unidentified"},
      {"one without an id does so whatever else it says", "desk",
       "1 desk; - desk into=1; - desk status=x", "unidentified"},
      {"one without an id and of another name is no reason", "desk", "1 desk; - lamp", "one 1"},
      {"one without an id has an Entra id", ENTRA, "1 desk; - - entra=" ENTRA, "unidentified"},
      /* Whoever answers. */
      {"who had an address is the one that the service names", NULL, "1 desk", "one 1"},
      {"several that had an address are ambiguous", NULL, "1 desk; 2 lamp", "several 1 2"},
      {"an inactive one had it if no other did", NULL, "1 desk health=Inactive; 2 lamp", "one 2"},
      {"nobody had it", NULL, "", "none"},
      {"who had it has no id", NULL, "1 desk; - lamp", "unidentified"},
      {"who had it was merged", NULL, "1 desk into=2", "merged 1"},
      /* The order. */
      {"the one seen last comes first", "desk",
       "1 desk seen=3; 2 desk seen=9; 3 desk seen=1; 4 desk seen=5", "several 2 4 1 3"},
      {"those of one time come by their ids", "desk", "3 desk seen=3; 1 desk seen=3; 2 desk seen=3",
       "several 1 2 3"},
      {"those without a time come last, by their ids", "desk",
       "1 desk; 2 desk seen=1; 3 desk seen=never; 4 desk seen=0001-01-01T00:00:00Z; 5 desk seen=",
       "several 2 1 3 4 5"},
      {"a time is no text: an offset counts", "desk",
       "1 desk seen=2026-02-03T12:00:00+05:00; 2 desk seen=2026-02-03T08:00:00Z", "several 2 1"},
      {"a time is no text: a fraction is later than none", "desk",
       "1 desk seen=2026-02-03T08:00:00Z; 2 desk seen=2026-02-03T08:00:00.5Z", "several 2 1"},
      {"a time is no text: what begins with a later year and is no time is none", "desk",
       "1 desk seen=9999-99-99T00:00:00Z; 2 desk seen=2026-02-03T08:00:00Z", "several 2 1"},
      {"times differ in their last digit", "desk",
       "1 desk seen=2026-02-03T08:00:00.0000001Z; 2 desk seen=2026-02-03T08:00:00.0000002Z",
       "several 2 1"},
      {"before 1970 is a time", "desk", "1 desk; 2 desk seen=1960-02-03T08:00:00Z", "several 2 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_device_record records[MOST_RECORDS];
    struct mde_device asked;
    if (cases[i].asked != NULL) mde_device_read(test_edge_string(cases[i].asked), &asked);
    size_t count = make_records(cases[i].records, records);
    try_orders(cases[i].says, cases[i].asked == NULL ? NULL : &asked, records, count, 0,
               cases[i].expected);
    free_texts();
  }
}

/* What means no device has no record that answers to it. */
static void nothing_answers(void **state)
{
  (void)state;
  static const char *const asked[] = {"", " ", ".", "192.0.2.10", "a/b", ZERO};
  for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
    struct mde_text text = test_edge_string(asked[i]);
    struct mde_device device;
    mde_device_read(text, &device);
    struct mde_device_record record = {.id = text, .entra_id = text, .name = text};
    assert_false(mde_device_answers(&device, &record));
  }
}

/* However many there are, they come in their order. */
static void many(void **state)
{
  (void)state;
  enum { COUNT = 1000 };
  static struct mde_device_record records[COUNT];
  static struct mde_device_listed listed[COUNT];
  static char ids[COUNT][41], times[COUNT][32];
  for (size_t count = 2; count <= COUNT; count = count < 12 ? count + 1 : count * 3) {
    for (size_t i = 0; i < count; i++) {
      int number = (int)(i * 7919 % count);
      snprintf(ids[i], sizeof ids[i], "%040d", number);
      snprintf(times[i], sizeof times[i], "2026-02-03T10:11:%02dZ", number / 20 % 60);
      records[i] = (struct mde_device_record){.id = {ids[i], 40}, .last_seen = {times[i], 20}};
    }
    size_t found = 0;
    assert_int_equal(mde_device_choose(NULL, records, count, listed, &found),
                     MDE_DEVICE_CHOICE_SEVERAL);
    assert_int_equal(found, count);
    for (size_t i = 1; i < count; i++) {
      size_t a = listed[i - 1].index, b = listed[i].index;
      assert_int_equal(listed[i].last_seen, mde_timestamp(records[b].last_seen));
      int order = strcmp(times[b], times[a]);
      if (order > 0 || (order == 0 && strcmp(ids[a], ids[b]) >= 0))
        fail_msg("%zu: %s before %s", count, ids[a], ids[b]);
    }
  }
}

/* ---- several identifiers */

#define ID1 "1f00000000000000000000000000000000000017"
#define ID2 "2F00000000000000000000000000000000000018"
#define GUID1 "17171717-0000-4000-8000-000000000017"

static void fitting(void **state)
{
  (void)state;
  static const struct {
    const char *identifier;
    const char *id;
    const char *entra_id;
    const char *name;
    bool expected;
  } cases[] = {
      {ID1, ID1, NULL, NULL, true},
      {ID2, "2f00000000000000000000000000000000000018", NULL, NULL, true},
      {ID1, ID2, GUID1, "a", false},
      {ID1, ID2, NULL, ID1, true},
      {ID1, NULL, NULL, NULL, false},
      {"1F1F1F1F-0000-4000-8000-000000000017", ID1, "1f1f1f1f-0000-4000-8000-000000000017", NULL,
       true},
      {GUID1, ID1, NULL, "a", false},
      {GUID1, ID1, NULL, GUID1, true},
      {GUID1, GUID1, ZERO, "a", false},
      {ZERO, ID1, ZERO, ZERO, false},
      {"a", ID1, NULL, NULL, false},
      {"a", ID1, NULL, "", false},
      {"LapTop.corp.example", ID1, NULL, "laptop.CORP.example", true},
      {"laptop.corp.example.", ID1, NULL, "laptop.corp.example", true},
      {"laptop.corp.example", ID1, NULL, "laptop.corp.example.", true},
      {" laptop ", ID1, NULL, "laptop", true},
      {"laptop", ID1, NULL, "LAPTOP.corp.example", true},
      {"laptop.", ID1, NULL, "laptop.corp.example", true},
      {"laptop", ID1, NULL, "laptop-17.corp.example", false},
      {"laptop-17", ID1, NULL, "laptop", false},
      {"laptop.corp.example", ID1, NULL, "laptop", false},
      {"laptop.corp", ID1, NULL, "laptop.corp.example", false},
      {"192.0.2.10", ID1, NULL, "192.0.2.10", true},
      {"192.0.2.10", ID1, NULL, "192.0.2.1", false},
      {"'=1+1", ID1, NULL, "=1+1", true},
      {"'a", ID1, NULL, "'a", true},
      {"'a", ID1, NULL, "a.corp.example", true},
      {"'a", ID1, NULL, "''a", false},
      {"a", ID1, NULL, "'a", false},
      {"xdesk", ID1, NULL, "desk", false},
      {"'", ID1, NULL, "a", false},
      {"'", ID1, NULL, "'", true},
      {".", ID1, NULL, "..", false},
      {".", ID1, NULL, ".", false},
      {"", ID1, NULL, ".a", false},
      {"", ID1, NULL, "", false},
      {"a/b", ID1, NULL, "", false},
      {"a\x1b", ID1, NULL, "a\x1b", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text identifier = test_edge_string(cases[i].identifier);
    struct mde_device_record record = {.id = {NULL, 0}};
    if (cases[i].id != NULL) record.id = own_text(cases[i].id, strlen(cases[i].id));
    if (cases[i].entra_id != NULL)
      record.entra_id = own_text(cases[i].entra_id, strlen(cases[i].entra_id));
    if (cases[i].name != NULL) record.name = own_text(cases[i].name, strlen(cases[i].name));
    if (mde_device_differs(&record, &identifier, 1) != (cases[i].expected ? 1 : 0))
      fail_msg("\"%s\" and \"%s\"", cases[i].identifier, cases[i].name);
    free_texts();
  }
}

/* The first one that cannot mean it is told. */
static void differing(void **state)
{
  (void)state;
  static const struct mde_device_record laptop = {.id = {ID1, 40}, .name = {"laptop.corp", 11}};
  static const struct mde_text identifiers[] = {
      {"laptop", 6}, {ID1, 40}, {"desk", 4}, {"LAPTOP.corp", 11}, {"desk", 4}};
  static const struct {
    size_t from, count, expected;
  } cases[] = {{0, 0, 0}, {0, 1, 1}, {0, 2, 2}, {0, 3, 2},
               {0, 5, 2}, {2, 1, 0}, {3, 1, 1}, {3, 2, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(mde_device_differs(&laptop, identifiers + cases[i].from, cases[i].count),
                     cases[i].expected);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(choosing), cmocka_unit_test(nothing_answers), cmocka_unit_test(many),
      cmocka_unit_test(fitting),  cmocka_unit_test(differing),
  };
  return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
