#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS */

#include "test_edge.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define READABLE ((size_t)256 * 1024)

static char *map_with_edge(void)
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory =
      mmap(NULL, READABLE + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + READABLE, page, PROT_NONE) != 0) abort();
  return memory + READABLE;
}

struct mde_text test_edge(const char *bytes, size_t length)
{
  static char *edge;
  if (edge == NULL) edge = map_with_edge();
  if (length > READABLE) abort();
  struct mde_text text = {.bytes = edge - length, .length = length};
  memcpy(edge - length, bytes, length);
  return text;
}

struct mde_text test_edge_string(const char *string)
{
  return test_edge(string, strlen(string));
}

bool test_text_is(struct mde_text text, const char *expected)
{
  if (strcmp(expected, "-") == 0) return text.bytes == NULL;
  return text.bytes != NULL && text.length == strlen(expected) &&
         memcmp(text.bytes, expected, text.length) == 0;
}
