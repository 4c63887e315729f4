/* Writing a dataset as a list of its files. */
#include "config.h"

#include "datasets/list/listed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/csv.h"
#include "base/log.h"
#include "base/text.h"
#include "base/usable.h"
#include "datasets/index/file_reader.h"

struct writing {
    const struct unseen_dataset *dataset;
    const struct us_index *index;
    char *here;   /* the current folder: paths are absolute */
    bool numbers; /* labels are written as numbers */
    FILE *stream;
};

/* A list sorts the names of its classes and knows those that it mentions: where that gives other numbers,
 * labels are numbers. */
static enum unseen_status choose_labels(struct writing *w, const struct us_subset *subset)
{
    const struct unseen_dataset *dataset = w->dataset;
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    uint8_t *met = us_calloc((size_t)dataset->classes, 1);
    if (!met)
        return UNSEEN_FAILED;
    for (int64_t k = 0; k < subset->n; k++)
        met[train->labels[subset->keep ? subset->keep[k] : k]] = 1;
    for (int64_t i = 0; i < test->n; i++)
        met[test->labels[i]] = 1;
    bool all_digits = true;
    for (int c = 0; c < dataset->classes; c++) {
        const char *name = dataset->class_names[c];
        all_digits &= name[strspn(name, "0123456789.")] == '\0';
        w->numbers |= !met[c] || (c > 0 && strcmp(dataset->class_names[c - 1], name) >= 0);
    }
    w->numbers |= all_digits;
    free(met);
    if (w->numbers)
        us_log(UNSEEN_LOG_INFO, "labels are written as numbers, so that they keep them");
    return UNSEEN_OK;
}

static enum unseen_status write_row(struct writing *w, enum unseen_split split, int64_t i)
{
    const int64_t entry = us_entry_of(w->index, split, i);
    const int32_t label = w->dataset->split[split].labels[i];
    char *path =
        us_store_label(w->index->store, us_index_name(w->index, entry), &w->index->entries[entry].place);
    char *whole = !path ? NULL : *path == '/' ? us_format("%s", path) : us_format("%s/%s", w->here, path);
    if (whole) {
        us_csv_field(w->stream, whole);
        fputc(',', w->stream);
        if (w->numbers)
            us_print(w->stream, "%d", label);
        else
            us_csv_field(w->stream, w->dataset->class_names[label]);
        fputs(split == UNSEEN_TRAIN ? ",train\n" : ",test\n", w->stream);
    }
    free(path);
    free(whole);
    return whole ? UNSEEN_OK : UNSEEN_FAILED;
}

static enum unseen_status check_files(const struct writing *w, const struct us_subset *subset)
{
    for (int64_t k = 0; w->index && k < subset->n; k++) {
        const int64_t entry = us_entry_of(w->index, UNSEEN_TRAIN, subset->keep ? subset->keep[k] : k);
        if (w->index->entries[entry].place.file != US_OWN_FILE) {
            us_fail(UNSEEN_USAGE, "format list", "the images of %s lie in an archive", w->dataset->location);
            us_hint("--format files lists their paths in it, --format imagefolder unpacks them");
            return UNSEEN_USAGE;
        }
    }
    if (w->index)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "format list", "%s has no image files to list", w->dataset->location);
    us_hint("a dataset of format %s can be written as cifar10, cifar100 or pack", w->dataset->format);
    return UNSEEN_USAGE;
}

enum unseen_status us_listed_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                   const char *out)
{
    struct writing w = {.dataset = dataset, .index = us_files_index(dataset)};
    struct us_atomic file = {0};
    enum unseen_status st;
    US_TRY(check_files(&w, subset));
    if (!(w.here = getcwd(NULL, 0))) {
        st = us_fail_errno(".", "cannot find its full path");
        goto out;
    }
    US_TRY(choose_labels(&w, subset));
    US_TRY(us_atomic_begin(out, &file));
    w.stream = file.stream;
    fputs("path,label,split\n", w.stream);
    for (int64_t k = 0; k < subset->n; k++)
        US_TRY(write_row(&w, UNSEEN_TRAIN, subset->keep ? subset->keep[k] : k));
    for (int64_t i = 0; i < dataset->split[UNSEEN_TEST].n; i++) {
        if (us_is_usable(&dataset->split[UNSEEN_TEST], i))
            US_TRY(write_row(&w, UNSEEN_TEST, i));
    }
    US_TRY(us_atomic_commit(&file));
out:
    us_atomic_abandon(&file);
    free(w.here);
    return st;
}

enum unseen_status us_paths_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                  const char *out)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    struct us_atomic file = {0};
    enum unseen_status st;
    if (!train->paths)
        return us_fail(UNSEEN_USAGE, "format files", "%s has no image files to list", dataset->location);
    US_TRY(us_atomic_begin(out, &file));
    for (int64_t k = 0; k < subset->n; k++) {
        const char *path = train->paths[subset->keep ? subset->keep[k] : k];
        if (strpbrk(path, "\r\n")) {
            st = us_fail(UNSEEN_BAD_DATA, dataset->location,
                         "%s holds a line break, which a text of paths cannot", path);
            goto out;
        }
        us_print(file.stream, "%s\n", path);
    }
    US_TRY(us_atomic_commit(&file));
out:
    us_atomic_abandon(&file);
    return st;
}
