/* Moderate-DS (Xia et al., ICLR 2023): distances to the mean features of the class. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "base/vectors.h"
#include "score/feature_view.h"

#define MAX_FOLDS 256 /* what a uint8 fold array can name */

/* Mean features [classes, d] of the classes, where one model scored all: its own samples'. */
static enum unseen_status find_centres(const struct us_score_view *view, float *centres)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = view->trajectory;
    size_t d = (size_t)t->feature_count, classes = (size_t)t->classes;
    double *sum = us_calloc(classes * d, sizeof *sum);
    int64_t *count = us_calloc(classes, sizeof *count);
    US_TRY_ALLOC(sum);
    US_TRY_ALLOC(count);
    for (int64_t i = 0; i < t->n; i++) {
        us_score_features_drop_pages(view, i);
        const float *h = us_score_features(view, i);
        double *to = sum + (size_t)t->labels[i] * d;
        for (size_t j = 0; j < d; j++)
            to[j] += (double)h[j];
        count[t->labels[i]]++;
    }
    for (size_t c = 0; c < classes; c++) {
        for (size_t j = 0; j < d; j++)
            centres[c * d + j] = (float)(sum[c * d + j] / (double)(count[c] ? count[c] : 1));
    }
out:
    free(count);
    free(sum);
    return st;
}

/* Distance of each sample's features to the centre of its label by the model that scored it: that model's
 * mean over what it trained on. */
static enum unseen_status distances(const struct us_score_view *view, double *scores)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = view->trajectory;
    size_t d = (size_t)t->feature_count, each = (size_t)t->classes * d;
    float *own = NULL;
    const float *centres = t->centres ? t->centres + (size_t)view->repeat * (size_t)t->folds * each : NULL;
    if (t->fold && !centres) {
        st = us_fail(UNSEEN_USAGE, "--metric",
                     "distances to classes need centres.npy where each fold has a model of its own");
        goto out;
    }
    if (!centres) {
        US_TRY_ALLOC(own = us_calloc(each, sizeof *own));
        US_TRY(find_centres(view, own));
        centres = own;
    }
    for (int64_t i = 0; i < t->n; i++) {
        const float *centre = centres + (size_t)us_score_fold(view, i) * each + (size_t)t->labels[i] * d;
        us_score_features_drop_pages(view, i);
        const float *h = us_score_features(view, i);
        scores[i] = sqrt((double)us_squared_distance(h, centre, (int64_t)d));
    }
out:
    free(own);
    return st;
}

enum unseen_status us_score_class_distance(const struct us_score_view *view, double *scores)
{
    return distances(view, scores);
}

/* median [MAX_FOLDS] of the values [n] of each fold's samples. */
static enum unseen_status medians(const struct us_score_view *view, const double *values, double *median)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t n = view->n, count[MAX_FOLDS] = {0}, met[MAX_FOLDS] = {0};
    int64_t *items = us_calloc((size_t)n, sizeof *items);
    US_TRY_ALLOC(items);
    US_TRY(us_order(values, n, false, items));
    for (int64_t i = 0; i < n; i++)
        count[us_score_fold(view, i)]++;
    for (int64_t i = 0; i < n; i++) {
        int f = us_score_fold(view, items[i]);
        /* The middle one, or the mean of the two. */
        for (int64_t middle = (count[f] - 1) / 2; middle <= count[f] / 2; middle++)
            median[f] += met[f] == middle ? values[items[i]] / (count[f] % 2 ? 1 : 2) : 0;
        met[f]++;
    }
out:
    free(items);
    return st;
}

enum unseen_status us_score_moderate(const struct us_score_view *view, double *scores)
{
    enum unseen_status st = UNSEEN_OK;
    double median[MAX_FOLDS] = {0};
    US_TRY(distances(view, scores));
    US_TRY(medians(view, scores, median));
    for (int64_t i = 0; i < view->n; i++)
        scores[i] = -fabs(scores[i] - median[us_score_fold(view, i)]);
out:
    return st;
}
