#include "stop_rules.h"

struct mde_stop_limits mde_stop_limits_default(void)
{
  return (struct mde_stop_limits){.forbidden_in_a_row = 3,
                                  .unknown_in_a_row = 20,
                                  .unknown_last = 50,
                                  .unknown_percent = 20,
                                  .superseded = 3};
}

static bool is_within(size_t number, size_t most)
{
  return number >= 1 && number <= most;
}

bool mde_stop_limits_are_valid(const struct mde_stop_limits *limits)
{
  return is_within(limits->forbidden_in_a_row, MDE_STOP_MAX_FORBIDDEN) &&
         is_within(limits->unknown_in_a_row, MDE_STOP_MAX) &&
         is_within(limits->unknown_last, MDE_STOP_MAX_LAST) &&
         is_within(limits->unknown_percent, 100) && is_within(limits->superseded, MDE_STOP_MAX);
}

const char *mde_stop_event_name(enum mde_stop_event event)
{
  static const char *const names[MDE_STOP_EVENTS] = {
      [MDE_STOP_EVENT_DONE] = "done",
      [MDE_STOP_EVENT_ANSWERED] = "answered",
      [MDE_STOP_EVENT_LEFT] = "left",
      [MDE_STOP_EVENT_FORBIDDEN] = "forbidden",
      [MDE_STOP_EVENT_UNKNOWN] = "unknown",
      [MDE_STOP_EVENT_NO_ANSWER] = "no_answer",
      [MDE_STOP_EVENT_SUPERSEDED] = "superseded",
      [MDE_STOP_EVENT_ROLE] = "role",
      [MDE_STOP_EVENT_SIGN_IN] = "sign_in",
      [MDE_STOP_EVENT_PROXY] = "proxy",
      [MDE_STOP_EVENT_CAP] = "cap",
      [MDE_STOP_EVENT_JOURNAL] = "journal",
      [MDE_STOP_EVENT_STORE] = "store",
      [MDE_STOP_EVENT_ASKED] = "asked",
      [MDE_STOP_EVENT_UNTIL] = "until",
  };
  return names[event];
}

/* What stopping by each rule is. */
static const struct {
  const char *name;
  enum mde_stop_kind kind;
} rule_table[MDE_STOP_RULES] = {
    [MDE_STOP_RULE_NONE] = {NULL, MDE_STOP_GO_ON},
    [MDE_STOP_RULE_ROLE] = {"role", MDE_STOP_ABORT},
    [MDE_STOP_RULE_SIGN_IN] = {"sign_in", MDE_STOP_ABORT},
    [MDE_STOP_RULE_PROXY] = {"proxy", MDE_STOP_ABORT},
    [MDE_STOP_RULE_FORBIDDEN] = {"forbidden_in_a_row", MDE_STOP_ABORT},
    [MDE_STOP_RULE_UNKNOWN_IN_A_ROW] = {"unknown_in_a_row", MDE_STOP_PAUSE},
    [MDE_STOP_RULE_UNKNOWN_LAST] = {"unknown_last", MDE_STOP_PAUSE},
    [MDE_STOP_RULE_SUPERSEDED] = {"superseded", MDE_STOP_PAUSE},
    [MDE_STOP_RULE_CAP] = {"cap", MDE_STOP_PAUSE},
    [MDE_STOP_RULE_JOURNAL] = {"journal", MDE_STOP_STOP},
    [MDE_STOP_RULE_STORE] = {"store", MDE_STOP_STOP},
    [MDE_STOP_RULE_ASKED] = {"asked", MDE_STOP_STOP},
    [MDE_STOP_RULE_UNTIL] = {"until", MDE_STOP_STOP},
};

const char *mde_stop_rule_name(enum mde_stop_rule rule)
{
  return rule_table[rule].name;
}

void mde_stop_rules_init(struct mde_stop_rules *rules, const struct mde_stop_limits *limits)
{
  *rules = (struct mde_stop_rules){.limits = *limits};
}

/* Stops if there are as many as are enough, unless an earlier rule has. */
static void stop_at(struct mde_stop_rules *rules, enum mde_stop_rule rule, size_t count,
                    size_t limit)
{
  if (count < limit || rules->stop.kind != MDE_STOP_GO_ON) return;
  rules->stop = (struct mde_stop){
      .kind = rule_table[rule].kind, .rule = rule, .count = count, .limit = limit};
}

/* FNV-1a; never 0, which stands for a device that is not named. */
static uint64_t hash_of(struct mde_text device)
{
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  if (device.length == 0) return 0;
  for (size_t i = 0; i < device.length; i++)
    hash = (hash ^ (unsigned char)mde_ascii_lower(device.bytes[i])) * UINT64_C(0x100000001b3);
  return hash | 1;
}

static void note_forbidden(struct mde_stop_rules *rules, struct mde_text device)
{
  uint64_t hash = hash_of(device);
  for (size_t i = 0; i < rules->forbidden_in_a_row; i++)
    if (hash != 0 && rules->forbidden[i] == hash) return;
  rules->forbidden[rules->forbidden_in_a_row++] = hash;
  stop_at(rules, MDE_STOP_RULE_FORBIDDEN, rules->forbidden_in_a_row,
          rules->limits.forbidden_in_a_row);
}

/* Something came to its end that had been asked of the service. */
static void note_asked(struct mde_stop_rules *rules, bool is_unknown, bool is_answered)
{
  const struct mde_stop_limits *limits = &rules->limits;
  rules->last = rules->last << 1 | (is_unknown ? 1 : 0);
  rules->unknown_in_a_row = is_answered ? 0 : rules->unknown_in_a_row + 1;
  stop_at(rules, MDE_STOP_RULE_UNKNOWN_IN_A_ROW, rules->unknown_in_a_row, limits->unknown_in_a_row);
  size_t unknown = 0;
  for (size_t i = 0; i < limits->unknown_last; i++)
    unknown += (size_t)(rules->last >> i & 1);
  stop_at(rules, MDE_STOP_RULE_UNKNOWN_LAST, unknown,
          (limits->unknown_last * limits->unknown_percent + 99) / 100);
  if (rules->stop.rule == MDE_STOP_RULE_UNKNOWN_LAST) rules->stop.of = limits->unknown_last;
}

struct mde_stop mde_stop_rules_note(struct mde_stop_rules *rules, enum mde_stop_event event,
                                    struct mde_text device, double retry_at)
{
  static const enum mde_stop_rule at_once[MDE_STOP_EVENTS] = {
      [MDE_STOP_EVENT_ROLE] = MDE_STOP_RULE_ROLE,
      [MDE_STOP_EVENT_SIGN_IN] = MDE_STOP_RULE_SIGN_IN,
      [MDE_STOP_EVENT_PROXY] = MDE_STOP_RULE_PROXY,
      [MDE_STOP_EVENT_CAP] = MDE_STOP_RULE_CAP,
      [MDE_STOP_EVENT_JOURNAL] = MDE_STOP_RULE_JOURNAL,
      [MDE_STOP_EVENT_STORE] = MDE_STOP_RULE_STORE,
      [MDE_STOP_EVENT_ASKED] = MDE_STOP_RULE_ASKED,
      [MDE_STOP_EVENT_UNTIL] = MDE_STOP_RULE_UNTIL,
  };
  if (rules->stop.kind != MDE_STOP_GO_ON) return rules->stop;
  switch (event) {
  case MDE_STOP_EVENT_LEFT:
    break;
  case MDE_STOP_EVENT_DONE:
    rules->forbidden_in_a_row = 0;
    note_asked(rules, false, true);
    break;
  case MDE_STOP_EVENT_ANSWERED:
    note_asked(rules, false, true);
    break;
  case MDE_STOP_EVENT_FORBIDDEN:
    note_asked(rules, false, true);
    note_forbidden(rules, device);
    break;
  case MDE_STOP_EVENT_UNKNOWN:
    note_asked(rules, true, false);
    break;
  case MDE_STOP_EVENT_NO_ANSWER:
    note_asked(rules, false, false);
    break;
  case MDE_STOP_EVENT_SUPERSEDED:
    note_asked(rules, false, true);
    stop_at(rules, MDE_STOP_RULE_SUPERSEDED, ++rules->superseded, rules->limits.superseded);
    break;
  default:
    stop_at(rules, at_once[event], 1, 1);
    if (event == MDE_STOP_EVENT_CAP) rules->stop.retry_at = retry_at;
    break;
  }
  return rules->stop;
}
