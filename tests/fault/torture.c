/*
 * torture: fails each allocation of a scenario in turn.
 *
 * usage: torture [SCENARIO [STRIDE]]
 *
 * SCENARIO (default tests/fault/torture_restrict.lua) is a Lua file that prepares what it needs
 * and returns a function. That function is the scenario: it can be called again and again, returns
 * a true value if it succeeded, or nil and an error, or raises. A second function, if one is
 * returned, is called before each run, with memory: it puts things back as they were, and lets time
 * pass. Modules are found by LUA_PATH and LUA_CPATH.
 *
 * Lua and the modules of mde get all their memory from the allocator below. The scenario is run
 * twice to warm up and once to count. Then, for each k (or each STRIDE-th), a copy of the process
 * runs it
 *
 *   once   with the k-th allocation failing, and with it the second try that Lua makes after a
 *          collection;
 *   rest   with the k-th allocation and all after it failing.
 *
 * It must succeed nevertheless, or end with an error that has a message; run again with memory it
 * must succeed; and when the state is closed, every block must have been given back. A block that
 * is given back with another size than it had ends the copy at once (on LuaJIT, a block of mde's;
 * LuaJIT itself is not that exact). Freed memory is overwritten, and a block never grows in place.
 *
 * A scenario may call plant(text) for each secret, key or token that it uses. A block of mde's that
 * is given back with such a text in it was not wiped, and that is a complaint.
 *
 * Each copy starts from the same heap. So a scenario that always does the same, with random numbers
 * and times that are made up, makes the same allocations every time, and none of them is left out.
 */
#define _GNU_SOURCE 1 /* dl_iterate_phdr, MAP_ANONYMOUS, memmem */

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#if LUA_VERSION_NUM < 502
#define FLAVOUR "luajit"
#define COLLECTS_IN_NEED false /* a failed allocation is not tried again */
/* A closure for whose upvalues there was no memory is given back as one without upvalues. */
#define KNOWS_SIZES false
#else
#define FLAVOUR "lua" LUA_VERSION_MAJOR "." LUA_VERSION_MINOR
#define COLLECTS_IN_NEED true
#define KNOWS_SIZES true
#endif

#define SECONDS_FOR_ONE_RUN 60
#define COMPLAINTS_UNTIL_GIVING_UP 10

/* ---- memory */

/* What stands before each block; aligned as malloc aligns. */
union prefix {
  struct {
    size_t size;
    bool by_mde;
  } block;
  max_align_t alignment;
};

struct range {
  uintptr_t first, end;
};

struct memory {
  size_t live_blocks, live_bytes, live_blocks_by_mde;
  long allocations; /* since they were last set to 0 */
  long allocations_by_mde;
  long fail_at; /* 0: never */
  bool fail_rest;
  bool reached;        /* an allocation has failed, */
  bool reached_by_mde; /* and the first that did was mde's */

  bool retry_expected; /* of the request that follows */
  void *retry_block;
  size_t retry_size;

  struct planted {
    char *bytes;
    size_t length;
  } planted[8];
  int planted_count;
  size_t unwiped; /* blocks of mde's that were given back with one of them inside */

  struct range modules[4]; /* where the code of mde's modules lies, once they are loaded */
  int module_count;
};

/* An allocation is mde's if the code that asked for it lies in one of mde's modules. */
static bool is_by_mde(const struct memory *memory, const void *caller)
{
  for (int i = 0; i < memory->module_count; i++) {
    uintptr_t address = (uintptr_t)caller;
    if (address >= memory->modules[i].first && address < memory->modules[i].end) return true;
  }
  return false;
}

static bool must_fail(struct memory *memory, void *block, size_t size, bool by_mde)
{
  if (memory->retry_expected && !by_mde && block == memory->retry_block &&
      size == memory->retry_size) {
    memory->retry_expected = false;
    return true;
  }
  memory->allocations++;
  memory->allocations_by_mde += by_mde;
  if (memory->fail_at == 0 || memory->allocations < memory->fail_at) return false;
  if (memory->allocations > memory->fail_at && !memory->fail_rest) return false;
  if (!memory->reached) memory->reached_by_mde = by_mde;
  memory->reached = true;
  memory->retry_expected = COLLECTS_IN_NEED && !by_mde;
  memory->retry_block = block;
  memory->retry_size = size;
  return true;
}

static bool holds_planted(const struct memory *memory, const union prefix *prefix)
{
  for (int i = 0; i < memory->planted_count; i++) {
    const struct planted *planted = &memory->planted[i];
    if (memmem(prefix + 1, prefix->block.size, planted->bytes, planted->length) != NULL)
      return true;
  }
  return false;
}

static void release(struct memory *memory, union prefix *prefix)
{
  if (prefix->block.by_mde && holds_planted(memory, prefix)) memory->unwiped++;
  memory->live_blocks--;
  memory->live_bytes -= prefix->block.size;
  memory->live_blocks_by_mde -= prefix->block.by_mde;
  memset(prefix + 1, 0xdd, prefix->block.size);
  free(prefix);
}

/* A lua_Alloc. Only growing can fail: Lua relies on shrinking. */
static void *allocate(void *context, void *block, size_t old_size, size_t new_size)
{
  struct memory *memory = context;
  bool by_mde = is_by_mde(memory, __builtin_return_address(0));
  union prefix *old = block == NULL ? NULL : (union prefix *)block - 1;
  bool must_know_size = old != NULL && (KNOWS_SIZES || old->block.by_mde);
  if (must_know_size && old->block.size != old_size) {
    fprintf(stderr, "torture: a block of %zu bytes was given back as one of %zu\n", old->block.size,
            old_size);
    abort();
  }
  if (new_size == 0) {
    if (old != NULL) release(memory, old);
    return NULL;
  }
  if ((old == NULL || new_size > old_size) && must_fail(memory, block, new_size, by_mde))
    return NULL;
  union prefix *prefix = malloc(sizeof *prefix + new_size);
  if (prefix == NULL) {
    fprintf(stderr, "torture: the machine has no memory left\n");
    abort();
  }
  prefix->block.size = new_size;
  prefix->block.by_mde = by_mde;
  memory->live_blocks++;
  memory->live_bytes += new_size;
  memory->live_blocks_by_mde += by_mde;
  memset(prefix + 1, 0xa5, new_size);
  if (old != NULL) {
    memcpy(prefix + 1, block, old_size < new_size ? old_size : new_size);
    release(memory, old);
  }
  return prefix + 1;
}

/* Whether a shared object is a module of mde: it lies in a directory "mde". */
static bool is_module(const char *path)
{
  const char *name = strrchr(path, '/');
  return name != NULL && name - path >= 4 && memcmp(name - 4, "/mde", 4) == 0;
}

static int note_module(struct dl_phdr_info *object, size_t size, void *context)
{
  struct memory *memory = context;
  int most = (int)(sizeof memory->modules / sizeof memory->modules[0]);
  (void)size;
  if (!is_module(object->dlpi_name) || memory->module_count == most) return 0;
  struct range *range = &memory->modules[memory->module_count++];
  range->first = UINTPTR_MAX;
  range->end = 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD) continue;
    uintptr_t first = (uintptr_t)(object->dlpi_addr + segment->p_vaddr);
    uintptr_t end = first + (uintptr_t)segment->p_memsz;
    if (first < range->first) range->first = first;
    if (end > range->end) range->end = end;
  }
  return 0;
}

/* ---- the work of one kind, and what its processes tell through shared memory */

struct report {
  const char *kind;
  long allocation;    /* that is being failed; 0: none */
  const char *moment; /* what is going on, for a complaint */
  long allocations, allocations_by_mde;
  long failed, failed_by_mde, clean_errors, survived;
  size_t leaks;
  int complaints;
  bool reached; /* the scenario came as far as to the allocation that was to fail */
};

static void complain(struct report *report, const char *what, const char *message)
{
  fprintf(stderr, "torture: " FLAVOUR ", %s, allocation %ld, %s: %s%s%s\n", report->kind,
          report->allocation, report->moment, what, message[0] == '\0' ? "" : ": ", message);
  report->complaints++;
}

enum result { SUCCEEDED, CLEAN_ERROR, UNCLEAN };

/* The places on the stack of the state. */
enum { SCENARIO = 1, BEFORE = 2, COLLECT = 3, LAST = COLLECT };

/* Copies the message of the error at the top; false if it has none. */
static bool error_message(lua_State *L, char *message, size_t size)
{
  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "message");
    lua_rawget(L, -2);
  }
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  snprintf(message, size, "%s", text);
  return text[0] != '\0';
}

/* Runs the scenario once; with fail_at in the memory, with little of it. */
static enum result run(lua_State *L, struct memory *memory, long fail_at, bool fail_rest,
                       char *message, size_t size)
{
  enum result result = SUCCEEDED;
  message[0] = '\0';
  lua_settop(L, LAST);
  lua_pushvalue(L, SCENARIO);
  memory->allocations = 0;
  memory->allocations_by_mde = 0;
  memory->reached = false;
  memory->retry_expected = false;
  memory->fail_rest = fail_rest;
  memory->fail_at = fail_at;
  alarm(SECONDS_FOR_ONE_RUN);
  int status = lua_pcall(L, 0, 2, 0);
  alarm(0);
  memory->fail_at = 0;
  memory->retry_expected = false;
  if (status != 0) {
    bool clean = status == LUA_ERRRUN || status == LUA_ERRMEM;
    result = error_message(L, message, size) && clean ? CLEAN_ERROR : UNCLEAN;
  } else if (!lua_toboolean(L, LAST + 1)) {
    bool clean = lua_isnil(L, LAST + 1);
    result = error_message(L, message, size) && clean ? CLEAN_ERROR : UNCLEAN;
  }
  lua_settop(L, LAST);
  return result;
}

static int collect(lua_State *L)
{
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

/* Calls a function of the stack without failures. */
static bool call(lua_State *L, int function, char *message, size_t size)
{
  lua_settop(L, LAST);
  lua_pushvalue(L, function);
  alarm(SECONDS_FOR_ONE_RUN);
  bool well = lua_pcall(L, 0, 0, 0) == 0;
  alarm(0);
  if (!well) error_message(L, message, size);
  lua_settop(L, LAST);
  return well;
}

/* What comes before each run. */
static bool begin_afresh(lua_State *L, char *message, size_t size)
{
  bool well = lua_isnil(L, BEFORE) || call(L, BEFORE, message, size);
  return well && call(L, COLLECT, message, size);
}

/* plant(text): a text that no block of mde's may have in it when it is given back. */
static int plant(lua_State *L)
{
  struct memory *memory = lua_touserdata(L, lua_upvalueindex(1));
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int most = (int)(sizeof memory->planted / sizeof memory->planted[0]);
  if (length < 8 || memory->planted_count == most)
    return luaL_error(L, "up to %d texts of 8 bytes or more can be planted", most);
  struct planted *planted = &memory->planted[memory->planted_count];
  planted->bytes = malloc(length);
  if (planted->bytes == NULL) return luaL_error(L, "not enough memory");
  memcpy(planted->bytes, text, length);
  planted->length = length;
  memory->planted_count++;
  return 0;
}

/* Opens the libraries and the scenario whose path is the argument; returns its two functions. */
static int prepare(lua_State *L)
{
  const char *path = lua_touserdata(L, 1);
  luaL_checkstack(L, 16, "torture");
  luaL_openlibs(L);
  void *memory;
  lua_getallocf(L, &memory);
  lua_pushlightuserdata(L, memory);
  lua_pushcclosure(L, plant, 1);
  lua_setglobal(L, "plant");
#if LUA_VERSION_NUM < 502
  /* Whether and when a trace is compiled differs from run to run. */
  if (luaL_dostring(L, "jit.off()") != 0) return lua_error(L);
#endif
  if (luaL_loadfile(L, path) != 0) return lua_error(L);
  lua_call(L, 0, 2);
  if (!lua_isfunction(L, -2) || !(lua_isfunction(L, -1) || lua_isnil(L, -1)))
    return luaL_error(L, "%s must return a function or two", path);
  return 2;
}

/* Runs the scenario without failures; false, after a complaint, if it does not succeed. */
static bool run_well(lua_State *L, struct memory *memory, struct report *report)
{
  char message[512];
  if (!begin_afresh(L, message, sizeof message))
    complain(report, "what comes before a run fails", message);
  else if (run(L, memory, 0, false, message, sizeof message) != SUCCEEDED)
    complain(report, "the scenario does not succeed", message);
  else
    return true;
  return false;
}

static void close_state(lua_State *L, const struct memory *memory, struct report *report)
{
  char message[128];
  report->moment = "closing";
  lua_close(L);
  if (memory->unwiped > 0) {
    snprintf(message, sizeof message, "%zu", memory->unwiped);
    complain(report, "blocks with something planted were given back unwiped", message);
  }
  if (memory->live_blocks == 0) return;
  report->leaks += memory->live_blocks;
  snprintf(message, sizeof message, "%zu (%zu bytes), %zu of them mde's", memory->live_blocks,
           memory->live_bytes, memory->live_blocks_by_mde);
  complain(report, "blocks were never given back", message);
}

/* The work of a copy: fails the allocation that the report names. */
static void fail_one(lua_State *L, struct memory *memory, struct report *report, bool fail_rest)
{
  char message[512];
  report->moment = "failing";
  enum result result = run(L, memory, report->allocation, fail_rest, message, sizeof message);
  bool reached = report->reached = memory->reached;
  report->failed += reached;
  report->failed_by_mde += reached && memory->reached_by_mde;
  report->clean_errors += reached && result == CLEAN_ERROR;
  report->survived += reached && result == SUCCEEDED;
  if (result == UNCLEAN) complain(report, "neither success nor an error with a message", message);
  if (!reached && result != SUCCEEDED) complain(report, "nothing failed, and yet", message);
  report->moment = "once more";
  run_well(L, memory, report);
  close_state(L, memory, report);
}

/* Lets a copy of this process do that. */
static void fail_one_in_copy(lua_State *L, struct memory *memory, struct report *report,
                             bool fail_rest)
{
  int status = 0;
  report->reached = false;
  pid_t copy = fork();
  if (copy == 0) {
    fail_one(L, memory, report, fail_rest);
    _exit(EXIT_SUCCESS);
  }
  if (copy < 0 || waitpid(copy, &status, 0) != copy)
    complain(report, "no process", strerror(errno));
  else if (WIFSIGNALED(status))
    complain(report, "ended by a signal", strsignal(WTERMSIG(status)));
  else if (WEXITSTATUS(status) != EXIT_SUCCESS)
    complain(report, "ended", "");
}

static bool warm_up(lua_State *L, struct memory *memory, struct report *report)
{
  report->moment = "warming up";
  for (int i = 0; i < 3; i++)
    if (!run_well(L, memory, report)) return false;
  report->allocations = memory->allocations;
  report->allocations_by_mde = memory->allocations_by_mde;
  return true;
}

static void fail_each(lua_State *L, struct memory *memory, struct report *report, bool fail_rest,
                      long stride)
{
  char message[512];
  if (!begin_afresh(L, message, sizeof message)) {
    complain(report, "what comes before a run fails", message);
    return;
  }
  report->reached = true;
  for (long k = 1; k <= report->allocations || report->reached; k += stride) {
    report->allocation = k;
    fail_one_in_copy(L, memory, report, fail_rest);
    if (report->complaints >= COMPLAINTS_UNTIL_GIVING_UP) break;
  }
  report->allocation = 0;
  report->moment = "afterwards";
  if (report->failed == 0) complain(report, "nothing has been failed, so nothing is shown", "");
}

static int panic(lua_State *L)
{
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "torture: an error outside any protected call: %s\n", message ? message : "?");
  abort();
}

/* All the work of one kind. */
static void torture(const char *path, long stride, bool fail_rest, struct report *report)
{
  char message[512];
  struct memory memory = {0};
  report->moment = "preparing";
  lua_State *L = lua_newstate(allocate, &memory);
  if (L == NULL) {
    complain(report, "no state", "");
    return;
  }
  lua_atpanic(L, panic);
  lua_pushcfunction(L, prepare);
  lua_pushlightuserdata(L, (void *)(uintptr_t)path);
  if (lua_pcall(L, 1, 2, 0) != 0) {
    error_message(L, message, sizeof message);
    complain(report, "the scenario cannot be prepared", message);
  } else {
    lua_pushcfunction(L, collect);
    dl_iterate_phdr(note_module, &memory);
    if (warm_up(L, &memory, report)) fail_each(L, &memory, report, fail_rest, stride);
  }
  close_state(L, &memory, report);
}

/* ---- the process that starts the others */

enum { KINDS = 2 };

static const char *const kinds[KINDS] = {"once", "rest"};

static pid_t processes[KINDS];

/* Whose time is up says how far it came: whether it is slow or does not end is seen from that. */
static void end_all(int signal_number)
{
  for (int i = 0; i < KINDS; i++)
    if (processes[i] > 0) kill(processes[i], signal_number);
}

/* Waits for the process of one kind, and says how it went; false if it did not go well. */
static bool await(pid_t process, const struct report *report)
{
  int status = 0;
  if (process < 0 || waitpid(process, &status, 0) != process) {
    perror("torture");
    return false;
  }
  bool ended = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
  if (!ended)
    fprintf(stderr, "torture: " FLAVOUR ", %s: ended while %s, at allocation %ld of %ld\n",
            report->kind, report->moment, report->allocation, report->allocations);
  printf(FLAVOUR ", %s: %ld allocations (%ld by mde itself), failed in turn %ld (%ld): "
                 "%ld clean errors, %ld survived, %zu leaks\n",
         report->kind, report->allocations, report->allocations_by_mde, report->failed,
         report->failed_by_mde, report->clean_errors, report->survived, report->leaks);
  return ended && report->complaints == 0;
}

int main(int argc, char **argv)
{
  const char *path = argc > 1 ? argv[1] : "tests/fault/torture_restrict.lua";
  long stride = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
  if (argc > 3 || stride < 1) {
    fprintf(stderr, "usage: torture [SCENARIO [STRIDE]]\n");
    return EXIT_FAILURE;
  }
  struct report *reports = mmap(NULL, KINDS * sizeof *reports, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (reports == MAP_FAILED) {
    perror("torture");
    return EXIT_FAILURE;
  }
  for (int i = 0; i < KINDS; i++) {
    reports[i].kind = kinds[i];
    processes[i] = fork();
    if (processes[i] == 0) {
      torture(path, stride, i == 1, &reports[i]);
      _exit(EXIT_SUCCESS);
    }
  }
  struct sigaction action = {.sa_handler = end_all, .sa_flags = SA_RESTART};
  sigaction(SIGTERM, &action, NULL);
  bool well = true;
  for (int i = 0; i < KINDS; i++)
    if (!await(processes[i], &reports[i])) well = false;
  return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
