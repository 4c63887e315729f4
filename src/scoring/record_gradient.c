/* The gradient norms of a finished scoring model. */
#include "config.h"

#include <stdlib.h>

#include "base/npy.h"
#include "nn/gradient.h"
#include "nn/work.h"
#include "scoring/scoring_model.h"

static enum unseen_status record_side(struct us_scoring_model *m, enum us_side side,
                                      struct us_session *session, const char *weights,
                                      struct us_progress *whole, const struct us_price *price,
                                      const char *title)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_progress *progress = NULL;
    int64_t n;
    const int64_t *samples = us_side_samples(m, side, &n);
    char *path = us_record_path(m, side, "gradient", us_scoring_epochs(m->run) - 1);
    float *norms = us_calloc((size_t)n, sizeof *norms);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(norms);
    const struct us_work work = {.gradients = us_gradients_left(m, side)};
    if (!work.gradients)
        goto out;
    const struct us_amount left = us_work_amount(&work, price);
    progress = us_progress_part(whole, title, left, left);
    US_TRY(us_gradient_norms(session, &m->run->options->recipe, weights, samples, n, progress, norms));
    US_TRY(us_npy_write(path, US_F32, 2, (int64_t[]){n, 1}, norms));
    US_TRY(us_model_wrote(m, path));
    US_TRY(us_model_keep_checksums(m));
out:
    us_progress_end(progress);
    free(norms);
    free(path);
    return st;
}

enum unseen_status us_record_gradients(struct us_scoring_model *m, struct us_session *session,
                                       const char *weights, struct us_progress *whole,
                                       const struct us_price *price, const char *title)
{
    enum unseen_status st = UNSEEN_OK;
    char *noted = us_format("%s, gradients", title);
    US_TRY_ALLOC(noted);
    US_TRY(record_side(m, US_UNSEEN_SIDE, session, weights, whole, price, noted));
    US_TRY(record_side(m, US_SEEN_SIDE, session, weights, whole, price, noted));
out:
    free(noted);
    if (st == UNSEEN_INTERRUPTED) {
        us_fail(st, "gradient_norm", "stopped on request");
        us_hint("the same command goes on from there (%s)", m->folder);
    }
    return st;
}
