/* What models of a recipe take of a dataset's pictures. */
#ifndef US_NN_INPUT_H
#define US_NN_INPUT_H

#include "loader/crop.h"
#include "unseen/train.h"

/* Sizes and crops with every "auto" decided. UNSEEN_USAGE, naming the option, for what does not go together.
 */
enum unseen_status us_input_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                               struct us_image_input *input);

/* Pixels that a training image is shifted by at most. */
int us_input_pad(const struct unseen_recipe *recipe, const struct us_image_input *input);

#endif
