/*
 * mde.posix.fork: whether this process is a fork of the one that loaded the module.
 */
#define _GNU_SOURCE 1 /* pthread_atfork */

#include "posix.h"

#include <pthread.h>

static lua_Integer generation;

static void after_fork_in_child(void)
{
  generation++;
}

/* generation() -> a number that grows in the child of each fork; handles of another one are not
 * ours. */
static int fork_generation(lua_State *L)
{
  lua_pushinteger(L, generation);
  return 1;
}

static const luaL_Reg functions[] = {
    {"generation", fork_generation},
    {NULL, NULL},
};

static pthread_once_t watching_forks = PTHREAD_ONCE_INIT;

static void watch_forks(void)
{
  pthread_atfork(NULL, NULL, after_fork_in_child);
}

void mde_open_fork(lua_State *L)
{
  pthread_once(&watching_forks, watch_forks);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
