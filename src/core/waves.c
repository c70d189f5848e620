#include "waves.h"

#include "timestamp.h"

/* ---- what a user may say */

struct mde_waves_sizes mde_waves_default(size_t planned)
{
  struct mde_waves_sizes sizes = {.sizes = {5, 45}, .count = 2, .has_rest = true};
  if (planned <= MDE_WAVES_ONE_UP_TO) sizes.count = 0;
  return sizes;
}

struct mde_gate_rule mde_gate_default(void)
{
  return (struct mde_gate_rule){.succeeded = 60, .failed = 10, .wait = 120};
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

/*
 * Moves what stands before the next comma out of the text, without the blanks around it. False if
 * it is the last.
 */
static bool take_part(struct mde_text *text, struct mde_text *part)
{
  size_t length = 0;
  while (length < text->length && text->bytes[length] != ',')
    length++;
  bool has_more = length < text->length;
  *part = (struct mde_text){text->bytes, length};
  if (has_more) *text = (struct mde_text){text->bytes + length + 1, text->length - length - 1};
  while (part->length > 0 && is_blank(part->bytes[part->length - 1]))
    part->length--;
  while (part->length > 0 && is_blank(part->bytes[0]))
    *part = (struct mde_text){part->bytes + 1, part->length - 1};
  return has_more;
}

static bool is_word(struct mde_text text, const char *word)
{
  return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

/* Reads digits, at least one; false for anything else. What is over `most` is `most` + 1. */
static bool read_digits(struct mde_text text, size_t most, size_t *number)
{
  *number = 0;
  for (size_t i = 0; i < text.length; i++) {
    if (!mde_ascii_is_digit(text.bytes[i])) return false;
    *number = *number * 10 + (size_t)(text.bytes[i] - '0');
    if (*number > most) *number = most + 1;
  }
  return text.length > 0;
}

static enum mde_waves_flaw read_size(struct mde_text item, struct mde_waves_sizes *sizes)
{
  size_t size;
  if (item.length == 0) return MDE_WAVES_FLAW_EMPTY;
  if (sizes->has_rest) return MDE_WAVES_FLAW_NOT_LAST;
  if (is_word(item, "rest")) {
    sizes->has_rest = true;
    return MDE_WAVES_FLAW_NONE;
  }
  if (!read_digits(item, MDE_WAVES_MAX_SIZE, &size)) return MDE_WAVES_FLAW_NUMBER;
  if (size == 0) return MDE_WAVES_FLAW_ZERO;
  if (size > MDE_WAVES_MAX_SIZE) return MDE_WAVES_FLAW_LARGE;
  if (sizes->count == MDE_WAVES_MAX_SIZES) return MDE_WAVES_FLAW_MANY;
  sizes->sizes[sizes->count++] = size;
  return MDE_WAVES_FLAW_NONE;
}

enum mde_waves_flaw mde_waves_read(struct mde_text text, struct mde_waves_sizes *sizes,
                                   struct mde_text *item)
{
  enum mde_waves_flaw flaw;
  bool has_more;
  *sizes = (struct mde_waves_sizes){.count = 0};
  do {
    has_more = take_part(&text, item);
    flaw = read_size(*item, sizes);
  } while (has_more && flaw == MDE_WAVES_FLAW_NONE);
  return flaw;
}

/* Takes one character off the end; NUL if there is no text. */
static char take_last(struct mde_text *text)
{
  return text->length > 0 ? text->bytes[--text->length] : '\0';
}

static enum mde_waves_flaw read_percent(struct mde_text text, unsigned *percent)
{
  size_t number;
  if (take_last(&text) != '%' || !read_digits(text, 100, &number)) return MDE_WAVES_FLAW_PERCENT;
  if (number > 100) return MDE_WAVES_FLAW_PERCENT;
  *percent = (unsigned)number;
  return MDE_WAVES_FLAW_NONE;
}

static enum mde_waves_flaw read_time(struct mde_text text, double *seconds)
{
  char unit = take_last(&text);
  double of_unit = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
  size_t number;
  if (of_unit <= 0 || !read_digits(text, (size_t)MDE_GATE_MAX_SECONDS, &number))
    return MDE_WAVES_FLAW_TIME;
  *seconds = (double)number * of_unit;
  return *seconds > MDE_GATE_MAX_SECONDS ? MDE_WAVES_FLAW_TIME : MDE_WAVES_FLAW_NONE;
}

/* What stands behind the name and its `=`; false if another name stands there. */
static bool value_of(struct mde_text item, const char *name, struct mde_text *value)
{
  size_t length = strlen(name);
  if (item.length < length || memcmp(item.bytes, name, length) != 0) return false;
  *value = (struct mde_text){item.bytes + length, item.length - length};
  return true;
}

/* What a gate has been told, so that nothing is told twice. */
struct told {
  bool succeeded, failed, wait;
};

static bool is_again(bool *told)
{
  bool again = *told;
  *told = true;
  return again;
}

static enum mde_waves_flaw read_setting(struct mde_text item, struct told *told,
                                        struct mde_gate_rule *rule)
{
  struct mde_text value;
  if (item.length == 0) return MDE_WAVES_FLAW_EMPTY;
  if (value_of(item, "succeeded=", &value))
    return is_again(&told->succeeded) ? MDE_WAVES_FLAW_TWICE
                                      : read_percent(value, &rule->succeeded);
  if (value_of(item, "failed=", &value))
    return is_again(&told->failed) ? MDE_WAVES_FLAW_TWICE : read_percent(value, &rule->failed);
  if (value_of(item, "wait=", &value))
    return is_again(&told->wait) ? MDE_WAVES_FLAW_TWICE : read_time(value, &rule->wait);
  return MDE_WAVES_FLAW_NAME;
}

enum mde_waves_flaw mde_gate_read(struct mde_text text, struct mde_gate_rule *rule,
                                  struct mde_text *item)
{
  struct told told = {.succeeded = false};
  enum mde_waves_flaw flaw;
  bool has_more;
  do {
    has_more = take_part(&text, item);
    flaw = read_setting(*item, &told, rule);
  } while (has_more && flaw == MDE_WAVES_FLAW_NONE);
  return flaw;
}

/* ---- the waves of a run */

size_t mde_waves_size(const struct mde_waves *waves)
{
  const struct mde_waves_sizes *sizes = &waves->sizes;
  if (waves->wave < sizes->count) return sizes->sizes[waves->wave];
  return sizes->has_rest || sizes->count == 0 ? SIZE_MAX : sizes->sizes[sizes->count - 1];
}

/* So many waves of the size of this one are past their gates. */
static void pass(struct mde_waves *waves, size_t count)
{
  waves->before += count * mde_waves_size(waves);
  waves->wave += count;
  waves->sent = 0;
  waves->waited = 0;
  waves->closed = (struct mde_gate_verdict){.gate = MDE_GATE_OPEN};
}

void mde_waves_init(struct mde_waves *waves, const struct mde_waves_sizes *sizes,
                    const struct mde_gate_rule *rule, size_t sent_before)
{
  *waves = (struct mde_waves){.sizes = *sizes, .rule = *rule};
  while (waves->wave < sizes->count && sent_before - waves->before > mde_waves_size(waves))
    pass(waves, 1);
  size_t left = sent_before - waves->before;
  if (left > mde_waves_size(waves)) pass(waves, (left - 1) / mde_waves_size(waves));
  waves->sent = sent_before - waves->before;
}

/* Whether all of this wave has gone, so that none of it is in flight. */
static bool is_at_gate(const struct mde_waves *waves)
{
  return mde_waves_size(waves) != SIZE_MAX && waves->sent == mde_waves_size(waves);
}

enum mde_waves_answer mde_waves_admit(struct mde_waves *waves)
{
  if (waves->closed.gate == MDE_GATE_CLOSED) return MDE_WAVES_PAUSED;
  if (is_at_gate(waves)) return MDE_WAVES_GATE;
  if (waves->in_flight == mde_waves_size(waves) - waves->sent) return MDE_WAVES_WAIT;
  waves->in_flight++;
  return MDE_WAVES_GO;
}

bool mde_waves_ended(struct mde_waves *waves, bool sent)
{
  if (waves->in_flight == 0) return false;
  waves->in_flight--;
  if (sent) waves->sent++;
  return true;
}

static size_t sum_of(const struct mde_wave_counts *counts)
{
  const size_t parts[] = {counts->succeeded, counts->failed, counts->cancelled, counts->pending,
                          counts->unknown};
  size_t sum = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    sum = parts[i] > SIZE_MAX - sum ? SIZE_MAX : sum + parts[i];
  return sum;
}

static struct mde_gate_verdict closed(enum mde_gate_reason reason, size_t number, size_t needed)
{
  return (struct mde_gate_verdict){
      .gate = MDE_GATE_CLOSED, .reason = reason, .number = number, .needed = needed};
}

static struct mde_gate_verdict verdict_on(const struct mde_waves *waves,
                                          const struct mde_wave_counts *counts)
{
  size_t sent = waves->sent;
  if (sum_of(counts) != sent) return closed(MDE_GATE_REASON_COUNT, sum_of(counts), sent);
  size_t needed = (sent * waves->rule.succeeded + 99) / 100;
  size_t may_fail = sent * waves->rule.failed / 100;
  if (may_fail == 0) may_fail = 1;
  if (counts->failed > may_fail) return closed(MDE_GATE_REASON_FAILED, counts->failed, may_fail);
  if (counts->succeeded + counts->pending + counts->unknown < needed)
    return closed(MDE_GATE_REASON_SUCCEEDED, counts->succeeded, needed);
  if (counts->succeeded >= needed && counts->unknown == 0)
    return (struct mde_gate_verdict){.gate = MDE_GATE_OPEN};
  if (waves->waited < waves->rule.wait)
    return (struct mde_gate_verdict){.gate = MDE_GATE_WAIT,
                                     .wait = waves->rule.wait - waves->waited};
  if (counts->unknown > 0) return closed(MDE_GATE_REASON_UNKNOWN, counts->unknown, 0);
  return closed(MDE_GATE_REASON_SUCCEEDED, counts->succeeded, needed);
}

struct mde_gate_verdict mde_waves_judge(struct mde_waves *waves, size_t wave,
                                        const struct mde_wave_counts *counts, double waited)
{
  if (wave < waves->wave) return (struct mde_gate_verdict){.gate = MDE_GATE_OPEN};
  if (wave > waves->wave || !is_at_gate(waves))
    return (struct mde_gate_verdict){.gate = MDE_GATE_NOT_REACHED};
  if (waves->closed.gate == MDE_GATE_CLOSED) return waves->closed;
  if (waited > waves->waited) waves->waited = waited;
  struct mde_gate_verdict verdict = verdict_on(waves, counts);
  if (verdict.gate == MDE_GATE_OPEN) pass(waves, 1);
  if (verdict.gate == MDE_GATE_CLOSED) waves->closed = verdict;
  return verdict;
}

bool mde_waves_open(struct mde_waves *waves)
{
  if (!is_at_gate(waves)) return false;
  pass(waves, 1);
  return true;
}

/* ---- who comes first */

/* Below 0: `a` comes first; above 0: `b` does. */
static int order_of_texts(struct mde_text a, struct mde_text b)
{
  for (size_t i = 0; i < a.length && i < b.length; i++) {
    int difference = mde_ascii_lower(a.bytes[i]) - mde_ascii_lower(b.bytes[i]);
    if (difference != 0) return difference;
  }
  return a.length < b.length ? -1 : a.length > b.length;
}

typedef bool is_before(const struct mde_waves_device *devices, size_t a, size_t b);

/* That no time comes last is as MDE_NO_TIME is the earliest. */
static bool is_seen_later(const struct mde_waves_device *devices, size_t a, size_t b)
{
  if (devices[a].last_seen != devices[b].last_seen)
    return devices[a].last_seen > devices[b].last_seen;
  return a < b;
}

static bool is_before_by_platform(const struct mde_waves_device *devices, size_t a, size_t b)
{
  int order = order_of_texts(devices[a].platform, devices[b].platform);
  return order != 0 ? order < 0 : is_seen_later(devices, a, b);
}

static bool is_before_by_lead(const struct mde_waves_device *devices, size_t a, size_t b)
{
  return devices[a].leads != devices[b].leads ? devices[a].leads : is_seen_later(devices, a, b);
}

static void swap(size_t *a, size_t *b)
{
  size_t kept = *a;
  *a = *b;
  *b = kept;
}

/* The later of a node and its children moves up, until the rest is a heap. */
static void sift(const struct mde_waves_device *devices, size_t *order, size_t root, size_t length,
                 is_before *before)
{
  for (size_t child; (child = 2 * root + 1) < length; root = child) {
    if (child + 1 < length && before(devices, order[child], order[child + 1])) child++;
    if (before(devices, order[child], order[root])) return;
    swap(&order[child], &order[root]);
  }
}

static void sort(const struct mde_waves_device *devices, size_t *order, size_t length,
                 is_before *before)
{
  for (size_t root = length / 2; root-- > 0;)
    sift(devices, order, root, length, before);
  while (length > 1) {
    swap(&order[0], &order[--length]);
    sift(devices, order, 0, length, before);
  }
}

void mde_waves_order(struct mde_waves_device *devices, size_t count, size_t leaders, size_t *order)
{
  for (size_t i = 0; i < count; i++)
    order[i] = i;
  sort(devices, order, count, is_before_by_platform);
  for (size_t i = 0; i < count; i++) {
    struct mde_waves_device *device = &devices[order[i]];
    bool is_first = i == 0 || order_of_texts(devices[order[i - 1]].platform, device->platform) != 0;
    device->leads = is_first && device->last_seen != MDE_NO_TIME;
  }
  sort(devices, order, count, is_before_by_lead);
  for (size_t i = leaders; i < count; i++)
    devices[order[i]].leads = false;
  sort(devices, order, count, is_before_by_lead);
}
