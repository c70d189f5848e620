/*
 * writer: text written as snprintf does it: as much as there is room for, and counted whole. No NUL
 * is added.
 */
#ifndef MDE_WRITER_H
#define MDE_WRITER_H

#include "ascii.h"
#include "text.h"

struct mde_writer {
  char *out;
  size_t size;   /* of the room in `out` */
  size_t length; /* of all that was to be written */
};

static inline void mde_writer_put(struct mde_writer *writer, char c)
{
  if (writer->length < writer->size) writer->out[writer->length] = c;
  writer->length++;
}

static inline void mde_writer_text(struct mde_writer *writer, struct mde_text text)
{
  for (size_t i = 0; i < text.length; i++)
    mde_writer_put(writer, text.bytes[i]);
}

/* With A to Z in small letters. */
static inline void mde_writer_small(struct mde_writer *writer, struct mde_text text)
{
  for (size_t i = 0; i < text.length; i++)
    mde_writer_put(writer, (char)mde_ascii_lower(text.bytes[i]));
}

#endif
