/*
 * mde.posix.signal: what a command decides for its process, and a library never for its host: that
 * signals are counted instead of ending it.
 */
#define _GNU_SOURCE 1 /* sigaction */

#include "posix.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interruptions;

static void count_interruption(int signal_number)
{
  (void)signal_number;
  if (interruptions < 2) interruptions++;
}

/* A terminal that closes may say so several times over, and means no more by it than once. */
static void count_hangup(int signal_number)
{
  (void)signal_number;
  if (interruptions < 1) interruptions = 1;
}

/* A system call that waits returns early, so that the count is looked at. */
static void handle(int signal_number, void (*handler)(int))
{
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_handler = handler;
  sigaction(signal_number, &action, NULL);
}

static bool is_ignored(int signal_number)
{
  struct sigaction action;
  return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/*
 * watch(): from now on SIGINT, SIGTERM and SIGHUP are counted instead of ending the process (SIGHUP
 * stays ignored where it is, as nohup has it). Writing to a closed pipe is an error, and so is
 * writing more to a file than the limits of the process allow.
 */
static int signal_watch(lua_State *L)
{
  (void)L;
  handle(SIGINT, count_interruption);
  handle(SIGTERM, count_interruption);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, count_hangup);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
  return 0;
}

/* interruptions() -> how often the process was asked to end since it watches: 0, 1 or 2. */
static int signal_interruptions(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)interruptions);
  return 1;
}

static const luaL_Reg functions[] = {
    {"watch", signal_watch},
    {"interruptions", signal_interruptions},
    {NULL, NULL},
};

void mde_open_signal(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
