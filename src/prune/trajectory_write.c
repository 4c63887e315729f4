/* A trajectory in memory, and writing it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "prune/trajectory.h"

static enum unseen_status allocate(struct us_trajectory_build *b)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = &b->view;
    const int64_t shape[] = {t->repeats, t->epochs, t->n};
    size_t count, samples = (size_t)t->n;
    if (!us_shape_size(3, shape, sizeof(float), &count, NULL))
        return us_fail(UNSEEN_FAILED, "trajectory", "%d repeats of %d epochs do not fit in memory",
                       t->repeats, t->epochs);
    for (int q = 0; q < UNSEEN_CORRECT; q++) {
        US_TRY_ALLOC(b->value[q] = us_calloc(count, sizeof(float)));
        t->value[q] = b->value[q];
    }
    US_TRY_ALLOC(b->correct = us_calloc(count, 1));
    US_TRY_ALLOC(b->labels = us_calloc(samples, sizeof *b->labels));
    if (t->folds)
        US_TRY_ALLOC(b->fold = us_calloc((size_t)t->repeats * samples, 1));
    t->correct = b->correct;
    t->labels = b->labels;
    t->fold = b->fold;
out:
    return st;
}

enum unseen_status us_trajectory_new(enum unseen_protocol protocol, int64_t n, int repeats, int epochs,
                                     int classes, int folds, struct us_trajectory_build **build)
{
    struct us_trajectory_build *b = us_calloc(1, sizeof *b);
    if (!b)
        return UNSEEN_FAILED;
    b->evaluated = protocol != UNSEEN_SEEN;
    b->view = (struct unseen_trajectory){
        .protocol = protocol,
        .n = n,
        .repeats = repeats,
        .epochs = epochs,
        .classes = classes,
        .folds = folds,
    };
    enum unseen_status st = allocate(b);
    if (st != UNSEEN_OK)
        us_trajectory_free(b);
    else
        *build = b;
    return st;
}

void us_trajectory_free(struct us_trajectory_build *build)
{
    if (!build)
        return;
    for (int q = 0; q < UNSEEN_CORRECT; q++)
        free(build->value[q]);
    free(build->correct);
    free(build->fold);
    free(build->labels);
    free(build);
}

static enum unseen_status write_array(const char *folder, const char *name, enum us_dtype dtype, int ndim,
                                      const int64_t *shape, const void *data)
{
    char *path = us_format("%s/%s.npy", folder, name);
    if (!path)
        return UNSEEN_FAILED;
    enum unseen_status st = us_npy_write(path, dtype, ndim, shape, data);
    free(path);
    return st;
}

static enum unseen_status drop(const char *folder, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    char *path = us_format("%s/%s", folder, name);
    if (!path)
        return UNSEEN_FAILED;
    if (unlink(path) != 0 && errno != ENOENT)
        st = us_fail_errno(path, "cannot remove");
    free(path);
    return st;
}

static enum unseen_status write_arrays(const struct us_trajectory_build *b, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t shape[] = {b->view.repeats, b->view.epochs, b->view.n};
    const int64_t fold_shape[] = {b->view.repeats, b->view.n};
    for (int q = 0; q < UNSEEN_CORRECT; q++)
        US_TRY(write_array(folder, us_quantity_name(q), US_F32, 3, shape, b->value[q]));
    US_TRY(write_array(folder, us_quantity_name(UNSEEN_CORRECT), US_U8, 3, shape, b->correct));
    if (b->fold)
        US_TRY(write_array(folder, "fold", US_U8, 2, fold_shape, b->fold));
    else
        US_TRY(drop(folder, "fold.npy"));
    US_TRY(write_array(folder, "labels", US_I64, 1, &b->view.n, b->labels));
out:
    return st;
}

static enum unseen_status write_description(const struct us_trajectory_build *b, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = &b->view;
    json_t *json = NULL, *names = json_array();
    char *path = us_format("%s/trajectory.json", folder);
    US_TRY_ALLOC(path);
    int bad = names == NULL;
    for (int q = 0; q < UNSEEN_QUANTITIES; q++)
        bad |= json_array_append_new(names, json_string(us_quantity_name(q)));
    if (!bad)
        json = json_pack("{s:s, s:I, s:i, s:i, s:i, s:i, s:s, s:O}", "protocol",
                         unseen_protocol_name(t->protocol), "n", (json_int_t)t->n, "repeats", t->repeats,
                         "epochs", t->epochs, "classes", t->classes, "folds", t->folds, "record",
                         b->evaluated ? "eval" : "train", "quantities", names);
    US_TRY(us_json_save(path, json));
out:
    json_decref(json);
    json_decref(names);
    free(path);
    return st;
}

enum unseen_status us_trajectory_write(const struct us_trajectory_build *build, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_make_folder(folder));
    US_TRY(drop(folder, "trajectory.json"));
    US_TRY(write_arrays(build, folder));
    US_TRY(write_description(build, folder));
out:
    return st;
}
