/* What an audit is worth where the true labels are known. */
#include "config.h"

#include <math.h>
#include <stdbool.h>

#include "unseen/audit.h"

static bool is_wrong(const struct unseen_audit *a, const int32_t *true_labels, int64_t i)
{
    return a->labels[i] != true_labels[i];
}

static double average_precision(const struct unseen_audit *a, const int32_t *true_labels, int64_t wrong)
{
    double sum = 0;
    int64_t found = 0;
    for (int64_t k = 0, end; k < a->ranked; k = end) {
        int64_t here = 0;
        for (end = k; end < a->ranked && a->score[a->suspects[end]] == a->score[a->suspects[k]]; end++)
            here += is_wrong(a, true_labels, a->suspects[end]);
        found += here;
        sum += (double)here * (double)found / (double)end;
    }
    return wrong > 0 ? sum / (double)wrong : NAN;
}

void unseen_audit_judge(const struct unseen_audit *a, const int32_t *true_labels,
                        struct unseen_audit_truth *truth)
{
    struct unseen_audit_truth t = {0};
    for (int64_t k = 0; k < a->ranked; k++) {
        const int64_t i = a->suspects[k];
        const bool wrong = is_wrong(a, true_labels, i), suspect = k < a->count;
        t.wrong += wrong;
        t.found += wrong && suspect;
        t.corrected += wrong && suspect && a->suggested[i] == true_labels[i];
    }
    t.precision = a->count > 0 ? (double)t.found / (double)a->count : NAN;
    t.recall = t.wrong > 0 ? (double)t.found / (double)t.wrong : NAN;
    t.average_precision = average_precision(a, true_labels, t.wrong);
    *truth = t;
}
