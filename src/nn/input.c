#include "config.h"

#include "nn/input.h"

#include "base/status.h"

/* Larger pictures are reduced to the field's 224 pixels. */
enum { LARGE = 224 };

static int auto_size(const struct unseen_dataset *data)
{
    const int shorter = data->height < data->width ? data->height : data->width;
    return shorter > 0 && shorter < LARGE ? shorter : LARGE; /* 0: pictures of many sizes */
}

/* Steps up from the first size, of `most`, that an epoch takes. */
static int steps_up(const struct unseen_recipe *recipe, int most, int epoch)
{
    const int start = recipe->epochs * 37 / 50, length = recipe->epochs / 8;
    if (epoch >= start + length)
        return most;
    return epoch <= start ? 0 : (2 * most * (epoch - start) + length) / (2 * length);
}

int us_input_size(const struct unseen_recipe *recipe, const struct unseen_dataset *data, int epoch)
{
    const int first = recipe->size[0] ? recipe->size[0] : auto_size(data);
    const int last = recipe->size[1] ? recipe->size[1] : first;
    if (epoch == US_EVALUATION)
        return recipe->test_size ? recipe->test_size : last;
    return first + US_SIZE_STEP * steps_up(recipe, (last - first) / US_SIZE_STEP, epoch);
}

int us_input_sizes(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                   int size[US_SIZES_MOST])
{
    int n = 1, before = 0;
    size[0] = us_input_size(recipe, data, US_EVALUATION);
    for (int epoch = 0; epoch < recipe->epochs && n < US_SIZES_MOST; epoch++) {
        const int next = us_input_size(recipe, data, epoch);
        if (next != before && next != size[0])
            size[n++] = next;
        before = next;
    }
    return n;
}

bool us_input_trains(const struct unseen_recipe *recipe, const struct unseen_dataset *data, int size)
{
    bool trains = false;
    for (int epoch = 0; epoch < recipe->epochs && !trains; epoch++)
        trains = us_input_size(recipe, data, epoch) == size;
    return trains;
}

enum unseen_status us_input_of(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                               int size, struct us_image_input *input)
{
    const int test = us_input_size(recipe, data, US_EVALUATION);
    const int last = us_input_size(recipe, data, recipe->epochs - 1);
    enum unseen_crop crop = recipe->crop;
    if (crop == UNSEEN_CROP_AUTO)
        crop = last > US_SMALL_SIZE ? UNSEEN_CROP_RESIZED : UNSEEN_CROP_PAD;
    *input = (struct us_image_input){.size = size, .resize = size, .resized = crop == UNSEEN_CROP_RESIZED};
    if (recipe->resize)
        input->resize = (2 * recipe->resize * size + test) / (2 * test);
    else if (input->resized)
        input->resize = (size * 256 + 112) / 224;
    if (input->resize < size)
        return us_fail(UNSEEN_USAGE, "--resize", "%d is less than --%s, %d", recipe->resize,
                       recipe->test_size ? "test-size" : "size", test);
    if (us_input_pad(recipe, input) >= size)
        return us_fail(UNSEEN_USAGE, "--pad", "%d is too large for images of %d pixels", recipe->pad, size);
    return UNSEEN_OK;
}

int us_input_pad(const struct unseen_recipe *recipe, const struct us_image_input *input)
{
    return input->resized || recipe->crop == UNSEEN_CROP_NONE ? 0 : recipe->pad;
}
