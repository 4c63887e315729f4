/* Which kernels are fastest on a device, found by measuring. */
#ifndef UNSEEN_TUNE_H
#define UNSEEN_TUNE_H

#include "unseen/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct unseen_tune_options {
    const char *model; /* as unseen_model_name lists them; NULL: all */
    int width, batch, size, classes;
    enum unseen_precision precision;
    int rounds; /* over which medians are taken */
};

/* All models, width 64, batch 128, 32 pixels, 10 classes, float32, 5 rounds. */
UNSEEN_API void unseen_tune_defaults(struct unseen_tune_options *options);

/* A convolution in one direction. A linear layer from `in` to `out` features is a 1x1 convolution from `out`
 * to `in` channels, run backwards: its forward pass has direction "data", the gradient of its input
 * "forward". */
struct unseen_conv {
    int batch, height, width, channels_in, channels_out, kernel, stride, pad;
    const char *direction; /* "forward", "data" (gradient), "weights" (gradient); static */
    double flops;          /* multiply-adds times two of the plain definition, whatever computes it */
};

enum { UNSEEN_TUNE_CANDIDATES = 12, UNSEEN_ALGORITHM = 48 };

/* One convolution with the ways to compute it, fastest first. */
struct unseen_tune_row {
    struct unseen_conv conv;
    int candidates;
    struct {
        char algorithm[UNSEEN_ALGORITHM]; /* its name; behind a colon the values of its tunables */
        double seconds;
    } candidate[UNSEEN_TUNE_CANDIDATES];
};

/* Time every algorithm for every convolution of the model, and store the winners for this device and driver
 * in the user's cache folder, where everything built from now on finds them. `rows` is fresh memory [*n],
 * freed with free(). UNSEEN_USAGE for options out of range and where UNSEEN_TUNING=0; UNSEEN_INTERRUPTED
 * after unseen_interrupt, with what was measured until then stored. */
UNSEEN_API enum unseen_status unseen_tune(struct unseen_device *device,
                                          const struct unseen_tune_options *options,
                                          struct unseen_tune_row **rows, int *n);

#ifdef __cplusplus
}
#endif
#endif
