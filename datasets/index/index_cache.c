#include "config.h"

#include "datasets/index/index_cache.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "datasets/index/index_file.h"

/* A folder that was changed so shortly before it was listed may have been changed again without another time.
 */
static const int64_t unsure = INT64_C(2000000000);

int64_t us_index_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

char *us_index_path(const char *location, const char *what)
{
    char hex[65], *path = NULL;
    char *whole = realpath(location, NULL), *cache = us_cache_folder();
    char *key = whole ? us_format("%s\n%s", what, whole) : NULL;
    char *folder = cache ? us_format("%s/index", cache) : NULL;
    if (key && folder && us_make_folder(folder) == UNSEEN_OK) {
        us_sha256_of(key, strlen(key), hex);
        path = us_format("%s/%.32s", folder, hex);
    }
    free(folder);
    free(key);
    free(cache);
    free(whole);
    return path;
}

static bool is_as_it_was(const char *path, const struct us_place *place)
{
    struct stat about;
    return stat(path, &about) == 0 && (S_ISDIR(about.st_mode) || about.st_size == place->size) &&
           us_changed(&about) == place->changed && us_touched(&about) == place->touched;
}

static bool are_witnesses_as_they_were(const struct us_index *index, int64_t made)
{
    for (size_t i = 0; i < index->n_witnesses; i++) {
        const struct us_witness *witness = &index->witnesses[i];
        if (witness->place.changed > made - unsure ||
            !is_as_it_was(index->text.text + witness->path, &witness->place))
            return false;
    }
    return true;
}

static bool is_file_as_it_was(const struct us_index *index, int64_t i)
{
    const struct us_place *place = &index->entries[i].place;
    if (place->file != US_OWN_FILE)
        return true;
    char *path = us_store_label(index->store, us_index_name(index, i), place);
    bool good = path && is_as_it_was(path, place);
    free(path);
    return good;
}

static bool are_files_as_they_were(const struct us_index *index, int64_t made)
{
    const int64_t n = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    for (int64_t k = 0; k < US_INDEX_COMPARED; k++) {
        uint32_t word[4];
        us_philox((uint64_t)made, US_STREAM_DATA, 1, (uint64_t)k, word);
        const int64_t i =
            n > US_INDEX_COMPARED ? (int64_t)(((uint64_t)word[0] << 32 | word[1]) % (uint64_t)n) : k;
        if (i < n && !is_file_as_it_was(index, i))
            return false;
    }
    for (int64_t i = 0; i < n; i++) {
        if ((index->entries[i].bad || index->entries[i].decoded == US_DAMAGED) &&
            !is_file_as_it_was(index, i))
            return false;
    }
    return true;
}

bool us_index_load(const char *path, struct us_index *index, bool *former)
{
    int64_t made = 0;
    *former = us_index_map(path, index, &made);
    return *former && are_witnesses_as_they_were(index, made) && are_files_as_they_were(index, made);
}

static int compare_names(const void *a, const void *b, void *context)
{
    const struct us_index *index = context;
    return strcmp(us_index_name(index, *(const int64_t *)a), us_index_name(index, *(const int64_t *)b));
}

/* The entry of that name, among `sorted` [n]; -1 if there is none. */
static int64_t find_name(const struct us_index *index, const int64_t *sorted, int64_t n, const char *name)
{
    int64_t low = 0, high = n - 1;
    while (low <= high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(us_index_name(index, sorted[middle]), name);
        if (order == 0)
            return sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return -1;
}

static enum unseen_status reuse_entry(struct us_index *index, int64_t i, const struct us_index *former,
                                      int64_t j)
{
    struct us_entry *to = &index->entries[i];
    const struct us_entry *from = &former->entries[j];
    if (!from->looked_at || from->bad || to->place.file != US_OWN_FILE || from->place.file != US_OWN_FILE ||
        to->place.size != from->place.size || to->place.changed != from->place.changed ||
        to->place.touched != from->place.touched)
        return UNSEEN_OK;
    to->head = from->head;
    to->orientation = from->orientation;
    to->decoded = from->decoded == US_DECODES ? US_DECODES : US_NOT_DECODED;
    to->looked_at = 1;
    index->sizes[i] = former->sizes[j];
    return UNSEEN_OK;
}

enum unseen_status us_index_reuse(struct us_index *index, const struct us_index *former)
{
    const int64_t n = former->n[UNSEEN_TRAIN] + former->n[UNSEEN_TEST];
    enum unseen_status st = UNSEEN_OK;
    int64_t *sorted = us_calloc((size_t)n, sizeof *sorted);
    US_TRY_ALLOC(sorted);
    for (int64_t i = 0; i < n; i++)
        sorted[i] = i;
    qsort_r(sorted, (size_t)n, sizeof *sorted, compare_names, (void *)former);
    for (int64_t i = 0; i < index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST]; i++) {
        const int64_t j = find_name(former, sorted, n, us_index_name(index, i));
        if (j >= 0)
            US_TRY(reuse_entry(index, i, former, j));
    }
out:
    free(sorted);
    return st;
}
