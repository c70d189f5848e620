/*
 * mde.posix.process: what a command decides for its process, and a library never for its host: that
 * nobody reads its memory.
 */
#define _GNU_SOURCE 1 /* fcntl, setrlimit */

#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__linux__) && !defined(MDE_PORTABLE)
#include <sys/prctl.h>
#elif defined(__FreeBSD__)
#include <sys/procctl.h>
#endif

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

static int return_problem(lua_State *L, const char *what)
{
  int problem = errno;
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, strerror(problem));
  return 2;
}

/* Elsewhere than on these the system's own rules say who may read a process: on macOS, root and who
 * has an entitlement for it. */
static bool refuse_readers(void)
{
#if defined(__linux__) && !defined(MDE_PORTABLE)
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
#elif defined(__FreeBSD__)
  int control = PROC_TRACE_CTL_DISABLE;
  return procctl(P_PID, 0, PROC_TRACE_CTL, &control) == 0;
#else
  return true;
#endif
}

/*
 * Who starts a program with a standard stream closed has its next file or connection take that
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
  if (!MUST_STAY_DUMPABLE && !refuse_readers())
    return return_problem(L, "the process stays readable");
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg functions[] = {
    {"harden", process_harden},
    {NULL, NULL},
};

void mde_open_process(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
