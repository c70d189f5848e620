#define _GNU_SOURCE 1 /* F_OFD_SETLK, O_CLOEXEC, O_NOFOLLOW */

#include "own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int mde_own_file_open(const char *path, int flags)
{
  /* Opening a FIFO would otherwise wait for somebody to write. */
  flags |= O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
  return open(path, flags, S_IRUSR | S_IWUSR);
}

const char *mde_own_file_refusal(int error)
{
  /* EMLINK is what FreeBSD says. */
  return error == ELOOP || error == EMLINK ? "it is a symbolic link" : strerror(error);
}

const char *mde_own_file_flaw(int descriptor)
{
  struct stat status;
  if (fstat(descriptor, &status) != 0) return strerror(errno);
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  if (status.st_mode & S_IWOTH) return "everybody on this machine may write it";
  return NULL;
}

int mde_own_file_lock(int descriptor, bool wanted)
{
#if defined(F_OFD_SETLK) && !defined(MDE_PORTABLE)
  struct flock lock = {.l_type = (short)(wanted ? F_WRLCK : F_UNLCK), .l_whence = SEEK_SET};
  return fcntl(descriptor, F_OFD_SETLK, &lock);
#else
  return flock(descriptor, wanted ? LOCK_EX | LOCK_NB : LOCK_UN);
#endif
}

bool mde_own_file_is_taken(int error)
{
  return error == EAGAIN || error == EACCES || error == EINTR;
}

int mde_own_file_ask_lock(int descriptor)
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

ssize_t mde_own_file_read(int descriptor, void *bytes, size_t length, uint64_t place)
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

bool mde_own_file_write(int descriptor, const void *bytes, size_t length, uint64_t place)
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
