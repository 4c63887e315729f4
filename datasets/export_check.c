#include "config.h"

#include "datasets/export_check.h"

#include "base/usable.h"

static enum unseen_status check(const struct unseen_dataset *dataset, const struct us_subset *subset)
{
    int64_t total = dataset->split[UNSEEN_TRAIN].n;
    if (subset->n < 1)
        return us_fail(UNSEEN_USAGE, "subset", "holds no samples");
    for (int64_t k = 0; subset->keep && k < subset->n; k++) {
        int64_t i = subset->keep[k];
        if (i < 0 || i >= total)
            return us_fail(UNSEEN_USAGE, "subset", "index %lld is not in 0..%lld, the samples of %s",
                           (long long)i, (long long)total - 1, dataset->location);
        if (!us_is_usable(&dataset->split[UNSEEN_TRAIN], i))
            return us_fail(UNSEEN_USAGE, "subset",
                           "sample %lld is a bad image, which --on-bad skip leaves out", (long long)i);
        if (k > 0 && i <= subset->keep[k - 1])
            return us_fail(UNSEEN_USAGE, "subset", "index %lld follows %lld: indices must ascend",
                           (long long)i, (long long)subset->keep[k - 1]);
    }
    return UNSEEN_OK;
}

enum unseen_status us_subset_of(const struct unseen_dataset *dataset, const int64_t *keep, int64_t n,
                                struct us_subset *subset, int64_t **usable)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    *subset = (struct us_subset){keep, keep ? n : us_usable(train)};
    if (!keep && train->skipped) {
        if (!(*usable = us_calloc((size_t)subset->n, sizeof **usable)))
            return UNSEEN_FAILED;
        us_list_usable(train, subset->n, *usable);
        subset->keep = *usable;
    }
    return check(dataset, subset);
}
