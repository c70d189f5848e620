/*
 * mde.posix.secret_file: a file with something secret in it, read into a secret of mde.core without
 * a Lua string in between.
 */
#define _GNU_SOURCE 1 /* O_CLOEXEC, st_mtim */

#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ascii.h"
#include "buffer.h"
#include "secret_value.h"
#include "wipe.h"

#define STAMP_SIZE 160

#ifdef __APPLE__
#define MODIFIED st_mtimespec
#define CHANGED st_ctimespec
#else
#define MODIFIED st_mtim
#define CHANGED st_ctim
#endif

/* Changes whenever the file does: who it is, how long, and when it was written or replaced. */
static void write_stamp(const struct stat *status, char stamp[STAMP_SIZE])
{
  snprintf(stamp, STAMP_SIZE, "%ju-%ju-%jd-%jd.%09ld-%jd.%09ld", (uintmax_t)status->st_dev,
           (uintmax_t)status->st_ino, (intmax_t)status->st_size, (intmax_t)status->MODIFIED.tv_sec,
           status->MODIFIED.tv_nsec, (intmax_t)status->CHANGED.tv_sec, status->CHANGED.tv_nsec);
}

/* What speaks against reading the file; NULL: nothing. */
static const char *flaw_of(const struct stat *status)
{
  if (!S_ISREG(status->st_mode)) return "it is no regular file";
  if (status->st_mode & S_IWOTH) return "everybody on this machine may write it";
  if (status->st_size > MDE_SECRET_MAX_BYTES) return "it is longer than 65536 bytes";
  return NULL;
}

static bool begins_with(const struct mde_buffer *secret, const char *mark)
{
  size_t length = strlen(mark);
  return secret->length >= length && memcmp(secret->bytes, mark, length) == 0;
}

/* Takes away what editors put around a secret: a byte order mark, and white space at both ends. */
static void trim(struct mde_buffer *secret)
{
  static const char mark[] = "\xef\xbb\xbf";
  size_t begin = begins_with(secret, mark) ? strlen(mark) : 0;
  while (begin < secret->length && mde_ascii_is_space(secret->bytes[begin]))
    begin++;
  while (secret->length > begin && mde_ascii_is_space(secret->bytes[secret->length - 1]))
    secret->length--;
  secret->length -= begin;
  if (begin > 0 && secret->length > 0)
    memmove(secret->bytes, secret->bytes + begin, secret->length);
}

/* What is wrong with a file that an editor of Windows may have written. */
static const char utf16[] = "it is UTF-16, as PowerShell's > and Notepad's Unicode write it";

/* Reads to the end of the file. NULL, or what went wrong. */
static const char *read_all(int file, struct mde_buffer *secret)
{
  char part[4096];
  const char *problem = NULL;
  ssize_t count = 0;
  do {
    count = read(file, part, sizeof part);
    if (count > 0) {
      int status = mde_buffer_append(secret, part, (size_t)count);
      if (status == MDE_BUFFER_TOO_LONG) problem = "it is longer than 65536 bytes";
      if (status == MDE_BUFFER_NO_MEMORY) problem = "there is not enough memory";
    } else if (count < 0 && errno != EINTR) {
      problem = strerror(errno);
    }
  } while (problem == NULL && (count > 0 || (count < 0 && errno == EINTR)));
  mde_wipe(part, sizeof part);
  if (problem != NULL) return problem;
  if (begins_with(secret, "\xff\xfe") || begins_with(secret, "\xfe\xff")) return utf16;
  trim(secret);
  return secret->length == 0 ? "it is empty" : NULL;
}

/* Opens, looks and reads; nothing of Lua in here. NULL, or what went wrong. */
static const char *read_file(const char *path, struct mde_buffer *secret, struct stat *status)
{
  /* Opening a FIFO would otherwise wait for somebody to write. */
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return strerror(errno);
  const char *problem = fstat(file, status) == 0 ? flaw_of(status) : strerror(errno);
  if (problem == NULL) problem = read_all(file, secret);
  close(file);
  if (problem != NULL) mde_buffer_clear(secret);
  return problem;
}

static int push_problem(lua_State *L, const char *path, const char *problem)
{
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, problem);
  return 2;
}

static const char *check_path(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  return path;
}

/*
 * read(path) -> a secret, stamp [, remark, is_writable] | nil, problem [, what to do]
 *
 * White space at its ends and a byte order mark are no part of the secret. `remark` says that
 * others than the owner may read the file, or write it: its group may then. Symbolic links are
 * followed.
 */
static int secret_file_read(lua_State *L)
{
  const char *path = check_path(L);
  struct mde_buffer *secret = mde_push_secret(L);
  struct stat status;
  const char *problem = read_file(path, secret, &status);
  if (problem != NULL) {
    int count = push_problem(L, path, problem);
    if (problem != utf16) return count;
    lua_pushliteral(L, "Save it as UTF-8, or as ASCII: PowerShell needs -Encoding ascii.");
    return count + 1;
  }
  char stamp[STAMP_SIZE];
  write_stamp(&status, stamp);
  lua_pushstring(L, stamp);
  if ((status.st_mode & (S_IRGRP | S_IROTH | S_IWGRP)) == 0) return 2;
  lua_pushfstring(L, "%s may be %s others than its owner: chmod 600 it", path,
                  status.st_mode & S_IWGRP ? "written by" : "read by");
  lua_pushboolean(L, (status.st_mode & S_IWGRP) != 0);
  return 4;
}

/* stamp(path) -> a text that changes when the file does | nil, problem */
static int secret_file_stamp(lua_State *L)
{
  const char *path = check_path(L);
  struct stat status;
  if (stat(path, &status) != 0) return push_problem(L, path, strerror(errno));
  char stamp[STAMP_SIZE];
  write_stamp(&status, stamp);
  lua_pushstring(L, stamp);
  return 1;
}

static const luaL_Reg functions[] = {
    {"read", secret_file_read},
    {"stamp", secret_file_stamp},
    {NULL, NULL},
};

void mde_open_secret_file(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
