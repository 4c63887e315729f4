/* What the formats share: bad samples, interrupts, and the parts of a dataset. */
#include "config.h"

#include "datasets/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "datasets/pixels.h"

enum unseen_status us_defect(struct us_defects *defects, const char *location, const char *file,
                             int64_t record, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    us_vprint_to(reason, sizeof reason, format, args);
    va_end(args);
    struct unseen_defect defect = {file, record, reason, 0};
    defects->count++;
    if (defects->report)
        defects->report(&defect, defects->context);
    if (defects->go_on)
        return UNSEEN_OK;
    if (record < 0)
        return us_fail(UNSEEN_BAD_DATA, location, "%s: %s", file, reason);
    return us_fail(UNSEEN_BAD_DATA, location, "%s: record %lld: %s", file, (long long)record, reason);
}

void us_dataset_bad(struct us_defects *defects, const char *file, const char *reason)
{
    const struct unseen_defect defect = {file, -1, reason, 0};
    defects->bad++;
    if (defects->report)
        defects->report(&defect, defects->context);
}

void us_dataset_warning(struct us_defects *defects, const char *file, const char *reason)
{
    struct unseen_defect defect = {file, -1, reason, 1};
    defects->warnings++;
    if (defects->report)
        defects->report(&defect, defects->context);
}

enum unseen_status us_dataset_go_on(const char *location)
{
    return us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, location, "interrupted") : UNSEEN_OK;
}

uint8_t *us_pixels_make(int64_t n, size_t bytes)
{
    const double mebibyte = 1024. * 1024;
    double needed = (double)n * (double)bytes;
    double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (there > 0 && needed > there) {
        us_fail(UNSEEN_FAILED, "memory", "%lld images need %.0f MiB, and the machine has %.0f MiB",
                (long long)n, needed / mebibyte, there / mebibyte);
        return NULL;
    }
    return us_calloc((size_t)n, bytes);
}

enum unseen_status us_images_make(struct unseen_dataset *dataset, enum unseen_split split, int64_t n,
                                  size_t bytes, uint8_t **pixels, int32_t **labels)
{
    struct unseen_images *images = &dataset->split[split];
    *pixels = us_pixels_make(n, bytes);
    if (!*pixels || us_pixels_give(dataset, split, *pixels))
        return UNSEEN_FAILED;
    *labels = us_calloc((size_t)n, sizeof **labels);
    images->labels = *labels;
    if (!*labels)
        return UNSEEN_FAILED;
    images->n = n;
    return UNSEEN_OK;
}

enum unseen_status us_class_names(struct unseen_dataset *dataset, const char *const *given, int classes)
{
    dataset->class_names = us_calloc((size_t)classes, sizeof *dataset->class_names);
    if (!dataset->class_names)
        return UNSEEN_FAILED;
    dataset->classes = classes;
    for (int i = 0; i < classes; i++) {
        dataset->class_names[i] = given ? us_format("%s", given[i]) : us_format(US_CLASS_NUMBER, i);
        if (!dataset->class_names[i])
            return UNSEEN_FAILED;
    }
    return UNSEEN_OK;
}

static void free_images(struct unseen_images *images)
{
    free((void *)images->paths);
    free((void *)images->labels);
    free((void *)images->second_labels);
    free(images->duplicate_of);
    free((void *)images->skipped);
    free((void *)images->true_labels);
}

void unseen_dataset_close(struct unseen_dataset *dataset)
{
    if (!dataset)
        return;
    free_images(&dataset->split[UNSEEN_TRAIN]);
    free_images(&dataset->split[UNSEEN_TEST]);
    if (dataset->reader && dataset->reader->close)
        dataset->reader->close(dataset->reader);
    for (int i = 0; dataset->class_names && i < dataset->classes; i++)
        free(dataset->class_names[i]);
    free(dataset->class_names);
    free(dataset->location);
    free(dataset->source);
    free((void *)dataset->options.labels);
    free((void *)dataset->options.true_labels);
    free(dataset);
}
