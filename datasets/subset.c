/* Reading which training samples to keep: an array of indices, or a text of paths or indices. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/text.h"
#include "datasets/samples.h"
#include "unseen/dataset.h"

#define MAGIC "\x93NUMPY"

struct reading {
    const struct unseen_dataset *data;
    const char *file;
    struct us_samples samples;
    uint8_t *kept; /* [n] */
    int64_t m;
    int64_t again; /* lines that name a sample that an earlier one does */
};

static enum unseen_status refuse_line(const struct reading *r, int64_t line, const char *text)
{
    const struct unseen_images *train = &r->data->split[UNSEEN_TRAIN];
    us_fail(UNSEEN_BAD_DATA, r->file, "line %lld: '%s' is no training sample of %s", (long long)line, text,
            r->data->location);
    if (train->paths)
        us_hint("a line is a path, such as %s, or an index, 0..%lld", train->paths[0],
                (long long)train->n - 1);
    else
        us_hint("the samples of this format have no paths: a line is an index, 0..%lld",
                (long long)train->n - 1);
    return UNSEEN_BAD_DATA;
}

static enum unseen_status keep_line(struct reading *r, int64_t line, const char *text)
{
    const int64_t sample = us_samples_find(&r->samples, text);
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
    US_TRY(us_samples_begin(r->data, &r->samples));
    US_TRY(keep_lines(r, text));
    US_TRY(list_kept(r, keep, n));
out:
    us_samples_end(&r->samples);
    free(r->kept);
    return st;
}

static enum unseen_status check_indices(const struct reading *r, const int64_t *keep, int64_t n)
{
    const int64_t all = r->data->split[UNSEEN_TRAIN].n;
    if (n < 1)
        return us_fail(UNSEEN_BAD_DATA, r->file, "names no sample");
    for (int64_t i = 0; i < n; i++) {
        if (keep[i] < 0 || keep[i] >= all)
            return us_fail(UNSEEN_BAD_DATA, r->file,
                           "entry %" PRId64 ", %" PRId64 ", is not in 0..%" PRId64
                           ", the training samples of %s",
                           i, keep[i], all - 1, r->data->location);
        if (i > 0 && keep[i] <= keep[i - 1]) {
            us_fail(UNSEEN_BAD_DATA, r->file, "entry %" PRId64 ", %" PRId64 ", follows %" PRId64, i, keep[i],
                    keep[i - 1]);
            us_hint("indices ascend, each once: numpy.unique makes them so");
            return UNSEEN_BAD_DATA;
        }
    }
    return UNSEEN_OK;
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
    if (!text || strncmp(text, MAGIC, strlen(MAGIC)) == 0) {
        US_TRY(us_npy_read_i64(path, 1, n, keep));
        if ((st = check_indices(&reading, *keep, *n)) != UNSEEN_OK) {
            free(*keep);
            *keep = NULL;
        }
    } else {
        US_TRY(read_text(&reading, text, size, keep, n));
    }
out:
    free(text);
    return st;
}
