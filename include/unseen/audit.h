/* The audit: which labels of a dataset are probably wrong. As in confident learning (Northcutt, Jiang and
 * Chuang, JAIR 2021) it is models that never saw a sample who judge its label, which so had no chance to be
 * learnt by heart. */
#ifndef UNSEEN_AUDIT_H
#define UNSEEN_AUDIT_H

#include <stdint.h>

#include "unseen/trajectory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a trajectory is recorded with so that it can be audited: bits for record_also. */
#define UNSEEN_AUDIT_RECORD (1u << UNSEEN_PREDICTED)

struct unseen_audit_options {
    uint64_t count;   /* not 0: name the samples of the highest scores, this many of them */
    double threshold; /* name those whose score is at least this; NaN: as many as unseen_noise_rate tells */
    int pred_probs;   /* unseen_audit_write adds pred_probs.npy, of unseen_pred_probs_write .. */
    int epoch;        /* .. at this epoch, from 0 on; -1: the last */
};

/* As many as unseen_noise_rate tells. */
UNSEEN_API void unseen_audit_defaults(struct unseen_audit_options *options);

/* Every average is over all repeats and epochs. Where the models never saw the samples an epoch weighs
 * exp(-mean loss of all samples at it), the geometric mean of the labels' probabilities: late epochs, that
 * have learnt wrong labels of other samples by heart, weigh little. */
struct unseen_audit {
    enum unseen_protocol protocol; /* of the trajectory */
    int64_t n;
    int classes;
    const int64_t *labels; /* [n] the trajectory's */
    float *p_true;         /* [n] mean probability of the given label */
    int32_t *suggested;    /* [n] the class j with the highest mean of: the probability of j where it was the
                              models' first choice, else 0; the lowest of equal ones. The label itself where it
                              always was the first choice. */
    float *confidence;     /* [n] that mean; 0 where the label is the suggestion */
    float *score;          /* [n] 1 - p_true: higher is more suspicious */
    double noise_rate;     /* unseen_noise_rate */
    int64_t *suspects;     /* [ranked] all samples but the skipped ones, by falling score, ties by index */
    int64_t ranked;
    int64_t count; /* the first so many are the suspects: unless asked for otherwise round(noise_rate * n) */
};

/* Audit a trajectory, which must outlive the result. `options` NULL: the defaults.
 * Memory: 60 bytes a sample; what was read of the trajectory is let go. UNSEEN_USAGE if the trajectory lacks
 * p_true, margin, loss or predicted. The result is freed with unseen_audit_free, which takes NULL. */
UNSEEN_API enum unseen_status unseen_audit(const struct unseen_trajectory *trajectory,
                                           const struct unseen_audit_options *options,
                                           struct unseen_audit **audit);
UNSEEN_API void unseen_audit_free(struct unseen_audit *audit);

/* How well an audit finds wrong labels, where the true ones are known. Skipped samples do not count. */
struct unseen_audit_truth {
    int64_t wrong;            /* samples whose label is not the true one */
    int64_t found;            /* suspects among them */
    int64_t corrected;        /* those whose suggestion is the true label */
    double precision;         /* found / suspects; NaN where there is no suspect */
    double recall;            /* found / wrong; NaN, as the next, where no label is wrong */
    double average_precision; /* of all samples by their scores: the sum over thresholds of precision times
                                 what recall grows by, equal scores being one threshold (scikit-learn's
                                 average_precision_score) */
};

/* Judge unseen_audit's result by true_labels [n]. */
UNSEEN_API void unseen_audit_judge(const struct unseen_audit *audit, const int32_t *true_labels,
                                   struct unseen_audit_truth *truth);

/* The estimated label noise rate, the share of wrong labels, judged where the models are surest. By the mean
 * probabilities over the repeats and the last third of the epochs, each sample has a most probable class c
 * and its probability q there. With the n_c samples of a class ordered by falling q, and K = n_c/20, n_c/10,
 * n_c/5 and 2 n_c/5, but no less than 20 (or n_c):
 *
 *   r_c(K) = share of the first K samples whose label is not c,
 *   share  = sum over c of n_c min r_c(K), divided by the number of samples,
 *
 * where r_c(K) counts only if the mean of q over these K is at least 0.4: models that are sure of nothing
 * tell nothing.
 *
 * The models err least where they are surest, so that r_c(K) there is the share of a class's samples that
 * bear another label, and, as far as the models err even there, more: the estimate is the better the better
 * they are. Without `predicted` all samples are one class, which misses labels that are wrong in some alone.
 * Models that trained on the samples reject the fewer labels the better they fit. 0 if the trajectory lacks
 * p_true, margin or loss. Memory: 56 bytes a sample. */
UNSEEN_API enum unseen_status unseen_noise_rate(const struct unseen_trajectory *trajectory, double *share);

#ifdef __cplusplus
}
#endif
#endif
