/* run.json: what a run was made from, for people, for the report, and for --config, which repeats it. */
#ifndef US_NN_RUN_JSON_H
#define US_NN_RUN_JSON_H

#include "base/json.h"
#include "base/option.h"
#include "unseen/dataset.h"
#include "unseen/device.h"

/* A fresh object with program, version, command, device{index,name,platform,driver,version} unless `device`
 * is NULL, devices[their indices] where there are several,
 * data{name,format,hash,n_train,n_test,classes,class_names,...}, and settings{}: the seed and all rows of
 * `table` (NULL: no settings) for the struct `options`. The caller adds what came out and writes it with
 * us_json_save. data.name opens the dataset again. NULL on failure, recorded. */
json_t *us_run_json(const char *command, uint64_t seed, const struct unseen_device *device,
                    const struct unseen_dataset *data, const struct us_option *table, const void *options);

/* Add how the data were read to `settings`: the rows of struct unseen_dataset_options, true_labels only where
 * they were given, for not all commands take them. */
enum unseen_status us_put_reading(json_t *settings, const struct unseen_dataset_options *reading);

#endif
