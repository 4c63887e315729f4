/* Trajectories: what scoring runs record, and the only thing that scores look at. */
#ifndef UNSEEN_TRAJECTORY_H
#define UNSEEN_TRAJECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "unseen/quantity.h"
#include "unseen/unseen.h"

#ifdef __cplusplus
extern "C" {
#endif

enum unseen_protocol { UNSEEN_SEEN, UNSEEN_FOLD, UNSEEN_ONE_FOLD };

/* A recorded trajectory: arrays [repeats, epochs, n], C order, in the dataset's own order.
 * With one-fold scoring a sample is unseen by folds-1 models per repeat; each is a repeat of its own here, so
 * `repeats` is then R*(K-1). Values that were not recorded are NULL. */
struct unseen_trajectory {
    enum unseen_protocol protocol;
    int64_t n;
    int repeats, epochs, classes, folds;
    const float *value[UNSEEN_N_SCALAR]; /* by enum unseen_quantity; [UNSEEN_CORRECT] stays NULL */
    const uint8_t *correct;
    const uint16_t *probs; /* [repeats, epochs, n, classes] IEEE half precision */
    int feature_count;     /* d; 0 where there are no features */
    const float *features; /* [repeats, n, d] of the model that scored the sample. Those of different models
                              (another repeat or fold) cannot be compared. */
    const float *centres;  /* [repeats, folds, classes, d]: each model's mean features of the samples it
                              trained on, by label, in evaluation mode; NULL when one model saw all samples */
    const float *gradient_norm; /* [repeats, n] */
    const uint8_t *fold;    /* [repeats, n] the model that scored the sample; NULL when seen, unless the seen
                               side of a fold run */
    const int64_t *labels;  /* [n] */
    const uint8_t *skipped; /* [n] 1: a bad image, which was scored as a grey one, or with zeroes where only
                               models that train on a sample score it; NULL: there is none */
    const struct unseen_trajectory *seen; /* what the same models said of samples that they trained on; NULL:
                                             beside an opened folder, as unseen_record_trajectory leaves it */
    void *owner;                          /* mappings behind the pointers */
};

/* A quantity's name, as --record-also has it and, with ".npy" behind it, its file's. */
UNSEEN_API const char *unseen_quantity_name(enum unseen_quantity quantity);

/* "probs,features,change" to bits 1u << enum unseen_quantity. UNSEEN_USAGE for what is not recorded on
 * demand. "features" brings feature_norm with it. */
UNSEEN_API enum unseen_status unseen_record_parse(const char *names, unsigned *bits);

/* Open DIR, memory-mapped: a file for each quantity, p_true.npy and so on, [repeats, epochs, n]; labels.npy
 * [n]; fold.npy [repeats, n] unless seen; skipped.npy [n] if samples are skipped; trajectory.json. At least
 * one quantity and labels.npy must be there. trajectory.json may be missing (an import: then protocol is fold
 * if fold.npy is there, seen otherwise, and classes and folds are counted), and numbers may be of any type,
 * byte and axis order that .npy files have: what is not float32 (labels: int64; fold, correct: uint8) in C
 * order is converted in memory. UNSEEN_BAD_DATA with the file and the reason if shapes do not agree or a
 * value is impossible: not finite, a probability outside 0..1, a negative norm, entropy or loss, a label, a
 * fold or a "correct" out of range; probs and features are looked at only when they are used. Freed with
 * unseen_trajectory_close. */
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
