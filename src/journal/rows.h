/*
 * rows: what a statement finds, as Lua tables.
 *
 * All rows are read before any is given, and the statement has ended then, whatever raised: nobody
 * holds a lock while somebody pages. A field that is NULL is absent. A number is an integer where
 * the column is one.
 */
#ifndef MDE_JOURNAL_ROWS_H
#define MDE_JOURNAL_ROWS_H

#include "compat.h"
#include "connection.h"

/*
 * Reads with what is bound, and pushes a list of tables. False, and nothing pushed, if it could not
 * be done: "damaged" too where a column holds what it cannot. Raises for memory.
 */
bool mde_rows_read(lua_State *L, struct mde_connection *connection, enum mde_statement statement,
                   struct mde_problem *problem);

/* Turns the list on top into a function that gives its tables one after another. */
void mde_rows_make_iterator(lua_State *L);

#endif
