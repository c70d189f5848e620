/*
 * file_system: preloaded, it says of every file system what the environment wants.
 *
 *   MDE_TEST_TYPE  its type, as statfs tells it, in hexadecimal
 *   MDE_TEST_FREE  how many bytes are free, as statvfs tells it
 */
#define _GNU_SOURCE 1 /* RTLD_NEXT */

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int statfs(const char *path, struct statfs *status)
{
  static int (*next)(const char *, struct statfs *);
  if (next == NULL) *(void **)(&next) = dlsym(RTLD_NEXT, "statfs");
  int result = next(path, status);
  const char *type = getenv("MDE_TEST_TYPE");
  if (type != NULL) status->f_type = (__fsword_t)strtoul(type, NULL, 16);
  return result;
}

EXPORT int statvfs(const char *path, struct statvfs *status)
{
  static int (*next)(const char *, struct statvfs *);
  if (next == NULL) *(void **)(&next) = dlsym(RTLD_NEXT, "statvfs");
  int result = next(path, status);
  const char *bytes = getenv("MDE_TEST_FREE");
  if (bytes != NULL) {
    status->f_bavail = strtoul(bytes, NULL, 10);
    status->f_frsize = 1;
  }
  return result;
}
