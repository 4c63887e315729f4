#include "config.h"

#include "datasets/export_check.h"

enum unseen_status us_check_subset(const struct unseen_dataset *dataset, const struct us_subset *subset)
{
    int64_t total = dataset->split[UNSEEN_TRAIN].n;
    if (subset->n < 1)
        return us_fail(UNSEEN_USAGE, "subset", "holds no samples");
    for (int64_t k = 0; subset->keep && k < subset->n; k++) {
        int64_t i = subset->keep[k];
        if (i < 0 || i >= total)
            return us_fail(UNSEEN_USAGE, "subset", "index %lld is not in 0..%lld, the samples of %s",
                           (long long)i, (long long)total - 1, dataset->location);
        if (k > 0 && i <= subset->keep[k - 1])
            return us_fail(UNSEEN_USAGE, "subset", "index %lld follows %lld: indices must ascend",
                           (long long)i, (long long)subset->keep[k - 1]);
    }
    return UNSEEN_OK;
}
