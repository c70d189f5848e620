/*
 * record: the verbs of a run, for Lua: what was planned, asked, sent and answered.
 *
 * Each is one method of a journal, which stands in journal.meta.lua. All but those that read return
 * a value, or nil, message, code.
 */
#ifndef MDE_JOURNAL_RECORD_H
#define MDE_JOURNAL_RECORD_H

#include "compat.h"
#include "connection.h"

#define MDE_JOURNAL_FILE "mde.journal.file"

/* The connection of the journal that is the first argument; raises if that is something else. NULL,
 * with nil, a message and a code pushed, if it cannot be used. */
struct mde_connection *mde_record_connection(lua_State *L);

/* Pushes nil, the message and the code. */
int mde_record_push_problem(lua_State *L, const struct mde_problem *problem);

extern const luaL_Reg mde_record_methods[];

#endif
