#include "device_list.h"

#include "name.h"

#include <stdio.h>

#include "utf8.h"

static struct mde_text text_of(const char *string)
{
  struct mde_text text = {.bytes = string, .length = strlen(string)};
  return text;
}

static struct mde_text heading_of(const struct mde_device_column *column)
{
  struct mde_text text = {.bytes = column->heading, .length = column->length};
  return text;
}

static struct mde_text identifier_text(const struct mde_identifier *identifier)
{
  struct mde_text text = {.bytes = identifier->text, .length = identifier->length};
  return text;
}

/* ---- headings */

static const char of_anything[] = "id";

static const struct {
  const char *name;
  enum mde_column_role role;
  bool alone; /* a heading also where no other cell stands beside it */
} known[] = {
    {"deviceid", MDE_COLUMN_ROLE_ID, true},
    {"machineid", MDE_COLUMN_ROLE_ID, true},
    {"mdedeviceid", MDE_COLUMN_ROLE_ID, true},
    {of_anything, MDE_COLUMN_ROLE_ID, false},
    {"aaddeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"deviceaadid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"azureaddeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"deviceazureadid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"microsoftentradeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"entradeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"devicename", MDE_COLUMN_ROLE_NAME, true},
    {"computerdnsname", MDE_COLUMN_ROLE_NAME, true},
    {"machinename", MDE_COLUMN_ROLE_NAME, true},
    {"computername", MDE_COLUMN_ROLE_NAME, true},
    {"hostname", MDE_COLUMN_ROLE_NAME, true},
    {"displayname", MDE_COLUMN_ROLE_NAME, true},
    {"dnsname", MDE_COLUMN_ROLE_NAME, true},
    {"devicednsname", MDE_COLUMN_ROLE_NAME, true},
    {"dnshostname", MDE_COLUMN_ROLE_NAME, true},
    {"fqdn", MDE_COLUMN_ROLE_NAME, true},
    {"device", MDE_COLUMN_ROLE_LIKELY, false},
    {"machine", MDE_COLUMN_ROLE_LIKELY, false},
    {"computer", MDE_COLUMN_ROLE_LIKELY, false},
    {"name", MDE_COLUMN_ROLE_LIKELY, false},
    {"host", MDE_COLUMN_ROLE_LIKELY, false},
};

/* The next character that counts in a heading, in lower case; -1 at the end. */
static int next_of_heading(struct mde_text *text)
{
  static const char mark[] = "\xef\xbb\xbf";
  while (text->length > 0) {
    if (text->length >= 3 && memcmp(text->bytes, mark, 3) == 0) {
      text->bytes += 3;
      text->length -= 3;
      continue;
    }
    char c = *text->bytes;
    text->bytes++;
    text->length--;
    if (c != ' ' && c != '\t' && c != '_') return mde_ascii_lower((unsigned char)c);
  }
  return -1;
}

static bool is_same_heading(struct mde_text a, struct mde_text b)
{
  for (;;) {
    int x = next_of_heading(&a);
    if (x != next_of_heading(&b)) return false;
    if (x < 0) return true;
  }
}

static bool is_heading_of(const struct mde_device_column *column, struct mde_text text)
{
  return !column->is_cut && is_same_heading(heading_of(column), text);
}

/* Words of a heading that could be about devices. */
static const char *const words[] = {"device", "machine", "computer", "host",  "laptop",
                                    "server", "dns",     "fqdn",     "target"};

static bool begins_with(struct mde_text heading, const char *word)
{
  for (; *word != '\0'; word++)
    if (next_of_heading(&heading) != *word) return false;
  return true;
}

static bool is_about_devices(struct mde_text heading)
{
  for (; heading.length > 0; heading.bytes++, heading.length--)
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
      if (begins_with(heading, words[i])) return true;
  return false;
}

static enum mde_column_role role_of(struct mde_text heading, bool several)
{
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if ((known[i].alone || several) && is_same_heading(heading, text_of(known[i].name)))
      return known[i].role;
  return MDE_COLUMN_ROLE_OTHER;
}

/* ---- refusing */

static enum mde_device_list_event bad(struct mde_device_list *list,
                                      enum mde_device_list_trouble trouble)
{
  list->is_bad = true;
  list->trouble = trouble;
  list->problem_line = list->csv.record_line;
  list->problem_column = 0;
  return MDE_DEVICE_LIST_EVENT_BAD;
}

static enum mde_device_list_event bad_framing(struct mde_device_list *list)
{
  bad(list, MDE_DEVICE_LIST_TROUBLE_FRAMING);
  snprintf(list->problem, sizeof list->problem, "%s", list->csv.problem);
  list->problem_line = list->csv.problem_line;
  list->problem_column = list->csv.problem_column;
  return MDE_DEVICE_LIST_EVENT_BAD;
}

static enum mde_device_list_event bad_columns(struct mde_device_list *list, const char *problem)
{
  snprintf(list->problem, sizeof list->problem, "%s", problem);
  return bad(list, MDE_DEVICE_LIST_TROUBLE_COLUMN);
}

static void make_all_candidates(struct mde_device_list *list)
{
  for (size_t i = 0; i < list->column_count; i++)
    list->columns[i].is_candidate = list->columns[i].length > 0;
}

static size_t make_candidates(struct mde_device_list *list, enum mde_column_role role)
{
  size_t count = 0;
  for (size_t i = 0; i < list->column_count; i++) {
    list->columns[i].is_candidate = list->columns[i].role == role;
    if (list->columns[i].is_candidate) count++;
  }
  return count;
}

static size_t make_likely_candidates(struct mde_device_list *list)
{
  size_t count = 0;
  for (size_t i = 0; i < list->column_count; i++) {
    struct mde_device_column *column = &list->columns[i];
    column->is_candidate = column->role == MDE_COLUMN_ROLE_LIKELY || column->is_cut ||
                           is_about_devices(heading_of(column));
    if (column->is_candidate) count++;
  }
  return count;
}

/* ---- the columns */

static enum mde_device_list_event choose(struct mde_device_list *list, size_t naming)
{
  for (size_t i = 0; i < list->column_count; i++)
    list->columns[i].role = i == naming ? MDE_COLUMN_ROLE_CHOSEN : MDE_COLUMN_ROLE_OTHER;
  list->naming = naming;
  list->is_alone = true;
  return MDE_DEVICE_LIST_EVENT_MORE;
}

static enum mde_device_list_event choose_by_name(struct mde_device_list *list)
{
  struct mde_text wanted = {.bytes = list->wanted, .length = list->wanted_length};
  size_t found = 0;
  size_t naming = 0;
  for (size_t i = 0; i < list->column_count; i++) {
    list->columns[i].is_candidate = is_heading_of(&list->columns[i], wanted);
    if (!list->columns[i].is_candidate) continue;
    found++;
    naming = i;
  }
  list->has_heading = true;
  if (found == 1) return choose(list, naming);
  if (found > 1) return bad_columns(list, "several columns have the heading that was asked for");
  make_all_candidates(list);
  return bad_columns(list, "no column has the heading that was asked for");
}

/* A likely word may be the sort of a device that stands beside it, unless it is asked for. */
static enum mde_device_list_event choose_by_number(struct mde_device_list *list)
{
  for (size_t i = 0; i < list->column_count; i++) {
    enum mde_column_role role = list->columns[i].role;
    if (role == MDE_COLUMN_ROLE_LIKELY ? i + 1 == list->wanted_number
                                       : role != MDE_COLUMN_ROLE_OTHER)
      list->has_heading = true;
  }
  if (list->wanted_number <= list->column_count) return choose(list, list->wanted_number - 1);
  snprintf(list->problem, sizeof list->problem, "there is no column %zu, but %zu",
           list->wanted_number, list->column_count);
  return bad(list, MDE_DEVICE_LIST_TROUBLE_COLUMN);
}

/*
 * By the headings alone. Where no known one is among them, a likely word counts in the first cell.
 */
static enum mde_device_list_event choose_known(struct mde_device_list *list)
{
  size_t sorts = 0;
  for (enum mde_column_role role = MDE_COLUMN_ROLE_ID; role <= MDE_COLUMN_ROLE_NAME; role++) {
    size_t found = make_candidates(list, role);
    if (found > 1) return bad_columns(list, "several columns could name the devices");
    if (found == 0) continue;
    sorts++;
    if (sorts > 1) continue;
    while (list->columns[list->naming].role != role)
      list->naming++;
  }
  list->has_heading = sorts > 0 || list->columns[0].role == MDE_COLUMN_ROLE_LIKELY;
  if (!list->has_heading) return choose(list, 0);
  if (sorts == 0) {
    if (make_likely_candidates(list) > 1)
      return bad_columns(list, "several columns could name the devices");
    return choose(list, 0);
  }
  list->is_alone = sorts == 1;
  list->is_of_anything = is_heading_of(&list->columns[list->naming], text_of(of_anything));
  for (size_t i = 0; i < list->column_count; i++) {
    if (list->columns[i].role != MDE_COLUMN_ROLE_LIKELY) continue;
    list->columns[i].role = MDE_COLUMN_ROLE_OTHER;
    list->is_alone = false;
  }
  return MDE_DEVICE_LIST_EVENT_MORE;
}

/* The first record is complete: which column is it, and is this a heading? */
static enum mde_device_list_event choose_column(struct mde_device_list *list)
{
  for (size_t i = 0; i < list->column_count; i++) {
    struct mde_device_column *column = &list->columns[i];
    column->role = column->is_cut ? MDE_COLUMN_ROLE_OTHER
                                  : role_of(heading_of(column), list->column_count > 1);
  }
  if (list->wanted_length > 0) return choose_by_name(list);
  if (list->wanted_number > 0) return choose_by_number(list);
  return choose_known(list);
}

/* ---- the cells */

static void keep_cell(struct mde_device_list *list, size_t index, enum mde_column_role role)
{
  const struct mde_csv_cell *cell = &list->csv.cell;
  if (list->identifier_count == MDE_DEVICE_LIST_MAX_IDENTIFIERS) return;
  struct mde_identifier *identifier = &list->identifiers[list->identifier_count++];
  struct mde_device device;
  mde_odata_device(cell->text, &device);
  memcpy(identifier->text, cell->text.bytes, cell->text.length);
  identifier->length = cell->text.length;
  identifier->column = index;
  identifier->role = role;
  identifier->kind = device.kind;
  memcpy(identifier->reason, device.reason, sizeof identifier->reason);
  if (cell->length > MDE_DEVICE_MAX_BYTES)
    snprintf(identifier->reason, sizeof identifier->reason,
             "is %zu bytes long; a name has at most %d", cell->length, (int)MDE_DEVICE_MAX_BYTES);
  if (cell->quoted || device.kind == MDE_DEVICE_KIND_NONE) return;
  for (size_t i = 0; i < identifier->length; i++)
    if (strchr(",;\t", identifier->text[i]) != NULL) {
      identifier->kind = MDE_DEVICE_KIND_NONE;
      snprintf(identifier->reason, sizeof identifier->reason,
               "looks like more than one; put quotes around it if it is one");
    }
}

static void keep_span(struct mde_device_list *list)
{
  const struct mde_csv_cell *cell = &list->csv.cell;
  if (list->span_count < MDE_DEVICE_LIST_MAX_SPANS) {
    list->spans[list->span_count].line = cell->line;
    list->spans[list->span_count].lines = cell->lines;
  }
  list->span_count++;
}

static enum mde_device_list_event take_cell(struct mde_device_list *list)
{
  const struct mde_csv_cell *cell = &list->csv.cell;
  size_t index = list->csv.count - 1;
  if (index == MDE_DEVICE_LIST_MAX_COLUMNS) {
    snprintf(list->problem, sizeof list->problem, "has more than %d cells",
             (int)MDE_DEVICE_LIST_MAX_COLUMNS);
    return bad(list, MDE_DEVICE_LIST_TROUBLE_RECORD);
  }
  if (cell->length > 0) list->filled++;
  if (cell->lines > 1) keep_span(list);
  if (list->has_record) {
    if (index < list->column_count && list->columns[index].role != MDE_COLUMN_ROLE_OTHER)
      keep_cell(list, index, list->columns[index].role);
    return MDE_DEVICE_LIST_EVENT_MORE;
  }
  struct mde_device_column *column = &list->columns[index];
  column->is_cut = cell->length > MDE_DEVICE_LIST_MAX_HEADING_BYTES;
  column->length = column->is_cut ? MDE_DEVICE_LIST_MAX_HEADING_BYTES : cell->length;
  memcpy(column->heading, cell->text.bytes, column->length);
  column->is_candidate = false;
  list->column_count = index + 1;
  /* In case that it is no heading. */
  if (index + 1 == list->wanted_number || (index == 0 && list->wanted_number == 0))
    keep_cell(list, index, MDE_COLUMN_ROLE_CHOSEN);
  return MDE_DEVICE_LIST_EVENT_MORE;
}

/* ---- records */

static void make_none(struct mde_identifier *identifier, const char *reason)
{
  if (identifier->kind == MDE_DEVICE_KIND_NONE) return;
  identifier->kind = MDE_DEVICE_KIND_NONE;
  snprintf(identifier->reason, sizeof identifier->reason, "%s", reason);
}

static bool is_id(const struct mde_identifier *identifier)
{
  return identifier->kind == MDE_DEVICE_KIND_MACHINE_ID || identifier->kind == MDE_DEVICE_KIND_GUID;
}

static bool is_name_kind(enum mde_device_kind kind)
{
  return kind == MDE_DEVICE_KIND_FULL_NAME || kind == MDE_DEVICE_KIND_BARE_NAME;
}

/* Whether a cell may count as what its column is for, if other columns name the device, too. */
static void judge_among_others(struct mde_identifier *identifier, bool is_first)
{
  if (identifier->role == MDE_COLUMN_ROLE_ID && !is_id(identifier))
    make_none(identifier, "is no machine id and no Entra device id");
  else if (identifier->role == MDE_COLUMN_ROLE_ENTRA_ID && identifier->kind != MDE_DEVICE_KIND_GUID)
    make_none(identifier, "is no Entra device id");
  else if (identifier->role == MDE_COLUMN_ROLE_NAME && is_first && is_id(identifier))
    make_none(identifier, "is an id in a column of names");
}

/* No identifier at all: nothing, or the GUID that some write for nothing. */
static bool is_nothing(const struct mde_identifier *identifier, bool is_alone)
{
  if (identifier->length == 0) return true;
  if (is_alone || !mde_odata_is_guid(identifier_text(identifier))) return false;
  for (size_t i = 0; i < identifier->length; i++)
    if (identifier->text[i] != '0' && identifier->text[i] != '-') return false;
  return true;
}

/* What was cut may end within a character; it is too long for a device anyway. */
static bool is_utf8(const struct mde_identifier *identifier)
{
  if (identifier->length > MDE_DEVICE_MAX_BYTES) return true;
  const char *at = identifier->text;
  uint32_t code_point = 0;
  int status;
  while ((status = mde_utf8_next(&at, identifier->text + identifier->length, &code_point)) == 1)
    continue;
  return status == 0;
}

static void swap(struct mde_identifier *a, struct mde_identifier *b)
{
  struct mde_identifier kept = *a;
  *a = *b;
  *b = kept;
}

/* Roles are numbered by what goes first. */
static void sort_by_role(struct mde_device_list *list)
{
  for (size_t i = 1; i < list->identifier_count; i++)
    for (size_t j = i; j > 0 && list->identifiers[j].role < list->identifiers[j - 1].role; j--)
      swap(&list->identifiers[j], &list->identifiers[j - 1]);
}

/* Takes out what says nothing; the others keep their order. */
static void drop_nothings(struct mde_device_list *list)
{
  size_t kept = 0;
  for (size_t i = 0; i < list->identifier_count; i++) {
    if (is_nothing(&list->identifiers[i], list->is_alone)) continue;
    if (kept != i) list->identifiers[kept] = list->identifiers[i];
    kept++;
  }
  if (kept > 0) list->identifier_count = kept;
}

static enum mde_device_list_event flaw(struct mde_device_list *list, size_t index)
{
  if (index > 0) swap(&list->identifiers[0], &list->identifiers[index]);
  list->identifier_count = 1;
  return MDE_DEVICE_LIST_EVENT_FLAW;
}

static enum mde_device_list_event judge(struct mde_device_list *list)
{
  sort_by_role(list);
  drop_nothings(list);
  struct mde_identifier *first = &list->identifiers[0];
  for (size_t i = 0; i < list->identifier_count; i++) {
    if (!is_utf8(&list->identifiers[i])) return flaw(list, i);
    if (!list->is_alone) judge_among_others(&list->identifiers[i], i == 0);
  }
  if (first->kind == MDE_DEVICE_KIND_IP_ADDRESS)
    make_none(first, "is an IP address, and who has it now may not be who had it then");
  if (first->length > 0 && first->text[0] == '\'')
    make_none(first,
              "begins with an apostrophe, which may be a spreadsheet's; take it out, or give "
              "the device's id");
  if (list->is_alone && list->is_of_anything && is_name_kind(first->kind)) {
    make_all_candidates(list);
    return bad_columns(list, "a name in the column \"id\", which may be the id of anything");
  }
  if (first->kind == MDE_DEVICE_KIND_NONE) return flaw(list, 0);
  /* Those that can be compared come first. */
  size_t good = 1;
  for (size_t i = 1; i < list->identifier_count; i++)
    if (list->identifiers[i].kind != MDE_DEVICE_KIND_NONE)
      swap(&list->identifiers[good++], &list->identifiers[i]);
  list->passed_over = list->identifier_count - good;
  list->identifier_count = good;
  return MDE_DEVICE_LIST_EVENT_ENTRY;
}

/* Another heading, because two exports were put into one file. */
static bool is_heading_again(const struct mde_device_list *list)
{
  for (size_t i = 0; i < list->identifier_count; i++) {
    const struct mde_identifier *cell = &list->identifiers[i];
    struct mde_text text = identifier_text(cell);
    if (cell->column != list->naming || cell->length == 0) continue;
    if (role_of(text, false) != MDE_COLUMN_ROLE_OTHER) return true;
    return list->has_heading && is_heading_of(&list->columns[cell->column], text);
  }
  return false;
}

static enum mde_device_list_event take_first_record(struct mde_device_list *list)
{
  enum mde_device_list_event event = choose_column(list);
  if (event != MDE_DEVICE_LIST_EVENT_MORE) return event;
  list->has_record = true;
  return list->has_heading ? MDE_DEVICE_LIST_EVENT_MORE : MDE_DEVICE_LIST_EVENT_ENTRY;
}

static enum mde_device_list_event take_record(struct mde_device_list *list)
{
  if (list->filled == 0) return MDE_DEVICE_LIST_EVENT_MORE;
  list->line = list->csv.record_line;
  if (!list->has_record) {
    enum mde_device_list_event event = take_first_record(list);
    if (event != MDE_DEVICE_LIST_EVENT_ENTRY) return event;
  } else if (is_heading_again(list)) {
    snprintf(list->problem, sizeof list->problem, "a heading in the middle of the list");
    return bad(list, MDE_DEVICE_LIST_TROUBLE_RECORD);
  }
  bool is_told = list->has_heading || list->wanted_number > 0;
  if (!is_told && list->filled > 1) {
    make_all_candidates(list);
    return bad_columns(list, "several cells, and no heading that tells which one names a device");
  }
  if (is_told && list->csv.count != list->column_count) {
    snprintf(list->problem, sizeof list->problem, "%zu cell%s, where the first line has %zu",
             list->csv.count, list->csv.count == 1 ? "" : "s", list->column_count);
    return bad(list, MDE_DEVICE_LIST_TROUBLE_RECORD);
  }
  return judge(list);
}

static void begin_record(struct mde_device_list *list)
{
  list->identifier_count = 0;
  list->passed_over = 0;
  list->filled = 0;
}

/* ---- the whole */

bool mde_device_list_is_heading(struct mde_text text)
{
  return text.length <= MDE_DEVICE_LIST_MAX_HEADING_BYTES && next_of_heading(&text) >= 0;
}

void mde_device_list_init(struct mde_device_list *list, struct mde_text column, size_t number)
{
  memset(list, 0, sizeof *list);
  mde_csv_init(&list->csv, list->buffer, sizeof list->buffer);
  if (column.bytes != NULL) {
    list->wanted_length = column.length < MDE_DEVICE_LIST_MAX_HEADING_BYTES
                              ? column.length
                              : MDE_DEVICE_LIST_MAX_HEADING_BYTES;
    memcpy(list->wanted, column.bytes, list->wanted_length);
  }
  list->wanted_number = number;
}

enum mde_device_list_event mde_device_list_next(struct mde_device_list *list,
                                                struct mde_text *input)
{
  while (!list->is_bad) {
    enum mde_device_list_event event = MDE_DEVICE_LIST_EVENT_MORE;
    switch (mde_csv_next(&list->csv, input)) {
    case MDE_CSV_EVENT_BAD:
      return bad_framing(list);
    case MDE_CSV_EVENT_MORE:
      return MDE_DEVICE_LIST_EVENT_MORE;
    case MDE_CSV_EVENT_END:
      return MDE_DEVICE_LIST_EVENT_END;
    case MDE_CSV_EVENT_CELL:
      if (list->csv.count == 1) begin_record(list);
      event = take_cell(list);
      break;
    case MDE_CSV_EVENT_RECORD:
      event = take_record(list);
      break;
    }
    if (event != MDE_DEVICE_LIST_EVENT_MORE) return event;
  }
  return MDE_DEVICE_LIST_EVENT_BAD;
}

/* ---- comparing */

static bool is_name(struct mde_text listed, struct mde_text recorded)
{
  if (recorded.bytes == NULL) return false;
  struct mde_text name = mde_name_asked(listed, MDE_NAME_RELATION_IS);
  struct mde_text own = mde_name_asked(recorded, MDE_NAME_RELATION_IS);
  if (name.length == 0) return false;
  if (mde_text_same_caseless(name, own)) return true;
  if (memchr(name.bytes, '.', name.length) != NULL) return false;
  if (own.length <= name.length || own.bytes[name.length] != '.') return false;
  own.length = name.length;
  return mde_text_same_caseless(name, own);
}

bool mde_device_list_fits(struct mde_text identifier, const struct mde_device_record *record)
{
  if (mde_odata_is_machine_id(identifier) && mde_text_same_caseless(identifier, record->machine_id))
    return true;
  if (mde_odata_is_guid(identifier) && mde_text_same_caseless(identifier, record->entra_id))
    return true;
  if (is_name(identifier, record->name)) return true;
  if (identifier.length < 2 || identifier.bytes[0] != '\'') return false;
  identifier.bytes++;
  identifier.length--;
  return is_name(identifier, record->name);
}
