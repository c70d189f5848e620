/*
 * pem_argument: what is given to a function of mde.crypto as a string or as a secret.
 *
 * It is read where it is kept. A PEM text is mended (pem.h) into memory that is wiped before it is
 * given back, by a userdata that owns it whatever raises in between.
 */
#ifndef MDE_PEM_ARGUMENT_H
#define MDE_PEM_ARGUMENT_H

#include "compat.h"
#include "text.h"

/*
 * The bytes of the string or secret at `index`. Raises for anything else and beyond INT_MAX bytes.
 */
struct mde_text mde_check_text(lua_State *L, int index);

/*
 * The mended PEM text of the argument at `index`, which lives as long as the value that is pushed
 * for it. `flaw`: what mde_pem_mend returned, never MDE_PEM_NO_MEMORY, for which it raises; the
 * text is empty for MDE_PEM_UTF16.
 */
struct mde_text mde_push_pem(lua_State *L, int index, int *flaw);

/* Wipes that value at once instead of at its collection; its text is of no use then. */
void mde_clear_pem(lua_State *L, int index);

/* What to say of a text in which nothing of use was found, since it has that flaw; NULL for
 * MDE_PEM_OK. */
const char *mde_pem_problem(int flaw);

/* Makes what mde_push_pem needs. The stack stays as it is. */
void mde_open_pem_argument(lua_State *L);

#endif
