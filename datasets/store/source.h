/* The files of a dataset, in a plain folder or inside an archive (tar, also gzip, bzip2, xz or zstd
 * compressed, or zip), seen the same way: names one after the other, each file read whole on demand.
 *
 * Names are relative, parts joined by '/', without "." parts; a folder's name ends with '/'. Links are
 * followed, but for those that lead back to a folder above them. Those, hidden names (".x", and what systems
 * leave behind: "__MACOSX", "Thumbs.db", "desktop.ini") and names that climb out ("..") are passed over and
 * counted. A folder is followed by what is in it, sorted by the bytes of names; an archive's names come as
 * stored. */
#ifndef US_DATASETS_SOURCE_H
#define US_DATASETS_SOURCE_H

#include <stdint.h>

#include "base/status.h"
#include "datasets/store/place.h"

struct us_source; /* opaque; one thread at a time */

/* UNSEEN_BAD_DATA if nothing is there or it is no archive that we read. Ends with us_source_close. */
enum unseen_status us_source_open(const char *path, struct us_source **source);
void us_source_close(struct us_source *source);

/* The same for an archive that lies within the file `path`, as it is. Places are those in the file. */
enum unseen_status us_source_open_piece(const char *path, int64_t from, int64_t size,
                                        struct us_source **source);

/* Step to the next name. `name` becomes NULL behind the last one; it is valid until the next step.
 * UNSEEN_BAD_DATA if the archive is damaged. */
enum unseen_status us_source_next(struct us_source *source, const char **name);

enum us_passed_over { US_HIDDEN, US_LOOP, US_PASSED_OVER };

/* How many names were passed over so far and one of them; NULL if there is none.
 */
int64_t us_source_passed_over(const struct us_source *source, enum us_passed_over why, const char **first);

/* The current file's contents, owned by `source`, valid until the next call. UNSEEN_BAD_DATA, naming the
 * file, if they cannot be had. us_source_try sets `reason` instead (NULL if there is none), valid until the
 * next call, so that a reader can tell of this file and go on with the next. */
enum unseen_status us_source_read(struct us_source *source, const uint8_t **bytes, size_t *size);
enum unseen_status us_source_try(struct us_source *source, const uint8_t **bytes, size_t *size,
                                 const char **reason);

/* Where the current file lies: file is US_OWN_FILE or US_LINK, or 0 for the archive. The size is 0 where an
 * archive tells none. `packed`: its bytes are not stored in the archive as they are, and offset is 0. */
void us_source_place(const struct us_source *source, struct us_place *place, bool *packed);

const char *us_source_path(const struct us_source *source);
bool us_source_is_folder(const struct us_source *source);

/* A whole file in memory. */
struct us_blob {
    char *name; /* inside the source; NULL if it was not there */
    uint8_t *bytes;
    size_t size;
};

/* Read, at whatever depth they lie, the files with base names wanted[0..n) into blobs[0..n) (zeroed by the
 * caller, freed with us_blob_free also after a failure). UNSEEN_BAD_DATA if one is there twice. */
enum unseen_status us_source_collect(struct us_source *source, const char *const *wanted, size_t n,
                                     struct us_blob *blobs);
void us_blob_free(struct us_blob *blob);

/* Why the bytes of a place that is US_LINK cannot be had. */
#define US_LINK_REASON                                                                                       \
    "is a link, and an archive's links are not followed; pack it again with tar --dereference "              \
    "--hard-dereference"

/* The last part of a name. */
const char *us_base_name(const char *name);

/* True for the extensions that torchvision takes for images, in upper or lower case. Whether the file is one
 * of the kinds that can be decoded is seen from its contents. */
bool us_is_image_name(const char *name);

#endif
