/*
 * actions: the rows of the service's lists, as tables, for the bindings of what judges them.
 */
#ifndef MDE_ACTIONS_H
#define MDE_ACTIONS_H

#include "text_value.h"

#include "claim.h"

/* A string field of the table at `index` (absolute); absent if it is anything but a string. It
   stays alive because the table does. */
struct mde_text mde_text_field(lua_State *L, int index, const char *name);

/* The action in the table at `index` (absolute). */
struct mde_action_text mde_action_text_at(lua_State *L, int index);

/*
 * The actions in the list at `index` (absolute), as a listing that was asked for `machine`, of a
 * response and its opposite. Pushes the userdata that holds them. Raises for anything but a table,
 * and for lack of memory.
 */
struct mde_action *mde_read_actions(lua_State *L, int index, const struct mde_response *of,
                                    struct mde_text machine, int64_t latest, size_t *count);

/*
 * The time that a number of seconds stands for, or a little before: a lua_Number near today is up
 * to 1.2 ticks off, and what was created just then must not fall before it. A number that is no
 * time, since a clock is far off, is the nearest that is one.
 */
int64_t mde_ticks_not_after(lua_Number seconds);

/* The time at an argument, in seconds; MDE_NO_TIME if it is nil. */
int64_t mde_check_ticks(lua_State *L, int index);

/*
 * The seconds in the field `name` of the table at `index` (absolute); MDE_NO_TIME where it is nil.
 */
int64_t mde_time_field(lua_State *L, int index, const char *name);

/*
 * The claim in the table at `index` (absolute): { incidents, since, operations, now, ended }.
 * incidents, operations, ended: lists of strings, or nil; since: Unix seconds, or nil; now: the
 * service's time, where what has expired by then is covered.
 * Its texts are those of the table, and live as long; pushes the userdata that holds them. Raises
 * for anything else.
 */
struct mde_claim mde_check_claim(lua_State *L, int index);

#endif
