/*
 * mde.posix.directory: what is in a directory, what kind of file it is, and where a file lies.
 */
#define _DEFAULT_SOURCE 1 /* opendir, realpath */

#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Owns the stream while names are pushed, which may raise. */
#define STREAM "mde.posix.directory"

static int stream_close(lua_State *L)
{
  DIR **stream = luaL_checkudata(L, 1, STREAM);
  DIR *open = *stream;
  *stream = NULL;
  if (open != NULL) closedir(open);
  return 0;
}

/* Opens it into a userdata that is on top then; false, with errno. */
static bool push_stream(lua_State *L, const char *path)
{
  DIR **stream = lua_newuserdata(L, sizeof *stream);
  *stream = NULL;
  luaL_getmetatable(L, STREAM);
  lua_setmetatable(L, -2);
  *stream = opendir(path);
  return *stream != NULL;
}

static int push_problem(lua_State *L, int cause)
{
  lua_pushnil(L);
  lua_pushstring(L, strerror(cause));
  lua_pushboolean(L, cause == ENOENT);
  return 3;
}

/* names(path) -> the names in a directory, in no order, without . and .. | nil, problem, is_missing */
static int directory_names(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  if (!push_stream(L, path)) return push_problem(L, errno);
  DIR *stream = *(DIR **)lua_touserdata(L, -1);
  lua_newtable(L); /* stream, names */
  const struct dirent *entry;
  lua_Integer count = 0;
  for (errno = 0; (entry = readdir(stream)) != NULL; errno = 0) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    lua_pushstring(L, entry->d_name);
    lua_rawseti(L, -2, (int)++count);
  }
  int cause = errno;
  lua_pushcfunction(L, stream_close);
  lua_pushvalue(L, -3);
  lua_call(L, 1, 0);
  return cause == 0 ? 1 : push_problem(L, cause);
}

/* is_regular(path) -> whether a regular file is there; nil: nothing is, or it cannot be told */
static int directory_is_regular(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  struct stat status;
  if (stat(path, &status) == 0)
    lua_pushboolean(L, S_ISREG(status.st_mode));
  else
    lua_pushnil(L);
  return 1;
}

/* absolute(path) -> the path from the root on, whatever directory is the current one | nil, problem */
static int directory_absolute(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  char directory[PATH_MAX], above[PATH_MAX] = ".";
  size_t above_length = slash == path ? 1 : (size_t)(name - path) - (slash != NULL);
  if (above_length >= sizeof above) return push_problem(L, ENAMETOOLONG);
  if (slash != NULL) {
    memcpy(above, path, above_length);
    above[above_length] = '\0';
  }
  if (realpath(above, directory) == NULL) return push_problem(L, errno);
  lua_pushfstring(L, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name);
  return 1;
}

static const luaL_Reg functions[] = {
    {"absolute", directory_absolute},
    {"is_regular", directory_is_regular},
    {"names", directory_names},
    {NULL, NULL},
};

void mde_open_directory(lua_State *L)
{
  luaL_newmetatable(L, STREAM);
  lua_pushcfunction(L, stream_close);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
