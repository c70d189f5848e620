/*
 * device_list: which devices a file names that somebody exported or typed.
 *
 * It reads CSV (csv.h) and decides which cells name a device. Nothing is guessed, and nothing is
 * dropped that could have been meant: where the file does not say which column it is, it is
 * refused.
 *
 * The first record is a heading if it says so (device_heading.h).
 *
 * `id` counts only where other cells stand beside it, and may be the id of anything: where no other
 * column names the device and there is a name in it, the list needs to be told which column. A
 * likely one counts only where other cells stand beside it, in the first cell, where no known one
 * is among them, and no other says by a word in it (device, machine, computer, host, laptop,
 * server, dns, fqdn, target) that it could be about devices, or is longer than what is kept of it:
 * then the list needs to be told, too. A heading so long is no known one.
 *
 * An id goes before an Entra id before a name. A cell's shape tells what it is: an Entra export
 * calls the Entra id deviceId. Further identifiers of a record are told with it, since all of them
 * must mean one device; so is what stands below `name` beside an id, where no other column has
 * names, but it names no device alone. Two columns of one sort, and several cells without a
 * heading, need to be told which.
 *
 * A record that is not like the others is left out and told, with the reason: it has another number
 * of cells than the first, or a quote inside an unquoted cell. It also casts doubt on all others.
 * For it may be a piece of a note with line breaks that nobody put into quotes, and then any line
 * may be another piece. `laptop-19, is fine` is a record to look at, and that device must be left
 * alone. No number of lines bounds such a note, before or behind that piece. So in a list with
 * such a record a line counts only if it proves by itself that it is no piece of a note:
 *
 *   identifiers   an id, and beside it another identifier in the column of its sort, both of which
 *                 must mean one device
 *   quotes        all its cells are quoted, as all of the first record are: who wrote that puts
 *                 notes into quotes, too. It proves nothing where a quote is out of place.
 *
 * If no line does, the list is refused. What a proof cannot tell is a whole record that somebody
 * pasted into a note; such a one looks like a record in any list.
 *
 * Behind two places nothing is understood, and what stands before them is in doubt. A quote that is
 * never closed, or has text behind the closing one, may begin or end anywhere. And below a heading
 * that is not the first one again, the columns may be others; they are not chosen a second time,
 * because a line of a note can begin with `Hostname`, too. The same heading again, cell by cell, is
 * two files in one: it is left out and told, and casts no doubt.
 *
 * Nothing here allocates.
 */
#ifndef MDE_DEVICE_LIST_H
#define MDE_DEVICE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "csv.h"
#include "device.h"
#include "device_heading.h"
#include "text.h"

enum {
  MDE_DEVICE_LIST_MAX_COLUMNS = 256,      /* cells of a record */
  MDE_DEVICE_LIST_MAX_HEADING_BYTES = 64, /* that are kept of a heading */
  MDE_DEVICE_LIST_MAX_IDENTIFIERS = 3,    /* of one record */
  MDE_DEVICE_LIST_MAX_TEXT_BYTES = 320, /* that are kept of an identifier: more than it may have */
  MDE_DEVICE_LIST_MAX_SPANS = 5,        /* cells of several lines that are told */
  MDE_DEVICE_LIST_PROBLEM_SIZE = 256    /* room enough for any problem, its NUL included */
};

struct mde_device_column {
  char heading[MDE_DEVICE_LIST_MAX_HEADING_BYTES];
  size_t length; /* of what is kept */
  bool is_cut;   /* there was more */
  enum mde_column_role role;
  bool is_candidate; /* after a problem with the columns: one to choose from */
};

/* A cell of several lines. */
struct mde_span {
  size_t line; /* where it begins */
  size_t lines;
};

struct mde_identifier {
  char text[MDE_DEVICE_LIST_MAX_TEXT_BYTES];
  size_t length; /* of what is kept */
  size_t column; /* from 0 */
  enum mde_column_role role;
  enum mde_device_kind kind;           /* NONE: it is no identifier, and `reason` says why */
  char reason[MDE_DEVICE_REASON_SIZE]; /* completes `the device "..." ` */
};

enum mde_device_list_trouble {
  MDE_DEVICE_LIST_TROUBLE_FRAMING, /* it is no CSV that can be read */
  MDE_DEVICE_LIST_TROUBLE_COLUMN,  /* which column is meant is not said, or not there */
  MDE_DEVICE_LIST_TROUBLE_RECORD   /* a record is not like the others */
};

/* What shows that a record is no piece of a note. */
enum mde_device_list_proof {
  MDE_DEVICE_LIST_PROOF_NONE,
  MDE_DEVICE_LIST_PROOF_QUOTES,
  MDE_DEVICE_LIST_PROOF_IDENTIFIERS,
  MDE_DEVICE_LIST_PROOFS /* how many there are */
};

struct mde_device_list_problem {
  enum mde_device_list_trouble trouble;
  char text[MDE_DEVICE_LIST_PROBLEM_SIZE]; /* a phrase, ASCII */
  size_t line;
  size_t column;    /* the character in the line; 0: the whole line */
  bool to_end;      /* nothing behind it is understood, either */
  bool casts_doubt; /* on the other records */
};

struct mde_device_list {
  /* After ENTRY: what names the device, first the identifier that counts; behind them `passed_over`
   * cells that can be none of the sort that their column has. After FLAW: the one that should.
   * After ODD: what could be read of it, if anything. */
  struct mde_identifier identifiers[MDE_DEVICE_LIST_MAX_IDENTIFIERS];
  size_t identifier_count;
  size_t passed_over;
  size_t line;                      /* where the record begins */
  enum mde_device_list_proof proof; /* after ENTRY */
  size_t instead; /* after FLAW: the column, from 1, whose name may be meant; 0: none */

  struct mde_device_list_problem problem; /* after BAD and ODD */
  struct mde_device_list_problem doubt;   /* the first that casts doubt; its line is 0: none */

  /* The first record, once it is read: what stands above the columns, or in them. */
  struct mde_device_column columns[MDE_DEVICE_LIST_MAX_COLUMNS];
  size_t column_count;
  bool has_heading;
  size_t naming; /* the column that names the devices, from 0 */

  struct mde_span spans[MDE_DEVICE_LIST_MAX_SPANS]; /* the first of them */
  size_t span_count;                                /* how many there are so far */

  /* The rest is nobody else's business, but csv.comments, csv.comment_lines and
   * csv.notes. */
  struct mde_csv_reader csv;
  char buffer[MDE_DEVICE_LIST_MAX_TEXT_BYTES];
  char wanted[MDE_DEVICE_LIST_MAX_HEADING_BYTES];
  size_t wanted_length;
  size_t wanted_number;
  bool has_record;
  bool is_bad;
  bool is_over;                          /* nothing more is understood */
  bool is_of_quotes;                     /* a quote is out of place */
  bool is_first_quoted;                  /* all cells of the first record are */
  bool is_quoted;                        /* so are all of this one, so far */
  bool is_heading;                       /* and they say what the heading says */
  size_t proven[MDE_DEVICE_LIST_PROOFS]; /* entries by their proof */
  bool is_alone;                         /* no other column could name the devices */
  bool is_of_anything;                   /* and its heading is `id` */
  size_t filled;                         /* cells of the record that are not empty */
};

enum mde_device_list_event {
  MDE_DEVICE_LIST_EVENT_BAD = -1,  /* the list is refused: `problem`; stays */
  MDE_DEVICE_LIST_EVENT_MORE = 0,  /* the input is used up */
  MDE_DEVICE_LIST_EVENT_ENTRY = 1, /* a record names a device */
  MDE_DEVICE_LIST_EVENT_FLAW = 2,  /* a record should, and does not */
  MDE_DEVICE_LIST_EVENT_ODD = 3,   /* a record is not like the others: `problem`; it is left out */
  MDE_DEVICE_LIST_EVENT_END = 4    /* stays */
};

/* Whether this can be the heading of a column: some of it counts, and it is not too long. */
bool mde_device_list_is_heading(struct mde_text text);

/*
 * A list whose devices stand in the column with the heading `column` (absent: none), or in the
 * column `number` (from 1; 0: none), or where the file says.
 */
void mde_device_list_init(struct mde_device_list *list, struct mde_text column, size_t number);

/* Takes bytes as mde_csv_next does. */
enum mde_device_list_event mde_device_list_next(struct mde_device_list *list,
                                                struct mde_text *input);

/* At the end: whether entries with that proof count, if what is odd is left out. */
bool mde_device_list_counts(const struct mde_device_list *list, enum mde_device_list_proof proof);

#endif
