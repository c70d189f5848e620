#include "cap.h"

#include <math.h>
#include <string.h>

#include "timestamp.h"

/* ---- one send */

/* When it leaves the hour. */
static double leaves(const struct mde_cap_send *send)
{
  return send->at + MDE_CAP_SECONDS;
}

static struct mde_cap_send make_send(struct mde_text id, double at)
{
  /* A zero has one form alone, so that it is always the same bytes. */
  struct mde_cap_send send = {.at = at + 0.0, .length = (unsigned char)id.length};
  for (size_t i = 0; i < id.length; i++)
    send.id[i] = (char)mde_ascii_lower(id.bytes[i]);
  return send;
}

static int order_of_ids(const struct mde_cap_send *a, const struct mde_cap_send *b)
{
  int order = memcmp(a->id, b->id, sizeof a->id);
  return order != 0 ? order : a->length - b->length;
}

static bool is_before_by_time(const struct mde_cap_send *a, const struct mde_cap_send *b)
{
  return a->at != b->at ? a->at < b->at : order_of_ids(a, b) < 0;
}

static bool is_before_by_id(const struct mde_cap_send *a, const struct mde_cap_send *b)
{
  int order = order_of_ids(a, b);
  return order != 0 ? order < 0 : a->at < b->at;
}

/* ---- many of them */

typedef bool is_before(const struct mde_cap_send *a, const struct mde_cap_send *b);

static void swap(struct mde_cap_send *a, struct mde_cap_send *b)
{
  struct mde_cap_send held = *a;
  *a = *b;
  *b = held;
}

/* Moves the root of a heap, the last first, down to its place. */
static void sift(struct mde_cap_send *sends, size_t root, size_t length, is_before *before)
{
  for (size_t child = 2 * root + 1; child < length; child = 2 * root + 1) {
    if (child + 1 < length && before(&sends[child], &sends[child + 1])) child++;
    if (!before(&sends[root], &sends[child])) return;
    swap(&sends[root], &sends[child]);
    root = child;
  }
}

/* By a heap: it takes no memory, and no order of a hostile list makes it slow. */
static void sort(struct mde_cap_send *sends, size_t length, is_before *before)
{
  for (size_t root = length / 2; root-- > 0;)
    sift(sends, root, length, before);
  while (length > 1) {
    swap(&sends[0], &sends[--length]);
    sift(sends, 0, length, before);
  }
}

static bool reserve(struct mde_cap *cap, size_t length)
{
  if (length <= cap->capacity) return true;
  size_t capacity = length + length / 2;
  struct mde_cap_send *sends = cap->allocator.allocate(
      cap->allocator.context, cap->sends, cap->capacity * sizeof *sends, capacity * sizeof *sends);
  if (sends == NULL) return false;
  cap->sends = sends;
  cap->capacity = capacity;
  return true;
}

static void remove_at(struct mde_cap *cap, size_t place, size_t count)
{
  if (count == 0) return;
  cap->length -= count;
  memmove(&cap->sends[place], &cap->sends[place + count],
          (cap->length - place) * sizeof *cap->sends);
}

/* There is room for it. */
static void insert(struct mde_cap *cap, struct mde_cap_send send)
{
  size_t place = cap->length++;
  for (; place > 0 && is_before_by_time(&send, &cap->sends[place - 1]); place--)
    cap->sends[place] = cap->sends[place - 1];
  cap->sends[place] = send;
}

/* The place of a send; the length if it is not known. */
static size_t find(const struct mde_cap *cap, struct mde_text id, double at)
{
  struct mde_cap_send wanted = make_send(id, at);
  size_t place = 0;
  while (place < cap->length &&
         (cap->sends[place].at != at || order_of_ids(&cap->sends[place], &wanted) != 0))
    place++;
  return place;
}

/* ---- the time */

/* The cap's own: it does not go back with the clock. */
static double time_at(const struct mde_cap *cap, double now)
{
  return now > cap->latest ? now : cap->latest;
}

/* How many have left the hour: the first ones. */
static size_t left_by(const struct mde_cap *cap, double time)
{
  size_t left = 0;
  while (left < cap->length && leaves(&cap->sends[left]) <= time)
    left++;
  return left;
}

static void go_on(struct mde_cap *cap, double now)
{
  cap->latest = time_at(cap, now);
  remove_at(cap, 0, left_by(cap, cap->latest));
}

/* ---- the cap */

void mde_cap_init(struct mde_cap *cap, struct mde_allocator allocator, size_t limit)
{
  *cap = (struct mde_cap){.allocator = allocator, .limit = limit, .latest = -INFINITY};
}

void mde_cap_clear(struct mde_cap *cap)
{
  mde_release(&cap->allocator, cap->sends, cap->capacity * sizeof *cap->sends);
  mde_cap_init(cap, cap->allocator, cap->limit);
}

bool mde_cap_is_whole(const struct mde_cap *cap)
{
  return cap->was_merged || cap->limit == 0 || cap->limit == MDE_CAP_NONE;
}

void mde_cap_doubt(struct mde_cap *cap)
{
  cap->was_merged = false;
}

size_t mde_cap_remaining(const struct mde_cap *cap, double now)
{
  if (cap->limit == MDE_CAP_NONE) return SIZE_MAX;
  size_t used = cap->length - left_by(cap, time_at(cap, now));
  return used < cap->limit ? cap->limit - used : 0;
}

/* There is room once the send that fills it, the limit-th last, has left. */
double mde_cap_wait(const struct mde_cap *cap, double now)
{
  if (cap->limit == 0) return -1;
  if (cap->length < cap->limit) return 0;
  double until = leaves(&cap->sends[cap->length - cap->limit]);
  return until > time_at(cap, now) ? until - now : 0;
}

enum mde_cap_answer mde_cap_take(struct mde_cap *cap, struct mde_text id, double now,
                                 bool all_the_same, double *at)
{
  struct mde_cap_send send = make_send(id, time_at(cap, now));
  *at = send.at;
  if (cap->limit == MDE_CAP_NONE) return MDE_CAP_TAKEN;
  if (!all_the_same && !mde_cap_is_whole(cap)) return MDE_CAP_UNCOUNTED;
  if (!all_the_same && mde_cap_wait(cap, now) != 0) return MDE_CAP_FULL;
  if (!reserve(cap, cap->length + 1)) return MDE_CAP_NO_MEMORY;
  go_on(cap, now);
  if (cap->length == MDE_CAP_MAX_SENDS) remove_at(cap, 0, 1);
  insert(cap, send);
  return MDE_CAP_TAKEN;
}

bool mde_cap_give_back(struct mde_cap *cap, struct mde_text id, double at)
{
  size_t place = find(cap, id, at);
  if (place == cap->length) return false;
  remove_at(cap, place, 1);
  return true;
}

bool mde_cap_went(struct mde_cap *cap, struct mde_text id, double at, double sent)
{
  if (sent <= at || !mde_cap_give_back(cap, id, at)) return false;
  insert(cap, make_send(id, sent));
  return true;
}

/* ---- what the service tells */

static bool is_there(struct mde_text text)
{
  return text.bytes != NULL && text.length > 0;
}

bool mde_cap_counts(const struct mde_action_text *row, const struct mde_response *response,
                    struct mde_text file, double service_now, double now, struct mde_cap_send *send)
{
  if (is_there(row->type) && !mde_response_has_type(response, row->type)) return false;
  if (is_there(file) && is_there(row->file) && !mde_text_same_caseless(row->file, file))
    return false;
  struct mde_text id = mde_comment_parse(row->comment).operation;
  if (!is_there(id) && is_there(row->id)) return false;
  int64_t created = mde_timestamp(row->created);
  double age = created == MDE_NO_TIME ? 0 : service_now - (double)created / MDE_TICKS_PER_SECOND;
  *send = make_send(id, age > 0 ? now - age : now);
  return true;
}

bool mde_cap_merge(struct mde_cap *cap, struct mde_cap_send *earlier, size_t count, double now)
{
  if (mde_cap_is_whole(cap)) return true;
  if (!reserve(cap, cap->length + count)) return false;
  go_on(cap, now);
  double behind = cap->latest - now;
  size_t own = cap->length, known = 0;
  sort(cap->sends, own, is_before_by_id);
  sort(earlier, count, is_before_by_id);
  for (size_t i = 0; i < count; i++) {
    struct mde_cap_send send = earlier[i];
    send.at = send.at < now ? send.at + behind : cap->latest;
    if (leaves(&send) <= cap->latest) continue;
    while (known < own && order_of_ids(&cap->sends[known], &send) < 0)
      known++;
    if (known < own && order_of_ids(&cap->sends[known], &send) == 0)
      known++;
    else
      cap->sends[cap->length++] = send;
  }
  sort(cap->sends, cap->length, is_before_by_time);
  if (cap->length > MDE_CAP_MAX_SENDS) remove_at(cap, 0, cap->length - MDE_CAP_MAX_SENDS);
  cap->was_merged = true;
  return true;
}

/* ---- as bytes */

static const unsigned char BEGINNING[] = {'c', 'a', 'p', 1};

enum {
  TIME_BYTES = 8,
  COUNT_BYTES = 4,
  CHECKSUM_BYTES = 8,
  HEAD_BYTES = (int)sizeof BEGINNING + 1 + TIME_BYTES + COUNT_BYTES,
  SEND_BYTES = TIME_BYTES + 1 /* without its id */
};

/* FNV-1a: no single byte can change without it. */
static uint64_t checksum_of(const unsigned char *bytes, size_t length)
{
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length; i++)
    sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
  return sum;
}

static void put_number(unsigned char **at, uint64_t number, int bytes)
{
  for (int i = 0; i < bytes; i++)
    *(*at)++ = (unsigned char)(number >> 8 * i);
}

static void put_time(unsigned char **at, double time)
{
  uint64_t bits;
  memcpy(&bits, &time, sizeof bits);
  put_number(at, bits, TIME_BYTES);
}

static uint64_t get_number(const unsigned char **at, int bytes)
{
  uint64_t number = 0;
  for (int i = 0; i < bytes; i++)
    number |= (uint64_t)(*at)[i] << 8 * i;
  *at += bytes;
  return number;
}

static double get_time(const unsigned char **at)
{
  uint64_t bits = get_number(at, TIME_BYTES);
  double time;
  memcpy(&time, &bits, sizeof time);
  return time;
}

size_t mde_cap_packed_size(const struct mde_cap *cap, double now)
{
  size_t size = HEAD_BYTES + CHECKSUM_BYTES;
  for (size_t i = left_by(cap, time_at(cap, now)); i < cap->length; i++)
    size += SEND_BYTES + (size_t)cap->sends[i].length;
  return size;
}

void mde_cap_pack(const struct mde_cap *cap, double now, unsigned char *bytes)
{
  double time = time_at(cap, now) + 0.0;
  size_t first = left_by(cap, time);
  unsigned char *at = bytes;
  memcpy(at, BEGINNING, sizeof BEGINNING);
  at += sizeof BEGINNING;
  *at++ = cap->was_merged ? 1 : 0;
  put_time(&at, time);
  put_number(&at, cap->length - first, COUNT_BYTES);
  for (size_t i = first; i < cap->length; i++) {
    put_time(&at, cap->sends[i].at);
    *at++ = cap->sends[i].length;
    memcpy(at, cap->sends[i].id, cap->sends[i].length);
    at += cap->sends[i].length;
  }
  put_number(&at, checksum_of(bytes, (size_t)(at - bytes)), CHECKSUM_BYTES);
}

/* One send, if all of it is there and its id is one that `pack` writes. */
static bool get_send(const unsigned char **at, const unsigned char *end, struct mde_cap_send *send)
{
  if (end - *at < SEND_BYTES) return false;
  double time = get_time(at);
  size_t length = *(*at)++;
  if (!isfinite(time) || length > MDE_CAP_ID_MAX || (size_t)(end - *at) < length) return false;
  *send = make_send((struct mde_text){(const char *)*at, length}, time);
  bool is_lower = memcmp(send->id, *at, length) == 0;
  *at += length;
  return is_lower;
}

/* The sends, none of which has left the hour by the cap's time, in their order. */
static bool get_sends(struct mde_cap *cap, size_t count, const unsigned char *at,
                      const unsigned char *end)
{
  for (; cap->length < count; cap->length++) {
    struct mde_cap_send *send = &cap->sends[cap->length];
    if (!get_send(&at, end, send) || leaves(send) <= cap->latest) return false;
    if (cap->length > 0 && is_before_by_time(send, send - 1)) return false;
  }
  return at == end;
}

static enum mde_cap_unpacked unpack(struct mde_cap *cap, const unsigned char *bytes, size_t length,
                                    double now)
{
  if (length < sizeof BEGINNING || memcmp(bytes, BEGINNING, sizeof BEGINNING) != 0)
    return MDE_CAP_UNPACKED_OTHER;
  if (length < HEAD_BYTES + CHECKSUM_BYTES) return MDE_CAP_UNPACKED_DAMAGED;
  const unsigned char *end = bytes + length - CHECKSUM_BYTES, *behind = end;
  if (get_number(&behind, CHECKSUM_BYTES) != checksum_of(bytes, (size_t)(end - bytes)))
    return MDE_CAP_UNPACKED_DAMAGED;
  const unsigned char *at = bytes + sizeof BEGINNING;
  unsigned char merged = *at++;
  double time = get_time(&at);
  size_t count = (size_t)get_number(&at, COUNT_BYTES);
  /* Before there is memory for them: what is hostile names any number. */
  if (merged > 1 || !isfinite(time) || count > MDE_CAP_MAX_SENDS ||
      count > (size_t)(end - at) / SEND_BYTES)
    return MDE_CAP_UNPACKED_DAMAGED;
  if (!reserve(cap, count)) return MDE_CAP_UNPACKED_NO_MEMORY;
  cap->latest = time;
  cap->was_merged = merged == 1;
  if (!get_sends(cap, count, at, end)) return MDE_CAP_UNPACKED_DAMAGED;
  double last = count > 0 ? cap->sends[count - 1].at : time;
  if (time + MDE_CAP_SECONDS <= now || time >= now + MDE_CAP_SECONDS ||
      last >= now + MDE_CAP_SECONDS)
    return MDE_CAP_UNPACKED_CLOCK;
  return MDE_CAP_UNPACKED_OK;
}

enum mde_cap_unpacked mde_cap_unpack(struct mde_cap *cap, const unsigned char *bytes, size_t length,
                                     double now)
{
  mde_cap_clear(cap);
  enum mde_cap_unpacked result = unpack(cap, bytes, length, now);
  if (result != MDE_CAP_UNPACKED_OK) mde_cap_clear(cap);
  return result;
}
