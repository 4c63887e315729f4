/* The table of a comparison. */
#ifndef US_COMPARE_COMPARISON_H
#define US_COMPARE_COMPARISON_H

#include "compare/sweep.h"
#include "plan/work_plan.h"

/* table [sweep->n] from the results in the cells' folders, of which every one is done, and from what the
 * scoring runs took. Warns of results that do not tell classes apart. */
enum unseen_status us_comparison_gather(const struct unseen_compare_options *options,
                                        const struct unseen_dataset *data, const struct us_sweep *sweep,
                                        struct unseen_comparison *table);

/* out/table.csv, out/table.md and out/run.json (with "comparison", an array of the rows). */
enum unseen_status us_comparison_write(const struct unseen_compare_options *options,
                                       const struct unseen_device *device, const struct unseen_dataset *data,
                                       const struct us_work_plan *plan, const struct unseen_comparison *table,
                                       int n);

/* A row's name without its keep ratio: "el2n fold ccs", "random", "full". Returns `text`. */
char *us_comparison_name(const struct unseen_comparison *row, char text[160]);

#endif
