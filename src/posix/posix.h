/*
 * posix: the concepts of mde.posix, which src/posix/posix.c gathers.
 */
#ifndef MDE_POSIX_H
#define MDE_POSIX_H

#include "compat.h"

/* The opening function of each concept: pushes one table of functions. */
void mde_open_certificate_directory(lua_State *L);
void mde_open_clock(lua_State *L);
void mde_open_directory(lua_State *L);
void mde_open_entropy(lua_State *L);
void mde_open_fork(lua_State *L);
void mde_open_locked_file(lua_State *L);
void mde_open_log_file(lua_State *L);
void mde_open_process(lua_State *L);
void mde_open_secret_file(lua_State *L);
void mde_open_signal(lua_State *L);
void mde_open_terminal(lua_State *L);

#endif
