/*
 * mde.posix.signal: what a command decides for its process, and a library never for its host: that
 * signals are counted instead of ending it.
 */
#define _GNU_SOURCE 1 /* sigaction */

#include "posix.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interruptions;
/* After so many, who does not look for so long is ended; 0: never. */
static volatile sig_atomic_t last_interruption, grace_seconds;

static void await_look(void)
{
  if (last_interruption > 0 && interruptions >= last_interruption) alarm((unsigned)grace_seconds);
}

static void count_interruption(int signal_number)
{
  (void)signal_number;
  if (interruptions < 2) interruptions++;
  await_look();
}

/* A terminal that closes may say so several times over, and means no more by it than once. */
static void count_hangup(int signal_number)
{
  (void)signal_number;
  if (interruptions < 1) interruptions = 1;
  await_look();
}

static void end_process(int signal_number)
{
  static const char said[] = "\nmde: interrupted while the playbook did not wait for anything\n";
  (void)signal_number;
  if (write(STDERR_FILENO, said, sizeof said - 1) < 0) {
    /* Nobody is there to be told. */
  }
  _exit(130);
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

/*
 * end_unless_looked_at(count, seconds): from the count-th time on that it is asked to end, the process
 * is ended with status 130 if interruptions() is not called within so many seconds: it computes, and
 * waits for nothing. Never with a count of 0.
 */
static int signal_end_unless_looked_at(lua_State *L)
{
  lua_Integer count = luaL_checkinteger(L, 1);
  lua_Integer seconds = luaL_optinteger(L, 2, 1);
  luaL_argcheck(L, count >= 0 && count <= 2, 1, "must be 0, 1 or 2");
  luaL_argcheck(L, seconds >= 1 && seconds <= 3600, 2, "must be 1 to 3600 seconds");
  handle(SIGALRM, end_process);
  grace_seconds = (sig_atomic_t)seconds;
  last_interruption = (sig_atomic_t)count;
  if (count == 0) alarm(0);
  return 0;
}

/* interruptions() -> how often the process was asked to end since it watches: 0, 1 or 2. */
static int signal_interruptions(lua_State *L)
{
  if (last_interruption > 0 && interruptions > 0) alarm(0);
  lua_pushinteger(L, (lua_Integer)interruptions);
  return 1;
}

static const luaL_Reg functions[] = {
    {"watch", signal_watch},
    {"interruptions", signal_interruptions},
    {"end_unless_looked_at", signal_end_unless_looked_at},
    {NULL, NULL},
};

void mde_open_signal(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
