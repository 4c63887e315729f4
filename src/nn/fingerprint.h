/* What must be the same for a stopped training run to go on. */
#ifndef US_NN_FINGERPRINT_H
#define US_NN_FINGERPRINT_H

#include "nn/train.h"

/* Of the file with the weights that a run starts from, 0 for NULL: a hash of its content. */
enum unseen_status us_init_hash(const char *path, uint64_t *sum);

/* Go on with a hash, begun with US_HASH_START, of the algorithms that the models of a recipe use: one for
 * each size of images. */
uint64_t us_algorithms_hash(uint64_t sum, const struct us_model *model);

/* "key value" lines: recipe (but for stop_after, so that a run can be prolonged), sampler, seed, samples,
 * data, device and the algorithms that models of this recipe use there (us_algorithms_hash): they differ in
 * rounding. Fresh memory; NULL on failure, recorded. */
char *us_fingerprint(const struct unseen_device *device, const struct unseen_dataset *data,
                     const struct us_train_job *job, uint64_t algorithms);

/* "unseen VERSION, PLATFORM, DEVICE, driver DRIVER, convolutions HASH": what the bits of a training run
 * depend on beside its settings. The hash is us_algorithms_hash. Fresh memory; NULL on
 * failure, recorded. */
char *us_made_by(const struct unseen_device *device, uint64_t algorithms);

#endif
