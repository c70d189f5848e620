/*
 * mde.core.process: what a command decides for its process, and a library never for its host: what
 * becomes of signals and core dumps. And what a command asks about the terminal it may have.
 */
#define _GNU_SOURCE 1 /* TIOCGWINSZ, sigaction */

#include "compat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* LeakSanitizer reads a process as a debugger does. */
#if defined(__SANITIZE_ADDRESS__)
#define MUST_STAY_DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MUST_STAY_DUMPABLE 1
#endif
#endif
#ifndef MUST_STAY_DUMPABLE
#define MUST_STAY_DUMPABLE 0
#endif

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
 * watch_signals(): from now on SIGINT, SIGTERM and SIGHUP are counted instead of ending the process
 * (SIGHUP stays ignored where it is, as nohup has it), and writing to a closed pipe is an error.
 */
static int process_watch_signals(lua_State *L)
{
  (void)L;
  handle(SIGINT, count_interruption);
  handle(SIGTERM, count_interruption);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, count_hangup);
  handle(SIGPIPE, SIG_IGN);
  return 0;
}

/* interruptions() -> how often the process was asked to end since it watches: 0, 1 or 2. */
static int process_interruptions(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)interruptions);
  return 1;
}

static int return_problem(lua_State *L, const char *what)
{
  int problem = errno;
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, strerror(problem));
  return 2;
}

/*
 * Whoever starts a program with a standard stream closed has its next file or connection take that
 * number, and with it whatever is printed. The stand-in is opened the wrong way round, so that
 * using it fails as using a closed one does.
 */
static bool occupy_closed_streams(void)
{
  for (int stream = 0; stream <= 2; stream++)
    if (fcntl(stream, F_GETFD) == -1 &&
        open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY) != stream)
      return false;
  return true;
}

/*
 * harden() -> true, or nil and why not: no core dump, no other process of the same user may read
 * this one's memory, where a secret may be, and no connection takes the place of a standard stream.
 */
static int process_harden(lua_State *L)
{
  static const struct rlimit none = {0, 0};
  if (!occupy_closed_streams()) return return_problem(L, "a standard stream is closed");
  if (setrlimit(RLIMIT_CORE, &none) != 0) return return_problem(L, "core dumps stay possible");
  if (!MUST_STAY_DUMPABLE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return return_problem(L, "the process stays readable");
  lua_pushboolean(L, 1);
  return 1;
}

static int check_descriptor(lua_State *L)
{
  lua_Integer descriptor = luaL_checkinteger(L, 1);
  luaL_argcheck(L, descriptor >= 0 && descriptor <= 2, 1, "0, 1 or 2");
  return (int)descriptor;
}

/* is_terminal(descriptor) -> whether standard input (0), output (1) or error (2) is one. */
static int process_is_terminal(lua_State *L)
{
  lua_pushboolean(L, isatty(check_descriptor(L)));
  return 1;
}

/* columns(descriptor) -> how wide that terminal is, or nil if it does not say. */
static int process_columns(lua_State *L)
{
  struct winsize size;
  if (ioctl(check_descriptor(L), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
  lua_pushinteger(L, size.ws_col);
  return 1;
}

static const luaL_Reg functions[] = {
    {"watch_signals", process_watch_signals},
    {"interruptions", process_interruptions},
    {"harden", process_harden},
    {"is_terminal", process_is_terminal},
    {"columns", process_columns},
    {NULL, NULL},
};

void mde_open_process(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
