#include "odata.h"

#include <stdint.h>
#include <stdio.h>

#include "ip_address.h"
#include "name.h"
#include "utf8.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static int hexadecimal(char c)
{
  if (is_digit(c)) return c - '0';
  int lower = mde_ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* ---- writing */

struct writer {
  char *out;
  size_t size;
  size_t length; /* of all that was to be written */
};

static void put(struct writer *writer, char c)
{
  if (writer->length < writer->size) writer->out[writer->length] = c;
  writer->length++;
}

size_t mde_odata_literal(struct mde_text text, char *out, size_t size)
{
  struct writer writer = {.out = out, .size = size};
  put(&writer, '\'');
  for (size_t i = 0; i < text.length; i++) {
    if (text.bytes[i] == '\'') put(&writer, '\'');
    put(&writer, text.bytes[i]);
  }
  put(&writer, '\'');
  return writer.length;
}

static bool is_unreserved(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

size_t mde_odata_encode(struct mde_text text, char *out, size_t size)
{
  static const char digits[] = "0123456789ABCDEF";
  struct writer writer = {.out = out, .size = size};
  for (size_t i = 0; i < text.length; i++) {
    unsigned char byte = (unsigned char)text.bytes[i];
    if (is_unreserved(text.bytes[i])) {
      put(&writer, text.bytes[i]);
    } else {
      put(&writer, '%');
      put(&writer, digits[byte >> 4]);
      put(&writer, digits[byte & 15]);
    }
  }
  return writer.length;
}

size_t mde_odata_decode(struct mde_text text, bool plus_is_space, char *out, size_t size)
{
  struct writer writer = {.out = out, .size = size};
  for (size_t i = 0; i < text.length; i++) {
    char c = text.bytes[i];
    if (c == '%') {
      if (text.length - i < 3) return MDE_ODATA_MALFORMED;
      int high = hexadecimal(text.bytes[i + 1]);
      int low = hexadecimal(text.bytes[i + 2]);
      if (high < 0 || low < 0) return MDE_ODATA_MALFORMED;
      c = (char)(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    put(&writer, c);
  }
  return writer.length;
}

/* ---- ids */

bool mde_odata_is_machine_id(struct mde_text text)
{
  if (text.length != 40) return false;
  for (size_t i = 0; i < text.length; i++)
    if (hexadecimal(text.bytes[i]) < 0) return false;
  return true;
}

bool mde_odata_is_guid(struct mde_text text)
{
  if (text.length != 36) return false;
  for (size_t i = 0; i < text.length; i++) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text.bytes[i] != '-') return false;
    } else if (hexadecimal(text.bytes[i]) < 0) {
      return false;
    }
  }
  return true;
}

static bool is_all_zero(struct mde_text guid)
{
  for (size_t i = 0; i < guid.length; i++)
    if (guid.bytes[i] != '0' && guid.bytes[i] != '-') return false;
  return true;
}

/* ---- text */

enum mde_odata_flaw mde_odata_flaw(struct mde_text text, char flaw[MDE_ODATA_FLAW_SIZE])
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  uint32_t code_point = 0;
  int status;
  while ((status = mde_utf8_next(&at, end, &code_point)) == 1) {
    if (code_point < 0x20 || code_point == 0x7f)
      snprintf(flaw, MDE_ODATA_FLAW_SIZE, "has a control character (byte 0x%02x)",
               (unsigned)code_point);
    else if (code_point >= 0x80 && code_point <= 0x9f)
      snprintf(flaw, MDE_ODATA_FLAW_SIZE, "has a control character (U+%04X)", (unsigned)code_point);
    else
      continue;
    return MDE_ODATA_FLAW_CONTROL_CHARACTER;
  }
  if (status == 0) return MDE_ODATA_FLAW_NONE;
  snprintf(flaw, MDE_ODATA_FLAW_SIZE, "is not valid UTF-8");
  return MDE_ODATA_FLAW_NOT_UTF8;
}

/* ---- devices */

static bool is_only_space(struct mde_text text)
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  uint32_t code_point = 0;
  while (mde_utf8_next(&at, end, &code_point) == 1)
    if (!mde_name_is_blank(code_point)) return false;
  return true;
}

/* Whether an id has been damaged on its way; if so, the reason is set. */
static bool is_damaged_id(struct mde_text text, struct mde_device *device)
{
  if (text.length < 30 || text.length > 64) return false;
  size_t digits = 0;
  for (size_t i = 0; i < text.length; i++) {
    char c = text.bytes[i];
    if (hexadecimal(c) >= 0)
      digits++;
    else if (c != '-' && c != '{' && c != '}')
      return false;
  }
  if (digits == text.length && digits != 32)
    snprintf(device->reason, sizeof device->reason,
             "looks like a machine id, but has %zu hex digits instead of 40", digits);
  else
    snprintf(device->reason, sizeof device->reason,
             "looks like an Entra device id, but is not 8-4-4-4-12 hex digits with dashes between");
  return true;
}

static void set_canonical(struct mde_device *device, enum mde_device_kind kind,
                          struct mde_text text)
{
  device->kind = kind;
  device->length = text.length;
  memcpy(device->canonical, text.bytes, text.length);
  if (kind == MDE_DEVICE_KIND_FULL_NAME || kind == MDE_DEVICE_KIND_BARE_NAME) return;
  for (size_t i = 0; i < device->length; i++)
    device->canonical[i] = (char)mde_ascii_lower(device->canonical[i]);
}

static bool has_dot_inside(struct mde_text text)
{
  return text.length > 2 && memchr(text.bytes + 1, '.', text.length - 2) != NULL;
}

void mde_odata_device(struct mde_text text, struct mde_device *device)
{
  struct mde_ip_address address;
  device->kind = MDE_DEVICE_KIND_NONE;
  device->length = 0;
  device->reason[0] = '\0';
  if (text.length == 0) {
    snprintf(device->reason, sizeof device->reason, "is empty");
    return;
  }
  if (text.length > MDE_DEVICE_MAX_BYTES) {
    snprintf(device->reason, sizeof device->reason, "is %zu bytes long; a name has at most %d",
             text.length, (int)MDE_DEVICE_MAX_BYTES);
    return;
  }
  if (mde_odata_is_machine_id(text)) {
    set_canonical(device, MDE_DEVICE_KIND_MACHINE_ID, text);
    return;
  }
  if (mde_odata_flaw(text, device->reason) != MDE_ODATA_FLAW_NONE) return;
  if (is_only_space(text)) {
    snprintf(device->reason, sizeof device->reason, "is only white space");
    return;
  }
  struct mde_text whole = text;
  text = mde_name_asked(text, MDE_NAME_RELATION_IS);
  if (text.length < whole.length && (mde_odata_is_machine_id(text) || mde_odata_is_guid(text))) {
    snprintf(device->reason, sizeof device->reason, "is an id with a blank or a dot beside it");
    return;
  }
  if (mde_odata_is_guid(text)) {
    if (is_all_zero(text))
      snprintf(device->reason, sizeof device->reason, "is the all-zero GUID, which no device has");
    else
      set_canonical(device, MDE_DEVICE_KIND_GUID, text);
    return;
  }
  if (mde_ip_address_read(text, &address)) {
    set_canonical(device, MDE_DEVICE_KIND_IP_ADDRESS, address.text);
    return;
  }
  if (is_damaged_id(text, device)) return;
  for (size_t i = 0; i < text.length; i++)
    if (strchr("/\\:*?<>|", text.bytes[i]) != NULL) {
      snprintf(device->reason, sizeof device->reason, "contains \"%c\", which no device name has",
               text.bytes[i]);
      return;
    }
  set_canonical(device,
                has_dot_inside(text) ? MDE_DEVICE_KIND_FULL_NAME : MDE_DEVICE_KIND_BARE_NAME, text);
}
