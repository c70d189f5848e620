/*
 * response_actions: what a device can be told to do, one row for each.
 *
 * A rule that is the same for all of them asks the row, never which one it is: what takes an action
 * back, whether it cuts the device off, what its body has to say. Functions, options, subcommands,
 * permissions and the reference are made from these rows.
 *
 * Not here: offboard, since nothing takes it back and the device is out of sight from then on; and
 * startInvestigation, which the service has retired on 1 September 2026.
 */
#ifndef MDE_RESPONSE_ACTIONS_H
#define MDE_RESPONSE_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Where a response is posted, and what answers it. */
enum mde_response_kind {
  MDE_RESPONSE_ACTS,    /* below a machine; a machine action, which is carried out later */
  MDE_RESPONSE_RECORDS, /* below a machine; its record, which is changed at once */
  MDE_RESPONSE_FOLLOWS  /* below an action; whatever the row says */
};

/* What two actions of one type may differ in, so that one does not do for the other. */
enum mde_subject {
  MDE_SUBJECT_NONE,
  MDE_SUBJECT_SCOPE, /* their `scope`: Full or Selective, Quick or Full */
  MDE_SUBJECT_FILE   /* the file that they are about; both may be under way */
};

/* What a second one gets while the first is pending. */
enum mde_duplicate {
  MDE_DUPLICATE_APPLIES,  /* it is applied again, which changes nothing */
  MDE_DUPLICATE_EITHER,   /* the pending action, or 400 */
  MDE_DUPLICATE_REFUSED,  /* 400 */
  MDE_DUPLICATE_UNCERTAIN /* no page says */
};

enum mde_field_kind {
  MDE_FIELD_WORD, /* one of its words, in this case */
  MDE_FIELD_SHA1, /* 40 hexadecimal digits */
  MDE_FIELD_TEXT  /* any text that is not blank */
};

enum { MDE_FIELD_MAX_WORDS = 3, MDE_RESPONSE_MAX_FIELDS = 2 };

/* A member of the body, besides the comment. */
struct mde_response_field {
  const char *name;   /* "IsolationType": in the body; NULL: there is no such field */
  const char *option; /* "isolation_type": as the caller names it; NULL: it is always `value` */
  enum mde_field_kind kind;
  const char *words[MDE_FIELD_MAX_WORDS]; /* the rest is NULL */
  const char *value;                      /* where the caller names none; NULL: he has to */
};

struct mde_response {
  const char *name; /* "restrict": as the caller names it */
  enum mde_response_kind kind;
  const char *type; /* "RestrictCodeExecution": as the service's list of actions names it; NULL: it
                       makes none */
  const char *path; /* "restrictCodeExecution": where it is posted, below what `kind` says */
  const char *many_path; /* of one request for many machines, with their MachineIds; or NULL */
  int many;              /* for how many at the most */
  const struct mde_response *opposite; /* what takes it back; NULL: nothing does */
  bool holds; /* it cuts the device off until the opposite succeeds. What it is for matters more
                 than looking first, so it may be sent unseen; and it is guarded */
  bool is_unmanaged; /* for devices that are not onboarded */
  bool is_capped;    /* there may be so many in an hour; of a file, so many of that file */
  bool has_comment;  /* the body has a Comment, which is required */
  enum mde_subject subject;
  struct mde_response_field fields[MDE_RESPONSE_MAX_FIELDS];
  const char *state;        /* "restricted": a device where it is in force; of those that hold */
  const char *changing;     /* "restricting": where it is under way */
  const char *permission;   /* of an application */
  int per_minute, per_hour; /* how many calls an application may make */
  enum mde_duplicate duplicate;
  int wait_seconds;    /* how long one on a device that is online is waited for */
  int offline_seconds; /* how long the service keeps it for one that is not; 0: no page says */
  const char *platforms;
  const char *summary; /* a sentence: what it does */
  const char *source;  /* the page of the service's documentation, and its date */
};

enum {
  MDE_RESPONSE_RESTRICT,
  MDE_RESPONSE_RELEASE,
  MDE_RESPONSE_ISOLATE,
  MDE_RESPONSE_UNISOLATE,
  MDE_RESPONSE_CONTAIN,
  MDE_RESPONSE_UNCONTAIN,
  MDE_RESPONSE_SCAN,
  MDE_RESPONSE_QUARANTINE,
  MDE_RESPONSE_COLLECT,
  MDE_RESPONSE_PACKAGE_LINK,
  MDE_RESPONSE_CANCEL,
  MDE_RESPONSE_TAG,
  MDE_RESPONSE_UNTAG,
  MDE_RESPONSE_SET_DEVICE_VALUE,
  MDE_RESPONSE_COUNT
};

/* In the order in which they are shown. */
extern const struct mde_response mde_responses[MDE_RESPONSE_COUNT];

/* The row with this name, or NULL. */
const struct mde_response *mde_response_named(struct mde_text name);

/*
 * The first row whose type this is, in any case, or NULL. Lists have types that no page documents,
 * and two rows may share one: containing a device makes an Isolate.
 */
const struct mde_response *mde_response_of_type(struct mde_text type);

/* Whether an action of this type, in any case, is one of a row. */
bool mde_response_has_type(const struct mde_response *response, struct mde_text type);

/* Whether a text can be the value of a field. */
bool mde_response_field_takes(const struct mde_response_field *field, struct mde_text value);

#endif
