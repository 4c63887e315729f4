/* The hard cut-off of coverage-centric selection: the hardest samples, mislabelled ones among them, go first.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "select/ranking.h"

/* Keep ratio and cut-off, ascending; the last one's is the cut-off of all ratios above. */
enum { ROWS = 6 };
static const double tables[][ROWS][2] = {
    [UNSEEN_TABLE_CIFAR10] = {{0.1, 0.3}, {0.2, 0.1}, {0.3, 0.1}, {0.5, 0}, {0.7, 0}, {1, 0}},
    [UNSEEN_TABLE_CIFAR100] = {{0.1, 0.5}, {0.2, 0.4}, {0.3, 0.2}, {0.5, 0.2}, {0.7, 0.1}, {1, 0}},
    [UNSEEN_TABLE_IMAGENET] = {{0.1, 0.3}, {0.2, 0.2}, {0.3, 0.2}, {0.5, 0.1}, {0.7, 0}, {1, 0}},
};

enum unseen_select_table us_known_table(enum unseen_select_table table)
{
    return table == UNSEEN_TABLE_AUTO ? UNSEEN_TABLE_CIFAR10 : table;
}

double us_ccs_cutoff(enum unseen_select_table table, double keep)
{
    const double(*row)[2] = tables[us_known_table(table)];
    if (keep <= row[0][0])
        return row[0][1];
    for (int i = 1; i < ROWS; i++) {
        const double *low = row[i - 1], *high = row[i];
        if (keep <= high[0])
            return high[1] + (low[1] - high[1]) * (high[0] - keep) / (high[0] - low[0]);
    }
    return row[ROWS - 1][1];
}

double us_cutoff(const struct unseen_select_options *o)
{
    if (o->cutoff >= 0)
        return o->cutoff;
    double published = us_ccs_cutoff(o->table, o->keep);
    return o->cutoff > UNSEEN_CUTOFF_AUTO ? published : o->noise_rate + (1 - o->noise_rate) * published;
}

int64_t us_count_after_cutoff(const struct unseen_select_options *o, int64_t n, int64_t m)
{
    /* The ratio times n may fall just short of the whole number that is meant. */
    int64_t left = n - (int64_t)(us_cutoff(o) * (double)n + 1e-6);
    return left < m ? m : left; /* the ratio to keep goes before the cut */
}

enum unseen_status us_cut_hardest(const struct us_rule_input *in, struct us_limit *limit)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_view view = {.in = in, .key = US_KEY_LOW_HARDNESS};
    int64_t *left = us_calloc((size_t)in->groups, sizeof *left);
    US_TRY_ALLOC(left);
    for (int g = 0; g < in->groups; g++)
        left[g] = us_count_after_cutoff(in->options, in->size[g], in->quota[g]);
    US_TRY(us_find_limits(&view, left, limit));
out:
    free(left);
    return st;
}
