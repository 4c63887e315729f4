/* Running a rule on each class, and each fold, by itself. */
#ifndef US_SELECT_GROUPS_H
#define US_SELECT_GROUPS_H

#include "select/rule.h"

/* Whether `options` ask for quotas by class. */
bool us_groups_by_class(const struct unseen_select_options *options);

/* Whether `options` divide the samples for a rule with these needs: quotas by class, or folds whose features
 * cannot be compared. */
bool us_has_groups(const struct unseen_select_options *options, int needs);

/* The rule on each group of samples with the group's quota: together exactly in->m. */
enum unseen_status us_select_in_groups(us_rule_function *rule, int needs, const struct us_rule_input *in,
                                       uint64_t *kept);

/* Rows of `width` floats of `items` in fresh memory; NULL from NULL. */
enum unseen_status us_gather_rows(const float *from, int64_t width, const int64_t *items, int64_t n,
                                  const float **rows);

/* quota [classes * folds], where group class * folds + fold holds size[group] samples, as the options ask: a
 * class's share is divided over its folds by their sizes. Sums to m. */
enum unseen_status us_group_quotas(const struct unseen_select_options *options, int classes, int folds,
                                   const int64_t *size, int64_t m, int64_t *quota);

#endif
