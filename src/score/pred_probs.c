/* Probabilities as other tools take them (cleanlab's pred_probs): a row a sample, no repeats, one epoch. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/half.h"
#include "base/log.h"
#include "base/npy_stream.h"
#include "trajectory/trajectory.h"
#include "unseen/score.h"

/* Sums of samples in memory at once. */
#define SLICE_BYTES ((size_t)16 << 20)

struct slice {
    int64_t first, n;
    double *sum; /* [n, classes] over repeats */
    float *row;  /* the same, each row of sum 1 */
};

static enum unseen_status add_repeat(const struct unseen_trajectory *t, int64_t pass, struct slice *s)
{
    const size_t classes = (size_t)t->classes;
    const uint16_t *probs = t->probs + ((size_t)pass * (size_t)t->n + (size_t)s->first) * classes;
    for (size_t k = 0; k < (size_t)s->n * classes; k++) {
        const float p = us_half_to_float(probs[k]);
        if (!(p >= 0 && p <= 1))
            return us_fail(UNSEEN_BAD_DATA, "probs", "%g of sample %" PRId64 " is no probability", (double)p,
                           s->first + (int64_t)(k / classes));
        s->sum[k] += p;
    }
    return UNSEEN_OK;
}

/* Half precision leaves sums that are not quite 1, and nothing at all of a sample that no model scored. */
static void scale(const struct unseen_trajectory *t, struct slice *s)
{
    const size_t classes = (size_t)t->classes;
    for (int64_t i = 0; i < s->n; i++) {
        const double *sum = s->sum + (size_t)i * classes;
        float *row = s->row + (size_t)i * classes;
        double all = 0;
        for (size_t c = 0; c < classes; c++)
            all += sum[c];
        const bool none = all == 0 || (t->skipped && t->skipped[s->first + i]);
        for (size_t c = 0; c < classes; c++)
            row[c] = (float)(none ? 1.0 / (double)classes : sum[c] / all);
    }
}

static enum unseen_status write_slices(const struct unseen_trajectory *t, int epoch, struct slice *s,
                                       struct us_npy_stream *stream)
{
    enum unseen_status st = UNSEEN_OK;
    const size_t classes = (size_t)t->classes;
    const int64_t step = (int64_t)(SLICE_BYTES / sizeof *s->sum / classes) + 1,
                  most = step < t->n ? step : t->n;
    US_TRY_ALLOC(s->sum = us_calloc((size_t)most * classes, sizeof *s->sum));
    US_TRY_ALLOC(s->row = us_calloc((size_t)most * classes, sizeof *s->row));
    for (s->first = 0; s->first < t->n; s->first += step) {
        s->n = t->n - s->first < step ? t->n - s->first : step;
        for (size_t k = 0; k < (size_t)s->n * classes; k++)
            s->sum[k] = 0;
        for (int r = 0; r < t->repeats; r++)
            US_TRY(add_repeat(t, (int64_t)r * t->epochs + epoch, s));
        us_trajectory_drop_pages(t);
        scale(t, s);
        US_TRY(us_npy_stream_put(stream, (size_t)s->first * classes, (size_t)s->n * classes, s->row));
    }
out:
    free(s->row);
    free(s->sum);
    return st;
}

static enum unseen_status check(const struct unseen_trajectory *t, int epoch)
{
    if (!t->probs) {
        us_fail(UNSEEN_USAGE, "probabilities", "the trajectory lacks probs");
        us_hint("record it with --record-also probs");
        return UNSEEN_USAGE;
    }
    if (epoch < -1 || epoch >= t->epochs)
        return us_fail(UNSEEN_USAGE, "--epoch", "%d is not in 0..%d, the epochs of the trajectory", epoch,
                       t->epochs - 1);
    if (t->protocol == UNSEEN_SEEN)
        us_log(UNSEEN_LOG_WARNING,
               "the models of these probabilities were trained on the samples; tools that find "
               "wrong labels by them expect models that were not");
    return us_trajectory_check(t, UNSEEN_PROBS);
}

enum unseen_status unseen_pred_probs_write(const struct unseen_trajectory *t, int epoch, const char *path)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_npy_stream stream = {0};
    struct slice slice = {0};
    US_TRY(check(t, epoch));
    US_TRY(us_npy_stream_begin(path, US_F32, 2, (int64_t[]){t->n, t->classes}, &stream));
    US_TRY(write_slices(t, epoch < 0 ? t->epochs - 1 : epoch, &slice, &stream));
    US_TRY(us_npy_stream_commit(&stream));
out:
    us_npy_stream_abandon(&stream);
    return st;
}
