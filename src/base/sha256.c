#include "config.h"

#include "base/sha256.h"

#include <nettle/base16.h>
#include <nettle/version.h>
#include <stdint.h>

static void end(struct sha256_ctx *hash, uint8_t digest[SHA256_DIGEST_SIZE])
{
#if NETTLE_VERSION_MAJOR < 4
    sha256_digest(hash, SHA256_DIGEST_SIZE, digest);
#else
    sha256_digest(hash, digest);
#endif
}

void us_sha256_hex(struct sha256_ctx *hash, char hex[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    end(hash, digest);
    base16_encode_update(hex, sizeof digest, digest);
    hex[64] = '\0';
}

void us_sha256_bytes(const void *bytes, size_t size, uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, size, bytes);
    end(&hash, digest);
}

void us_sha256_of(const void *bytes, size_t size, char hex[65])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, size, bytes);
    us_sha256_hex(&hash, hex);
}
