/* How many samples each class or other group may give. */
#ifndef US_SELECT_QUOTAS_H
#define US_SELECT_QUOTAS_H

#include <stdint.h>

#include "base/status.h"
#include "unseen/select.h"

/* quota [groups]: m in proportion to size [groups], whose sum is n >= m, rounded by the largest remainder
 * (the lower group first among equals). Sums to m; no quota exceeds its group. */
enum unseen_status us_proportional_quotas(const int64_t *size, int groups, int64_t n, int64_t m,
                                          int64_t *quota);

/* The same in proportion to weight [groups] (finite, none negative). A group that its share would exceed
 * gives all it has, and the rest goes to the others by their weights; groups of weight 0 give only what the
 * others cannot, in proportion to their sizes. m is at most the sum of sizes. */
enum unseen_status us_weighted_quotas(const int64_t *size, const double *weight, int groups, int64_t m,
                                      int64_t *quota);

/* Weights of classes of size [classes] by options->quota, class_focus and class_error (unseen/select.h).
 * UNSEEN_USAGE if class_focus is out of range or errors are missing. */
enum unseen_status us_class_weights(const int64_t *size, int classes,
                                    const struct unseen_select_options *options, double *weight);

#endif
