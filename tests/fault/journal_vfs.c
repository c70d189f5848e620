/*
 * tests.journal_vfs: the disk under SQLite, which fails, fills up, or loses its power when told.
 *
 * As a Lua module it becomes SQLite's default VFS and stands before the one that was. What it
 * counts: writes, syncs, truncations and deletions.
 *
 *   arm(kind, k)
 *     "error"  the k-th of them fails, a write after half of it
 *     "dead"   the k-th and all that follow fail
 *     "full"   from the k-th on no file grows
 *     "kill"   the process is killed at the k-th, in the middle of a write
 *     "power"  the same, and of what was not synced a part is lost, another for each k
 *   disarm() -> how many there were since
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <sqlite3.h>

enum kind { NONE, FAIL_ONCE, DEAD, FULL, KILL, POWER };

static enum kind kind;
static long count;
static long wanted;

struct file {
  sqlite3_file base;
  sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;

static struct file *file_of(sqlite3_file *file)
{
  return (struct file *)file;
}

/* ---- what power takes with it: the writes since the last sync of their file, in their order */

struct write {
  struct write *next; /* the one before it */
  sqlite3_file *real;
  sqlite3_int64 place;
  sqlite3_int64 size_before;
  int length;
  int length_before;
  unsigned char *bytes; /* those written, and behind them those that were there */
};

static struct write *unsynced;

static void remember(sqlite3_file *real, const void *bytes, int length, sqlite3_int64 place)
{
  if (kind != POWER) return;
  struct write *write = calloc(1, sizeof *write);
  write->bytes = malloc(2 * (size_t)length);
  write->real = real;
  write->place = place;
  write->length = length;
  memcpy(write->bytes, bytes, (size_t)length);
  real->pMethods->xFileSize(real, &write->size_before);
  sqlite3_int64 there = write->size_before - place;
  write->length_before = there > length ? length : there > 0 ? (int)there : 0;
  if (write->length_before > 0)
    real->pMethods->xRead(real, write->bytes + length, write->length_before, place);
  write->next = unsynced;
  unsynced = write;
}

static void forget(sqlite3_file *real)
{
  for (struct write **link = &unsynced; *link != NULL;) {
    struct write *write = *link;
    if (real == NULL || write->real == real) {
      *link = write->next;
      free(write->bytes);
      free(write);
    } else {
      link = &write->next;
    }
  }
}

static uint32_t chance(void)
{
  static uint32_t state;
  if (state == 0) state = (uint32_t)wanted * 2654435761u | 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/* All are taken back, from the newest to the oldest, and then a part is done again. */
static void lose_power(void)
{
  struct write *in_order = NULL;
  while (unsynced != NULL) {
    struct write *write = unsynced;
    unsynced = write->next;
    write->next = in_order;
    in_order = write;
    const sqlite3_io_methods *methods = write->real->pMethods;
    if (write->length_before > 0)
      methods->xWrite(write->real, write->bytes + write->length, write->length_before,
                      write->place);
    methods->xTruncate(write->real, write->size_before);
  }
  for (struct write *write = in_order; write != NULL; write = write->next)
    if (chance() % 2 == 0)
      write->real->pMethods->xWrite(write->real, write->bytes, write->length, write->place);
}

/* ---- which call is the one */

/* Whether this call fails. Does not return where the process ends with it. */
static bool is_struck(void)
{
  if (kind == NONE || ++count < wanted) return false;
  if (kind == FULL) return false;
  if (kind == POWER) lose_power();
  if (kind == POWER || kind == KILL) raise(SIGKILL);
  return kind == DEAD || count == wanted;
}

static int file_write(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 place)
{
  sqlite3_file *real = file_of(base)->real;
  sqlite3_int64 size = 0;
  if (kind == KILL && count + 1 == wanted) real->pMethods->xWrite(real, bytes, length / 2, place);
  if (is_struck()) {
    if (kind == FAIL_ONCE) real->pMethods->xWrite(real, bytes, length / 2, place);
    return SQLITE_IOERR_WRITE;
  }
  if (kind == FULL && count >= wanted) {
    real->pMethods->xFileSize(real, &size);
    if (place + length > size) return SQLITE_FULL;
  }
  remember(real, bytes, length, place);
  return real->pMethods->xWrite(real, bytes, length, place);
}

static int file_sync(sqlite3_file *base, int flags)
{
  sqlite3_file *real = file_of(base)->real;
  if (is_struck()) return SQLITE_IOERR_FSYNC;
  forget(real);
  return real->pMethods->xSync(real, flags);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
  sqlite3_file *real = file_of(base)->real;
  return is_struck() ? SQLITE_IOERR_TRUNCATE : real->pMethods->xTruncate(real, size);
}

/* ---- what only passes through */

static int file_close(sqlite3_file *base)
{
  sqlite3_file *real = file_of(base)->real;
  forget(real);
  return real->pMethods->xClose(real);
}

static int file_read(sqlite3_file *base, void *bytes, int length, sqlite3_int64 place)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xRead(real, bytes, length, place);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xFileSize(real, size);
}

static int file_lock(sqlite3_file *base, int level)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xLock(real, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xUnlock(real, level);
}

static int file_check_reserved_lock(sqlite3_file *base, int *is_reserved)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xCheckReservedLock(real, is_reserved);
}

static int file_control(sqlite3_file *base, int what, void *argument)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xFileControl(real, what, argument);
}

static int file_sector_size(sqlite3_file *base)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xSectorSize(real);
}

static int file_characteristics(sqlite3_file *base)
{
  sqlite3_file *real = file_of(base)->real;
  return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *given)
{
  struct file *file = file_of(base);
  (void)vfs;
  file->real = (sqlite3_file *)(file + 1);
  int status = real_vfs->xOpen(real_vfs, name, file->real, flags, given);
  base->pMethods = file->real->pMethods != NULL ? &methods : NULL;
  return status;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
  (void)vfs;
  return is_struck() ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, sync);
}

/* ---- the face */

static int vfs_arm(lua_State *L)
{
  static const char *const names[] = {"error", "dead", "full", "kill", "power", NULL};
  kind = (enum kind)(luaL_checkoption(L, 1, NULL, names) + 1);
  wanted = (long)luaL_checkinteger(L, 2);
  count = 0;
  return 0;
}

static int vfs_disarm(lua_State *L)
{
  kind = NONE;
  forget(NULL);
  lua_pushinteger(L, count);
  return 1;
}

__attribute__((visibility("default"))) int luaopen_tests_journal_vfs(lua_State *L);

int luaopen_tests_journal_vfs(lua_State *L)
{
  static sqlite3_vfs vfs;
  if (real_vfs == NULL) {
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "tests";
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    sqlite3_vfs_register(&vfs, 1);
  }
  lua_newtable(L);
  lua_pushcfunction(L, vfs_arm);
  lua_setfield(L, -2, "arm");
  lua_pushcfunction(L, vfs_disarm);
  lua_setfield(L, -2, "disarm");
  return 1;
}
