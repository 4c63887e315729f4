#include "config.h"

#include "base/half.h"
#include "base/log.h"
#include "device/matrix.h"
#include "device/state.h"
#include "device/trial.h"

/* See cl/wgmma_probe.cl. */
enum { M = 64, N = 8, K = 16, LANES = 128, VALUES = (M + N) * K, SUMS = M * N };

static bool right(const float out[SUMS])
{
    for (int i = 0; i < SUMS; i++) {
        float sum = 0.0f;
        for (int k = 0; k < K; k++)
            sum += us_trial_number(i / N * K + k) * us_trial_number(M * K + i % N * K + k);
        if (out[i] != sum)
            return false;
    }
    return true;
}

const char *us_wgmma_try(struct unseen_device *device, const char *options)
{
    struct us_kernel *kernel;
    uint16_t values[VALUES];
    float out[SUMS];
    if (us_trial_kernel(device, "wgmma_probe.cl", options, "wgmma_probe", &kernel)) {
        us_log(UNSEEN_LOG_DEBUG, "wgmma: %s", unseen_last_error());
        return "its OpenCL compiler refuses them";
    }
    for (int i = 0; i < VALUES; i++)
        values[i] = us_float_to_half(us_trial_number(i));
    if (us_trial_run(device, kernel, LANES, values, sizeof values, out, sizeof out))
        return "a trial failed to run";
    return right(out) ? NULL : "a trial gave wrong numbers";
}

const char *us_wgmma_found(struct unseen_device *device)
{
    const char *why_not = us_wgmma_try(device, "");
    if (!why_not)
        return "a trial works, but no kernel here uses them yet";
    if (!us_wgmma_try(device, "-cl-nv-arch sm_90a"))
        return "a trial works with -cl-nv-arch sm_90a, but no kernel here uses them yet";
    return why_not;
}
