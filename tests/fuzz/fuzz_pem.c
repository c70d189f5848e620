/*
 * pem: any bytes as a PEM text. What is mended fits the limit, is well, and stays as it is.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pem.h"
#include "target.h"

static void *allocate(void *context, void *block, size_t old_size, size_t new_size)
{
  (void)context;
  (void)old_size;
  if (new_size > 0) return realloc(block, new_size);
  free(block);
  return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const struct mde_allocator allocator = {allocate, NULL};
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  struct mde_buffer once, twice;
  mde_buffer_init(&once, allocator, mde_pem_limit(length));
  int status = mde_pem_mend(&once, text);
  require(status == MDE_PEM_OK || status == MDE_PEM_UTF16 || status == MDE_PEM_NOT_CLOSED ||
          status == MDE_PEM_FLAT);
  require(status != MDE_PEM_UTF16 || once.length == 0);
  struct mde_text mended = {once.length > 0 ? once.bytes : "", once.length};
  mde_buffer_init(&twice, allocator, once.length);
  require(mde_pem_mend(&twice, mended) == MDE_PEM_OK);
  require(twice.length == once.length);
  require(once.length == 0 || memcmp(once.bytes, twice.bytes, once.length) == 0);
  mde_buffer_clear(&once);
  mde_buffer_clear(&twice);
  return 0;
}
