/*
 * explore_change: drives a change through every sequence of events, against a model of the service.
 *
 * The model of the service, the invariants and the search are one file: none is of use alone.
 *
 * usage: explore_change [SURPRISES [STEP]]    default 1 and 1
 *
 * SURPRISES is how often in one sequence a colleague may act, an action end by itself, an hour pass,
 * or a list tell a status of before. STEP leaves out all orders but every so many-th.
 *
 * The model executes a send or does not, or in another scope; answers, folds it into one that is
 * pending, refuses it, or loses the answer; executes it late; lists late, not at all, with one that cannot be
 * identified, or says that there is no list. A colleague does the same, the opposite, or cancels
 * ours. The caller's time ends, its connection fails, it is killed. From each state every event is
 * tried until no new state appears, for every order there is. What must hold in each state is in
 * check(); what is broken is printed with the events that led there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "packed_change.h"
#include "timestamp.h"

#define SECOND MDE_TICKS_PER_SECOND
#define HOUR (3600 * SECOND)
#define BASE (10000 * HOUR) /* the service's time when it begins */
#define FIRST_CREATED (BASE - HOUR)
#define DECIDED_AT (BASE - HOUR / 2)

enum { MAX_ACTIONS = 7, MAX_DEPTH = 200, MAX_PRINTED = 5 };

static const char OURS[] = "ours-0001";
static const char EARLIER[] = "theirs-01";
static const char COMMENT[] = "beacon to known C2 [mde:ours-0001]";
static const char INCIDENT_COMMENT[] = "beacon to known C2 [mde:INC-1:ours-0001]";

static const char CUT_COMMENT[] = "beacon to known C2";

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

/* ---- the service */

enum author { NOBODY, BEFORE, COLLEAGUE, US };
enum { SHOWN = 1, SHOWN_CANCELLED = 2 };

/* Of which scope an action is, or about which file: the one that is wanted, another, or it does not
   say. */
enum subject { WANTED, ANOTHER, UNSAID };

struct row {
  unsigned char author, is_opposite, status, visible;
  unsigned char carries_our_id;         /* a key was used before, or it is ours */
  unsigned char shown;                  /* a list that was told had it, and whether as cancelled */
  unsigned char listed;                 /* its status as a list that lags has it */
  unsigned char untimed, nameless, cut; /* without a time, without an id, its comment cut short */
  unsigned char same_reason; /* we sent it before, for the same incident or with the same text */
  unsigned char subject;     /* enum subject */
  unsigned char hour;        /* when it was created, in hours since the beginning */
};

struct world {
  struct row rows[MAX_ACTIONS];
  unsigned char count, hours;
  unsigned char surprises_left;
  unsigned char late;           /* sends that may still be executed */
  unsigned char executed;       /* our sends that were */
  unsigned char left;           /* how often it left */
  unsigned char is_away;        /* it has left and has not ended */
  unsigned char lists_without;  /* lists told since the last loss, none of which had ours */
  unsigned char was_absent;     /* one of these said that there is no list */
  unsigned char was_incomplete; /* or lacked an action that could not be identified */
  unsigned char is_incomplete;  /* the last look did */
  unsigned char decided_told; /* a list told that somebody decided otherwise after the first look */
  unsigned char was_told;     /* an answer had our key, of another scope */
  unsigned char has_looked, has_cancelled, has_slot, about;
};

struct state {
  struct mde_change change;
  struct world world;
};

static struct mde_order order;
static const char *other_subject; /* NULL: two actions of this response differ in nothing */
static const char *trail[MAX_DEPTH];
static int depth, deepest, problems;
static uint64_t states, transitions;

static void broken(const char *what)
{
  if (problems++ >= MAX_PRINTED) return;
  printf("broken: %s\n  order: %s%s%s%s%s%s%s%s%s%s\n", what, order.response->name,
         order.subject.bytes != NULL ? " " : "",
         order.subject.bytes != NULL ? order.subject.bytes : "", order.keyed ? " keyed" : "",
         order.incident.bytes != NULL ? " incident" : "", order.look ? "" : " unseen",
         order.resend ? "" : " once", order.cancel_opposite ? " cancels" : "",
         order.dry_run ? " dry" : "",
         order.decided_at == MDE_NO_TIME ? ""
         : order.is_decided_on           ? " decided on an action"
                                         : " decided");
  for (int i = 0; i < depth; i++)
    printf("  %s\n", trail[i]);
}

static bool add(struct world *world, enum author author, bool is_opposite, enum mde_status status,
                bool carries_our_id)
{
  if (world->count == MAX_ACTIONS || (is_opposite && order.response->opposite == NULL))
    return false;
  world->rows[world->count++] = (struct row){.author = (unsigned char)author,
                                             .is_opposite = is_opposite,
                                             .status = (unsigned char)status,
                                             .listed = (unsigned char)status,
                                             .visible = author == BEFORE,
                                             .carries_our_id = carries_our_id,
                                             .hour = world->hours};
  return true;
}

static struct row *find_pending(struct world *world)
{
  for (int i = world->count - 1; i >= 0; i--)
    if (!world->rows[i].is_opposite && world->rows[i].status == MDE_STATUS_PENDING)
      return &world->rows[i];
  return NULL;
}

static int64_t now_of(const struct world *world)
{
  return (int64_t)world->hours * HOUR;
}

/* When a row was created: in the order of the rows. */
static int64_t created_of(const struct world *world, int i)
{
  if (world->rows[i].author == BEFORE) return FIRST_CREATED + i * SECOND;
  return BASE + world->rows[i].hour * HOUR + i * SECOND;
}

static struct mde_action action_of(const struct world *world, int i, enum mde_status status)
{
  const struct row *row = &world->rows[i];
  bool ours = row->carries_our_id != 0 && !row->cut;
  bool names_ours = ours || row->same_reason;
  const char *comment = order.incident.bytes != NULL ? INCIDENT_COMMENT : COMMENT;
  struct mde_action action = {
      .counts = true,
      .has_id = !row->nameless,
      .response = row->is_opposite ? order.response->opposite : order.response,
      .status = status,
      .created = row->untimed ? MDE_NO_TIME : created_of(world, i),
      .updated = row->untimed ? MDE_NO_TIME : created_of(world, i) + SECOND / 2,
      .comment = {.text = text(row->same_reason ? CUT_COMMENT : "beacon"),
                  .incident = names_ours ? order.incident : (struct mde_text){NULL, 0},
                  .operation = text(row->cut ? NULL
                                    : ours   ? OURS
                                             : EARLIER)},
      .returned = text(row->cut ? CUT_COMMENT
                       : ours   ? comment
                                : "by hand"),
  };
  if (!row->nameless) action.id.bytes[15] = (unsigned char)(i + 1);
  if (row->is_opposite || other_subject == NULL || row->subject == UNSAID) return action;
  struct mde_text subject = row->subject == WANTED ? order.subject : text(other_subject);
  *(order.response->subject == MDE_SUBJECT_FILE ? &action.file : &action.scope) = subject;
  return action;
}

/* Whether it does not do for what is wanted. */
static bool is_another(const struct row *row)
{
  if (row->is_opposite || other_subject == NULL) return false;
  bool is_unknown_file = row->subject == UNSAID && order.response->subject == MDE_SUBJECT_FILE &&
                         (!row->carries_our_id || row->cut);
  return row->subject == ANOTHER || is_unknown_file;
}

/* Whether it is another matter: what becomes of it says nothing about what is wanted. */
static bool is_unrelated(const struct row *row)
{
  return is_another(row) && order.response->subject == MDE_SUBJECT_FILE;
}

/*
 * Whether it is what we asked for. The service may have ours in another scope; under a key, which
 * may have been used before, nobody knows whether it is ours then.
 */
static bool is_asked_for(const struct row *row)
{
  bool is_certainly_ours = row->author == US && !order.keyed && !row->cut && !is_unrelated(row);
  return !is_another(row) || is_certainly_ours;
}

/* ---- what must hold */

static bool may_be_ours(const struct world *world)
{
  return world->executed > 0 || world->late > 0;
}

/* Of a key that was used before, that is the first. */
static bool carries_ours(const struct world *world)
{
  for (int i = 0; i < world->count; i++)
    if (world->rows[i].carries_our_id && !world->rows[i].is_opposite &&
        is_asked_for(&world->rows[i]))
      return true;
  return false;
}

static bool names_incident(const struct row *row)
{
  return row->same_reason || (row->carries_our_id && !row->cut);
}

static void check(const struct state *state)
{
  const struct world *world = &state->world;
  struct mde_result result = mde_change_result(&state->change);
  struct mde_wanted wanted = mde_change_next(&state->change);
  if (result.slot == MDE_SLOT_RETURN && may_be_ours(world)) broken("a slot returned for a send");
  if (order.dry_run && (world->left > 0 || world->has_cancelled || world->has_slot))
    broken("a dry run changed something");
  if (order.dry_run && wanted.want != MDE_WANT_NOTHING && wanted.want != MDE_WANT_HISTORY)
    broken("a dry run wants to change something");
  if (wanted.want != MDE_WANT_NOTHING) return;
  const struct row *about = world->about == 0 ? NULL : &world->rows[world->about - 1];
  switch (result.fate) {
  case MDE_FATE_ACCEPTED:
    if (!carries_ours(world)) broken("accepted without an action");
    if (about == NULL || !about->carries_our_id || about->is_opposite)
      broken("accepted, and it is about another action");
    else if (!is_asked_for(about))
      broken("accepted, and it is of another scope or file");
    break;
  case MDE_FATE_ALREADY_ACTIVE:
    if (about == NULL)
      broken("already active without an action");
    else if (about->is_opposite)
      broken("already active by the opposite");
    else if (is_another(about))
      broken("already active by one of another scope or file");
    else if (result.recorded != (order.incident.bytes == NULL || names_incident(about)))
      broken("recorded, and it is not, or the reverse");
    break;
  case MDE_FATE_UNKNOWN:
    if (world->left == 0) broken("unknown, and nothing has left");
    break;
  case MDE_FATE_WOULD_SEND:
    if (!order.dry_run) broken("would send, and it is no dry run");
    break;
  case MDE_FATE_SUPERSEDED:
    if (about != NULL && is_unrelated(about)) broken("superseded by what is another matter");
    if (about == NULL || (!about->is_opposite && about->listed != MDE_STATUS_CANCELLED))
      broken("superseded by nothing that says otherwise");
    if (result.reason == MDE_REASON_DECIDED_ON_LOSS) break;
    if (may_be_ours(world)) broken("superseded before it was sent, and it was executed");
    break;
  case MDE_FATE_CONFLICT:
    if (about == NULL || about->is_opposite != (result.reason != MDE_REASON_DIFFERENT) ||
        (!about->is_opposite && !is_another(about)))
      broken("in conflict with nothing");
    if (may_be_ours(world)) broken("in conflict, and it was executed or may be");
    break;
  case MDE_FATE_PROTECTED:
  case MDE_FATE_REFUSED:
  case MDE_FATE_NOT_SENT:
    if (may_be_ours(world)) broken("told as not sent, and it was executed or may be");
    break;
  }
}

/* Whether a list that was told has one like it that somebody has taken back. */
static bool is_withdrawn(const struct world *world)
{
  for (int i = 0; i < world->count; i++) {
    const struct row *row = &world->rows[i];
    if (!row->same_reason || row->is_opposite || !row->shown) continue;
    if (row->shown == SHOWN_CANCELLED) return true;
    for (int j = i + 1; j < world->count; j++) {
      const struct row *later = &world->rows[j];
      bool undoes = later->listed == MDE_STATUS_PENDING || later->listed == MDE_STATUS_SUCCEEDED;
      if (later->is_opposite && later->author == BEFORE && later->shown && undoes) return true;
    }
  }
  return false;
}

/* It leaves. */
static void check_leaving(const struct world *world)
{
  if (order.withdrawn_since != MDE_NO_TIME && is_withdrawn(world))
    broken("sent again what somebody has taken back");
  if (world->left > 0) {
    if (!order.resend) broken("sent again against the caller's will");
    if (world->left >= 2) broken("sent a third time");
    if (world->lists_without < 2) broken("sent again before two lists did not show it");
    if (world->was_absent) broken("sent again though there was no list");
    if (world->was_incomplete) broken("sent again though a list lacked an action");
    if (world->was_told) broken("sent again though an answer had its key");
  } else if (world->is_incomplete && (order.keyed || order.decided_at != MDE_NO_TIME)) {
    broken("sent though a list may lack what decides it");
  }
  if (world->decided_told) broken("sent after somebody decided otherwise");
  for (int i = 0; i < world->count; i++) {
    const struct row *row = &world->rows[i];
    bool is_made = row->listed == MDE_STATUS_PENDING || row->listed == MDE_STATUS_SUCCEEDED;
    if (row->carries_our_id && row->shown && is_made && !is_unrelated(row))
      broken("one id makes two actions");
  }
}

/* ---- exploring */

/* The lowest bit of the second says that it is on the path that is being explored. */
enum { IS_ON_PATH = 1 };

struct table {
  uint64_t (*slots)[2];
  size_t size, used;
};

static struct table seen;

static void hash_bytes(uint64_t hash[2], const void *data, size_t size)
{
  const unsigned char *bytes = data;
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
    uint64_t word = 0;
    memcpy(&word, bytes + i, size - i < sizeof word ? size - i : sizeof word);
    hash[0] = (hash[0] ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash[0] ^= hash[0] >> 32;
    hash[1] = (hash[1] + word) * UINT64_C(0xc4ceb9fe1a85ec53);
    hash[1] ^= hash[1] >> 29;
  }
}

/* Of the change as it is packed, so that what is packed must be all of it. */
static void hash_of(const struct state *state, uint64_t hash[2])
{
  unsigned char packed[MDE_PACKED_CHANGE_MAX];
  size_t size = mde_change_pack(&state->change, now_of(&state->world), packed);
  struct mde_change same;
  if (!mde_change_unpack(&same, packed, size, now_of(&state->world), 0))
    broken("what was packed cannot be unpacked");
  else if (memcmp(&same, &state->change, sizeof same) != 0)
    broken("what was packed is not the same unpacked");
  hash[0] = UINT64_C(14695981039346656037);
  hash[1] = UINT64_C(0x9e3779b97f4a7c15);
  hash_bytes(hash, packed, size);
  hash_bytes(hash, &state->world, sizeof state->world);
  if (hash[0] == 0) hash[0] = 1;
  hash[1] &= ~(uint64_t)IS_ON_PATH;
}

static uint64_t *find_slot(struct table *table, const uint64_t hash[2])
{
  size_t i = (size_t)hash[0] & (table->size - 1);
  while (table->slots[i][0] != 0) {
    if (table->slots[i][0] == hash[0] && (table->slots[i][1] & ~(uint64_t)IS_ON_PATH) == hash[1])
      break;
    i = (i + 1) & (table->size - 1);
  }
  return table->slots[i];
}

static void make_table(struct table *table, size_t size)
{
  table->slots = calloc(size, sizeof *table->slots);
  if (table->slots == NULL) {
    fputs("not enough memory\n", stderr);
    exit(1);
  }
  table->size = size;
  table->used = 0;
}

static void grow(struct table *table)
{
  struct table larger;
  make_table(&larger, table->size * 2);
  for (size_t i = 0; i < table->size; i++)
    if (table->slots[i][0] != 0) {
      uint64_t hash[2] = {table->slots[i][0], table->slots[i][1] & ~(uint64_t)IS_ON_PATH};
      memcpy(find_slot(&larger, hash), table->slots[i], sizeof table->slots[i]);
      larger.used++;
    }
  free(table->slots);
  *table = larger;
}

static void explore(const struct state *state);

/* As often as its caller has time for it. */
static const char FURTHER_ATTEMPT[] = "send: it leaves for a further attempt";

static void go(const struct state *state, const char *what)
{
  transitions++;
  if (depth == MAX_DEPTH) {
    broken("a path does not end");
    return;
  }
  trail[depth++] = what;
  if (depth > deepest) deepest = depth;
  check(state);
  uint64_t hash[2];
  hash_of(state, hash);
  uint64_t *slot = find_slot(&seen, hash);
  if (slot[0] == 0) {
    slot[0] = hash[0];
    slot[1] = hash[1] | IS_ON_PATH;
    states++;
    seen.used++;
    if (seen.used > seen.size / 2) grow(&seen);
    explore(state);
    find_slot(&seen, hash)[1] = hash[1];
  } else if ((slot[1] & IS_ON_PATH) != 0 && what != FURTHER_ATTEMPT) {
    broken("a path comes back to where it was");
  }
  depth--;
}

static struct mde_moment moment_of(const struct world *world)
{
  int64_t now = now_of(world);
  return (struct mde_moment){.now = now, .sent_at = BASE + now};
}

static void tell(const struct state *before, enum mde_event event, const char *what)
{
  struct state state = *before;
  int told = mde_change_tell(&state.change, &order, event, moment_of(&state.world));
  if (told == MDE_CHANGE_UNASKED) {
    broken("an event that was wanted is not taken");
    return;
  }
  go(&state, what);
}

static bool is_wanted(const struct state *state, enum mde_event event)
{
  bool is_away = state->world.is_away != 0;
  switch (mde_change_next(&state->change).want) {
  case MDE_WANT_NOTHING:
    return false;
  case MDE_WANT_HISTORY:
    return event == MDE_EVENT_UNREADABLE || event == MDE_EVENT_STOPPED;
  case MDE_WANT_SLOT:
    return event == MDE_EVENT_SLOT_TAKEN || event == MDE_EVENT_SLOT_DENIED ||
           event == MDE_EVENT_STOPPED;
  case MDE_WANT_CANCEL:
    return event == MDE_EVENT_CANCELLED || event == MDE_EVENT_CANCEL_DENIED ||
           event == MDE_EVENT_STOPPED;
  case MDE_WANT_END:
    return event == MDE_EVENT_ENDED || event == MDE_EVENT_OPEN || event == MDE_EVENT_STOPPED;
  case MDE_WANT_SLEEP:
    return event == MDE_EVENT_SLEPT || event == MDE_EVENT_TIME_UP || event == MDE_EVENT_STOPPED;
  case MDE_WANT_SEND:
    return event == MDE_EVENT_SENDING || event == MDE_EVENT_SENDING_LATER ||
           event == MDE_EVENT_NOT_SENT || event == MDE_EVENT_STOPPED ||
           (is_away &&
            (event == MDE_EVENT_REFUSED || event == MDE_EVENT_ACTIVE || event == MDE_EVENT_LOST));
  }
  return false;
}

/* What is not wanted is not taken, and changes nothing. */
static void check_unasked(const struct state *state)
{
  enum mde_want want = mde_change_next(&state->change).want;
  struct mde_change same = state->change;
  struct mde_list list = {.flags = 0};
  size_t none;
  if (want != MDE_WANT_HISTORY &&
      mde_change_history(&same, &order, NULL, 0, &list, &none, &none) != MDE_CHANGE_UNASKED)
    broken("a list is taken that is not wanted");
  struct mde_action_text nothing = {.id = {NULL, 0}};
  if (!state->world.is_away &&
      mde_change_answer(&same, &order, &nothing, moment_of(&state->world)) != MDE_CHANGE_UNASKED)
    broken("an answer is taken, and nothing is away");
  if (mde_change_tell(&same, &order, (enum mde_event)(MDE_EVENT_STOPPED + 1),
                      moment_of(&state->world)) != MDE_CHANGE_UNASKED)
    broken("an event is taken that does not exist");
  for (int event = MDE_EVENT_UNREADABLE; event <= MDE_EVENT_STOPPED; event++) {
    int told = mde_change_tell(&same, &order, (enum mde_event)event, moment_of(&state->world));
    if ((told != MDE_CHANGE_UNASKED) != is_wanted(state, (enum mde_event)event))
      broken("an event is taken that is not wanted, or the reverse");
    if (told != MDE_CHANGE_UNASKED) same = state->change;
  }
  if (memcmp(&same, &state->change, sizeof same) != 0)
    broken("what was not wanted has changed something");
}

/* Whether somebody has decided otherwise by it: after the first look, or after the caller did. */
static bool says_otherwise(const struct row *row, bool had_seen)
{
  if (is_unrelated(row)) return false;
  if (row->is_opposite && row->listed != MDE_STATUS_CANCELLED)
    return row->author == COLLEAGUE && !row->shown && (had_seen || order.decided_at != MDE_NO_TIME);
  return had_seen && !row->is_opposite && row->listed == MDE_STATUS_CANCELLED &&
         row->shown != SHOWN_CANCELLED;
}

enum { ALL_IDENTIFIED = -1 };

/*
 * A list of what is visible; what is not becomes so now, unless it lags. One may be unidentified.
 */
static void tell_rows(const struct state *before, unsigned flags, bool lags, bool is_stale,
                      int unidentified, const char *what)
{
  struct state state = *before;
  struct world *world = &state.world;
  struct mde_action actions[MAX_ACTIONS];
  int rows[MAX_ACTIONS];
  size_t count = 0;
  bool has_ours = false;
  bool is_find = world->left > 0;
  bool is_incomplete = unidentified != ALL_IDENTIFIED;
  for (int i = 0; i < world->count; i++) {
    struct row *row = &world->rows[i];
    if (!lags && (flags & MDE_LIST_ABSENT) == 0) row->visible = 1;
    if (!is_stale) row->listed = row->status;
    if (!row->visible || (flags & MDE_LIST_ABSENT) != 0) continue;
    rows[count] = i;
    if (i == unidentified) {
      actions[count++] = (struct mde_action){.is_unidentified = true};
      continue;
    }
    /* One of another scope that has failed is in nobody's way. */
    bool is_void = !is_asked_for(row) && row->listed == MDE_STATUS_FAILED;
    if (row->author == US && !is_void) has_ours = true;
    actions[count++] = action_of(world, i, (enum mde_status)row->listed);
  }
  struct mde_list list = {
      .flags = flags, .read_at = now_of(world), .told_at = now_of(world), .began_at = BASE};
  size_t about;
  size_t overturned;
  bool had_seen = world->has_looked != 0;
  if (mde_change_history(&state.change, &order, actions, count, &list, &about, &overturned) !=
      MDE_CHANGE_OK) {
    broken("a list that was wanted is not taken");
    return;
  }
  bool is_used = (flags & MDE_LIST_CACHED) == 0 || about != MDE_NO_ACTION ||
                 mde_change_next(&state.change).want != MDE_WANT_HISTORY;
  if (is_used) {
    for (size_t i = 0; i < count; i++) {
      if (actions[i].is_unidentified) continue;
      struct row *row = &world->rows[rows[i]];
      if (says_otherwise(row, had_seen)) world->decided_told = 1;
      row->shown = row->listed == MDE_STATUS_CANCELLED ? SHOWN_CANCELLED : SHOWN;
    }
    if (!is_find) world->has_looked = 1;
    if (!is_find) world->is_incomplete = is_incomplete;
  }
  if (is_find && !has_ours && world->lists_without < 9) world->lists_without++;
  if (is_find && has_ours) world->lists_without = 0;
  if (is_find && (flags & MDE_LIST_ABSENT) != 0) world->was_absent = 1;
  if (is_find && is_incomplete) world->was_incomplete = 1;
  world->about = about == MDE_NO_ACTION ? 0 : (unsigned char)(rows[about] + 1);
  if (mde_change_result(&state.change).fate == MDE_FATE_ALREADY_ACTIVE &&
      mde_change_next(&state.change).want == MDE_WANT_NOTHING && about != MDE_NO_ACTION &&
      actions[about].status != MDE_STATUS_PENDING && actions[about].status != MDE_STATUS_SUCCEEDED)
    broken("already active by one that was undone");
  if (mde_change_result(&state.change).fate == MDE_FATE_ALREADY_ACTIVE && !is_find &&
      mde_change_next(&state.change).want == MDE_WANT_NOTHING && about != MDE_NO_ACTION &&
      actions[about].status != MDE_STATUS_PENDING && is_incomplete)
    broken("already active by what may be undone");
  if (mde_change_next(&state.change).want == MDE_WANT_SLOT && is_incomplete &&
      (order.keyed || order.decided_at != MDE_NO_TIME))
    broken("acts though a list may lack what decides it");
  go(&state, what);
}

static bool has_changed(const struct world *world)
{
  for (int i = 0; i < world->count; i++)
    if (world->rows[i].visible && world->rows[i].listed != world->rows[i].status) return true;
  return false;
}

/* A list that lags may lack what is new, and once in a while has a status of before. */
static void tell_list(const struct state *before, unsigned flags, bool lags, const char *what)
{
  tell_rows(before, flags, lags, false, ALL_IDENTIFIED, what);
  if (!lags || before->world.surprises_left == 0 || !has_changed(&before->world)) return;
  struct state state = *before;
  state.world.surprises_left--;
  tell_rows(&state, flags, lags, true, ALL_IDENTIFIED, "list: stale");
}

/* One action cannot be identified. */
static void tell_incomplete(const struct state *before, enum mde_reading reading)
{
  if (before->world.surprises_left == 0) return;
  struct state state = *before;
  state.world.surprises_left--;
  for (int i = 0; i < before->world.count; i++) {
    if (!before->world.rows[i].visible) continue;
    tell_rows(&state, 0, true, false, i, "list: incomplete");
    if (reading == MDE_READING_CACHED)
      tell_rows(&state, MDE_LIST_CACHED, true, false, i, "list: cached, incomplete");
  }
}

static void on_history(const struct state *state, enum mde_reading reading)
{
  tell_list(state, 0, false, "list: all of it");
  tell_list(state, 0, true, "list: lags");
  tell_list(state, MDE_LIST_ABSENT, true, "list: there is none");
  tell_incomplete(state, reading);
  if (reading == MDE_READING_CACHED) tell_list(state, MDE_LIST_CACHED, true, "list: cached");
  if (reading == MDE_READING_CACHED)
    tell_list(state, MDE_LIST_CACHED | MDE_LIST_SINGLE, true, "list: cached, for one");
  if (reading == MDE_READING_NOW) tell_list(state, MDE_LIST_SHARED, true, "list: shared, lags");
  if (reading == MDE_READING_NOW) tell_list(state, MDE_LIST_SHARED, false, "list: shared");
  tell(state, MDE_EVENT_UNREADABLE, "list: unreadable");
}

static void on_cancel(const struct state *before)
{
  struct state state = *before;
  struct world *world = &state.world;
  world->has_cancelled = 1;
  tell(&state, MDE_EVENT_CANCEL_DENIED, "cancel: denied");
  tell(&state, MDE_EVENT_CANCELLED, "cancel: too late");
  if (world->about > 0 && world->rows[world->about - 1].status == MDE_STATUS_PENDING) {
    world->rows[world->about - 1].status = MDE_STATUS_CANCELLED;
    tell(&state, MDE_EVENT_CANCELLED, "cancel: done");
  }
}

static void on_end(const struct state *before)
{
  struct state state = *before;
  struct row *row = &state.world.rows[state.world.about - 1];
  tell(&state, MDE_EVENT_OPEN, "end: not in time");
  if (row->status != MDE_STATUS_PENDING) {
    tell(&state, MDE_EVENT_ENDED, "end: it has ended");
    return;
  }
  static const unsigned char ends[] = {MDE_STATUS_SUCCEEDED, MDE_STATUS_FAILED,
                                       MDE_STATUS_CANCELLED};
  for (size_t i = 0; i < sizeof ends; i++) {
    row->status = ends[i];
    tell(&state, MDE_EVENT_ENDED, "end: ends now");
  }
}

static void answer(const struct state *before, int i, const char *comment, const char *what)
{
  struct state state = *before;
  struct mde_action action =
      action_of(&state.world, i, (enum mde_status)before->world.rows[i].status);
  char id[37];
  snprintf(id, sizeof id, "00000000-0000-0000-0000-%012x", (unsigned)action.id.bytes[15]);
  static const char *const statuses[] = {"Pending", "Succeeded", "Failed", "Cancelled"};
  struct mde_action_text told = {
      .id = text(id),
      .type = text(action.response->type),
      .status = text(statuses[action.status]),
      .machine = order.machine,
      .comment = comment != NULL ? text(comment) : action.returned,
      .created = {NULL, 0},
      .scope = action.scope,
      .file = action.file,
  };
  state.world.is_away = 0;
  state.world.about = (unsigned char)(i + 1);
  if (mde_change_answer(&state.change, &order, &told, moment_of(&state.world)) != MDE_CHANGE_OK) {
    broken("an answer is not taken");
    return;
  }
  if (mde_change_next(&state.change).want == MDE_WANT_SLEEP) {
    state.world.lists_without = state.world.was_absent = state.world.was_incomplete = 0;
    state.world.was_told |= is_another(&state.world.rows[i]) && !is_asked_for(&state.world.rows[i]);
  }
  go(&state, what);
}

/* An answer that is about something else counts as lost. */
static void answer_of_another(const struct state *before)
{
  struct state state = *before;
  state.world.is_away = 0;
  state.world.lists_without = state.world.was_absent = state.world.was_incomplete = 0;
  struct mde_action_text told = {.id = text("00000000-0000-0000-0000-0000000000ff"),
                                 .type = text("LiveResponse"),
                                 .status = text("Pending"),
                                 .comment = text("by hand")};
  if (mde_change_answer(&state.change, &order, &told, moment_of(&state.world)) != MDE_CHANGE_OK)
    broken("an answer is not taken");
  go(&state, "answer: of another action");
}

static void lose(const struct state *before, const char *what)
{
  struct state state = *before;
  state.world.is_away = 0;
  state.world.lists_without = state.world.was_absent = state.world.was_incomplete = 0;
  tell(&state, MDE_EVENT_LOST, what);
}

/* It leaves, if it still may: at first, or again after an attempt that was not executed. */
static void leave(const struct state *before, enum mde_event event)
{
  struct state state = *before;
  struct world *world = &state.world;
  if (event == MDE_EVENT_SENDING_LATER && world->surprises_left-- == 0) return;
  bool was_away = world->is_away != 0;
  int told = mde_change_tell(&state.change, &order, event, moment_of(world));
  if (told == MDE_CHANGE_UNASKED) {
    broken("a send that was wanted is not taken");
    return;
  }
  world->is_away = told == MDE_CHANGE_OK;
  if (was_away) world->left--;
  if (told == MDE_CHANGE_OK) {
    check_leaving(world);
    world->left++;
  }
  go(&state, told != MDE_CHANGE_OK ? "send: too old to leave"
             : was_away            ? FURTHER_ATTEMPT
                                   : "send: it leaves");
}

/* It has left: what the service makes of it. */
static void on_away(const struct state *before)
{
  struct state state = *before;
  struct world *world = &state.world;
  struct row *pending = find_pending(world);
  leave(before, MDE_EVENT_SENDING);
  leave(before, MDE_EVENT_SENDING_LATER);
  world->is_away = 0;
  tell(&state, MDE_EVENT_REFUSED, "answer: refused");
  struct state not_sent = state;
  not_sent.world.left--;
  tell(&not_sent, MDE_EVENT_NOT_SENT, "send: it did not leave");
  lose(before, "answer: lost, not executed");
  answer_of_another(before);
  if (pending != NULL) {
    tell(&state, MDE_EVENT_ACTIVE, "answer: active already");
    int i = (int)(pending - world->rows);
    if (!world->rows[i].carries_our_id) answer(before, i, NULL, "answer: folded");
    if (world->rows[i].carries_our_id) answer(before, i, NULL, "answer: folded into ours");
  }
  state = *before;
  world->late++;
  lose(&state, "answer: lost, executed later");
  state = *before;
  if (!add(world, US, false, MDE_STATUS_PENDING, true)) return;
  world->executed++;
  lose(&state, "answer: lost, executed");
  answer(&state, world->count - 1, NULL, "answer: taken");
  struct state cut = state;
  cut.world.rows[cut.world.count - 1].cut = 1;
  lose(&cut, "answer: lost, executed, the comment cut");
  answer(&state, world->count - 1, CUT_COMMENT, "answer: taken, the comment cut");
  if (order.response->subject != MDE_SUBJECT_SCOPE) return;
  world->rows[world->count - 1].subject = ANOTHER;
  lose(&state, "answer: lost, executed in another scope");
  answer(&state, world->count - 1, NULL, "answer: taken in another scope");
}

static void on_send(const struct state *before)
{
  if (before->world.is_away) {
    on_away(before);
    return;
  }
  tell(before, MDE_EVENT_NOT_SENT, "send: no way to leave");
  leave(before, MDE_EVENT_SENDING);
  leave(before, MDE_EVENT_SENDING_LATER);
}

/* What happens without being asked for. */
static void surprises(const struct state *before)
{
  struct state state = *before;
  struct world *world = &state.world;
  if (world->surprises_left > 0) {
    world->surprises_left--;
    world->hours++;
    go(&state, "an hour passes");
    state = *before;
  }
  if (world->late > 0 && add(world, US, false, MDE_STATUS_PENDING, true)) {
    world->late--;
    world->executed++;
    go(&state, "a lost send is executed");
    state = *before;
  }
  if (world->surprises_left > 0) {
    world->surprises_left--;
    struct state acted = state;
    if (add(&acted.world, COLLEAGUE, true, MDE_STATUS_PENDING, false))
      go(&acted, "a colleague does the opposite");
    acted = state;
    if (add(&acted.world, COLLEAGUE, false, MDE_STATUS_PENDING, false)) {
      go(&acted, "a colleague does the same");
      acted.world.rows[acted.world.count - 1].subject = ANOTHER;
      if (other_subject != NULL) {
        go(&acted, "a colleague does it in another scope, or to another file");
        acted.world.rows[acted.world.count - 1].cut = 1;
        go(&acted, "a colleague does it so with the words that ours begins with");
      }
    }
    for (int i = 0; i < state.world.count; i++) {
      if (state.world.rows[i].status != MDE_STATUS_PENDING) continue;
      acted = state;
      acted.world.rows[i].status = MDE_STATUS_CANCELLED;
      go(&acted, "a colleague cancels one");
    }
    state = *before;
  }
  if (world->surprises_left > 0) {
    world->surprises_left--;
    for (int i = 0; i < world->count; i++) {
      if (before->world.rows[i].status != MDE_STATUS_PENDING) continue;
      struct state ended = state;
      ended.world.rows[i].status = MDE_STATUS_SUCCEEDED;
      go(&ended, "an action succeeds");
      ended.world.rows[i].status = MDE_STATUS_FAILED;
      go(&ended, "an action fails");
    }
  }
}

static void explore(const struct state *state)
{
  struct mde_wanted wanted = mde_change_next(&state->change);
  check_unasked(state);
  if (wanted.want == MDE_WANT_NOTHING) return;
  surprises(state);
  struct state next = *state;
  switch (wanted.want) {
  case MDE_WANT_NOTHING:
    return;
  case MDE_WANT_HISTORY:
    on_history(state, wanted.reading);
    break;
  case MDE_WANT_SLOT:
    tell(state, MDE_EVENT_SLOT_DENIED, "slot: none is free");
    next.world.has_slot = 1;
    tell(&next, MDE_EVENT_SLOT_TAKEN, "slot: taken");
    break;
  case MDE_WANT_CANCEL:
    on_cancel(state);
    break;
  case MDE_WANT_END:
    on_end(state);
    break;
  case MDE_WANT_SEND:
    on_send(state);
    break;
  case MDE_WANT_SLEEP:
    tell(state, MDE_EVENT_SLEPT, "it slept");
    tell(state, MDE_EVENT_TIME_UP, "the time is up");
    break;
  }
  tell(state, MDE_EVENT_STOPPED, "it is stopped");
}

/* ---- all orders, all beginnings */

struct past {
  int count;
  struct {
    bool opposite;
    enum mde_status status;
    bool carries_our_id;
    bool untimed, nameless;
    bool same_reason;
  } rows[2];
};

static const struct past pasts[] = {
    {0, {{0}}},
    {1, {{true, MDE_STATUS_PENDING, false, false, false, false}}},
    {1, {{false, MDE_STATUS_PENDING, false, false, false, false}}},
    {1, {{false, MDE_STATUS_SUCCEEDED, false, false, false, false}}},
    {2,
     {{false, MDE_STATUS_SUCCEEDED, false, false, false, false},
      {true, MDE_STATUS_SUCCEEDED, false, false, false, false}}},
    {2,
     {{false, MDE_STATUS_PENDING, false, false, false, false},
      {true, MDE_STATUS_PENDING, false, false, false, false}}},
    {1, {{false, MDE_STATUS_SUCCEEDED, true, false, false, false}}},
    {1, {{false, MDE_STATUS_FAILED, true, false, false, false}}},
    {1, {{false, MDE_STATUS_CANCELLED, true, false, false, false}}},
    {2,
     {{false, MDE_STATUS_SUCCEEDED, true, false, false, false},
      {true, MDE_STATUS_SUCCEEDED, false, false, false, false}}},
    {1, {{true, MDE_STATUS_FAILED, false, true, false, false}}},
    {1, {{true, MDE_STATUS_SUCCEEDED, false, false, true, false}}},
    {1, {{false, MDE_STATUS_CANCELLED, false, true, true, false}}},
    {2,
     {{false, MDE_STATUS_SUCCEEDED, false, false, false, true},
      {true, MDE_STATUS_SUCCEEDED, false, false, false, false}}},
    {2,
     {{false, MDE_STATUS_SUCCEEDED, false, false, false, true},
      {true, MDE_STATUS_FAILED, false, false, false, false}}},
    {1, {{false, MDE_STATUS_CANCELLED, false, false, false, true}}},
    {1, {{false, MDE_STATUS_FAILED, false, false, false, true}}},
};

/* False if there is no such past for this order. */
static bool remember(struct world *world, const struct past *past, enum subject subject)
{
  if (order.is_decided_on && past->count == 0) return false;
  for (int i = 0; i < past->count; i++) {
    if (past->rows[i].carries_our_id && !order.keyed) return false;
    if (!add(world, BEFORE, past->rows[i].opposite, past->rows[i].status,
             past->rows[i].carries_our_id))
      return false;
    world->rows[i].untimed = past->rows[i].untimed;
    world->rows[i].nameless = past->rows[i].nameless;
    world->rows[i].same_reason = past->rows[i].same_reason;
    if (!past->rows[i].opposite) world->rows[i].subject = (unsigned char)subject;
  }
  return true;
}

static void begin(const struct past *past, enum subject subject, unsigned char surprises_allowed)
{
  struct state state;
  memset(&state, 0, sizeof state);
  state.world.surprises_left = surprises_allowed;
  if (!remember(&state.world, past, subject)) return;
  mde_change_begin(&state.change, &order, 0);
  go(&state, "it begins");
}

/* It left in another process, which is gone. */
static void begin_lost(const struct past *past, enum subject subject,
                       unsigned char surprises_allowed, int sends)
{
  if (order.dry_run || (sends > 1 && !order.resend)) return;
  bool is_unrelated_past = order.response->subject == MDE_SUBJECT_FILE && subject == ANOTHER;
  for (int i = 0; i < past->count; i++) /* would not have been sent */
    if (past->rows[i].carries_our_id && past->rows[i].status != MDE_STATUS_FAILED &&
        !is_unrelated_past)
      return;
  struct state state;
  memset(&state, 0, sizeof state);
  struct world *world = &state.world;
  world->surprises_left = surprises_allowed;
  if (!remember(world, past, subject)) return;
  world->left = (unsigned char)sends;
  world->has_slot = 1;
  struct mde_lost lost = {.sent_at = BASE, .sends = sends, .looked = order.look};
  mde_change_begin_lost(&state.change, &order, &lost, 0);
  for (int i = 0; order.look && i < world->count; i++) {
    struct mde_action action = action_of(world, i, (enum mde_status)world->rows[i].status);
    if (!action.has_id) return; /* a look that had it cannot tell of it */
    if (!is_unrelated(&world->rows[i])) mde_change_see(&state.change, action.id, action.status);
    world->rows[i].shown = action.status == MDE_STATUS_CANCELLED ? SHOWN_CANCELLED : SHOWN;
  }
  world->has_looked = order.look;
  go(&state, "it begins where it was lost");
  struct state executed = state;
  executed.world.executed = 1;
  if (add(&executed.world, US, false, MDE_STATUS_PENDING, true)) {
    go(&executed, "it begins where it was executed, and lost");
    executed.world.rows[executed.world.count - 1].subject = ANOTHER;
    if (order.response->subject == MDE_SUBJECT_SCOPE)
      go(&executed, "it begins where it was executed in another scope, and lost");
  }
  world->late = 1;
  go(&state, "it begins where it was lost, and will be executed");
}

/*
 * One of each kind: that holds a device, in one scope or in two; that takes either back; that has
 * no opposite, with a scope, with a file, with neither.
 */
static const struct {
  int response;
  const char *subject, *other;
} responses[] = {
    {MDE_RESPONSE_RESTRICT, NULL, NULL},
    {MDE_RESPONSE_RELEASE, NULL, NULL},
    {MDE_RESPONSE_ISOLATE, "Full", "Selective"},
    {MDE_RESPONSE_ISOLATE, "Selective", "Full"},
    {MDE_RESPONSE_UNISOLATE, NULL, NULL},
    {MDE_RESPONSE_SCAN, "Quick", "Full"},
    {MDE_RESPONSE_QUARANTINE, "3395856ce81f2b7382dee72602f798b642f14140",
     "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {MDE_RESPONSE_COLLECT, NULL, NULL},
};

int main(int argc, char **argv)
{
  unsigned char allowed = (unsigned char)(argc > 1 ? atoi(argv[1]) : 1);
  int step = argc > 2 ? atoi(argv[2]) : 1;
  if (step < 1) step = 1;
  clock_t started = clock();
  int possible = 0;
  int orders = 0;
  for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++)
    for (unsigned bits = 0; bits < 512; bits++) {
      order = (struct mde_order){
          .response = &mde_responses[responses[i].response],
          .subject = text(responses[i].subject),
          .machine = text("0123456789abcdef0123456789abcdef01234567"),
          .operation = text(OURS),
          .incident = bits & 1 ? text("INC-1") : (struct mde_text){NULL, 0},
          .comment = text(bits & 1 ? INCIDENT_COMMENT : COMMENT),
          .keyed = (bits & 2) != 0,
          .look = (bits & 4) == 0,
          .resend = (bits & 8) == 0,
          .cancel_opposite = (bits & 16) != 0,
          .dry_run = (bits & 32) != 0,
          .decided_at = bits & 64 ? DECIDED_AT : MDE_NO_TIME,
          .is_decided_on = (bits & 128) != 0,
          .withdrawn_since = bits & 256 ? FIRST_CREATED : MDE_NO_TIME,
      };
      if (!order.look && (order.keyed || order.decided_at != MDE_NO_TIME)) continue;
      if (order.cancel_opposite && order.response->opposite == NULL) continue;
      /* That is asked by the first look alone, and of a response that holds. */
      if (order.withdrawn_since != MDE_NO_TIME &&
          (!order.response->holds || order.keyed || !order.look || order.is_decided_on ||
           order.decided_at != MDE_NO_TIME || !order.resend))
        continue;
      if (order.is_decided_on) {
        /* What it adds has nothing to do with a key, an incident, or what comes after the send. */
        if (order.decided_at == MDE_NO_TIME || order.keyed || order.incident.bytes != NULL ||
            !order.resend)
          continue;
        order.decided_at = FIRST_CREATED;
        order.decided_on.bytes[15] = 1;
      }
      other_subject = responses[i].other;
      if (possible++ % step != 0) continue;
      orders++;
      make_table(&seen, 1 << 16);
      for (size_t j = 0; j < sizeof pasts / sizeof pasts[0]; j++)
        for (int of = WANTED; of <= (other_subject != NULL ? UNSAID : WANTED); of++) {
          begin(&pasts[j], (enum subject)of, allowed);
          begin_lost(&pasts[j], (enum subject)of, allowed, 1);
          begin_lost(&pasts[j], (enum subject)of, allowed, 2);
        }
      free(seen.slots);
    }
  printf(
      "%d orders, %" PRIu64 " states, %" PRIu64 " transitions, depth %d, %.0f seconds, %d broken\n",
      orders, states, transitions, deepest, (double)(clock() - started) / CLOCKS_PER_SEC, problems);
  return problems == 0 ? 0 : 1;
}
