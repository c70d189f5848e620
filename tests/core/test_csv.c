/*
 * csv: records and their places, whole and cut at every byte, and everything that is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv.h"
#include "test_edge.h"
#include "test_reading.h"

/* Writes cells as `text@line:column`, in quotes if they were, records as `[...]`. */
static void read_part(struct mde_csv_reader *reader, struct mde_text *part, struct reading *out)
{
  for (;;) {
    const struct mde_csv_cell *cell = &reader->cell;
    enum mde_csv_event event = mde_csv_next(reader, part);
    if (event == MDE_CSV_EVENT_CELL)
      reading_write(out, "%s%s%.*s%s@%zu:%zu", reader->count == 1 ? "[" : " ",
                    cell->quoted ? "\"" : "", (int)cell->text.length, cell->text.bytes,
                    cell->quoted ? "\"" : "", cell->line, cell->column);
    else if (event == MDE_CSV_EVENT_RECORD)
      reading_write(out, reader->spoilt == NULL ? "]" : " spoilt %zu:%zu by %s]",
                    reader->spoilt_line, reader->spoilt_column, reader->spoilt);
    else if (event == MDE_CSV_EVENT_BAD)
      reading_write(out, "bad %zu:%zu %s", reader->problem_line, reader->problem_column,
                    reader->problem);
    if (event == MDE_CSV_EVENT_END && reader->comments + reader->notes > 0) {
      reading_write(out, " %zu comments%s", reader->comments, reader->comments > 0 ? " at" : "");
      for (size_t i = 0; i < reader->comments && i < MDE_CSV_MAX_COMMENT_LINES; i++)
        reading_write(out, " %zu", reader->comment_lines[i]);
      reading_write(out, ", %zu notes", reader->notes);
    }
    if (event <= MDE_CSV_EVENT_MORE || event == MDE_CSV_EVENT_END) return;
  }
}

static void read_in_pieces(const char *bytes, size_t length, size_t piece, struct reading *out)
{
  char buffer[64];
  struct mde_csv_reader reader;
  struct mde_text end = {NULL, 0};
  out->length = 0;
  out->text[0] = '\0';
  mde_csv_init(&reader, buffer, sizeof buffer);
  for (size_t at = 0; at < length; at += piece) {
    struct mde_text part = test_edge(bytes + at, length - at < piece ? length - at : piece);
    read_part(&reader, &part, out);
    if (reader.problem != NULL) return;
    assert_int_equal(part.length, 0);
  }
  read_part(&reader, &end, out);
}

struct reading_case {
  const char *bytes;
  size_t length; /* 0: up to the NUL */
  const char *expected;
};

static void assert_readings(const struct reading_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    struct reading reading;
    size_t length = cases[i].length > 0 ? cases[i].length : strlen(cases[i].bytes);
    for (size_t piece = 1; piece <= length + 1; piece++) {
      read_in_pieces(cases[i].bytes, length, piece, &reading);
      if (strcmp(reading.text, cases[i].expected) != 0)
        fail_msg("\"%s\" in pieces of %zu:\n  read     %s\n  expected %s", cases[i].bytes, piece,
                 reading.text, cases[i].expected);
    }
  }
}

#define ASSERT_READINGS(cases) assert_readings(cases, sizeof(cases) / sizeof((cases)[0]))

static void records(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"", 0, ""},
      {"a", 0, "[a@1:1]"},
      {"a\nb\n", 0, "[a@1:1][b@2:1]"},
      {"a\r\nb\r\n", 0, "[a@1:1][b@2:1]"},
      {"a\rb\r", 0, "[a@1:1][b@2:1]"},
      {"a\n\rb\r\r\nc", 0, "[a@1:1][b@3:1][c@5:1]"},
      {"a,b\nc,d", 0, "[a@1:1 b@1:3][c@2:1 d@2:3]"},
      {"a;b,c\nd", 0, "[a@1:1 b,c@1:3][d@2:1]"},
      {"a\tb,c;d\n", 0, "[a@1:1 b,c;d@1:3]"},
      {"a,b\nc;d", 0, "[a@1:1 b@1:3][c;d@2:1]"},
      {",\n,", 0, "[@1:1 @1:2][@2:1 @2:2]"},
      {"a,,b,", 0, "[a@1:1 @1:3 b@1:4 @1:6]"},
      {" a , b b\t, c", 0, "[a@1:2 b b@1:6 c@1:12]"},
      {"\n \t \n  a \n\t\n b\t\n", 0, "[a@3:3][b@5:2]"},
      {"x,y\n\n \n \t \na,b", 0, "[x@1:1 y@1:3][a@5:1 b@5:3]"},
      {"caf\xc3\xa9,b\n\xc3\xa4", 0, "[caf\xc3\xa9@1:1 b@1:6][\xc3\xa4@2:1]"},
      {"caf\xe9,b", 0, "[caf\xe9@1:1 b@1:6]"},
  };
  ASSERT_READINGS(cases);
}

static void quotes(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"\"a\"", 0, "[\"a\"@1:1]"},
      {"\"\"\n\"\"\"\"", 0, "[\"\"@1:1][\"\"\"@2:1]"},
      {"\"a,b;c\td\",e", 0, "[\"a,b;c\td\"@1:1 e@1:11]"},
      {"x,\"a\nb\r\nc\rd\",y\nz", 0, "[x@1:1 \"a\nb\r\nc\rd\"@1:3 y@4:4][z@5:1]"},
      {"\"a\r\n\"\r\nb", 0, "[\"a\r\n\"@1:1][b@3:1]"},
      {"\"a\r\"\nb", 0, "[\"a\r\"@1:1][b@3:1]"},
      {"\"say \"\"a\"\"\"", 0, "[\"say \"a\"\"@1:1]"},
      {"\" a \" , \"b\"\t\n  \"c\"", 0, "[\" a \"@1:1 \"b\"@1:9][\"c\"@2:3]"},
      {"\"a\";\"b\"\n\"c\",d", 0, "[\"a\"@1:1 \"b\"@1:5]bad 2:4 text behind a closing quote"},
      {"\"a\"\t\"b\"", 0, "[\"a\"@1:1 \"b\"@1:5]"},
      {"\"# a\"\n\"x # y\"", 0, "[\"# a\"@1:1][\"x # y\"@2:1]"},
      {"\"a\n# b\n\"", 0, "[\"a\n# b\n\"@1:1]"},
  };
  ASSERT_READINGS(cases);
}

static void delimiters(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"sep=;\na,b;c", 0, "[a,b@2:1 c@2:5]"},
      {"\"sep=,\"\r\na;b,c", 0, "[a;b@2:1 c@2:5]"},
      {"\n# x\nSEP=\t \na,b\tc", 0, "[a,b@4:1 c@4:5] 1 comments at 2, 0 notes"},
      {"sep=,\na", 0, "[a@2:1]"},
      {"sep=,\nsep=;", 0, "[sep=;@2:1]"},
      {"a\nsep=x", 0, "[a@1:1][sep=x@2:1]"},
      {"sepp\n", 0, "[sepp@1:1]"},
      {"sep=  ;x", 0, "[sep=@1:1 x@1:8]"},
      {"sep=;x", 0, "bad 1:6 text behind the separator of a line \"sep=\""},
      {"sep=|\na|b", 0, "bad 1:1 a line \"sep=\" that names neither , nor ; nor a tab"},
      {"sep=\na", 0, "bad 1:1 a line \"sep=\" that names neither , nor ; nor a tab"},
      {"\"sep=|\"\na", 0, "bad 1:1 a line \"sep=\" that names neither , nor ; nor a tab"},
      {"\"sep= \"\na", 0, "bad 1:1 a line \"sep=\" that names neither , nor ; nor a tab"},
      {"\"sep=\n\"\na", 0, "[\"sep=\n\"@1:1][a@3:1]"},
      {"\"sep=\"\na", 0, "[\"sep=\"@1:1][a@2:1]"},
      {"\"a\nb\";c", 0, "[\"a\nb\"@1:1 c@2:4]"},
      {"\ta\tb", 0, "[@1:1 a@1:2 b@1:4]"},
      {"\t\t\"b\"", 0, "[@1:1 @1:3 \"b\"@1:3]"},
      {"a\t\tb", 0, "[a@1:1 @1:4 b@1:4]"},
      {"a\tb\n\t\n\tc", 0, "[a@1:1 b@1:3][@2:1 @2:2][@3:1 c@3:2]"},
      {"a\t,b", 0, "[a@1:1 ,b@1:3]"},
      {"a b\t# c", 0, "[a b@1:1 # c@1:5]"},
      {"a\t#c\nb", 0, "[a@1:1 #c@1:3][b@2:1]"},
  };
  ASSERT_READINGS(cases);
}

#define SECOND                                                                                     \
  "a second cell, in a list whose first line has one; put quotes around a cell that contains a "   \
  "comma, a semicolon or a tab"

static void one_column(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"a\nb,c", 0, "[a@1:1]bad 2:2 " SECOND},
      {"a\nb;c", 0, "[a@1:1]bad 2:2 " SECOND},
      {"a\nb\tc", 0, "[a@1:1]bad 2:3 " SECOND},
      {"a\nb,", 0, "[a@1:1]bad 2:2 " SECOND},
      {"a\n\"b\",c", 0, "[a@1:1]bad 2:4 " SECOND},
      {"a\n\"b,c\"\t\n", 0, "[a@1:1][\"b,c\"@2:1]"},
      {"a # x, \"y\"\nb\t\t\n", 0, "[a@1:1][b@2:1] 0 comments, 1 notes"},
      {"a\n\tb\t#c", 0, "[a@1:1]bad 2:5 " SECOND},
  };
  ASSERT_READINGS(cases);
}

static void comments_and_notes(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"# a\n  # b\r\t#c\na\n#", 0, "[a@4:1] 4 comments at 1 2 3 5, 0 notes"},
      {"#\n#\n#\n#\n#\n#\na", 0, "[a@7:1] 6 comments at 1 2 3 4 5, 0 notes"},
      {"# a\n#4711,b\nx,y\na,b", 0, "[x@3:1 y@3:3][a@4:1 b@4:3] 2 comments at 1 2, 0 notes"},
      {"x,y\n\"#z\",c\na,#b", 0, "[x@1:1 y@1:3][\"#z\"@2:1 c@2:6][a@3:1 #b@3:3]"},
      {"x\ty\n\t#z\n", 0, "[x@1:1 y@1:3][@2:1 #z@2:2]"},
      {"a # b\na.b-c_9\t#\t\"c\na #\na\t#\r\n", 0,
       "[a@1:1][a.b-c_9@2:1][a@3:1][a@4:1] 0 comments, 4 notes"},
      {"a\t \t# b, \"c\"", 0, "[a@1:1] 0 comments, 1 notes"},
      {"x,y\na # b,c # d\n", 0, "[x@1:1 y@1:3][a@2:1 c@2:7] 0 comments, 2 notes"},
      {"x,y\na # \"b\",c", 0,
       "[x@1:1 y@1:3][a@2:1 spoilt 2:5 by a quote inside a note] 0 comments, 1 notes"},
      {"x,y\na #,# c", 0, "[x@1:1 y@1:3][a@2:1 # c@2:5] 0 comments, 1 notes"},
      {"a #,b", 0, "[a@1:1 b@1:5] 0 comments, 1 notes"},
      {"a#b\na #b\na# b\nBob's # 2\niPad 3 # 4", 0,
       "[a#b@1:1][a #b@2:1][a# b@3:1][Bob's # 2@4:1][iPad 3 # 4@5:1]"},
      {"x\ty\na\t# b", 0, "[x@1:1 y@1:3][a@2:1 # b@2:3]"},
  };
  ASSERT_READINGS(cases);
}

#define IN_COLUMNS                                                                                 \
  "a line that begins with #, in a list with columns; take it out, or put quotes around its "      \
  "first "                                                                                         \
  "cell"
#define QUOTE                                                                                      \
  "a quote in a line that begins with #; take the line out, or put quotes around its first cell"

/* What one reader takes for a comment could be a record to another, with quotes across lines. */
static void refused_comments(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"x,y\n # \"z\na,b", 0, "[x@1:1 y@1:3]bad 2:2 " IN_COLUMNS},
      {"x;y\n#4711;a", 0, "[x@1:1 y@1:3]bad 2:1 " IN_COLUMNS},
      {"x\ty\n #", 0, "[x@1:1 y@1:3]bad 2:2 " IN_COLUMNS},
      {"x #,y\n\n#", 0, "[x@1:1 y@1:5]bad 3:1 " IN_COLUMNS},
      {"sep=;\n#4711;a", 0, "bad 2:1 " IN_COLUMNS},
      {"sep=,\na\n#b", 0, "[a@2:1]bad 3:1 " IN_COLUMNS},
      {"#4711,\"a\nb\n# c\"\nx,y", 0, "bad 1:7 " QUOTE},
      {"\t#\"\"", 0, "bad 1:3 " QUOTE},
      {"a\n# b\n# \"c", 0, "[a@1:1]bad 3:3 " QUOTE},
  };
  ASSERT_READINGS(cases);
}

static void refused(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"a,\"b\nc\nd", 0, "[a@1:1bad 1:3 a quote is not closed"},
      {"a\n\"", 0, "[a@1:1]bad 2:1 a quote is not closed"},
      {"\"a\"b", 0, "bad 1:4 text behind a closing quote"},
      {"\"a\" \"b\"", 0, "bad 1:5 text behind a closing quote"},
      {"=\"a\"", 0, "bad 1:2 a quote inside a cell that does not begin with one"},
      {"ab\0c", 4, "bad 1:3 a NUL byte"},
      {"\"a\0\"", 4, "bad 1:3 a NUL byte"},
      {"#\0", 2, "bad 1:2 a NUL byte"},
      {"\0a", 2, "bad 1:1 a NUL byte"},
      {"a # \0", 5, "bad 1:5 a NUL byte"},
      {"\xff\xfe\x61\0", 4, "bad 1:1 it is UTF-16, not UTF-8"},
      {"\xfe\xff\0\x61", 4, "bad 1:1 it is UTF-16, not UTF-8"},
  };
  ASSERT_READINGS(cases);
}

static void marks(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"\xef\xbb\xbf", 0, ""},
      {"\xef\xbb\xbf\"a\",b", 0, "[\"a\"@1:1 b@1:5]"},
      {"\xef\xbb\xbf\xef\xbb\xbf"
       "a",
       0,
       "[\xef\xbb\xbf"
       "a@1:1]"},
      {"\xef", 0, "[\xef@1:1]"},
      {"\xef\xbb,b", 0, "[\xef\xbb@1:1 b@1:3]"},
      {"\xff,b", 0, "[\xff@1:1 b@1:3]"},
      {"\xfe\xfe\nb", 0, "[\xfe\xfe@1:1][b@2:1]"},
      {"a\n\xff\xfe", 0, "[a@1:1][\xff\xfe@2:1]"},
  };
  ASSERT_READINGS(cases);
}

static void long_cells(void **state)
{
  (void)state;
  char buffer[8];
  struct mde_csv_reader reader;
  struct mde_text input = test_edge_string("0123456789  ,\"0123456\n89\",01234567   x");
  struct mde_text end = {NULL, 0};
  mde_csv_init(&reader, buffer, sizeof buffer);
  static const size_t lengths[] = {10, 10, 12};
  for (size_t i = 0; i < 3; i++) {
    enum mde_csv_event event = mde_csv_next(&reader, &input);
    if (event == MDE_CSV_EVENT_MORE) event = mde_csv_next(&reader, &end);
    assert_int_equal(event, MDE_CSV_EVENT_CELL);
    assert_int_equal(reader.cell.length, lengths[i]);
    assert_int_equal(reader.cell.text.length, sizeof buffer);
    assert_memory_equal(reader.cell.text.bytes, i == 1 ? "0123456\n" : "01234567", sizeof buffer);
  }
  assert_int_equal(mde_csv_next(&reader, &end), MDE_CSV_EVENT_RECORD);
  assert_int_equal(reader.count, 3);
  assert_int_equal(reader.record_line, 1);
}

static void stays(void **state)
{
  (void)state;
  char buffer[8];
  struct mde_csv_reader reader;
  struct mde_text end = {NULL, 0};
  mde_csv_init(&reader, buffer, sizeof buffer);
  for (int i = 0; i < 3; i++)
    assert_int_equal(mde_csv_next(&reader, &end), MDE_CSV_EVENT_END);
  mde_csv_init(&reader, buffer, sizeof buffer);
  for (int i = 0; i < 3; i++) {
    struct mde_text input = test_edge_string("\"a\"b\n");
    assert_int_equal(mde_csv_next(&reader, &input), MDE_CSV_EVENT_BAD);
  }
  assert_int_equal(mde_csv_next(&reader, &end), MDE_CSV_EVENT_BAD);
}

#define INSIDE "by a quote inside a cell that does not begin with one]"

/* A quote that nobody takes for one spoils the record that it stands in, up to the end of the line.
 */
static void spoilt(void **state)
{
  (void)state;
  static const struct reading_case cases[] = {
      {"x,y\na\"b\",c", 0, "[x@1:1 y@1:3][a@2:1 spoilt 2:2 " INSIDE},
      {"x,y\na,5\" disk\r\nb,c\n", 0,
       "[x@1:1 y@1:3][a@2:1 5@2:3 spoilt 2:4 " INSIDE "[b@3:1 c@3:3]"},
      {"x,y\n\"a\nb\",c\"\"\"\rd,e", 0,
       "[x@1:1 y@1:3][\"a\nb\"@2:1 c@3:4 spoilt 3:5 " INSIDE "[d@4:1 e@4:3]"},
      {"x;y\na #\"b;c\nd;e", 0, "[x@1:1 y@1:3][a #@2:1 spoilt 2:4 " INSIDE "[d@3:1 e@3:3]"},
      {"x\ty\na\"\tb", 0, "[x@1:1 y@1:3][a@2:1 spoilt 2:2 " INSIDE},
      {"x,y\na,b\"\nc,\"d", 0,
       "[x@1:1 y@1:3][a@2:1 b@2:3 spoilt 2:4 " INSIDE "[c@3:1bad 3:3 a quote is not closed"},
      {"x,y\na,b\"c\0", 11, "[x@1:1 y@1:3][a@2:1bad 2:6 a NUL byte"},
      /* No columns are known. */
      {"a\"b,c", 0, "bad 1:2 a quote inside a cell that does not begin with one"},
      {"x\na\"b", 0, "[x@1:1]bad 2:2 a quote inside a cell that does not begin with one"},
  };
  ASSERT_READINGS(cases);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records),
      cmocka_unit_test(quotes),
      cmocka_unit_test(spoilt),
      cmocka_unit_test(delimiters),
      cmocka_unit_test(one_column),
      cmocka_unit_test(comments_and_notes),
      cmocka_unit_test(refused_comments),
      cmocka_unit_test(refused),
      cmocka_unit_test(marks),
      cmocka_unit_test(long_cells),
      cmocka_unit_test(stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
