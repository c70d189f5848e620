/*
 * guard: whether a machine may be restricted, judged by the record that the service has of it.
 *
 * A client says once what it protects (struct mde_protect). A machine is protected by
 *
 *   tags           if one of its machineTags is one of these texts;
 *   names          if its computerDnsName, whole or up to the first dot, matches one of these
 *                  globs: * is any characters, or none, and ? is one;
 *   device_values  if its deviceValue is one of these texts;
 *   servers        if its osPlatform has "server" in it, or the name of a host of virtual machines
 *                  (azurestack, azurelocal, hyperv, hyper-v);
 *   platforms      if its osPlatform is one of these texts.
 *
 * Case is not regarded (casefold.h, which says what is one character), nor are blanks around, nor
 * in a name one dot at the end (name.h). A blank here is white space of Unicode or a control character.
 * In nothing but names is there a wildcard.
 *
 * What cannot be judged is protected:
 *
 *   - A record without computerDnsName or osPlatform, by any rule about it: every machine has both.
 *     One of blanks alone counts as missing. Many machines have no tags and no value: those are not.
 *   - What is no text, by any rule about it; and machineTags that are no list, or have in it what
 *     is no text.
 *   - A name longer than MDE_GUARD_MAX_NAME, which no machine has.
 *
 * So one more text, or one more rule, never protects less. Nothing here allocates. To judge takes a
 * time that grows with the record, and for each glob with its length times that of the name, which
 * both have a limit.
 */
#ifndef MDE_GUARD_H
#define MDE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

enum { MDE_GUARD_MAX_NAME = 1024 /* bytes of a name, and of a glob */ };

/* In the order in which they are judged. */
enum mde_guard_rule {
  MDE_GUARD_TAGS,
  MDE_GUARD_NAMES,
  MDE_GUARD_DEVICE_VALUES,
  MDE_GUARD_SERVERS,
  MDE_GUARD_PLATFORMS,
  MDE_GUARD_RULES /* how many there are */
};

/* "device_values" for instance. */
const char *mde_guard_rule_name(enum mde_guard_rule rule);

/* ---- what is protected */

struct mde_guard_texts {
  const struct mde_text *items;
  size_t count; /* 0: the rule is not in force */
};

struct mde_protect {
  struct mde_guard_texts tags, names, device_values, platforms;
  bool servers;
};

/* Why a text protects nothing, so that it must be a mistake. */
enum mde_guard_flaw {
  MDE_GUARD_FLAW_NONE,
  MDE_GUARD_FLAW_EMPTY,    /* there are blanks alone in it */
  MDE_GUARD_FLAW_BLANK,    /* a name: begins or ends with one */
  MDE_GUARD_FLAW_CONTROL,  /* a name: has a control character in it */
  MDE_GUARD_FLAW_BRACKET,  /* a name: has [, ], { or } in it, as globs elsewhere */
  MDE_GUARD_FLAW_LONG,     /* a name: longer than any */
  MDE_GUARD_FLAW_UNKNOWN,  /* a device value: not Low, Normal or High */
  MDE_GUARD_FLAW_WILDCARD, /* a platform: has * or ? in it */
};

enum mde_guard_flaw mde_guard_flaw(enum mde_guard_rule rule, struct mde_text text);

/* How many bytes the compiled rules take. */
size_t mde_guard_size(const struct mde_protect *protect);

/*
 * Compiles the rules into `room`, of that size and aligned for anything. They need nothing of
 * `protect` any more, and no clean-up.
 */
const struct mde_guard *mde_guard_compile(const struct mde_protect *protect, void *room);

/* Whether a rule has something to protect. */
bool mde_guard_has(const struct mde_guard *guard, enum mde_guard_rule rule);

/* ---- the machine */

enum mde_guard_kind {
  MDE_GUARD_ABSENT,
  MDE_GUARD_TEXT,
  MDE_GUARD_LIST,
  MDE_GUARD_OTHER /* a number, a flag */
};

struct mde_guard_value {
  enum mde_guard_kind kind;
  struct mde_text text;         /* of a text */
  const struct mde_text *items; /* of a list; what is no text has no bytes */
  size_t count;
};

/* The fields that the rules are about. */
struct mde_guard_record {
  struct mde_guard_value tags, name, device_value, platform;
};

enum mde_guard_reason {
  MDE_GUARD_MATCHES,
  MDE_GUARD_MISSING,
  MDE_GUARD_NOT_A_TEXT,
  MDE_GUARD_NOT_A_LIST,
  MDE_GUARD_ITEM_NOT_A_TEXT,
  MDE_GUARD_TOO_LONG
};

/* A rule that protects the machine. */
struct mde_guard_broken {
  enum mde_guard_rule rule;
  enum mde_guard_reason reason;
  struct mde_text found; /* in the record: the tag, the name, the value; if it is a text */
  struct mde_text by;    /* if it matches: the text of the rule, in the compiled rules */
};

/*
 * The rules that protect a machine, but for those that are lifted, in their order; of each what is
 * found first. Returns how many: none if it may be restricted.
 */
size_t mde_guard_judge(const struct mde_guard *guard, const struct mde_guard_record *record,
                       const bool lifted[MDE_GUARD_RULES],
                       struct mde_guard_broken broken[MDE_GUARD_RULES]);

/*
 * The one form of a tag: two texts are one tag if these are the same bytes. Does it as snprintf
 * does, without a NUL.
 */
size_t mde_guard_tag(struct mde_text tag, char *out, size_t size);

#endif
