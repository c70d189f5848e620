#define _GNU_SOURCE 1 /* RTLD_DEFAULT, dl_iterate_phdr */

#include "libcrypto.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif

/*
 * What to load where none is loaded. macOS ends a program that loads its own, which has no number.
 */
static const char *const names[] = {
#if defined(__APPLE__)
    "libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
#elif defined(__linux__)
    "libcrypto.so.3",
    "libcrypto.so.1.1",
#else
    "libcrypto.so", /* FreeBSD counts its own, and differently in each release */
#endif
};

/* Functions that are looked for together, and where each is to be put. */
struct group {
  const struct place {
    const char *name;
    size_t offset;
  } * functions;
  size_t count;
};

static const struct place digest_functions[] = {
#define FIELD(type, name, parameters) {#name, offsetof(struct mde_libcrypto, name)},
    MDE_LIBCRYPTO_FUNCTIONS(FIELD)
#undef FIELD
};

static const struct place signing_functions[] = {
#define FIELD(type, name, parameters) {#name, offsetof(struct mde_libcrypto_signing, name)},
    MDE_LIBCRYPTO_SIGNING_FUNCTIONS(FIELD)
#undef FIELD
};

/* Takes every function from one library; the name of the first that is not there, or NULL. */
static const char *take_from(void *library, struct group group, void *table)
{
  for (size_t i = 0; i < group.count; i++) {
    void *function = dlsym(library, group.functions[i].name);
    if (function == NULL) return group.functions[i].name;
    /* A pointer to data is one to a function where there is dlsym; C has no cast that says so. */
    memcpy((char *)table + group.functions[i].offset, &function, sizeof function);
  }
  return NULL;
}

/* The path of the first libcrypto that this process has loaded; empty: none. */
struct loaded {
  char path[PATH_MAX];
};

static bool note_if_libcrypto(struct loaded *loaded, const char *path)
{
#ifdef __APPLE__
  static const char prefix[] = "libcrypto.";
#else
  static const char prefix[] = "libcrypto.so";
#endif
  if (path == NULL) return false;
  const char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  if (strncmp(name, prefix, sizeof prefix - 1) != 0) return false;
  return snprintf(loaded->path, sizeof loaded->path, "%s", path) > 0;
}

#ifdef __APPLE__

static void find_loaded(struct loaded *loaded)
{
  for (uint32_t i = 0; i < _dyld_image_count(); i++)
    if (note_if_libcrypto(loaded, _dyld_get_image_name(i))) return;
}

#else

static int note_object(struct dl_phdr_info *object, size_t size, void *context)
{
  (void)size;
  return note_if_libcrypto(context, object->dlpi_name);
}

static void find_loaded(struct loaded *loaded)
{
  dl_iterate_phdr(note_object, loaded);
}

#endif

/* What the last dlopen complains of. */
static const char *complaint(void)
{
  const char *text = dlerror();
  return text != NULL ? text : "no reason was given";
}

static bool take_from_program(struct group group, void *table, bool *is_there, char *problem,
                              size_t size)
{
  *is_there = dlsym(RTLD_DEFAULT, "EVP_sha256") != NULL;
  if (!*is_there) return false;
  const char *missing = take_from(RTLD_DEFAULT, group, table);
  if (missing == NULL) return true;
  snprintf(problem, size,
           "the OpenSSL that this program was built with lacks the function %s, and a second one "
           "beside it is not loaded: use a program that is linked to a whole libcrypto",
           missing);
  return false;
}

/* A handle is never closed: what lies behind it must stay, and one too many does no harm. */
static bool take_from_loaded(struct group group, void *table, bool *is_there, char *problem,
                             size_t size)
{
  struct loaded loaded = {{'\0'}};
  find_loaded(&loaded);
  *is_there = loaded.path[0] != '\0';
  if (!*is_there) return false;
  void *handle = dlopen(loaded.path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle == NULL) {
    snprintf(problem, size, "the libcrypto that this process has loaded cannot be used: %.300s: %s",
             loaded.path, complaint());
    return false;
  }
  const char *missing = take_from(handle, group, table);
  if (missing == NULL) return true;
  snprintf(
      problem, size,
      "the libcrypto that this process has loaded (%.300s) lacks the function %s, and a second "
      "one beside it is not loaded: use OpenSSL 1.1 or newer",
      loaded.path, missing);
  return false;
}

static bool load(struct group group, void *table, char *problem, size_t size)
{
  snprintf(problem, size, "no libcrypto was found: install OpenSSL's library (Debian: libssl3)");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) continue;
    const char *missing = take_from(handle, group, table);
    if (missing == NULL) return true;
    snprintf(problem, size, "%s lacks the function %s: use OpenSSL 1.1 or newer", names[i],
             missing);
    return false;
  }
  return false;
}

static bool find(struct group group, void *table, char *problem, size_t size)
{
  bool is_there;
  bool taken = take_from_program(group, table, &is_there, problem, size);
  if (is_there) return taken;
  taken = take_from_loaded(group, table, &is_there, problem, size);
  if (is_there) return taken;
  return load(group, table, problem, size);
}

bool mde_libcrypto_find(struct mde_libcrypto *libcrypto, char *problem, size_t size)
{
  struct group group = {digest_functions, sizeof digest_functions / sizeof digest_functions[0]};
  return find(group, libcrypto, problem, size);
}

bool mde_libcrypto_find_signing(struct mde_libcrypto_signing *libcrypto, char *problem, size_t size)
{
  struct group group = {signing_functions, sizeof signing_functions / sizeof signing_functions[0]};
  return find(group, libcrypto, problem, size);
}
