#include "config.h"

#include "datasets/files.h"

#include <string.h>

#include "datasets/duplicates.h"
#include "datasets/file_reader.h"
#include "datasets/headers.h"

static enum unseen_status copy_samples(struct unseen_dataset *dataset, const struct us_index *index,
                                       enum unseen_split split)
{
    struct unseen_images *images = &dataset->split[split];
    const size_t n = (size_t)index->n[split];
    const int64_t first = us_entry_of(index, split, 0);
    int32_t *labels = us_calloc(n, sizeof *labels);
    images->labels = labels;
    const char **paths = us_calloc(n, sizeof *paths);
    images->paths = (char *const *)paths;
    if (!labels || !paths)
        return UNSEEN_FAILED;
    memcpy(labels, index->labels + first, n * sizeof *labels);
    for (size_t i = 0; i < n; i++)
        paths[i] = us_index_name(index, first + (int64_t)i);
    images->n = (int64_t)n;
    images->class_at = index->class_at[split];
    return UNSEEN_OK;
}

/* dataset->height and width, and the reader's sizes where there is more than one. */
static void set_sizes(struct unseen_dataset *dataset, const struct us_index *index)
{
    const struct us_image_size *first = NULL;
    bool several = false;
    for (int64_t i = 0; i < index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST]; i++) {
        const struct us_image_size *size = &index->sizes[i];
        if (index->entries[i].bad)
            continue;
        first = first ? first : size;
        several |= size->height != first->height || size->width != first->width;
    }
    dataset->height = first && !several ? first->height : 0;
    dataset->width = first && !several ? first->width : 0;
    for (int split = 0; several && split < 2; split++)
        dataset->reader->sizes[split] = index->sizes + us_entry_of(index, (enum unseen_split)split, 0);
}

enum unseen_status us_files_list(const struct us_dataset_format *format, const char *location,
                                 struct unseen_dataset *dataset)
{
    enum unseen_status st;
    struct us_index *index;
    US_TRY(us_files_new(dataset));
    index = us_files_index(dataset);
    US_TRY(format->list(location, index));
    US_TRY(us_headers_read(index, location));
    US_TRY(us_class_names(dataset, (const char *const *)index->classes, index->n_classes));
    US_TRY(copy_samples(dataset, index, UNSEEN_TRAIN));
    US_TRY(copy_samples(dataset, index, UNSEEN_TEST));
    set_sizes(dataset, index);
out:
    return st;
}

/* Bad files are found before anything long begins. */
static enum unseen_status refuse_bad(const char *location, const struct us_index *index)
{
    int64_t n = 0, first = 0;
    for (int64_t i = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST] - 1; i >= 0; i--) {
        if (index->entries[i].bad) {
            n++;
            first = i;
        }
    }
    if (n < 1)
        return UNSEEN_OK;
    us_fail(UNSEEN_BAD_DATA, location, "%s: %s", us_index_name(index, first), us_entry_reason(index, first));
    if (n > 1)
        us_hint("%lld files are bad; dataset verify lists them", (long long)n);
    return UNSEEN_BAD_DATA;
}

enum unseen_status us_files_open(const struct us_dataset_format *format, const char *location,
                                 const struct unseen_dataset_options *options, struct unseen_dataset *dataset)
{
    enum unseen_status st;
    (void)options;
    US_TRY(us_files_list(format, location, dataset));
    US_TRY(refuse_bad(location, us_files_index(dataset)));
    US_TRY(us_files_hash(dataset));
    US_TRY(us_duplicates_find(dataset));
    US_TRY(us_files_measure(dataset));
out:
    return st;
}
