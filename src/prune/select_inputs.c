#include "config.h"

#include "prune/select_inputs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "prune/noise_rate.h"
#include "score/score_function.h"
#include "select/rule.h"
#include "trajectory/trajectory.h"

static enum unseen_status mean_p_true(const struct unseen_trajectory *t, int epochs,
                                      struct us_select_inputs *in)
{
    const float *p = t->value[UNSEEN_P_TRUE];
    if (!p)
        return UNSEEN_OK;
    double *sum = us_calloc((size_t)t->n, sizeof *sum);
    in->p_true = us_calloc((size_t)t->n, sizeof *in->p_true);
    if (!sum || !in->p_true) {
        free(sum);
        return UNSEEN_FAILED;
    }
    for (int r = 0; r < t->repeats; r++) {
        for (int epoch = 0; epoch < epochs; epoch++) {
            const float *row = p + ((int64_t)r * t->epochs + epoch) * t->n;
            for (int64_t i = 0; i < t->n; i++)
                sum[i] += row[i];
            us_trajectory_drop_pages(t);
        }
    }
    for (int64_t i = 0; i < t->n; i++)
        in->p_true[i] = (float)(sum[i] / ((double)t->repeats * epochs));
    free(sum);
    return UNSEEN_OK;
}

static enum unseen_status class_errors(const struct unseen_trajectory *t, int epochs,
                                       struct us_select_inputs *in)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t *seen = NULL;
    if (!t->correct)
        return UNSEEN_OK;
    US_TRY_ALLOC(seen = us_calloc((size_t)t->classes, sizeof *seen));
    US_TRY_ALLOC(in->class_error = us_calloc((size_t)t->classes, sizeof *in->class_error));
    for (int r = 0; r < t->repeats; r++) {
        for (int epoch = us_late_epoch(epochs); epoch < epochs; epoch++) {
            const uint8_t *row = t->correct + ((int64_t)r * t->epochs + epoch) * t->n;
            for (int64_t i = 0; i < t->n; i++) {
                if (t->skipped && t->skipped[i])
                    continue;
                seen[t->labels[i]]++;
                in->class_error[t->labels[i]] += !row[i];
            }
            us_trajectory_drop_pages(t);
        }
    }
    for (int c = 0; c < t->classes; c++)
        in->class_error[c] /= seen[c] ? (double)seen[c] : 1;
out:
    free(seen);
    return st;
}

enum unseen_status us_select_inputs_features(const char *path, int64_t n, struct us_select_inputs *in)
{
    us_npy_close(&in->features);
    in->rows = NULL;
    enum unseen_status st = us_npy_open(path, &in->features);
    if (st)
        return st;
    const struct us_npy *f = &in->features;
    const int64_t *shape = f->shape + (f->ndim == 3);
    bool fits =
        (f->ndim == 2 || f->ndim == 3) && f->dtype == US_F32 && shape[0] == n && shape[1] > 0 && f->count > 0;
    if (!fits)
        return us_fail(UNSEEN_BAD_DATA, path,
                       "is not float32 [%" PRId64 ", D], a feature vector for each sample", n);
    in->rows = f->data;
    in->dimension = shape[1];
    return UNSEEN_OK;
}

static enum unseen_status read_features(const char *folder, struct us_select_inputs *in)
{
    char *path = us_format("%s/features.npy", folder);
    if (!path)
        return UNSEEN_FAILED;
    enum unseen_status st = us_exists(path) ? us_select_inputs_features(path, in->n, in) : UNSEEN_OK;
    free(path);
    return st;
}

static enum unseen_status score(const struct unseen_trajectory *t, const char *metric,
                                const struct unseen_score_options *options, float **scores)
{
    if (!metric)
        return UNSEEN_OK;
    *scores = us_calloc((size_t)t->n, sizeof **scores);
    return *scores ? unseen_score(t, metric, options, *scores) : UNSEEN_FAILED;
}

static enum unseen_status score_needs(const char *metric, enum unseen_protocol protocol,
                                      unsigned *record_also)
{
    enum unseen_status st = UNSEEN_OK;
    unsigned bits;
    US_TRY(unseen_score_check(metric, protocol));
    US_TRY(unseen_score_needs(metric, &bits));
    *record_also |= bits;
out:
    return st;
}

/* NULL or "score": it is the metric that is cut by. */
static bool cuts_apart(const char *cut)
{
    return cut && strcmp(cut, "score") != 0;
}

/* The score that `cut` stands for with trajectories of a protocol. */
static const char *name_cut(const char *cut, enum unseen_protocol protocol)
{
    if (!cut || strcmp(cut, US_SELECT_INPUTS_CUT) != 0)
        return cut;
    return protocol == UNSEEN_SEEN ? "aum" : "unseen-confidence";
}

/* A failure that scores blame on --metric, where it is --cutoff-by that named the score. */
static enum unseen_status blame_cut(enum unseen_status st)
{
    static const char metric[] = "--metric: ";
    struct us_error error;
    if (st == UNSEEN_OK || strncmp(unseen_last_error(), metric, sizeof metric - 1) != 0)
        return st;
    us_error_take(st, &error);
    us_fail(st, "--cutoff-by", "%s", error.text + sizeof metric - 1);
    us_hint("%s", error.hint);
    return st;
}

/* The epoch that a snapshot reads is the metric's own business. */
static struct unseen_score_options options_of_cut(const struct unseen_score_options *options)
{
    struct unseen_score_options cutting = *options;
    cutting.epoch = -1;
    return cutting;
}

enum unseen_status us_select_inputs_check(const char *metric, const struct unseen_score_options *options,
                                          const char *cut, int epochs, bool in_steps)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_score_options cutting = options_of_cut(options);
    US_TRY(us_score_check_run(metric, options, epochs, in_steps));
    cut = name_cut(cut, UNSEEN_SEEN); /* of a run's length both ask the same */
    if (cuts_apart(cut))
        US_TRY(blame_cut(us_score_check_run(cut, &cutting, epochs, in_steps)));
out:
    return st;
}

enum unseen_status us_select_inputs_needs(const char *metric, const char *cut, const char *rule,
                                          enum unseen_protocol protocol, unsigned *record_also)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY(score_needs(metric, protocol, record_also));
    cut = name_cut(cut, protocol);
    if (cuts_apart(cut))
        US_TRY(blame_cut(score_needs(cut, protocol, record_also)));
    if (unseen_rule_needs_features(rule))
        *record_also |= us_record_whole(1u << UNSEEN_FEATURES);
out:
    return st;
}

unsigned us_select_inputs_wants(const char *rule)
{
    return us_rule_cuts(rule) ? 1u << UNSEEN_PREDICTED : 0;
}

unsigned us_select_inputs_of(const char *rule, const struct unseen_select_options *select)
{
    unsigned parts = unseen_rule_needs_p_true(rule) ? US_SELECT_INPUTS_P_TRUE : 0;
    if (unseen_rule_needs_features(rule))
        parts |= US_SELECT_INPUTS_FEATURES;
    if (select->class_focus > 0)
        parts |= US_SELECT_INPUTS_CLASS_ERROR;
    if (us_rule_cuts(rule) && select->cutoff <= UNSEEN_CUTOFF_AUTO)
        parts |= US_SELECT_INPUTS_NOISE_RATE;
    return parts;
}

/* What lies beside the scores of the first `epochs` epochs. */
static enum unseen_status read_parts(const struct unseen_trajectory *t, const char *folder, int epochs,
                                     unsigned parts, struct us_select_inputs *in)
{
    enum unseen_status st = UNSEEN_OK;
    if (parts & US_SELECT_INPUTS_P_TRUE)
        US_TRY(mean_p_true(t, epochs, in));
    if (parts & US_SELECT_INPUTS_CLASS_ERROR)
        US_TRY(class_errors(t, epochs, in));
    if (parts & US_SELECT_INPUTS_NOISE_RATE)
        US_TRY(us_noise_rate(t, epochs, &in->noise_rate));
    if (parts & US_SELECT_INPUTS_FEATURES) {
        US_TRY(us_trajectory_check(t, UNSEEN_FEATURES));
        US_TRY(read_features(folder, in));
    }
    if (t->fold) {
        US_TRY_ALLOC(in->fold = us_calloc((size_t)t->n, 1));
        memcpy(in->fold, t->fold, (size_t)t->n);
    }
    if (t->skipped) {
        US_TRY_ALLOC(in->skipped = us_calloc((size_t)t->n, 1));
        memcpy(in->skipped, t->skipped, (size_t)t->n);
    }
out:
    return st;
}

/* The quantities that scores and parts are made of; what "auto" cuts by depends on the protocol, which is not
 * known before. */
static enum unseen_status quantities_of(const char *metric, const char *cut, unsigned parts,
                                        unsigned *quantities)
{
    enum unseen_status st = UNSEEN_OK;
    const char *const scores[] = {metric, name_cut(cut, UNSEEN_SEEN), name_cut(cut, UNSEEN_FOLD)};
    *quantities = parts & US_SELECT_INPUTS_P_TRUE ? 1u << UNSEEN_P_TRUE : 0;
    if (parts & US_SELECT_INPUTS_CLASS_ERROR)
        *quantities |= 1u << UNSEEN_CORRECT;
    if (parts & US_SELECT_INPUTS_NOISE_RATE)
        *quantities |= US_WRONG_SHARE_READS;
    for (int i = 0; i < 3; i++) {
        unsigned bits = 0;
        if (i == 0 ? scores[0] != NULL : cuts_apart(scores[i]))
            US_TRY(i == 0 ? us_score_reads(scores[0], &bits) : blame_cut(us_score_reads(scores[i], &bits)));
        *quantities |= bits;
    }
out:
    return st;
}

enum unseen_status us_select_inputs_read(const char *folder, const char *metric,
                                         const struct unseen_score_options *options, const char *cut,
                                         unsigned parts, struct us_select_inputs *in)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *t = NULL;
    const struct unseen_score_options cutting = options_of_cut(options);
    unsigned quantities;
    *in = (struct us_select_inputs){0};
    US_TRY(quantities_of(metric, cut, parts, &quantities));
    US_TRY(us_trajectory_open(folder, quantities, &t));
    in->n = t->n;
    in->classes = t->classes;
    US_TRY(us_score_check_length(options, t->epochs));
    US_TRY(score(t, metric, options, &in->scores));
    cut = name_cut(cut, t->protocol);
    if (cuts_apart(cut))
        US_TRY(blame_cut(score(t, cut, &cutting, &in->hardness)));
    US_TRY(read_parts(t, folder, us_score_epochs(options, t->epochs), parts, in));
out:
    unseen_trajectory_close(t);
    return st;
}

void us_select_inputs_table(const struct unseen_dataset *data, struct unseen_select_options *select)
{
    us_select_inputs_table_of(data->format, data->classes, select);
}

void us_select_inputs_table_of(const char *format, int classes, struct unseen_select_options *select)
{
    if (select->table != UNSEEN_TABLE_AUTO)
        return;
    if (format ? strcmp(format, "cifar100") == 0 : classes == 100)
        select->table = UNSEEN_TABLE_CIFAR100;
    else
        select->table = classes >= 1000 ? UNSEEN_TABLE_IMAGENET : UNSEEN_TABLE_CIFAR10;
}

void us_select_inputs_end(struct us_select_inputs *in)
{
    us_npy_close(&in->features);
    free(in->skipped);
    free(in->fold);
    free(in->class_error);
    free(in->p_true);
    free(in->hardness);
    free(in->scores);
    *in = (struct us_select_inputs){0};
}

void us_select_inputs_apply(const struct us_select_inputs *in, struct unseen_select_options *select)
{
    select->hardness = in->hardness;
    select->p_true = in->p_true;
    select->class_error = in->class_error;
    select->noise_rate = in->noise_rate;
    select->features = in->rows;
    select->dimension = in->dimension;
    select->fold = in->fold;
    if (in->skipped)
        select->leave_out = in->skipped;
}
