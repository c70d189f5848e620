#include "csv.h"

enum state {
  STATE_MARK,         /* nothing but the beginning of a byte order mark */
  STATE_RECORD_START, /* nothing of the record but blanks */
  STATE_HELD_TABS,    /* undecided: behind tabs that are blanks or delimiters */
  STATE_HELD_SIGN,    /* and behind a # after them */
  STATE_CELL_START,   /* nothing of the cell but blanks */
  STATE_UNQUOTED,
  STATE_NOTE_SIGN, /* behind a # that may begin a note */
  STATE_NOTE,
  STATE_SPOILT, /* behind a quote inside an unquoted cell */
  STATE_QUOTED,
  STATE_QUOTE,        /* behind a quote inside a quoted cell */
  STATE_BEHIND_QUOTE, /* behind the closing quote and blanks */
  STATE_SEPARATOR,    /* behind `sep=;` */
  STATE_COMMENT,
  STATE_TABS_END,    /* the held tabs were delimiters; the cell before them is to be told */
  STATE_RECORD_END,  /* the last cell of a record was told */
  STATE_NEXT_RECORD, /* and the record */
  STATE_DONE,
  STATE_BROKEN
};

/* What `delimiter` is where it is no byte. */
enum { UNDECIDED = -1, NONE = -2 };

/* What stands for the end of the file among the bytes. */
enum { END = -1 };

static const char second_cell[] =
    "a second cell, in a list whose first line has one; put quotes around a cell that contains "
    "a comma, a semicolon or a tab";

static const char record_or_comment[] = "a line that begins with #, in a list with columns; take "
                                        "it out, or put quotes around its first "
                                        "cell";

static const char quote_in_comment[] =
    "a quote in a line that begins with #; take the line out, or put quotes around its first cell";

void mde_csv_init(struct mde_csv_reader *reader, char *buffer, size_t size)
{
  struct mde_csv_reader fresh = {.buffer = buffer,
                                 .size = size,
                                 .state = STATE_MARK,
                                 .delimiter = UNDECIDED,
                                 .line = 1,
                                 .column = 1};
  *reader = fresh;
}

static void broken_at(struct mde_csv_reader *reader, const char *problem, size_t line,
                      size_t column)
{
  reader->state = STATE_BROKEN;
  reader->problem = problem;
  reader->problem_line = line;
  reader->problem_column = column;
}

static void broken(struct mde_csv_reader *reader, const char *problem)
{
  broken_at(reader, problem, reader->line, reader->column);
}

static bool has_columns(const struct mde_csv_reader *reader)
{
  return reader->has_record && reader->delimiter >= 0;
}

/* A quote that may mean anything, up to the end of the file. */
static void broken_by_quote(struct mde_csv_reader *reader, const char *problem, size_t line,
                            size_t column)
{
  broken_at(reader, problem, line, column);
  reader->is_of_quotes = has_columns(reader);
}

/* A quote that means nothing, inside a cell that ends with the line at the latest. */
static void spoil(struct mde_csv_reader *reader, const char *problem)
{
  if (!has_columns(reader)) {
    broken(reader, problem);
    return;
  }
  reader->spoilt = problem;
  reader->spoilt_line = reader->line;
  reader->spoilt_column = reader->column;
  reader->state = STATE_SPOILT;
}

static bool is_line_end(int c)
{
  return c == '\r' || c == '\n' || c == END;
}

static bool may_delimit(int c)
{
  return c == ',' || c == ';' || c == '\t';
}

/* A space, or a tab where it does not delimit. */
static bool is_blank(const struct mde_csv_reader *reader, int c)
{
  return c == ' ' || (c == '\t' && reader->delimiter != '\t');
}

static bool is_plain(int c)
{
  return mde_ascii_is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

/* ---- the current cell */

static void begin_cell(struct mde_csv_reader *reader, int state)
{
  reader->state = state;
  reader->all = 0;
  reader->cell.length = 0;
  reader->cell.line = reader->line;
  reader->cell.column = reader->column;
  reader->cell.lines = 1;
  reader->cell.quoted = false;
  reader->plain = true;
  reader->tab_behind = false;
}

static void begin_record(struct mde_csv_reader *reader)
{
  reader->count = 0;
  reader->tabs = 0;
  reader->spoilt = NULL;
  begin_cell(reader, STATE_RECORD_START);
}

/* Blanks are kept, too, since they may turn out to stand inside. */
static void add(struct mde_csv_reader *reader, int c)
{
  bool blank = !reader->cell.quoted && is_blank(reader, c);
  if (reader->all < reader->size) reader->buffer[reader->all] = (char)c;
  reader->all++;
  if (blank) {
    reader->tab_behind = reader->tab_behind || c == '\t';
    return;
  }
  if (reader->tab_behind && reader->delimiter == NONE) broken(reader, second_cell);
  reader->plain = reader->plain && is_plain(c) && reader->all == reader->cell.length + 1;
  reader->tab_behind = false;
  reader->cell.length = reader->all;
}

static enum mde_csv_event tell_cell(struct mde_csv_reader *reader)
{
  reader->cell.text.bytes = reader->buffer;
  reader->cell.text.length =
      reader->cell.length < reader->size ? reader->cell.length : reader->size;
  if (reader->count == 0) reader->record_line = reader->cell.line;
  reader->count++;
  return MDE_CSV_EVENT_CELL;
}

static enum mde_csv_event end_cell(struct mde_csv_reader *reader)
{
  reader->state = STATE_CELL_START;
  return tell_cell(reader);
}

/*
 * Whether the text is `sep=`, and not in quotes, or that and one byte more: `*separator`, else 0.
 */
static bool is_separator(const struct mde_csv_reader *reader, int *separator)
{
  static const char word[] = "sep=";
  if (reader->has_record || reader->count > 0 || reader->delimiter != UNDECIDED) return false;
  if (reader->cell.length < 4 || reader->cell.length > 5) return false;
  if (reader->size < sizeof word) return false;
  for (size_t i = 0; i < 4; i++)
    if (mde_ascii_lower(reader->buffer[i]) != word[i]) return false;
  *separator = reader->cell.length == 4 ? 0 : (unsigned char)reader->buffer[4];
  /* What goes on in another line is no such line. */
  if (is_line_end(*separator)) return false;
  return *separator != 0 || !reader->cell.quoted;
}

/* The line is Excel's and no record. */
static enum mde_csv_event take_separator(struct mde_csv_reader *reader, int separator, int state)
{
  if (!may_delimit(separator)) {
    broken_at(reader, "a line \"sep=\" that names neither , nor ; nor a tab", reader->cell.line,
              reader->cell.column);
    return MDE_CSV_EVENT_BAD;
  }
  reader->delimiter = separator;
  reader->state = state;
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event end_record(struct mde_csv_reader *reader)
{
  int separator = 0;
  if (is_separator(reader, &separator))
    return take_separator(reader, separator, STATE_RECORD_START);
  if (reader->delimiter == UNDECIDED) reader->delimiter = NONE;
  reader->state = STATE_RECORD_END;
  return tell_cell(reader);
}

/* ---- bytes, by state; each tells MDE_CSV_EVENT_MORE if there is nothing to tell yet */

static enum mde_csv_event take_undecided(struct mde_csv_reader *reader, int c)
{
  int separator = 0;
  if (is_separator(reader, &separator) && separator == 0 && reader->all == 4)
    return take_separator(reader, c, STATE_SEPARATOR);
  if (c == '\t' && reader->count == 0 && !reader->cell.quoted) {
    reader->tabs = 1;
    reader->state = STATE_HELD_TABS;
    return MDE_CSV_EVENT_MORE;
  }
  reader->delimiter = c;
  return end_cell(reader);
}

static enum mde_csv_event take_unquoted(struct mde_csv_reader *reader, int c)
{
  if (is_line_end(c)) return end_record(reader);
  if (c == reader->delimiter) return end_cell(reader);
  if (reader->delimiter == UNDECIDED && may_delimit(c)) return take_undecided(reader, c);
  if (reader->delimiter == NONE && may_delimit(c) && c != '\t') {
    broken(reader, second_cell);
  } else if (c == '"') {
    spoil(reader, "a quote inside a cell that does not begin with one");
  } else if (c == '#' && reader->plain && reader->all > reader->cell.length) {
    reader->state = STATE_NOTE_SIGN;
  } else {
    add(reader, c);
  }
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_cell_start(struct mde_csv_reader *reader, int c)
{
  if (is_blank(reader, c)) return MDE_CSV_EVENT_MORE;
  begin_cell(reader, STATE_UNQUOTED);
  if (c == '"') {
    reader->state = STATE_QUOTED;
    reader->cell.quoted = true;
    return MDE_CSV_EVENT_MORE;
  }
  return take_unquoted(reader, c);
}

static void begin_comment(struct mde_csv_reader *reader)
{
  if (reader->delimiter >= 0) {
    broken(reader, record_or_comment);
    return;
  }
  if (reader->comments < MDE_CSV_MAX_COMMENT_LINES)
    reader->comment_lines[reader->comments] = reader->line;
  reader->comments++;
  reader->state = STATE_COMMENT;
}

static enum mde_csv_event take_comment(struct mde_csv_reader *reader, int c)
{
  if (c == '"')
    broken(reader, quote_in_comment);
  else if (is_line_end(c))
    begin_record(reader);
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_record_start(struct mde_csv_reader *reader, int c)
{
  if (is_line_end(c)) return MDE_CSV_EVENT_MORE;
  if (c == '\t' && reader->delimiter == UNDECIDED) {
    begin_cell(reader, STATE_HELD_TABS);
    reader->tabs = 1;
    return MDE_CSV_EVENT_MORE;
  }
  if (c == '#') {
    begin_comment(reader);
    return MDE_CSV_EVENT_MORE;
  }
  return take_cell_start(reader, c);
}

static void begin_note(struct mde_csv_reader *reader)
{
  reader->notes++;
  reader->state = STATE_NOTE;
  if (reader->delimiter == UNDECIDED) reader->delimiter = NONE;
}

static enum mde_csv_event take_note(struct mde_csv_reader *reader, int c)
{
  if (is_line_end(c)) return end_record(reader);
  if (c == reader->delimiter) return end_cell(reader);
  if (c == '"' && reader->delimiter != NONE) spoil(reader, "a quote inside a note");
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_spoilt(struct mde_csv_reader *reader, int c)
{
  return is_line_end(c) ? end_record(reader) : MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_note_sign(struct mde_csv_reader *reader, int c)
{
  if (reader->delimiter == UNDECIDED && (c == ',' || c == ';')) reader->delimiter = c;
  if (is_blank(reader, c) || is_line_end(c) || c == reader->delimiter) {
    begin_note(reader);
    return take_note(reader, c);
  }
  reader->state = STATE_UNQUOTED;
  add(reader, '#');
  return reader->state == STATE_UNQUOTED ? take_unquoted(reader, c) : MDE_CSV_EVENT_MORE;
}

/* The tabs were delimiters, so the byte belongs to another cell. */
static void end_tabs(struct mde_csv_reader *reader)
{
  reader->delimiter = '\t';
  reader->state = STATE_TABS_END;
}

static enum mde_csv_event take_held_tabs(struct mde_csv_reader *reader, int c)
{
  bool empty = reader->cell.length == 0;
  if (c == '\t') reader->tabs++;
  if (mde_ascii_is_blank(c)) return MDE_CSV_EVENT_MORE;
  if (is_line_end(c)) {
    reader->tabs = 0;
    if (!empty) return end_record(reader);
    begin_record(reader);
  } else if (c == '#' && empty) {
    reader->tabs = 0;
    begin_comment(reader);
  } else if (c == '#' && reader->plain) {
    reader->state = STATE_HELD_SIGN;
  } else {
    end_tabs(reader);
  }
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_held_sign(struct mde_csv_reader *reader, int c)
{
  if (is_blank(reader, c) || is_line_end(c)) {
    reader->tabs = 0;
    begin_note(reader);
    return take_note(reader, c);
  }
  reader->sign_held = true;
  end_tabs(reader);
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_behind_quote(struct mde_csv_reader *reader, int c)
{
  if (is_line_end(c)) return end_record(reader);
  if (c == reader->delimiter) return end_cell(reader);
  if (reader->delimiter == UNDECIDED && may_delimit(c)) return take_undecided(reader, c);
  if (is_blank(reader, c))
    reader->state = STATE_BEHIND_QUOTE;
  else if (reader->delimiter == NONE && may_delimit(c))
    broken(reader, second_cell);
  else
    broken_by_quote(reader, "text behind a closing quote", reader->line, reader->column);
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_quoted(struct mde_csv_reader *reader, int c)
{
  reader->cell.lines = reader->line - reader->cell.line + 1;
  if (c == '"')
    reader->state = STATE_QUOTE;
  else if (c == END)
    broken_by_quote(reader, "a quote is not closed", reader->cell.line, reader->cell.column);
  else
    add(reader, c);
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_quote(struct mde_csv_reader *reader, int c)
{
  if (c != '"') return take_behind_quote(reader, c);
  add(reader, c);
  reader->state = STATE_QUOTED;
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_separator_end(struct mde_csv_reader *reader, int c)
{
  if (is_line_end(c))
    begin_record(reader);
  else if (c != ' ')
    broken(reader, "text behind the separator of a line \"sep=\"");
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take(struct mde_csv_reader *reader, int c)
{
  switch ((enum state)reader->state) {
  case STATE_RECORD_START:
    return take_record_start(reader, c);
  case STATE_HELD_TABS:
    return take_held_tabs(reader, c);
  case STATE_HELD_SIGN:
    return take_held_sign(reader, c);
  case STATE_CELL_START:
    return take_cell_start(reader, c);
  case STATE_UNQUOTED:
    return take_unquoted(reader, c);
  case STATE_NOTE_SIGN:
    return take_note_sign(reader, c);
  case STATE_NOTE:
    return take_note(reader, c);
  case STATE_SPOILT:
    return take_spoilt(reader, c);
  case STATE_QUOTED:
    return take_quoted(reader, c);
  case STATE_QUOTE:
    return take_quote(reader, c);
  case STATE_BEHIND_QUOTE:
    return take_behind_quote(reader, c);
  case STATE_SEPARATOR:
    return take_separator_end(reader, c);
  case STATE_COMMENT:
    return take_comment(reader, c);
  case STATE_MARK:
  case STATE_TABS_END:
  case STATE_RECORD_END:
  case STATE_NEXT_RECORD:
  case STATE_DONE:
  case STATE_BROKEN:
    break;
  }
  return MDE_CSV_EVENT_MORE;
}

static void advance(struct mde_csv_reader *reader, int c)
{
  bool ends_line = c == '\r' || c == '\n';
  if (ends_line && !(c == '\n' && reader->after_return)) reader->line++;
  if (ends_line)
    reader->column = 1;
  else if ((c & 0xc0) != 0x80)
    reader->column++;
  reader->after_return = c == '\r';
}

/* ---- the byte order mark */

static const struct {
  unsigned char bytes[3];
  size_t length;
  bool is_utf8;
} marks[] = {
    {{0xef, 0xbb, 0xbf}, 3, true},
    {{0xff, 0xfe}, 2, false},
    {{0xfe, 0xff}, 2, false},
};

/* What began like a mark and was none is text. */
static void end_mark(struct mde_csv_reader *reader)
{
  reader->column = 1;
  begin_record(reader);
  for (size_t i = 0; i < reader->marked; i++) {
    take(reader, marks[reader->mark].bytes[i]);
    advance(reader, marks[reader->mark].bytes[i]);
  }
}

/* Whether the byte belongs to a mark, or may. */
static bool take_mark(struct mde_csv_reader *reader, int c)
{
  if (reader->marked == 0)
    while (reader->mark < sizeof marks / sizeof marks[0] && marks[reader->mark].bytes[0] != c)
      reader->mark++;
  if (reader->mark == sizeof marks / sizeof marks[0] ||
      marks[reader->mark].bytes[reader->marked] != c) {
    end_mark(reader);
    return false;
  }
  reader->marked++;
  if (reader->marked < marks[reader->mark].length) return true;
  reader->column = 1;
  if (marks[reader->mark].is_utf8)
    begin_record(reader);
  else
    broken_at(reader, "it is UTF-16, not UTF-8", 1, 1);
  return true;
}

/* ---- the whole */

/* What is due before the next byte; MDE_CSV_EVENT_MORE if nothing is. */
static enum mde_csv_event take_due(struct mde_csv_reader *reader)
{
  if (reader->state == STATE_BROKEN) return MDE_CSV_EVENT_BAD;
  if (reader->state == STATE_DONE) return MDE_CSV_EVENT_END;
  if (reader->state == STATE_RECORD_END) {
    reader->state = STATE_NEXT_RECORD;
    return MDE_CSV_EVENT_RECORD;
  }
  if (reader->state == STATE_NEXT_RECORD) {
    reader->has_record = true;
    begin_record(reader);
  }
  if (reader->state == STATE_TABS_END) {
    reader->tabs--;
    reader->state = STATE_CELL_START;
    return tell_cell(reader);
  }
  if (reader->state == STATE_CELL_START && reader->tabs > 0) {
    reader->tabs--;
    begin_cell(reader, STATE_CELL_START);
    return tell_cell(reader);
  }
  if (reader->state == STATE_CELL_START && reader->sign_held) {
    reader->sign_held = false;
    begin_cell(reader, STATE_UNQUOTED);
    reader->cell.column--;
    add(reader, '#');
  }
  return MDE_CSV_EVENT_MORE;
}

static enum mde_csv_event take_end(struct mde_csv_reader *reader)
{
  if (reader->state == STATE_MARK) end_mark(reader);
  if (reader->state != STATE_RECORD_START && reader->state != STATE_COMMENT &&
      reader->state != STATE_SEPARATOR)
    return take(reader, END);
  reader->state = STATE_DONE;
  return MDE_CSV_EVENT_MORE;
}

enum mde_csv_event mde_csv_next(struct mde_csv_reader *reader, struct mde_text *input)
{
  for (;;) {
    enum mde_csv_event event = take_due(reader);
    if (event == MDE_CSV_EVENT_MORE && input->bytes == NULL) {
      event = take_end(reader);
      if (event == MDE_CSV_EVENT_MORE) continue;
    }
    if (event != MDE_CSV_EVENT_MORE || input->length == 0) return event;
    int c = (unsigned char)*input->bytes;
    if (c == 0)
      broken(reader, "a NUL byte");
    else if (reader->state == STATE_MARK && take_mark(reader, c))
      event = MDE_CSV_EVENT_MORE;
    else if (c != '\n' || !reader->after_return || reader->state == STATE_QUOTED)
      event = take(reader, c);
    if (reader->state == STATE_BROKEN) return MDE_CSV_EVENT_BAD;
    if (reader->state == STATE_TABS_END) continue;
    advance(reader, c);
    input->bytes++;
    input->length--;
    if (event != MDE_CSV_EVENT_MORE) return event;
  }
}
