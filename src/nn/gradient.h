/* Gradients of single samples. */
#ifndef US_NN_GRADIENT_H
#define US_NN_GRADIENT_H

#include "nn/train.h"

/* Parameters that a model may have at most: every sample's gradient is read whole from the device. */
enum { US_GRADIENT_PARAMETERS = 6000000 };

/* UNSEEN_USAGE if a model of the recipe for images like the dataset's has more. */
enum unseen_status us_gradient_check(const struct unseen_dataset *data, const struct unseen_recipe *recipe);

/* What us_gradient_norms takes from the device. */
enum unseen_status us_gradient_memory(const struct us_session *session, const struct unseen_recipe *recipe,
                                      uint64_t *bytes);

/* norms [n] receives |gradient of the cross-entropy by all parameters|_2 of each of samples [n] of the
 * training split, one by one, as the model of `recipe` with the weights in the file `weights` evaluates it:
 * without augmentation, batch norm by running statistics (GraNd, Paul et al., NeurIPS 2021). `progress`
 * counts them, or is NULL. UNSEEN_INTERRUPTED, without a message, if an interrupt came in between. The
 * session's model is dropped: two seldom fit where one was trained. */
enum unseen_status us_gradient_norms(struct us_session *session, const struct unseen_recipe *recipe,
                                     const char *weights, const int64_t *samples, int64_t n,
                                     struct us_progress *progress, float *norms);

#endif
