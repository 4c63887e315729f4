/* What must be the same for a stopped training run to go on. */
#ifndef US_NN_SETTINGS_H
#define US_NN_SETTINGS_H

#include "nn/train.h"

/* FNV-1a over `bytes` bytes taken as 32-bit words (a rest of fewer than four is filled with zeros), going on
 * from `sum`; begin with US_HASH_START. Not cryptographic: it finds accidents. */
#define US_HASH_START UINT64_C(14695981039346656037)
uint64_t us_hash(uint64_t sum, const void *data, size_t bytes);

/* "key value" lines: recipe (but for stop_after, so that a run can be prolonged), seed, samples, data, device
 * and the algorithms that `model`, of this recipe, uses there: they differ in rounding. Fresh memory; NULL on
 * failure, recorded. */
char *us_settings_text(const struct unseen_device *device, const struct unseen_dataset *data,
                       const struct us_train_job *job, const struct us_model *model);

#endif
