/* What it takes to decode a dataset's images while models train. */
#ifndef US_PLAN_DECODING_H
#define US_PLAN_DECODING_H

#include "nn/input.h"

/* When images are decoded, for models of a recipe. */
struct us_decoding {
    bool trains, evaluates; /* in every pass of that kind, .. */
    int64_t once;           /* .. and so many once for each phase, because they are kept */
    double seconds;         /* that one takes, with all threads; 0 until it is measured */
};

/* All but the time. Nothing is decoded where the dataset holds its pixels as models take them. `room`: bytes
 * of images that the device takes. */
enum unseen_status us_decoding_of(const struct unseen_dataset *data, const struct unseen_recipe *recipe,
                                  uint64_t room, struct us_decoding *decoding);

/* Decode a few dozen, spread over the training split, and take the time. */
enum unseen_status us_decoding_measure(const struct unseen_dataset *data, const struct unseen_recipe *recipe,
                                       struct us_decoding *decoding);

#endif
