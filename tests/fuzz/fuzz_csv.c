/*
 * csv: any bytes as a list of devices. A second reader, which has the whole file before it and
 * knows nothing of the first, finds the same cells in the same records, or refuses the file, too.
 * Where a file has columns, so does one that knows no comments.
 * No bytes make a list name a device that stands in no cell of its columns, none leave a record
 * out, and a file says the same however it is cut. A device that counts stands in a record of the
 * full width, before anything that is not understood to the end; and where any record is not like
 * the others, in one that proves by itself that it is no piece of a note.
 *
 * The first byte tells how the file is cut, the second which column is asked for.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "device_list.h"
#include "plain_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* ---- the first reader against it */

static void compare_cells(struct mde_text text, size_t piece)
{
  static char buffer[MOST_BYTES];
  struct mde_csv_reader reader;
  struct mde_text end = {NULL, 0};
  size_t cells = 0;
  size_t records = 0;
  size_t at = 0;
  mde_csv_init(&reader, buffer, sizeof buffer);
  struct mde_text part = {.bytes = text.bytes, .length = 0};
  for (;;) {
    bool is_end = at >= text.length && part.length == 0;
    enum mde_csv_event event = mde_csv_next(&reader, is_end ? &end : &part);
    if (event == MDE_CSV_EVENT_MORE) {
      require(part.length == 0);
      part.bytes = text.bytes + at;
      part.length = text.length - at < piece ? text.length - at : piece;
      at += part.length;
    } else if (event == MDE_CSV_EVENT_CELL) {
      if (file.refused && cells >= file.cell_count) continue;
      require(cells < file.cell_count);
      const struct cell *cell = &file.cells[cells++];
      if (file.refused) continue;
      require(cell->record == records && cell->column + 1 == reader.count);
      require(cell->length == reader.cell.length && cell->quoted == reader.cell.quoted);
      require(memcmp(file.unquoted + cell->from, reader.cell.text.bytes, cell->length) == 0);
    } else if (event == MDE_CSV_EVENT_RECORD) {
      if (!file.refused) {
        require(reader.record_line == file.lines[records]);
        require((reader.spoilt != NULL) == file.spoilt[records]);
      }
      records++;
    } else {
      require((event == MDE_CSV_EVENT_BAD) == file.refused);
      if (!file.has_nul) require(reader.is_of_quotes == file.is_of_quotes);
      break;
    }
  }
  if (!file.refused) require(cells == file.cell_count && records == file.record_count);
}

/* ---- lists of devices */

static size_t width_of(size_t record)
{
  size_t width = 0;
  for (size_t i = 0; i < file.cell_count; i++)
    if (file.cells[i].record == record) width++;
  return width;
}

static bool is_empty_record(size_t record)
{
  for (size_t i = 0; i < file.cell_count; i++)
    if (file.cells[i].record == record && file.cells[i].length > 0) return false;
  return true;
}

static bool is_quoted_record(size_t record)
{
  for (size_t i = 0; i < file.cell_count; i++)
    if (file.cells[i].record == record && !file.cells[i].quoted) return false;
  return true;
}

static struct mde_text text_at(const struct cell *cell)
{
  struct mde_text text = {.bytes = file.unquoted + cell->from, .length = cell->length};
  return text;
}

/* What a list told, to be the same however it is cut. */
struct told {
  int end;
  size_t entries;
  bool is_over; /* before the end of the file */
  uint64_t sum;
};

static void add_to(struct told *told, const void *bytes, size_t length)
{
  const unsigned char *at = bytes;
  for (size_t i = 0; i < length; i++)
    told->sum = (told->sum ^ at[i]) * UINT64_C(1099511628211);
}

static void add_problem(struct told *told, const struct mde_device_list_problem *problem)
{
  add_to(told, problem->text, strlen(problem->text));
  add_to(told, &problem->line, sizeof problem->line);
  add_to(told, &problem->column, sizeof problem->column);
}

static void check_identifier(const struct mde_device_list *list, size_t record, size_t i)
{
  const struct mde_identifier *identifier = &list->identifiers[i];
  const struct cell *cell = cell_at(record, identifier->column);
  enum mde_column_role role = list->columns[identifier->column].role;
  require(cell != NULL && identifier->column < list->column_count);
  /* What is passed over may be cut. */
  require(cell->length == identifier->length ||
          (i >= list->identifier_count && identifier->length == sizeof identifier->text));
  require(memcmp(file.unquoted + cell->from, identifier->text, identifier->length) == 0);
  require(role != MDE_COLUMN_ROLE_OTHER);
  if (list->is_alone) require(identifier->column == list->naming);
  if (i < list->identifier_count)
    require(identifier->kind != MDE_DEVICE_KIND_NONE && identifier->length <= MDE_DEVICE_MAX_BYTES);
}

/* A list against the file: which record comes next, and what was told of those before it. */
static struct checked {
  size_t next;
  size_t first; /* the first record that says something */
  bool heading; /* is it, and it is still to come */
  size_t entries[MOST_RECORDS];
  enum mde_device_list_proof proofs[MOST_RECORDS];
  size_t identifiers[MOST_RECORDS];
  size_t count;
  bool is_odd; /* some record casts doubt */
  bool is_of_quotes;
  bool is_over;
} checked;

/* How many records were read to their end. */
static size_t whole_records(void)
{
  return file.record_count - (file.refused ? 1U : 0U);
}

static void begin_check(void)
{
  memset(&checked, 0, sizeof checked);
  while (checked.first < whole_records() && is_empty_record(checked.first))
    checked.first++;
  checked.heading = true;
}

/* Goes on to the record of this line. What is left out before it says nothing, or is the heading.
 */
static void go_to(const struct mde_device_list *list, size_t line)
{
  if (!list->has_heading) checked.heading = false;
  while (checked.next < file.record_count && file.lines[checked.next] != line) {
    require(is_empty_record(checked.next) || checked.heading);
    if (!is_empty_record(checked.next)) checked.heading = false;
    checked.next++;
  }
  require(checked.next < file.record_count);
}

static bool has_told_columns(const struct mde_device_list *list)
{
  return list->has_heading || list->wanted_number > 0;
}

static void check_entry(const struct mde_device_list *list)
{
  require(!checked.is_over);
  go_to(list, list->line);
  size_t record = checked.next++;
  require(record < whole_records() && !file.spoilt[record]);
  if (has_told_columns(list)) require(width_of(record) == width_of(checked.first));
  for (size_t i = 0; i < list->identifier_count + list->passed_over; i++)
    check_identifier(list, record, i);
  if (!has_told_columns(list))
    for (size_t i = 1; i < width_of(record); i++)
      require(cell_at(record, i)->length == 0);
  checked.entries[checked.count] = record;
  checked.identifiers[checked.count] = list->identifier_count;
  checked.proofs[checked.count++] = list->proof;
  if (list->proof != MDE_DEVICE_LIST_PROOF_IDENTIFIERS) return;
  /* Two cells, each below a heading of its sort. */
  const struct cell *id = cell_at(record, list->identifiers[0].column);
  require(list->has_heading && list->identifier_count > 1);
  require(list->identifiers[0].column != list->identifiers[1].column);
  require(mde_device_is_machine_id(text_at(id)) || mde_device_is_guid(text_at(id)));
}

/* A record that is not like the others, for a reason that the file shows. */
static void check_odd(const struct mde_device_list *list)
{
  const struct mde_device_list_problem *problem = &list->problem;
  require(!checked.is_over);
  if (problem->casts_doubt) checked.is_odd = true;
  checked.is_over = problem->to_end;
  if (problem->trouble == MDE_DEVICE_LIST_TROUBLE_FRAMING) checked.is_of_quotes = true;
  if (problem->trouble == MDE_DEVICE_LIST_TROUBLE_FRAMING && problem->to_end) {
    require(file.is_of_quotes && checked.next <= whole_records());
    for (; checked.next < whole_records(); checked.next++) {
      require(is_empty_record(checked.next) || checked.heading);
      if (!is_empty_record(checked.next)) checked.heading = false;
    }
    return;
  }
  if (problem->trouble == MDE_DEVICE_LIST_TROUBLE_FRAMING) {
    while (checked.next < whole_records() && !file.spoilt[checked.next]) {
      require(is_empty_record(checked.next) || checked.heading);
      if (!is_empty_record(checked.next)) checked.heading = false;
      checked.next++;
    }
    require(checked.next < whole_records());
  } else {
    go_to(list, list->line);
    require(has_told_columns(list) || problem->to_end);
    if (!problem->casts_doubt)
      for (size_t i = 0; i < width_of(checked.first); i++) {
        const struct cell *first = cell_at(checked.first, i);
        const struct cell *again = cell_at(checked.next, i);
        require(again != NULL);
        if (first->length <= MDE_DEVICE_LIST_MAX_HEADING_BYTES)
          require(mde_device_heading_same(text_at(first), text_at(again)));
      }
    else if (!problem->to_end)
      require(width_of(checked.next) != width_of(checked.first));
  }
  checked.next++;
}

/* Which of the entries count, by the file alone. */
static void check_end(const struct mde_device_list *list)
{
  bool is_quoted = !checked.is_of_quotes && is_quoted_record(checked.first);
  size_t counted = 0;
  for (size_t i = 0; i < checked.count; i++) {
    if (!mde_device_list_counts(list, checked.proofs[i])) {
      require(checked.is_odd);
      continue;
    }
    counted++;
    if (!checked.is_odd) continue;
    require(checked.identifiers[i] > 1 || (is_quoted && is_quoted_record(checked.entries[i])));
  }
  require(!checked.is_odd || counted > 0);
  if (checked.is_over) return;
  if (!list->has_heading) checked.heading = false;
  for (; checked.next < whole_records(); checked.next++)
    if (!is_empty_record(checked.next)) {
      require(checked.heading);
      checked.heading = false;
    }
}

static struct told read_list(struct mde_text text, size_t piece, struct mde_text column,
                             size_t number, bool is_checked)
{
  static struct mde_device_list list;
  struct told told = {.end = 0};
  struct mde_text end = {NULL, 0};
  struct mde_text part = {.bytes = text.bytes, .length = 0};
  size_t at = 0;
  mde_device_list_init(&list, column, number);
  if (is_checked) begin_check();
  for (;;) {
    bool is_end = at >= text.length && part.length == 0;
    int event = mde_device_list_next(&list, is_end ? &end : &part);
    if (event == MDE_DEVICE_LIST_EVENT_MORE) {
      part.bytes = text.bytes + at;
      part.length = text.length - at < piece ? text.length - at : piece;
      at += part.length;
      continue;
    }
    told.end = event;
    if (event == MDE_DEVICE_LIST_EVENT_BAD || event == MDE_DEVICE_LIST_EVENT_END) break;
    told.entries++;
    add_to(&told, &list.line, sizeof list.line);
    add_to(&told, &event, sizeof event);
    if (event == MDE_DEVICE_LIST_EVENT_ODD) {
      add_problem(&told, &list.problem);
      told.is_over = list.problem.to_end;
      if (is_checked) check_odd(&list);
      continue;
    }
    for (size_t i = 0; i < list.identifier_count + list.passed_over; i++)
      add_to(&told, list.identifiers[i].text, list.identifiers[i].length);
    if (!is_checked) continue;
    if (event == MDE_DEVICE_LIST_EVENT_ENTRY) {
      check_entry(&list);
    } else {
      go_to(&list, list.line);
      checked.next++;
    }
  }
  if (told.end == MDE_DEVICE_LIST_EVENT_BAD) add_problem(&told, &list.problem);
  if (is_checked && told.end == MDE_DEVICE_LIST_EVENT_END) check_end(&list);
  return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  static const char *const names[] = {"x", "Device Name", "b"};
  if (length < 2 || length > 6000) return 0;
  size_t piece = bytes[0] % 16 + 1U;
  size_t choice = bytes[1] % 8;
  struct mde_text column = {NULL, 0};
  size_t number = choice >= 2 && choice <= 4 ? choice - 1 : 0;
  if (choice >= 5) {
    column.bytes = names[choice - 5];
    column.length = strlen(names[choice - 5]);
  }
  struct mde_text text = {.bytes = (const char *)bytes + 2, .length = length - 2};
  if (text.length == 0) text.bytes = "";
  read_file(text);
  if (!file.refused && file.has_comments && file.delimiter != 0) compare_comments(text);
  compare_cells(text, text.length + 1);
  compare_cells(text, piece);
  bool is_known = !file.refused || file.is_of_quotes;
  struct told whole = read_list(text, text.length + 1, column, number, is_known);
  struct told cut = read_list(text, piece, column, number, false);
  require(whole.end == cut.end && whole.entries == cut.entries && whole.sum == cut.sum);
  if (!is_known) require(whole.end == MDE_DEVICE_LIST_EVENT_BAD || whole.is_over);
  return 0;
}
