#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_LENGTH = 400 };

size_t mde_number_point(char point[MDE_NUMBER_POINT_SIZE])
{
  char half[MDE_NUMBER_POINT_SIZE + 2];
  int length = snprintf(half, sizeof half, "%.1f", 0.5);
  point[0] = '\0';
  if (length < 3 || (size_t)length >= sizeof half) return 0;
  memcpy(point, half + 1, (size_t)length - 2);
  point[length - 2] = '\0';
  return (size_t)length - 2;
}

static const char *skip_digits(const char *at, const char *end)
{
  while (at < end && mde_ascii_is_digit(*at))
    at++;
  return at;
}

/* Whether it is a decimal number; `*dot` is where its point is, NULL if it has none. */
static bool is_number(struct mde_text text, const char **dot)
{
  const char *at = text.bytes;
  const char *end = at + text.length;
  const char *digits;
  *dot = NULL;
  if (at < end && *at == '-') at++;
  digits = at;
  at = skip_digits(at, end);
  if (at == digits) return false;
  if (at < end && *at == '.') {
    *dot = at;
    at = skip_digits(at + 1, end);
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    digits = at;
    at = skip_digits(at, end);
    if (at == digits) return false;
  }
  return at == end;
}

bool mde_number_read(struct mde_text text, double *number)
{
  char local[MAX_LENGTH + MDE_NUMBER_POINT_SIZE];
  char point[MDE_NUMBER_POINT_SIZE];
  const char *dot;
  if (text.length > MAX_LENGTH || !is_number(text, &dot)) return false;
  size_t before = dot != NULL ? (size_t)(dot - text.bytes) : text.length;
  char *at = local;
  memcpy(at, text.bytes, before);
  at += before;
  if (dot != NULL) {
    size_t after = text.length - before - 1;
    size_t length = mde_number_point(point);
    if (length == 0) return false;
    memcpy(at, point, length);
    at += length;
    memcpy(at, dot + 1, after);
    at += after;
  }
  *at = '\0';
  char *end;
  double value = strtod(local, &end);
  if (end != at || !isfinite(value)) return false;
  *number = value;
  return true;
}

static bool is_of_number(char c)
{
  return mde_ascii_is_digit(c) || c == '-' || c == '+' || c == 'e';
}

/* Puts a point where the locale's stands, and returns the length. */
static size_t put_point(char *text, size_t length)
{
  size_t kept = 0;
  for (size_t i = 0; i < length; i++)
    if (is_of_number(text[i]))
      text[kept++] = text[i];
    else if (kept > 0 && text[kept - 1] != '.')
      text[kept++] = '.';
  text[kept] = '\0';
  return kept;
}

size_t mde_number_write(double number, char text[MDE_NUMBER_SIZE])
{
  if (!isfinite(number)) {
    const char *name = isnan(number) ? "nan" : number < 0 ? "-inf" : "inf";
    size_t length = strlen(name);
    memcpy(text, name, length + 1);
    return length;
  }
  int length = 0;
  for (int digits = 15; digits <= 17; digits++) {
    length = snprintf(text, MDE_NUMBER_SIZE, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  return put_point(text, (size_t)length);
}
