/*
 * show: any bytes made safe in both forms, and measured.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "target.h"
#include "utf8.h"

static void require_safe(struct mde_text text)
{
  const char *at = text.bytes, *end = text.bytes + text.length;
  uint32_t code_point;
  while (at < end) {
    require(mde_utf8_next(&at, end, &code_point) == 1);
    require(!mde_show_is_unsafe(code_point));
  }
}

static void require_measured(struct mde_text text)
{
  size_t all = mde_show_columns(text), before = 0, taken;
  require(all <= text.length);
  for (size_t columns = 0; columns <= all && columns < 200; columns++) {
    struct mde_text part = mde_show_beginning(text, columns, &taken);
    require(taken <= columns && part.length >= before && part.length <= text.length);
    require(mde_show_columns(part) == taken);
    before = part.length;
  }
  require(mde_show_beginning(text, all, &taken).length == text.length && taken == all);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  struct mde_text text = {.bytes = length > 0 ? (const char *)bytes : "", .length = length};
  require_measured(text);
  for (int form = MDE_SHOW_FORM_LINE; form <= MDE_SHOW_FORM_JSON; form++) {
    size_t needed = mde_show_safe(text, (enum mde_show_form)form, NULL, 0);
    char *out = malloc(needed + 1);
    require(out != NULL && needed >= length);
    out[needed] = '?';
    require(mde_show_safe(text, (enum mde_show_form)form, out, needed) == needed &&
            out[needed] == '?');
    struct mde_text safe = {.bytes = out, .length = needed};
    require_safe(safe);
    require_measured(safe);
    require(needed != length || memcmp(out, text.bytes, length) == 0);
    require(form == MDE_SHOW_FORM_JSON ||
            mde_show_safe(safe, MDE_SHOW_FORM_LINE, NULL, 0) == needed);
    free(out);
  }
  return 0;
}
