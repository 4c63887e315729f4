#include "config.h"

#include "datasets/cifar.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/usable.h"

/* The labels of sample i in the order of the file. */
static void put_labels(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                       const struct unseen_images *images, int64_t i, uint8_t *record)
{
    uint8_t label = (uint8_t)images->labels[i];
    if (layout->label_bytes == 1) {
        record[0] = label;
        return;
    }
    bool coarse = dataset->coarse_labels != 0;
    uint8_t second = images->second_labels ? images->second_labels[i] : label / 5;
    record[coarse ? 0 : 1] = label;
    record[coarse ? 1 : 0] = second;
}

static void put_pixels(const uint8_t *image, uint8_t *planes)
{
    for (size_t p = 0; p < US_CIFAR_PLANE; p++) {
        for (size_t c = 0; c < 3; c++)
            planes[c * US_CIFAR_PLANE + p] = image[3 * p + c];
    }
}

static enum unseen_status write_records(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                                        enum unseen_split split, const struct us_subset *subset,
                                        int64_t first, int64_t last, const char *path)
{
    const struct unseen_images *images = &dataset->split[split];
    uint8_t record[2 + US_CIFAR_PIXELS], pixels[US_CIFAR_PIXELS];
    size_t size = (size_t)layout->label_bytes + US_CIFAR_PIXELS;
    struct us_atomic file = {0};
    struct us_scratch *scratch = NULL;
    enum unseen_status st;
    US_TRY(dataset->reader->scratch_new(dataset, &scratch));
    US_TRY(us_atomic_begin(path, &file));
    for (int64_t k = first; k < last; k++) {
        US_TRY(us_dataset_go_on(path));
        int64_t i = subset->keep ? subset->keep[k] : k;
        put_labels(layout, dataset, images, i, record);
        US_TRY(dataset->reader->read(dataset, scratch, split, i, NULL, US_CIFAR_SIDE, US_CIFAR_SIDE, pixels));
        put_pixels(pixels, record + layout->label_bytes);
        if (fwrite(record, size, 1, file.stream) != 1) {
            st = us_fail_errno(path, "cannot write");
            goto out;
        }
    }
    st = us_atomic_commit(&file);
out:
    us_atomic_abandon(&file);
    if (scratch)
        dataset->reader->scratch_free(scratch);
    return st;
}

static enum unseen_status write_names(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                                      const char *out_folder)
{
    bool coarse = dataset->coarse_labels && layout->coarse_names;
    struct us_atomic file = {0};
    enum unseen_status st = UNSEEN_OK;
    char *path = us_format("%s/%s", out_folder, coarse ? layout->coarse_names : layout->names);
    US_TRY_ALLOC(path);
    US_TRY(us_atomic_begin(path, &file));
    for (int i = 0; i < dataset->classes; i++)
        fprintf(file.stream, "%s\n", dataset->class_names[i]);
    st = us_atomic_commit(&file);
out:
    us_atomic_abandon(&file);
    free(path);
    return st;
}

enum unseen_status us_cifar_measure(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                                    const struct us_subset *subset, int64_t *bytes)
{
    *bytes = (subset->n + dataset->split[UNSEEN_TEST].n) * (layout->label_bytes + US_CIFAR_PIXELS);
    if (dataset->height == US_CIFAR_SIDE && dataset->width == US_CIFAR_SIDE && dataset->channels == 3 &&
        dataset->classes <= layout->classes)
        return UNSEEN_OK;
    return us_fail(UNSEEN_USAGE, dataset->location,
                   "%dx%dx%d pixels and %d classes do not fit %s, which has 32x32x3 and at most %d",
                   dataset->height, dataset->width, dataset->channels, dataset->classes, layout->format,
                   layout->classes);
}

enum unseen_status us_cifar_write(const struct us_cifar *layout, const struct unseen_dataset *dataset,
                                  const struct us_subset *subset, const char *out_folder)
{
    int most = 0;
    while (most < US_CIFAR_TRAIN_FILES && layout->train[most])
        most++;
    int64_t files = subset->n < most ? subset->n : most;
    const struct unseen_images *test = &dataset->split[UNSEEN_TEST];
    const int64_t n_test = us_usable(test);
    int64_t *tests = us_calloc((size_t)n_test, sizeof *tests);
    char *path = NULL;
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(tests);
    us_list_usable(test, n_test, tests);
    US_TRY(write_names(layout, dataset, out_folder));
    for (int64_t i = 0; i < files; i++) {
        free(path);
        US_TRY_ALLOC(path = us_format("%s/%s", out_folder, layout->train[i]));
        US_TRY(write_records(layout, dataset, UNSEEN_TRAIN, subset, subset->n * i / files,
                             subset->n * (i + 1) / files, path));
    }
    if (n_test > 0) {
        free(path);
        US_TRY_ALLOC(path = us_format("%s/%s", out_folder, layout->test));
        US_TRY(
            write_records(layout, dataset, UNSEEN_TEST, &(struct us_subset){tests, n_test}, 0, n_test, path));
    }
out:
    free(tests);
    free(path);
    return st;
}
