/*
 * guard: which machines are protected, and by what.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"

enum { MOST_TEXTS = 8 };

/* What a field has instead of a text, told by its address; a text in a list is so, too. */
static const char ABSENT[] = "absent", NUMBER[] = "number", A_LIST[] = "list";

/* Lists have | between their texts; a # there is no text. */
struct protects {
  const char *tags, *names, *device_values, *platforms;
  bool servers;
};

/* NULL: an ordinary laptop's. */
struct has {
  const char *tags, *name, *device_value, *platform;
};

/* ---- from strings to what the guard takes: each text is a block of its own, for the sanitizers */

struct made {
  struct mde_text texts[MOST_TEXTS];
  size_t count;
};

static struct mde_text make_text(const char *from, size_t length)
{
  char *bytes = malloc(length > 0 ? length : 1);
  assert_non_null(bytes);
  memcpy(bytes, from, length);
  return (struct mde_text){bytes, length};
}

static struct made make_list(const char *list)
{
  struct made made = {.count = 0};
  if (list == NULL) return made;
  for (const char *at = list;; at++) {
    size_t length = strcspn(at, "|");
    assert_true(made.count < MOST_TEXTS);
    if (length == 1 && *at == '#')
      made.texts[made.count++] = (struct mde_text){NULL, 0};
    else
      made.texts[made.count++] = make_text(at, length);
    at += length;
    if (*at == '\0') return made;
  }
}

static void unmake_text(struct mde_text text)
{
  free((void *)(uintptr_t)text.bytes);
}

static void unmake(struct made *made)
{
  for (size_t i = 0; i < made->count; i++)
    unmake_text(made->texts[i]);
}

static struct mde_guard_texts texts_of(const struct made *made)
{
  return (struct mde_guard_texts){made->texts, made->count};
}

static const struct mde_guard *compile(const struct protects *protects)
{
  struct made tags = make_list(protects->tags);
  struct made names = make_list(protects->names);
  struct made values = make_list(protects->device_values);
  struct made platforms = make_list(protects->platforms);
  struct mde_protect protect = {
      .tags = texts_of(&tags),
      .names = texts_of(&names),
      .device_values = texts_of(&values),
      .platforms = texts_of(&platforms),
      .servers = protects->servers,
  };
  void *room = malloc(mde_guard_size(&protect));
  assert_non_null(room);
  const struct mde_guard *guard = mde_guard_compile(&protect, room);
  assert_ptr_equal(guard, room);
  unmake(&tags);
  unmake(&names);
  unmake(&values);
  unmake(&platforms);
  return guard;
}

static struct mde_guard_value field(const char *text)
{
  struct mde_guard_value value = {.kind = MDE_GUARD_TEXT};
  if (text == ABSENT)
    value.kind = MDE_GUARD_ABSENT;
  else if (text == NUMBER)
    value.kind = MDE_GUARD_OTHER;
  else if (text == A_LIST)
    value.kind = MDE_GUARD_LIST;
  else
    value.text = make_text(text, strlen(text));
  return value;
}

/* ---- and from what it says to a string: "tags tier0 < TIER0; names missing" */

static void say(char *said, size_t size, const struct mde_guard_record *record,
                const struct mde_guard_broken *broken, size_t count)
{
  static const char *const reasons[] = {
      [MDE_GUARD_MATCHES] = "",
      [MDE_GUARD_MISSING] = " missing",
      [MDE_GUARD_NOT_A_TEXT] = " not a text",
      [MDE_GUARD_NOT_A_LIST] = " not a list",
      [MDE_GUARD_ITEM_NOT_A_TEXT] = " item not a text",
      [MDE_GUARD_TOO_LONG] = " too long",
  };
  const struct mde_text fields[] = {
      [MDE_GUARD_NAMES] = record->name.text,
      [MDE_GUARD_DEVICE_VALUES] = record->device_value.text,
      [MDE_GUARD_SERVERS] = record->platform.text,
      [MDE_GUARD_PLATFORMS] = record->platform.text,
  };
  size_t length = 0;
  *said = '\0';
  for (size_t i = 0; i < count; i++) {
    struct mde_text found = broken[i].found, by = broken[i].by;
    bool is_matched = broken[i].reason == MDE_GUARD_MATCHES;
    assert_int_equal(found.bytes != NULL, is_matched || broken[i].reason == MDE_GUARD_TOO_LONG);
    assert_int_equal(by.bytes != NULL, is_matched);
    bool is_tag = broken[i].rule == MDE_GUARD_TAGS && is_matched;
    if (found.bytes != NULL && !is_tag) assert_true(mde_text_same(found, fields[broken[i].rule]));
    length += (size_t)snprintf(said + length, size - length, "%s%s%s%s%.*s%s%.*s",
                               i > 0 ? "; " : "", mde_guard_rule_name(broken[i].rule),
                               reasons[broken[i].reason], is_tag ? " " : "",
                               is_tag ? (int)found.length : 0, is_tag ? found.bytes : "",
                               is_matched ? " < " : "", (int)by.length, is_matched ? by.bytes : "");
  }
}

static void check(const char *what, const struct protects *protects, const struct has *has,
                  const bool *lifted, const char *expected)
{
  static const bool none[MDE_GUARD_RULES] = {false};
  const struct mde_guard *guard = compile(protects);
  struct made tags = make_list(has->tags);
  struct mde_guard_record record = {
      .tags = {.kind = has->tags == NULL     ? MDE_GUARD_ABSENT
                       : has->tags == NUMBER ? MDE_GUARD_OTHER
                                             : MDE_GUARD_LIST,
               .items = tags.texts,
               .count = tags.count},
      .name = field(has->name == NULL ? "laptop.corp.example" : has->name),
      .device_value = field(has->device_value == NULL ? ABSENT : has->device_value),
      .platform = field(has->platform == NULL ? "Windows11" : has->platform),
  };
  struct mde_guard_broken broken[MDE_GUARD_RULES];
  size_t count = mde_guard_judge(guard, &record, lifted == NULL ? none : lifted, broken);
  char said[1024];
  say(said, sizeof said, &record, broken, count);
  if (strcmp(said, expected) != 0) fail_msg("%s: \"%s\", not \"%s\"", what, said, expected);
  unmake(&tags);
  unmake_text(record.name.text);
  unmake_text(record.device_value.text);
  unmake_text(record.platform.text);
  free((void *)(uintptr_t)guard);
}

/* ---- what protects */

static void judges(void **state)
{
  (void)state;
  /* "A machine ... is (not) protected by ...": what it has behind what protects. */
  static const struct {
    const char *what;
    struct protects protects;
    struct has has;
    const char *expected;
  } cases[] = {
      {"no machine is protected by nothing", {0}, {.name = ABSENT, .platform = ABSENT}, ""},
      {"nothing is asked of what no rule is about", {0}, {.tags = "#", .name = NUMBER}, ""},

      /* tags */
      {"a tag protects", {.tags = "tier0"}, {.tags = "x|tier0|y"}, "tags tier0 < tier0"},
      {"one of several tags protects", {.tags = "a|b"}, {.tags = "c|b"}, "tags b < b"},
      {"the first tag of the machine is told", {.tags = "a|b"}, {.tags = "b|a"}, "tags b < b"},
      {"another tag does not protect", {.tags = "tier0"}, {.tags = "tier1"}, ""},
      {"a beginning of a tag does not protect", {.tags = "tier0"}, {.tags = "tier"}, ""},
      {"more than a tag does not protect", {.tags = "tier0"}, {.tags = "tier01"}, ""},
      {"a machine without tags is not protected by them", {.tags = "tier0"}, {.tags = NULL}, ""},
      {"an empty tag is no tag", {.tags = "tier0"}, {.tags = ""}, ""},
      {"a tag protects in any case", {.tags = "TIER0"}, {.tags = "Tier0"}, "tags Tier0 < TIER0"},
      {"a tag protects with blanks around",
       {.tags = "tier0"},
       {.tags = " tier0 "},
       "tags  tier0  < tier0"},
      {"a tag protects without its blanks",
       {.tags = "  tier0 "},
       {.tags = "tier0"},
       "tags tier0 <   tier0 "},
      {"a tag protects though it ends a line",
       {.tags = "tier0"},
       {.tags = "tier0\r\n"},
       "tags tier0\r\n < tier0"},
      {"a tag protects with a tab before",
       {.tags = "tier0"},
       {.tags = "\ttier0"},
       "tags \ttier0 < tier0"},
      {"a tag protects with other blanks",
       {.tags = "tier0"},
       {.tags = "\u00a0tier0\u3000"},
       "tags \u00a0tier0\u3000 < tier0"},
      {"a tag protects with other control characters",
       {.tags = "tier0"},
       {.tags = "\xc2\x80tier0\xc2\x9f\x7f"},
       "tags \xc2\x80tier0\xc2\x9f\x7f < tier0"},
      {"a blank inside a tag counts", {.tags = "tier 0"}, {.tags = "tier0"}, ""},
      {"two blanks inside a tag are not one", {.tags = "tier 0"}, {.tags = "tier  0"}, ""},
      {"a dot at the end of a tag counts", {.tags = "tier0."}, {.tags = "tier0"}, ""},
      {"a star in a tag is a star", {.tags = "tier*"}, {.tags = "tier0"}, ""},
      {"a star in a tag protects one with a star",
       {.tags = "tier*"},
       {.tags = "TIER*"},
       "tags TIER* < tier*"},
      {"a question mark in a tag is one", {.tags = "?"}, {.tags = "a"}, ""},
      {"a German tag protects in capitals",
       {.tags = "GESCH\u00c4FTSF\u00dcHRUNG"},
       {.tags = "Gesch\u00e4ftsf\u00fchrung"},
       "tags Gesch\u00e4ftsf\u00fchrung < GESCH\u00c4FTSF\u00dcHRUNG"},
      {"a German tag protects as a Mac writes it",
       {.tags = "K\u00dcCHE"},
       {.tags = "ku\u0308che"},
       "tags ku\u0308che < K\u00dcCHE"},
      {"a tag with another accent does not protect", {.tags = "caf\u00e9"}, {.tags = "cafe"}, ""},
      {"a Turkish tag protects with any i",
       {.tags = "istihbarat"},
       {.tags = "\u0130ST\u0131HBARAT"},
       "tags \u0130ST\u0131HBARAT < istihbarat"},
      {"a Greek tag protects with any sigma",
       {.tags = "\u03a3\u039f\u03a6\u039f\u03a3"},
       {.tags = "\u03c3\u03bf\u03c6\u03bf\u03c2"},
       "tags \u03c3\u03bf\u03c6\u03bf\u03c2 < \u03a3\u039f\u03a6\u039f\u03a3"},
      {"a Russian tag protects in capitals",
       {.tags = "\u0432\u0438\u043f"},
       {.tags = "\u0412\u0418\u041f"},
       "tags \u0412\u0418\u041f < \u0432\u0438\u043f"},
      {"the Kelvin sign is a k",
       {.tags = "kiosk"},
       {.tags = "\u212aIOS\u212a"},
       "tags \u212aIOS\u212a < kiosk"},
      {"a long s is an s", {.tags = "sap"}, {.tags = "\u017fap"}, "tags \u017fap < sap"},
      {"bytes that are not UTF-8 protect themselves",
       {.tags = "a\xff\xfe"},
       {.tags = "A\xff\xfe"},
       "tags A\xff\xfe < a\xff\xfe"},
      {"Latin-1 is not UTF-8", {.tags = "k\xfc"}, {.tags = "k\u00fc"}, ""},
      {"tags that are a number protect", {.tags = "tier0"}, {.tags = NUMBER}, "tags not a list"},
      {"a tag that is no text protects",
       {.tags = "tier0"},
       {.tags = "x|#"},
       "tags item not a text"},
      {"behind a tag that is no text one is found",
       {.tags = "tier0"},
       {.tags = "#|tier0"},
       "tags tier0 < tier0"},

      /* names */
      {"a whole name protects",
       {.names = "laptop.corp.example"},
       {0},
       "names < laptop.corp.example"},
      {"a host name protects", {.names = "laptop"}, {0}, "names < laptop"},
      {"a bare name protects", {.names = "laptop"}, {.name = "laptop"}, "names < laptop"},
      {"a whole name does not protect a bare one",
       {.names = "laptop.corp.example"},
       {.name = "laptop"},
       ""},
      {"a name and one label more does not protect", {.names = "laptop.corp"}, {0}, ""},
      {"a domain does not protect", {.names = "corp.example"}, {0}, ""},
      {"a beginning of a name does not protect", {.names = "lap"}, {0}, ""},
      {"an end of a host name does not protect", {.names = "top"}, {0}, ""},
      {"the second of the names protects", {.names = "x|laptop"}, {0}, "names < laptop"},
      {"a star is any text", {.names = "lap*"}, {0}, "names < lap*"},
      {"a star is nothing",
       {.names = "laptop*.corp.example*"},
       {0},
       "names < laptop*.corp.example*"},
      {"a star goes over dots", {.names = "l*e"}, {0}, "names < l*e"},
      {"a star alone protects every name", {.names = "*"}, {.name = "x"}, "names < *"},
      {"two stars are one", {.names = "**"}, {.name = "x"}, "names < **"},
      {"a star at the end of what is left", {.names = "x*"}, {.name = "x"}, "names < x*"},
      {"a star takes more where it took too little",
       {.names = "*corp*corp.*"},
       {.name = "corp1corp.corp.x"},
       "names < *corp*corp.*"},
      {"the later star takes more first", {.names = "a*b*c"}, {.name = "abbcbc"}, "names < a*b*c"},
      {"a glob ends where the next begins", {.names = "*b|*x"}, {.name = "bab"}, "names < *b"},
      {"what stands behind a star has to be at the end", {.names = "*-dc"}, {.name = "a-dc1"}, ""},
      {"what stands behind a star may come twice",
       {.names = "*ab"},
       {.name = "aab"},
       "names < *ab"},
      {"a question mark is one character", {.names = "l?pt?p"}, {0}, "names < l?pt?p"},
      {"a question mark is not nothing", {.names = "laptop?"}, {.name = "laptop"}, ""},
      {"a question mark is not two", {.names = "lapto?"}, {.name = "laptopp"}, ""},
      {"a question mark may be a dot", {.names = "a?b"}, {.name = "a.b"}, "names < a?b"},
      {"a question mark is a character of several bytes",
       {.names = "k?che-??"},
       {.name = "k\u00fcche-\u20ac\U0001f512"},
       "names < k?che-??"},
      {"a question mark is a letter with its mark",
       {.names = "k?che"},
       {.name = "ku\u0308che"},
       "names < k?che"},
      {"two question marks are not one letter with a mark",
       {.names = "k??che"},
       {.name = "ku\u0308che"},
       ""},
      {"two question marks are not one character",
       {.names = "k??che|*k??che"},
       {.name = "k\u00fcche"},
       ""},
      {"a question mark is one byte that is not UTF-8",
       {.names = "a??"},
       {.name = "a\xc3\xff"},
       "names < a??"},
      {"a star before question marks leaves them something",
       {.names = "*??"},
       {.name = "k\u00fc"},
       "names < *??"},
      {"a star before too many question marks", {.names = "*???"}, {.name = "k\u00fc"}, ""},
      {"a name protects in any case",
       {.names = "K\u00dcCHE*"},
       {.name = "k\u00fcche-1.corp"},
       "names < K\u00dcCHE*"},
      {"a name protects with a dot at its end",
       {.names = "laptop.corp"},
       {.name = "laptop.corp."},
       "names < laptop.corp"},
      {"a glob protects with a dot at its end",
       {.names = "Laptop.corp."},
       {.name = "laptop.corp"},
       "names < Laptop.corp."},
      {"a glob of a host with a dot at its end",
       {.names = "lap*."},
       {.name = "laptop"},
       "names < lap*."},
      {"of two dots at the end both stay", {.names = "laptop.corp"}, {.name = "laptop.corp.."}, ""},
      {"blanks around a name do not count",
       {.names = "laptop"},
       {.name = " laptop \r\n"},
       "names < laptop"},
      {"blanks around a name, and a dot", {.names = "a.b"}, {.name = "\ta.b.\n"}, "names < a.b"},
      {"blanks inside a name count",
       {.names = "meeting room *"},
       {.name = "Meeting Room 4"},
       "names < meeting room *"},
      {"no pattern of another kind", {.names = "l.ptop|%a*|l+|^l"}, {0}, ""},
      {"characters of patterns are characters",
       {.names = "a-b(1)%*"},
       {.name = "A-B(1)%.corp"},
       "names < a-b(1)%*"},
      {"a star in a name is matched as any character", {.names = "a\\*b"}, {.name = "a*b"}, ""},
      {"a name that begins with a dot has no host", {.names = "corp"}, {.name = ".corp"}, ""},
      {"a name of a dot alone is a name", {.names = "?"}, {.name = "."}, "names < ?"},
      {"an unknown name protects", {.names = "dc*"}, {.name = ABSENT}, "names missing"},
      {"an empty name protects", {.names = "dc*"}, {.name = ""}, "names missing"},
      {"a name of blanks protects", {.names = "dc*"}, {.name = " \u2003\n"}, "names missing"},
      {"a name that is no text protects", {.names = "dc*"}, {.name = NUMBER}, "names not a text"},
      {"a name that is a list protects", {.names = "dc*"}, {.name = A_LIST}, "names not a text"},

      /* device values */
      {"a value protects",
       {.device_values = "High"},
       {.device_value = "High"},
       "device_values < High"},
      {"a value protects in any case",
       {.device_values = "low"},
       {.device_value = "LOW"},
       "device_values < low"},
      {"a value protects with blanks around",
       {.device_values = "High"},
       {.device_value = "High "},
       "device_values < High"},
      {"another value does not protect",
       {.device_values = "Low|Normal"},
       {.device_value = "High"},
       ""},
      {"a machine without a value is not protected by it", {.device_values = "High"}, {0}, ""},
      {"nor one whose value is empty", {.device_values = "High"}, {.device_value = ""}, ""},
      {"a value that is no text protects",
       {.device_values = "High"},
       {.device_value = NUMBER},
       "device_values not a text"},
      {"a value that is a list protects",
       {.device_values = "High"},
       {.device_value = A_LIST},
       "device_values not a text"},

      /* servers */
      {"a server is protected",
       {.servers = true},
       {.platform = "WindowsServer2022"},
       "servers < *server*"},
      {"a server in small letters is protected",
       {.servers = true},
       {.platform = "windowsserver"},
       "servers < *server*"},
      {"a server with a long s is protected",
       {.servers = true},
       {.platform = "\u017ferver"},
       "servers < *server*"},
      {"a server that begins twice is protected",
       {.servers = true},
       {.platform = "SerServer"},
       "servers < *server*"},
      {"what is nearly a server is none", {.servers = true}, {.platform = "WindowsServe r"}, ""},
      {"a client is no server", {.servers = true}, {0}, ""},
      {"an unknown platform is a server",
       {.servers = true},
       {.platform = ABSENT},
       "servers missing"},
      {"an empty platform is a server", {.servers = true}, {.platform = ""}, "servers missing"},
      {"a platform of blanks is a server",
       {.servers = true},
       {.platform = "\t "},
       "servers missing"},
      {"a platform that is no text is a server",
       {.servers = true},
       {.platform = NUMBER},
       "servers not a text"},
      {"a server is not protected if none is",
       {.servers = false},
       {.platform = "WindowsServer"},
       ""},

      /* platforms */
      {"a platform protects",
       {.platforms = "macOS|Windows10"},
       {.platform = "Windows10"},
       "platforms < Windows10"},
      {"a platform protects in any case", {.platforms = "WINDOWS11"}, {0}, "platforms < WINDOWS11"},
      {"a platform protects with blanks around",
       {.platforms = "Windows10"},
       {.platform = " Windows10\n"},
       "platforms < Windows10"},
      {"a part of a platform does not protect", {.platforms = "Windows1"}, {0}, ""},
      {"a platform has no wildcard", {.platforms = "Windows*|Windows1?"}, {0}, ""},
      {"an unknown platform protects",
       {.platforms = "Windows10"},
       {.platform = ABSENT},
       "platforms missing"},
      {"a platform that is no text protects",
       {.platforms = "Windows10"},
       {.platform = NUMBER},
       "platforms not a text"},

      /* several */
      {"all rules are told, in their order",
       {"tier0", "lap*", "High", "WindowsServer2022", true},
       {"tier0", NULL, "high", "WindowsServer2022"},
       "tags tier0 < tier0; names < lap*; "
       "device_values < High; servers < *server*; "
       "platforms < WindowsServer2022"},
      {"those that do not protect are not told",
       {"tier0", "x", "High", "Windows10", true},
       {"tier1", NULL, "High", NULL},
       "device_values < High"},
      {"a record of nothing",
       {"tier0", "dc*", "High", "Windows10", true},
       {NULL, ABSENT, NULL, ABSENT},
       "names missing; servers missing; platforms missing"},
      {"a text of one rule is none of another",
       {.tags = "laptop", .names = "tier0"},
       {.tags = "tier0"},
       ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    check(cases[i].what, &cases[i].protects, &cases[i].has, NULL, cases[i].expected);
}

static void lifts(void **state)
{
  (void)state;
  static const struct protects all = {"tier0", "lap*", "High", "WindowsServer2022", true};
  static const struct has machine = {"tier0", NULL, "High", "WindowsServer2022"};
  for (int rule = 0; rule < MDE_GUARD_RULES; rule++) {
    bool lifted[MDE_GUARD_RULES] = {true, true, true, true, true};
    check("all rules are lifted", &all, &machine, lifted, "");
    lifted[rule] = false;
    static const char *const alone[] = {
        [MDE_GUARD_TAGS] = "tags tier0 < tier0",
        [MDE_GUARD_NAMES] = "names < lap*",
        [MDE_GUARD_DEVICE_VALUES] = "device_values < High",
        [MDE_GUARD_SERVERS] = "servers < *server*",
        [MDE_GUARD_PLATFORMS] = "platforms < WindowsServer2022",
    };
    check("all rules but one are lifted", &all, &machine, lifted, alone[rule]);
  }
}

static void is_in_force(void **state)
{
  (void)state;
  static const struct protects each[] = {
      [MDE_GUARD_TAGS] = {.tags = "x"},
      [MDE_GUARD_NAMES] = {.names = "x"},
      [MDE_GUARD_DEVICE_VALUES] = {.device_values = "x"},
      [MDE_GUARD_SERVERS] = {.servers = true},
      [MDE_GUARD_PLATFORMS] = {.platforms = "x"},
  };
  for (int i = 0; i < MDE_GUARD_RULES; i++) {
    const struct mde_guard *guard = compile(&each[i]);
    for (int rule = 0; rule < MDE_GUARD_RULES; rule++)
      assert_int_equal(mde_guard_has(guard, (enum mde_guard_rule)rule), rule == i);
    free((void *)(uintptr_t)guard);
  }
}

/* Names that are as long as may be, and one byte longer; and globs that take a while to fail. */
static void lengths(void **state)
{
  (void)state;
  char name[MDE_GUARD_MAX_NAME + 2], glob[MDE_GUARD_MAX_NAME + 1];
  memset(name, 'a', sizeof name);
  name[MDE_GUARD_MAX_NAME + 1] = '\0';
  check("a name that is too long protects", &(struct protects){.names = "b"},
        &(struct has){.name = name}, NULL, "names too long");
  check("other texts may be as long", &(struct protects){.tags = "b", .platforms = "c"},
        &(struct has){.tags = name, .platform = name}, NULL, "");
  name[MDE_GUARD_MAX_NAME] = '\0';
  check("the longest name does not", &(struct protects){.names = "b"}, &(struct has){.name = name},
        NULL, "");
  check("the longest name is matched", &(struct protects){.names = "*a"},
        &(struct has){.name = name}, NULL, "names < *a");
  /* Were each star tried at each place, this would end on no day. */
  for (size_t i = 0; i < MDE_GUARD_MAX_NAME - 1; i++)
    glob[i] = i % 2 == 0 ? '*' : 'a';
  glob[MDE_GUARD_MAX_NAME - 1] = 'b';
  glob[MDE_GUARD_MAX_NAME] = '\0';
  for (int i = 0; i < 20; i++)
    check("hundreds of stars", &(struct protects){.names = glob}, &(struct has){.name = name}, NULL,
          "");
  memset(glob, 'a', MDE_GUARD_MAX_NAME / 2);
  glob[0] = '*';
  glob[MDE_GUARD_MAX_NAME / 2] = 'b';
  glob[MDE_GUARD_MAX_NAME / 2 + 1] = '\0';
  for (int i = 0; i < 20; i++)
    check("a long end", &(struct protects){.names = glob}, &(struct has){.name = name}, NULL, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(judges),
      cmocka_unit_test(lifts),
      cmocka_unit_test(is_in_force),
      cmocka_unit_test(lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
