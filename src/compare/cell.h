/* One cell of a comparison: a coreset, a model trained on it, and its test accuracy. */
#ifndef US_COMPARE_CELL_H
#define US_COMPARE_CELL_H

#include "compare/cell_result.h"
#include "compare/sweep.h"
#include "nn/train.h"
#include "plan/work_plan.h"
#include "prune/select_inputs.h"

/* How a row's model trains on m of the dataset's n samples an epoch: `recipe` for the budget, and how often
 * it is tested, so that tests are as many per training image as for all data. */
void us_cell_recipe(const struct unseen_compare_options *options, const struct us_row *row, int64_t n,
                    int64_t m, struct unseen_recipe *recipe, int *test_every);

/* Select and train; images cost `price` in `whole`, which counts us_cell_left. A killed run goes on from its
 * state in the folder, which goes when result.json is there. keep.npy holds the coreset, or all samples where
 * the row chooses none. */
enum unseen_status us_cell_run(const struct unseen_compare_options *options, const struct us_row *row,
                               int seed, struct us_session *session, struct us_progress *whole,
                               const struct us_price *price);

/* What is left of us_cell_run: its models, those that search a cut-off among them. `options->out` NULL: all.
 */
enum unseen_status us_cell_left(const struct unseen_compare_options *options,
                                const struct unseen_dataset *data, const struct us_row *row, int seed,
                                struct us_work *work);

/* Choose the coreset of an incremental row, into the keep.npy of its cell: us_cell_run begins with it. The
 * steps lie in the cell's folder; a killed call goes on. `scoring` is of us_sweep_scoring. */
enum unseen_status us_cell_choose_in_steps(struct unseen_device *device, const struct unseen_dataset *data,
                                           const struct unseen_compare_options *options,
                                           const struct us_row *row, int seed,
                                           const struct unseen_scoring_options *scoring,
                                           struct us_work_plan *plan);

/* Add what is left of that to the plan; `scored`: without the first scoring run, which cells share. */
enum unseen_status us_cell_plan_steps(const struct unseen_compare_options *options, const struct us_row *row,
                                      int seed, const struct unseen_scoring_options *scoring, bool scored,
                                      struct us_work_plan *plan);

/* What can be refused of a row before anything is trained: its selection, its recipe, and of a scored one the
 * scoring runs, which record `record_also`. */
enum unseen_status us_cell_check(const struct unseen_dataset *data,
                                 const struct unseen_compare_options *options, const struct us_row *row,
                                 unsigned record_also);

/* us_select_warn of a row. */
void us_cell_warn(const struct unseen_compare_options *options, const struct us_row *row);

/* Samples that an epoch of its model takes at most, of `n` in all: those of its coreset, if it has one. */
int64_t us_cell_kept(const struct us_row *row, int64_t n);

#endif
