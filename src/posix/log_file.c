/*
 * mde.posix.log_file: bytes in a file that grows, of one process at a time.
 *
 * What is put behind the others is safe on the disk when `append` says so, if that is asked; what a
 * process that is killed was about to put there stands there in part at most. All of it is replaced
 * in one step: a new file is written beside it, and takes its name.
 */
#define _GNU_SOURCE 1 /* fsync, ftruncate, O_DIRECTORY */

#include "own_file.h"
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_FILE "mde.log_file"
#define BESIDE ".new"

enum { MAX_BYTES = 64 * 1024 * 1024, MOST_OPENS = 100 };

struct log_file {
  int descriptor; /* -1: closed */
  uint64_t length;
  bool is_broken; /* nobody knows what stands behind the length */
  char path[];
};

static struct log_file *check_file(lua_State *L)
{
  struct log_file *file = luaL_checkudata(L, 1, LOG_FILE);
  luaL_argcheck(L, file->descriptor >= 0, 1, "the file is closed");
  return file;
}

static int push_problem(lua_State *L, const char *problem)
{
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

static void close_descriptor(struct log_file *file)
{
  int descriptor = file->descriptor;
  file->descriptor = -1;
  if (descriptor >= 0) close(descriptor);
}

/* Whether the open file has its name still: who had it before may have replaced it. */
static bool has_its_name(const struct log_file *file)
{
  struct stat own, named;
  return fstat(file->descriptor, &own) == 0 && lstat(file->path, &named) == 0 &&
         own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

/* Opens it with the lock. NULL; or why not, "" if another one has it. */
static const char *open_locked(struct log_file *file)
{
  for (int i = 0; i < MOST_OPENS; i++) {
    file->descriptor = mde_own_file_open(file->path, O_RDWR | O_CREAT);
    if (file->descriptor < 0) return mde_own_file_refusal(errno);
    const char *flaw = mde_own_file_flaw(file->descriptor);
    if (flaw != NULL) return flaw;
    if (mde_own_file_lock(file->descriptor, true) != 0)
      return mde_own_file_is_taken(errno) ? "" : strerror(errno);
    if (has_its_name(file)) return NULL;
    close_descriptor(file);
  }
  return "somebody replaces it all the time";
}

/*
 * open(path) -> a file, locked | false: somebody else has it | nil, problem
 *
 * Makes the file, for its owner alone, if it is missing. A symbolic link is not followed.
 */
static int log_file_open(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  struct log_file *file = mde_newuserdata(L, sizeof *file + length + 1);
  *file = (struct log_file){.descriptor = -1};
  memcpy(file->path, path, length + 1);
  luaL_getmetatable(L, LOG_FILE);
  lua_setmetatable(L, -2);
  const char *problem = open_locked(file);
  struct stat status;
  if (problem == NULL && fstat(file->descriptor, &status) != 0) problem = strerror(errno);
  if (problem == NULL) {
    file->length = (uint64_t)status.st_size;
    return 1;
  }
  close_descriptor(file);
  if (*problem != '\0') return push_problem(L, problem);
  lua_pushboolean(L, 0);
  return 1;
}

/* file:read() -> all of it | nil, problem */
static int log_file_read(lua_State *L)
{
  struct log_file *file = check_file(L);
  if (file->length > MAX_BYTES) return push_problem(L, "it is too long");
  char *bytes = mde_newuserdata(L, (size_t)file->length + 1);
  ssize_t count = mde_own_file_read(file->descriptor, bytes, (size_t)file->length, 0);
  if (count < 0) return push_problem(L, strerror(errno));
  lua_pushlstring(L, bytes, (size_t)count);
  return 1;
}

/*
 * file:append(bytes, is_safe) -> true | nil, problem: nothing stands behind what was there, or, if
 *   that is not certain, nothing more is put there until all of it is replaced
 *
 * is_safe: it is on the disk when this returns. Otherwise it outlives the process, but perhaps not
 * the machine.
 */
static int log_file_append(lua_State *L)
{
  struct log_file *file = check_file(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  if (file->is_broken) return push_problem(L, "an earlier piece could not be written");
  if (file->length + length > MAX_BYTES) return push_problem(L, "there is too much to keep");
  bool is_written = mde_own_file_write(file->descriptor, bytes, length, file->length);
  bool is_kept = is_written && (!lua_toboolean(L, 3) || fsync(file->descriptor) == 0);
  if (!is_kept) {
    int error = errno;
    /* What could not be made safe may be gone later, though it can be read now. */
    file->is_broken = is_written || ftruncate(file->descriptor, (off_t)file->length) != 0;
    return push_problem(L, strerror(error));
  }
  file->length += length;
  lua_pushboolean(L, 1);
  return 1;
}

/* Has the name outlive the machine. Some file systems cannot, and some need not. */
static void make_name_safe(const char *path)
{
  char directory[4096];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  if (length >= sizeof directory) return;
  memcpy(directory, path, length);
  directory[length] = '\0';
  const char *name = slash == NULL ? "." : length == 0 ? "/" : directory;
  int descriptor = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  bool is_safe = fsync(descriptor) == 0;
  (void)is_safe;
  close(descriptor);
}

/* Writes a new file, locked and safe, under a name beside. NULL, or the problem. */
static const char *write_beside(int *descriptor, const char *path, const char *bytes, size_t length)
{
  unlink(path); /* what a process that was killed has left */
  *descriptor = mde_own_file_open(path, O_RDWR | O_CREAT | O_EXCL);
  if (*descriptor < 0) return mde_own_file_refusal(errno);
  if (mde_own_file_lock(*descriptor, true) != 0 ||
      !mde_own_file_write(*descriptor, bytes, length, 0) || fsync(*descriptor) != 0)
    return strerror(errno);
  return NULL;
}

/* file:replace(bytes) -> true: these are all of it, and safe | nil, problem: it is as it was */
static int log_file_replace(lua_State *L)
{
  struct log_file *file = check_file(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  if (length > MAX_BYTES) return push_problem(L, "there is too much to keep");
  lua_pushfstring(L, "%s" BESIDE, file->path);
  const char *beside = lua_tostring(L, -1);
  int descriptor = -1;
  const char *problem = write_beside(&descriptor, beside, bytes, length);
  if (problem == NULL && rename(beside, file->path) != 0) problem = strerror(errno);
  if (problem != NULL) {
    if (descriptor >= 0) {
      close(descriptor);
      unlink(beside);
    }
    return push_problem(L, problem);
  }
  make_name_safe(file->path);
  close_descriptor(file);
  file->descriptor = descriptor;
  file->length = length;
  file->is_broken = false;
  lua_pushboolean(L, 1);
  return 1;
}

/* file:length() -> how many bytes are in it */
static int log_file_length(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)check_file(L)->length);
  return 1;
}

/* file:close(): a second time is harmless. The lock goes with it. */
static int log_file_close(lua_State *L)
{
  close_descriptor(luaL_checkudata(L, 1, LOG_FILE));
  return 0;
}

static const luaL_Reg functions[] = {{"open", log_file_open}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"read", log_file_read},     {"append", log_file_append}, {"replace", log_file_replace},
    {"length", log_file_length}, {"close", log_file_close},   {NULL, NULL},
};

static const luaL_Reg metamethods[] = {{"__gc", log_file_close}, {NULL, NULL}};

void mde_open_log_file(lua_State *L)
{
  mde_metatable(L, LOG_FILE, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
