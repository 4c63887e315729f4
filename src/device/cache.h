/* Built kernels on disk: <cache folder>/programs/<key>. A file is magic, key, SHA-256 of the payload,
 * payload; whatever does not check is treated as missing. Nothing here fails: without a cache kernels are
 * built. */
#ifndef US_DEVICE_CACHE_H
#define US_DEVICE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "unseen/device.h"

enum { US_CACHE_KEY = 65 }; /* SHA-256 in hex and a zero byte */

/* UNSEEN_KERNEL_CACHE=0 switches the cache off and =1 on; without it, what the device's quirks ask for. */
bool us_cache_on(bool by_default);

/* What a binary depends on: source and options, platform, device, driver. */
void us_cache_key(const struct unseen_device_info *info, const char *source, const char *options,
                  char key[US_CACHE_KEY]);

/* The payload kept under `key` in fresh memory; false if there is none that checks. */
bool us_cache_read(const char *key, unsigned char **bytes, size_t *size);

/* Keep it, replacing what was there. */
void us_cache_write(const char *key, const unsigned char *bytes, size_t size);

#endif
