/*
 * change: any order, then any events at any time, and lists of any actions. What was not wanted
 * changes nothing, it sends twice at most, every want and result is one of those there are, and
 * once it has ended it wants nothing more. It is packed and unpacked at any time; garbage that can
 * be unpacked is a change like another.
 */
#include <assert.h>
#include <stdint.h>

#include "packed_change.h"
#include "timestamp.h"

enum { MAX_ACTIONS = 40 };

struct input {
  const uint8_t *data;
  size_t size;
};

static uint8_t next_byte(struct input *input)
{
  if (input->size == 0) return 0;
  input->size--;
  return *input->data++;
}

static struct mde_text word(const char *s)
{
  return (struct mde_text){s, strlen(s)};
}

/* Any time, near and far, also beyond what a clock can be. */
static int64_t next_time(struct input *input)
{
  static const int64_t scales[] = {1, MDE_TICKS_PER_SECOND, 61 * MDE_TICKS_PER_SECOND,
                                   INT64_C(1000000000000000)};
  uint8_t choice = next_byte(input);
  int64_t time = (int64_t)next_byte(input) * scales[choice & 3];
  if (choice & 4) return MDE_NO_TIME;
  return choice & 8 ? -time : time;
}

static const char *const subjects[] = {"Full", "Quick", "", NULL};

/* The scope or the file of an action, as the order's response has it. */
static void set_subject(const struct mde_order *order, uint8_t choice, struct mde_text *scope,
                        struct mde_text *file)
{
  const char *subject = subjects[choice & 3];
  struct mde_text text = subject != NULL ? word(subject) : (struct mde_text){NULL, 0};
  if (order->response->subject == MDE_SUBJECT_SCOPE) *scope = text;
  if (order->response->subject == MDE_SUBJECT_FILE) *file = text;
}

/* What an order is for does not change when it is done by one of another scope or file. */
static void check_about(const struct mde_change *change, const struct mde_action *about)
{
  bool is_done = mde_change_next(change).want == MDE_WANT_NOTHING;
  enum mde_fate fate = mde_change_result(change).fate;
  if (is_done && fate == MDE_FATE_ALREADY_ACTIVE) assert(!about->differs);
}

static struct mde_action next_action(const struct mde_order *order, struct input *input)
{
  uint8_t choice = next_byte(input);
  const struct mde_response *response = order->response;
  if (choice & 4 && response->opposite != NULL) response = response->opposite;
  static const char *const operations[] = {"ours-0001", "theirs-01"};
  struct mde_action action = {
      .counts = (choice & 1) == 0,
      .has_id = (choice & 2) == 0,
      .response = response,
      .status = (enum mde_status)(choice >> 3 & 3),
      .created = next_time(input),
      .updated = next_time(input),
      .comment = {.text = word("why"),
                  .incident = choice & 32 ? word("INC-1") : (struct mde_text){NULL, 0},
                  .operation = word(operations[choice >> 6 & 1])},
      .returned = choice & 128 ? word("beacon to known C2 on") : word("by hand"),
  };
  action.id.bytes[0] = next_byte(input);
  set_subject(order, action.id.bytes[0], &action.scope, &action.file);
  return action;
}

static void check(const struct mde_change *change)
{
  struct mde_wanted wanted = mde_change_next(change);
  struct mde_result result = mde_change_result(change);
  assert(wanted.want <= MDE_WANT_SLEEP && wanted.phase <= MDE_PHASE_FIND);
  assert((wanted.want == MDE_WANT_SLEEP) == (wanted.wait > 0));
  assert(result.fate <= MDE_FATE_UNKNOWN && result.reason <= MDE_REASON_DIFFERENT);
  assert(result.sends >= 0 && result.sends <= 2);
  assert(change->seen.count <= MDE_SEEN_MAX && change->cancels <= MDE_CHANGE_MAX_CANCELS);
  if (result.sends > 0) assert(result.slot != MDE_SLOT_RETURN);
}

/* Packed and unpacked it is the same. */
static void check_packed(const struct mde_change *change, int64_t now)
{
  unsigned char bytes[MDE_PACKED_CHANGE_MAX];
  size_t size = mde_change_pack(change, now, bytes);
  assert(size <= sizeof bytes);
  struct mde_change back;
  assert(mde_change_unpack(&back, bytes, size, now, 0));
  unsigned char again[MDE_PACKED_CHANGE_MAX];
  assert(mde_change_pack(&back, now, again) == size && memcmp(bytes, again, size) == 0);
}

/* Begins it at its beginning, in the middle, or with what garbage happens to be. */
static void begin(struct mde_change *change, const struct mde_order *order, bool is_lost,
                  struct input *input)
{
  if (!is_lost) {
    mde_change_begin(change, order, 0);
    return;
  }
  uint8_t choice = next_byte(input);
  if (choice > 3 && mde_change_unpack(change, input->data, choice < input->size ? choice : 0,
                                      next_time(input) & 0xffffff, 0))
    return;
  struct mde_lost lost = {
      .sent_at = next_time(input), .sends = choice & 1 ? 2 : 1, .looked = (choice & 2) != 0};
  mde_change_begin_lost(change, order, &lost, 0);
}

static void tell_history(struct mde_change *change, const struct mde_order *order,
                         struct input *input)
{
  struct mde_action actions[MAX_ACTIONS];
  size_t count = next_byte(input) % (MAX_ACTIONS + 1);
  for (size_t i = 0; i < count; i++)
    actions[i] = next_action(order, input);
  int64_t read_at = next_time(input);
  struct mde_list list = {.flags = next_byte(input) & 15u,
                          .read_at = read_at == MDE_NO_TIME ? 0 : read_at,
                          .told_at = read_at == MDE_NO_TIME ? 0 : read_at,
                          .began_at = next_time(input)};
  struct mde_change before = *change;
  bool is_wanted = mde_change_next(change).want == MDE_WANT_HISTORY;
  size_t about;
  size_t overturned;
  int told = mde_change_history(change, order, actions, count, &list, &about, &overturned);
  assert((told == MDE_CHANGE_OK) == is_wanted);
  assert(about == MDE_NO_ACTION || (about < count && actions[about].counts));
  if (is_wanted && about != MDE_NO_ACTION) check_about(change, &actions[about]);
  assert(overturned == MDE_NO_ACTION || actions[overturned].response != order->response);
  if (!is_wanted) assert(memcmp(&before, change, sizeof before) == 0);
}

static void tell_answer(struct mde_change *change, const struct mde_order *order,
                        struct input *input)
{
  static const char *const texts[] = {"RestrictCodeExecution",
                                      "UnrestrictCodeExecution",
                                      "RunAntiVirusScan",
                                      "Pending",
                                      "Succeeded",
                                      "Cancelled",
                                      "by hand",
                                      ""};
  uint8_t choice = next_byte(input);
  const char *own = order->response->type;
  const char *type = choice & 128 && own != NULL ? own : texts[choice % 3];
  struct mde_action_text answer = {.id = word("5c1f9a52-0000-4000-8000-000000000001"),
                                   .type = word(type),
                                   .status = word(texts[3 + next_byte(input) % 3]),
                                   .comment =
                                       next_byte(input) & 1 ? order->comment : word(texts[6])};
  set_subject(order, choice >> 3, &answer.scope, &answer.file);
  struct mde_moment moment = {.now = 0, .sent_at = next_time(input)};
  struct mde_change before = *change;
  if (mde_change_answer(change, order, &answer, moment) != MDE_CHANGE_OK)
    assert(memcmp(&before, change, sizeof before) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct input input = {data, size};
  uint8_t bits = next_byte(&input);
  struct mde_order order = {
      .response = &mde_responses[next_byte(&input) % MDE_RESPONSE_COUNT],
      .machine = word("0123456789abcdef0123456789abcdef01234567"),
      .operation = word("ours-0001"),
      .incident = bits & 2 ? word("INC-1") : (struct mde_text){NULL, 0},
      .comment = word("beacon to known C2 on laptop [mde:ours-0001]"),
      .keyed = (bits & 4) != 0,
      .look = (bits & 8) == 0,
      .resend = (bits & 16) == 0,
      .cancel_opposite = (bits & 32) != 0,
      .dry_run = (bits & 64) != 0,
      .decided_at = bits & 128 ? next_time(&input) : MDE_NO_TIME,
      .withdrawn_since = next_byte(&input) & 1 ? next_time(&input) : MDE_NO_TIME,
  };
  if (order.response->subject != MDE_SUBJECT_NONE) order.subject = word(subjects[bits & 1]);
  struct mde_change change;
  begin(&change, &order, bits & 1, &input);
  while (input.size > 0) {
    check(&change);
    check_packed(&change, 0);
    uint8_t choice = next_byte(&input) % (MDE_EVENT_STOPPED + 5);
    if (choice > MDE_EVENT_STOPPED + 2) {
      struct mde_id id = {{next_byte(&input)}};
      mde_change_see(&change, id, (enum mde_status)(next_byte(&input) & 3));
    } else if (choice == MDE_EVENT_STOPPED + 2) {
      tell_answer(&change, &order, &input);
    } else if (choice == MDE_EVENT_STOPPED + 1) {
      tell_history(&change, &order, &input);
    } else {
      struct mde_change before = change;
      int64_t now = next_time(&input);
      struct mde_moment moment = {.now = now == MDE_NO_TIME ? 0 : now,
                                  .sent_at = next_time(&input)};
      bool has_ended = mde_change_next(&change).want == MDE_WANT_NOTHING;
      int told = mde_change_tell(&change, &order, (enum mde_event)choice, moment);
      if (has_ended) assert(told == MDE_CHANGE_UNASKED);
      if (told == MDE_CHANGE_UNASKED) assert(memcmp(&before, &change, sizeof before) == 0);
    }
  }
  check(&change);
  return 0;
}
