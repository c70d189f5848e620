/*
 * libcrypto: OpenSSL's functions, from the libcrypto that this process has already, if it has one.
 *
 * A web server brings its own OpenSSL, and a second one of another version beside it is a crash
 * in the making. So nothing of OpenSSL is linked here, and its headers are not read: the functions
 * are looked up by name when the first of them is needed. All of them come from one libcrypto, of
 * OpenSSL 1.1 or newer. Those that sign are looked for by themselves, so that a program with few of
 * OpenSSL's functions can still do the rest.
 */
#ifndef MDE_LIBCRYPTO_H
#define MDE_LIBCRYPTO_H

#include <stdbool.h>
#include <stddef.h>

struct evp_md_st;
struct engine_st;
struct bio_st;
struct evp_pkey_st;
struct evp_pkey_ctx_st;
struct evp_md_ctx_st;
struct rsa_st;
struct x509_st;
struct X509_name_st;
struct asn1_string_st;

/* What OpenSSL calls for the password of a key: its length, or -1 for none. */
typedef int mde_password_callback(char *buffer, int size, int for_writing, void *context);

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

#define MDE_LIBCRYPTO_SIGNING_FUNCTIONS(FUNCTION)                                                  \
  FUNCTION(unsigned long, ERR_get_error, (void))                                                   \
  FUNCTION(void, ERR_error_string_n, (unsigned long code, char *text, size_t size))                \
  FUNCTION(void, ERR_clear_error, (void))                                                          \
  FUNCTION(const struct evp_md_st *, EVP_sha1, (void))                                             \
  FUNCTION(const struct evp_md_st *, EVP_sha256, (void))                                           \
  FUNCTION(int, EVP_Digest, (const void *bytes, size_t count, unsigned char *digest,               \
                             unsigned int *length, const struct evp_md_st *type,                   \
                             struct engine_st *engine))                                            \
  FUNCTION(struct bio_st *, BIO_new_mem_buf, (const void *bytes, int length))                      \
  FUNCTION(int, BIO_free, (struct bio_st *bio))                                                    \
  FUNCTION(struct evp_pkey_st *, PEM_read_bio_PrivateKey, (struct bio_st *bio,                     \
                                                           struct evp_pkey_st **key,               \
                                                           mde_password_callback *callback,        \
                                                           void *context))                         \
  FUNCTION(void, EVP_PKEY_free, (struct evp_pkey_st *key))                                         \
  FUNCTION(int, EVP_PKEY_cmp, (const struct evp_pkey_st *a, const struct evp_pkey_st *b))          \
  FUNCTION(const struct rsa_st *, EVP_PKEY_get0_RSA, (const struct evp_pkey_st *key))              \
  FUNCTION(int, RSA_bits, (const struct rsa_st *rsa))                                              \
  FUNCTION(struct evp_md_ctx_st *, EVP_MD_CTX_new, (void))                                         \
  FUNCTION(void, EVP_MD_CTX_free, (struct evp_md_ctx_st *context))                                 \
  FUNCTION(int, EVP_DigestSignInit, (struct evp_md_ctx_st *context,                                \
                                     struct evp_pkey_ctx_st **key_context,                         \
                                     const struct evp_md_st *type, struct engine_st *engine,       \
                                     struct evp_pkey_st *key))                                     \
  FUNCTION(int, EVP_PKEY_CTX_ctrl_str, (struct evp_pkey_ctx_st *context, const char *name,         \
                                        const char *value))                                        \
  FUNCTION(int, EVP_DigestUpdate, (struct evp_md_ctx_st *context, const void *bytes,               \
                                   size_t count))                                                  \
  FUNCTION(int, EVP_DigestSignFinal, (struct evp_md_ctx_st *context, unsigned char *signature,     \
                                      size_t *length))                                             \
  FUNCTION(struct x509_st *, PEM_read_bio_X509, (struct bio_st *bio, struct x509_st **certificate, \
                                                 mde_password_callback *callback, void *context))  \
  FUNCTION(void, X509_free, (struct x509_st *certificate))                                         \
  FUNCTION(int, X509_check_private_key, (const struct x509_st *certificate,                        \
                                         const struct evp_pkey_st *key))                           \
  FUNCTION(int, X509_check_issued, (struct x509_st *issuer, struct x509_st *subject))              \
  FUNCTION(int, X509_pubkey_digest, (const struct x509_st *certificate,                            \
                                     const struct evp_md_st *type, unsigned char *digest,          \
                                     unsigned int *length))                                        \
  FUNCTION(int, i2d_X509, (const struct x509_st *certificate, unsigned char **out))                \
  FUNCTION(const struct asn1_string_st *, X509_get0_notBefore, (const struct x509_st *certificate))\
  FUNCTION(const struct asn1_string_st *, X509_get0_notAfter, (const struct x509_st *certificate)) \
  FUNCTION(struct asn1_string_st *, ASN1_TIME_set, (struct asn1_string_st *time, long seconds))    \
  FUNCTION(void, ASN1_TIME_free, (struct asn1_string_st *time))                                    \
  FUNCTION(int, ASN1_TIME_diff, (int *days, int *seconds, const struct asn1_string_st *from,       \
                                 const struct asn1_string_st *to))                                 \
  FUNCTION(struct X509_name_st *, X509_get_subject_name, (const struct x509_st *certificate))      \
  FUNCTION(char *, X509_NAME_oneline, (const struct X509_name_st *name, char *out, int size))
/* clang-format on */

#define MDE_LIBCRYPTO_FIELD(type, name, parameters) type(*name) parameters;

struct mde_libcrypto {
  MDE_LIBCRYPTO_FUNCTIONS(MDE_LIBCRYPTO_FIELD)
};

struct mde_libcrypto_signing {
  MDE_LIBCRYPTO_SIGNING_FUNCTIONS(MDE_LIBCRYPTO_FIELD)
};

#undef MDE_LIBCRYPTO_FIELD

/*
 * Finds the functions: among what the program itself brings, then in the libcrypto that something
 * in this process has loaded, and only then in one that is loaded for it, for good. Keeps nothing
 * and takes no lock, so it may be called in any thread and after any fork. False if there is none
 * that will do; `problem` is then one line for a person.
 */
bool mde_libcrypto_find(struct mde_libcrypto *libcrypto, char *problem, size_t size);
bool mde_libcrypto_find_signing(struct mde_libcrypto_signing *libcrypto, char *problem,
                                size_t size);

#endif
