/*
 * device_heading: what the heading of a column says about what stands below it.
 *
 * These are known, without regard to case, blanks, underscores and byte order marks:
 *
 *   ids:        DeviceId, MachineId, MdeDeviceId, id
 *   Entra ids:  AadDeviceId, DeviceAadId, AzureAdDeviceId, DeviceAzureAdId,
 *               MicrosoftEntraDeviceId, EntraDeviceId
 *   names:      DeviceName, MachineName, ComputerName, HostName, DisplayName, DnsName,
 *               ComputerDnsName, DeviceDnsName, DnsHostName, FQDN
 *   likely:     device, machine, computer, name, host
 *
 * Which of them counts in a list is the list's to decide (device_list.h).
 */
#ifndef MDE_DEVICE_HEADING_H
#define MDE_DEVICE_HEADING_H

#include <stdbool.h>

#include "text.h"

enum mde_column_role {
  MDE_COLUMN_ROLE_ID,
  MDE_COLUMN_ROLE_ENTRA_ID,
  MDE_COLUMN_ROLE_NAME,
  MDE_COLUMN_ROLE_LIKELY,
  MDE_COLUMN_ROLE_OTHER,
  MDE_COLUMN_ROLE_CHOSEN /* by the caller */
};

/* The id of anything, and the name of anything. */
#define MDE_DEVICE_HEADING_OF_ANYTHING "id"
#define MDE_DEVICE_HEADING_OF_ANY_NAME "name"

/* What a heading says; `several`: other cells stand beside it. */
enum mde_column_role mde_device_heading_role(struct mde_text heading, bool several);

/* Whether two headings are the same. */
bool mde_device_heading_same(struct mde_text a, struct mde_text b);

/* Whether nothing of a heading counts. */
bool mde_device_heading_is_blank(struct mde_text heading);

/* Whether a word of it could be about devices. */
bool mde_device_heading_is_about_devices(struct mde_text heading);

#endif
