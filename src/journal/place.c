#define _GNU_SOURCE 1 /* O_CLOEXEC, O_NOFOLLOW */

#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/vfs.h>
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__)
#include <sys/param.h>
#include <sys/mount.h>
#endif

static const char *code_of_errno(void)
{
  switch (errno) {
  case EEXIST:
    return "exists";
  case ENOENT:
  case ENOTDIR:
    return "missing";
  case EACCES:
  case EPERM:
  case EROFS:
    return "read_only";
  case ENOSPC:
  case EDQUOT:
    return "no_space";
  default:
    return "io";
  }
}

bool mde_place_create(const char *path, struct mde_problem *problem)
{
  int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    const char *advice = errno == EEXIST ? "name another file, or delete that one yourself"
                                         : "see that its directory is there and may be written";
    return mde_problem_set(problem, code_of_errno(), "could not make the file %s: %s; %s", path,
                           strerror(errno), advice);
  }
  /* An access list that the directory hands down would say otherwise. */
  bool is_ours = fchmod(descriptor, 0600) == 0;
  int error = errno;
  close(descriptor);
  if (is_ours) return true;
  unlink(path);
  return mde_problem_set(problem, "io", "could not make the file %s for its owner alone: %s", path,
                         strerror(error));
}

bool mde_place_make_directory(const char *path, struct mde_problem *problem)
{
  char above[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof above)
    return mde_problem_set(problem, "io", "the path of the directory is too long");
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != '\0') continue;
    memcpy(above, path, i);
    above[i] = '\0';
    if (mkdir(above, 0700) == 0 || errno == EEXIST) continue;
    struct stat status;
    /* Above a directory of one's own there may be some that cannot be written. */
    if (stat(above, &status) == 0 && S_ISDIR(status.st_mode)) continue;
    return mde_problem_set(problem, code_of_errno(), "could not make the directory %s: %s", above,
                           strerror(errno));
  }
  return true;
}

bool mde_place_sync(const char *path, struct mde_problem *problem)
{
  int descriptor = open(path, O_RDWR | O_CLOEXEC);
  bool synced = descriptor >= 0 && fsync(descriptor) == 0;
  int error = errno;
  if (descriptor >= 0) close(descriptor);
  return synced || mde_problem_set(problem, error == ENOSPC ? "full" : "io",
                                   "could not write the file %s: %s; see whether its disk is full "
                                   "or broken",
                                   path, strerror(error));
}

bool mde_place_check_file(const char *path, bool trusted, struct mde_problem *problem)
{
  struct stat status;
  if (stat(path, &status) != 0)
    return mde_problem_set(problem, code_of_errno(), "could not open the journal %s: %s", path,
                           strerror(errno));
  if (!S_ISREG(status.st_mode))
    return mde_problem_set(problem, "not_a_journal",
                           "%s is no regular file; name the journal of a run", path);
  if (trusted && (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0))
    return mde_problem_set(problem, "unsafe",
                           "others may write the journal %s, and what it says would be run; if you "
                           "know that it is right, copy it to a file of your own (chmod 600)",
                           path);
  return true;
}

/* The descriptor of a regular file; -1 with `errno`, which is 0 if it is not one. */
static int open_regular(const char *path)
{
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  if (descriptor < 0 || (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)))
    return descriptor;
  close(descriptor);
  errno = 0;
  return -1;
}

static bool fail_beside(const char *beside, struct mde_problem *problem)
{
  return mde_problem_set(problem, "io", "could not read the file %s: %s; see who may read it",
                         beside, errno == 0 ? "it is no regular file" : strerror(errno));
}

bool mde_place_check_beside(const char *beside, struct mde_problem *problem)
{
  static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
  int descriptor = open_regular(beside);
  if (descriptor < 0) return errno == ENOENT || fail_beside(beside, problem);
  unsigned char end[sizeof magic];
  off_t size = lseek(descriptor, 0, SEEK_END);
  bool is_short = size >= 0 && size < (off_t)sizeof end;
  bool is_read = is_short || (size >= 0 && pread(descriptor, end, sizeof end,
                                                 size - (off_t)sizeof end) == sizeof end);
  int error = errno;
  close(descriptor);
  errno = error;
  if (!is_read) return fail_beside(beside, problem);
  return is_short || memcmp(end, magic, sizeof magic) != 0 ||
         mde_problem_set(
             problem, "damaged",
             "the file %s names another file, which SQLite would delete, and no journal "
             "of a run does that; somebody may have forged it: nothing was opened, and "
             "if you do not know where it is from, delete both",
             beside);
}

bool mde_place_check_length(const char *path, double bytes, struct mde_problem *problem)
{
  struct stat status;
  if (stat(path, &status) != 0)
    return mde_problem_set(problem, code_of_errno(), "could not open the journal %s: %s", path,
                           strerror(errno));
  return (double)status.st_size >= bytes ||
         mde_problem_set(problem, "damaged",
                         "the journal %s was cut: %.0f of its %.0f bytes are there; take a copy "
                         "that is whole",
                         path, (double)status.st_size, bytes);
}

/* ---- which file systems lie about locks */

#if defined(__linux__)

static bool is_shared(const char *path, bool *known)
{
  static const unsigned long shared[] = {
      0x6969,     /* NFS */
      0x517B,     /* SMB */
      0xFF534D42, /* CIFS */
      0xFE534D42, /* SMB 2 */
      0x65735546, /* FUSE: sshfs, s3fs, gluster, ... */
      0x01021997, /* 9P: the host of a virtual machine */
      0x786F4256, /* VirtualBox: the same */
      0x5346414F, /* AFS */
      0x73757245, /* Coda */
      0x00C36400, /* Ceph */
      0x0BD00BD0, /* Lustre */
      0x47504653, /* GPFS */
      0x564C,     /* NCP */
  };
  struct statfs status;
  *known = statfs(path, &status) == 0;
  if (!*known) return false;
  /* Its type has a sign on some machines. */
  unsigned long type = (unsigned long)status.f_type & 0xFFFFFFFFUL;
  for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
    if (type == shared[i]) return true;
  return false;
}

#elif defined(MNT_LOCAL)

static bool is_shared(const char *path, bool *known)
{
  struct statfs status;
  *known = statfs(path, &status) == 0;
  return *known && (status.f_flags & MNT_LOCAL) == 0;
}

#else

static bool is_shared(const char *path, bool *known)
{
  (void)path;
  *known = true;
  return false;
}

#endif

/* The directory that a path names a file in; false if its name is too long to be one. */
static bool directory_of(const char *path, char *directory, size_t size)
{
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    memcpy(directory, ".", 2);
    return true;
  }
  size_t length = slash == path ? 1 : (size_t)(slash - path);
  if (length >= size) return false;
  memcpy(directory, path, length);
  directory[length] = '\0';
  return true;
}

bool mde_place_check_local(const char *path, struct mde_problem *problem)
{
  char directory[4096];
  bool known;
  bool shared = is_shared(path, &known);
  if (!known && directory_of(path, directory, sizeof directory))
    shared = is_shared(directory, &known);
  return !shared ||
         mde_problem_set(problem, "network",
                         "the journal %s would lie on a file system of the network or of another "
                         "program, where locks cannot be trusted; put the journal on a local disk",
                         path);
}

bool mde_place_check_space(const char *path, double bytes, struct mde_problem *problem)
{
  struct statvfs status;
  if (statvfs(path, &status) != 0)
    return mde_problem_set(problem, "io", "could not see how much is free where %s is: %s", path,
                           strerror(errno));
  double available = (double)status.f_bavail * (double)status.f_frsize;
  return available >= bytes ||
         mde_problem_set(problem, "no_space",
                         "the disk of the journal %s has %.0f kB free, and %.0f kB are needed "
                         "before anything is sent; make room there, or put the journal elsewhere",
                         path, available / 1024, bytes / 1024);
}
