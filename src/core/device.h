/*
 * device: which record of the tenant a name means.
 *
 * A device is asked for by a text (mde_device_read):
 *
 *   machine id   40 hexadecimal digits
 *   Entra id     a GUID, but not the all-zero one
 *   full name    a name with a dot inside
 *   bare name    any other, as the first part of a full name is
 *
 * An IP address is told apart. It means no device, since who has it now may not be who had it then.
 *
 * A record answers to its ids, and to its name in the one form of names (name.h). To a bare name a
 * record answers, too, whose name begins with it and a dot. So a full name never means a record
 * with a bare one; and a bare name that is one record's and begins another's is ambiguous.
 *
 * Among the records that answer, one is meant (mde_device_choose), or none. Nothing is guessed:
 *
 *   - A machine id means its record, whatever its health, unless it was merged into another.
 *   - A name or an Entra id means the record that is onboarded and was not merged into another. One
 *     that is inactive counts only if no other is left. Several that count are ambiguous.
 *   - If one of them has no machine id, none is meant: it may be the one, and nobody could act on
 *     it.
 *
 * What a record does not say is no reason to leave it out: without an onboarding status it counts
 * as onboarded, and without a health as in use. Words are compared without regard to the case of A
 * to Z.
 *
 * Several identifiers of one line must all mean the same device (mde_device_differs).
 *
 * Nothing here allocates.
 */
#ifndef MDE_DEVICE_H
#define MDE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* ---- what is asked for */

enum mde_device_kind {
  MDE_DEVICE_KIND_NONE,
  MDE_DEVICE_KIND_MACHINE_ID,
  MDE_DEVICE_KIND_GUID,
  MDE_DEVICE_KIND_FULL_NAME,
  MDE_DEVICE_KIND_BARE_NAME,
  MDE_DEVICE_KIND_IP_ADDRESS
};

enum {
  MDE_DEVICE_MAX_BYTES = 255,  /* the longest text, in bytes, that can mean a device */
  MDE_DEVICE_REASON_SIZE = 128 /* room enough for any reason, its NUL included */
};

struct mde_device {
  enum mde_device_kind kind;
  char canonical[MDE_DEVICE_MAX_BYTES]; /* ids and addresses in lower case, names in their own */
  size_t length;
  char reason[MDE_DEVICE_REASON_SIZE]; /* NONE, IP_ADDRESS: why it means no device; completes
                                          `the device "..." `. ASCII */
};

/*
 * What a text that is to mean a device looks like. Of a name, blanks around it and one dot at its
 * end are left out (see name.h); an id stands alone. Names are opaque: quotes, spaces, % & # + and
 * any other script are legal in them. No device's name has control characters or / \ : * ? < > |,
 * or consists of dots, and what looks like an id that was damaged on its way is refused rather than
 * looked for as a name.
 */
void mde_device_read(struct mde_text text, struct mde_device *device);

/* 40 hexadecimal digits. */
bool mde_device_is_machine_id(struct mde_text text);

/* Hexadecimal digits in groups of 8-4-4-4-12. */
bool mde_device_is_guid(struct mde_text text);

/* The GUID of zeros, which some write for nothing. */
bool mde_device_is_zero_guid(struct mde_text text);

/*
 * The part of a name before the first dot inside it; of a bare name, all of it. Records that answer
 * to a name have the same host, without regard to case. `name` is without blanks around and a dot
 * at the end.
 */
struct mde_text mde_device_host(struct mde_text name);

/* ---- the records */

/* What the service says of a machine; absent where it says nothing, or what is no text. */
struct mde_device_record {
  struct mde_text id;
  struct mde_text entra_id;
  struct mde_text name;
  struct mde_text onboarding;
  struct mde_text health;
  struct mde_text merged_into; /* where that is no text, any text: the machine was merged */
  struct mde_text last_seen;
};

/* Whether a record can be what is asked for. */
bool mde_device_answers(const struct mde_device *asked, const struct mde_device_record *record);

/* What can be done with a record; the later goes before. An empty text says nothing. */
enum mde_device_standing {
  MDE_DEVICE_STANDING_UNIDENTIFIED, /* its id is no machine id */
  MDE_DEVICE_STANDING_NOT_ONBOARDED,
  MDE_DEVICE_STANDING_MERGED,
  MDE_DEVICE_STANDING_INACTIVE,
  MDE_DEVICE_STANDING_LIVE,
  MDE_DEVICE_STANDINGS /* how many there are */
};

enum mde_device_standing mde_device_standing(const struct mde_device_record *record);

/* ---- the choice */

enum mde_device_choice {
  MDE_DEVICE_CHOICE_ONE,
  MDE_DEVICE_CHOICE_NONE, /* no record answers */
  MDE_DEVICE_CHOICE_SEVERAL,
  MDE_DEVICE_CHOICE_UNIDENTIFIED,
  MDE_DEVICE_CHOICE_MERGED,                  /* all that answer were merged */
  MDE_DEVICE_CHOICE_MERGED_OR_NOT_ONBOARDED, /* some were, and the others are not onboarded */
  MDE_DEVICE_CHOICE_NOT_ONBOARDED
};

struct mde_device_listed {
  size_t index; /* of the record */
  int64_t last_seen;
};

/*
 * Chooses the record that is asked for; `asked` NULL: all of them answer. `listed` has room for
 * `count`, and `listed_count` says how many it has then:
 *
 *   ONE            the one that is meant
 *   SEVERAL        those that are ambiguous
 *   MERGED...      those that were merged; each names a survivor
 *   NOT_ONBOARDED  those that answer
 *
 * The one seen last comes first, those without a time last, and those of one time are in the order
 * of their ids. The order of `records` makes no difference but to the indexes.
 */
enum mde_device_choice mde_device_choose(const struct mde_device *asked,
                                         const struct mde_device_record *records, size_t count,
                                         struct mde_device_listed *listed, size_t *listed_count);

/* ---- several identifiers */

/*
 * The index of the first identifier that cannot mean the record; `count` if all can.
 *
 * It can if the record answers to it; or if it is the record's name, whatever it looks like. The
 * apostrophe by which a spreadsheet is kept from running a cell is no part of it: here such a name
 * is only compared, and alone it names no device, since the apostrophe may be its own.
 */
size_t mde_device_differs(const struct mde_device_record *record,
                          const struct mde_text *identifiers, size_t count);

#endif
