/*
 * csv: reads records of separated cells (RFC 4180) from bytes that come in pieces, strictly.
 *
 * Which device a list names is a rule that can hurt, and no maintained reader in Debian says where
 * a cell stands, so this one is ours.
 *
 * Lines end with CR, LF or CRLF; a quoted cell may hold all three, and `""` for a quote. What two
 * readers could understand differently is refused, with its place: a quote that is not closed, text
 * behind a closing quote, a quote inside an unquoted cell, a NUL, UTF-16. Nothing is repaired. But
 * where columns are known, a quote inside an unquoted cell spoils its record alone: for every
 * reader that one ends with the line. The cell that has the quote is the last one that is told.
 *
 * Beyond the RFC: the delimiter is `,` `;` or a tab. It is the one that Excel's line `sep=;` names,
 * else the first one in the first record; if that has none, the file has one column and no
 * delimiter, and one further down is refused. Blanks (spaces, and tabs where they do not delimit)
 * around a cell are no part of it. Lines of blanks are left out. So is a note: behind an unquoted
 * cell of A-Z a-z 0-9 . _ - only, blanks, `#` and another blank or the end; it ends with the cell,
 * in a file of one column with the line.
 *
 * A line whose first byte but blanks is `#` is a comment where no delimiter is known: before the
 * first record, and in a file of one column. A comment is left out, and holds no quote, since to
 * another reader the quote could hold the lines that follow. Where a delimiter is known, such a
 * line is refused: it could be a record, a ticket number for its first cell.
 *
 * Nothing here allocates.
 */
#ifndef MDE_CSV_H
#define MDE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

enum { MDE_CSV_MAX_COMMENT_LINES = 5 /* comments whose lines are kept */ };

struct mde_csv_cell {
  struct mde_text text; /* lies in the caller's buffer; cut to its size */
  size_t length;        /* bytes of the whole text */
  size_t line;          /* where it begins, both from 1; a column is a character of UTF-8 */
  size_t column;
  size_t lines; /* how many it spans */
  bool quoted;
};

/* A reader. Everything but what is said to be for the caller is nobody else's business. */
struct mde_csv_reader {
  /* For the caller. */
  struct mde_csv_cell cell; /* after MDE_CSV_EVENT_CELL: the cell */
  size_t count;             /* after MDE_CSV_EVENT_RECORD: its cells */
  size_t record_line;       /* and the line where it begins */
  const char *spoilt;       /* and why it cannot be understood; NULL: it can be */
  size_t spoilt_line;
  size_t spoilt_column;
  size_t comments;                                 /* that were left out so far */
  size_t comment_lines[MDE_CSV_MAX_COMMENT_LINES]; /* where the first of them stand */
  size_t notes;                                    /* notes so far */
  const char *problem; /* after MDE_CSV_EVENT_BAD: what is wrong, a phrase */
  size_t problem_line; /* and where */
  size_t problem_column;
  bool is_of_quotes; /* and it is about quotes, in a file whose columns are known */

  char *buffer;
  size_t size;
  int state;
  int delimiter;
  bool has_record;   /* one is complete */
  bool after_return; /* the last byte was CR, so LF ends nothing */
  bool plain;        /* the cell is made of what may stand before a note */
  bool tab_behind;   /* there is a tab among the blanks at its end */
  bool sign_held;    /* a # may begin the next cell */
  size_t mark;       /* which byte order mark there may be */
  size_t marked;     /* and how many of its bytes there are */
  size_t tabs;       /* blanks or delimiters, which is not known yet */
  size_t all;        /* bytes of the cell, blanks at its end included */
  size_t line;       /* of the next byte */
  size_t column;
};

enum mde_csv_event {
  MDE_CSV_EVENT_BAD = -1,   /* this cannot be read; stays */
  MDE_CSV_EVENT_MORE = 0,   /* the input is used up */
  MDE_CSV_EVENT_CELL = 1,   /* a cell is complete */
  MDE_CSV_EVENT_RECORD = 2, /* a record is: all its cells were told */
  MDE_CSV_EVENT_END = 3     /* so is the file; stays */
};

/* A reader of one file, which keeps the text of the current cell in `buffer`. */
void mde_csv_init(struct mde_csv_reader *reader, char *buffer, size_t size);

/*
 * Takes bytes off the front of `input` until there is something to tell. However a file is cut, it
 * gives the same. An absent `input` (bytes NULL) is the end of the file: call until
 * MDE_CSV_EVENT_END.
 */
enum mde_csv_event mde_csv_next(struct mde_csv_reader *reader, struct mde_text *input);

#endif
