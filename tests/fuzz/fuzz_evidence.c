/*
 * evidence: any bytes as pieces, one a line, its fields between commas: id, Entra id, name,
 * onboarding, roles. Which of them are one device is told by comparing each with each.
 */
#include "device.h"
#include "evidence.h"
#include "target.h"

enum { MOST_PIECES = 64, MOST_ROLES = 8, FIELDS = 4 };

/* The next field of a line. */
static struct mde_text next_field(const char **at, const char *end)
{
  const char *from = *at, *stop = from;
  while (stop < end && *stop != ',')
    stop++;
  *at = stop < end ? stop + 1 : end;
  return (struct mde_text){.bytes = from, .length = (size_t)(stop - from)};
}

static bool same(struct mde_text a, struct mde_text b)
{
  return mde_text_same_caseless(a, b);
}

static bool are_one(const struct mde_evidence_piece *a, const struct mde_evidence_piece *b)
{
  if (!same(a->id, b->id)) return false;
  return a->id.length > 0 || (same(a->entra_id, b->entra_id) && same(a->name, b->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  static struct mde_text roles[MOST_PIECES][MOST_ROLES];
  struct mde_evidence_piece pieces[MOST_PIECES];
  struct mde_evidence_device devices[MOST_PIECES];
  size_t device_of[MOST_PIECES], count = 0;
  const char *at = length > 0 ? (const char *)bytes : "", *end = at + length;
  while (count < MOST_PIECES && at < end) {
    const char *stop = at;
    while (stop < end && *stop != '\n')
      stop++;
    struct mde_text fields[FIELDS];
    for (size_t i = 0; i < FIELDS; i++)
      fields[i] = next_field(&at, stop);
    size_t role_count = 0;
    while (at < stop && role_count < MOST_ROLES)
      roles[count][role_count++] = next_field(&at, stop);
    pieces[count] = (struct mde_evidence_piece){.id = fields[0],
                                                .entra_id = fields[1],
                                                .name = fields[2],
                                                .onboarding = fields[3],
                                                .roles = roles[count],
                                                .role_count = role_count};
    count++;
    at = stop < end ? stop + 1 : end;
  }

  size_t found = mde_evidence_devices(pieces, count, devices, device_of);
  require(found <= count);
  for (size_t i = 0; i < count; i++) {
    require(device_of[i] < found);
    for (size_t k = 0; k < count; k++)
      require((device_of[i] == device_of[k]) == are_one(&pieces[i], &pieces[k]));
  }
  for (size_t d = 0; d < found; d++) {
    size_t first = devices[d].first;
    require(device_of[first] == d && (d == 0 || first > devices[d - 1].first));
    for (size_t i = 0; i < first; i++)
      require(device_of[i] != d);
    if (mde_evidence_is_target(&devices[d])) require(mde_device_is_machine_id(pieces[first].id));
  }
  return 0;
}
