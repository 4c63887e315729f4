/* Softmax cross-entropy with label smoothing, its gradient, weighted by sample, and a trajectory's quantities.
 *
 * ITEMS work-items take a sample, every ITEMS-th class each: one on CPUs, a work-group on GPUs.
 *
 * All is computed from e_c = exp(z_c - max z), and from sums of e that leave out the largest or the labelled
 * class: a sample that is fitted almost perfectly keeps the digits of its loss and of its gradient.
 *
 * P_TRUE ... CORRECT: the rows of the record (enum unseen_quantity); OBJECTIVE: the row behind them. */
#ifndef P_TRUE
#define P_TRUE    0
#define MARGIN    1
#define EL2N      2
#define ENTROPY   3
#define LOSS      4
#define CORRECT   5
#define OBJECTIVE 6
#endif

#ifndef ITEMS
#define ITEMS 1
#endif
#if ITEMS > 1
#include "group_sum.clh"
#define SAMPLE       GROUP
#define MEMBER       ((int)get_local_id(0))
#define TOTAL(value) sum_down(value, values)
#else
#define SAMPLE       kernel
#define MEMBER       0
#define TOTAL(value) (value)
#endif

struct summary {
    int best;             /* the lowest class with the largest logit */
    float largest, rival; /* the largest logit; the largest but the label's */
};

#if ITEMS > 1

/* Of the classes of two members. */
static struct summary joined(struct summary a, struct summary b)
{
    if (b.largest > a.largest || (b.largest == a.largest && b.best < a.best)) {
        a.largest = b.largest;
        a.best = b.best;
    }
    if (!(b.rival <= a.rival))
        a.rival = b.rival;
    return a;
}

#endif

static struct summary survey(global const float *logits, int classes, int label, local struct summary *all)
{
    struct summary s = {MEMBER, MEMBER < classes ? logits[MEMBER] : -INFINITY, -INFINITY};
    for (int c = MEMBER; c < classes; c += ITEMS) {
        float z = logits[c];
        if (z > s.largest) {
            s.largest = z;
            s.best = c;
        }
        if (c != label && !(z <= s.rival))
            s.rival = z;
    }
#if ITEMS > 1
    all[MEMBER] = s;
    for (int step = ITEMS / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (MEMBER < step)
            all[MEMBER] = joined(all[MEMBER], all[MEMBER + step]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    s = all[0];
#endif
    return s;
}

SAMPLE void loss_run(int n, int over, int classes, float smoothing, global const float *logits,
                     global const int *labels, global const int *rows, global const float *weights,
                     long first_weight, global float *dlogits, global float *record, long stride, long column, global const float *scaling)
{
    local struct summary all[ITEMS];
    local float values[ITEMS];
    const int i = (int)get_global_id(0) / ITEMS;
    if (i >= n)
        return;
    const int label = labels[rows[i]];
    logits += (long)i * classes;
    const struct summary s = survey(logits, classes, label, all);

    const float factor = (scaling ? scaling[0] : 1.0f) * (weights ? weights[first_weight + i] : 1.0f);
    float below = 0.0f, others = 0.0f, squares = 0.0f, distance = 0.0f; /* distance: sum of max z - z_c */
    for (int c = MEMBER; c < classes; c += ITEMS) {
        float d = logits[c] - s.largest, e = exp(d);
        below += c == s.best ? 0.0f : e;
        others += c == label ? 0.0f : e;
        squares += c == label ? 0.0f : e * e;
        distance -= d;
    }
    below = TOTAL(below);
    others = TOTAL(others);
    squares = TOTAL(squares);
    distance = TOTAL(distance);
    const float log_sum = log1p(below), scale = 1.0f / (1.0f + below);
    const float loss = log_sum + (s.largest - logits[label]);
    const float miss = others * scale; /* 1 - p_true */

    float entropy = 0.0f;
    for (int c = MEMBER; c < classes; c += ITEMS) {
        float d = logits[c] - s.largest, p = exp(d) * scale;
        if (p > 0.0f)
            entropy += p * (log_sum - d);
        if (dlogits)
            dlogits[(long)i * classes + c] =
                ((c == label ? smoothing - miss : p) - smoothing / (float)classes) / (float)over * factor;
    }
    entropy = TOTAL(entropy);
    if (MEMBER > 0)
        return;
    record += column + i;
    record[P_TRUE * stride] = exp(logits[label] - s.largest) * scale;
    record[MARGIN * stride] = logits[label] - s.rival;
    record[EL2N * stride] = sqrt(squares * scale * scale + miss * miss);
    record[ENTROPY * stride] = entropy;
    record[LOSS * stride] = loss;
    record[CORRECT * stride] = s.best == label ? 1.0f : 0.0f;
    record[OBJECTIVE * stride] =
        (1.0f - smoothing) * loss + smoothing * (log_sum + distance / (float)classes);
}

/* All of the softmax: row i of `probs`, counted from row `first` on. */
SAMPLE void loss_softmax(int n, int classes, global const float *logits, global float *probs, int first)
{
    local struct summary all[ITEMS];
    local float values[ITEMS];
    const int i = (int)get_global_id(0) / ITEMS;
    if (i >= n)
        return;
    logits += (long)i * classes;
    probs += ((long)first + i) * classes;
    const struct summary s = survey(logits, classes, 0, all);
    float sum = 0.0f;
    for (int c = MEMBER; c < classes; c += ITEMS)
        sum += c == s.best ? 0.0f : exp(logits[c] - s.largest);
    const float scale = 1.0f / (1.0f + TOTAL(sum));
    for (int c = MEMBER; c < classes; c += ITEMS)
        probs[c] = exp(logits[c] - s.largest) * scale;
}
