#include "config.h"

#include "nn/input.h"

#include "base/status.h"

/* Larger pictures are reduced to the field's 224 pixels; up to 64, where networks begin with a 3x3
 * convolution, they are shifted, as the field does on CIFAR. */
enum { LARGE = 224, SMALL = 64 };

static int auto_size(const struct unseen_dataset *data)
{
    const int shorter = data->height < data->width ? data->height : data->width;
    return shorter > 0 && shorter < LARGE ? shorter : LARGE; /* 0: pictures of many sizes */
}

enum unseen_status us_input_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                               struct us_image_input *input)
{
    enum unseen_crop crop = recipe->crop;
    const int size = recipe->size ? recipe->size : auto_size(data);
    if (crop == UNSEEN_CROP_AUTO)
        crop = size > SMALL ? UNSEEN_CROP_RESIZED : UNSEEN_CROP_PAD;
    *input = (struct us_image_input){.size = size, .resize = size, .resized = crop == UNSEEN_CROP_RESIZED};
    if (recipe->resize)
        input->resize = recipe->resize;
    else if (input->resized)
        input->resize = (size * 256 + 112) / 224;
    if (input->resize < size)
        return us_fail(UNSEEN_USAGE, "--resize", "%d is less than --size, %d", input->resize, size);
    if (us_input_pad(recipe, input) >= size)
        return us_fail(UNSEEN_USAGE, "--pad", "%d is too large for images of %d pixels", recipe->pad, size);
    return UNSEEN_OK;
}

int us_input_pad(const struct unseen_recipe *recipe, const struct us_image_input *input)
{
    return input->resized || recipe->crop == UNSEEN_CROP_NONE ? 0 : recipe->pad;
}
