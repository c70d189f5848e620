/*
 * plain_csv: a second reader of CSV, which the first one (src/core/csv.h) is compared with. It has
 * the whole file before it, goes by one position in it, and has no memory of how it got there.
 */
#ifndef PLAIN_CSV_H
#define PLAIN_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void require(bool holds)
{
  if (!holds) abort();
}

enum { MOST_CELLS = 8192, MOST_RECORDS = 8192, MOST_BYTES = 16384 };

struct cell {
  size_t record;
  size_t column;
  size_t from; /* in `unquoted` */
  size_t length;
  bool quoted;
};

static struct file {
  const char *at;
  const char *end;
  char delimiter; /* 0: none */
  bool refused;
  bool is_of_quotes; /* for a quote, behind a record, with columns */
  bool has_nul;
  bool has_comments;
  struct cell cells[MOST_CELLS];
  size_t cell_count;
  size_t lines[MOST_RECORDS]; /* of the records */
  bool spoilt[MOST_RECORDS];  /* by a quote inside an unquoted cell */
  size_t record_count;
  char unquoted[MOST_BYTES];
  size_t used;
} file;

static const char *find(const char *at, const char *end, const char *any)
{
  while (at < end && (*at == '\0' || strchr(any, *at) == NULL))
    at++;
  return at;
}

static const char *skip(const char *at, const char *end, const char *any)
{
  while (at < end && *at != '\0' && strchr(any, *at) != NULL)
    at++;
  return at;
}

static const char *line_end(const char *at)
{
  return find(at, file.end, "\r\n");
}

/* Behind the end of a line. */
static const char *next_line(const char *at)
{
  if (at < file.end && *at == '\r' && at + 1 < file.end && at[1] == '\n') return at + 2;
  return at < file.end ? at + 1 : at;
}

/* How long the plain name is that a note follows in this text; 0 if none does. */
static size_t noted(const char *from, const char *to)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const char *name_end = skip(from, to, plain);
  const char *sign = skip(name_end, to, " \t");
  if (name_end == from || sign == name_end || sign == to || *sign != '#') return 0;
  return sign + 1 == to || sign[1] == ' ' || sign[1] == '\t' ? (size_t)(name_end - from) : 0;
}

static void put(char c)
{
  file.unquoted[file.used++] = c;
}

static void add_cell(const char *from, const char *to, bool quoted, size_t column)
{
  struct cell *cell = &file.cells[file.cell_count++];
  cell->record = file.record_count;
  cell->column = column;
  cell->quoted = quoted;
  cell->from = file.used;
  for (; from < to; from++) {
    put(*from);
    if (quoted && *from == '"') from++;
  }
  cell->length = file.used - cell->from;
}

/* The quote that closes the one at `at`; the end if none does. */
static const char *closing(const char *at)
{
  for (at++; at < file.end; at++) {
    if (*at != '"') continue;
    if (at + 1 == file.end || at[1] != '"') return at;
    at++;
  }
  return at;
}

static bool is_behind_columns(void)
{
  return file.record_count > 0 && file.delimiter != 0;
}

static void refuse_quote(void)
{
  file.refused = true;
  file.is_of_quotes = is_behind_columns();
}

static void read_quoted(size_t column, const char *blanks)
{
  const char *close = closing(file.at);
  if (close == file.end) {
    refuse_quote();
    return;
  }
  const char *rest = skip(close + 1, file.end, blanks);
  bool ends = rest == file.end || *rest == '\r' || *rest == '\n' ||
              (file.delimiter != 0 && *rest == file.delimiter);
  if (!ends) {
    refuse_quote();
    return;
  }
  add_cell(file.at + 1, close, true, column);
  file.at = rest;
}

static void read_unquoted(size_t column, const char *blanks)
{
  const char *stop = line_end(file.at);
  if (file.delimiter != 0) {
    const char own[] = {file.delimiter, '\0'};
    stop = find(file.at, stop, own);
  }
  const char *to = stop;
  size_t name = noted(file.at, stop);
  const char *quote = find(file.at, stop, "\"");
  bool has_quote = quote < stop;
  bool spoils = has_quote && is_behind_columns();
  if (spoils) {
    file.spoilt[file.record_count] = true;
    stop = line_end(stop);
    if (name == 0) to = quote;
  }
  if (name > 0)
    to = file.at + name;
  else
    while (to > file.at && to[-1] != '\0' && strchr(blanks, to[-1]) != NULL)
      to--;
  if (has_quote && !spoils && (name == 0 || file.delimiter != 0)) file.refused = true;
  if (file.delimiter == 0 && find(file.at, to, ",;\t") < to) file.refused = true;
  add_cell(file.at, to, false, column);
  file.at = stop;
}

static void read_record(void)
{
  const char *blanks = file.delimiter == '\t' ? " " : " \t";
  for (size_t column = 0; !file.refused; column++) {
    file.at = skip(file.at, file.end, blanks);
    if (file.at < file.end && *file.at == '"')
      read_quoted(column, blanks);
    else
      read_unquoted(column, blanks);
    if (file.refused || file.at == file.end || *file.at == '\r' || *file.at == '\n') break;
    file.at++;
  }
}

static bool is_rest_blank(const char *at)
{
  return skip(at, file.end, " \t") == line_end(at);
}

/* What the first record is cut by. */
static char first_delimiter(void)
{
  const char *at = skip(file.at, file.end, " ");
  const char *end = line_end(at);
  if (at < end && *at == '"') {
    const char *close = closing(at);
    at = close < file.end ? skip(close + 1, file.end, " ") : file.end;
    return at < file.end && *at != '\0' && strchr(",;\t", *at) != NULL ? *at : 0;
  }
  if (noted(at, end) > 0) return 0;
  at = find(at, end, ",;\t");
  if (at == end || (*at == '\t' && is_rest_blank(at))) return 0;
  return *at;
}

/* Takes the line by which Excel is told, if this is one; refuses the file where it tells nothing.
 */
static bool take_separator(void)
{
  const char *at = skip(file.at, file.end, " ");
  const char *end = line_end(at);
  bool quoted = at < end && *at == '"';
  if (quoted) at++;
  static const char word[] = "sep=";
  for (size_t i = 0; i < 4; i++)
    if (at + i >= end || mde_ascii_lower(at[i]) != word[i]) return false;
  at += 4;
  bool known = at < end && *at != '\0' && strchr(",;\t", *at) != NULL;
  if (quoted) {
    /* One character, which may be a quote, and the closing quote. */
    const char *close = at < end && *at == '"' ? at + 2 : at + 1;
    if (close >= end || *close != '"' || close[-1] != *at) return false;
    if (skip(close + 1, end, " ") < end) return false;
    if (!known) file.refused = true;
  } else if (known) {
    if (skip(at + 1, end, " ") < end) file.refused = true;
  } else {
    const char *to = end;
    while (to > at && (to[-1] == ' ' || to[-1] == '\t'))
      to--;
    if (to > at + 1) return false;
    file.refused = true;
  }
  file.delimiter = known ? *at : 0;
  file.at = next_line(end);
  return true;
}

static size_t line_of(const char *start, const char *at)
{
  size_t line = 1;
  for (const char *c = start; c < at; c++)
    if (*c == '\n' ? c == start || c[-1] != '\r' : *c == '\r') line++;
  return line;
}

/* At the beginning, behind a byte order mark. */
static void begin_file(struct mde_text text)
{
  file.at = text.bytes;
  file.end = text.bytes + text.length;
  file.refused = file.is_of_quotes = file.has_comments = false;
  file.cell_count = file.record_count = file.used = 0;
  if (text.length >= 3 && memcmp(file.at, "\xef\xbb\xbf", 3) == 0) file.at += 3;
}

static void read_next_record(const char *start, const char *visible)
{
  file.lines[file.record_count] = line_of(start, visible);
  file.spoilt[file.record_count] = false;
  read_record();
  file.record_count++;
  if (!file.refused) file.at = next_line(file.at);
}

static void take_comment(const char *sign)
{
  bool has_quote = find(sign, line_end(sign), "\"") < line_end(sign);
  file.has_comments = true;
  if (file.delimiter != 0 || has_quote)
    file.refused = true;
  else
    file.at = next_line(line_end(sign));
}

static void read_file(struct mde_text text)
{
  const char *start = text.bytes;
  begin_file(text);
  file.delimiter = 0;
  if (text.length >= 2 && (memcmp(start, "\xff\xfe", 2) == 0 || memcmp(start, "\xfe\xff", 2) == 0))
    file.refused = true;
  file.has_nul = memchr(text.bytes, '\0', text.length) != NULL;
  if (file.has_nul) file.refused = true;
  bool decided = false;
  while (!file.refused && file.at < file.end) {
    const char *visible = skip(file.at, file.end, decided && file.delimiter == '\t' ? " " : " \t");
    if (visible == line_end(visible)) {
      file.at = next_line(visible);
    } else if (*visible == '#') {
      take_comment(visible);
    } else if (!decided && take_separator()) {
      decided = true;
    } else {
      if (!decided) file.delimiter = first_delimiter();
      decided = true;
      read_next_record(start, visible);
    }
  }
}

/* The same file, now that its delimiter is known, by the RFC alone: a line with # is a record, too.
 */
static void read_without_comments(struct mde_text text)
{
  const char *blanks = file.delimiter == '\t' ? " " : " \t";
  begin_file(text);
  while (!file.refused && file.at < file.end) {
    const char *visible = skip(file.at, file.end, blanks);
    if (visible == line_end(visible))
      file.at = next_line(visible);
    else
      read_next_record(text.bytes, visible);
  }
}

/* To whoever knows no comments, they are records of their own, and all that follows is the same. */
static void compare_comments(struct mde_text text)
{
  static struct file own;
  own = file;
  read_without_comments(text);
  require(!file.refused && file.record_count >= own.record_count);
  size_t cells = file.cell_count - own.cell_count;
  size_t records = file.record_count - own.record_count;
  for (size_t i = 0; i < own.record_count; i++)
    require(own.lines[i] == file.lines[records + i]);
  for (size_t i = 0; i < own.cell_count; i++) {
    const struct cell *a = &own.cells[i];
    const struct cell *b = &file.cells[cells + i];
    require(a->record + records == b->record && a->column == b->column);
    require(a->quoted == b->quoted && a->length == b->length);
    require(memcmp(own.unquoted + a->from, file.unquoted + b->from, a->length) == 0);
  }
  file = own;
}

static const struct cell *cell_at(size_t record, size_t column)
{
  for (size_t i = 0; i < file.cell_count; i++)
    if (file.cells[i].record == record && file.cells[i].column == column) return &file.cells[i];
  return NULL;
}

#endif
