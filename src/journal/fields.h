/*
 * fields: what Lua gives, as the parameters of a statement (statements.h).
 *
 * What has the wrong type is the caller's mistake and raises; a text may have any bytes. Nothing is
 * copied: the values are to live until the statement has been done, as the fields of a table on the
 * stack and the arguments of a function do.
 */
#ifndef MDE_JOURNAL_FIELDS_H
#define MDE_JOURNAL_FIELDS_H

#include "compat.h"

#include <sqlite3.h>

/* Raises unless each key of the table at `index` names a parameter of the statement. */
void mde_fields_check(lua_State *L, int index, sqlite3_stmt *statement);

/* Binds to each parameter the field of its name; an absent one is NULL. */
void mde_fields_bind(lua_State *L, int index, sqlite3_stmt *statement);

/* Binds the argument at `index`, nil for NULL, to the parameter of that name, "n" for $n. */
void mde_fields_bind_argument(lua_State *L, int index, sqlite3_stmt *statement, const char *name);

#endif
