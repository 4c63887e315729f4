/* Dynamic samplers: which samples of its training set a run passes through in an epoch, and how they weigh in
 * the gradient. A registry (samplers.def): a file a sampler and one line.
 *
 * A job takes one by us_train_job.sampler, a `struct unseen_sampler` (unseen/train.h); NULL is "all". The
 * schedule stays as long as it is without: the recipe's epochs, each over no more samples than
 * us_sampler_most tells. Every draw is from Philox, keyed by (seed, epoch), and what else a choice depends on
 * is in the checkpoint: a run that is killed goes on to the same bytes. What an epoch did not pass through is
 * NaN in the record that on_epoch is given. */
#ifndef US_NN_SAMPLER_H
#define US_NN_SAMPLER_H

#include "base/option.h"
#include "base/rng.h"
#include "unseen/train.h"

struct us_sampler_input {
    const int64_t *train; /* [n] ascending */
    int64_t n;
    double keep;
    uint64_t seed;
    int epoch, epochs;    /* epochs: of the whole schedule */
    const int32_t *place; /* a sample's place in `train`; and for US_BY_LOSS: */
    const float *losses;  /* [n] of each sample when it was passed last; epoch 0 has none */
};

/* The epoch's samples, in the order in which they pass, and what their gradients are multiplied by. */
struct us_sampled {
    int64_t m;      /* as a sampler finds it: us_sampler_most */
    int64_t *order; /* [m], room for n */
    float *weight;  /* the same; NULL unless US_BY_LOSS */
};

typedef enum unseen_status us_sampler_function(const struct us_sampler_input *in, struct us_sampled *out);

/* How a sampler works. */
enum {
    US_THINS = 1,   /* round(keep * n) samples in every epoch */
    US_BY_LOSS = 2, /* chooses by the losses of the epochs before, and weighs what it chose */
};

/* The samples of an epoch, by a sampler that us_sampler_check_on has passed; NULL is "all". Fills in->keep
 * and out->m for the sampler. */
enum unseen_status us_sampler_run(const struct unseen_sampler *sampler, const struct us_sampler_input *in,
                                  struct us_sampled *out);

/* order [n] receives all samples as they are drawn for `epoch` of `stream`. */
enum unseen_status us_sampler_permute(const struct us_sampler_input *in, enum us_stream stream, int epoch,
                                      int64_t *order);

/* The registry's flags of it. */
int us_sampler_flags(const struct unseen_sampler *sampler);

/* Whether every epoch takes all samples, in the order of us_shuffle with US_STREAM_SHUFFLE. */
bool us_sampler_takes_all(const struct unseen_sampler *sampler);

/* Samples that an epoch takes of `n` at most; exactly so many with US_THINS. */
int64_t us_sampler_most(const struct unseen_sampler *sampler, int64_t n);

/* UNSEEN_USAGE if an epoch would take none of `n` samples; and all of unseen_sampler_check. */
enum unseen_status us_sampler_check_on(const struct unseen_sampler *sampler, int64_t n);

/* "key value" lines that tell it from others, in fresh memory; NULL if memory runs out. */
char *us_sampler_lines(const struct unseen_sampler *sampler);

/* The rows of struct unseen_sampler. */
extern const struct us_option us_sampler_options[];

#define US_SAMPLER(name, function, flags, help) us_sampler_function function;
#include "nn/samplers.def"
#undef US_SAMPLER

#endif
