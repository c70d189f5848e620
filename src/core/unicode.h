/*
 * unicode: the classes of code points, each as Unicode 15 has it under the name given.
 *
 * They are the same in every locale. What is no code point is of no class.
 */
#ifndef MDE_UNICODE_H
#define MDE_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

/* White_Space (PropList.txt): the same 25 code points since Unicode 6.3. */
static inline bool mde_unicode_is_white_space(uint32_t code_point)
{
  return (code_point >= '\t' && code_point <= '\r') || code_point == ' ' || code_point == 0x85 ||
         code_point == 0xa0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200a) || code_point == 0x2028 ||
         code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
         code_point == 0x3000;
}

/* Control, the general category Cc: C0, DEL and C1. Six of them are white space, too. */
static inline bool mde_unicode_is_control(uint32_t code_point)
{
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

#endif
