/* The state of a training run on disk: what a killed run goes on from. */
#ifndef US_NN_CHECKPOINT_H
#define US_NN_CHECKPOINT_H

#include "nn/model.h"
#include "nn/train.h"

/* A run between two epochs. */
struct us_state {
    const char *settings;         /* "key value" lines that must agree for a run to go on */
    struct unseen_epoch *history; /* [epochs], whole epochs done so far */
    int epochs;
    float *losses; /* [n_losses] that a sampler goes by; NULL: it has none */
    int64_t n_losses;
};

/* Write parameters, velocity, running statistics, the state of loss scaling, averages, losses and `state`
 * atomically, as .safetensors with a checksum. */
enum unseen_status us_checkpoint_write(const char *path, struct us_model *model,
                                       const struct us_state *state);

/* Epochs that a state on disk holds, by its description alone; 0 for none, or one that is torn. */
int us_checkpoint_epochs(const char *path);

enum us_checkpoint_found {
    US_CHECKPOINT_NONE, /* no file, or (with a warning in the log) one that is torn */
    US_CHECKPOINT_READ,
};

/* Read it into `model`, state->history (fresh memory), state->epochs and, where they are not NULL,
 * state->losses. UNSEEN_USAGE, naming the file and
 * the first setting that differs, if the state's settings are not state->settings. */
enum unseen_status us_checkpoint_read(const char *path, struct us_model *model, struct us_state *state,
                                      enum us_checkpoint_found *found);

#endif
