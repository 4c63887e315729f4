/* RS2, a random subset for each epoch (Okanovic et al., "Repeated Random Sampling for Minimizing the
 * Time-to-Accuracy of Learning", ICLR 2024). */
#include "config.h"

#include <string.h>

#include "nn/sampler.h"

/* Without replacement: a permutation serves ceil(n / m) epochs, m samples each. As in the authors' code the
 * last of them goes on with the permutation's first samples where m does not divide n. */
enum unseen_status us_sample_rs2(const struct us_sampler_input *in, struct us_sampled *out)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t m = out->m, parts = (in->n + m - 1) / m, first = in->epoch % parts * m;
    const int64_t own = first + m > in->n ? in->n - first : m;
    const size_t each = sizeof *out->order;
    US_TRY(us_sampler_permute(in, US_STREAM_SAMPLER, (int)(in->epoch / parts), out->order));
    if (first > 0) {
        memmove(out->order + own, out->order, (size_t)(m - own) * each);
        memcpy(out->order, out->order + first, (size_t)own * each);
    }
out:
    return st;
}

/* With replacement: what an epoch takes is free for the next one. */
enum unseen_status us_sample_rs2_replacement(const struct us_sampler_input *in, struct us_sampled *out)
{
    return us_sampler_permute(in, US_STREAM_SAMPLER, in->epoch, out->order);
}
