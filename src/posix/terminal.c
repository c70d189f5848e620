/*
 * mde.posix.terminal: what a command asks about the terminal it may have.
 */
#define _GNU_SOURCE 1 /* TIOCGWINSZ */

#include "posix.h"

#include <sys/ioctl.h>
#include <unistd.h>

static int check_descriptor(lua_State *L)
{
  lua_Integer descriptor = luaL_checkinteger(L, 1);
  luaL_argcheck(L, descriptor >= 0 && descriptor <= 2, 1, "0, 1 or 2");
  return (int)descriptor;
}

/* is_terminal(descriptor) -> whether standard input (0), output (1) or error (2) is one. */
static int terminal_is_terminal(lua_State *L)
{
  lua_pushboolean(L, isatty(check_descriptor(L)));
  return 1;
}

/* columns(descriptor) -> how wide that terminal is, or nil if it does not say. */
static int terminal_columns(lua_State *L)
{
  struct winsize size;
  if (ioctl(check_descriptor(L), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
  lua_pushinteger(L, size.ws_col);
  return 1;
}

static const luaL_Reg functions[] = {
    {"is_terminal", terminal_is_terminal},
    {"columns", terminal_columns},
    {NULL, NULL},
};

void mde_open_terminal(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
