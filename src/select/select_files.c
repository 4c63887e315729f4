/* Selection from files to a file: nothing but one bit a sample is ever in memory. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/checksum.h"
#include "base/fs.h"
#include "base/labels.h"
#include "base/npy_stream.h"
#include "base/text.h"
#include "select/blocks.h"
#include "select/kept.h"
#include "unseen/dataset.h"

/* float32 is read where it lies; other numbers are converted, in memory. */
struct floats {
    struct us_npy file;
    float *converted;
    const float *values;
    int64_t n;
};

static enum unseen_status open_floats(const char *path, struct floats *f)
{
    enum unseen_status st;
    US_TRY(us_check_input(path));
    US_TRY(us_checksum_check_beside(path));
    US_TRY(us_npy_open(path, &f->file));
    if (f->file.dtype == US_F32 && f->file.ndim == 1) {
        f->values = f->file.data;
        f->n = f->file.shape[0];
        return UNSEEN_OK;
    }
    us_npy_close(&f->file);
    st = us_npy_read_f32(path, 1, &f->n, &f->converted);
    f->values = f->converted;
out:
    return st;
}

static void close_floats(struct floats *f)
{
    us_npy_close(&f->file);
    free(f->converted);
}

static enum unseen_status check_length(const char *path, const char *what, int64_t has, int64_t n)
{
    if (has == n)
        return UNSEEN_OK;
    return us_fail(UNSEEN_BAD_DATA, path, "has %" PRId64 " %s for %" PRId64 " scores", has, what, n);
}

static bool is_text(const char *path)
{
    const size_t length = strlen(path);
    return length >= 4 && us_same_letters(path + length - 4, ".txt");
}

/* A line each: paths, or indices where the data has none. */
static enum unseen_status write_lines(const char *path, const uint64_t *kept, int64_t n,
                                      const struct unseen_dataset *data)
{
    char *const *names = data ? data->split[UNSEEN_TRAIN].paths : NULL;
    struct us_atomic file = {0};
    enum unseen_status st = us_atomic_begin(path, &file);
    for (int64_t i = 0; i < n && st == UNSEEN_OK; i++) {
        if (!us_is_kept(kept, i))
            continue;
        if (names && strpbrk(names[i], "\r\n"))
            st = us_fail(UNSEEN_BAD_DATA, path, "the path of sample %" PRId64 " has more than one line", i);
        else if (names)
            us_print(file.stream, "%s\n", names[i]);
        else
            us_print(file.stream, "%" PRId64 "\n", i);
    }
    if (st == UNSEEN_OK)
        st = us_atomic_commit(&file);
    us_atomic_abandon(&file);
    return st;
}

static enum unseen_status write_kept(const char *path, const uint64_t *kept, int64_t n, int64_t m)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy_stream stream = {0};
    int64_t list[US_BLOCK], written = 0;
    US_TRY(us_npy_stream_begin(path, US_I64, 1, &m, &stream));
    for (int64_t first = 0; first < n; first += US_BLOCK) {
        int64_t count = us_list_kept(kept, first, n - first < US_BLOCK ? n - first : US_BLOCK, list);
        US_TRY(us_npy_stream_put(&stream, (size_t)written, (size_t)count, list));
        written += count;
    }
    US_TRY(us_npy_stream_commit(&stream));
out:
    us_npy_stream_abandon(&stream);
    return st;
}

/* What labels count classes up to that no dataset tells of. */
enum { CLASSES_MOST = 1000001 };

/* One label a score: an array where it lies, a table in memory, which `tabled` receives. */
static enum unseen_status open_labels(const struct unseen_select_files *files, int64_t n, int32_t **tabled,
                                      struct us_npy *labels)
{
    enum unseen_status st;
    bool is_table;
    const struct us_labelled of = {.name = files->scores, .n = n, .classes = CLASSES_MOST};
    US_TRY(us_labels_look(files->labels, &is_table));
    if (is_table) {
        US_TRY_ALLOC(*tabled = us_calloc((size_t)n, sizeof **tabled));
        US_TRY(us_labels_read(files->labels, US_LABELS_GIVEN, &of, *tabled));
        *labels = (struct us_npy){.dtype = US_I32, .count = (size_t)n, .data = *tabled};
    } else {
        US_TRY(us_npy_open_integers(files->labels, 1, labels));
        US_TRY(check_length(files->labels, "labels", labels->shape[0], n));
    }
out:
    return st;
}

enum unseen_status unseen_select_files(const char *rule, const struct unseen_select_files *files,
                                       const struct unseen_select_options *options, int64_t *n, int64_t *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_select_options defaults;
    unseen_select_defaults(&defaults);
    const struct unseen_select_options *o = options ? options : &defaults;
    struct floats scores = {0}, hardness = {0};
    struct us_npy labels = {0};
    uint64_t *kept = NULL;
    int32_t *tabled = NULL;
    US_TRY(open_floats(files->scores, &scores));
    struct us_rule_input in = {.scores = scores.values,
                               .hardness = o->hardness ? o->hardness : scores.values,
                               .n = scores.n,
                               .p_true = o->p_true,
                               .features = o->features,
                               .dimension = o->dimension,
                               .mapped = {&scores.file, &hardness.file, &labels},
                               .options = o};
    if (files->hardness) {
        US_TRY(open_floats(files->hardness, &hardness));
        US_TRY(check_length(files->hardness, "values", hardness.n, in.n));
        in.hardness = hardness.values;
    }
    if (files->labels) {
        US_TRY(open_labels(files, in.n, &tabled, &labels));
    } else if (files->data) {
        const struct unseen_images *train = &files->data->split[UNSEEN_TRAIN];
        US_TRY(check_length(files->data->location, "labels", train->n, in.n));
        labels = (struct us_npy){.dtype = US_I32, .count = (size_t)train->n, .data = train->labels};
    }
    in.labels = labels.data ? &labels : NULL;
    us_select_warn(rule, o);
    US_TRY(us_choose(rule, &in, &kept));
    US_TRY(is_text(files->kept) ? write_lines(files->kept, kept, in.n, files->data)
                                : write_kept(files->kept, kept, in.n, in.m));
    *n = in.n;
    *m = in.m;
out:
    free(kept);
    us_npy_close(&labels);
    free(tabled);
    close_floats(&hardness);
    close_floats(&scores);
    return st;
}
