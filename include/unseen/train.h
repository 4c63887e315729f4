/* Training one model: the recipe, and the run that `unseen train` makes. */
#ifndef UNSEEN_TRAIN_H
#define UNSEEN_TRAIN_H

#include <stdint.h>

#include "unseen/dataset.h"
#include "unseen/device.h"
#include "unseen/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum unseen_schedule {
    UNSEEN_COSINE,   /* from lr to 0 over the epochs, per step */
    UNSEEN_ONECYCLE, /* linear from 0 to lr over the first 30 % of the steps, linear back to 0 */
    UNSEEN_LINEAR    /* linear from lr_start * lr to lr over the first `peak` of the steps, rounded to whole
                        ones,    then linear to lr_end * lr */
};

/* How an epoch's samples are cut into steps. */
enum unseen_last_batch {
    UNSEEN_BATCH_KEEP,  /* of `batch`, and one of what is left */
    UNSEEN_BATCH_SPREAD /* of almost equal size, `batch` or more, or all samples if they are fewer: the steps
                           of all epochs are epochs * samples / batch, rounded up with the probability of what
                           is behind the point, spread evenly over the epochs */
};

/* What a step's gradients are of. */
enum unseen_loss {
    UNSEEN_LOSS_MEAN, /* the mean of the samples' losses */
    UNSEEN_LOSS_SUM   /* their sum: a sample moves the weights as much whatever the batch */
};

/* What weight_decay is: g += F * weight, with F = weight_decay, or F = weight_decay / lr, so that a step at
 * the peak of the schedule takes the share weight_decay off the weights (plus what momentum carries on). */
enum unseen_decay_form { UNSEEN_DECAY_COUPLED, UNSEEN_DECAY_DECOUPLED };

/* What training takes of a picture; evaluation always takes the centre. */
enum unseen_crop {
    UNSEEN_CROP_AUTO,    /* PAD up to 64 pixels, RESIZED above */
    UNSEEN_CROP_PAD,     /* the centre, shifted by up to `pad` pixels over `padding` */
    UNSEEN_CROP_RESIZED, /* random parts, resized: 0.08 to 1 of the area, 3:4 to 4:3 (RandomResizedCrop) */
    UNSEEN_CROP_NONE     /* the centre */
};

/* How training mirrors pictures. */
enum unseen_flip {
    UNSEEN_FLIP_NONE,
    UNSEEN_FLIP_RANDOM,     /* drawn anew for each sample in each epoch */
    UNSEEN_FLIP_ALTERNATING /* drawn once for each sample, then every epoch the other way round */
};

/* What lies around a picture that is shifted. */
enum unseen_padding {
    UNSEEN_PADDING_ZERO,   /* black */
    UNSEEN_PADDING_REFLECT /* its mirror image */
};

/* Where images are kept that are decoded to the same pixels in every epoch. It changes no result. */
enum unseen_cache {
    UNSEEN_CACHE_AUTO,  /* in memory, if they take no more than a quarter of what is free */
    UNSEEN_CACHE_OFF,   /* nowhere: they are decoded in every epoch */
    UNSEEN_CACHE_MEMORY /* in memory */
};

/* Everything that decides a model's weights besides the data, the seed and the device. */
struct unseen_recipe {
    char name[32];  /* of unseen_recipe_name's what it began as: recorded, changes nothing */
    char model[32]; /* as unseen_model_name lists them */
    int width;      /* channels of the first stage; inside its blocks for resnet50 */
    enum unseen_precision precision;
    int epochs;     /* length of the schedule */
    int stop_after; /* epochs to run of it; 0: all */
    int batch;
    enum unseen_last_batch last_batch;
    int accumulate; /* parts that a batch passes through the model in; batch norm sees each alone */
    int recompute;  /* keep fewer activations for the backward pass and make them again there */
    float lr, momentum, weight_decay, label_smoothing;
    float bias_lr; /* of batch norm's shifts: learning rate `bias_lr` times that of others, F 1 / bias_lr
                      times */
    enum unseen_decay_form decay_form;
    int decay_all; /* weight decay of biases and batch norm, too, not of weights alone */
    int nesterov;
    enum unseen_loss loss;
    int lookahead; /* every 5 steps, behind step t of T, over parameters and running statistics: average +=
                      (1 - 0.95^5 (t / T)^3) (weights - average), weights = average; the latter in the end */
    enum unseen_schedule schedule;
    float peak, lr_start, lr_end; /* of UNSEEN_LINEAR: shares of the steps, and of lr */
    float warmup;                 /* epochs of linear warm-up before a cosine */
    int size[2]; /* pixels: height and width of what the model takes in the first epochs and in the last, and
                    in between more by steps of 32; 0 and 0: those of the images, where all have one size
                    (the shorter side), 224 at most. Of E epochs the first is taken up to number s =
                    floor(0.74  E), from 0 on, and the last from s + floor(E / 8) on. It grows linearly
                    between, rounded  to the nearest step: 160..192 over 16 epochs is 160 in 0..11 and 192
                    in 12..15 */
    int test_size; /* the same in evaluation; 0: size[1] */
    int resize;    /* what the shorter side becomes before the centre is cut out in evaluation; 0: test_size *
                      256 / 224 with UNSEEN_CROP_RESIZED, test_size with others. Where training takes the
                      centre at another size, it is as many times larger or smaller */
    enum unseen_crop crop;
    enum unseen_cache cache;
    int pad; /* pixels of padding for random crops; 0 switches crops off */
    enum unseen_padding padding;
    enum unseen_flip flip; /* horizontally */
};

/* The recipe "paper", the field's defaults: resnet18, width 64, 200 epochs, batch 128, lr 0.1, momentum 0.9,
 * Nesterov, weight decay 5e-4 of all parameters, cosine, no smoothing or warm-up, crops with 4 pixels of
 * padding, flips. */
UNSEEN_API void unseen_recipe_defaults(struct unseen_recipe *recipe);

/* The same, then what the recipe of that name sets. UNSEEN_USAGE, with a hint that lists them, for an unknown
 * one. */
UNSEEN_API enum unseen_status unseen_recipe_named(const char *name, struct unseen_recipe *recipe);

/* The i-th recipe's name, one-line description, and settings as "option=value option=value ..."; NULL past
 * the last. */
UNSEEN_API const char *unseen_recipe_name(int i);
UNSEEN_API const char *unseen_recipe_help(int i);
UNSEEN_API const char *unseen_recipe_settings(int i);

/* The name of the recipe that commands take for a dataset where none is asked for: "fast" where models take
 * images of up to 64 pixels, "imagenet" above. */
UNSEEN_API const char *unseen_recipe_for(const struct unseen_dataset *data);

/* UNSEEN_USAGE, naming the option, for what is out of range or unknown. */
UNSEEN_API enum unseen_status unseen_recipe_check(const struct unseen_recipe *recipe);

/* The i-th registered model's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_model_name(int i);
UNSEEN_API const char *unseen_model_help(int i);

/* Which samples of the training set an epoch takes, and how they weigh. */
struct unseen_sampler {
    char name[32]; /* as unseen_sampler_name lists them */
    double
        keep; /* share that is kept, (0,1]: of all samples; for "infobatch" of those that are fitted well */
};

/* "all" with keep 0.5, which it does not look at. */
UNSEEN_API void unseen_sampler_defaults(struct unseen_sampler *sampler);

/* The i-th registered sampler's name and one-line description; NULL past the last. */
UNSEEN_API const char *unseen_sampler_name(int i);
UNSEEN_API const char *unseen_sampler_help(int i);

/* UNSEEN_USAGE, naming the option, for what is out of range, unknown, or without effect. */
UNSEEN_API enum unseen_status unseen_sampler_check(const struct unseen_sampler *sampler);

/* How a model looks at test images in the end: several times each, averaging its logits. Of the shifts by a
 * pixel what lies behind the edge is mirrored there. */
enum unseen_views {
    UNSEEN_VIEWS_NONE,     /* once */
    UNSEEN_VIEWS_MIRROR,   /* as it is and mirrored, left for right */
    UNSEEN_VIEWS_TRANSLATE /* the same, 1/4 each; and shifted by a pixel up and left, and down and right, each
                              as it is and mirrored, 1/8 each (Jordan, airbench, 2024) */
};

/* One epoch of one model. Accuracies in [0,1]; NaN for what was not measured. */
struct unseen_epoch {
    int epoch; /* from 0 */
    double lr; /* at the epoch's last step */
    double train_loss, train_accuracy;
    double heldout_loss, heldout_accuracy; /* on the held-out fold, if there is one */
    double test_loss, test_accuracy;
    double images; /* trained on: all samples, unless a sampler left some out */
    double seconds;
    double views_loss, views_accuracy; /* the last epoch's: of the test with views, where there is one */
};

/* What feeding models with images has taken since the process began; all 0 where they lay ready in memory. */
struct unseen_loading {
    int threads;     /* that decode */
    int64_t decoded; /* images */
    double busy;     /* share of these threads' time that they decoded in */
    int64_t fed;     /* images sent to devices, to all models together */
    double seconds;  /* of training and evaluation of these models together */
    double waited;   /* of these, for images, with nothing left to do for the device */
};
UNSEEN_API void unseen_loading(struct unseen_loading *loading);

/* What held training up, static storage: "device" unless devices waited for images for more than 5 % of the
 * time; then "decoding" if the threads that decode were busy most of the time, so that more of them would
 * pay, or else "start": they had only to get ahead at first. */
UNSEEN_API const char *unseen_loading_bottleneck(const struct unseen_loading *loading);

struct unseen_train_options {
    struct unseen_recipe recipe;
    struct unseen_sampler sampler;
    enum unseen_views views; /* in a second test at the end, which changes nothing else */
    uint64_t seed;
    const int64_t *subset; /* [n_subset] samples to train on, ascending; NULL: all */
    int64_t n_subset;
    const char *subset_name; /* file that the subset is from, recorded; may be NULL */
    const char *out;         /* folder; made if missing. A killed run goes on from what lies there. */
    const char *init;        /* .safetensors to start from; NULL: drawn from the seed */
    const char *command;     /* recorded in run.json; may be NULL */
    struct unseen_plan_listener on_plan;
};

/* The recipe's and the sampler's defaults, no views, seed 0, no subset; `out` is still to be set. */
UNSEEN_API void unseen_train_defaults(struct unseen_train_options *options);

/* Train and test one model. Writes model.safetensors, history.csv, run.json into `out`. `history` (may be
 * NULL) receives fresh memory [*epochs], freed with free(). UNSEEN_INTERRUPTED after a checkpoint if
 * unseen_interrupt was called. UNSEEN_USAGE if `out` holds another run. */
UNSEEN_API enum unseen_status unseen_train(struct unseen_device *device, const struct unseen_dataset *data,
                                           const struct unseen_train_options *options,
                                           struct unseen_epoch **history, int *epochs);

/* What that call would do, without doing it: nothing is written but to the cache folder. `options->out` NULL:
 * a new folder. */
UNSEEN_API enum unseen_status unseen_train_plan(struct unseen_device *device,
                                                const struct unseen_dataset *data,
                                                const struct unseen_train_options *options,
                                                enum unseen_plan_by by, struct unseen_plan *plan);

/* Read a history.csv as unseen_train leaves it. `history` receives fresh memory [*epochs], freed with free();
 * what the file does not tell is NaN. UNSEEN_BAD_DATA, with file and line, if it is none. */
UNSEEN_API enum unseen_status unseen_history_read(const char *path, struct unseen_epoch **history,
                                                  int *epochs);

#ifdef __cplusplus
}
#endif
#endif
