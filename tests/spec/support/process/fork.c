/*
 * tests.fork: what a test needs of a forking host, which Lua has not.
 *
 *   fork.fork() -> the child's process id in the parent, 0 in the child
 *   fork.wait(process_id) -> its exit status, or 128 + the signal that ended it
 *   fork.exit(status): ends the process at once; the Lua state is not closed
 */
#include "compat.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

MDE_EXPORT int luaopen_tests_fork(lua_State *L);

static int fork_fork(lua_State *L)
{
  pid_t child = fork();
  if (child < 0) return luaL_error(L, "could not fork");
  lua_pushinteger(L, child);
  return 1;
}

static int fork_wait(lua_State *L)
{
  pid_t child = (pid_t)luaL_checkinteger(L, 1);
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return luaL_error(L, "that is no child of this process");
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 1;
}

static int fork_exit(lua_State *L)
{
  _exit((int)luaL_checkinteger(L, 1));
}

static const luaL_Reg functions[] = {
    {"fork", fork_fork},
    {"wait", fork_wait},
    {"exit", fork_exit},
    {NULL, NULL},
};

int luaopen_tests_fork(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
  return 1;
}
