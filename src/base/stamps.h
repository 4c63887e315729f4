/* What the files of an output folder were when this program last wrote them, in .unseen/stamps: whether
 * someone has changed them since. A killed process leaves none, which vouches for nothing. */
#ifndef US_BASE_STAMPS_H
#define US_BASE_STAMPS_H

#include <jansson.h>

#include "base/status.h"

struct us_stamps {
    json_t *known;   /* {name: {"size", "time", "checksum"}} */
    json_t *written; /* {name: true}: since us_stamps_read */
};

/* Read those of the output folder `root`; there may be none, and what cannot be read is none. End with
 * us_stamps_free, which takes a zeroed one too. */
enum unseen_status us_stamps_read(const char *root, struct us_stamps *stamps);
void us_stamps_free(struct us_stamps *stamps);

/* Whether the file `name` is there and another than this program wrote. UNSEEN_FAILED if it cannot be read.
 */
enum unseen_status us_stamps_compare(const struct us_stamps *stamps, const char *root, const char *name,
                                     bool *changed);

/* Before the file `name` is written: what is known of it holds no longer. A name that is not UTF-8 has no
 * stamp. */
void us_stamps_forget(struct us_stamps *stamps, const char *root, const char *name);

/* Take the stamps of the files that were written, if any, and write all through the file `temporary`. */
enum unseen_status us_stamps_save(struct us_stamps *stamps, const char *root, const char *temporary);

#endif
