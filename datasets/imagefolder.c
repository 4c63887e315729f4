#include "config.h"

#include "datasets/imagefolder.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sha256.h"
#include "datasets/image.h"
#include "datasets/pixels.h"
#include "datasets/source.h"
#include "datasets/tree.h"

struct reading {
    const char *location;
    struct us_defects *defects;
    struct unseen_dataset *dataset;
    struct us_image_decoder *decoder;
    struct us_tree tree;
    const char *sized;   /* path of the first good image, which decides the size; NULL before it */
    uint8_t *pixels[2];  /* [n, height, width, 3], the dataset's; NULL when verifying */
    uint8_t *digests[2]; /* [n, US_DIGEST], the dataset's */
    uint8_t *scratch;    /* [height, width, 3]: where images are decoded that are verified alone */
};

/* What is known of the samples from their names: labels and paths, which move to the dataset. */
static enum unseen_status make_samples(struct reading *reading)
{
    struct us_tree *tree = &reading->tree;
    for (int split = 0; split < 2; split++) {
        struct unseen_images *images = &reading->dataset->split[split];
        const struct us_picture *pictures =
            tree->pictures + (split == UNSEEN_TEST ? tree->n[UNSEEN_TRAIN] : 0);
        int64_t n = images->n = tree->n[split];
        int32_t *labels = us_calloc((size_t)n, sizeof *labels);
        images->labels = labels;
        char **paths = us_calloc((size_t)n, sizeof *paths);
        images->paths = paths;
        images->digests = reading->digests[split] = us_calloc((size_t)n, US_DIGEST);
        if (!labels || !paths || !images->digests)
            return UNSEEN_FAILED;
        for (int64_t i = 0; i < n; i++) {
            labels[i] = pictures[i].label;
            if (!(paths[i] = us_format("%s", pictures[i].path)))
                return UNSEEN_FAILED;
            images->class_at = pictures[i].class_at;
        }
    }
    return us_class_names(reading->dataset, (const char *const *)tree->classes, tree->n_classes);
}

/* The first good image decides the size; every other one has to have it. */
static enum unseen_status check_size(struct reading *reading, const char *path, int height, int width,
                                     bool *fits)
{
    struct unseen_dataset *dataset = reading->dataset;
    if (!reading->sized) {
        dataset->height = height;
        dataset->width = width;
    }
    *fits = height == dataset->height && width == dataset->width;
    if (*fits)
        return UNSEEN_OK;
    enum unseen_status st =
        us_defect(reading->defects, reading->location, path, -1, "is %dx%d pixels, but %s is %dx%d", width,
                  height, reading->sized, dataset->width, dataset->height);
    if (st != UNSEEN_OK)
        us_hint("make all images one size in a copy of the folder, for mogrify overwrites its files: "
                "cp -rL DATA COPY; find COPY -type f -exec mogrify -resize 64x64^ -gravity center -extent "
                "64x64 {} +");
    return st;
}

/* Where the pixels of `picture` go. Images that are only verified go to one place, one after the other, so
 * that a dataset that is too large for memory can be checked too. */
static enum unseen_status place_pixels(struct reading *reading, const struct us_picture *picture,
                                       uint8_t **place)
{
    struct unseen_dataset *dataset = reading->dataset;
    size_t bytes = (size_t)dataset->height * (size_t)dataset->width * 3;
    if (reading->defects->go_on) {
        uint8_t *grown = us_realloc(reading->scratch, bytes, 1);
        *place = grown ? (reading->scratch = grown) : NULL;
        return grown ? UNSEEN_OK : UNSEEN_FAILED;
    }
    for (enum unseen_split split = 0; split < 2 && !reading->pixels[split]; split++) {
        reading->pixels[split] = us_pixels_make(dataset->split[split].n, bytes);
        if (!reading->pixels[split] || us_pixels_give(dataset, split, reading->pixels[split]))
            return UNSEEN_FAILED;
    }
    *place = reading->pixels[picture->split] + (size_t)picture->index * bytes;
    return UNSEEN_OK;
}

/* Decode the source's current file. */
static enum unseen_status add_file(struct reading *reading, struct us_source *source,
                                   const struct us_picture *picture)
{
    struct us_defects *defects = reading->defects;
    const uint8_t *bytes = NULL;
    uint8_t *pixels = NULL;
    const char *reason = NULL;
    size_t size = 0;
    int height = 0, width = 0;
    bool fits = false;
    enum unseen_status st;
    defects->checked++;
    US_TRY(us_source_try(source, &bytes, &size, &reason));
    if (reason)
        return us_defect(defects, reading->location, picture->path, -1, "%s", reason);
    if (!us_image_size(reading->decoder, bytes, size, &height, &width))
        return us_defect(defects, reading->location, picture->path, -1, "%s",
                         us_image_reason(reading->decoder));
    US_TRY(check_size(reading, picture->path, height, width, &fits));
    if (!fits)
        return UNSEEN_OK;
    US_TRY(place_pixels(reading, picture, &pixels));
    if (!us_image_decode(reading->decoder, bytes, size, pixels))
        return us_defect(defects, reading->location, picture->path, -1, "%s",
                         us_image_reason(reading->decoder));
    if (!reading->sized)
        reading->sized = picture->path;
    us_sha256_bytes(bytes, size, reading->digests[picture->split] + picture->index * US_DIGEST);
    if (us_image_note(reading->decoder))
        us_dataset_warning(defects, picture->path, us_image_note(reading->decoder));
    defects->rotated += us_exif_orientation(bytes, size) != 1;
out:
    return st;
}

static enum unseen_status read_files(struct reading *reading)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    int64_t found = 0, n = reading->tree.n[UNSEEN_TRAIN] + reading->tree.n[UNSEEN_TEST];
    enum unseen_status st;
    US_TRY(us_source_open(reading->location, &source));
    for (;;) {
        US_TRY(us_source_next(source, &name));
        US_TRY(us_dataset_go_on(reading->location));
        if (!name)
            break;
        const struct us_picture *picture = us_tree_find(&reading->tree, name);
        if (!picture)
            continue;
        found++;
        US_TRY(add_file(reading, source, picture));
    }
    if (found != n)
        st = us_fail(UNSEEN_BAD_DATA, reading->location,
                     "changed while it was read: %lld of %lld files are there", (long long)found,
                     (long long)n);
out:
    us_source_close(source);
    return st;
}

static enum unseen_status read_imagefolder(const char *location, struct us_defects *defects,
                                           struct unseen_dataset *dataset)
{
    struct reading reading = {.location = location, .defects = defects, .dataset = dataset};
    enum unseen_status st;
    dataset->channels = 3;
    US_TRY(us_image_open(&reading.decoder));
    US_TRY(us_tree_read(location, &reading.tree));
    US_TRY(make_samples(&reading));
    US_TRY(read_files(&reading));
    if (defects->warnings > 0 && !defects->report)
        us_log(UNSEEN_LOG_WARNING, "%s: %lld images have faults that lose no data; dataset verify lists them",
               location, (long long)defects->warnings);
out:
    free(reading.scratch);
    us_tree_free(&reading.tree);
    us_image_close(reading.decoder);
    return st;
}

const struct us_dataset_format us_format_imagefolder = {
    .name = "imagefolder",
    .argument = "DIR",
    .looked_for = "train|val|test/CLASS/*.jpg|*.png, CLASS/*.jpg|*.png",
    .probe = us_tree_probe,
    .read = read_imagefolder,
    .measure = us_imagefolder_measure,
    .write = us_imagefolder_write,
};
