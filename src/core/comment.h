/*
 * comment: the one field of an action that is ours to write, and so the only record of who meant
 * what.
 *
 * What the service gets is the user's text and a suffix, " [mde:INC-4711:<operation id>]", or
 * " [mde:<operation id>]" where no incident is named. Only a suffix at the very end counts. One
 * that the user's text already has there is removed first, so that a comment taken from an old
 * action does not speak for it; and " [mde:" elsewhere in the text becomes " (mde:", so that a name
 * that an attacker chose cannot be taken for a suffix where the service cuts the comment short.
 *
 * An operation id may say until when a restriction is meant to hold: "<id>.until.1795960800", where
 * <id> is an operation id by itself and ten digits are Unix seconds by the service's clock. So the
 * end of a restriction stands with it in the service's own history, where any host finds it. The
 * grammar of a suffix is what it was: a reader that knows nothing of this takes the whole for an
 * operation id, and the restriction for one that holds until somebody releases it. A key of a
 * caller may not end in ".until." and digits.
 *
 * A text shows nothing if all of it is white space of Unicode or what is unsafe to show (show.h).
 */
#ifndef MDE_COMMENT_H
#define MDE_COMMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum {
  MDE_COMMENT_MAX_CODE_POINTS = 850, /* of the user's text */
  MDE_COMMENT_MAX_UNITS = 1600, /* of the user's text: UTF-16 units, in which a service counts */
  /* bytes of the longest text: 750 code points of two units and four bytes, 100 of one and three */
  MDE_COMMENT_MAX_TEXT_BYTES = 4 * 750 + 3 * 100,
  MDE_INCIDENT_MAX_BYTES = 64,
  MDE_OPERATION_MIN_BYTES = 8,
  MDE_OPERATION_MAX_BYTES = 64,
  MDE_OPERATION_RANDOM_BYTES = 16, /* in a generated operation id */
  MDE_OPERATION_LENGTH = 26,       /* characters of a generated operation id */
  MDE_UNTIL_LENGTH = 17,           /* characters of ".until.1795960800" */
  /* bytes of the longest comment: the text, then " [mde:" ":" "]" */
  MDE_COMMENT_MAX_BYTES =
      MDE_COMMENT_MAX_TEXT_BYTES + 8 + MDE_INCIDENT_MAX_BYTES + MDE_OPERATION_MAX_BYTES
};

enum mde_comment_status {
  MDE_COMMENT_STATUS_OK = 0,
  MDE_COMMENT_STATUS_EMPTY = -1,    /* there is nothing in the text, or nothing that shows */
  MDE_COMMENT_STATUS_NOT_UTF8 = -2, /* overlong forms and surrogates are not UTF-8 either */
  MDE_COMMENT_STATUS_NUL = -3, /* a NUL, at which a service written in C would cut the suffix off */
  MDE_COMMENT_STATUS_TOO_LONG = -4,
  MDE_COMMENT_STATUS_INCIDENT = -5, /* not 1 to 64 of A-Za-z0-9._#/- */
  MDE_COMMENT_STATUS_OPERATION = -6 /* not 8 to 64 of A-Za-z0-9._- */
};

struct mde_comment {
  struct mde_text text;      /* without the suffix; never absent */
  struct mde_text incident;  /* absent if none is named, or if there is no suffix */
  struct mde_text operation; /* absent if there is no suffix of ours */
};

/* Takes a comment apart. Always succeeds; the parts point into `comment`. Absent reads as empty. */
struct mde_comment mde_comment_parse(struct mde_text comment);

/* Whether a text may be an incident; an operation id; the key of a caller. */
bool mde_incident_valid(struct mde_text incident);
bool mde_operation_valid(struct mde_text operation);
bool mde_key_valid(struct mde_text key);

/* What an operation id is called without its end: the key, or the id that was drawn. */
struct mde_text mde_operation_name(struct mde_text operation);

/* Until when what carries it is meant to hold: ticks; MDE_NO_TIME if it does not say, or is absent.
 */
int64_t mde_operation_until(struct mde_text operation);

/*
 * Writes an operation id with its end, `until` (Unix seconds), and returns how many bytes it has; 0
 * if that is too long, `name` cannot be one, or the time has not ten digits.
 */
size_t mde_operation_with_until(char out[MDE_OPERATION_MAX_BYTES], struct mde_text name,
                                int64_t until);

/* Whether two incidents are the same one: INC-1 and inc-1 are, INC-1 and INC-10 are not. */
bool mde_incident_same(struct mde_text a, struct mde_text b);

/* 128 random bits in base32 (RFC 4648, lower case, unpadded). */
void mde_operation_make(const unsigned char random[MDE_OPERATION_RANDOM_BYTES],
                        char operation[MDE_OPERATION_LENGTH]);

/*
 * Writes the whole comment into `out` and its bytes into `*length`; `*changed`: the text in it is
 * not the user's, since that had a suffix of ours in it. `incident` may be absent.
 * MDE_COMMENT_STATUS_OK, or what is wrong, in the order of the list above.
 */
int mde_comment_compose(char out[MDE_COMMENT_MAX_BYTES], size_t *length, bool *changed,
                        struct mde_text text, struct mde_text incident, struct mde_text operation);

/*
 * Makes a text that can be composed of any bytes, and returns how many bytes it has. What is not
 * UTF-8, and a NUL, becomes U+FFFD; what is too long is cut between two code points and ends in an
 * ellipsis; one in which nothing shows becomes "(empty)".
 */
size_t mde_comment_make(char out[MDE_COMMENT_MAX_TEXT_BYTES], struct mde_text bytes);

enum mde_comment_match {
  MDE_COMMENT_MATCH_OTHER, /* somebody else's */
  MDE_COMMENT_MATCH_SAME,  /* the final suffix agrees, whatever became of the text before it */
  MDE_COMMENT_MATCH_CUT    /* the beginning of ours: the service cut the rest off */
};

/* What a comment that came back is to the one that was sent. */
enum mde_comment_match mde_comment_compare(struct mde_text sent, struct mde_text returned);

#endif
