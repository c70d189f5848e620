#include "device_heading.h"

static const struct {
  const char *name;
  enum mde_column_role role;
  bool alone; /* a heading also where no other cell stands beside it */
} known[] = {
    {"deviceid", MDE_COLUMN_ROLE_ID, true},
    {"machineid", MDE_COLUMN_ROLE_ID, true},
    {"mdedeviceid", MDE_COLUMN_ROLE_ID, true},
    {MDE_DEVICE_HEADING_OF_ANYTHING, MDE_COLUMN_ROLE_ID, false},
    {"aaddeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"deviceaadid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"azureaddeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"deviceazureadid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"microsoftentradeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"entradeviceid", MDE_COLUMN_ROLE_ENTRA_ID, true},
    {"devicename", MDE_COLUMN_ROLE_NAME, true},
    {"computerdnsname", MDE_COLUMN_ROLE_NAME, true},
    {"machinename", MDE_COLUMN_ROLE_NAME, true},
    {"computername", MDE_COLUMN_ROLE_NAME, true},
    {"hostname", MDE_COLUMN_ROLE_NAME, true},
    {"displayname", MDE_COLUMN_ROLE_NAME, true},
    {"dnsname", MDE_COLUMN_ROLE_NAME, true},
    {"devicednsname", MDE_COLUMN_ROLE_NAME, true},
    {"dnshostname", MDE_COLUMN_ROLE_NAME, true},
    {"fqdn", MDE_COLUMN_ROLE_NAME, true},
    {"device", MDE_COLUMN_ROLE_LIKELY, false},
    {"machine", MDE_COLUMN_ROLE_LIKELY, false},
    {"computer", MDE_COLUMN_ROLE_LIKELY, false},
    {MDE_DEVICE_HEADING_OF_ANY_NAME, MDE_COLUMN_ROLE_LIKELY, false},
    {"host", MDE_COLUMN_ROLE_LIKELY, false},
};

/* The next character that counts in a heading, in lower case; -1 at the end. */
static int next_of_heading(struct mde_text *text)
{
  static const char mark[] = "\xef\xbb\xbf";
  while (text->length > 0) {
    if (text->length >= 3 && memcmp(text->bytes, mark, 3) == 0) {
      text->bytes += 3;
      text->length -= 3;
      continue;
    }
    char c = *text->bytes;
    text->bytes++;
    text->length--;
    if (!mde_ascii_is_blank(c) && c != '_') return mde_ascii_lower((unsigned char)c);
  }
  return -1;
}

bool mde_device_heading_same(struct mde_text a, struct mde_text b)
{
  for (;;) {
    int x = next_of_heading(&a);
    if (x != next_of_heading(&b)) return false;
    if (x < 0) return true;
  }
}

bool mde_device_heading_is_blank(struct mde_text heading)
{
  return next_of_heading(&heading) < 0;
}

/* Words of a heading that could be about devices. */
static const char *const words[] = {"device", "machine", "computer", "host",  "laptop",
                                    "server", "dns",     "fqdn",     "target"};

static bool begins_with(struct mde_text heading, const char *word)
{
  for (; *word != '\0'; word++)
    if (next_of_heading(&heading) != *word) return false;
  return true;
}

bool mde_device_heading_is_about_devices(struct mde_text heading)
{
  for (; heading.length > 0; heading.bytes++, heading.length--)
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
      if (begins_with(heading, words[i])) return true;
  return false;
}

enum mde_column_role mde_device_heading_role(struct mde_text heading, bool several)
{
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    struct mde_text name = {.bytes = known[i].name, .length = strlen(known[i].name)};
    if ((known[i].alone || several) && mde_device_heading_same(heading, name)) return known[i].role;
  }
  return MDE_COLUMN_ROLE_OTHER;
}
