/*
 * mde.posix.locked_file: one text in a file that several processes change, one at a time.
 *
 * The lock also stands between two Lua states of one process (own_file.h). The text never stands
 * half written: a new one is put beside the old one, and then a head of 24 bytes that says where it
 * is. A disk that is full, or a process that is killed in between, leaves the old text.
 *
 *   byte 0   "mdefile1"
 *        8   where the text begins     64 bits each, the lowest byte first
 *       16   how long it is
 */
#define _GNU_SOURCE 1 /* ftruncate */

#include "own_file.h"
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
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

static const char *check_path(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  return path;
}

/*
 * open(path) -> a file | nil, problem
 *
 * Makes the file, for its owner alone, if it is missing. A symbolic link is not followed.
 */
static int locked_file_open(lua_State *L)
{
  const char *path = check_path(L);
  struct locked_file *file = mde_newuserdata(L, sizeof *file);
  *file = (struct locked_file){.descriptor = -1};
  luaL_getmetatable(L, LOCKED_FILE);
  lua_setmetatable(L, -2);
  file->descriptor = mde_own_file_open(path, O_RDWR | O_CREAT);
  if (file->descriptor < 0) return push_problem(L, mde_own_file_refusal(errno));
  const char *flaw = mde_own_file_flaw(file->descriptor);
  return flaw == NULL ? 1 : push_problem(L, flaw);
}

/*
 * is_locked(path) -> true: somebody has it | false: nobody has, or there is no such file |
 *   nil, problem
 *
 * Makes and takes nothing, so another one that locks it meanwhile gets it.
 */
static int locked_file_is_locked(lua_State *L)
{
  int descriptor = mde_own_file_open(check_path(L), O_RDONLY);
  bool is_there = descriptor >= 0 || errno != ENOENT;
  if (is_there && descriptor < 0) return push_problem(L, mde_own_file_refusal(errno));
  const char *problem = is_there ? mde_own_file_flaw(descriptor) : NULL;
  int locked = is_there && problem == NULL ? mde_own_file_ask_lock(descriptor) : 0;
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
  if (mde_own_file_lock(file->descriptor, true) == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (!mde_own_file_is_taken(errno)) return push_problem(L, strerror(errno));
  lua_pushboolean(L, 0);
  return 1;
}

/* file:unlock() */
static int locked_file_unlock(lua_State *L)
{
  struct locked_file *file = check_file(L);
  mde_own_file_lock(file->descriptor, false);
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

/* Reads where the text is. NULL, or what is wrong. */
static const char *read_head(struct locked_file *file)
{
  unsigned char head[HEAD];
  file->place = file->length = 0;
  ssize_t count = mde_own_file_read(file->descriptor, head, sizeof head, 0);
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
  ssize_t count = mde_own_file_read(file->descriptor, text, (size_t)file->length, file->place);
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
  if (!mde_own_file_write(file->descriptor, text, length, place) ||
      !mde_own_file_write(file->descriptor, head, sizeof head, 0))
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
