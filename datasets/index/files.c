#include "config.h"

#include "datasets/index/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "datasets/index/duplicates.h"
#include "datasets/index/file_reader.h"
#include "datasets/index/headers.h"
#include "datasets/index/index_cache.h"
#include "datasets/index/index_file.h"
#include "datasets/index/notes.h"
#include "datasets/index/skip.h"

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

/* Make the index, with what one that does not hold any more tells of files that are as they were. */
static enum unseen_status make_index(const struct us_dataset_format *format, const char *location,
                                     float share, const struct us_index *former, struct us_index *index)
{
    enum unseen_status st;
    US_TRY(format->list(location, index));
    if (share > 0 && index->n[UNSEEN_TEST] > 0)
        return us_fail(UNSEEN_USAGE, "--test-share", "%s has a test split, of %lld samples", location,
                       (long long)index->n[UNSEEN_TEST]);
    if (share > 0)
        US_TRY(us_index_hold_out(index, (double)share));
    if (former)
        US_TRY(us_index_reuse(index, former));
    st = us_headers_read(index, location);
out:
    return st;
}

/* `path`: where it may be kept; NULL: nowhere. `made`: when it was made; 0 if it was there. */
static enum unseen_status find_index(const struct us_dataset_format *format, const char *location,
                                     float share, const char *path, struct us_index *index, int64_t *made)
{
    struct us_index kept = {0};
    bool former = false;
    enum unseen_status st = UNSEEN_OK;
    *made = 0;
    if (path && us_index_load(path, &kept, &former)) {
        *index = kept;
        return UNSEEN_OK;
    }
    *made = us_index_now();
    st = make_index(format, location, share, former ? &kept : NULL, index);
    us_index_free(&kept);
    return st;
}

/* The dataset as the index has it. */
static enum unseen_status take_index(struct unseen_dataset *dataset)
{
    const struct us_index *index = us_files_index(dataset);
    enum unseen_status st;
    us_notes_tell(&index->notes);
    US_TRY(us_class_names(dataset, (const char *const *)index->classes, index->n_classes));
    US_TRY(copy_samples(dataset, index, UNSEEN_TRAIN));
    US_TRY(copy_samples(dataset, index, UNSEEN_TEST));
    st = us_files_sizes(dataset);
out:
    return st;
}

enum unseen_status us_files_list(const struct us_dataset_format *format, const char *location,
                                 struct unseen_dataset *dataset)
{
    enum unseen_status st;
    US_TRY(us_files_new(dataset));
    US_TRY(make_index(format, location, dataset->options.test_share, NULL, us_files_index(dataset)));
    US_TRY(take_index(dataset));
out:
    return st;
}

/* A cache that cannot be written is no failure. */
static void keep_index(const char *path, const struct us_index *index, int64_t made)
{
    if (!path || made == 0 || index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST] < US_INDEX_KEPT)
        return;
    if (us_index_write(path, index, made) != UNSEEN_OK)
        us_log(UNSEEN_LOG_DEBUG, "the index is not kept: %s", unseen_last_error());
}

/* Bad files are found before anything long begins. */
static enum unseen_status treat_bad(const char *location, struct unseen_dataset *dataset)
{
    const struct us_index *index = us_files_index(dataset);
    int64_t n = 0, first = 0;
    if (dataset->options.on_bad == UNSEEN_BAD_SKIP)
        return us_skip_mark(dataset);
    for (int64_t i = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST] - 1; i >= 0; i--) {
        if (index->entries[i].bad) {
            n++;
            first = i;
        }
    }
    if (n < 1)
        return UNSEEN_OK;
    const char *name = us_index_name(index, first), *reason = us_entry_reason(index, first);
    if (dataset->options.on_bad == UNSEEN_BAD_GREY) {
        us_log(UNSEEN_LOG_WARNING, "%s: bad files that are taken as grey: %lld, the first is %s: %s",
               location, (long long)n, name, reason);
        return UNSEEN_OK;
    }
    us_fail(UNSEEN_BAD_DATA, location, "%s: %s", name, reason);
    us_hint(
        "%lld of %lld files are bad; dataset verify lists them, --on-bad skip leaves them out, and --on-bad "
        "grey goes on with them as grey",
        (long long)n, (long long)(index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST]));
    return UNSEEN_BAD_DATA;
}

enum unseen_status us_files_open(const struct us_dataset_format *format, const char *location,
                                 struct unseen_dataset *dataset)
{
    struct us_index *index = NULL;
    struct us_facts before;
    int64_t made = 0, decoded = 0;
    enum unseen_status st = UNSEEN_OK;
    char *what = us_format("%s %g", format->name, (double)dataset->options.test_share), *path = NULL;
    US_TRY_ALLOC(what);
    path = us_index_path(location, what);
    US_TRY(us_files_new(dataset));
    US_TRY(us_files_kept_at(dataset, path));
    index = us_files_index(dataset);
    US_TRY(find_index(format, location, dataset->options.test_share, path, index, &made));
    if (dataset->options.on_bad == UNSEEN_BAD_SKIP)
        st = us_skip_find(index, location, &decoded);
    if (decoded > 0 && made == 0)
        made = us_index_now();
    if (st != UNSEEN_OK) {
        keep_index(path, index, made);
        goto out;
    }
    US_TRY(take_index(dataset));
    if ((st = treat_bad(location, dataset)) != UNSEEN_OK) {
        keep_index(path, index, made);
        goto out;
    }
    before = index->facts;
    US_TRY(us_files_hash(dataset));
    US_TRY(us_duplicates_find(dataset));
    US_TRY(us_files_measure(dataset));
    if (made == 0 && memcmp(&before, &index->facts, sizeof before) != 0)
        made = us_index_now();
    keep_index(path, index, made);
out:
    free(path);
    free(what);
    return st;
}
