#include "pem.h"

#include <string.h>

#define LINE_CHARACTERS 64
#define MAX_LABEL_BYTES 64

/* What is left to read. */
struct cursor {
  const char *at;
  const char *end;
};

static bool is_blank(char c)
{
  return mde_ascii_is_pem_space(c) || c == '\0';
}

static size_t left(struct cursor cursor)
{
  return (size_t)(cursor.end - cursor.at);
}

/* Where `part` begins, or NULL. */
static const char *find(struct cursor in, const char *part)
{
  size_t length = strlen(part);
  for (; left(in) >= length; in.at++)
    if (*in.at == *part && memcmp(in.at, part, length) == 0) return in.at;
  return NULL;
}

static bool starts_with(struct cursor cursor, struct mde_text text)
{
  return left(cursor) >= text.length && memcmp(cursor.at, text.bytes, text.length) == 0;
}

static int append(struct mde_buffer *out, const char *bytes, size_t length)
{
  switch (mde_buffer_append(out, bytes, length)) {
  case MDE_BUFFER_OK:
    return MDE_PEM_OK;
  case MDE_BUFFER_TOO_LONG:
    return MDE_PEM_TOO_LONG;
  default:
    return MDE_PEM_NO_MEMORY;
  }
}

static int append_marker(struct mde_buffer *out, const char *word, struct mde_text label)
{
  int status = append(out, word, strlen(word));
  if (status == MDE_PEM_OK) status = append(out, label.bytes, label.length);
  if (status == MDE_PEM_OK) status = append(out, "-----\n", strlen("-----\n"));
  return status;
}

/* The next character of a block's body, with \n, \r and \t as what they stand for, however often
 * their backslash was doubled. A backslash before anything else is a blank. */
static char take(struct cursor *body)
{
  char c = *body->at++;
  if (c != '\\') return c;
  while (body->at < body->end && *body->at == '\\')
    body->at++;
  if (body->at == body->end) return ' ';
  switch (*body->at) {
  case 'n':
    body->at++;
    return '\n';
  case 'r':
    body->at++;
    return '\r';
  case 't':
    body->at++;
    return '\t';
  default:
    return ' ';
  }
}

static int append_base64(struct mde_buffer *out, struct cursor body)
{
  int status = MDE_PEM_OK;
  size_t column = 0;
  while (status == MDE_PEM_OK && body.at < body.end) {
    char c = take(&body);
    if (is_blank(c)) continue;
    if (column == LINE_CHARACTERS) {
      status = append(out, "\n", 1);
      column = 0;
    }
    if (status == MDE_PEM_OK) status = append(out, &c, 1);
    column++;
  }
  if (status == MDE_PEM_OK && column > 0) status = append(out, "\n", 1);
  return status;
}

/* Whether anything stands behind the first line end behind something. */
static bool has_lines(struct cursor body)
{
  bool begun = false, ended = false;
  while (body.at < body.end) {
    char c = take(&body);
    if (c == '\n' && begun) ended = true;
    if (is_blank(c)) continue;
    if (ended) return true;
    begun = true;
  }
  return false;
}

/* The headers of an encrypted key are told from its base64 by their lines, so these stay. */
static int append_lines(struct mde_buffer *out, struct cursor body)
{
  int status = MDE_PEM_OK;
  bool begun = false, in_line = false, blank = false;
  while (status == MDE_PEM_OK && body.at < body.end) {
    char c = take(&body);
    if (c == '\n') {
      if (begun) status = append(out, "\n", 1);
      in_line = false;
      blank = false;
    } else if (is_blank(c)) {
      blank = in_line;
    } else {
      if (blank) status = append(out, " ", 1);
      if (status == MDE_PEM_OK) status = append(out, &c, 1);
      begun = in_line = true;
      blank = false;
    }
  }
  if (status == MDE_PEM_OK && in_line) status = append(out, "\n", 1);
  return status;
}

static int append_block(struct mde_buffer *out, struct mde_text label, struct cursor body)
{
  bool has_headers = left(body) > 0 && memchr(body.at, ':', left(body)) != NULL;
  if (has_headers && !has_lines(body)) return MDE_PEM_FLAT;
  /* What was an END once, or never base64. */
  if (!has_headers && memchr(body.at, '-', left(body)) != NULL) return MDE_PEM_NOT_CLOSED;
  int status = append_marker(out, "-----BEGIN ", label);
  if (status == MDE_PEM_OK)
    status = has_headers ? append_lines(out, body) : append_base64(out, body);
  return status == MDE_PEM_OK ? append_marker(out, "-----END ", label) : status;
}

/* Moves behind the next BEGIN marker and gives its label; false if there is no further one. */
static bool next_block(struct cursor *cursor, struct mde_text *label)
{
  for (;;) {
    const char *begin = find(*cursor, "-----BEGIN ");
    if (begin == NULL) return false;
    cursor->at = begin + strlen("-----BEGIN ");
    const char *dashes = find(*cursor, "-----");
    if (dashes == NULL) return false;
    *label = (struct mde_text){cursor->at, (size_t)(dashes - cursor->at)};
    bool is_label = label->length > 0 && label->length <= MAX_LABEL_BYTES;
    for (size_t i = 0; i < label->length && is_label; i++)
      is_label = label->bytes[i] >= ' ' && label->bytes[i] <= '~' && label->bytes[i] != '\\';
    if (is_label) {
      cursor->at = dashes + strlen("-----");
      return true;
    }
  }
}

/* Moves behind the block's END marker and gives what stands before it; false if the next marker is
 * another. */
static bool take_body(struct cursor *cursor, struct mde_text label, struct cursor *body)
{
  static const struct mde_text word = {"-----END ", sizeof "-----END " - 1};
  static const struct mde_text dashes = {"-----", sizeof "-----" - 1};
  const char *marker = find(*cursor, dashes.bytes);
  if (marker == NULL) return false;
  struct cursor behind = {marker, cursor->end};
  if (!starts_with(behind, word)) return false;
  behind.at += word.length;
  if (!starts_with(behind, label)) return false;
  behind.at += label.length;
  if (!starts_with(behind, dashes)) return false;
  *body = (struct cursor){cursor->at, marker};
  cursor->at = behind.at + dashes.length;
  return true;
}

/* By its mark, or by the dashes with a NUL between that any PEM text has in it. */
static bool is_utf16(struct mde_text text)
{
  if (text.length < 2) return false;
  if (memcmp(text.bytes, "\xff\xfe", 2) == 0 || memcmp(text.bytes, "\xfe\xff", 2) == 0) return true;
  for (size_t i = 0; i + 5 <= text.length; i++)
    if (memcmp(text.bytes + i, "-\0-\0-", 5) == 0) return true;
  return false;
}

int mde_pem_mend(struct mde_buffer *out, struct mde_text given)
{
  if (is_utf16(given)) return MDE_PEM_UTF16;
  struct cursor cursor = {given.bytes, given.bytes + given.length};
  struct mde_text label;
  int flaw = MDE_PEM_OK;
  while (next_block(&cursor, &label)) {
    struct cursor body;
    int status =
        take_body(&cursor, label, &body) ? append_block(out, label, body) : MDE_PEM_NOT_CLOSED;
    if (status == MDE_PEM_NOT_CLOSED || status == MDE_PEM_FLAT)
      flaw = status;
    else if (status != MDE_PEM_OK)
      return status;
  }
  return flaw;
}

size_t mde_pem_limit(size_t length)
{
  /* At most a line end more for each of two markers and for every 64 characters. */
  return length + length / 8 + 8;
}
