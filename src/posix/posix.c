/*
 * mde.posix: what only the operating system knows or does, and mde.core never asks for: clocks,
 * randomness, files, signals. One file for each concept; this one only gathers them.
 *
 * It loads mde.core first, which makes the type of the secrets that secret_file.read() returns.
 */
#include "posix.h"

/* One a line, however many there are. */
/* clang-format off */
static const struct {
  const char *name;
  void (*open)(lua_State *L);
} concepts[] = {
    {"certificate_directory", mde_open_certificate_directory},
    {"clock", mde_open_clock},
    {"directory", mde_open_directory},
    {"entropy", mde_open_entropy},
    {"fork", mde_open_fork},
    {"locked_file", mde_open_locked_file},
    {"log_file", mde_open_log_file},
    {"process", mde_open_process},
    {"secret_file", mde_open_secret_file},
    {"signal", mde_open_signal},
    {"terminal", mde_open_terminal},
};
/* clang-format on */

MDE_EXPORT int luaopen_mde_posix(lua_State *L);

int luaopen_mde_posix(lua_State *L)
{
  luaL_checkstack(L, 8, "mde.posix");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "mde.core");
  lua_call(L, 1, 0);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof concepts / sizeof concepts[0]; i++) {
    concepts[i].open(L);
    lua_setfield(L, -2, concepts[i].name);
  }
  return 1;
}
