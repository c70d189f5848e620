/*
 * mde.posix.certificate_directory: what OpenSSL finds in a directory of certificates to trust.
 *
 * It looks there for the hash of the name that it needs, 5ed36f99.0 say, and for nothing else.
 */
#define _DEFAULT_SOURCE 1 /* dirfd, fstatat */

#include "posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#define HASH_DIGITS 8

static bool is_hashed_name(const char *name)
{
  if (strspn(name, "0123456789abcdef") != HASH_DIGITS || name[HASH_DIGITS] != '.') return false;
  const char *number = name + HASH_DIGITS + 1;
  size_t digits = strspn(number, "0123456789");
  return digits > 0 && number[digits] == '\0';
}

/* Whether an entry leads to a file; a link may lead nowhere. */
static bool is_file(DIR *directory, const char *name)
{
  struct stat status;
  return fstatat(dirfd(directory), name, &status, 0) == 0 && S_ISREG(status.st_mode);
}

/* Nothing of Lua in here. NULL, or what went wrong. */
static const char *count(const char *path, lua_Integer *found)
{
  DIR *directory = opendir(path);
  if (directory == NULL) return strerror(errno);
  const struct dirent *entry;
  for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0)
    if (is_hashed_name(entry->d_name) && is_file(directory, entry->d_name)) (*found)++;
  const char *problem = errno != 0 ? strerror(errno) : NULL;
  closedir(directory);
  return problem;
}

/* count(path) -> the number of certificates that OpenSSL finds there | nil, problem */
static int certificate_directory_count(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length == strlen(path), 1, "a path has no NUL in it");
  lua_Integer found = 0;
  const char *problem = count(path, &found);
  if (problem == NULL) {
    lua_pushinteger(L, found);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

static const luaL_Reg functions[] = {
    {"count", certificate_directory_count},
    {NULL, NULL},
};

void mde_open_certificate_directory(lua_State *L)
{
  lua_newtable(L);
  mde_setfuncs(L, functions);
}
