/* Reading which training samples to keep: an array of indices, or a text of paths or indices. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/text.h"
#include "unseen/dataset.h"

#define MAGIC "\x93NUMPY"

/* A sample by its path from its class on, "CLASS/NAME.jpg". */
struct named {
    const char *name;
    int64_t sample;
};

struct reading {
    const struct unseen_dataset *data;
    const char *file;
    struct named *by_name; /* [n] ascending; NULL for formats without files */
    uint8_t *kept;         /* [n] */
    int64_t m;
    int64_t again; /* lines that name a sample that an earlier one does */
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static enum unseen_status sort_names(struct reading *r)
{
    const struct unseen_images *train = &r->data->split[UNSEEN_TRAIN];
    if (!train->paths || train->n < 1)
        return UNSEEN_OK;
    r->by_name = us_calloc((size_t)train->n, sizeof *r->by_name);
    if (!r->by_name)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < train->n; i++)
        r->by_name[i] = (struct named){train->paths[i] + train->class_at, i};
    qsort(r->by_name, (size_t)train->n, sizeof *r->by_name, compare_names);
    return UNSEEN_OK;
}

static int64_t find_name(const struct reading *r, const char *name)
{
    const struct named wanted = {.name = name};
    const struct named *found = bsearch(&wanted, r->by_name, (size_t)r->data->split[UNSEEN_TRAIN].n,
                                        sizeof *r->by_name, compare_names);
    return found ? found->sample : -1;
}

/* With what stands before the class in the dataset, as coreset.csv has it, or without. */
static int64_t find_path(const struct reading *r, const char *path)
{
    const struct unseen_images *train = &r->data->split[UNSEEN_TRAIN];
    int64_t sample = -1;
    if (!r->by_name)
        return -1;
    if (strncmp(path, "./", 2) == 0 && strncmp(train->paths[0], "./", 2) != 0)
        path += 2;
    if (strncmp(path, train->paths[0], train->class_at) == 0)
        sample = find_name(r, path + train->class_at);
    return sample < 0 ? find_name(r, path) : sample;
}

static int64_t find_index(const struct reading *r, const char *text)
{
    const int64_t n = r->data->split[UNSEEN_TRAIN].n;
    int64_t index = 0;
    for (const char *c = text; *c; c++) {
        if (!us_is_digit(*c))
            return -1;
        index = 10 * index + (*c - '0');
        if (index >= n)
            return -1;
    }
    return index;
}

static enum unseen_status refuse_line(const struct reading *r, int64_t line, const char *text)
{
    const struct unseen_images *train = &r->data->split[UNSEEN_TRAIN];
    us_fail(UNSEEN_BAD_DATA, r->file, "line %lld: '%s' is no training sample of %s", (long long)line, text,
            r->data->location);
    if (r->by_name)
        us_hint("a line is a path, such as %s, or an index, 0..%lld", train->paths[0],
                (long long)train->n - 1);
    else
        us_hint("the samples of this format have no paths: a line is an index, 0..%lld",
                (long long)train->n - 1);
    return UNSEEN_BAD_DATA;
}

static enum unseen_status keep_line(struct reading *r, int64_t line, const char *text)
{
    int64_t sample = find_path(r, text);
    if (sample < 0)
        sample = find_index(r, text);
    if (sample < 0)
        return refuse_line(r, line, text);
    r->again += r->kept[sample];
    r->m += !r->kept[sample];
    r->kept[sample] = 1;
    return UNSEEN_OK;
}

static enum unseen_status keep_lines(struct reading *r, char *text)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_lines lines = us_lines_of(text);
    for (const char *line; (line = us_next_line(&lines));)
        US_TRY(keep_line(r, lines.line, line));
    if (r->again)
        us_log(UNSEEN_LOG_WARNING, "%s: lines that name a sample again, which is taken once: %lld", r->file,
               (long long)r->again);
out:
    return st;
}

static enum unseen_status list_kept(const struct reading *r, int64_t **keep, int64_t *n)
{
    int64_t at = 0;
    if (r->m < 1)
        return us_fail(UNSEEN_BAD_DATA, r->file, "names no sample");
    int64_t *list = us_calloc((size_t)r->m, sizeof *list);
    if (!list)
        return UNSEEN_FAILED;
    for (int64_t i = 0; at < r->m; i++) {
        if (r->kept[i])
            list[at++] = i;
    }
    *keep = list;
    *n = r->m;
    return UNSEEN_OK;
}

static enum unseen_status read_text(struct reading *r, char *text, size_t size, int64_t **keep, int64_t *n)
{
    enum unseen_status st = UNSEEN_OK;
    if (strlen(text) != size) {
        st = us_fail(UNSEEN_BAD_DATA, r->file, "is neither .npy nor text: it holds a zero byte");
        goto out;
    }
    US_TRY_ALLOC(r->kept = us_calloc((size_t)r->data->split[UNSEEN_TRAIN].n, sizeof *r->kept));
    US_TRY(sort_names(r));
    US_TRY(keep_lines(r, text));
    US_TRY(list_kept(r, keep, n));
out:
    free(r->by_name);
    free(r->kept);
    return st;
}

static bool is_called_npy(const char *path)
{
    size_t length = strlen(path);
    return length >= 4 && us_same_letters(path + length - 4, ".npy");
}

enum unseen_status unseen_dataset_subset(const struct unseen_dataset *dataset, const char *path,
                                         int64_t **keep, int64_t *n)
{
    enum unseen_status st = UNSEEN_OK;
    struct reading reading = {.data = dataset, .file = path};
    char *text = NULL;
    size_t size = 0;
    US_TRY(us_check_input(path));
    US_TRY(us_checksum_check_beside(path));
    if (!is_called_npy(path))
        US_TRY(us_read_file(path, &text, &size));
    if (!text || strncmp(text, MAGIC, strlen(MAGIC)) == 0)
        US_TRY(us_npy_read_i64(path, 1, n, keep));
    else
        US_TRY(read_text(&reading, text, size, keep, n));
out:
    free(text);
    return st;
}
