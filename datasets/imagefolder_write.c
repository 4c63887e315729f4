#include "config.h"

#include "datasets/imagefolder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "datasets/source.h"

/* A file to write: its name in the source and, behind "train/" or the test split's folder, in the export. */
struct copy {
    const char *path, *from_class;
    const char *branch;
};

struct writing {
    const char *out;
    char *root;          /* the source folder, absolute; NULL for an archive */
    char *made;          /* the folder that was made last */
    struct copy *copies; /* [n], sorted by path */
    size_t n;
    size_t written;
};

static int compare_copies(const void *a, const void *b)
{
    return strcmp(((const struct copy *)a)->path, ((const struct copy *)b)->path);
}

static const struct copy *find_copy(const struct writing *writing, const char *path)
{
    struct copy key = {.path = path};
    return bsearch(&key, writing->copies, writing->n, sizeof *writing->copies, compare_copies);
}

/* The test split keeps the name of its folder. */
static const char *test_branch(const struct unseen_images *test)
{
    static const char name[] = "test/";
    size_t length = strlen(name);
    bool kept = test->n > 0 && test->class_at >= length &&
                memcmp(test->paths[0] + test->class_at - length, name, length) == 0;
    return kept ? "test" : "val";
}

static enum unseen_status list_copies(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                      struct writing *writing)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    writing->copies = us_calloc((size_t)(subset->n + test->n), sizeof *writing->copies);
    if (!writing->copies)
        return UNSEEN_FAILED;
    for (int64_t k = 0; k < subset->n; k++) {
        const char *path = train->paths[subset->keep ? subset->keep[k] : k];
        writing->copies[writing->n++] = (struct copy){path, path + train->class_at, "train"};
    }
    for (int64_t i = 0; i < test->n; i++)
        writing->copies[writing->n++] =
            (struct copy){test->paths[i], test->paths[i] + test->class_at, test_branch(test)};
    qsort(writing->copies, writing->n, sizeof *writing->copies, compare_copies);
    return UNSEEN_OK;
}

/* A folder for each class, also for one that pruning emptied: the classes keep their numbers. */
static enum unseen_status make_classes(const struct writing *writing, const struct unseen_dataset *dataset)
{
    enum unseen_status st = UNSEEN_OK;
    for (int c = 0; c < dataset->classes && st == UNSEEN_OK; c++) {
        char *path = us_format("%s/train/%s", writing->out, dataset->class_names[c]);
        st = path ? us_make_folder(path) : UNSEEN_FAILED;
        free(path);
    }
    return st;
}

/* Where `copy` goes, its folder made. Fresh memory. */
static enum unseen_status place_copy(struct writing *writing, const struct copy *copy, char **path)
{
    char *fresh = us_format("%s/%s/%s", writing->out, copy->branch, copy->from_class);
    enum unseen_status st = UNSEEN_OK;
    if (!fresh)
        return UNSEEN_FAILED;
    char *slash = strrchr(fresh, '/');
    *slash = '\0';
    if (!writing->made || strcmp(writing->made, fresh) != 0) {
        US_TRY(us_make_folder(fresh));
        free(writing->made);
        US_TRY_ALLOC(writing->made = us_format("%s", fresh));
    }
    *slash = '/';
    *path = fresh;
    fresh = NULL;
out:
    free(fresh);
    return st;
}

static enum unseen_status link_one(struct writing *writing, const struct copy *copy)
{
    char *path = NULL, *target = us_format("%s/%s", writing->root, copy->path);
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(target);
    US_TRY(place_copy(writing, copy, &path));
    if (symlink(target, path) != 0)
        st = us_fail_errno(path, "cannot make the link");
    writing->written++;
out:
    free(path);
    free(target);
    return st;
}

/* A plain write: a sync a file would only take long. */
static enum unseen_status copy_one(struct writing *writing, struct us_source *source, const struct copy *copy)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    char *path = NULL;
    FILE *file = NULL;
    enum unseen_status st;
    US_TRY(us_source_read(source, &bytes, &size));
    US_TRY(place_copy(writing, copy, &path));
    file = fopen(path, "wbe");
    if (!file || fwrite(bytes, 1, size, file) != size)
        st = us_fail_errno(path, "cannot write");
    if (file && fclose(file) != 0 && st == UNSEEN_OK)
        st = us_fail_errno(path, "cannot write");
    writing->written++;
out:
    free(path);
    return st;
}

static enum unseen_status copy_all(struct writing *writing, const char *location)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    enum unseen_status st;
    US_TRY(us_source_open(location, &source));
    for (;;) {
        US_TRY(us_dataset_go_on(location));
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        const struct copy *copy = find_copy(writing, name);
        if (copy)
            US_TRY(copy_one(writing, source, copy));
    }
    if (writing->written < writing->n)
        st = us_fail(UNSEEN_BAD_DATA, location, "changed since it was read: %zu of %zu files are there",
                     writing->written, writing->n);
out:
    us_source_close(source);
    return st;
}

static enum unseen_status link_all(struct writing *writing)
{
    enum unseen_status st = UNSEEN_OK;
    for (size_t i = 0; i < writing->n && st == UNSEEN_OK; i++) {
        st = us_dataset_go_on(writing->out);
        if (st == UNSEEN_OK)
            st = link_one(writing, &writing->copies[i]);
    }
    return st;
}

/* Bytes of the archive's files that are copied. */
static enum unseen_status sum_sizes(const struct writing *writing, const char *location, int64_t *bytes)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    enum unseen_status st;
    US_TRY(us_source_open(location, &source));
    for (;;) {
        US_TRY(us_dataset_go_on(location));
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        struct us_place place;
        bool packed;
        us_source_place(source, &place, &packed);
        if (find_copy(writing, name))
            *bytes += place.size;
    }
out:
    us_source_close(source);
    return st;
}

/* Links to the files of a folder take next to nothing. */
enum unseen_status us_imagefolder_measure(const struct unseen_dataset *dataset,
                                          const struct us_subset *subset, int64_t *bytes)
{
    struct writing writing = {0};
    enum unseen_status st = UNSEEN_OK;
    *bytes = 0;
    if (!dataset->split[UNSEEN_TRAIN].paths) {
        us_fail(UNSEEN_USAGE, "format imagefolder", "%s has no image files to link to", dataset->location);
        us_hint("a dataset of format %s can be written as cifar10 or cifar100", dataset->format);
        return UNSEEN_USAGE;
    }
    if (us_is_folder(dataset->location))
        return UNSEEN_OK;
    US_TRY(list_copies(dataset, subset, &writing));
    US_TRY(sum_sizes(&writing, dataset->location, bytes));
out:
    free(writing.copies);
    return st;
}

enum unseen_status us_imagefolder_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                        const char *out)
{
    struct writing writing = {.out = out};
    enum unseen_status st;
    US_TRY(list_copies(dataset, subset, &writing));
    US_TRY(make_classes(&writing, dataset));
    if (us_is_folder(dataset->location)) {
        if (!(writing.root = realpath(dataset->location, NULL))) {
            st = us_fail_errno(dataset->location, "cannot find its full path");
            goto out;
        }
        US_TRY(link_all(&writing));
    } else {
        US_TRY(copy_all(&writing, dataset->location));
    }
out:
    free(writing.copies);
    free(writing.made);
    free(writing.root);
    return st;
}
