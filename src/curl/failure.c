#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool mde_transfer_answered(const struct mde_transfer *transfer)
{
  return transfer->trouble == MDE_TRANSFER_TROUBLE_NONE && transfer->code == CURLE_OK &&
         transfer->status >= 200;
}

/*
 * libcurl's own words. They can quote a proxy's URL with its password, so whatever has an '@' in it
 * is replaced by the general text for the code.
 */
static void copy_detail(const struct mde_transfer *transfer, char detail[CURL_ERROR_SIZE])
{
  bool usable = transfer->error[0] != '\0' && strchr(transfer->error, '@') == NULL;
  snprintf(detail, CURL_ERROR_SIZE, "%s",
           usable ? transfer->error : curl_easy_strerror(transfer->code));
  size_t length = strlen(detail);
  while (length > 0 && (detail[length - 1] == '\n' || detail[length - 1] == '\r'))
    detail[--length] = '\0';
  for (size_t i = 0; i < length; i++)
    if (detail[i] < ' ' || detail[i] > '~') detail[i] = '?';
}

/*
 * What is wrong with a certificate is known by OpenSSL's numbers (X509_V_ERR_...). libcurl compares
 * the name itself, before it asks for one, and leaves the number that it began with.
 */
static const char *certificate_code(const struct mde_transfer *transfer)
{
  enum {
    UNSPECIFIED = 1,
    NO_ISSUER = 2,
    NOT_YET_VALID = 9,
    HAS_EXPIRED = 10,
    SELF_SIGNED = 18,
    SELF_SIGNED_IN_CHAIN = 19,
    NO_LOCAL_ISSUER = 20,
    NO_FIRST_SIGNATURE = 21,
    UNTRUSTED = 27
  };
  switch (transfer->tls_is_openssl ? transfer->verification : 0) {
  case UNSPECIFIED:
    return "tls_name";
  case NOT_YET_VALID:
  case HAS_EXPIRED:
    return "tls_expired";
  case NO_ISSUER:
  case SELF_SIGNED:
  case SELF_SIGNED_IN_CHAIN:
  case NO_LOCAL_ISSUER:
  case NO_FIRST_SIGNATURE:
  case UNTRUSTED:
    return "tls_untrusted";
  default:
    return "tls_certificate";
  }
}

static const char *certificate_advice(const struct mde_transfer *transfer)
{
  const char *code = certificate_code(transfer);
  if (strcmp(code, "tls_expired") == 0) return "renew it, or set this machine's clock right";
  if (strcmp(code, "tls_name") == 0)
    return "it was issued for another name: check the URL, the DNS and any proxy in between";
  return "if that is the right host, point ca_file or SSL_CERT_FILE at the CA that issued it";
}

/* The end of a failed TLS handshake can be one of many things; only a wrong version has advice. */
static const char *handshake_advice(const char *detail)
{
  if (strstr(detail, "version") != NULL || strstr(detail, "unsupported protocol") != NULL ||
      strstr(detail, "protocol is not supported") != NULL)
    return " (TLS 1.2 or newer is required)";
  return "";
}

__attribute__((format(printf, 2, 3))) static void say(char *text, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, MDE_FAILURE_SIZE, format, arguments);
  va_end(arguments);
}

/* True if it was one of our own, which libcurl's code would only call an aborted callback. */
static bool describe_trouble(const struct mde_transfer *transfer, char *text)
{
  const char *host = transfer->host;
  switch (transfer->trouble) {
  case MDE_TRANSFER_TROUBLE_NONE:
    return false;
  case MDE_TRANSFER_TROUBLE_MEMORY:
    say(text, "not enough memory for the answer of %s", host);
    return true;
  case MDE_TRANSFER_TROUBLE_HEAD:
    say(text, "the headers of the answer of %s are longer than %zu bytes", host,
        transfer->head.limit);
    return true;
  case MDE_TRANSFER_TROUBLE_MALFORMED:
    say(text, "the answer of %s is malformed: %s", host, transfer->problem);
    return true;
  case MDE_TRANSFER_TROUBLE_CUT_HEAD:
    say(text, "the answer of %s ended early: its head has no end", host);
    return true;
  case MDE_TRANSFER_TROUBLE_ENDLESS:
    say(text, "the answer of %s does not say how long it is, so it could have been cut", host);
    return true;
  case MDE_TRANSFER_TROUBLE_CUT:
    say(text, "the answer of %s ended early: its compressed body is cut", host);
    return true;
  case MDE_TRANSFER_TROUBLE_BODY:
    say(text, "the answer of %s is longer than %zu bytes", host, transfer->answer.limit);
    return true;
  case MDE_TRANSFER_TROUBLE_UNCLEAN:
    say(text, "the connection to %s had something unread on it", host);
    return true;
  case MDE_TRANSFER_TROUBLE_REPEATED:
    say(text, "%s closed the connection before it answered", host);
    return true;
  case MDE_TRANSFER_TROUBLE_FORKED:
    say(text,
        "the request to %s was in flight when this process was forked; its answer went to the "
        "parent process",
        host);
    return true;
  case MDE_TRANSFER_TROUBLE_UNWATCHED:
    say(text,
        "the system would not watch the connection to %s; see (on Linux) "
        "/proc/sys/fs/epoll/max_user_watches and the memory that is free",
        host);
    return true;
  case MDE_TRANSFER_TROUBLE_WITHDRAWN:
    say(text, "the request to %s was withdrawn", host);
    return true;
  case MDE_TRANSFER_TROUBLE_CLOSED:
    say(text, "the driver was closed while a request to %s was in flight", host);
    return true;
  }
  return false;
}

/* Whether the proxy wants another user or password. */
static bool wants_another_password(const struct mde_transfer *transfer)
{
  enum { PROXY_AUTHENTICATION_REQUIRED = 407 };
  return transfer->proxy_status == PROXY_AUTHENTICATION_REQUIRED ||
         (transfer->code == CURLE_PROXY && (transfer->proxy_error == CURLPX_USER_REJECTED ||
                                            transfer->proxy_error == CURLPX_NO_AUTH));
}

/* Whether TLS with the proxy failed. OpenSSL's number for its certificate is not 0 until that was
 * accepted, and 0 where there is no such proxy. */
static bool is_tls_of_proxy(const struct mde_transfer *transfer)
{
  return transfer->proxy_verification != 0 && (transfer->code == CURLE_SSL_CONNECT_ERROR ||
                                               transfer->code == CURLE_PEER_FAILED_VERIFICATION);
}

static void describe_early(const struct mde_transfer *transfer, const char *detail, char *text)
{
  const char *host = transfer->host;
  if (wants_another_password(transfer)) {
    say(text, "no way to %s: %s", host,
        transfer->proxy_status != 0 ? "it answered 407 to CONNECT" : detail);
    return;
  }
  if (is_tls_of_proxy(transfer)) {
    say(text, "TLS with the proxy on the way to %s failed: %s%s", host, detail,
        transfer->code == CURLE_PEER_FAILED_VERIFICATION
            ? "; ca_file or SSL_CERT_FILE has to have the CA of the proxy, too"
            : handshake_advice(detail));
    return;
  }
  switch (transfer->code) {
  case CURLE_COULDNT_RESOLVE_HOST:
    say(text, "could not resolve host %s", host);
    break;
  case CURLE_COULDNT_RESOLVE_PROXY:
    say(text, "could not resolve the proxy on the way to %s: %s", host, detail);
    break;
  case CURLE_OPERATION_TIMEDOUT:
    say(text, "no connection to %s in time: %s", host, detail);
    break;
  case CURLE_OUT_OF_MEMORY:
    say(text, "not enough memory for a connection to %s", host);
    break;
  case CURLE_SSL_CONNECT_ERROR:
    say(text, "TLS with %s failed: %s%s", host, detail, handshake_advice(detail));
    break;
  case CURLE_PEER_FAILED_VERIFICATION:
    say(text, "the TLS certificate of %s was not accepted: %s; %s", host, detail,
        certificate_advice(transfer));
    break;
  case CURLE_SSL_CACERT_BADFILE:
    say(text,
        "the CA certificates could not be read: %s; check ca_file, SSL_CERT_FILE and SSL_CERT_DIR",
        detail);
    break;
  default:
    say(text, "could not connect to %s: %s", host, detail);
    break;
  }
}

static void describe_late(const struct mde_transfer *transfer, const char *detail, char *text)
{
  const char *host = transfer->host;
  switch (transfer->code) {
  case CURLE_OK:
    say(text, "%s sent an interim status (%ld) as its last answer", host, transfer->status);
    break;
  case CURLE_OPERATION_TIMEDOUT:
    say(text, "no whole answer from %s in time: %s", host, detail);
    break;
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_FAIL_REWIND:
    say(text, "%s closed the connection before it answered", host);
    break;
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
    say(text, "the connection to %s broke: %s", host, detail);
    break;
  case CURLE_OUT_OF_MEMORY:
    say(text, "not enough memory for the request to %s", host);
    break;
  case CURLE_PARTIAL_FILE:
    say(text, "the answer of %s ended early: %s", host, detail);
    break;
  case CURLE_WRITE_ERROR: /* not ours, whose trouble is told: bytes behind the packed ones */
    say(text, "the answer of %s could not be decompressed: it does not end where it says", host);
    break;
  case CURLE_BAD_CONTENT_ENCODING:
    say(text, "the answer of %s could not be decompressed: %s", host, detail);
    break;
  case CURLE_FILESIZE_EXCEEDED:
    say(text, "the answer of %s is malformed: its length is no number", host);
    break;
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_UNSUPPORTED_PROTOCOL:
    say(text, "%s did not answer in HTTP/1.1: %s", host, detail);
    break;
  default:
    say(text, "the request to %s failed: %s", host, detail);
    break;
  }
}

void mde_failure_describe(const struct mde_transfer *transfer, char text[MDE_FAILURE_SIZE])
{
  char detail[CURL_ERROR_SIZE];
  if (describe_trouble(transfer, text)) return;
  copy_detail(transfer, detail);
  if (transfer->head_offered)
    describe_late(transfer, detail, text);
  else
    describe_early(transfer, detail, text);
}

static const char *early_code(const struct mde_transfer *transfer)
{
  if (wants_another_password(transfer)) return "proxy_auth";
  if (transfer->proxy_status >= 300 || is_tls_of_proxy(transfer)) return "proxy";
  switch (transfer->code) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return "resolve";
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_PROXY:
  case CURLE_SEND_ERROR: /* before TLS there is nobody else to talk to */
  case CURLE_RECV_ERROR:
    return "proxy";
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CIPHER:
    return "tls";
  case CURLE_PEER_FAILED_VERIFICATION:
    return certificate_code(transfer);
  case CURLE_SSL_CACERT_BADFILE:
    return "tls_authorities";
  case CURLE_OUT_OF_MEMORY:
    return "memory";
  default:
    return "connect";
  }
}

static const char *late_code(const struct mde_transfer *transfer)
{
  switch (transfer->code) {
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout";
  case CURLE_OUT_OF_MEMORY:
    return "memory";
  case CURLE_OK:
  case CURLE_WRITE_ERROR:
  case CURLE_BAD_CONTENT_ENCODING:
  case CURLE_FILESIZE_EXCEEDED:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_UNSUPPORTED_PROTOCOL:
    return "malformed";
  default:
    return "closed";
  }
}

const char *mde_failure_code(const struct mde_transfer *transfer)
{
  switch (transfer->trouble) {
  case MDE_TRANSFER_TROUBLE_NONE:
    return transfer->head_offered ? late_code(transfer) : early_code(transfer);
  case MDE_TRANSFER_TROUBLE_MEMORY:
  case MDE_TRANSFER_TROUBLE_UNWATCHED:
    return "memory";
  case MDE_TRANSFER_TROUBLE_HEAD:
  case MDE_TRANSFER_TROUBLE_BODY:
    return "too_large";
  case MDE_TRANSFER_TROUBLE_MALFORMED:
  case MDE_TRANSFER_TROUBLE_ENDLESS:
  case MDE_TRANSFER_TROUBLE_CUT:
    return "malformed";
  case MDE_TRANSFER_TROUBLE_CUT_HEAD:
  case MDE_TRANSFER_TROUBLE_UNCLEAN:
  case MDE_TRANSFER_TROUBLE_REPEATED:
  case MDE_TRANSFER_TROUBLE_FORKED:
  case MDE_TRANSFER_TROUBLE_CLOSED:
  case MDE_TRANSFER_TROUBLE_WITHDRAWN:
    return "closed";
  }
  return "closed";
}

const char *mde_failure_code_of_start(CURLcode code)
{
  return code == CURLE_OUT_OF_MEMORY ? "memory" : "unsupported";
}

void mde_failure_describe_start(CURLcode code, char text[MDE_FAILURE_SIZE])
{
  say(text, "libcurl could not start the request: %s", curl_easy_strerror(code));
}
