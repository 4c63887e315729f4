/* What a selection looks at, from one trajectory: scores, and whatever else a rule needs. */
#ifndef US_PRUNE_SELECT_INPUTS_H
#define US_PRUNE_SELECT_INPUTS_H

#include "base/npy.h"
#include "unseen/dataset.h"
#include "unseen/score.h"
#include "unseen/select.h"

struct us_select_inputs {
    int64_t n;
    int classes;
    float *scores;   /* [n] by the metric; NULL if none was asked for */
    float *hardness; /* [n] what is cut by; NULL: the scores */
    /* What was asked for by US_SELECT_INPUTS_ bits, of the first options->length epochs; else NULL or 0. */
    float *p_true;       /* [n] mean over repeats and epochs; NULL too where that was not recorded */
    double *class_error; /* [classes] share of wrong predictions in the last third of the epochs; NULL too
                            where it was not recorded */
    double noise_rate;   /* unseen_noise_rate */
    struct us_npy features;
    const float *rows; /* [n, dimension] of the first repeat; NULL if the folder has none */
    int64_t dimension;
    uint8_t *fold;    /* [n] of the first repeat; NULL when seen */
    uint8_t *skipped; /* [n] 1: no candidate; NULL: all are */
};

/* What can be read besides scores. */
enum {
    US_SELECT_INPUTS_P_TRUE = 1,
    US_SELECT_INPUTS_CLASS_ERROR = 2,
    US_SELECT_INPUTS_NOISE_RATE = 4,
    US_SELECT_INPUTS_FEATURES = 8,
};

/* The bits of what unseen_select looks at for `rule` with these options. */
unsigned us_select_inputs_of(const char *rule, const struct unseen_select_options *select);

/* Cut by what tells wrong labels best: "unseen-confidence" where models that never saw a sample score it,
 * else "aum". */
#define US_SELECT_INPUTS_CUT "auto"

/* Read the trajectory in `folder` (beside it `features.npy`, float32 [N, D] or [repeats, N, D]), score it by
 * `metric` (NULL: not at all) and by `cut` (NULL or "score": cut by the scores; or "auto"), and gather what
 * `parts` asks for. Take it down with us_select_inputs_end, also after a failure. */
enum unseen_status us_select_inputs_read(const char *folder, const char *metric,
                                         const struct unseen_score_options *options, const char *cut,
                                         unsigned parts, struct us_select_inputs *inputs);
void us_select_inputs_end(struct us_select_inputs *inputs);

/* Add what has to be recorded on demand for it, and for `rule`, to the bits of `record_also`. UNSEEN_USAGE if
 * metric or cut make no sense for trajectories of the protocol. */
enum unseen_status us_select_inputs_needs(const char *metric, const char *cut, const char *rule,
                                          enum unseen_protocol protocol, unsigned *record_also);

/* What is recorded for `rule` too where a run begins: the share of wrong labels is better judged by class. */
unsigned us_select_inputs_wants(const char *rule);

/* UNSEEN_USAGE if runs that record so many epochs cannot serve metric or cut; `in_steps`: runs of an
 * incremental selection, which have no seen side. */
enum unseen_status us_select_inputs_check(const char *metric, const struct unseen_score_options *options,
                                          const char *cut, int epochs, bool in_steps);

/* What select->table "auto" stands for with a dataset. */
US_SHARED void us_select_inputs_table(const struct unseen_dataset *data,
                                      struct unseen_select_options *select);

/* The same by the dataset's format; without one (NULL) a hundred classes are taken for CIFAR-100's. */
void us_select_inputs_table_of(const char *format, int classes, struct unseen_select_options *select);

/* features.npy of another place, of n samples. */
enum unseen_status us_select_inputs_features(const char *path, int64_t n, struct us_select_inputs *inputs);

/* Point `select` at the arrays. */
void us_select_inputs_apply(const struct us_select_inputs *inputs, struct unseen_select_options *select);

#endif
