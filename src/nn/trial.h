/* Passes that nobody will see the results of: to compile, and to take the time of. */
#ifndef US_NN_TRIAL_H
#define US_NN_TRIAL_H

#include "nn/session.h"

struct us_trial {
    const struct unseen_recipe *recipe;
    int64_t n; /* images of the training split, over and over if they are more; steps of recipe->batch */
    bool training;
    int see, feature_count; /* as us_loader_size has them */
};

/* Pass through a model of the session, whose parameters are drawn; done when it returns. */
enum unseen_status us_trial_pass(struct us_session *session, const struct us_trial *trial);

#endif
