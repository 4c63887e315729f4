/* The stored bytes of a dataset's files, by random access from any number of threads.
 *
 * A store knows a folder and archives. Where the bytes of a file lie is a place: a file of its own in the
 * folder, a piece of an archive as it is stored there (a member of a plain tar, of a tar within a tar, an
 * uncompressed one of a zip), or a piece of what an archive was unpacked to. A compressed archive is read
 * from its beginning to its end once; the contents of its image files are then kept by datasets/spool.h. */
#ifndef US_DATASETS_STORE_H
#define US_DATASETS_STORE_H

#include <stdint.h>

#include "base/status.h"
#include "datasets/store/place.h"

struct us_source;

/* A file that holds many, or of which a dataset is made otherwise. */
struct us_stored_file {
    char *path;            /* from the root on */
    char *name;            /* as it was given */
    int64_t size, changed; /* as of us_place */
    uint32_t touched;      /* .. */
    bool packed;           /* its members have to be unpacked; offsets are those of the spool */
    int handle;            /* -1: not opened yet */
    struct us_spool *spool;
};

struct us_store; /* opaque */

/* Files of their own lie in `folder` by their names (NULL: there are none; absolute names are their own
 * paths). Ends with us_store_free. */
enum unseen_status us_store_new(const char *folder, struct us_store **store);
void us_store_free(struct us_store *store);

/* NULL if there is none. */
const char *us_store_folder(const struct us_store *store);

/* Add an archive. `packed`: see struct us_stored_file. Not while others read. */
enum unseen_status us_store_add(struct us_store *store, const char *path, bool packed, int32_t *file);

/* The files that were added, [n]. */
const struct us_stored_file *us_store_files(const struct us_store *store, int32_t *n);

/* Where the current file of `source` lies, which the store adds at the first call if it is an archive; a
 * packed member that is an image by its name is unpacked on the way. */
enum unseen_status us_store_place(struct us_store *store, struct us_source *source, const char *name,
                                  struct us_place *place);

/* Bytes in memory that grow as needed; zeroed at first, freed with us_bytes_free. */
struct us_bytes {
    uint8_t *data;
    size_t size, capacity;
};
enum unseen_status us_bytes_reserve(struct us_bytes *bytes, size_t capacity);
void us_bytes_free(struct us_bytes *bytes);

enum { US_REASON = 256 };

/* `size` bytes from `from` of the file `name` at `place`, fewer if it ends before, to `bytes`. False, with
 * the reason in words, if they cannot be had: the file is gone, is none, is not as it was listed. The reason
 * is empty for a failure of another kind, which is recorded: an archive that cannot be unpacked. Any thread.
 */
bool us_store_try(struct us_store *store, const char *name, const struct us_place *place, int64_t from,
                  int64_t size, struct us_bytes *bytes, char reason[US_REASON]);

/* All of its bytes. UNSEEN_BAD_DATA, naming the file. */
enum unseen_status us_store_read(struct us_store *store, const char *name, const struct us_place *place,
                                 struct us_bytes *bytes);

/* How messages call the file: "FOLDER/name" or "ARCHIVE:name". Fresh memory. */
char *us_store_label(const struct us_store *store, const char *name, const struct us_place *place);

#endif
