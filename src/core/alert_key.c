#include "alert_key.h"

#include "sha256.h"

enum { DIGEST_BYTES = 20 };

size_t mde_alert_key(struct mde_text id, char out[MDE_ALERT_KEY_MAX_BYTES])
{
  if (mde_key_valid(id) && id.length <= MDE_ALERT_KEY_MAX_BYTES) {
    memcpy(out, id.bytes, id.length);
    return id.length;
  }
  static const char digits[] = "0123456789abcdef";
  unsigned char digest[MDE_SHA256_BYTES];
  mde_sha256(id, digest);
  for (size_t i = 0; i < DIGEST_BYTES; i++) {
    out[2 * i] = digits[digest[i] >> 4];
    out[2 * i + 1] = digits[digest[i] & 15];
  }
  return 2 * (size_t)DIGEST_BYTES;
}
