/* What a score is to the registry (scores.def): a pure function of one repeat of a trajectory. */
#ifndef US_SCORE_SCORE_FUNCTION_H
#define US_SCORE_SCORE_FUNCTION_H

#include "base/option.h"
#include "base/status.h"
#include "unseen/score.h"

/* What else the registry says of a score, by bits. */
enum {
    US_ANY = 0,
    US_WHOLE = 1,     /* asked for all samples at once: it has to see them all */
    US_TWO_SIDED = 2, /* compares models that trained on a sample with models that did not */
    US_UNSEEN = 4,    /* makes no sense of models that trained on the samples */
};

/* Samples of one repeat, with every option resolved to what the trajectory can serve. */
struct us_score_view {
    const struct unseen_trajectory *trajectory;
    int64_t first, n; /* the samples asked for: first..first+n-1 */
    int repeat;
    int epochs; /* that count, from the first on */
    int epoch;  /* chosen by the caller, below epochs; -1: the score's default */
    int window; /* 2..epochs where the score uses windows */
    int clusters;
    double decay;
    uint64_t seed;
};

/* Fill scores [n], higher = harder, all finite. The registry has checked that the quantities the score names
 * are recorded. What is read of a mapped trajectory leaves memory again between two calls; a score that is
 * asked for all samples at once sees to that itself (us_trajectory_drop_pages). */
typedef enum unseen_status us_score_function(const struct us_score_view *view, double *scores);

/* Quantity `quantity` of the view's samples at `epoch`: [n]. */
static inline const float *us_score_row(const struct us_score_view *view, enum unseen_quantity quantity,
                                        int epoch)
{
    const struct unseen_trajectory *t = view->trajectory;
    size_t row = (size_t)view->repeat * (size_t)t->epochs + (size_t)epoch;
    return t->value[quantity] + row * (size_t)t->n + view->first;
}

static inline const uint8_t *us_score_correct(const struct us_score_view *view, int epoch)
{
    const struct unseen_trajectory *t = view->trajectory;
    size_t row = (size_t)view->repeat * (size_t)t->epochs + (size_t)epoch;
    return t->correct + row * (size_t)t->n + view->first;
}

/* The epoch that a snapshot reads: the caller's, or the score's own if there are so many, or the last. */
static inline int us_score_epoch(const struct us_score_view *view, int own)
{
    if (view->epoch >= 0)
        return view->epoch;
    return own < view->epochs ? own : view->epochs - 1;
}

#define US_LAST_EPOCH INT32_MAX

/* All quantities that a metric reads, bits 1u << quantity; UNSEEN_USAGE if it is none. */
US_SHARED enum unseen_status us_score_reads(const char *metric, unsigned *quantities);

/* What a metric reads of a trajectory, in bytes. UNSEEN_USAGE if it is none. */
struct us_score_bytes {
    int epoch;  /* a sample and epoch */
    int sample; /* a sample, once, beside `features` */
    bool features;
};
US_SHARED enum unseen_status us_score_bytes(const char *metric, struct us_score_bytes *bytes);

/* How many of the recorded epochs count, from the first on; UNSEEN_USAGE if options->length is more. */
int us_score_epochs(const struct unseen_score_options *options, int recorded);
enum unseen_status us_score_check_length(const struct unseen_score_options *options, int recorded);

/* UNSEEN_USAGE with the reason if runs that record so many epochs cannot serve a metric with these options,
 * or, `in_steps`, those of an incremental selection, which have no seen side. */
enum unseen_status us_score_check_run(const char *metric, const struct unseen_score_options *options,
                                      int epochs, bool in_steps);

/* The rows of struct unseen_score_options. */
extern US_SHARED const struct us_option us_score_options[];

#define US_SCORE(name, function, needs, epochs, flags, help) us_score_function function;
#include "score/scores.def"
#undef US_SCORE

#endif
