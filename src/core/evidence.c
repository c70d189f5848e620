#include "evidence.h"

#include "device.h"

/* ---- what one piece says */

static bool is(struct mde_text value, const char *word)
{
  struct mde_text text = {.bytes = word, .length = strlen(word)};
  return mde_text_same_caseless(value, text);
}

static bool is_all_zero(struct mde_text id)
{
  for (size_t i = 0; i < id.length; i++)
    if (id.bytes[i] != '0') return false;
  return true;
}

static enum mde_evidence_problem problem_of_id(struct mde_text id)
{
  if (id.length == 0) return MDE_EVIDENCE_PROBLEM_NO_ID;
  if (!mde_device_is_machine_id(id) || is_all_zero(id)) return MDE_EVIDENCE_PROBLEM_MALFORMED_ID;
  return MDE_EVIDENCE_PROBLEM_NONE;
}

/* What a piece says to a question. */
enum said { SAID_NOTHING, SAID_NO, SAID_YES };

static enum said is_onboarded(const struct mde_evidence_piece *piece)
{
  if (piece->onboarding.length == 0) return SAID_NOTHING;
  return is(piece->onboarding, "onboarded") ? SAID_YES : SAID_NO;
}

static enum said was_hit(const struct mde_evidence_piece *piece)
{
  static const char *const words[] = {"compromised", "attacked", "attacker", "suspicious"};
  enum said said = SAID_NOTHING;
  for (size_t i = 0; i < piece->role_count; i++) {
    struct mde_text role = piece->roles[i];
    for (size_t word = 0; word < sizeof words / sizeof words[0]; word++)
      if (is(role, words[word])) return SAID_YES;
    if (!is(role, "unknown")) said = SAID_NO;
  }
  return said;
}

/* ---- which pieces are one device */

static int compare(struct mde_text a, struct mde_text b)
{
  for (size_t i = 0; i < a.length && i < b.length; i++) {
    int order =
        mde_ascii_lower((unsigned char)a.bytes[i]) - mde_ascii_lower((unsigned char)b.bytes[i]);
    if (order != 0) return order;
  }
  return (a.length > b.length) - (a.length < b.length);
}

/* The order in which pieces of one device stand together, the earlier ones first. */
static int compare_pieces(const struct mde_evidence_piece *pieces, size_t a, size_t b)
{
  const struct mde_evidence_piece *x = &pieces[a], *y = &pieces[b];
  int order = compare(x->id, y->id);
  if (order == 0 && x->id.length == 0) {
    order = compare(x->entra_id, y->entra_id);
    if (order == 0) order = compare(x->name, y->name);
  }
  return order;
}

static bool comes_before(const struct mde_evidence_piece *pieces, size_t a, size_t b)
{
  int order = compare_pieces(pieces, a, b);
  return order != 0 ? order < 0 : a < b;
}

static void swap(size_t *a, size_t *b)
{
  size_t kept = *a;
  *a = *b;
  *b = kept;
}

/* Moves one down to where it belongs in a heap that has what comes last on top. */
static void sink(const struct mde_evidence_piece *pieces, size_t *heap, size_t count, size_t at)
{
  for (size_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
    if (child + 1 < count && comes_before(pieces, heap[child], heap[child + 1])) child++;
    if (!comes_before(pieces, heap[at], heap[child])) return;
    swap(&heap[at], &heap[child]);
  }
}

static void sort(const struct mde_evidence_piece *pieces, size_t *order, size_t count)
{
  for (size_t i = count / 2; i > 0; i--)
    sink(pieces, order, count, i - 1);
  for (size_t left = count; left > 1; left--) {
    swap(&order[0], &order[left - 1]);
    sink(pieces, order, left - 1, 0);
  }
}

/* ---- the devices */

/*
 * For each piece the first one of the same device. The order is put into the `first` of the
 * devices: there is one for each piece.
 */
static void find_firsts(const struct mde_evidence_piece *pieces, size_t count, size_t *order,
                        struct mde_evidence_device *devices)
{
  for (size_t i = 0; i < count; i++)
    order[i] = i;
  sort(pieces, order, count);
  size_t first = 0;
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || compare_pieces(pieces, first, order[i]) != 0) first = order[i];
    devices[order[i]].first = first;
  }
}

/* One piece that says no is against a device, and one that says yes is for it nevertheless. */
static void judge(const struct mde_evidence_piece *pieces, size_t count, enum said said,
                  struct mde_evidence_device *devices, const size_t *device_of)
{
  for (size_t i = 0; i < count; i++) {
    struct mde_evidence_device *device = &devices[device_of[i]];
    if (was_hit(&pieces[i]) == said) device->is_contextual = said == SAID_NO;
    if (is_onboarded(&pieces[i]) != said) continue;
    if (said == SAID_NO && device->problem == MDE_EVIDENCE_PROBLEM_NONE)
      device->problem = MDE_EVIDENCE_PROBLEM_NOT_ONBOARDED;
    if (said == SAID_YES && device->problem == MDE_EVIDENCE_PROBLEM_NOT_ONBOARDED)
      device->problem = MDE_EVIDENCE_PROBLEM_NONE;
  }
}

size_t mde_evidence_devices(const struct mde_evidence_piece *pieces, size_t count,
                            struct mde_evidence_device *devices, size_t *device_of)
{
  find_firsts(pieces, count, device_of, devices);
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    size_t first = devices[i].first;
    device_of[i] = first == i ? found++ : device_of[first];
  }
  /* The first pieces are known by now, and the devices take their places. */
  for (size_t i = 0, next = 0; i < count; i++)
    if (device_of[i] == next)
      devices[next++] =
          (struct mde_evidence_device){.first = i, .problem = problem_of_id(pieces[i].id)};
  judge(pieces, count, SAID_NO, devices, device_of);
  judge(pieces, count, SAID_YES, devices, device_of);
  return found;
}

bool mde_evidence_is_target(const struct mde_evidence_device *device)
{
  return device->problem == MDE_EVIDENCE_PROBLEM_NONE && !device->is_contextual;
}
