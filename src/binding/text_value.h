/*
 * text_value: texts of the core as arguments and as results.
 */
#ifndef MDE_TEXT_VALUE_H
#define MDE_TEXT_VALUE_H

#include "compat.h"

#include "text.h"

/* A string argument; it stays alive as long as the argument does. Raises for anything else. */
static inline struct mde_text mde_check_text(lua_State *L, int index)
{
  struct mde_text text;
  text.bytes = luaL_checklstring(L, index, &text.length);
  return text;
}

/*
 * Pushes what `write` makes of `from`. It writes as snprintf does, without a NUL, and is called
 * again where the text is long, for a block that the collector owns. Raises for lack of memory.
 */
static inline void mde_push_written(lua_State *L,
                                    size_t (*write)(const void *from, char *out, size_t size),
                                    const void *from)
{
  char brief[512];
  size_t length = write(from, brief, sizeof brief);
  if (length <= sizeof brief) {
    lua_pushlstring(L, brief, length);
    return;
  }
  char *out = lua_newuserdata(L, length);
  write(from, out, length);
  lua_pushlstring(L, out, length);
  lua_remove(L, -2);
}

/* A text, and what writes another one of it. */
struct mde_text_change {
  size_t (*write)(struct mde_text text, char *out, size_t size);
  struct mde_text text;
};

static inline size_t mde_text_change_write(const void *from, char *out, size_t size)
{
  const struct mde_text_change *change = from;
  return change->write(change->text, out, size);
}

/* Pushes what `write` makes of a text, as above. */
static inline void mde_push_changed(lua_State *L, struct mde_text text,
                                    size_t (*write)(struct mde_text, char *, size_t))
{
  struct mde_text_change change = {.write = write, .text = text};
  mde_push_written(L, mde_text_change_write, &change);
}

#endif
