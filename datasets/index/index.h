/* The index of a dataset of image files: what is known of its samples without decoding them. Formats list
 * names, labels and places (struct us_dataset_format.list); the rest is the same for all and found by
 * datasets/headers.h, kept in the cache folder by datasets/index_cache.h, and read by datasets/files.h.
 *
 * One entry takes sizeof(struct us_entry) + 12 bytes and its name. */
#ifndef US_DATASETS_INDEX_H
#define US_DATASETS_INDEX_H

#include "base/reader.h"
#include "datasets/names.h"
#include "datasets/store/store.h"

/* Whether all of a file was decoded, and how that went. */
enum us_decoded { US_NOT_DECODED, US_DECODES, US_DAMAGED };

struct us_entry {
    struct us_place place;
    uint64_t name;       /* where it begins in the index's text */
    uint64_t head;       /* hash of the first bytes (datasets/headers.h) */
    uint32_t reason;     /* of a bad one: where the reason begins in the text of reasons; else 0 */
    uint8_t orientation; /* EXIF's, 1..8 */
    uint8_t looked_at;   /* the header was read */
    uint8_t bad;         /* no image that can be decoded, as far as its header tells */
    uint8_t decoded;     /* enum us_decoded */
};

/* Something whose change makes the listing old: a folder, an archive, a list of labels. */
struct us_witness {
    uint64_t path; /* in the text */
    struct us_place place;
};

/* An entry with the content of an earlier one, of the training split. */
struct us_copy {
    int64_t entry, original;
};

/* What takes reading files, and is found once. */
struct us_facts {
    char hash[72]; /* as of struct unseen_dataset; "": not known yet */
    float mean[3], std[3];
    int32_t measured; /* mean and std are known */
    int32_t compared; /* copies are known */
};

struct us_index {
    struct us_store *store;
    struct us_text text;         /* names of samples, paths of witnesses */
    struct us_text reasons;      /* of bad entries */
    struct us_text notes;        /* datasets/notes.h */
    struct us_entry *entries;    /* [n[0] + n[1]], the training split first */
    int32_t *labels;             /* as entries */
    struct us_image_size *sizes; /* as entries: of the stored picture; zeroes for a bad one */
    int64_t n[2], capacity;
    size_t class_at[2]; /* as of struct unseen_images */
    char **classes;
    int n_classes;
    struct us_witness *witnesses;
    size_t n_witnesses;
    struct us_facts facts;
    struct us_copy *copies; /* [n_copies] */
    int64_t n_copies;
    void *mapping; /* where all of the above lies if it was kept; NULL: each in memory of its own */
    size_t mapped;
};

/* How a format makes one. All of the training split is added first. `name`: as of the dataset's paths. */
enum unseen_status us_index_add(struct us_index *index, enum unseen_split split, const char *name,
                                int32_t label, const struct us_place *place);
enum unseen_status us_index_class(struct us_index *index, const char *name);
/* A folder, or a file other than the samples' own, that was read for the listing; archives of the store need
 * not be named. `place`: us_place_of it before it was read. */
enum unseen_status us_index_witness(struct us_index *index, const char *path, const struct us_place *place);

/* The same with what the file is now, before it is read. UNSEEN_BAD_DATA if it is not
 * there. */
enum unseen_status us_index_watch(struct us_index *index, const char *path);

/* Make a test split of `share` of each class, rounded, though never of all of it: always the same files.
 * There is none yet. */
enum unseen_status us_index_hold_out(struct us_index *index, double share);

/* Note the classes that have no training sample, once all samples and classes are there: they keep their
 * numbers, so that those after them keep theirs. */
enum unseen_status us_index_note_empty(struct us_index *index, const char *location);

static inline const char *us_index_name(const struct us_index *index, int64_t entry)
{
    return index->text.text + index->entries[entry].name;
}

void us_index_free(struct us_index *index);

#endif
