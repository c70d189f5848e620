#include "device_list.h"

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

static bool is_heading_of(const struct mde_device_column *column, struct mde_text text)
{
  return !column->is_cut && mde_device_heading_same(heading_of(column), text);
}

static bool is_named(const struct mde_device_column *column, const char *heading)
{
  return is_heading_of(column, text_of(heading));
}

/* ---- refusing */

static void set_problem(struct mde_device_list *list, enum mde_device_list_trouble trouble)
{
  list->problem.trouble = trouble;
  list->problem.line = list->csv.record_line;
  list->problem.column = 0;
  list->problem.to_end = false;
  list->problem.casts_doubt = true;
}

static enum mde_device_list_event bad(struct mde_device_list *list,
                                      enum mde_device_list_trouble trouble)
{
  list->is_bad = true;
  set_problem(list, trouble);
  return MDE_DEVICE_LIST_EVENT_BAD;
}

static void set_framing_problem(struct mde_device_list *list, const char *problem, size_t line,
                                size_t column)
{
  set_problem(list, MDE_DEVICE_LIST_TROUBLE_FRAMING);
  snprintf(list->problem.text, sizeof list->problem.text, "%s", problem);
  list->problem.line = line;
  list->problem.column = column;
}

static enum mde_device_list_event bad_framing(struct mde_device_list *list)
{
  list->is_bad = true;
  set_framing_problem(list, list->csv.problem, list->csv.problem_line, list->csv.problem_column);
  return MDE_DEVICE_LIST_EVENT_BAD;
}

static enum mde_device_list_event bad_columns(struct mde_device_list *list, const char *problem)
{
  snprintf(list->problem.text, sizeof list->problem.text, "%s", problem);
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
                           mde_device_heading_is_about_devices(heading_of(column));
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
  snprintf(list->problem.text, sizeof list->problem.text, "there is no column %zu, but %zu",
           list->wanted_number, list->column_count);
  return bad(list, MDE_DEVICE_LIST_TROUBLE_COLUMN);
}

/* The one column `name` that is compared with the ids beside it, where nothing else has names; else
 * MDE_DEVICE_LIST_MAX_COLUMNS. */
static size_t name_beside_ids(const struct mde_device_list *list)
{
  size_t found = MDE_DEVICE_LIST_MAX_COLUMNS;
  for (size_t i = 0; i < list->column_count; i++) {
    if (list->columns[i].role == MDE_COLUMN_ROLE_NAME) return MDE_DEVICE_LIST_MAX_COLUMNS;
    if (!is_named(&list->columns[i], MDE_DEVICE_HEADING_OF_ANY_NAME)) continue;
    if (found != MDE_DEVICE_LIST_MAX_COLUMNS) return MDE_DEVICE_LIST_MAX_COLUMNS;
    found = i;
  }
  return found;
}

/* By the headings alone. Where no known one is among them, a likely word counts in the first cell.
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
  list->is_of_anything = is_named(&list->columns[list->naming], MDE_DEVICE_HEADING_OF_ANYTHING);
  size_t compared = name_beside_ids(list);
  for (size_t i = 0; i < list->column_count; i++) {
    if (list->columns[i].role != MDE_COLUMN_ROLE_LIKELY) continue;
    if (i != compared) list->columns[i].role = MDE_COLUMN_ROLE_OTHER;
    list->is_alone = false;
  }
  return MDE_DEVICE_LIST_EVENT_MORE;
}

/* The first record is complete: which column is it, and is this a heading? */
static enum mde_device_list_event choose_column(struct mde_device_list *list)
{
  for (size_t i = 0; i < list->column_count; i++) {
    struct mde_device_column *column = &list->columns[i];
    column->role = column->is_cut
                       ? MDE_COLUMN_ROLE_OTHER
                       : mde_device_heading_role(heading_of(column), list->column_count > 1);
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
  mde_device_read(cell->text, &device);
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

static bool is_cell_of_heading(const struct mde_device_column *column,
                               const struct mde_csv_cell *cell)
{
  if (!column->is_cut) return is_heading_of(column, cell->text);
  return cell->length > column->length &&
         memcmp(cell->text.bytes, column->heading, column->length) == 0;
}

static enum mde_device_list_event take_cell(struct mde_device_list *list)
{
  const struct mde_csv_cell *cell = &list->csv.cell;
  size_t index = list->csv.count - 1;
  if (index == MDE_DEVICE_LIST_MAX_COLUMNS && !list->has_record) {
    snprintf(list->problem.text, sizeof list->problem.text, "has more than %d cells",
             (int)MDE_DEVICE_LIST_MAX_COLUMNS);
    return bad(list, MDE_DEVICE_LIST_TROUBLE_RECORD);
  }
  if (cell->length > 0) list->filled++;
  if (cell->lines > 1) keep_span(list);
  list->is_quoted = list->is_quoted && cell->quoted;
  if (list->has_record) {
    list->is_heading = list->is_heading && index < list->column_count &&
                       is_cell_of_heading(&list->columns[index], cell);
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

/* ---- the identifiers of a record */

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
  return !is_alone && mde_device_is_zero_guid(identifier_text(identifier));
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

/* An id that may be a number of the row, beside a name. */
static void note_instead(struct mde_device_list *list)
{
  for (size_t i = 1; i < list->identifier_count; i++)
    if (is_name_kind(list->identifiers[i].kind)) list->instead = list->identifiers[i].column + 1;
}

static enum mde_device_list_proof proof_of(const struct mde_device_list *list)
{
  if (list->identifier_count > 1 && is_id(&list->identifiers[0]))
    return MDE_DEVICE_LIST_PROOF_IDENTIFIERS;
  return list->is_quoted && list->is_first_quoted ? MDE_DEVICE_LIST_PROOF_QUOTES
                                                  : MDE_DEVICE_LIST_PROOF_NONE;
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
  /* It has its reason. */
  if (first->kind == MDE_DEVICE_KIND_IP_ADDRESS) first->kind = MDE_DEVICE_KIND_NONE;
  if (first->length > 0 && first->text[0] == '\'')
    make_none(first,
              "begins with an apostrophe, which may be a spreadsheet's; take it out, or give "
              "the device's id");
  if (list->is_alone && list->is_of_anything && is_name_kind(first->kind)) {
    make_all_candidates(list);
    return bad_columns(list, "a name in the column \"id\", which may be the id of anything");
  }
  if (first->role == MDE_COLUMN_ROLE_LIKELY)
    make_none(first, "has no id beside it, and its column may be about anything");
  if (first->kind == MDE_DEVICE_KIND_NONE) {
    if (list->is_of_anything && first->column == list->naming) note_instead(list);
    return flaw(list, 0);
  }
  /* Those that can be compared come first. */
  size_t good = 1;
  for (size_t i = 1; i < list->identifier_count; i++)
    if (list->identifiers[i].kind != MDE_DEVICE_KIND_NONE)
      swap(&list->identifiers[good++], &list->identifiers[i]);
  list->passed_over = list->identifier_count - good;
  list->identifier_count = good;
  list->proof = proof_of(list);
  list->proven[list->proof]++;
  return MDE_DEVICE_LIST_EVENT_ENTRY;
}

/* ---- records that are not like the others */

static enum mde_device_list_event odd(struct mde_device_list *list)
{
  list->line = list->problem.line;
  list->is_over = list->problem.to_end;
  if (list->problem.casts_doubt && list->doubt.line == 0) list->doubt = list->problem;
  sort_by_role(list);
  if (list->identifier_count > 1) list->identifier_count = 1;
  return MDE_DEVICE_LIST_EVENT_ODD;
}

static enum mde_device_list_event odd_by_quote(struct mde_device_list *list)
{
  bool is_rest = list->csv.spoilt == NULL;
  if (is_rest)
    set_framing_problem(list, list->csv.problem, list->csv.problem_line, list->csv.problem_column);
  else
    set_framing_problem(list, list->csv.spoilt, list->csv.spoilt_line, list->csv.spoilt_column);
  if (is_rest && list->csv.count == 0) list->identifier_count = 0;
  list->problem.to_end = is_rest;
  list->is_of_quotes = true;
  return odd(list);
}

static enum mde_device_list_event odd_by_width(struct mde_device_list *list)
{
  set_problem(list, MDE_DEVICE_LIST_TROUBLE_RECORD);
  snprintf(list->problem.text, sizeof list->problem.text,
           "%zu cell%s, where the first line has %zu", list->csv.count,
           list->csv.count == 1 ? "" : "s", list->column_count);
  return odd(list);
}

/* Another heading, because two exports were put into one file. */
static bool is_heading_again(const struct mde_device_list *list)
{
  for (size_t i = 0; i < list->identifier_count; i++) {
    const struct mde_identifier *cell = &list->identifiers[i];
    struct mde_text text = identifier_text(cell);
    if (cell->column != list->naming || cell->length == 0) continue;
    if (mde_device_heading_role(text, false) != MDE_COLUMN_ROLE_OTHER) return true;
    return list->has_heading && is_heading_of(&list->columns[cell->column], text);
  }
  return false;
}

static enum mde_device_list_event odd_by_heading(struct mde_device_list *list)
{
  bool is_same = list->has_heading && list->is_heading && list->csv.count == list->column_count;
  set_problem(list, MDE_DEVICE_LIST_TROUBLE_RECORD);
  snprintf(list->problem.text, sizeof list->problem.text, "%s in the middle of the list",
           is_same ? "the heading again," : "a heading");
  list->problem.to_end = list->problem.casts_doubt = !is_same;
  return odd(list);
}

bool mde_device_list_counts(const struct mde_device_list *list, enum mde_device_list_proof proof)
{
  if (list->doubt.line == 0 || proof == MDE_DEVICE_LIST_PROOF_IDENTIFIERS) return true;
  return proof == MDE_DEVICE_LIST_PROOF_QUOTES && !list->is_of_quotes;
}

/* In doubt, a list of which nothing counts is refused for the first reason to doubt. */
static enum mde_device_list_event end(struct mde_device_list *list)
{
  list->is_over = true;
  for (enum mde_device_list_proof proof = 0; proof < MDE_DEVICE_LIST_PROOFS; proof++)
    if (list->doubt.line == 0 || (list->proven[proof] > 0 && mde_device_list_counts(list, proof)))
      return MDE_DEVICE_LIST_EVENT_END;
  list->problem = list->doubt;
  list->is_bad = true;
  return MDE_DEVICE_LIST_EVENT_BAD;
}

/* ---- records */

/* The heading, behind a record that says nothing, is not to be understood. */
static enum mde_device_list_event bad_quote(struct mde_device_list *list)
{
  list->is_bad = true;
  set_framing_problem(list, list->csv.spoilt, list->csv.spoilt_line, list->csv.spoilt_column);
  return MDE_DEVICE_LIST_EVENT_BAD;
}

static enum mde_device_list_event take_first_record(struct mde_device_list *list)
{
  enum mde_device_list_event event = choose_column(list);
  if (event != MDE_DEVICE_LIST_EVENT_MORE) return event;
  list->has_record = true;
  list->is_first_quoted = list->is_quoted;
  return list->has_heading ? MDE_DEVICE_LIST_EVENT_MORE : MDE_DEVICE_LIST_EVENT_ENTRY;
}

static enum mde_device_list_event take_record(struct mde_device_list *list)
{
  if (list->csv.spoilt != NULL) return list->has_record ? odd_by_quote(list) : bad_quote(list);
  if (list->filled == 0) return MDE_DEVICE_LIST_EVENT_MORE;
  list->line = list->csv.record_line;
  if (!list->has_record) {
    enum mde_device_list_event event = take_first_record(list);
    if (event != MDE_DEVICE_LIST_EVENT_ENTRY) return event;
  } else if (is_heading_again(list)) {
    return odd_by_heading(list);
  }
  bool is_told = list->has_heading || list->wanted_number > 0;
  if (!is_told && list->filled > 1) {
    make_all_candidates(list);
    return bad_columns(list, "several cells, and no heading that tells which one names a device");
  }
  if (is_told && list->csv.count != list->column_count) return odd_by_width(list);
  return judge(list);
}

static void begin_record(struct mde_device_list *list)
{
  list->identifier_count = 0;
  list->passed_over = 0;
  list->filled = 0;
  list->instead = 0;
  list->is_quoted = true;
  list->is_heading = true;
}

/* ---- the whole */

bool mde_device_list_is_heading(struct mde_text text)
{
  return text.length <= MDE_DEVICE_LIST_MAX_HEADING_BYTES && !mde_device_heading_is_blank(text);
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
  while (!list->is_bad && !list->is_over) {
    enum mde_device_list_event event = MDE_DEVICE_LIST_EVENT_MORE;
    switch (mde_csv_next(&list->csv, input)) {
    case MDE_CSV_EVENT_BAD:
      return list->has_record && list->csv.is_of_quotes ? odd_by_quote(list) : bad_framing(list);
    case MDE_CSV_EVENT_MORE:
      return MDE_DEVICE_LIST_EVENT_MORE;
    case MDE_CSV_EVENT_END:
      return end(list);
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
  return list->is_bad ? MDE_DEVICE_LIST_EVENT_BAD : end(list);
}
