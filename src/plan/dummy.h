/* Images of noise, to take the time of models with. */
#ifndef US_PLAN_DUMMY_H
#define US_PLAN_DUMMY_H

#include "unseen/dataset.h"

/* A training split of `n` images, size x size, in memory, with the channels and classes of `like`, and no
 * test split. Freed with us_dummy_free, also after a failure. */
enum unseen_status us_dummy_new(const struct unseen_dataset *like, int size, int64_t n,
                                struct unseen_dataset **dataset);
void us_dummy_free(struct unseen_dataset *dataset);

#endif
