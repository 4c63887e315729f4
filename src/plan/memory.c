#include "config.h"

#include "plan/memory.h"

#include "nn/outlook.h"
#include "nn/steps.h"

/* Pixels and labels of a split that lie on the device; and *streamed, bytes of an image of one that does not.
 */
static uint64_t split_bytes(struct unseen_device *device, const struct unseen_dataset *data,
                            enum unseen_split split, const struct us_image_input *input, size_t *streamed)
{
    const uint64_t n = (uint64_t)data->split[split].n, limit = us_device_memory(device).limit;
    const size_t each = (size_t)input->size * (size_t)input->size * (size_t)data->channels;
    const bool held = data->reader->pixels[split] && data->height == input->size;
    const bool stays = split == UNSEEN_TRAIN ? held || !input->resized : held;
    const uint64_t labels = us_buf_footprint((size_t)n * sizeof(int32_t));
    if (n == 0)
        return 0;
    if (stays && n * each <= limit / 2)
        return labels + us_buf_footprint((size_t)(n * each));
    *streamed = each;
    return labels;
}

/* Of the largest of a recipe's models. */
static enum unseen_status model_bytes(struct unseen_device *device, const struct unseen_dataset *data,
                                      const struct us_workers_task *task, uint64_t *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    int size[US_SIZES_MOST];
    const int n = us_input_sizes(task->recipe, data, size);
    *bytes = 0;
    for (int i = 0; i < n; i++) {
        struct us_model_spec spec = us_spec_of(task->recipe, data, size[i]);
        uint64_t each = 0;
        spec.batch = us_steps_room_most(task->recipe, task->least);
        us_builds_begin(device);
        st = us_builds_end(device, us_model_memory(device, &spec, &each));
        US_TRY(st);
        *bytes = each > *bytes ? each : *bytes;
    }
out:
    return st;
}

enum unseen_status us_memory_outlook(struct unseen_device *device, const struct unseen_dataset *data,
                                     const struct us_workers_task *task, int at_once, uint64_t *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_image_input input;
    struct us_shape_outlook shape;
    size_t streamed = 0;
    uint64_t model;
    const int size = us_input_size(task->recipe, data, US_EVALUATION);
    const struct us_model_spec spec = us_spec_of(task->recipe, data, size);
    US_TRY(us_input_of(task->recipe, data, size, &input));
    US_TRY(us_shape_outlook(&spec, &shape));
    US_TRY(model_bytes(device, data, task, &model));
    *bytes = split_bytes(device, data, UNSEEN_TRAIN, &input, &streamed) +
             split_bytes(device, data, UNSEEN_TEST, &input, &streamed);
    const struct us_loader_size loader = us_workers_loader(task, data, shape.features);
    *bytes += (uint64_t)at_once * (model + us_loader_bytes_of(&loader, data->classes, streamed));
out:
    return st;
}
