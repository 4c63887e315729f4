/* Checksums of finished files: XXH3 (64 bits) of all their bytes, as text. They find damage, no ill will. */
#ifndef US_BASE_CHECKSUM_H
#define US_BASE_CHECKSUM_H

#include <jansson.h>

#include "base/status.h"

/* Of "xxh3-0123456789abcdef" with its end. */
enum { US_CHECKSUM_TEXT = 24 };

/* A checksum on its way, of bytes that come in order. */
struct us_checksum;
struct us_checksum *us_checksum_new(void); /* NULL on failure, recorded */
void us_checksum_add(struct us_checksum *sum, const void *bytes, size_t size);
void us_checksum_text(const struct us_checksum *sum, char text[US_CHECKSUM_TEXT]);
void us_checksum_free(struct us_checksum *sum);

/* Of a whole file, read in pieces; UNSEEN_INTERRUPTED once that was asked for. The second is for files that
 * were just written, whose work an interrupt must not undo. */
enum unseen_status us_checksum_file(const char *path, char text[US_CHECKSUM_TEXT]);
enum unseen_status us_checksum_written(const char *path, char text[US_CHECKSUM_TEXT]);

/* UNSEEN_BAD_DATA unless the file has the checksum that the file `says` holds for it. A file that was found
 * good is not read again by this process as long as its size and time stay. */
enum unseen_status us_checksum_check(const char *path, const char *expected, const char *says);

/* Whether us_checked_set was called for the file as it is now and `what`; for checks of any kind that are
 * done once a process. Any thread. */
bool us_checked(const char *path, const char *what);
void us_checked_set(const char *path, const char *what);

/* {"scores.npy": "xxh3-...", ...} of those of the files (ended by NULL) that are in the folder; NULL on
 * failure, recorded. */
json_t *us_checksums_json(const char *folder, const char *const *files);

/* Check a file by the "checksums" of a JSON file in its folder (run.json, quality.json or result.json) or of
 * run.json in the folder above. Where none names it there is nothing to check. */
enum unseen_status us_checksum_check_beside(const char *path);

#endif
