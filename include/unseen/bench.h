/* How fast a model trains and infers on a device. */
#ifndef UNSEEN_BENCH_H
#define UNSEEN_BENCH_H

#include "unseen/dataset.h"
#include "unseen/device.h"
#include "unseen/tune.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unseen_bench_options {
    const char *model; /* as unseen_model_name lists them */
    int width, batch, size, classes;
    enum unseen_precision precision;
    int recompute; /* activations are computed again on the way back */
    int rounds;    /* timed steps of each kind, after two that are not counted */
};

/* resnet18, width 64, batch 128, 32 pixels, 10 classes, float32, 10 rounds. */
UNSEEN_API void unseen_bench_defaults(struct unseen_bench_options *options);

/* Medians over the rounds. A training step is forward, loss, backward and optimiser on data that lies on the
 * device. */
struct unseen_bench_result {
    double train_images_per_second, infer_images_per_second;
    double train_seconds_min, train_seconds_max; /* of one step */
    double infer_seconds_min, infer_seconds_max;
    double train_host_seconds, infer_host_seconds; /* processor time to enqueue a step; the device runs on
                                                      meanwhile, if it is not the same processor */
    double forward_flops;      /* per image, multiply-add = 2; a training step counts three times as many */
    double build_seconds;      /* from the call to the begin of the first training step: programs compiled or
                                  loaded, model built, parameters and data on the device */
    double first_step_seconds; /* that step, with what the driver compiles at first use */
    unsigned long long peak_bytes; /* device memory in use at most */
};

/* UNSEEN_USAGE for options out of range. */
UNSEEN_API enum unseen_status unseen_bench(struct unseen_device *device,
                                           const struct unseen_bench_options *options,
                                           struct unseen_bench_result *result);

/* The loader alone: decoded by all processors, cut at random and resized to options->size, mirrored,
 * normalised and on the device, options->batch at a time. Images a second, over options->rounds passes
 * through the training split (as often as gives 16 batches), after one that is not counted. */
struct unseen_bench_loader {
    double images_per_second, least, most; /* median and range */
    int threads;                           /* that decode */
    double busy;                           /* share of their time that they decoded in */
};
UNSEEN_API enum unseen_status unseen_bench_loader(struct unseen_device *device,
                                                  const struct unseen_dataset *data,
                                                  const struct unseen_bench_options *options,
                                                  struct unseen_bench_loader *result);

/* One shape of a convolution of the model in one direction, timed alone. */
struct unseen_bench_conv {
    struct unseen_conv conv;
    char layer[64];                   /* the first that has this shape */
    int times;                        /* in a training step */
    char algorithm[UNSEEN_ALGORITHM]; /* what computes it */
    const char *why; /* "tuned" by unseen_tune, "shipped" with the program, "forced" by UNSEEN_CONV, the
                        "usual"; static */
    double seconds;  /* median */
    char other[UNSEEN_ALGORITHM]; /* the next best that unseen_tune found; "": not tuned, or nothing else can
                                   */
    double other_seconds;
};

/* The convolutions of the model, in the order of its layers: fresh memory [*n], freed with free().
 * UNSEEN_USAGE for options out of range. */
UNSEEN_API enum unseen_status unseen_bench_convolutions(struct unseen_device *device,
                                                        const struct unseen_bench_options *options,
                                                        struct unseen_bench_conv **rows, int *n);

/* The product of two square matrices of `size` rows, a multiple of 32, by all that computes 1x1 convolutions:
 * these are such products, of row->conv.channels_in rows. "im2col" is CLBlast's. UNSEEN_USAGE for arguments
 * out of range. */
UNSEEN_API enum unseen_status unseen_bench_product(struct unseen_device *device, int size,
                                                   enum unseen_precision precision, int rounds,
                                                   struct unseen_tune_row *row);

/* The device's float32 operations per second at most, multiply-add = 2, as measured by a kernel that does
 * nothing else. */
UNSEEN_API enum unseen_status unseen_bench_peak(struct unseen_device *device, double *flops);

#ifdef __cplusplus
}
#endif
#endif
