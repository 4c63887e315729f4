/* What a dataset format is, and what the formats share. Adding one: a file here and a line in
 * formats.def. */
#ifndef US_DATASETS_FORMAT_H
#define US_DATASETS_FORMAT_H

#include "base/reader.h"
#include "unseen/dataset.h"

/* What becomes of a bad sample: opening stops at the first one, verifying reports it and goes on. */
struct us_defects {
    void (*report)(const struct unseen_defect *defect, void *context); /* may be NULL */
    void *context;
    bool go_on;
    int64_t checked;  /* samples looked at */
    int64_t count;    /* defects met */
    int64_t bad;      /* image files that cannot be read, where the options let that pass */
    int64_t warnings; /* faults that lost no data */
    int64_t rotated;  /* images whose EXIF data ask for another orientation */
};

/* Note a fault of `file` that lost no data: the sample is read all the same. */
void us_dataset_warning(struct us_defects *defects, const char *file, const char *reason);

/* Note a defect of `file` (inside the dataset at `location`), record -1 for the file as a whole. Returns
 * UNSEEN_OK if the reader is to go on without that sample, else UNSEEN_BAD_DATA, recorded. */
enum unseen_status us_defect(struct us_defects *defects, const char *location, const char *file,
                             int64_t record, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The samples that an export takes: indices into the training split. */
struct us_subset {
    const int64_t *keep; /* ascending; NULL: all */
    int64_t n;
};

struct us_index;

/* How sure it is that data are of a format. Archives, which lie beside images too, say less than images do.
 */
enum us_sure { US_NOT, US_MAYBE, US_PERHAPS, US_CERTAINLY };

struct us_dataset_format {
    const char *name;
    const char *argument; /* what follows "name:", for help texts */
    bool drawn;           /* it tells what to draw; else it is the path of a folder or an archive */
    const char *coarse;   /* name of the format that reads the same files with coarse labels; NULL: none */

    /* What is looked for in a folder or archive of unknown format, in words, and how sure a file of this name
     * makes that it is there. NULL: found by its name alone. */
    const char *looked_for;
    enum us_sure (*probe)(const char *name);
    /* Whether a path that is no folder, or no file at all, is of this format, by its name or first bytes.
     * NULL: it tells nothing. */
    bool (*knows)(const char *path);

    /* Read `location` whole into `dataset` (zeroed but for format and location): sizes, class names and both
     * splits; mean and std if the format fixes them, else left zero. After a defect that was passed over
     * (defects->go_on) the splits may be left empty. */
    enum unseen_status (*read)(const char *location, struct us_defects *defects,
                               struct unseen_dataset *dataset);

    /* Instead of `read`, for datasets of image files: add class names, samples and the store that holds their
     * bytes to `index`, zeroed at first; and what else was read for it as witnesses (datasets/index.h). */
    enum unseen_status (*list)(const char *location, struct us_index *index);
    /* What `dataset verify` looks at beside the images; `index` is what `list` made. NULL: nothing. */
    enum unseen_status (*check)(const char *location, const struct us_index *index,
                                struct us_defects *defects);

    /* How many bytes `subset` and the whole test split of any dataset take in this format. UNSEEN_USAGE if
     * the dataset does not fit it. NULL, as `write`: it cannot be written. */
    enum unseen_status (*measure)(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                  int64_t *bytes);

    /* Write them into `out`, an empty folder. */
    enum unseen_status (*write)(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                const char *out);

    /* Instead of both, for formats that are one file: write the file `out`. */
    enum unseen_status (*write_file)(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                     const char *out);
};

#define US_FORMAT(name) extern const struct us_dataset_format us_format_##name;
#include "datasets/formats.def"
#undef US_FORMAT

/* By name; NULL if there is none. */
const struct us_dataset_format *us_format_find(const char *name);

/* Split "FORMAT:PATH", or look at what PATH holds. `location` points into `name`. UNSEEN_USAGE for an unknown
 * format, UNSEEN_BAD_DATA if nothing known is there. */
enum unseen_status us_format_of(const char *name, const struct us_dataset_format **format,
                                const char **location);

/* The same for data that are read with `options` (may be NULL): UNSEEN_USAGE if they are out of range, or not
 * for data of this format. */
enum unseen_status us_format_read_as(const char *name, const struct unseen_dataset_options *options,
                                     const struct us_dataset_format **format, const char **location);

/* Note an image that cannot be read, where that is no defect. */
void us_dataset_bad(struct us_defects *defects, const char *file, const char *reason);

/* Memory for n images of `bytes` each, or NULL, recorded: also where the machine has not that much. */
uint8_t *us_pixels_make(int64_t n, size_t bytes);

/* Allocate what a split of n samples of `bytes` each needs in memory, behind writable pointers that the
 * dataset owns. */
enum unseen_status us_images_make(struct unseen_dataset *dataset, enum unseen_split split, int64_t n,
                                  size_t bytes, uint8_t **pixels, int32_t **labels);

/* What a class without a name is called. */
#define US_CLASS_NUMBER "class %d"

/* Fill dataset->class_names with `given` [classes], or "class 0", "class 1", ... if NULL. */
enum unseen_status us_class_names(struct unseen_dataset *dataset, const char *const *given, int classes);

/* dataset->hash: SHA-256 over height, width, channels and, of each split, n, labels and pixels; integers as
 * little-endian 64-bit, labels as little-endian 32-bit. Of a dataset of files, and where classes have names,
 * also over the names of all classes and, from its class on, of each file, a zero byte behind each. */
enum unseen_status us_dataset_hash(struct unseen_dataset *dataset);

/* dataset->mean and std of the training split, of pixels scaled to [0,1]; std is 1/255 at least, so that flat
 * images can be divided by it. Exact sums: the same on every machine. */
void us_dataset_measure(struct unseen_dataset *dataset);

/* UNSEEN_INTERRUPTED, recorded, if a stop was asked for. */
enum unseen_status us_dataset_go_on(const char *location);

#endif
