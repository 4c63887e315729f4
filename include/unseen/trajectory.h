/* Trajectories: what scoring runs record, and the only thing that scores look at. */
#ifndef UNSEEN_TRAJECTORY_H
#define UNSEEN_TRAJECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

enum unseen_protocol { UNSEEN_SEEN, UNSEEN_FOLD, UNSEEN_ONE_FOLD };

/* Per-sample quantities of one forward pass, in the order in which devices and files hold them. */
enum unseen_quantity {
    UNSEEN_P_TRUE,  /* softmax probability of the given label */
    UNSEEN_MARGIN,  /* logit of the given label minus the largest other logit */
    UNSEEN_EL2N,    /* |softmax - onehot|_2 (Paul et al., NeurIPS 2021) */
    UNSEEN_ENTROPY, /* -sum p ln p, in nats */
    UNSEEN_LOSS,    /* cross-entropy in nats, without label smoothing */
    UNSEEN_CORRECT, /* 1 if argmax is the given label (ties count for the lower class) */
    UNSEEN_QUANTITIES
};

/* A recorded trajectory: arrays [repeats, epochs, n], C order, in the dataset's own order.
 * With one-fold scoring a sample is unseen by folds-1 models per repeat; each is a repeat of its own here, so
 * `repeats` is then R*(K-1). Values that were not recorded are NULL (imported trajectories). */
struct unseen_trajectory {
    enum unseen_protocol protocol;
    int64_t n;
    int repeats, epochs, classes, folds;
    const float *value[UNSEEN_CORRECT]; /* p_true, margin, el2n, entropy, loss */
    const uint8_t *correct;
    const uint8_t *fold;   /* [repeats, n] the model that scored the sample; NULL when seen */
    const int64_t *labels; /* [n] */
    void *owner;           /* mappings behind the pointers */
};

/* Open DIR (CLI.md's layout: p_true.npy, correct.npy, ..., labels.npy, trajectory.json), memory-mapped. At
 * least one quantity and labels.npy must be there; trajectory.json may be missing (an import: then protocol
 * is fold if fold.npy is there, seen otherwise, and classes and folds are counted). UNSEEN_BAD_DATA with the
 * file and the reason if shapes or types do not agree or a value is impossible: not finite, a probability
 * outside 0..1, a label, a fold or a "correct" out of range. Freed with unseen_trajectory_close. */
UNSEEN_API enum unseen_status unseen_trajectory_open(const char *folder,
                                                     struct unseen_trajectory **trajectory);
UNSEEN_API void unseen_trajectory_close(struct unseen_trajectory *trajectory);

/* "seen", "fold", "one-fold". */
UNSEEN_API const char *unseen_protocol_name(enum unseen_protocol protocol);
UNSEEN_API enum unseen_status unseen_protocol_parse(const char *name, enum unseen_protocol *protocol);

#ifdef __cplusplus
}
#endif
#endif
