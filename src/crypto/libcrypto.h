/*
 * libcrypto: OpenSSL's functions, from the libcrypto that this process has already, if it has one.
 *
 * A web server brings its own OpenSSL, and a second one of another version beside it is a crash
 * in the making. So nothing of OpenSSL is linked here, and its headers are not read: the functions
 * are looked up by name when the first of them is needed. All of them come from one libcrypto, of
 * OpenSSL 1.1 or newer.
 */
#ifndef MDE_LIBCRYPTO_H
#define MDE_LIBCRYPTO_H

#include <stdbool.h>
#include <stddef.h>

struct evp_md_st;
struct engine_st;

/*
 * Every function that is used: what it returns, its name, its parameters. A further one is a
 * further line.
 */
/* clang-format off */
#define MDE_LIBCRYPTO_FUNCTIONS(FUNCTION)                                                          \
  FUNCTION(const char *, OpenSSL_version, (int what))                                              \
  FUNCTION(unsigned long, ERR_get_error, (void))                                                   \
  FUNCTION(void, ERR_error_string_n, (unsigned long code, char *text, size_t size))                \
  FUNCTION(void, ERR_clear_error, (void))                                                          \
  FUNCTION(const struct evp_md_st *, EVP_sha256, (void))                                           \
  FUNCTION(int, EVP_Digest, (const void *bytes, size_t count, unsigned char *digest,               \
                             unsigned int *length, const struct evp_md_st *type,                   \
                             struct engine_st *engine))                                            \
  FUNCTION(unsigned char *, HMAC, (const struct evp_md_st *type, const void *key, int key_length,  \
                                   const unsigned char *bytes, size_t count,                       \
                                   unsigned char *digest, unsigned int *length))
/* clang-format on */

struct mde_libcrypto {
#define MDE_LIBCRYPTO_FIELD(type, name, parameters) type(*name) parameters;
  MDE_LIBCRYPTO_FUNCTIONS(MDE_LIBCRYPTO_FIELD)
#undef MDE_LIBCRYPTO_FIELD
};

/*
 * Finds the functions: among what the program itself brings, then in the libcrypto that something
 * in this process has loaded, and only then in one that is loaded for it, for good. Keeps nothing
 * and takes no lock, so it may be called in any thread and after any fork. False if there is none
 * that will do; `problem` is then one line for a person.
 */
bool mde_libcrypto_find(struct mde_libcrypto *libcrypto, char *problem, size_t size);

#endif
