/*
 * ascii: the classes of ASCII characters, each as the specification has it that is named with it.
 *
 * They are the same in every locale. A character is given as it stands in a text, or as the number
 * of its byte or code point; what is not ASCII is of none of the classes but the last.
 */
#ifndef MDE_ASCII_H
#define MDE_ASCII_H

#include <stdbool.h>

/* DIGIT, RFC 5234 */
static inline bool mde_ascii_is_digit(int c)
{
  return c >= '0' && c <= '9';
}

/* ALPHA, RFC 5234 */
static inline bool mde_ascii_is_alpha(int c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool mde_ascii_is_alphanumeric(int c)
{
  return mde_ascii_is_alpha(c) || mde_ascii_is_digit(c);
}

/* unreserved, RFC 3986, 2.3 */
static inline bool mde_ascii_is_unreserved(int c)
{
  return mde_ascii_is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static inline int mde_ascii_lower(int c)
{
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static inline int mde_ascii_upper(int c)
{
  return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* The value of a hexadecimal digit of either case; -1 for anything else. */
static inline int mde_ascii_hexadecimal(int c)
{
  if (mde_ascii_is_digit(c)) return c - '0';
  int lower = mde_ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* CTL, RFC 5234 */
static inline bool mde_ascii_is_control(int c)
{
  return (c >= 0 && c < 0x20) || c == 0x7f;
}

/* What OWS is made of, RFC 9110, 5.6.3: a space or a tab. WSP of RFC 5234 is the same. */
static inline bool mde_ascii_is_blank(int c)
{
  return c == ' ' || c == '\t';
}

/* What ws is made of, RFC 8259, 2: a blank, or part of the end of a line. */
static inline bool mde_ascii_is_space(int c)
{
  return mde_ascii_is_blank(c) || c == '\r' || c == '\n';
}

/* W, RFC 7468, 3: white space within PEM. */
static inline bool mde_ascii_is_pem_space(int c)
{
  return mde_ascii_is_space(c) || c == '\v' || c == '\f';
}

/*
 * What a field's value is made of, RFC 9110, 5.5, and a quoted string is, 5.6.4, escapes aside: no
 * control character but the tab. Every byte that is not ASCII is one.
 */
static inline bool mde_ascii_is_field_byte(char c)
{
  return c == '\t' || !mde_ascii_is_control((unsigned char)c);
}

#endif
