/* Writing a trajectory array by array, piece by piece. */
#include "config.h"

#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/output.h"
#include "trajectory/trajectory.h"

static enum unseen_status drop(const char *folder, const char *name, const char *suffix)
{
    char *path = us_format("%s/%s%s", folder, name, suffix);
    const enum unseen_status st = path ? us_remove_file(path) : UNSEEN_FAILED;
    free(path);
    return st;
}

static enum unseen_status begin_array(struct us_trajectory_writer *w, int array)
{
    int64_t shape[4];
    int ndim = us_trajectory_shape(&w->view, array, shape);
    char *path = us_format("%s/%s.npy", w->folder, us_trajectory_name(array));
    if (!path)
        return UNSEEN_FAILED;
    enum unseen_status st =
        us_npy_stream_begin(path, us_trajectory_dtype(array), ndim, shape, &w->stream[array]);
    free(path);
    return st;
}

enum unseen_status us_trajectory_begin(struct us_trajectory_writer *w, const char *folder)
{
    enum unseen_status st = UNSEEN_OK;
    w->record |= US_RECORD_ALWAYS;
    US_TRY_ALLOC(w->folder = us_format("%s", folder));
    US_TRY_ALLOC(w->checksums = json_object());
    US_TRY(us_make_folder(folder));
    US_TRY(drop(folder, "trajectory", ".json"));
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++) {
        if (us_trajectory_has(&w->view, w->record, a))
            US_TRY(begin_array(w, a));
    }
out:
    if (st)
        us_trajectory_abandon(w);
    return st;
}

enum unseen_status us_trajectory_put(struct us_trajectory_writer *w, int array, size_t first, size_t count,
                                     const void *values)
{
    size_t where;
    double bad;
    const char *why =
        array < UNSEEN_N_SCALAR ? us_trajectory_bad_value(array, values, count, &where, &bad) : NULL;
    if (why)
        return us_fail(UNSEEN_FAILED, w->folder, "%s: %g of sample %zu is %s", us_trajectory_name(array), bad,
                       (first + where) % (size_t)w->view.n, why);
    return us_npy_stream_put(&w->stream[array], first, count, values);
}

static enum unseen_status write_description(const struct us_trajectory_writer *w)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = &w->view;
    json_t *json = NULL, *names = us_record_json(w->record);
    char *path = us_format("%s/trajectory.json", w->folder);
    US_TRY_ALLOC(path);
    if (names)
        json = json_pack("{s:s, s:I, s:i, s:i, s:i, s:i, s:s, s:O, s:O}", "protocol",
                         unseen_protocol_name(t->protocol), "n", (json_int_t)t->n, "repeats", t->repeats,
                         "epochs", t->epochs, "classes", t->classes, "folds", t->folds, "record",
                         w->evaluated ? "eval" : "train", "quantities", names, "checksums", w->checksums);
    US_TRY(us_json_save(path, json));
out:
    json_decref(json);
    json_decref(names);
    free(path);
    return st;
}

static enum unseen_status commit(struct us_trajectory_writer *w, int array)
{
    enum unseen_status st = UNSEEN_OK;
    char text[US_CHECKSUM_TEXT];
    US_TRY(us_npy_stream_checksum(&w->stream[array], text));
    if (json_object_set_new(w->checksums, us_trajectory_name(array), json_string(text)))
        return us_fail(UNSEEN_FAILED, "memory", "there is none for checksums");
    st = us_npy_stream_commit(&w->stream[array]);
out:
    return st;
}

enum unseen_status us_trajectory_finish(struct us_trajectory_writer *w)
{
    enum unseen_status st = UNSEEN_OK;
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++) {
        if (us_trajectory_has(&w->view, w->record, a))
            US_TRY(commit(w, a));
        else
            US_TRY(drop(w->folder, us_trajectory_name(a), ".npy"));
    }
    US_TRY(write_description(w));
out:
    us_trajectory_abandon(w);
    return st;
}

void us_trajectory_abandon(struct us_trajectory_writer *w)
{
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++)
        us_npy_stream_abandon(&w->stream[a]);
    json_decref(w->checksums);
    w->checksums = NULL;
    free(w->folder);
    w->folder = NULL;
}
