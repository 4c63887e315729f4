#include "config.h"

#include "datasets/folder/imagefolder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/usable.h"
#include "datasets/folder/class_folder.h"
#include "datasets/index/file_reader.h"

struct writing {
    const struct unseen_dataset *dataset;
    struct us_index *index;
    const char *out;
    char *here; /* the current folder: links are absolute */
    char *made; /* the folder that was made last */
    struct us_bytes bytes;
};

/* A sample to write. */
struct copy {
    enum unseen_split split;
    int64_t i;
    const char *name; /* as the index has it */
    const struct us_place *place;
};

static struct copy copy_of(const struct us_index *index, enum unseen_split split, int64_t i)
{
    const int64_t entry = us_entry_of(index, split, i);
    return (struct copy){split, i, us_index_name(index, entry), &index->entries[entry].place};
}

/* The test split keeps the name of its folder. */
static const char *branch_of(const struct unseen_dataset *dataset, enum unseen_split split)
{
    static const char name[] = "test/";
    const struct unseen_images *test = &dataset->split[UNSEEN_TEST];
    const size_t length = strlen(name);
    if (split == UNSEEN_TRAIN)
        return "train";
    bool kept = test->n > 0 && test->class_at >= length &&
                memcmp(test->paths[0] + test->class_at - length, name, length) == 0;
    return kept ? "test" : "val";
}

/* A folder for each class, also for one that pruning emptied: the classes keep their numbers. */
static enum unseen_status make_classes(const struct writing *writing)
{
    enum unseen_status st = UNSEEN_OK;
    for (int c = 0; c < writing->dataset->classes && st == UNSEEN_OK; c++) {
        char *folder = us_class_folder(writing->dataset, c);
        char *path = folder ? us_format("%s/train/%s", writing->out, folder) : NULL;
        st = path ? us_make_folder(path) : UNSEEN_FAILED;
        free(folder);
        free(path);
    }
    return st;
}

/* Where `copy` goes, its folder made. Fresh memory. */
static enum unseen_status place_copy(struct writing *writing, const struct copy *copy, char **path)
{
    char *inside = us_class_path(writing->dataset, copy->split, copy->i);
    char *fresh =
        inside ? us_format("%s/%s/%s", writing->out, branch_of(writing->dataset, copy->split), inside) : NULL;
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(fresh);
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
    free(inside);
    free(fresh);
    return st;
}

static enum unseen_status link_one(struct writing *writing, const struct copy *copy)
{
    char *path = NULL, *label = us_store_label(writing->index->store, copy->name, copy->place),
         *target = NULL;
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(label);
    US_TRY_ALLOC(target = *label == '/' ? us_format("%s", label) : us_format("%s/%s", writing->here, label));
    US_TRY(place_copy(writing, copy, &path));
    if (symlink(target, path) != 0)
        st = us_fail_errno(path, "cannot make the link");
out:
    free(path);
    free(label);
    free(target);
    return st;
}

/* A plain write: a sync a file would only take long. */
static enum unseen_status copy_one(struct writing *writing, const struct copy *copy)
{
    char *path = NULL;
    FILE *file = NULL;
    enum unseen_status st;
    US_TRY(us_store_read(writing->index->store, copy->name, copy->place, &writing->bytes));
    US_TRY(place_copy(writing, copy, &path));
    file = us_fopen(path, "wbxe");
    if (!file || fwrite(writing->bytes.data, 1, writing->bytes.size, file) != writing->bytes.size)
        st = us_fail_errno(path, "cannot write");
    if (file && fclose(file) != 0 && st == UNSEEN_OK)
        st = us_fail_errno(path, "cannot write");
out:
    free(path);
    return st;
}

static enum unseen_status write_one(struct writing *writing, enum unseen_split split, int64_t i)
{
    const struct copy copy = copy_of(writing->index, split, i);
    enum unseen_status st = us_dataset_go_on(writing->out);
    if (st != UNSEEN_OK)
        return st;
    return copy.place->file == US_OWN_FILE ? link_one(writing, &copy) : copy_one(writing, &copy);
}

static int64_t bytes_of(const struct us_index *index, enum unseen_split split, int64_t i)
{
    const struct us_place *place = copy_of(index, split, i).place;
    return place->file == US_OWN_FILE ? 0 : place->size;
}

/* Links to the files of a folder take next to nothing. */
enum unseen_status us_imagefolder_measure(const struct unseen_dataset *dataset,
                                          const struct us_subset *subset, int64_t *bytes)
{
    const struct us_index *index = us_files_index(dataset);
    *bytes = 0;
    if (!index) {
        us_fail(UNSEEN_USAGE, "format imagefolder", "%s has no image files to link to", dataset->location);
        us_hint("a dataset of format %s can be written as cifar10 or cifar100", dataset->format);
        return UNSEEN_USAGE;
    }
    for (int64_t k = 0; k < subset->n; k++)
        *bytes += bytes_of(index, UNSEEN_TRAIN, subset->keep ? subset->keep[k] : k);
    for (int64_t i = 0; i < dataset->split[UNSEEN_TEST].n; i++) {
        if (us_is_usable(&dataset->split[UNSEEN_TEST], i))
            *bytes += bytes_of(index, UNSEEN_TEST, i);
    }
    return UNSEEN_OK;
}

enum unseen_status us_imagefolder_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                        const char *out)
{
    struct writing writing = {.dataset = dataset, .index = us_files_index(dataset), .out = out};
    enum unseen_status st = UNSEEN_OK;
    if (!(writing.here = getcwd(NULL, 0))) {
        st = us_fail_errno(".", "cannot find its full path");
        goto out;
    }
    US_TRY(make_classes(&writing));
    for (int64_t k = 0; k < subset->n; k++)
        US_TRY(write_one(&writing, UNSEEN_TRAIN, subset->keep ? subset->keep[k] : k));
    for (int64_t i = 0; i < dataset->split[UNSEEN_TEST].n; i++) {
        if (us_is_usable(&dataset->split[UNSEEN_TEST], i))
            US_TRY(write_one(&writing, UNSEEN_TEST, i));
    }
out:
    us_bytes_free(&writing.bytes);
    free(writing.made);
    free(writing.here);
    return st;
}
