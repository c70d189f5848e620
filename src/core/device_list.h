/*
 * device_list: which devices a file names that somebody exported or typed.
 *
 * It reads CSV (csv.h) and decides which cells name a device. Nothing is guessed, and nothing is
 * dropped that could have been meant: where the file does not say which column it is, it is
 * refused.
 *
 * The first record is a heading if it says so. These are known, without regard to case, blanks and
 * underscores:
 *
 *   ids:        DeviceId, MachineId, MdeDeviceId, id
 *   Entra ids:  AadDeviceId, DeviceAadId, AzureAdDeviceId, DeviceAzureAdId,
 *               MicrosoftEntraDeviceId, EntraDeviceId
 *   names:      DeviceName, MachineName, ComputerName, HostName, DisplayName, DnsName,
 *               ComputerDnsName, DeviceDnsName, DnsHostName, FQDN
 *   likely:     device, machine, computer, name, host
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
 * must mean one device. Two columns of one sort, and several cells without a heading, need to be
 * told which.
 *
 * Nothing here allocates.
 */
#ifndef MDE_DEVICE_LIST_H
#define MDE_DEVICE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "csv.h"
#include "odata.h"
#include "text.h"

enum {
  MDE_DEVICE_LIST_MAX_COLUMNS = 256,      /* cells of a record */
  MDE_DEVICE_LIST_MAX_HEADING_BYTES = 64, /* that are kept of a heading */
  MDE_DEVICE_LIST_MAX_IDENTIFIERS = 3,    /* of one record */
  MDE_DEVICE_LIST_MAX_TEXT_BYTES = 320, /* that are kept of an identifier: more than it may have */
  MDE_DEVICE_LIST_MAX_SPANS = 5,        /* cells of several lines that are told */
  MDE_DEVICE_LIST_PROBLEM_SIZE = 256    /* room enough for any problem, its NUL included */
};

enum mde_column_role {
  MDE_COLUMN_ROLE_ID,
  MDE_COLUMN_ROLE_ENTRA_ID,
  MDE_COLUMN_ROLE_NAME,
  MDE_COLUMN_ROLE_LIKELY,
  MDE_COLUMN_ROLE_OTHER,
  MDE_COLUMN_ROLE_CHOSEN /* by the caller */
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

struct mde_device_list {
  /* After ENTRY: what names the device, first the identifier that counts; behind them `passed_over`
   * cells that can be none of the sort that their column has. After FLAW: the one that should. */
  struct mde_identifier identifiers[MDE_DEVICE_LIST_MAX_IDENTIFIERS];
  size_t identifier_count;
  size_t passed_over;
  size_t line; /* where the record begins */

  /* After BAD. */
  enum mde_device_list_trouble trouble;
  char problem[MDE_DEVICE_LIST_PROBLEM_SIZE]; /* a phrase, ASCII */
  size_t problem_line;
  size_t problem_column; /* the character in the line; 0: the whole line */

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
  bool is_alone;       /* no other column could name the devices */
  bool is_of_anything; /* and its heading is `id` */
  size_t filled;       /* cells of the record that are not empty */
};

enum mde_device_list_event {
  MDE_DEVICE_LIST_EVENT_BAD = -1,  /* the list is refused: `trouble`, `problem`, where; stays */
  MDE_DEVICE_LIST_EVENT_MORE = 0,  /* the input is used up */
  MDE_DEVICE_LIST_EVENT_ENTRY = 1, /* a record names a device */
  MDE_DEVICE_LIST_EVENT_FLAW = 2,  /* a record should, and does not; the list is good for nothing */
  MDE_DEVICE_LIST_EVENT_END = 3    /* stays */
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

/* What the service says of a device; absent where it says nothing. */
struct mde_device_record {
  struct mde_text machine_id;
  struct mde_text entra_id;
  struct mde_text name;
};

/*
 * Whether an identifier of a list can mean that device: it is its id, its Entra id, or its name. A
 * name is compared in its one form (name.h), and one without a domain with the first label, too.
 * The apostrophe by which a spreadsheet is kept from running a cell is no part of it. In a file
 * such a name is only compared: alone it names no device, since the apostrophe may be its own.
 */
bool mde_device_list_fits(struct mde_text identifier, const struct mde_device_record *record);

#endif
