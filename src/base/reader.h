/* How the pixels of a dataset's samples are had, one by one. datasets/ makes readers, each for its way of
 * storing images; what takes images calls them through this table, and need not know the format. */
#ifndef US_BASE_READER_H
#define US_BASE_READER_H

#include "base/status.h"
#include "unseen/dataset.h"

/* The hint where a run was made from data of another hash. */
#define US_DATA_DIFFER                                                                                       \
    "files of the dataset were added, removed, renamed or changed since, or are read with other options "    \
    "(--exif, --on-bad, --test-share): undo that, or choose another --out"

/* The part of a picture that is resized to what is wanted, in pixels of the picture, fractions allowed. */
struct us_crop {
    float x, y, width, height;
    bool clipped; /* the filter takes nothing from outside of the box, as where it is cut out before it is
                     resized (torchvision's resized_crop); else what lies around it counts, as where the
                     picture is resized before it is cut (Resize, then CenterCrop) */
};

struct us_image_size {
    int32_t height, width;
};

struct us_scratch; /* what a thread keeps from one sample to the next: decoders, rows; may be NULL */

struct unseen_reader {
    /* Of each split, by enum unseen_split: all pixels [n, height, width, channels] if they are in memory, as
     * those of formats with images of one size are; else NULL. */
    const uint8_t *pixels[2];
    /* The size of each image [n], as it lies in the sample's pixels; NULL if all are the dataset's. */
    const struct us_image_size *sizes[2];

    /* One for each thread that reads; freed with scratch_free. */
    enum unseen_status (*scratch_new)(const struct unseen_dataset *dataset, struct us_scratch **scratch);
    void (*scratch_free)(struct us_scratch *scratch);

    /* `crop` (NULL: the whole picture) of sample i, resized to pixels [height, width, channels] by PIL's
     * antialiased bilinear filter. Any number of threads may read at once, each with a scratch of its own.
     * UNSEEN_BAD_DATA, naming the file, if it cannot be had: it is gone, changed or damaged. */
    enum unseen_status (*read)(const struct unseen_dataset *dataset, struct us_scratch *scratch,
                               enum unseen_split split, int64_t i, const struct us_crop *crop, int height,
                               int width, uint8_t *pixels);
    void (*close)(struct unseen_reader *reader); /* NULL: there is nothing to free */
};

/* The size of sample i. */
static inline struct us_image_size us_image_size_of(const struct unseen_dataset *dataset,
                                                    enum unseen_split split, int64_t i)
{
    return dataset->reader->sizes[split] ? dataset->reader->sizes[split][i]
                                         : (struct us_image_size){dataset->height, dataset->width};
}

#endif
