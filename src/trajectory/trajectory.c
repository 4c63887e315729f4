/* Opening a trajectory folder: arrays are mapped, and everything that scores rely on is checked, once a
 * process. What this program recorded was checked when it was written; its checksums tell that it still is
 * that. */
#include "config.h"

#include "trajectory/trajectory.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/vectors.h"

/* Values checked until they may leave memory again. */
#define CHECKED_AT_ONCE ((size_t)1 << 22)

struct mapped {
    struct unseen_trajectory view; /* what callers hold: view.owner is this struct */
    struct us_npy array[US_TRAJECTORY_ARRAYS];
    char *folder;
    unsigned wanted;                /* quantities, bits 1u << enum unseen_quantity */
    char *path;                     /* of trajectory.json */
    json_t *json;                   /* what it holds; NULL: an import without one */
    struct unseen_trajectory *seen; /* once it was asked for */
};

static const char *const protocol_names[] = {
    [UNSEEN_SEEN] = "seen",
    [UNSEEN_FOLD] = "fold",
    [UNSEEN_ONE_FOLD] = "one-fold",
};

const char *unseen_protocol_name(enum unseen_protocol protocol)
{
    return protocol_names[protocol];
}

static int protocol_number(const char *name)
{
    for (int i = 0; i <= UNSEEN_ONE_FOLD; i++) {
        if (strcmp(name, protocol_names[i]) == 0)
            return i;
    }
    return -1;
}

enum unseen_status unseen_protocol_parse(const char *name, enum unseen_protocol *protocol)
{
    int number = protocol_number(name);
    if (number < 0)
        return us_fail(UNSEEN_USAGE, "--protocol", "'%s' is not one of seen, fold, one-fold", name);
    *protocol = (enum unseen_protocol)number;
    return UNSEEN_OK;
}

/* What trajectory.json tells of an array; NULL: nothing. */
static const char *checksum_of(const struct mapped *m, int array)
{
    return json_string_value(
        json_object_get(json_object_get(m->json, "checksums"), us_trajectory_name(array)));
}

static enum unseen_status check_checksum(const struct mapped *m, int array, const char *path)
{
    const char *sum = checksum_of(m, array);
    enum unseen_status st = sum ? us_checksum_check(path, sum, m->path) : UNSEEN_OK;
    if (st == UNSEEN_BAD_DATA)
        us_hint("remove it and run the command that recorded it again: each array holds a part of every "
                "scoring model's record, so all of them are trained again");
    return st;
}

/* These may be larger than all others together, and few scores look at them. */
static bool is_wide(int array)
{
    return array >= UNSEEN_N_SCALAR && array <= US_CENTRES;
}

/* Opens an array of `ndim` dimensions if its file is there; `path` receives the name in fresh memory. */
static enum unseen_status open_array(const char *folder, int array, int ndim, struct mapped *m, char **path)
{
    *path = us_format("%s/%s.npy", folder, us_trajectory_name(array));
    if (!*path)
        return UNSEEN_FAILED;
    if (!us_exists(*path))
        return UNSEEN_OK;
    enum unseen_status st = is_wide(array) ? UNSEEN_OK : check_checksum(m, array, *path);
    return st ? st : us_npy_open_cast(*path, us_trajectory_dtype(array), ndim, &m->array[array]);
}

/* The first array decides the shape, the others must have it. */
static enum unseen_status agree(const char *path, const struct us_npy *array, struct unseen_trajectory *t)
{
    const int64_t *shape = array->shape;
    if (t->n == 0) {
        if (shape[0] < 1 || shape[1] < 1 || shape[2] < 1 || shape[0] > INT_MAX || shape[1] > INT_MAX)
            return us_fail(UNSEEN_BAD_DATA, path,
                           "no trajectory has [repeats, epochs, samples] = [%" PRId64 ", %" PRId64
                           ", %" PRId64 "]",
                           shape[0], shape[1], shape[2]);
        t->repeats = (int)shape[0];
        t->epochs = (int)shape[1];
        t->n = shape[2];
    }
    if (shape[0] == t->repeats && shape[1] == t->epochs && shape[2] == t->n)
        return UNSEEN_OK;
    return us_fail(UNSEEN_BAD_DATA, path,
                   "has shape [%" PRId64 ", %" PRId64 ", %" PRId64
                   "], the quantities before it [%d, %d, %" PRId64 "]",
                   shape[0], shape[1], shape[2], t->repeats, t->epochs, t->n);
}

static enum unseen_status bad_value(const char *path, const struct unseen_trajectory *t, size_t i,
                                    double value, const char *what)
{
    size_t n = (size_t)t->n, epochs = (size_t)t->epochs;
    return us_fail(UNSEEN_BAD_DATA, path, "%g of repeat %zu, epoch %zu, sample %zu is %s", value,
                   i / n / epochs, i / n % epochs, i % n, what);
}

static enum unseen_status check_values(const char *path, const struct unseen_trajectory *t,
                                       enum unseen_quantity q, const struct us_npy *array)
{
    size_t size = us_dtype_size(array->dtype), where;
    double bad;
    if (us_checked(path, "values"))
        return UNSEEN_OK;
    for (size_t i = 0; i < array->count; i += CHECKED_AT_ONCE) {
        size_t count = array->count - i < CHECKED_AT_ONCE ? array->count - i : CHECKED_AT_ONCE;
        const char *why =
            us_trajectory_bad_value((int)q, (const char *)array->data + i * size, count, &where, &bad);
        us_npy_drop_pages(array);
        if (why)
            return bad_value(path, t, i + where, bad, why);
    }
    us_checked_set(path, "values");
    return UNSEEN_OK;
}

static enum unseen_status open_quantity(const char *folder, enum unseen_quantity q, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy *array = &m->array[q];
    char *path = NULL;
    US_TRY(open_array(folder, (int)q, 3, m, &path));
    if (!array->data)
        goto out;
    US_TRY(agree(path, array, &m->view));
    if (!checksum_of(m, (int)q))
        US_TRY(check_values(path, &m->view, q, array));
    if (q == UNSEEN_CORRECT)
        m->view.correct = array->data;
    else
        m->view.value[q] = array->data;
out:
    free(path);
    return st;
}

static enum unseen_status open_labels(const char *folder, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_npy *labels = &m->array[US_LABELS];
    char *path = NULL;
    int64_t largest = 0;
    US_TRY(open_array(folder, US_LABELS, 1, m, &path));
    if (!labels->data) {
        st = us_fail(UNSEEN_BAD_DATA, path, "is missing");
        goto out;
    }
    if (labels->shape[0] != m->view.n) {
        st = us_fail(UNSEEN_BAD_DATA, path, "holds %" PRId64 " labels for %" PRId64 " samples",
                     labels->shape[0], m->view.n);
        goto out;
    }
    m->view.labels = labels->data;
    for (int64_t i = 0; i < m->view.n; i++) {
        int64_t label = m->view.labels[i];
        if (label < 0 || label >= INT_MAX) {
            st = us_fail(UNSEEN_BAD_DATA, path, "%" PRId64 " of sample %" PRId64 " is no label", label, i);
            goto out;
        }
        largest = label > largest ? label : largest;
    }
    m->view.classes = (int)largest + 1;
out:
    free(path);
    return st;
}

static enum unseen_status open_fold(const char *folder, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = &m->view;
    const struct us_npy *fold = &m->array[US_FOLD];
    const int64_t *shape = fold->shape;
    char *path = NULL;
    US_TRY(open_array(folder, US_FOLD, 2, m, &path));
    if (!fold->data)
        goto out;
    if (shape[0] != t->repeats || shape[1] != t->n) {
        st = us_fail(UNSEEN_BAD_DATA, path,
                     "has shape [%" PRId64 ", %" PRId64 "] instead of [%d, %" PRId64 "]", shape[0], shape[1],
                     t->repeats, t->n);
        goto out;
    }
    t->fold = fold->data;
    t->protocol = UNSEEN_FOLD;
    for (size_t i = 0; i < fold->count; i++)
        t->folds = t->fold[i] >= t->folds ? t->fold[i] + 1 : t->folds;
out:
    free(path);
    return st;
}

static enum unseen_status open_skipped(const char *folder, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_npy *skipped = &m->array[US_SKIPPED];
    char *path = NULL;
    US_TRY(open_array(folder, US_SKIPPED, 1, m, &path));
    if (skipped->data && skipped->shape[0] != m->view.n)
        st = us_fail(UNSEEN_BAD_DATA, path, "is of %" PRId64 " samples, and there are %" PRId64,
                     skipped->shape[0], m->view.n);
    else
        m->view.skipped = skipped->data;
out:
    free(path);
    return st;
}

/* Of probs, features and centres: the lengths in `shape` that are not negative must be the file's. */
static enum unseen_status open_wide(const char *folder, int array, int ndim, const int64_t *shape,
                                    struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_npy *a = &m->array[array];
    char *path = NULL;
    US_TRY(open_array(folder, array, ndim, m, &path));
    for (int i = 0; a->data && i < ndim; i++) {
        bool free_length = shape[i] < 0 && a->shape[i] >= 1 && a->shape[i] <= INT_MAX;
        if (!free_length && a->shape[i] != shape[i]) {
            st = us_fail(UNSEEN_BAD_DATA, path, "axis %d has length %" PRId64 ", which does not fit the rest",
                         i, a->shape[i]);
            goto out;
        }
    }
out:
    free(path);
    return st;
}

/* After the description, which may know of more classes and folds than were met. */
static enum unseen_status open_wides(const char *folder, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = &m->view;
    US_TRY(open_wide(folder, UNSEEN_PROBS, 4, (int64_t[]){t->repeats, t->epochs, t->n, t->classes}, m));
    US_TRY(open_wide(folder, UNSEEN_FEATURES, 3, (int64_t[]){t->repeats, t->n, -1}, m));
    t->probs = m->array[UNSEEN_PROBS].data;
    t->features = m->array[UNSEEN_FEATURES].data;
    US_TRY(open_wide(folder, UNSEEN_GRADIENT_NORM, 2, (int64_t[]){t->repeats, t->n}, m));
    t->gradient_norm = m->array[UNSEEN_GRADIENT_NORM].data;
    if (t->gradient_norm)
        US_TRY(us_check_finite("gradient_norm.npy", t->gradient_norm, t->repeats * t->n));
    if (!t->features)
        goto out;
    t->feature_count = (int)m->array[UNSEEN_FEATURES].shape[2];
    US_TRY(
        open_wide(folder, US_CENTRES, 4, (int64_t[]){t->repeats, t->folds, t->classes, t->feature_count}, m));
    t->centres = m->array[US_CENTRES].data;
out:
    return st;
}

/* Every quantity that trajectory.json names must have been opened. */
static enum unseen_status check_quantities(const char *path, const json_t *names, const struct mapped *m)
{
    for (int q = 0; q < UNSEEN_N_QUANTITIES; q++) {
        for (size_t i = 0; i < json_array_size(names); i++) {
            const char *name = json_string_value(json_array_get(names, i));
            if (m->wanted >> q & 1 && name && strcmp(name, us_trajectory_name(q)) == 0 && !m->array[q].data)
                return us_fail(UNSEEN_BAD_DATA, path, "names %s, but %s.npy is missing", name, name);
        }
    }
    return UNSEEN_OK;
}

/* What the file says against what the arrays are. */
static enum unseen_status compare_description(const char *path, const json_t *json, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = &m->view;
    const char *name;
    int64_t n, repeats, epochs, classes, folds;
    US_TRY(us_json_string(json, path, "protocol", &name));
    US_TRY(us_json_integer(json, path, "n", t->n, t->n, &n));
    US_TRY(us_json_integer(json, path, "repeats", t->repeats, t->repeats, &repeats));
    US_TRY(us_json_integer(json, path, "epochs", t->epochs, t->epochs, &epochs));
    US_TRY(us_json_integer(json, path, "classes", t->classes, INT_MAX, &classes));
    int protocol = protocol_number(name);
    if (protocol < 0)
        return us_fail(UNSEEN_BAD_DATA, path, "protocol '%s' is not one of seen, fold, one-fold", name);
    if (protocol != UNSEEN_SEEN && !t->fold)
        return us_fail(UNSEEN_BAD_DATA, path, "protocol is %s, but fold.npy is missing", name);
    if (t->fold) {
        US_TRY(us_json_integer(json, path, "folds", t->folds, 256, &folds));
        t->folds = (int)folds;
    }
    t->protocol = (enum unseen_protocol)protocol;
    t->classes = (int)classes;
out:
    return st;
}

static enum unseen_status load_description(struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(m->path = us_format("%s/trajectory.json", m->folder));
    if (us_exists(m->path))
        st = us_json_load(m->path, &m->json);
    if (st == UNSEEN_BAD_DATA)
        us_hint("remove it, and the command that recorded the trajectory makes it anew: its models are "
                "trained again");
out:
    return st;
}

/* With what to do about a trajectory.json that does not fit its arrays. */
static enum unseen_status with_hint(enum unseen_status st, const char *folder)
{
    if (st == UNSEEN_BAD_DATA)
        us_hint("undo what was changed, or remove %s: the command that recorded it then trains all its "
                "scoring models again",
                folder);
    return st;
}

static enum unseen_status apply_description(const char *folder, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    if (m->json)
        US_TRY(with_hint(compare_description(m->path, m->json, m), folder));
    US_TRY(open_wides(folder, m));
    US_TRY(with_hint(check_quantities(m->path, json_object_get(m->json, "quantities"), m), folder));
out:
    return st;
}

enum unseen_status us_trajectory_check(const struct unseen_trajectory *t, int array)
{
    const struct mapped *m = t->owner;
    if (!m || !m->array[array].data)
        return UNSEEN_OK;
    char *path = us_format("%s/%s.npy", m->folder, us_trajectory_name(array));
    enum unseen_status st = path ? check_checksum(m, array, path) : UNSEEN_FAILED;
    free(path);
    return st;
}

static bool has_array(const char *folder, const char *name)
{
    char *path = us_format("%s/%s.npy", folder, name);
    bool there = path && us_exists(path);
    free(path);
    return there;
}

bool us_trajectory_is_whole(const char *folder)
{
    const char *name;
    json_t *sum, *json = NULL;
    char *path = us_format("%s/trajectory.json", folder);
    bool whole = path && us_exists(path) && us_json_load(path, &json) == UNSEEN_OK;
    /* Without checksums an older version recorded it. */
    json_object_foreach(json_object_get(json, "checksums"), name, sum) whole =
        whole && has_array(folder, name);
    whole = whole && has_array(folder, "labels");
    json_decref(json);
    free(path);
    return whole;
}

/* The quantities of `wanted`; all of them where none of those is there, so that it can be told what is. */
static enum unseen_status open_quantities(const char *folder, unsigned wanted, struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    for (int pass = 0; pass < 2 && m->view.n == 0; pass++) {
        m->wanted = pass == 0 ? wanted : US_TRAJECTORY_ALL;
        for (int q = 0; q < UNSEEN_N_SCALAR; q++) {
            if (m->wanted >> q & 1)
                US_TRY(open_quantity(folder, q, m));
        }
    }
    if (m->view.n > 0)
        return UNSEEN_OK;
    st = us_fail(UNSEEN_BAD_DATA, folder, "is no trajectory: it holds none of its quantities");
    us_hint("one of p_true.npy, margin.npy, el2n.npy, entropy.npy, loss.npy, correct.npy must be there");
out:
    return st;
}

enum unseen_status us_trajectory_open(const char *folder, unsigned wanted,
                                      struct unseen_trajectory **trajectory)
{
    enum unseen_status st = UNSEEN_OK;
    struct mapped *m = us_calloc(1, sizeof *m);
    US_TRY_ALLOC(m);
    m->view.owner = m;
    US_TRY_ALLOC(m->folder = us_format("%s", folder));
    US_TRY(load_description(m));
    US_TRY(open_quantities(folder, wanted, m));
    US_TRY(open_labels(folder, m));
    US_TRY(open_fold(folder, m));
    US_TRY(open_skipped(folder, m));
    US_TRY(apply_description(folder, m));
    *trajectory = &m->view;
    m = NULL;
out:
    if (m)
        unseen_trajectory_close(&m->view);
    return st;
}

enum unseen_status unseen_trajectory_open(const char *folder, struct unseen_trajectory **trajectory)
{
    return us_trajectory_open(folder, US_TRAJECTORY_ALL, trajectory);
}

void unseen_trajectory_close(struct unseen_trajectory *trajectory)
{
    if (!trajectory)
        return;
    struct mapped *m = trajectory->owner;
    unseen_trajectory_close(m->seen);
    for (int a = 0; a < US_TRAJECTORY_ARRAYS; a++)
        us_npy_close(&m->array[a]);
    json_decref(m->json);
    free(m->path);
    free(m->folder);
    free(m);
}

void us_trajectory_drop_pages(const struct unseen_trajectory *t)
{
    const struct mapped *m = t->owner;
    for (int a = 0; m && a < US_TRAJECTORY_ARRAYS; a++)
        us_npy_drop_pages(&m->array[a]);
}

/* `folder` is what messages call the seen side. */
static enum unseen_status check_seen(const struct unseen_trajectory *t, const struct unseen_trajectory *seen,
                                     const char *folder)
{
    if (seen->n == t->n && seen->repeats >= 1 && t->repeats % seen->repeats == 0)
        return UNSEEN_OK;
    return us_fail(UNSEEN_BAD_DATA, folder,
                   "has %" PRId64 " samples and %d repeats, the trajectory of the same models %" PRId64
                   " and %d",
                   seen->n, seen->repeats, t->n, t->repeats);
}

/* m->seen is set to a trajectory that fits, or not at all. */
static enum unseen_status open_seen(struct mapped *m)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *seen = NULL;
    char *folder = us_format("%s/../seen/trajectory", m->folder);
    US_TRY_ALLOC(folder);
    if (!us_exists(folder)) {
        st = us_fail(UNSEEN_USAGE, m->folder,
                     "what its models said of samples that they trained on is missing");
        us_hint("it should be in %s", folder);
        goto out;
    }
    US_TRY(unseen_trajectory_open(folder, &seen));
    US_TRY(check_seen(&m->view, seen, folder));
    m->seen = seen;
    seen = NULL;
out:
    unseen_trajectory_close(seen);
    free(folder);
    return st;
}

enum unseen_status us_trajectory_seen(const struct unseen_trajectory *t,
                                      const struct unseen_trajectory **seen)
{
    enum unseen_status st = UNSEEN_OK;
    struct mapped *m = t->owner;
    if (!t->seen && !m)
        return us_fail(UNSEEN_USAGE, "trajectory", "has no record of the samples that its models trained on");
    if (t->seen)
        US_TRY(check_seen(t, t->seen, "the seen trajectory"));
    else if (!m->seen)
        US_TRY(open_seen(m));
    *seen = t->seen ? t->seen : m->seen;
out:
    return st;
}
