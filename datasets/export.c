#include "config.h"

#include "base/fs.h"
#include "datasets/format.h"

static enum unseen_status check_subset(const struct unseen_dataset *dataset, const struct us_subset *subset)
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

enum unseen_status unseen_dataset_export(const struct unseen_dataset *dataset, const int64_t *keep, int64_t n,
                                         const char *format, const char *out)
{
    struct us_subset subset = {keep, keep ? n : dataset->split[UNSEEN_TRAIN].n};
    const struct us_format *target = us_format_find(format ? format : dataset->format);
    if (!target) {
        us_fail(UNSEEN_USAGE, "format", "there is no dataset format '%s'", format);
        us_hint("cifar10, cifar100 and imagefolder can be written");
        return UNSEEN_USAGE;
    }
    enum unseen_status st = check_subset(dataset, &subset);
    if (st == UNSEEN_OK)
        st = us_make_folder(out);
    return st == UNSEEN_OK ? target->write(dataset, &subset, out) : st;
}
