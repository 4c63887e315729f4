/* InfoBatch (Qin et al., "InfoBatch: Lossless Training Speed Up by Unbiased Dynamic Data Pruning", ICLR
 * 2024): a sample whose last loss is below the mean of all is kept with probability `keep` (1 - r in the
 * paper) and then weighs 1 / keep, so that the expectation of an epoch's gradient stays what it is. The last
 * eighth of the epochs takes all, as does the first, which has no losses to go by. */
#include "config.h"

#include "nn/sampler.h"

static double mean(const float *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)values[i];
    return sum / (double)n;
}

static bool is_kept(const struct us_sampler_input *in, int64_t sample)
{
    uint32_t word[4];
    us_philox(in->seed, US_STREAM_SAMPLER, (uint32_t)in->epoch, (uint64_t)sample, word);
    return (double)us_uniform(word[0]) < in->keep;
}

enum unseen_status us_sample_infobatch(const struct us_sampler_input *in, struct us_sampled *out)
{
    enum unseen_status st = UNSEEN_OK;
    const bool whole = in->epoch == 0 || (int64_t)in->epoch * 8 >= (int64_t)in->epochs * 7;
    const double limit = whole ? 0 : mean(in->losses, in->n);
    out->m = 0;
    for (int64_t i = 0; i < in->n; i++) {
        if (whole || (double)in->losses[i] >= limit || is_kept(in, in->train[i]))
            out->order[out->m++] = in->train[i];
    }
    US_TRY(us_shuffle(in->seed, US_STREAM_SHUFFLE, (uint32_t)in->epoch, (size_t)out->m, out->order));
    for (int64_t i = 0; i < out->m; i++) {
        const float loss = in->losses[in->place[out->order[i]]];
        out->weight[i] = whole || (double)loss >= limit ? 1.0f : (float)(1 / in->keep);
    }
out:
    return st;
}
