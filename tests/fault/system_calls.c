/*
 * system_calls: fails the k-th system call of a driver or a file store, as the kernel may fail it.
 *
 * Preloaded, it stands between libcurl, OpenSSL and mde's modules and the C library. As a Lua
 * module it is told what to do:
 *
 *   arm(k, variant)  the k-th call from now on fails, with that one of its errors (1, 2...)
 *   arm(k, variant, true)  the same, and behind the last of its errors comes the first again
 *   disarm() -> calls, name, errno   how many calls there were, and which one failed, if one did
 *
 * Which errors a call may have stands with it; fcntl can have some only where it asks for a lock.
 * What is closed is closed all the same.
 */
#define _GNU_SOURCE 1 /* RTLD_NEXT */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <lua.h>
#include <lauxlib.h>

enum { MOST_ERRORS = 4 };

/* <sys/socket.h> declares some of them with types of GNU's own. */
struct sockaddr;

struct call {
  const char *name;
  int errors[MOST_ERRORS]; /* up to 0 */
};

static atomic_long calls;
static atomic_long fail_at; /* 0: none */
static atomic_int variant;
static atomic_bool goes_round;
static _Atomic(const struct call *) failed;
static atomic_int failed_with;

static int count_errors(const struct call *call)
{
  int count = 1; /* each has one */
  while (count < MOST_ERRORS && call->errors[count] != 0)
    count++;
  return count;
}

/* Whether this call is the one. Sets errno then. */
static bool fails(const struct call *call)
{
  long wanted = fail_at;
  if (wanted == 0 || ++calls != wanted) return false;
  int which = variant - 1;
  if (goes_round) which %= count_errors(call);
  int error = call->errors[which];
  if (error == 0) return false;
  failed = call;
  failed_with = error;
  errno = error;
  return true;
}

#define NEXT(type, name, ...)                                                                      \
  static type (*next)(__VA_ARGS__);                                                                \
  if (next == NULL) *(void **)(&next) = dlsym(RTLD_NEXT, name)

#define EXPORT __attribute__((visibility("default")))

EXPORT int socket(int domain, int type, int protocol)
{
  static const struct call call = {"socket", {EMFILE, ENOBUFS, EACCES}};
  NEXT(int, "socket", int, int, int);
  return fails(&call) ? -1 : next(domain, type, protocol);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
  static const struct call call = {"connect", {ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL}};
  NEXT(int, "connect", int, const struct sockaddr *, socklen_t);
  return fails(&call) ? -1 : next(fd, address, length);
}

EXPORT ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
  static const struct call call = {"send", {ECONNRESET, EPIPE, EAGAIN, EINTR}};
  NEXT(ssize_t, "send", int, const void *, size_t, int);
  return fails(&call) ? -1 : next(fd, bytes, length, flags);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t length)
{
  static const struct call call = {"write", {ECONNRESET, EPIPE, EAGAIN, EINTR}};
  NEXT(ssize_t, "write", int, const void *, size_t);
  return fails(&call) ? -1 : next(fd, bytes, length);
}

EXPORT ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
  static const struct call call = {"recv", {ECONNRESET, ETIMEDOUT, EAGAIN, EINTR}};
  NEXT(ssize_t, "recv", int, void *, size_t, int);
  return fails(&call) ? -1 : next(fd, bytes, length, flags);
}

EXPORT ssize_t read(int fd, void *bytes, size_t length)
{
  static const struct call call = {"read", {ECONNRESET, EIO, EAGAIN, EINTR}};
  NEXT(ssize_t, "read", int, void *, size_t);
  return fails(&call) ? -1 : next(fd, bytes, length);
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
  static const struct call call = {"poll", {EINTR, ENOMEM}};
  NEXT(int, "poll", struct pollfd *, nfds_t, int);
  return fails(&call) ? -1 : next(fds, count, milliseconds);
}

EXPORT int epoll_create1(int flags)
{
  static const struct call call = {"epoll_create1", {EMFILE, ENOMEM}};
  NEXT(int, "epoll_create1", int);
  return fails(&call) ? -1 : next(flags);
}

EXPORT int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
  static const struct call call = {"epoll_ctl", {ENOMEM, ENOSPC}};
  NEXT(int, "epoll_ctl", int, int, int, struct epoll_event *);
  return fails(&call) ? -1 : next(epoll, operation, fd, event);
}

EXPORT int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds)
{
  static const struct call call = {"epoll_wait", {EINTR}};
  NEXT(int, "epoll_wait", int, struct epoll_event *, int, int);
  return fails(&call) ? -1 : next(epoll, events, most, milliseconds);
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
  static const struct call call = {"socketpair", {EMFILE, ENOMEM}};
  NEXT(int, "socketpair", int, int, int, int *);
  return fails(&call) ? -1 : next(domain, type, protocol, fds);
}

EXPORT int pipe(int fds[2])
{
  static const struct call call = {"pipe", {EMFILE}};
  NEXT(int, "pipe", int *);
  return fails(&call) ? -1 : next(fds);
}

EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
  static const struct call call = {"getsockopt", {ENOBUFS}};
  NEXT(int, "getsockopt", int, int, int, void *, socklen_t *);
  return fails(&call) ? -1 : next(fd, level, name, value, length);
}

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
  static const struct call call = {"setsockopt", {ENOBUFS, ENOPROTOOPT}};
  NEXT(int, "setsockopt", int, int, int, const void *, socklen_t);
  return fails(&call) ? -1 : next(fd, level, name, value, length);
}

EXPORT int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
  static const struct call call = {"getsockname", {ENOBUFS}};
  NEXT(int, "getsockname", int, struct sockaddr *, socklen_t *);
  return fails(&call) ? -1 : next(fd, address, length);
}

EXPORT int open(const char *path, int flags, ...)
{
  static const struct call call = {"open", {EMFILE, EACCES, ENOENT}};
  NEXT(int, "open", const char *, int, ...);
  va_list arguments;
  va_start(arguments, flags);
  int mode = va_arg(arguments, int);
  va_end(arguments);
  return fails(&call) ? -1 : next(path, flags, mode);
}

EXPORT int close(int fd)
{
  static const struct call call = {"close", {EIO, EINTR}};
  NEXT(int, "close", int);
  int result = next(fd);
  return fails(&call) ? -1 : result;
}

EXPORT int fcntl(int fd, int command, ...)
{
  static const struct call call = {"fcntl", {ENOLCK, EAGAIN, EINTR}};
  NEXT(int, "fcntl", int, int, ...);
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *); /* a number is passed in the same place */
  va_end(arguments);
  return command == F_OFD_SETLK && fails(&call) ? -1 : next(fd, command, argument);
}

EXPORT int fstat(int fd, struct stat *status)
{
  static const struct call call = {"fstat", {EIO, ENOMEM}};
  NEXT(int, "fstat", int, struct stat *);
  return fails(&call) ? -1 : next(fd, status);
}

EXPORT ssize_t pread(int fd, void *bytes, size_t length, off_t place)
{
  static const struct call call = {"pread", {EIO, EINTR}};
  NEXT(ssize_t, "pread", int, void *, size_t, off_t);
  return fails(&call) ? -1 : next(fd, bytes, length, place);
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t length, off_t place)
{
  static const struct call call = {"pwrite", {EIO, ENOSPC, EDQUOT, EINTR}};
  NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t);
  return fails(&call) ? -1 : next(fd, bytes, length, place);
}

EXPORT int ftruncate(int fd, off_t length)
{
  static const struct call call = {"ftruncate", {EIO, EINTR}};
  NEXT(int, "ftruncate", int, off_t);
  return fails(&call) ? -1 : next(fd, length);
}

/* ---- for Lua */

static int arm(lua_State *L)
{
  long at = (long)luaL_checkinteger(L, 1);
  int which = (int)luaL_checkinteger(L, 2);
  luaL_argcheck(L, at >= 1, 1, "1 or more expected");
  luaL_argcheck(L, which >= 1 && which <= MOST_ERRORS, 2, "1 to 4 expected");
  fail_at = 0;
  calls = 0;
  failed = NULL;
  variant = which;
  goes_round = lua_toboolean(L, 3);
  fail_at = at;
  return 0;
}

static int disarm(lua_State *L)
{
  fail_at = 0;
  lua_pushinteger(L, (lua_Integer)calls);
  const struct call *call = failed;
  if (call == NULL) return 1;
  lua_pushstring(L, call->name);
  lua_pushinteger(L, failed_with);
  return 3;
}

EXPORT int luaopen_tests_system_calls(lua_State *L);

int luaopen_tests_system_calls(lua_State *L)
{
  lua_newtable(L);
  lua_pushcfunction(L, arm);
  lua_setfield(L, -2, "arm");
  lua_pushcfunction(L, disarm);
  lua_setfield(L, -2, "disarm");
  return 1;
}
