/* run.json: what a run was made from, for people and for the report. */
#ifndef US_NN_RUN_JSON_H
#define US_NN_RUN_JSON_H

#include "base/json.h"
#include "unseen/train.h"

/* A fresh object with program, version, command, seed, device{index,name,platform,driver,version} unless
 * `device` is NULL,
 * devices[their indices] where there are several, and
 * data{name,format,hash,n_train,n_test,classes,class_names,...}; the caller adds what is its own and writes
 * it with us_json_save. data.name opens the dataset again. NULL on failure, recorded. */
json_t *us_run_json(const char *command, uint64_t seed, const struct unseen_device *device,
                    const struct unseen_dataset *data);

/* Add a recipe's fields: model, width, epochs, stop_after, batch, lr, ... */
enum unseen_status us_run_json_recipe(json_t *run, const struct unseen_recipe *recipe);

#endif
