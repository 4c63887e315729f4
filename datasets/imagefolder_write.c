#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "datasets/export.h"
#include "datasets/format.h"
#include "datasets/source.h"

struct writing {
    char *root;    /* the source folder, absolute; NULL for an archive */
    char *partial; /* the folder that is being filled; its name is hidden, so readers pass over it */
    char *made;    /* the class folder that was made last */
    char **wanted; /* names to write, sorted; not owned */
    size_t n;
    size_t written;
};

/* "train/CLASS/FILE" of a path with or without folders before it. */
static const char *from_tree(const char *path)
{
    const char *at = path + strlen(path);
    for (int slashes = 0; at > path; at--) {
        if (at[-1] == '/' && ++slashes == 3)
            break;
    }
    return at;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum unseen_status list_wanted(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                      struct writing *writing)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    writing->wanted = us_calloc((size_t)(subset->n + test->n), sizeof *writing->wanted);
    if (!writing->wanted)
        return UNSEEN_FAILED;
    for (int64_t k = 0; k < subset->n; k++)
        writing->wanted[writing->n++] = train->paths[subset->keep ? subset->keep[k] : k];
    for (int64_t i = 0; i < test->n; i++)
        writing->wanted[writing->n++] = test->paths[i];
    qsort(writing->wanted, writing->n, sizeof *writing->wanted, compare_names);
    return UNSEEN_OK;
}

/* Where `name` goes, its class folder made. Fresh memory. */
static enum unseen_status place(struct writing *writing, const char *name, char **path)
{
    char *fresh = us_format("%s/%s", writing->partial, from_tree(name));
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

static enum unseen_status link_one(struct writing *writing, const char *name)
{
    char *path = NULL, *target = us_format("%s/%s", writing->root, name);
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(target);
    US_TRY(place(writing, name, &path));
    if (symlink(target, path) != 0)
        st = us_fail_errno(path, "cannot make the link");
    writing->written++;
out:
    free(path);
    free(target);
    return st;
}

/* A plain write: the whole tree appears at once, so that a sync a file would only take long. */
static enum unseen_status copy_one(struct writing *writing, struct us_source *source, const char *name)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    char *path = NULL;
    FILE *file = NULL;
    enum unseen_status st;
    US_TRY(us_source_read(source, &bytes, &size));
    US_TRY(place(writing, name, &path));
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
        if (bsearch(&name, writing->wanted, writing->n, sizeof *writing->wanted, compare_names))
            US_TRY(copy_one(writing, source, name));
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
    for (size_t i = 0; i < writing->n && st == UNSEEN_OK; i++)
        st = link_one(writing, writing->wanted[i]);
    return st;
}

/* Move the finished trees to their names; data first, so that a name never stands for empty files. */
static enum unseen_status publish(const struct writing *writing, const char *out_folder)
{
    static const char *const trees[] = {"test", "val", "train"};
    int handle = open(writing->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0 || syncfs(handle) != 0) {
        enum unseen_status st = us_fail_errno(writing->partial, "cannot write");
        if (handle >= 0)
            close(handle);
        return st;
    }
    close(handle);
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        enum unseen_status st = UNSEEN_OK;
        char *from = us_format("%s/%s", writing->partial, trees[i]);
        char *to = us_format("%s/%s", out_folder, trees[i]);
        if (!from || !to)
            st = UNSEEN_FAILED;
        else if (rename(from, to) != 0 && errno != ENOENT)
            st = us_fail_errno(to, "cannot move the finished folder here");
        free(from);
        free(to);
        if (st != UNSEEN_OK)
            return st;
    }
    return UNSEEN_OK;
}

static enum unseen_status check_fit(const struct unseen_dataset *dataset)
{
    if (dataset->split[UNSEEN_TRAIN].paths)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "format imagefolder", "%s has no image files to link to", dataset->location);
    us_hint("a dataset of format %s can be written as cifar10 or cifar100", dataset->format);
    return UNSEEN_USAGE;
}

enum unseen_status us_imagefolder_write(const struct unseen_dataset *dataset, const struct us_subset *subset,
                                        const char *out)
{
    struct writing writing = {0};
    enum unseen_status st;
    US_TRY(check_fit(dataset));
    US_TRY(us_export_refuse(out, "train"));
    US_TRY(us_export_refuse(out, "val"));
    US_TRY(us_export_refuse(out, "test"));
    US_TRY(list_wanted(dataset, subset, &writing));
    US_TRY_ALLOC(writing.partial = us_format("%s/.partial.%ld", out, (long)getpid()));
    US_TRY(us_make_folder(writing.partial));
    if (us_is_folder(dataset->location)) {
        if (!(writing.root = realpath(dataset->location, NULL))) {
            st = us_fail_errno(dataset->location, "cannot find its full path");
            goto out;
        }
        US_TRY(link_all(&writing));
    } else {
        US_TRY(copy_all(&writing, dataset->location));
    }
    st = publish(&writing, out);
out:
    if (writing.partial)
        us_remove_folder(writing.partial);
    free(writing.wanted);
    free(writing.made);
    free(writing.partial);
    free(writing.root);
    return st;
}
