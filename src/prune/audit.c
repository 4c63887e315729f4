#include "config.h"

#include "unseen/audit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "base/status.h"
#include "prune/audit_options.h"
#include "score/epoch_weights.h"
#include "score/probability.h"
#include "trajectory/trajectory.h"

#define AT(member) US_AT(struct unseen_audit_options, member)

const struct us_option us_audit_options[] = {
    {"count", US_UINT64, AT(count), .standard = "auto", .low = 1, .high = 1e15, .words = "auto", .value = "N",
     .unit = "samples", .help = "how many of the most suspicious to name; auto: as many as seem to be wrong"},
    {"threshold", US_DOUBLE, AT(threshold), .standard = "auto", .low = 0, .high = 1, .words = "auto",
     .first_word = NAN, .value = "X", .help = "name samples of this score or more; auto: by --count"},
    {"pred-probs", US_BOOL, AT(pred_probs),
     .help = "write pred_probs.npy, float32 [N, C], as cleanlab takes it: probabilities by models that never "
             "saw the sample"},
    {"epoch", US_INT, AT(epoch), .standard = "last", .low = 0, .high = 99999, .words = "last",
     .first_word = -1, .value = "T", .help = "of --pred-probs, counted from 0"},
    {0},
};

void unseen_audit_defaults(struct unseen_audit_options *options)
{
    *options = (struct unseen_audit_options){0};
    us_options_defaults(us_audit_options, options);
}

enum { P_TRUE, MARGIN, LOSS, PREDICTED, QUANTITIES };

static const enum unseen_quantity quantities[QUANTITIES] = {UNSEEN_P_TRUE, UNSEEN_MARGIN, UNSEEN_LOSS,
                                                            UNSEEN_PREDICTED};

/* Samples are looked at over all passes, which lie far apart: they are copied together, so much at a time. */
#define STRETCH_BYTES ((size_t)16 << 20)

/* Passes whose pages may be in memory at once. */
enum { PASSES_MAPPED = 8 };

/* Samples first..first+n-1: value[q] [passes, room]. */
struct stretch {
    int64_t first, n, room;
    int64_t passes;
    float *value[QUANTITIES];
};

static enum unseen_status stretch_new(const struct unseen_trajectory *t, struct stretch *s)
{
    s->passes = (int64_t)t->repeats * t->epochs;
    s->room = (int64_t)(STRETCH_BYTES / sizeof(float) / QUANTITIES) / s->passes + 1;
    for (int q = 0; q < QUANTITIES; q++) {
        s->value[q] = us_calloc((size_t)(s->passes * s->room), sizeof(float));
        if (!s->value[q])
            return UNSEEN_FAILED;
    }
    return UNSEEN_OK;
}

static void stretch_free(struct stretch *s)
{
    for (int q = 0; q < QUANTITIES; q++)
        free(s->value[q]);
}

static void stretch_read(const struct unseen_trajectory *t, int64_t first, struct stretch *s)
{
    s->first = first;
    s->n = t->n - first < s->room ? t->n - first : s->room;
    for (int64_t pass = 0; pass < s->passes; pass++) {
        for (int q = 0; q < QUANTITIES; q++)
            memcpy(s->value[q] + pass * s->room, t->value[quantities[q]] + pass * t->n + first,
                   (size_t)s->n * sizeof(float));
        if (pass % PASSES_MAPPED == PASSES_MAPPED - 1 || pass == s->passes - 1)
            us_trajectory_drop_pages(t);
    }
}

static enum unseen_status check(const struct unseen_trajectory *t)
{
    for (int q = 0; q < QUANTITIES; q++) {
        if (t->value[quantities[q]])
            continue;
        us_fail(UNSEEN_USAGE, "audit", "the trajectory lacks %s", unseen_quantity_name(quantities[q]));
        us_hint("record it with --record-also predicted, or run unseen audit without --trajectory");
        return UNSEEN_USAGE;
    }
    return UNSEEN_OK;
}

/* Of one sample, the mean probability of each class where it was preferred to the label. */
struct class_mass {
    double *mass;     /* [classes], zero but for those in the list */
    int32_t *classes; /* [passes] */
    int n;
};

static void add_mass(struct class_mass *v, int32_t class, double probability)
{
    if (v->mass[class] == 0)
        v->classes[v->n++] = class;
    v->mass[class] += probability;
}

/* The class of the greatest mass, the lower one of equals; sets all to 0. -1: there was none. */
static int32_t take_heaviest(struct class_mass *v, double *mass)
{
    int32_t best = -1;
    *mass = 0;
    for (int i = 0; i < v->n; i++) {
        int32_t c = v->classes[i];
        if (v->mass[c] > *mass || (v->mass[c] == *mass && c < best)) {
            best = c;
            *mass = v->mass[c];
        }
    }
    while (v->n > 0)
        v->mass[v->classes[--v->n]] = 0;
    return best;
}

/* Sample s->first + k; weight [passes], of sum 1. */
static enum unseen_status judge_sample(const struct unseen_trajectory *t, const struct stretch *s, int64_t k,
                                       const double *weight, struct class_mass *v, struct unseen_audit *a)
{
    const int64_t i = s->first + k;
    double p = 0, mass;
    for (int64_t pass = 0; pass < s->passes; pass++) {
        const int64_t at = pass * s->room + k;
        const float predicted = s->value[PREDICTED][at];
        if (!(predicted >= 0 && predicted < (float)t->classes))
            return us_fail(UNSEEN_BAD_DATA, "predicted", "%g of sample %" PRId64 " is no class",
                           (double)predicted, i);
        p += weight[pass] * s->value[P_TRUE][at];
        if ((int64_t)predicted != t->labels[i])
            add_mass(v, (int32_t)predicted,
                     weight[pass] * us_p_other(s->value[LOSS][at], s->value[MARGIN][at]));
    }
    int32_t other = take_heaviest(v, &mass);
    a->p_true[i] = (float)p;
    a->suggested[i] = other < 0 ? (int32_t)t->labels[i] : other;
    a->confidence[i] = (float)mass;
    a->score[i] = (float)(1 - p);
    return UNSEEN_OK;
}

static enum unseen_status judge_samples(const struct unseen_trajectory *t, struct unseen_audit *a)
{
    enum unseen_status st = UNSEEN_OK;
    size_t passes = (size_t)t->repeats * (size_t)t->epochs;
    double *weight = us_calloc(passes, sizeof *weight);
    struct class_mass v = {.mass = us_calloc((size_t)t->classes, sizeof *v.mass),
                           .classes = us_calloc(passes, sizeof *v.classes)};
    struct stretch s = {0};
    US_TRY_ALLOC(v.mass);
    US_TRY_ALLOC(v.classes);
    US_TRY_ALLOC(weight);
    US_TRY(stretch_new(t, &s));
    for (int r = 0; r < t->repeats; r++)
        us_epoch_weights(t, r, t->epochs, weight + (size_t)r * (size_t)t->epochs);
    for (size_t pass = 0; pass < passes; pass++)
        weight[pass] /= t->repeats;
    for (int64_t first = 0; first < t->n; first += s.room) {
        stretch_read(t, first, &s);
        for (int64_t k = 0; k < s.n; k++)
            US_TRY(judge_sample(t, &s, k, weight, &v, a));
    }
out:
    stretch_free(&s);
    free(v.classes);
    free(v.mass);
    free(weight);
    return st;
}

/* All samples but those skipped come by falling score; the first of them are the suspects. */
static enum unseen_status find_suspects(const struct unseen_audit_options *o, const uint8_t *skipped,
                                        struct unseen_audit *a)
{
    int64_t n = 0;
    enum unseen_status st = us_order_f32(a->score, a->n, true, a->suspects);
    if (st)
        return st;
    for (int64_t k = 0; k < a->n; k++) {
        if (!skipped || !skipped[a->suspects[k]])
            a->suspects[n++] = a->suspects[k];
    }
    a->ranked = n;
    if (o->count > 0) {
        a->count = o->count < (uint64_t)n ? (int64_t)o->count : n;
    } else if (isnan(o->threshold)) {
        a->count = llround(a->noise_rate * (double)n);
    } else {
        while (a->count < n && a->score[a->suspects[a->count]] >= o->threshold)
            a->count++;
    }
    return UNSEEN_OK;
}

enum unseen_status us_audit_samples(const struct unseen_trajectory *t, struct unseen_audit **audit)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_audit *a = NULL;
    US_TRY(check(t));
    US_TRY_ALLOC(a = us_calloc(1, sizeof *a));
    *a =
        (struct unseen_audit){.protocol = t->protocol, .n = t->n, .classes = t->classes, .labels = t->labels};
    US_TRY_ALLOC(a->p_true = us_calloc((size_t)t->n, sizeof *a->p_true));
    US_TRY_ALLOC(a->suggested = us_calloc((size_t)t->n, sizeof *a->suggested));
    US_TRY_ALLOC(a->confidence = us_calloc((size_t)t->n, sizeof *a->confidence));
    US_TRY_ALLOC(a->score = us_calloc((size_t)t->n, sizeof *a->score));
    US_TRY(judge_samples(t, a));
    *audit = a;
    a = NULL;
out:
    unseen_audit_free(a);
    return st;
}

enum unseen_status unseen_audit(const struct unseen_trajectory *t, const struct unseen_audit_options *options,
                                struct unseen_audit **audit)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_audit_options o;
    unseen_audit_defaults(&o);
    o = options ? *options : o;
    struct unseen_audit *a = NULL;
    US_TRY(us_audit_samples(t, &a));
    US_TRY_ALLOC(a->suspects = us_calloc((size_t)t->n, sizeof *a->suspects));
    US_TRY(unseen_noise_rate(t, &a->noise_rate));
    US_TRY(find_suspects(&o, t->skipped, a));
    *audit = a;
    a = NULL;
out:
    unseen_audit_free(a);
    return st;
}

void unseen_audit_free(struct unseen_audit *a)
{
    if (!a)
        return;
    free(a->p_true);
    free(a->suggested);
    free(a->confidence);
    free(a->score);
    free(a->suspects);
    free(a);
}
