/*
 * device_list: which cells of a file name a device, by quotes, line ends, headings, columns and
 * encodings; and every file that does not say it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device_list.h"
#include "test_edge.h"
#include "test_reading.h"

#define ID1 "1f00000000000000000000000000000000000017"
#define ID2 "2F00000000000000000000000000000000000018"
#define GUID "17171717-0000-4000-8000-000000000017"
#define ZERO "00000000-0000-0000-0000-000000000000"

/* The entries of the list that is read. */
static struct {
  size_t line;
  enum mde_device_list_proof proof;
} taken[64];
static size_t taken_count;

static void write_identifiers(struct reading *out, const struct mde_device_list *list)
{
  reading_write(out, "%zu:", list->line);
  for (size_t i = 0; i < list->identifier_count + list->passed_over; i++) {
    const struct mde_identifier *one = &list->identifiers[i];
    const char *sign = i == 0 ? "" : i < list->identifier_count ? "+" : "-";
    reading_write(out, "%s%.*s", sign, (int)one->length, one->text);
  }
  taken[taken_count].line = list->line;
  taken[taken_count++].proof = list->proof;
  reading_write(out, " ");
}

static void write_bad(struct reading *out, const struct mde_device_list *list)
{
  static const char *const about[] = {"framing", "column", "record"};
  reading_write(out, "%s %zu:%zu %s", about[list->problem.trouble], list->problem.line,
                list->problem.column, list->problem.text);
  if (list->problem.trouble != MDE_DEVICE_LIST_TROUBLE_COLUMN) return;
  for (size_t i = 0; i < list->column_count; i++)
    if (list->columns[i].is_candidate)
      reading_write(out, " <%.*s>", (int)list->columns[i].length, list->columns[i].heading);
}

/* What is odd, and what is known of it: `3?`, behind it `..` where nothing more is understood, and
 * `=` where it casts no doubt. */
static void write_odd(struct reading *out, const struct mde_device_list *list)
{
  const struct mde_device_list_problem *problem = &list->problem;
  reading_write(out, "%zu?", list->line);
  if (problem->column > 0) reading_write(out, "%zu", problem->column);
  reading_write(out, "%s%s ", problem->to_end ? ".." : "", problem->casts_doubt ? "" : "=");
  if (list->identifier_count > 0)
    reading_write(out, "<%.*s> ", (int)list->identifiers[0].length, list->identifiers[0].text);
}

/* True when there is nothing more to read. */
static bool read_part(struct mde_device_list *list, struct mde_text *part, struct reading *out)
{
  for (;;) {
    switch (mde_device_list_next(list, part)) {
    case MDE_DEVICE_LIST_EVENT_MORE:
      return false;
    case MDE_DEVICE_LIST_EVENT_END:
      for (size_t i = 0; i < list->span_count && i < MDE_DEVICE_LIST_MAX_SPANS; i++)
        reading_write(out, "%zu+%zu ", list->spans[i].line, list->spans[i].lines);
      if (list->has_record)
        reading_write(out, "by %zu%s", list->naming + 1, list->has_heading ? " of a heading" : "");
      if (list->doubt.line > 0) reading_write(out, " in doubt:");
      for (size_t i = 0; i < taken_count && list->doubt.line > 0; i++)
        if (mde_device_list_counts(list, taken[i].proof)) reading_write(out, " %zu", taken[i].line);
      return true;
    case MDE_DEVICE_LIST_EVENT_BAD:
      write_bad(out, list);
      return true;
    case MDE_DEVICE_LIST_EVENT_ENTRY:
      write_identifiers(out, list);
      break;
    case MDE_DEVICE_LIST_EVENT_ODD:
      write_odd(out, list);
      break;
    case MDE_DEVICE_LIST_EVENT_FLAW:
      reading_write(out, "%zu!%.*s %s", list->line, (int)list->identifiers[0].length,
                    list->identifiers[0].text, list->identifiers[0].reason);
      if (list->instead > 0)
        reading_write(out, "<%.*s>", (int)list->columns[list->instead - 1].length,
                      list->columns[list->instead - 1].heading);
      reading_write(out, "; ");
      break;
    }
  }
}

static void read_in_pieces(const char *bytes, size_t piece, const char *column, size_t number,
                           struct reading *out)
{
  static struct mde_device_list list;
  struct mde_text end = {NULL, 0};
  struct mde_text wanted = {column, column == NULL ? 0 : strlen(column)};
  size_t length = strlen(bytes);
  out->length = 0;
  out->text[0] = '\0';
  taken_count = 0;
  mde_device_list_init(&list, wanted, number);
  for (size_t at = 0; at < length; at += piece) {
    struct mde_text part = test_edge(bytes + at, length - at < piece ? length - at : piece);
    if (read_part(&list, &part, out)) return;
  }
  assert_true(read_part(&list, &end, out));
}

struct list_case {
  const char *bytes;
  const char *expected;
  const char *column;
  size_t number;
};

static void assert_lists(const struct list_case *cases, size_t count)
{
  static const size_t pieces[] = {1, 2, 7, 100000};
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
      static struct reading reading;
      read_in_pieces(cases[i].bytes, pieces[j], cases[i].column, cases[i].number, &reading);
      if (strcmp(reading.text, cases[i].expected) != 0)
        fail_msg("\"%s\" in pieces of %zu:\n  read     %s\n  expected %s", cases[i].bytes,
                 pieces[j], reading.text, cases[i].expected);
    }
}

#define ASSERT_LISTS(cases) assert_lists(cases, sizeof(cases) / sizeof((cases)[0]))

/* Every line end, delimiter and way to quote says the same. */
static void forms(void **state)
{
  (void)state;
  static const char *const ends[] = {"\n", "\r\n", "\r"};
  static const char *const delimiters[] = {",", ";", "\t", " , ", "; "};
  static const char *const marks[] = {"", "\xef\xbb\xbf", "\xef\xbb\xbf# x\n \n"};
  static const char *const quotes[] = {"", "\""};
  for (size_t i = 0; i < 3 * 5 * 3 * 2; i++) {
    const char *end = ends[i % 3];
    const char *to = delimiters[i / 3 % 5];
    const char *mark = marks[i / 15 % 3];
    const char *quote = quotes[i / 45];
    size_t skipped = i / 15 % 3 == 2 ? 2 : 0;
    char bytes[512];
    char expected[128];
    snprintf(bytes, sizeof bytes,
             "%s%sOwner%s%s%sDevice Name%s%s\"x%sa%s\"\"\"%s%sb%s%s%s\"# c\"%s%sd e%s%s", mark,
             quote, quote, to, quote, quote, end, end, end, to, quote, quote, end, end, to, quote,
             quote, end);
    snprintf(expected, sizeof expected, "%zu:b %zu:d e %zu+3 by 2 of a heading", skipped + 2,
             skipped + 6, skipped + 2);
    struct list_case one = {bytes, expected, NULL, 0};
    assert_lists(&one, 1);
  }
}

static void without_heading(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"", "", NULL, 0},
      {"\n# a\n\n", "", NULL, 0},
      {"a\nb.c\n" ID1, "1:a 2:b.c 3:" ID1 " by 1", NULL, 0},
      {"a,\nb,,\n,,\n", "1:a 2:b by 1", NULL, 0},
      {"name\nid\ndevice", "1:name 2:id 3:device by 1", NULL, 0},
      {"\"a, b\"\nc", "1:a, b 2:c by 1", NULL, 0},
      {"a # b, c\nd", "1:a 2:d by 1", NULL, 0},
      {"a,\n,b", "1:a 2! is empty; by 1", NULL, 0},
      {",a", "1! is empty; by 1", NULL, 0},
      {"\ta", "1! is empty; by 1", NULL, 0},
      {"a, b, c",
       "column 1:0 several cells, and no heading that tells which one names a device <a> <b> <c>",
       NULL, 0},
      {"a,\nb,c",
       "1:a column 2:0 several cells, and no heading that tells which one names a device <a>", NULL,
       0},
      {"DESK-1,computer,Berlin\nDESK-2,phone,Berlin",
       "column 1:0 several cells, and no heading that tells which one names a device <DESK-1> "
       "<computer> <Berlin>",
       NULL, 0},
      {"a\nDevice_Name", "1:a 2?.. <Device_Name> record 2:0 a heading in the middle of the list",
       NULL, 0},
      {"a\n\xef\xbb\xbf"
       "fqdn",
       "1:a 2?.. <\xef\xbb\xbf"
       "fqdn> record 2:0 a heading in the middle of the list",
       NULL, 0},
      {"a,x\nb,y", "1:a 2:b by 1", NULL, 1},
      {"a,x\nb,y", "1:x 2:y by 2", NULL, 2},
      {"a,x\nb", "1:x 2? record 2:0 1 cell, where the first line has 2", NULL, 2},
      {"a,x\nb,y", "column 1:0 there is no column 3, but 2", NULL, 3},
      {"a,x\nfqdn,y", "1:a 2?.. <fqdn> record 2:0 a heading in the middle of the list", NULL, 1},
      {"computer,a\ncomputer,b", "1:a 2:b by 2", NULL, 2},
  };
  ASSERT_LISTS(cases);
}

static void headings(void **state)
{
  (void)state;
  static const char *const known[] = {
      "DeviceId",
      "Device ID",
      "machineId",
      "MdeDeviceId",
      "AADDeviceId",
      "Device AAD Id",
      "DeviceAzureADId",
      "DNSHostName",
      "aadDeviceId",
      "Azure AD Device ID",
      "Microsoft Entra Device ID",
      "EntraDeviceId",
      "DeviceName",
      "Device name",
      "device_name",
      "computerDnsName",
      "COMPUTERDNSNAME",
      "machine name",
      "Computer Name",
      "hostname",
      "Host Name",
      "displayName",
      "dnsName",
      "DeviceDnsName",
      "FQDN",
      "\xef\xbb\xbfMachineId",
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    char bytes[128];
    struct list_case one = {bytes, "2:" GUID " by 1 of a heading", NULL, 0};
    snprintf(bytes, sizeof bytes, "%s\n" GUID, known[i]);
    assert_lists(&one, 1);
    one.expected = "2:" GUID " by 2 of a heading";
    snprintf(bytes, sizeof bytes, "x,%s,Remote%s\ny," GUID ",z", known[i],
             known[i] + (known[i][0] == '\xef' ? 3 : 0));
    assert_lists(&one, 1);
  }
  static const struct list_case cases[] = {
      {"id,x\n" ID1 ",y", "2:" ID1 " by 1 of a heading", NULL, 0},
      {"x,id\ny," ID1, "2:" ID1 " by 2 of a heading", NULL, 0},
      {"name,owner\na,b", "2:a by 1 of a heading", NULL, 0},
      {"Name,Note\na,b", "2:a by 1 of a heading", NULL, 0},
      {"Name,Owner,Comment\na,b,c", "2:a by 1 of a heading", NULL, 0},
      {"\"Name\",\"DNSHostName\"\na,b", "2:b by 2 of a heading", NULL, 0},
      {"Device name,Domain,Device AAD Id\r\na,x," GUID, "2:" GUID "+a by 3 of a heading", NULL, 0},
      {"Computer;x\na;b", "2:a by 1 of a heading", NULL, 0},
      {"DeviceName,Note\n", "by 1 of a heading", NULL, 0},
      {"\"RemoteDeviceName\",\"DeviceName\",\"Logons\"\n\"a\",\"b\",\"14\"",
       "2:b by 2 of a heading", NULL, 0},
      {"DeviceName\nlaptop\n" ID1 "\n" GUID, "2:laptop 3:" ID1 " 4:" GUID " by 1 of a heading",
       NULL, 0},
      {"DeviceId\nlaptop", "2:laptop by 1 of a heading", NULL, 0},
  };
  ASSERT_LISTS(cases);
}

static void several_identifiers(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"DeviceName,Device ID,Azure AD Device ID\na," ID1 "," GUID,
       "2:" ID1 "+" GUID "+a by 2 of a heading", NULL, 0},
      {"displayName,deviceId\na," GUID, "2:" GUID "+a by 2 of a heading", NULL, 0},
      {"DeviceName,AadDeviceId\na," GUID "\nb,\nc," ZERO "\n," GUID,
       "2:" GUID "+a 3:b 4:c 5:" GUID " by 2 of a heading", NULL, 0},
      {"id,name\n" ID1 ",b", "2:" ID1 "+b by 1 of a heading", NULL, 0},
      {"machine,id\na," ID1, "2:" ID1 " by 2 of a heading", NULL, 0},
      {"id,name\na,b", "2!a is no machine id and no Entra device id<name>; by 1 of a heading", NULL,
       0},
      {"No,Name,Id\n1,a,4711",
       "2!4711 is no machine id and no Entra device id<Name>; by 3 of a heading", NULL, 0},
      {"AadDeviceId,fqdn\nN/A,b\nunknown,c",
       "2!N/A contains \"/\", which no device name has; 3!unknown is no Entra device id; by 1 of a "
       "heading",
       NULL, 0},
      {"id,fqdn\n," ID1 "\n,\n" GUID ",\n,10.0.0.1",
       "2!" ID1 " is an id in a column of names; 4:" GUID
       " 5!10.0.0.1 is an IP address, and who has "
       "it now may not be who had it then; by 1 of a heading",
       NULL, 0},
      {"id,x,fqdn\n,y,", "2! is empty; by 1 of a heading", NULL, 0},
      {"id,aadDeviceId,x\n" ZERO "," ZERO ",y",
       "2!" ZERO " is the all-zero GUID, which no device has; by 1 of a heading", NULL, 0},
      {"id,fqdn\n" ID1 ",a\\x1b\n" ID2 ",fqdn\n" ID2 "," ID1 "\n" ID1 ",10.0.0.1",
       "2:" ID1 "-a\\x1b 3:" ID2 "+fqdn 4:" ID2 "+" ID1 " 5:" ID1 "+10.0.0.1 by 1 of a heading",
       NULL, 0},
      {"id,AadDeviceId,fqdn\n" ID1 ",none,b", "2:" ID1 "+b-none by 1 of a heading", NULL, 0},
      {"id,fqdn\n" ID1 ",caf\xe9", "2!caf\xe9 is not valid UTF-8; by 1 of a heading", NULL, 0},
      {"id,x\n" ID1 ",caf\xe9", "2:" ID1 " by 1 of a heading", NULL, 0},
  };
  ASSERT_LISTS(cases);
}

#define SEVERAL "column 1:0 several columns could name the devices"

static void columns(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"hostname,x,fqdn\na,b,c", SEVERAL " <hostname> <fqdn>", NULL, 0},
      {"DeviceName,DeviceName\na,b", SEVERAL " <DeviceName> <DeviceName>", NULL, 0},
      {"id,DeviceId,fqdn\na,b,c", SEVERAL " <id> <DeviceId>", NULL, 0},
      {"DeviceId,fqdn,hostname\na,b,c", SEVERAL " <fqdn> <hostname>", NULL, 0},
      {"name,device\na,b", SEVERAL " <name> <device>", NULL, 0},
      {"name,device\na,b", "2:b by 2 of a heading", "Device", 0},
      {"Name,Email,Laptop\na,b,c", SEVERAL " <Name> <Laptop>", NULL, 0},
      {"Host,RemoteHost,RemoteDeviceName\na,b,c", SEVERAL " <Host> <RemoteHost> <RemoteDeviceName>",
       NULL, 0},
      {"Machine,Target\na,b", SEVERAL " <Machine> <Target>", NULL, 0},
      {"computer;Primary_D_N_S\na;b", SEVERAL " <computer> <Primary_D_N_S>", NULL, 0},
      {"name,my server no 1\na,b", SEVERAL " <name> <my server no 1>", NULL, 0},
      {"device,old FQDN,MachineTags\na,b,c", SEVERAL " <device> <old FQDN> <MachineTags>", NULL, 0},
      {"name,Computers\na,b", "2:a by 1 of a heading", "Name", 0},
      {"RemoteDeviceName,Id\ndesk-001,desk-002",
       "column 2:0 a name in the column \"id\", which may be the id of anything <RemoteDeviceName> "
       "<Id>",
       NULL, 0},
      {"id,x\n" ID1 ",y\na.b,z",
       "2:" ID1 " column 3:0 a name in the column \"id\", which may be the id of anything <id> <x>",
       NULL, 0},
      {"RemoteDeviceName,Id\ndesk-001," GUID, "2:" GUID " by 2 of a heading", NULL, 0},
      {"RemoteDeviceName,Id\ndesk-001,desk-002", "2:desk-002 by 2 of a heading", "ID", 0},
      {"hostname,x,fqdn\na,b,c", "2:c by 3 of a heading", "FQDN", 0},
      {"hostname,x,fqdn\na,b,c", "2:c by 3 of a heading", NULL, 3},
      {"hostname,x,fqdn\na,b,c", "2:b by 2 of a heading", "x", 0},
      {"box,seat no\na,b", "2:b by 2 of a heading", "Seat_No", 0},
      {"box,seat\na,b", "column 1:0 no column has the heading that was asked for <box> <seat>",
       "chair", 0},
      {"DeviceName,device name\na,b",
       "column 1:0 several columns have the heading that was asked for <DeviceName> <device name>",
       "devicename", 0},
      {"DeviceName,device name\na,b", "2:b by 2 of a heading", NULL, 2},
      {"id,name\n4711,b", "2:4711 by 1 of a heading", "id", 0},
  };
  ASSERT_LISTS(cases);
}

static void records(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"fqdn,x\na", "2? <a> record 2:0 1 cell, where the first line has 2", NULL, 0},
      {"fqdn,x\na,b,c", "2? <a> record 2:0 3 cells, where the first line has 2", NULL, 0},
      {"fqdn,x\n\n,\n,,,\na,b", "5:a by 1 of a heading", NULL, 0},
      {"fqdn,x\na,b\n\nFQDN,x\nc,d", "2:a 4?= <FQDN> 5:c by 1 of a heading", NULL, 0},
      {"name,x\na,b\nname,x\nc,d", "2:a 3?= <name> 4:c by 1 of a heading", NULL, 0},
      {"box,x\na,b\nbox,x", "2:a 3?= <box> by 1 of a heading", "box", 0},
      {"fqdn;x\na,b;c",
       "2!a,b looks like more than one; put quotes around it if it is one; by 1 of a "
       "heading",
       NULL, 0},
      {"fqdn;x\n\"a,b\";c", "2:a,b by 1 of a heading", NULL, 0},
      {"fqdn,x\na,b\n\"c,d", "2:a 3?1.. framing 3:1 a quote is not closed", NULL, 0},
      {"10.0.0.1\na\x07\n{" GUID "}",
       "1!10.0.0.1 is an IP address, and who has it now may not be who had it then; 2!a\x07 has a "
       "control character (byte 0x07); 3!{" GUID "} looks like an Entra device id, but is not "
       "8-4-4-4-12 hex digits with dashes between; by 1",
       NULL, 0},
      {"caf\xe9\ncaf\xc3\xa9", "1!caf\xe9 is not valid UTF-8; 2:caf\xc3\xa9 by 1", NULL, 0},
      {"\"a\nb\"", "1!a\nb has a control character (byte 0x0a); 1+2 by 1", NULL, 0},
  };
  ASSERT_LISTS(cases);
}

static void limits(void **state)
{
  (void)state;
  static char bytes[2000];
  static char expected[600];
  struct list_case one = {bytes, expected, NULL, 0};
  for (size_t length = 255; length <= 1000; length += 745) {
    memset(bytes, 'x', length);
    bytes[length] = '\0';
    if (length == 255)
      snprintf(expected, sizeof expected, "1:%.255s by 1", bytes);
    else
      snprintf(expected, sizeof expected,
               "1!%.320s is 1000 bytes long; a name has at most 255; by 1", bytes);
    assert_lists(&one, 1);
  }
  /* What a machine is called in a language of two bytes a letter does not spoil the list. */
  strcpy(bytes, "fqdn,id\n");
  for (int i = 0; i < 401; i++)
    strcat(bytes, i == 0 ? "x" : "\xc3\xa9");
  strcat(bytes, "," ID1);
  snprintf(expected, sizeof expected, "2:" ID1 "-%.320s by 2 of a heading", bytes + 8);
  assert_lists(&one, 1);
  for (int cells = MDE_DEVICE_LIST_MAX_COLUMNS; cells <= MDE_DEVICE_LIST_MAX_COLUMNS + 1; cells++) {
    strcpy(bytes, "fqdn");
    for (int i = 1; i < cells; i++)
      strcat(bytes, ",");
    strcpy(expected, cells == MDE_DEVICE_LIST_MAX_COLUMNS ? "by 1 of a heading"
                                                          : "record 1:0 has more than 256 cells");
    assert_lists(&one, 1);
  }
}

/* A cell of several lines may be right, and may have eaten the lines between two quotes. */
static void spans(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"fqdn,x\na,\"b\nc\"\nd,\"e\"\n", "2:a 4:d 2+2 by 1 of a heading", NULL, 0},
      {"\"fqdn\",\"x\r\n\"\ra,\"\"\"\r\r\n\"\"\"", "3:a 1+2 3+3 by 1 of a heading", NULL, 0},
      {"fqdn,x,y\na,\"\n\",\"\n\n\"\n", "2:a 2+2 3+3 by 1 of a heading", NULL, 0},
      {"fqdn,\"\n\",\"\n\",\"\n\",\"\n\",\"\n\",\"\n\"", "1+2 2+2 3+2 4+2 5+2 by 1 of a heading",
       NULL, 0},
  };
  ASSERT_LISTS(cases);
}

#define APOSTROPHE                                                                                 \
  " begins with an apostrophe, which may be a spreadsheet's; take it out, or give the device's "   \
  "id; "

static void apostrophes(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"'a\nb", "1!'a" APOSTROPHE "2:b by 1", NULL, 0},
      {"fqdn,x\n\"'a.b\",c", "2!'a.b" APOSTROPHE "by 1 of a heading", NULL, 0},
      {"id,x\n'" ID1 ",c", "2!'" ID1 APOSTROPHE "by 1 of a heading", NULL, 0},
      {"id,fqdn\n" ID1 ",'=a\n,'-b", "2:" ID1 "+'=a 3!'-b" APOSTROPHE "by 1 of a heading", NULL, 0},
      {"x,y\na,'b", "1:y 2!'b" APOSTROPHE "by 2", NULL, 2},
      {"o'a'", "1:o'a' by 1", NULL, 0},
  };
  ASSERT_LISTS(cases);
}

#define SIXTY_THREE "device name                                                    "

/* What stands behind the part of a heading that is kept counts, too. */
static void long_headings(void **state)
{
  (void)state;
  assert_int_equal(sizeof SIXTY_THREE, MDE_DEVICE_LIST_MAX_HEADING_BYTES);
  static const struct list_case cases[] = {
      {"\"" SIXTY_THREE " \",x\na,b", "2:a by 1 of a heading", NULL, 0},
      {SIXTY_THREE " of owner,x\na,b",
       "column 1:0 several cells, and no heading that tells which one names a device <" SIXTY_THREE
       " > <x>",
       NULL, 0},
      {"box," SIXTY_THREE " of owner\na,b",
       "column 1:0 no column has the heading that was asked for <box> <" SIXTY_THREE " >",
       "Device Name", 0},
      {SIXTY_THREE " of owner,fqdn\na,b", "2:b by 2 of a heading", NULL, 0},
      {"name," SIXTY_THREE "  of owner\na,b", SEVERAL " <name> <" SIXTY_THREE " >", NULL, 0},
  };
  ASSERT_LISTS(cases);
  static const struct {
    const char *text;
    bool expected;
  } texts[] = {{"a", true},
               {" _.", true},
               {"", false},
               {" _\t ", false},
               {"\xef\xbb\xbf", false},
               {SIXTY_THREE " ", true},
               {SIXTY_THREE "  ", false}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    assert_int_equal(mde_device_list_is_heading(test_edge_string(texts[i].text)),
                     texts[i].expected);
}

#define BOTH "DeviceId,DeviceName,Note\n"
#define A ID1 ",a,x\n"
#define B ID2 ",b,y\n"
#define A_IS "2:" ID1 "+a "
#define NARROW "1 cell, where the first line has "
#define BY " of a heading"

/* What an id and a name prove is taken beside what is not like the others. */
static void proven_by_identifiers(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      /* A footer, a line that is cut, a note with a comma. */
      {BOTH A B "Total: 2\n", A_IS "3:" ID2 "+b 4? <Total: 2> by 1" BY " in doubt: 2 3", NULL, 0},
      {BOTH A ID2 ",b", A_IS "3? <" ID2 "> by 1" BY " in doubt: 2", NULL, 0},
      {BOTH ID1 ",a,x, twice\n" B, "2? <" ID1 "> 3:" ID2 "+b by 1" BY " in doubt: 3", NULL, 0},
      {BOTH "a,b\n" B, "2? <a> 3:" ID2 "+b by 1" BY " in doubt: 3", NULL, 0},
      /* A note with line breaks that nobody quoted: what is no whole record is left out, whatever
       * its width. */
      {BOTH A "laptop-19\n" B, A_IS "3? <laptop-19> 4:" ID2 "+b by 1" BY " in doubt: 2 4", NULL, 0},
      {BOTH A ",laptop-19, is fine\nthanks\n" B,
       A_IS "3:laptop-19 4? <thanks> 5:" ID2 "+b by 1" BY " in doubt: 2 5", NULL, 0},
      {BOTH A ",laptop-19, is fine\n,laptop-20, too\n,laptop-21,too\nthanks\n" B,
       A_IS "3:laptop-19 4:laptop-20 5:laptop-21 6? <thanks> 7:" ID2 "+b by 1" BY " in doubt: 2 7",
       NULL, 0},
      {BOTH "x\n,laptop-19, is fine\n" B, "2? <x> 3:laptop-19 4:" ID2 "+b by 1" BY " in doubt: 4",
       NULL, 0},
      {BOTH A B ",laptop-19, is fine\n\n\nx\n",
       A_IS "3:" ID2 "+b 4:laptop-19 7? <x> by 1" BY " in doubt: 2 3", NULL, 0},
      /* An id without a name that is compared proves nothing. */
      {BOTH A ID2 ",,\nx", A_IS "3:" ID2 " 4? <x> by 1" BY " in doubt: 2", NULL, 0},
      {BOTH A ID2 ",b/c,\nx", A_IS "3:" ID2 "-b/c 4? <x> by 1" BY " in doubt: 2", NULL, 0},
      {BOTH ID1 ",,\nx", "2:" ID1 " 3? <x> record 3:0 " NARROW "3", NULL, 0},
      {"id,note\n" ID1 ",see\n" ID2 ", which is fine\nthanks",
       "2:" ID1 " 3:" ID2 " 4? <thanks> record 4:0 " NARROW "2", NULL, 0},
      {"id,name\n" ID1 ",a\nx", "2:" ID1 "+a 3? <x> by 1" BY " in doubt: 2", NULL, 0},
      {"AadDeviceId,fqdn\n" GUID ",a\n,b\nx", "2:" GUID "+a 3:b 4? <x> by 1" BY " in doubt: 2",
       NULL, 0},
      {"AadDeviceId,DeviceId\n" GUID "," ID1 "\nx",
       "2:" ID1 "+" GUID " 3? <x> by 2" BY " in doubt: 2", NULL, 0},
      /* Nothing is compared with a column that was asked for. */
      {BOTH A B "x", "2:a 3:b 4? record 4:0 " NARROW "3", "DeviceName", 0},
      {BOTH A B "x", "2:" ID1 " 3:" ID2 " 4? <x> record 4:0 " NARROW "3", NULL, 1},
      /* Names alone prove nothing, near or far. */
      {"name,note\nlaptop-17,user called:\nlaptop-19\nlaptop-18,ok",
       "2:laptop-17 3? <laptop-19> 4:laptop-18 record 3:0 " NARROW "2", NULL, 0},
      {"name,note\nlaptop-17,see\nlaptop-19,x\nthanks\na,b\nc,d\ne,f",
       "2:laptop-17 3:laptop-19 4? <thanks> 5:a 6:c 7:e record 4:0 " NARROW "2", NULL, 0},
      {"name,note\nlaptop-17,x, y:\nlaptop-19,x",
       "2? <laptop-17> 3:laptop-19 record 2:0 3 cells, where the first line has 2", NULL, 0},
      {"note,fqdn\nsee,laptop-19\nx,laptop-17\nThanks.",
       "2:laptop-19 3:laptop-17 4? record 4:0 " NARROW "2", NULL, 0},
      /* A list whose lines look alike is taken, as it ever was. */
      {"name,note\na,b\nc,d", "2:a 3:c by 1" BY, NULL, 0},
  };
  ASSERT_LISTS(cases);
}

/* Who quotes everything quotes a note with line breaks, too. */
static void proven_by_quotes(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"\"fqdn\",\"x\"\n\"a\",\"\"\n\"b\",\"y\"\n(2 rows)",
       "2:a 3:b 4? <(2 rows)> by 1" BY " in doubt: 2 3", NULL, 0},
      {"\"fqdn\",\"x\"\n\"a\",\"y\nlaptop-19\"\n\"b\"", "2:a 4? <b> 2+2 by 1" BY " in doubt: 2",
       NULL, 0},
      {"\"fqdn\",\"x\"\n\"a\",y\n\"b\",\"z\"\nx", "2:a 3:b 4? <x> by 1" BY " in doubt: 3", NULL, 0},
      {"\"fqdn\",x\n\"a\",\"y\"\nx", "2:a 3? <x> record 3:0 " NARROW "2", NULL, 0},
      {"fqdn,x\n\"laptop-19\",\"laptop-20\"\nare fine",
       "2:laptop-19 3? <are fine> record 3:0 " NARROW "2", NULL, 0},
      {"\"a\",\"x\"\n\"b\",\"y\"\nz", "1:a 2:b 3? <z> by 1 in doubt: 1 2", NULL, 1},
      {"\"a\"\n\"b\"\nfqdn\n\"c\"", "1:a 2:b 3?.. <fqdn> by 1 in doubt: 1 2", NULL, 0},
      /* It proves nothing where a quote is out of place. */
      {"\"fqdn\",\"x\"\n\"a\",\"b\"\nc,5\" disk\n\"d\",\"e\"",
       "2:a 3?4 <c> 4:d framing 3:4 a quote inside a cell that does not begin with one", NULL, 0},
      {"\"fqdn\",\"x\"\n\"a\",\"b\"\n\"c\",\"d", "2:a 3?5.. <c> framing 3:5 a quote is not closed",
       NULL, 0},
  };
  ASSERT_LISTS(cases);
}

/* A quote out of place, which may have turned what is inside into what is outside. */
static void quotes_out_of_place(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {BOTH ID1 ",a,5\" disk\n" B, "2?45 <" ID1 "> 3:" ID2 "+b by 1" BY " in doubt: 3", NULL, 0},
      {BOTH ID1 ",a,said \"look:\nlaptop-19\",laptop-20,x\n" B,
       "2?49 <" ID1 "> 3?10 <laptop-19> 4:" ID2 "+b by 1" BY " in doubt: 4", NULL, 0},
      {BOTH A "\"" B A, A_IS "3?1.. by 1" BY " in doubt: 2", NULL, 0},
      {BOTH A ID2 ",b,\"user called\n" A ",laptop-19,x\n",
       A_IS "3?44.. <" ID2 "> by 1" BY " in doubt: 2", NULL, 0},
      /* The first quote is the stray one; the lines in a note look like records. */
      {BOTH A ID2 ",b,\"oops\n" ID1 ",c,\"\n,laptop-19,leave alone\nthanks\"\n" A,
       A_IS "3:" ID2 "+b 5:laptop-19 6?7 <thanks> 7:" ID1 "+a 3+2 by 1" BY " in doubt: 2 3 7", NULL,
       0},
      {BOTH A "\"" ID2 "\"x,b,y\n" A, A_IS "3?43.. by 1" BY " in doubt: 2", NULL, 0},
      {"fqdn,x\na,\"b\"c\nlaptop-19,d", "2?6.. <a> framing 2:6 text behind a closing quote", NULL,
       0},
      {"fqdn,x\na,b\"\nc,d",
       "2?4 <a> 3:c framing 2:4 a quote inside a cell that does not begin with one", NULL, 0},
      /* Where the heading is not complete, nothing is known. */
      {",\nfqdn,x\"\na,b\n", "framing 2:7 a quote inside a cell that does not begin with one", NULL,
       0},
      {",\n\"fqdn,x\na,b\n", "framing 2:1 a quote is not closed", NULL, 0},
      {"fqdn,x\"\na,b", "framing 1:7 a quote inside a cell that does not begin with one", NULL, 0},
      {"a\nb\"c\nd", "1:a framing 2:2 a quote inside a cell that does not begin with one", NULL, 0},
      /* Other bytes that nobody can understand refuse a list, whatever proves itself. */
      {BOTH A "# x\n" B,
       A_IS "framing 3:1 a line that begins with #, in a list with columns; take it out, or put "
            "quotes around its "
            "first cell",
       NULL, 0},
  };
  ASSERT_LISTS(cases);
}

/* Two files in one. */
static void headings_again(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {BOTH A "device id, DEVICE_NAME ,\"note\"\n" B, A_IS "3?= <device id> 4:" ID2 "+b by 1" BY,
       NULL, 0},
      {"fqdn\na\nFQDN\nb", "2:a 3?= <FQDN> 4:b by 1" BY, NULL, 0},
      {BOTH A "DeviceId,Note,DeviceName\n" B, A_IS "3?.. <DeviceId> by 1" BY " in doubt: 2", NULL,
       0},
      {BOTH A "DeviceId,DeviceName\n" ID2 ",b\n", A_IS "3?.. <DeviceId> by 1" BY " in doubt: 2",
       NULL, 0},
      {BOTH A "hostname, it says\nlaptop-19,x,y\n", A_IS "3?.. <hostname> by 1" BY " in doubt: 2",
       NULL, 0},
      {"fqdn,x\na,b\nhostname,y\nlaptop-19,c",
       "2:a 3?.. <hostname> record 3:0 a heading in the middle "
       "of the list",
       NULL, 0},
      {"fqdn,x\na,b\nfqdn,y\nc,d", "2:a 3?.. <fqdn> record 3:0 a heading in the middle of the list",
       NULL, 0},
      {"fqdn,x\na,b\nfqdn,x,\nc,d",
       "2:a 3?.. <fqdn> record 3:0 a heading in the middle of the list", NULL, 0},
      /* Beside what casts doubt. */
      {BOTH A "DeviceId,DeviceName,Note\n,c,z\nx\n",
       A_IS "3?= <DeviceId> 4:c 5? <x> by 1" BY " in doubt: 2", NULL, 0},
  };
  ASSERT_LISTS(cases);
}

/* A name beside an id is compared, and names nothing alone. */
static void names_beside_ids(void **state)
{
  (void)state;
  static const struct list_case cases[] = {
      {"x,name,DeviceId\ny,a," ID1, "2:" ID1 "+a by 3" BY, NULL, 0},
      {"AadDeviceId,Name\n" GUID ",a", "2:" GUID "+a by 1" BY, NULL, 0},
      {"id,name\n" ID1 ",\n" ID1 ",a/b", "2:" ID1 " 3:" ID1 "-a/b by 1" BY, NULL, 0},
      {"id,name\n,a", "2!a has no id beside it, and its column may be about anything; by 1" BY,
       NULL, 0},
      {"id,name,fqdn\n" ID1 ",x,a", "2:" ID1 "+a by 1" BY, NULL, 0},
      {"id,name,Name\n" ID1 ",a,b", "2:" ID1 " by 1" BY, NULL, 0},
      {"id,device\n" ID1 ",laptop", "2:" ID1 " by 1" BY, NULL, 0},
      {"name,AadDeviceId,id\na," GUID "," ID1, "2:" ID1 "+" GUID "+a by 3" BY, NULL, 0},
      {"fqdn,name\na,b", "2:a by 1" BY, NULL, 0},
      /* Numbers of the rows: the column that may be meant. */
      {"id,hostname\n1,laptop-17\n2,",
       "2!1 is no machine id and no Entra device id<hostname>; 3!2 is no machine id and no Entra "
       "device id; by 1" BY,
       NULL, 0},
      {"DeviceId,hostname\n1,laptop-17", "2!1 is no machine id and no Entra device id; by 1" BY,
       NULL, 0},
  };
  ASSERT_LISTS(cases);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forms),
      cmocka_unit_test(without_heading),
      cmocka_unit_test(headings),
      cmocka_unit_test(several_identifiers),
      cmocka_unit_test(columns),
      cmocka_unit_test(records),
      cmocka_unit_test(limits),
      cmocka_unit_test(long_headings),
      cmocka_unit_test(spans),
      cmocka_unit_test(apostrophes),
      cmocka_unit_test(proven_by_identifiers),
      cmocka_unit_test(proven_by_quotes),
      cmocka_unit_test(quotes_out_of_place),
      cmocka_unit_test(headings_again),
      cmocka_unit_test(names_beside_ids),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
