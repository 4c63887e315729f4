/* Distance to prototypes (Sorscher et al., NeurIPS 2022), on the features of the scoring models: spherical
 * k-means, in each fold by itself, since features of two models have nothing in common. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/threads.h"
#include "base/vectors.h"
#include "score/feature_view.h"

/* Rules draw from epoch 0 of the same stream, the random score from those behind it. */
#define FIRST_EPOCH 0x10000

enum { MAX_TURNS = 30, SAMPLES_PER_PROTOTYPE = 128, MAX_THREADS = 64 };

/* Below this many multiplications a thread is not worth its start. */
#define PRODUCTS_A_PART 4e6

struct clustering {
    const struct us_score_view *view;
    int fold;
    int64_t d, k, n; /* length, prototypes, members of the fold */
    int64_t *member; /* [n], shuffled: the first k are where prototypes begin */
    int64_t *fitted; /* [n_fitted], ascending: enough members to fit prototypes to */
    int64_t n_fitted;
    int32_t *nearest; /* [n_fitted] */
    float *prototype; /* [k, d], of length 1 */
    double *sum;      /* [k, d] */
    int parts;        /* that it is divided into */
    bool moved[MAX_THREADS];
    double *scores; /* of all samples */
};

static void clustering_end(struct clustering *c)
{
    free(c->member);
    free(c->fitted);
    free(c->nearest);
    free(c->prototype);
    free(c->sum);
}

/* to [d] = from / |from|; left alone if that is no direction. */
static void set_direction(const double *from, int64_t d, float *to)
{
    double square = 0;
    for (int64_t j = 0; j < d; j++)
        square += from[j] * from[j];
    for (int64_t j = 0; j < d && square > 0; j++)
        to[j] = (float)(from[j] / sqrt(square));
}

/* The cosine to the nearest prototype, which is told too; 0 for features of zeros. */
static double nearest(const struct clustering *c, const float *h, int32_t *prototype)
{
    double length = sqrt((double)us_dot(h, h, c->d)), best = -INFINITY;
    for (int64_t p = 0; p < c->k; p++) {
        double product = (double)us_dot(h, c->prototype + p * c->d, c->d);
        if (product > best) {
            best = product;
            *prototype = (int32_t)p;
        }
    }
    return length > 0 ? fmin(best / length, 1) : 0;
}

/* Several threads share the samples, then the prototypes: each sum is one thread's, over samples in their
 * order, so that it does not depend on how many there are. */
static int count_parts(const struct clustering *c, int64_t samples)
{
    const int most = us_threads(MAX_THREADS);
    const double parts = (double)samples * (double)c->k * (double)c->d / PRODUCTS_A_PART + 1;
    return parts < most ? (int)parts : most;
}

static void find_nearest(void *context, int part)
{
    struct clustering *c = context;
    const int64_t end = c->n_fitted * (part + 1) / c->parts;
    bool moved = false;
    for (int64_t i = c->n_fitted * part / c->parts; i < end; i++) {
        int32_t to = 0;
        us_score_features_drop_pages(c->view, i);
        nearest(c, us_score_features(c->view, c->fitted[i]), &to);
        moved |= to != c->nearest[i];
        c->nearest[i] = to;
    }
    c->moved[part] = moved;
}

static void add_up(void *context, int part)
{
    struct clustering *c = context;
    for (int64_t i = 0; i < c->n_fitted; i++) {
        const int32_t to = c->nearest[i];
        us_score_features_drop_pages(c->view, i);
        if (to % c->parts != part)
            continue;
        const float *h = us_score_features(c->view, c->fitted[i]);
        double length = sqrt((double)us_dot(h, h, c->d));
        for (int64_t j = 0; j < c->d && length > 0; j++)
            c->sum[to * c->d + j] += h[j] / length;
    }
}

/* Whether any sample has another nearest prototype than before. */
static bool assign(struct clustering *c)
{
    bool moved = false;
    memset(c->sum, 0, (size_t)(c->k * c->d) * sizeof *c->sum);
    us_threads_run(c->parts, find_nearest, c);
    us_threads_run(c->parts, add_up, c);
    for (int part = 0; part < c->parts; part++)
        moved |= c->moved[part];
    return moved;
}

static enum unseen_status begin(const struct us_score_view *view, int fold, struct clustering *c)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = view->trajectory;
    uint8_t *fits = us_calloc((size_t)t->n, sizeof *fits);
    *c = (struct clustering){.view = view, .fold = fold, .d = t->feature_count};
    US_TRY_ALLOC(fits);
    US_TRY_ALLOC(c->member = us_calloc((size_t)t->n, sizeof *c->member));
    for (int64_t i = 0; i < t->n; i++) {
        if (us_score_fold(view, i) == fold)
            c->member[c->n++] = i;
    }
    US_TRY(us_shuffle(view->seed, US_STREAM_SELECT, FIRST_EPOCH + (uint32_t)view->repeat, (size_t)c->n,
                      c->member));
    c->k = view->clusters < c->n ? view->clusters : c->n;
    c->n_fitted = c->n / SAMPLES_PER_PROTOTYPE < c->k ? c->n : c->k * SAMPLES_PER_PROTOTYPE;
    US_TRY_ALLOC(c->fitted = us_calloc((size_t)c->n_fitted, sizeof *c->fitted));
    US_TRY_ALLOC(c->nearest = us_calloc((size_t)c->n_fitted, sizeof *c->nearest));
    US_TRY_ALLOC(c->prototype = us_calloc((size_t)(c->k * c->d), sizeof *c->prototype));
    US_TRY_ALLOC(c->sum = us_calloc((size_t)(c->k * c->d), sizeof *c->sum));
    for (int64_t i = 0; i < c->n_fitted; i++)
        fits[c->member[i]] = 1;
    for (int64_t i = 0, at = 0; at < c->n_fitted; i++) {
        if (fits[i])
            c->fitted[at++] = i;
    }
out:
    free(fits);
    return st;
}

static void fit(struct clustering *c)
{
    for (int64_t p = 0; p < c->k; p++) {
        const float *h = us_score_features(c->view, c->member[p]);
        for (int64_t j = 0; j < c->d; j++)
            c->sum[p * c->d + j] = (double)h[j];
    }
    bool moved = true;
    for (int turn = 0; turn < MAX_TURNS && moved; turn++) {
        for (int64_t p = 0; p < c->k; p++)
            set_direction(c->sum + p * c->d, c->d, c->prototype + p * c->d);
        moved = assign(c) || turn == 0;
    }
}

static void score_part(void *context, int part)
{
    struct clustering *c = context;
    const int64_t n = c->view->trajectory->n, end = n * (part + 1) / c->parts;
    for (int64_t i = n * part / c->parts, turn = 0; i < end; i++) {
        int32_t prototype;
        if (us_score_fold(c->view, i) != c->fold)
            continue;
        us_score_features_drop_pages(c->view, turn++);
        c->scores[i] = 1 - nearest(c, us_score_features(c->view, i), &prototype);
    }
}

enum unseen_status us_score_prototype(const struct us_score_view *view, double *scores)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_trajectory *t = view->trajectory;
    struct clustering c = {0};
    for (int f = 0; f < (t->fold ? t->folds : 1); f++) {
        US_TRY(begin(view, f, &c));
        c.scores = scores;
        c.parts = count_parts(&c, c.n_fitted);
        fit(&c);
        c.parts = count_parts(&c, c.n);
        us_threads_run(c.parts, score_part, &c);
        clustering_end(&c);
        c = (struct clustering){0};
    }
out:
    clustering_end(&c);
    return st;
}
