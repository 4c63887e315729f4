/* The quantities of a sample that models are watched by while they train. */
#ifndef UNSEEN_QUANTITY_H
#define UNSEEN_QUANTITY_H

/* What a trajectory can hold of a sample. The first six are always recorded, by the device, in this order;
 * the others on demand, since they cost disk: per sample and epoch the first six take 21 bytes, a scalar 4,
 * the probabilities 2 C; features take 4 d bytes per sample, once.
 *
 * ImageNet-1K (N 1,281,167, C 1,000), 90 epochs, one repeat, d = 512: the first six 2.4 GB, each scalar 0.46
 * GB, features 2.6 GB, probabilities 231 GB (no score of ours needs them). Recording needs the same again in
 * work files until it is done, and for `change` up to 12 C bytes a sample (15.4 GB) of softmaxes of three
 * epochs; a run for which the disk lacks room is refused before it begins. All of it streams: memory, besides
 * the images on host and device, is 400 bytes a sample for each model at a time (0.5 GB), 12 more for each
 * scalar on demand, and 64 MB. Scoring it takes 44 bytes a sample (56 MB) and what it reads of 65536 samples
 * at a time. */
enum unseen_quantity {
    UNSEEN_P_TRUE,  /* softmax probability of the given label */
    UNSEEN_MARGIN,  /* logit of the given label minus the largest other logit */
    UNSEEN_EL2N,    /* |softmax - onehot|_2 (Paul et al., NeurIPS 2021) */
    UNSEEN_ENTROPY, /* -sum p ln p, in nats */
    UNSEEN_LOSS,    /* cross-entropy in nats, without label smoothing */
    UNSEEN_CORRECT, /* 1 if argmax is the given label (ties count for the lower class) */

    UNSEEN_CHANGE,       /* sum_c |p_c (ln(p_c + 1e-8) - ln(q_c + 1e-8))|, p now, q one epoch
                            before (Zhang et al., CVPR 2024); 0 at the first epoch */
    UNSEEN_FEATURE_NORM, /* |h|_2 of the features, the last linear layer's input */
    UNSEEN_PREDICTED,    /* the class of the largest logit (the lowest of equal ones), as a float */
    UNSEEN_RUNNER_UP,    /* second largest softmax probability */

    UNSEEN_PROBS,         /* all softmax probabilities, in half precision */
    UNSEEN_FEATURES,      /* h itself, at the last recorded epoch only */
    UNSEEN_GRADIENT_NORM, /* |gradient of the loss by all parameters|_2 at that epoch, in evaluation (Paul et
                             al., NeurIPS 2021): a backward pass a sample, for small models only */
};

/* The first UNSEEN_N_ALWAYS are always recorded, the first UNSEEN_N_SCALAR are one number per sample and
 * epoch, and UNSEEN_N_QUANTITIES are all. */
#define UNSEEN_N_ALWAYS     (UNSEEN_CORRECT + 1)
#define UNSEEN_N_SCALAR     (UNSEEN_RUNNER_UP + 1)
#define UNSEEN_N_QUANTITIES (UNSEEN_GRADIENT_NORM + 1)

#endif
