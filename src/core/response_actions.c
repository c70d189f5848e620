#include "response_actions.h"

#include <string.h>

#include "utf8.h"

#define ROW(name) (&mde_responses[MDE_RESPONSE_##name])

/* Of most of the service's APIs. */
#define USUAL_LIMITS .per_minute = 100, .per_hour = 1500

/* What acts on a machine, and says why. */
#define ACTS .kind = MDE_RESPONSE_ACTS, .has_comment = true, USUAL_LIMITS

/* A hint shows these to who has asked for another device. */
#define WINDOWS_1709 "Windows 10 version 1709 and later, Windows 11"
#define ISOLATED                                                                                   \
  "Full: Windows 10 version 1703 and later, Windows 11, Windows Server 2012 R2 and later, "        \
  "supported Linux, macOS client 101.98.84 and later; Selective: the same without Linux"
#define CONTAINED                                                                                  \
  "devices that are not onboarded; Windows 10 and Windows Server 2019 and later that are block "   \
  "what comes from them"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

const struct mde_response mde_responses[MDE_RESPONSE_COUNT] = {
    [MDE_RESPONSE_RESTRICT] =
        {.name = "restrict",
         ACTS,
         .type = "RestrictCodeExecution",
         .path = "restrictCodeExecution",
         .opposite = ROW(RELEASE),
         .holds = true,
         .is_capped = true,
         .state = "restricted",
         .changing = "restricting",
         .permission = "Machine.RestrictExecution",
         .duplicate = MDE_DUPLICATE_EITHER,
         .wait_seconds = 10 * MINUTE,
         .platforms = WINDOWS_1709 ", Windows Server 2019 and later",
         .summary = "Let devices run only code signed by Microsoft.",
         .source = "restrict-code-execution, 13 Nov 2025; respond-machine-alerts, 31 Dec 2025"},
    [MDE_RESPONSE_RELEASE] = {.name = "release",
                              ACTS,
                              .type = "UnrestrictCodeExecution",
                              .path = "unrestrictCodeExecution",
                              .opposite = ROW(RESTRICT),
                              .permission = "Machine.RestrictExecution",
                              .duplicate = MDE_DUPLICATE_EITHER,
                              .wait_seconds = 10 * MINUTE,
                              .platforms = WINDOWS_1709 ", Windows Server 2019 and later",
                              .summary = "Let devices run any code again.",
                              .source = "unrestrict-code-execution, 13 Nov 2025"},
    [MDE_RESPONSE_ISOLATE] =
        {.name = "isolate",
         ACTS,
         .type = "Isolate",
         .path = "isolate",
         .opposite = ROW(UNISOLATE),
         .holds = true,
         .is_capped = true,
         .subject = MDE_SUBJECT_SCOPE,
         .fields = {{.name = "IsolationType",
                     .option = "isolation_type",
                     .kind = MDE_FIELD_WORD,
                     .words = {"Full", "Selective"},
                     .value = "Full"}},
         .state = "isolated",
         .changing = "isolating",
         .permission = "Machine.Isolate",
         .duplicate = MDE_DUPLICATE_UNCERTAIN,
         .wait_seconds = 10 * MINUTE,
         .offline_seconds = 3 * DAY,
         .platforms = ISOLATED,
         .summary = "Cut devices off the network, but for the service.",
         .source = "isolate-machine, 13 Nov 2025; respond-machine-alerts, 31 Dec 2025"},
    [MDE_RESPONSE_UNISOLATE] = {.name = "unisolate",
                                ACTS,
                                .type = "Unisolate",
                                .path = "unisolate",
                                .opposite = ROW(ISOLATE),
                                .permission = "Machine.Isolate",
                                .duplicate = MDE_DUPLICATE_EITHER,
                                .wait_seconds = 10 * MINUTE,
                                .offline_seconds = 3 * DAY,
                                .platforms = ISOLATED,
                                .summary = "Let isolated devices onto the network again.",
                                .source = "unisolate-machine, 13 Nov 2025"},
    [MDE_RESPONSE_CONTAIN] =
        {.name = "contain",
         ACTS,
         .type = "Isolate",
         .path = "isolate",
         .opposite = ROW(UNCONTAIN),
         .holds = true,
         .is_unmanaged = true,
         .is_capped = true,
         .fields = {{.name = "IsolationType", .kind = MDE_FIELD_WORD, .value = "UnManagedDevice"}},
         .state = "contained",
         .changing = "containing",
         .permission = "Machine.Isolate",
         .duplicate = MDE_DUPLICATE_UNCERTAIN,
         .wait_seconds = 10 * MINUTE,
         .platforms = CONTAINED,
         .summary = "Have the onboarded devices block one that is not onboarded.",
         .source = "isolate-machine, 13 Nov 2025; respond-machine-alerts, 31 Dec 2025"},
    [MDE_RESPONSE_UNCONTAIN] =
        {.name = "uncontain",
         ACTS,
         .type = "Unisolate",
         .path = "unisolate",
         .opposite = ROW(CONTAIN),
         .is_unmanaged = true,
         .permission = "Machine.Isolate",
         .duplicate = MDE_DUPLICATE_UNCERTAIN,
         .wait_seconds = 10 * MINUTE,
         .platforms = CONTAINED,
         .summary = "Have the onboarded devices talk to a contained one again.",
         .source = "unisolate-machine, 13 Nov 2025; seen in the field with a comment alone"},
    [MDE_RESPONSE_SCAN] =
        {.name = "scan",
         ACTS,
         .type = "RunAntiVirusScan",
         .path = "runAntiVirusScan",
         .subject = MDE_SUBJECT_SCOPE,
         .fields = {{.name = "ScanType",
                     .option = "scan_type",
                     .kind = MDE_FIELD_WORD,
                     .words = {"Quick", "Full"},
                     .value = "Quick"}},
         .permission = "Machine.Scan",
         .duplicate = MDE_DUPLICATE_EITHER,
         /* A full one takes hours: by default half of one processor is the most that it uses. */
         .wait_seconds = 6 * HOUR,
         .platforms = WINDOWS_1709 ", Linux servers, macOS client 101.98.84 and later",
         .summary = "Have Defender Antivirus scan devices.",
         .source = "run-av-scan, 2026"},
    [MDE_RESPONSE_QUARANTINE] =
        {.name = "quarantine",
         ACTS,
         .type = "StopAndQuarantineFile",
         .path = "StopAndQuarantineFile",
         .is_capped = true,
         .subject = MDE_SUBJECT_FILE,
         .fields = {{.name = "Sha1", .option = "sha1", .kind = MDE_FIELD_SHA1}},
         .permission = "Machine.StopAndQuarantine",
         .duplicate = MDE_DUPLICATE_UNCERTAIN,
         .wait_seconds = HOUR,
         .platforms =
             "Windows 10 version 1703 and later, Windows 11; not for files that Microsoft or "
             "another trusted publisher has signed",
         .summary = "Stop a file's processes and put the file into quarantine.",
         .source = "stop-and-quarantine-file, 2026"},
    [MDE_RESPONSE_COLLECT] =
        {.name = "collect",
         ACTS,
         .type = "CollectInvestigationPackage",
         .path = "collectInvestigationPackage",
         .permission = "Machine.CollectForensics",
         .duplicate = MDE_DUPLICATE_REFUSED,
         .wait_seconds = HOUR,
         .platforms = "Windows 10 version 1703 and later, Windows 11; macOS and Linux by the "
                      "product's page",
         .summary = "Collect the investigation packages of devices.",
         .source = "collect-investigation-package, 13 Nov 2025"},
    [MDE_RESPONSE_PACKAGE_LINK] =
        {.name = "package_link",
         .kind = MDE_RESPONSE_FOLLOWS,
         .path = "getPackageUri",
         .permission = "Machine.Read.All or Machine.ReadWrite.All",
         .per_minute = 2,
         .per_hour = 120,
         .platforms = "any",
         .summary = "Get the link to an investigation package that was collected.",
         .source = "get-package-sas-uri"},
    [MDE_RESPONSE_CANCEL] = {.name = "cancel",
                             .kind = MDE_RESPONSE_FOLLOWS,
                             .path = "cancel",
                             .has_comment = true,
                             .permission = "that of the action",
                             USUAL_LIMITS,
                             .duplicate = MDE_DUPLICATE_REFUSED,
                             .platforms = "any",
                             .summary = "Cancel actions that have not ended yet.",
                             .source = "cancel-machine-action"},
    [MDE_RESPONSE_TAG] = {.name = "tag",
                          .kind = MDE_RESPONSE_RECORDS,
                          .path = "tags",
                          .many_path = "AddOrRemoveTagForMultipleMachines",
                          .many = 500,
                          .opposite = ROW(UNTAG),
                          .fields = {{.name = "Value", .option = "tag", .kind = MDE_FIELD_TEXT},
                                     {.name = "Action", .kind = MDE_FIELD_WORD, .value = "Add"}},
                          .permission = "Machine.ReadWrite.All",
                          USUAL_LIMITS,
                          .platforms = "any",
                          .summary = "Add a tag to machines.",
                          .source =
                              "add-or-remove-machine-tags; add-or-remove-multiple-machine-tags"},
    [MDE_RESPONSE_UNTAG] =
        {.name = "untag",
         .kind = MDE_RESPONSE_RECORDS,
         .path = "tags",
         .many_path = "AddOrRemoveTagForMultipleMachines",
         .many = 500,
         .opposite = ROW(TAG),
         .fields = {{.name = "Value", .option = "tag", .kind = MDE_FIELD_TEXT},
                    {.name = "Action", .kind = MDE_FIELD_WORD, .value = "Remove"}},
         .permission = "Machine.ReadWrite.All",
         USUAL_LIMITS,
         .platforms = "any",
         .summary = "Remove a tag from machines.",
         .source = "add-or-remove-machine-tags; add-or-remove-multiple-machine-tags"},
    [MDE_RESPONSE_SET_DEVICE_VALUE] = {.name = "set_device_value",
                                       .kind = MDE_RESPONSE_RECORDS,
                                       .path = "setDeviceValue",
                                       .fields = {{.name = "DeviceValue",
                                                   .option = "device_value",
                                                   .kind = MDE_FIELD_WORD,
                                                   .words = {"Low", "Normal", "High"}}},
                                       .permission = "Machine.ReadWrite.All",
                                       USUAL_LIMITS,
                                       .platforms = "any",
                                       .summary = "Say what machines are worth.",
                                       .source = "set-device-value"},
};

static bool is(struct mde_text text, const char *own)
{
  return mde_text_same(text, (struct mde_text){own, strlen(own)});
}

const struct mde_response *mde_response_named(struct mde_text name)
{
  for (int i = 0; i < MDE_RESPONSE_COUNT; i++)
    if (is(name, mde_responses[i].name)) return &mde_responses[i];
  return NULL;
}

bool mde_response_has_type(const struct mde_response *response, struct mde_text type)
{
  const char *own = response->type;
  return own != NULL && mde_text_same_caseless(type, (struct mde_text){own, strlen(own)});
}

const struct mde_response *mde_response_of_type(struct mde_text type)
{
  for (int i = 0; i < MDE_RESPONSE_COUNT; i++)
    if (mde_response_has_type(&mde_responses[i], type)) return &mde_responses[i];
  return NULL;
}

static bool is_sha1(struct mde_text value)
{
  enum { SHA1_DIGITS = 40 };
  if (value.length != SHA1_DIGITS) return false;
  for (size_t i = 0; i < SHA1_DIGITS; i++)
    if (mde_ascii_hexadecimal(value.bytes[i]) < 0) return false;
  return true;
}

static bool is_a_word(const struct mde_response_field *field, struct mde_text value)
{
  for (size_t i = 0; i < MDE_FIELD_MAX_WORDS && field->words[i] != NULL; i++)
    if (is(value, field->words[i])) return true;
  return false;
}

bool mde_response_field_takes(const struct mde_response_field *field, struct mde_text value)
{
  if (value.bytes == NULL) return false;
  switch (field->kind) {
  case MDE_FIELD_WORD:
    return is_a_word(field, value);
  case MDE_FIELD_SHA1:
    return is_sha1(value);
  case MDE_FIELD_TEXT:
    return mde_utf8_trim(value).length > 0;
  }
  return false;
}
