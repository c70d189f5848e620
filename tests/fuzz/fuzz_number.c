/*
 * number: any bytes as a number, which is written and read again; and any eight bytes as a double.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "number.h"
#include "target.h"

static void write_and_read(double number)
{
  char text[MDE_NUMBER_SIZE];
  double again = 0;
  size_t length = mde_number_write(number, text);
  require(length > 0 && length < sizeof text && text[length] == '\0');
  require(mde_number_read((struct mde_text){text, length}, &again) == (isfinite(number) != 0));
  require(!isfinite(number) || again == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  double number;
  if (mde_number_read(text, &number)) {
    require(isfinite(number));
    write_and_read(number);
  }
  if (length >= sizeof number) {
    memcpy(&number, bytes, sizeof number);
    write_and_read(number);
  }
  return 0;
}
