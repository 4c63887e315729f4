#include "config.h"

#include <string.h>

#include "nn/sampler.h"

enum unseen_status us_sampler_permute(const struct us_sampler_input *in, enum us_stream stream, int epoch,
                                      int64_t *order)
{
    memcpy(order, in->train, (size_t)in->n * sizeof *order);
    return us_shuffle(in->seed, stream, (uint32_t)epoch, (size_t)in->n, order);
}

enum unseen_status us_sample_all(const struct us_sampler_input *in, struct us_sampled *out)
{
    return us_sampler_permute(in, US_STREAM_SHUFFLE, in->epoch, out->order);
}
