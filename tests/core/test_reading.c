#include "test_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

void reading_write(struct reading *reading, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(reading->text + reading->length, sizeof reading->text - reading->length,
                         format, arguments);
  va_end(arguments);
  assert_true(length >= 0 && reading->length + (size_t)length < sizeof reading->text);
  reading->length += (size_t)length;
}
