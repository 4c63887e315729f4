/* What models of a recipe take of a dataset's pictures. */
#ifndef US_NN_INPUT_H
#define US_NN_INPUT_H

#include <stdbool.h>

#include "loader/crop.h"
#include "unseen/train.h"

enum {
    US_EVALUATION = -1, /* in place of an epoch: whatever the epoch, in evaluation */
    US_SMALL_SIZE = 64, /* pixels, up to which networks begin with a 3x3 convolution and crops are shifted, as
                           the field does on CIFAR */
    US_SIZE_STEP = 32,  /* that a size grows by */
    US_SIZES_MOST = 33, /* of a recipe: from 8 to 1024 pixels in such steps, and evaluation's */
};

/* Height and width of what the model takes in training in that epoch (unseen_recipe.size has the formula), or
 * in evaluation. */
int us_input_size(const struct unseen_recipe *recipe, const struct unseen_dataset *data, int epoch);

/* All of them, once each: evaluation's, then the others in ascending order. Returns their number. */
int us_input_sizes(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                   int size[US_SIZES_MOST]);

/* Whether any training epoch takes this size. */
bool us_input_trains(const struct unseen_recipe *recipe, const struct unseen_dataset *data, int size);

/* Images of one of these sizes with every "auto" decided. UNSEEN_USAGE, naming the option, for what does not
 * go together. */
enum unseen_status us_input_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                               int size, struct us_image_input *input);

/* Pixels that a training image is shifted by at most. */
int us_input_pad(const struct unseen_recipe *recipe, const struct us_image_input *input);

#endif
