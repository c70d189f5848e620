/*
 * kql: values on their way into a query of advanced hunting, in the Kusto Query Language.
 *
 * A value becomes part of a query by mde_kql_literal, or mde_kql_list for several, and in no other
 * way. What they write is one token of the language, or one call of dynamic(...), whatever the value
 * says: it is ASCII but for the letters of a string, has no end of a line, no control character and no quote
 * that is not escaped. Of the escapes of KQL only those are used that JSON reads alike, so a string
 * means the same inside of dynamic([...]).
 *
 * Nothing here allocates. What writes text does it as snprintf does, at most `size` bytes to `out`,
 * and returns how many there are in all; no NUL is added.
 */
#ifndef MDE_KQL_H
#define MDE_KQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* ---- values */

enum mde_kql_type {
  MDE_KQL_TYPE_STRING,
  MDE_KQL_TYPE_LONG,
  MDE_KQL_TYPE_REAL,
  MDE_KQL_TYPE_BOOL,
  MDE_KQL_TYPE_DATETIME,
  MDE_KQL_TYPE_TIMESPAN,
  MDE_KQL_TYPE_GUID
};

struct mde_kql_value {
  enum mde_kql_type type;
  struct mde_text text; /* of a string, a guid */
  int64_t whole;        /* of a long */
  double number;        /* of a real; Unix seconds of a datetime; seconds of a timespan */
  bool truth;           /* of a bool */
};

enum mde_kql_flaw {
  MDE_KQL_FLAW_NONE,
  MDE_KQL_FLAW_NOT_UTF8,
  MDE_KQL_FLAW_NOT_FINITE, /* of a real: NaN and the infinities */
  MDE_KQL_FLAW_NOT_A_TIME, /* of a datetime: outside of the years 0001 to 9999 */
  MDE_KQL_FLAW_NOT_A_SPAN, /* of a timespan: more than 10,675,198 days, NaN */
  MDE_KQL_FLAW_NOT_A_GUID  /* anything but hexadecimal digits in groups of 8-4-4-4-12 */
};

/* Why a value cannot be written, MDE_KQL_FLAW_NONE if it can. */
enum mde_kql_flaw mde_kql_flaw(const struct mde_kql_value *value);

/*
 * A value as a literal of its type: "a\"b"   long(5)   real(0.5)   true   datetime(2026-02-03T10:11:12Z)
 * timespan(1.02:00:00.0000000)   guid(74be27de-1e4e-49d9-b579-fe0b013d3642). A datetime is
 * rounded to a microsecond, a timespan to a tick. It must be without a flaw.
 */
size_t mde_kql_literal(const struct mde_kql_value *value, char *out, size_t size);

struct mde_kql_values {
  const struct mde_kql_value *list;
  size_t count;
};

/* Values as one that `in`, `has_any` and the like take: dynamic(["a","b"]). None may have a flaw. */
size_t mde_kql_list(const struct mde_kql_values *values, char *out, size_t size);

/* ---- names */

enum { MDE_KQL_NAME_MAX = 64 };

enum mde_kql_name_flaw {
  MDE_KQL_NAME_FLAW_NONE,
  MDE_KQL_NAME_FLAW_NOT_A_NAME, /* not 1 to 64 of A-Z a-z 0-9 _ */
  /*
   * Does not begin with a small letter. A column of the service begins with a capital, and some with
   * an underscore; where both are there, a column hides the parameter, and what should narrow the
   * query would compare a column with itself.
   */
  MDE_KQL_NAME_FLAW_LIKE_A_COLUMN,
  MDE_KQL_NAME_FLAW_KEYWORD /* a word of the language */
};

/* Why a parameter cannot have a name. */
enum mde_kql_name_flaw mde_kql_name_flaw(struct mde_text name);

/* What a query does with a name where it stands. */
enum mde_kql_use {
  MDE_KQL_USE_NONE,
  MDE_KQL_USE_READ,
  MDE_KQL_USE_DEFINED, /* it gets a value there: name = ..., or a type: name:string; range name; (name, b) = */
  MDE_KQL_USE_CALLED, /* it is a function's: name(...) */
  MDE_KQL_USE_MEMBER  /* it stands behind a point: bag.name */
};

/*
 * The next name of a query at `*at`, which must not lie past `end`; `*at` moves behind it.
 * MDE_KQL_USE_NONE at the end. What stands in strings and comments is no name, and a keyword is a name as
 * any other. A query that the language does not know is read as far as can be.
 */
enum mde_kql_use mde_kql_next_name(const char **at, const char *end, struct mde_text *name);

/*
 * What a query does with a name: the use that decides about a parameter. DEFINED or CALLED if it
 * is that anywhere, else READ if it is read anywhere, else NONE.
 */
enum mde_kql_use mde_kql_use(struct mde_text query, struct mde_text name);

#endif
