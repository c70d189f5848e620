/*
 * mde.posix.locked_file: one text in a file that several processes change, one at a time.
 *
 * The lock belongs to the open file, not to the process (F_OFD_SETLK, elsewhere flock), so it also
 * stands between two Lua states of one process, and goes with the process that dies. The text never
 * stands half written: a new one is put beside the old one, and then a head of 24 bytes that says
 * where it is. A disk that is full, or a process that is killed in between, leaves the old text.
 *
 *   byte 0   "mdefile1"
 *        8   where the text begins     64 bits each, the lowest byte first
 *       16   how long it is
 */
#define _GNU_SOURCE 1 /* F_OFD_SETLK, O_CLOEXEC, O_NOFOLLOW */

#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCKED_FILE "mde.locked_file"
#define MAGIC "mdefile1"

enum { HEAD = 24, MAX_TEXT = 16 * 1024 * 1024 };

struct locked_file {
  int descriptor; /* -1: closed */
  uint64_t place; /* of the text that was read last; 0: there is none yet */
  uint64_t length;
};

static struct locked_file *check_file(lua_State *L)
{
  struct locked_file *file = luaL_checkudata(L, 1, LOCKED_FILE);
  luaL_argcheck(L, file->descriptor >= 0, 1, "the file is closed");
  return file;
}

static int push_problem(lua_State *L, const char *problem)
{
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

/* What speaks against keeping anything in the file; NULL: nothing. */
static const char *flaw_of(int descriptor)
{
  struct stat status;
  if (fstat(descriptor, &status) != 0) return strerror(errno);
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  if (status.st_mode & S_IWOTH) return "everybody on this machine may write it";
  return NULL;
}

static const char *check_path(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  return path;
}

/* A descriptor; negative: errno tells. A symbolic link is not followed. */
static int open_path(const char *path, int flags)
{
  /* Opening a FIFO would otherwise wait for somebody to write. */
  flags |= O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
  return open(path, flags, S_IRUSR | S_IWUSR);
}

/* Why it could not be opened. */
static const char *refusal_of(int error)
{
  /* EMLINK is what FreeBSD says. */
  return error == ELOOP || error == EMLINK ? "it is a symbolic link" : strerror(error);
}

/*
 * open(path) -> a file | nil, problem
 *
 * Makes the file, for its owner alone, if there is none. A symbolic link is not followed.
 */
static int locked_file_open(lua_State *L)
{
  const char *path = check_path(L);
  struct locked_file *file = mde_newuserdata(L, sizeof *file);
  *file = (struct locked_file){.descriptor = -1};
  luaL_getmetatable(L, LOCKED_FILE);
  lua_setmetatable(L, -2);
  file->descriptor = open_path(path, O_RDWR | O_CREAT);
  if (file->descriptor < 0) return push_problem(L, refusal_of(errno));
  const char *flaw = flaw_of(file->descriptor);
  return flaw == NULL ? 1 : push_problem(L, flaw);
}

static int change_lock(int descriptor, bool wanted)
{
#if defined(F_OFD_SETLK) && !defined(MDE_PORTABLE)
  struct flock lock = {.l_type = (short)(wanted ? F_WRLCK : F_UNLCK), .l_whence = SEEK_SET};
  return fcntl(descriptor, F_OFD_SETLK, &lock);
#else
  return flock(descriptor, wanted ? LOCK_EX | LOCK_NB : LOCK_UN);
#endif
}

/* Whether another open file has the lock: 1, 0; negative: errno tells. */
static int ask_lock(int descriptor)
{
#if defined(F_OFD_GETLK) && !defined(MDE_PORTABLE)
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 ? lock.l_type != F_UNLCK : -1;
#else
  /* flock cannot be asked: it is taken for an instant, and others may ask at the same time. */
  if (flock(descriptor, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK ? 1 : -1;
  flock(descriptor, LOCK_UN);
  return 0;
#endif
}

/*
 * is_locked(path) -> true: somebody has it | false: nobody has, or there is no such file |
 *   nil, problem
 *
 * Makes and takes nothing, so another one that locks it meanwhile gets it.
 */
static int locked_file_is_locked(lua_State *L)
{
  int descriptor = open_path(check_path(L), O_RDONLY);
  bool is_there = descriptor >= 0 || errno != ENOENT;
  if (is_there && descriptor < 0) return push_problem(L, refusal_of(errno));
  const char *problem = is_there ? flaw_of(descriptor) : NULL;
  int locked = is_there && problem == NULL ? ask_lock(descriptor) : 0;
  if (locked < 0) problem = strerror(errno);
  if (is_there) close(descriptor);
  if (problem != NULL) return push_problem(L, problem);
  lua_pushboolean(L, locked);
  return 1;
}

/* file:lock() -> true | false: somebody else has it | nil, problem. Never waits. */
static int locked_file_lock(lua_State *L)
{
  struct locked_file *file = check_file(L);
  if (change_lock(file->descriptor, true) == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (errno != EAGAIN && errno != EACCES && errno != EINTR) return push_problem(L, strerror(errno));
  lua_pushboolean(L, 0);
  return 1;
}

/* file:unlock() */
static int locked_file_unlock(lua_State *L)
{
  struct locked_file *file = check_file(L);
  change_lock(file->descriptor, false);
  return 0;
}

static uint64_t read_number(const unsigned char *bytes)
{
  uint64_t number = 0;
  for (int i = 0; i < 8; i++)
    number |= (uint64_t)bytes[i] << (8 * i);
  return number;
}

static void write_number(unsigned char *bytes, uint64_t number)
{
  for (int i = 0; i < 8; i++)
    bytes[i] = (unsigned char)(number >> (8 * i));
}

/* How many bytes could be read, which is fewer at the end of the file; negative: errno tells. */
static ssize_t read_at(int descriptor, void *bytes, size_t length, uint64_t place)
{
  size_t done = 0;
  while (done < length) {
    ssize_t count = pread(descriptor, (char *)bytes + done, length - done, (off_t)(place + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    done += (size_t)count;
  }
  return (ssize_t)done;
}

static bool write_at(int descriptor, const void *bytes, size_t length, uint64_t place)
{
  size_t done = 0;
  while (done < length) {
    ssize_t count =
        pwrite(descriptor, (const char *)bytes + done, length - done, (off_t)(place + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += (size_t)count;
  }
  return true;
}

/* Reads where the text is. NULL, or what is wrong. */
static const char *read_head(struct locked_file *file)
{
  unsigned char head[HEAD];
  file->place = file->length = 0;
  ssize_t count = read_at(file->descriptor, head, sizeof head, 0);
  if (count < 0) return strerror(errno);
  if (count == 0) return NULL;
  if (count < HEAD || memcmp(head, MAGIC, 8) != 0) return "it holds something else";
  file->place = read_number(head + 8);
  file->length = read_number(head + 16);
  if (file->place < HEAD || file->place > 4 * MAX_TEXT || file->length > MAX_TEXT) {
    file->place = file->length = 0;
    return "it is damaged";
  }
  return NULL;
}

/*
 * file:read() -> the text, "" in a new file | nil, problem. Call it with the lock held.
 */
static int locked_file_read(lua_State *L)
{
  struct locked_file *file = check_file(L);
  const char *problem = read_head(file);
  if (problem != NULL) return push_problem(L, problem);
  char *text = mde_newuserdata(L, (size_t)file->length + 1);
  ssize_t count = read_at(file->descriptor, text, (size_t)file->length, file->place);
  if (count < 0) return push_problem(L, strerror(errno));
  if ((uint64_t)count < file->length) return push_problem(L, "it is damaged");
  lua_pushlstring(L, text, (size_t)file->length);
  return 1;
}

/*
 * file:write(text) -> true | nil, problem: the text that was there stays
 *
 * Call it with the lock held, after reading the file under it.
 */
static int locked_file_write(lua_State *L)
{
  struct locked_file *file = check_file(L);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  if (length > MAX_TEXT) return push_problem(L, "there is too much to keep");
  bool fits_before = file->place >= HEAD + length;
  uint64_t place = file->place == 0 || fits_before ? HEAD : file->place + file->length;
  unsigned char head[HEAD];
  memcpy(head, MAGIC, 8);
  write_number(head + 8, place);
  write_number(head + 16, length);
  if (!write_at(file->descriptor, text, length, place) ||
      !write_at(file->descriptor, head, sizeof head, 0))
    return push_problem(L, strerror(errno));
  file->place = place;
  file->length = length;
  /* What lies behind is of no use, and does no harm if it stays. */
  bool shortened = ftruncate(file->descriptor, (off_t)(place + length)) == 0;
  (void)shortened;
  lua_pushboolean(L, 1);
  return 1;
}

/* file:close(): a second time is harmless. The lock goes with it. */
static int locked_file_close(lua_State *L)
{
  struct locked_file *file = luaL_checkudata(L, 1, LOCKED_FILE);
  int descriptor = file->descriptor;
  file->descriptor = -1;
  if (descriptor >= 0) close(descriptor);
  return 0;
}

static const luaL_Reg functions[] = {
    {"open", locked_file_open},
    {"is_locked", locked_file_is_locked},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"lock", locked_file_lock},   {"unlock", locked_file_unlock}, {"read", locked_file_read},
    {"write", locked_file_write}, {"close", locked_file_close},   {NULL, NULL},
};

static const luaL_Reg metamethods[] = {
    {"__gc", locked_file_close},
    {NULL, NULL},
};

void mde_open_locked_file(lua_State *L)
{
  mde_metatable(L, LOCKED_FILE, methods, metamethods);
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
