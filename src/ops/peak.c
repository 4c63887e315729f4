#include "config.h"

#include "ops/peak.h"

#include "base/clock.h"

enum { CHAINS = 12, RUNS = 8, FIRST_ROUNDS = 1000, MOST_ROUNDS = 1 << 28 };
#define RUN_SECONDS 0.02

/* The shape of a launch: enough work-items that none of the compute units waits for another at the end. */
static struct us_range items(const struct unseen_device *device)
{
    const size_t units = unseen_device_info(device)->compute_units;
    return us_device_is_cpu(device) ? US_RANGE1L(units * 8, 1) : US_RANGE1L(units * 2048, 64);
}

enum unseen_status us_peak_flops(struct unseen_device *device, double *flops)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    struct us_buf *out = NULL;
    const struct us_range range = items(device);
    const double width = us_device_is_cpu(device) ? 16 : 1;
    double best = 0.0;
    int rounds = FIRST_ROUNDS;
    US_TRY(us_kernel_get(device, "peak.cl", "", "peak", &kernel));
    US_TRY(us_buf_new(device, range.global[0] * sizeof(float), &out));
    for (int i = -1; i < RUNS; i++) {
        const double start = us_seconds();
        US_TRY(us_run(device, kernel, range, "iffb", rounds, 0.999, 0.001, out));
        US_TRY(us_finish(device));
        const double seconds = us_seconds() - start;
        const double rate = 2.0 * width * CHAINS * rounds * (double)range.global[0] / seconds;
        if (i >= 0 && seconds < RUN_SECONDS / 2 && rounds < MOST_ROUNDS) {
            rounds *= 2; /* until a run is long enough; the first one compiles and does not count */
            i = -1;
        } else if (i >= 0 && rate > best) {
            best = rate;
        }
    }
    *flops = best;
out:
    us_buf_free(device, out);
    return st;
}
