/* How fast a model trains and infers on a device. */
#ifndef UNSEEN_BENCH_H
#define UNSEEN_BENCH_H

#include "unseen/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unseen_bench_options {
    const char *model; /* as unseen_model_name lists them */
    int width, batch, size, classes;
    int rounds; /* timed steps of each kind, after two that are not counted */
};

/* Medians over the rounds. A training step is forward, loss, backward and optimiser on data that lies on the
 * device. */
struct unseen_bench_result {
    double train_images_per_second, infer_images_per_second;
    double train_seconds_min, train_seconds_max; /* of one step */
    double infer_seconds_min, infer_seconds_max;
    double forward_flops;      /* per image, multiply-add = 2; a training step counts three times as many */
    double build_seconds;      /* from the call to the begin of the first training step: programs compiled or
                                  loaded,      model built, parameters and data on the device */
    double first_step_seconds; /* that step, with what the driver compiles at first use */
    unsigned long long peak_bytes; /* device memory in use at most */
};

/* UNSEEN_USAGE for options out of range. */
UNSEEN_API enum unseen_status unseen_bench(struct unseen_device *device,
                                           const struct unseen_bench_options *options,
                                           struct unseen_bench_result *result);

#ifdef __cplusplus
}
#endif
#endif
