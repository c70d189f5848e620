/*
 * device_record: what the service says of a device, and whether an identifier can mean it.
 *
 * It can if it is the device's id, its Entra id, or its name. A name is compared in its one form
 * (name.h), and one without a domain with the first label, too. The apostrophe by which a
 * spreadsheet is kept from running a cell is no part of it. In a file such a name is only compared:
 * alone it names no device, since the apostrophe may be its own.
 */
#ifndef MDE_DEVICE_RECORD_H
#define MDE_DEVICE_RECORD_H

#include <stdbool.h>

#include "text.h"

/* Absent where the service says nothing. */
struct mde_device_record {
  struct mde_text machine_id;
  struct mde_text entra_id;
  struct mde_text name;
};

/* Whether an identifier of a list can mean that device. */
bool mde_device_record_fits(const struct mde_device_record *record, struct mde_text identifier);

#endif
