#include "config.h"

#include "plan/speed.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "nn/outlook.h"
#include "nn/session.h"
#include "plan/dummy.h"
#include "plan/speed_file.h"

/* Of the rule of thumb. */
static const double flops_a_clock[] = {[false] = 8, [true] = 2}, launch = 20e-6;

/* Seconds of a trial: of training, and of evaluation. */
static const double trial_seconds[] = {[true] = 1, [false] = 0.4};

/* A checkpoint is written at so many bytes a second at least. */
static const double written = 4e8;

enum { BATCHES = 4 }; /* of images of noise */

/* Decoders and a CPU device have the same cores. */
static double beside(const struct unseen_device *device, double computing, double decoding)
{
    const bool shared = unseen_device_info(device)->type == UNSEEN_DEVICE_CPU;
    return shared ? computing + decoding : fmax(computing, decoding);
}

/* Models at once on a device at most, and whether it is tried how many pay. */
static int most_at_once(const struct us_workers_task *task, int devices, bool *tried)
{
    const int each = (task->models + devices - 1) / devices;
    const int most = task->wanted ? task->wanted : US_WORKERS_MOST;
    *tried = !task->wanted && each > 1;
    return each > 1 && most > 1 ? (each < most ? each : most) : 1;
}

bool us_speed_serves(const struct us_speed *speed, const struct us_workers_task *task, int devices)
{
    const struct unseen_recipe *a = &speed->recipe, *b = task->recipe;
    bool tried;
    const int most = most_at_once(task, devices, &tried);
    return strcmp(a->model, b->model) == 0 && a->width == b->width && a->precision == b->precision &&
           a->batch == b->batch && a->accumulate == b->accumulate && a->recompute == b->recompute &&
           a->size[0] == b->size[0] && a->size[1] == b->size[1] && a->test_size == b->test_size &&
           a->resize == b->resize && a->crop == b->crop && a->cache == b->cache && speed->tried == tried &&
           speed->most == most;
}

/* ---- sizes ---- */

/* The largest size that models train on: what they are timed with. */
static int timed_size(const struct unseen_recipe *recipe, const struct unseen_dataset *data)
{
    int most = 0;
    for (int epoch = 0; epoch < us_recipe_epochs(recipe); epoch++) {
        const int size = us_input_size(recipe, data, epoch);
        most = size > most ? size : most;
    }
    return most;
}

static enum unseen_status shape_at(const struct unseen_recipe *recipe, const struct unseen_dataset *data,
                                   int size, struct us_shape_outlook *shape)
{
    const struct us_model_spec spec = us_spec_of(recipe, data, size);
    return us_shape_outlook(&spec, shape);
}

/* From seconds of an image of the timed size to those of an image of the recipe, whose sizes may change. */
static enum unseen_status set_price(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_timed *timed, struct us_speed *speed,
                                    struct us_price *price)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_recipe *recipe = &speed->recipe;
    const struct us_decoding *d = &speed->decoding;
    const int epochs = us_recipe_epochs(recipe);
    struct us_shape_outlook full, shape;
    double flops = 0;
    int size = 0;
    US_TRY(shape_at(recipe, data, timed_size(recipe, data), &full));
    for (int epoch = 0; epoch < epochs; epoch++) {
        const int next = us_input_size(recipe, data, epoch);
        if (next != size)
            US_TRY(shape_at(recipe, data, size = next, &shape));
        flops += shape.flops / epochs;
    }
    US_TRY(shape_at(recipe, data, us_input_size(recipe, data, US_EVALUATION), &shape));
    price->trained = timed->trained * flops / full.flops;
    price->evaluated = timed->evaluated * shape.flops / full.flops;
    /* Alone, an image leaves most of a device idle. */
    price->gradients = 3 * shape.nodes * launch + 3 * price->evaluated;
    /* Models that train side by side share what they decode of random parts. */
    if (d->trains)
        price->trained = beside(device, price->trained, d->seconds / timed->at_once);
    if (d->evaluates)
        price->evaluated = beside(device, price->evaluated, d->seconds);
out:
    return st;
}

/* ---- the rule of thumb ---- */

enum unseen_status us_speed_by_rule(const struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_workers_task *task, struct us_speed *speed)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_device_info *info = unseen_device_info(device);
    struct us_shape_outlook shape;
    *speed = (struct us_speed){.recipe = *task->recipe, .at_once = us_device_count(device)};
    speed->most = most_at_once(task, us_device_count(device), &speed->tried);
    const uint64_t room = us_device_memory(device).limit / 2;
    US_TRY(us_decoding_of(data, task->recipe, room, &speed->decoding));
    US_TRY(shape_at(task->recipe, data, timed_size(task->recipe, data), &shape));
    const double rate = flops_a_clock[info->type == UNSEEN_DEVICE_CPU] * info->compute_units *
                        (info->clock_mhz ? info->clock_mhz : 1000) * 1e6 * us_device_count(device);
    const double forward = shape.flops / rate + shape.nodes * launch / us_recipe_part(task->recipe);
    const struct us_timed timed = {3 * forward, forward, speed->at_once};
    US_TRY(set_price(device, data, &timed, speed, &speed->rule));
    speed->price = speed->rule;
    speed->epoch = (double)shape.state * sizeof(float) / written;
out:
    return st;
}

/* ---- measuring ---- */

/* What a measurement depends on beside the device; NULL (recorded) on failure. Kernels are built. */
static char *key_of(struct unseen_device *device, const struct unseen_dataset *data,
                    const struct us_workers_task *task)
{
    const struct unseen_recipe *recipe = task->recipe;
    const int size = timed_size(recipe, data);
    const int devices = us_device_count(device);
    struct us_model_spec spec = us_spec_of(recipe, data, size);
    struct us_outlook outlook;
    bool tried;
    const int most = most_at_once(task, devices, &tried);
    spec.evaluates = false;
    us_builds_begin(device);
    if (us_builds_end(device, us_model_outlook(device, &spec, &outlook)))
        return NULL;
    return us_format("%s of width %d, %d x %d pixels of %d, %d classes, batch %d in %d, %s%s, %s%d at once "
                     "on each of %d, convolutions %016" PRIx64,
                     recipe->model, recipe->width, size, size, data->channels, data->classes, recipe->batch,
                     recipe->accumulate, unseen_precision_name(recipe->precision),
                     recipe->recompute ? ", recompute" : "", tried ? "up to " : "", most, devices,
                     outlook.algorithms);
}

static enum unseen_status use(const struct unseen_device *device, const struct unseen_dataset *data,
                              const struct us_timed *timed, struct us_speed *speed)
{
    enum unseen_status st = UNSEEN_OK;
    if (speed->decoding.trains || speed->decoding.evaluates || speed->decoding.once)
        US_TRY(us_decoding_measure(data, &speed->recipe, &speed->decoding));
    speed->at_once = timed->at_once;
    speed->measured = true;
    US_TRY(set_price(device, data, timed, speed, &speed->price));
out:
    return st;
}

enum unseen_status us_speed_look(struct unseen_device *device, const struct unseen_dataset *data,
                                 const struct us_workers_task *task, struct us_speed *speed)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_timed timed;
    char *key = key_of(device, data, task);
    US_TRY_ALLOC(key);
    if (us_speed_file_find(unseen_device_info(device), key, &timed))
        US_TRY(use(device, data, &timed, speed));
out:
    free(key);
    return st;
}

static enum unseen_status pass(void *context, int i, struct us_session *session)
{
    (void)i;
    return us_trial_pass(session, context);
}

static enum unseen_status run_trial(struct us_workers *workers, int64_t steps, bool training, double *seconds)
{
    struct us_trial trial = us_workers_trial(workers, steps, training);
    const double start = us_seconds();
    const enum unseen_status st = us_workers_run(workers, us_workers_size(workers), pass, &trial);
    *seconds = us_seconds() - start;
    return st;
}

/* Seconds of an image: the first step compiles, the second tells how many there is time for. */
static enum unseen_status time_images(struct us_workers *workers, int batch, bool training, double *image)
{
    enum unseen_status st = UNSEEN_OK;
    double seconds;
    US_TRY(run_trial(workers, 1, training, &seconds));
    US_TRY(run_trial(workers, 1, training, &seconds));
    const int64_t steps = (int64_t)fmin(fmax(trial_seconds[training] / seconds, 1), 2000);
    US_TRY(run_trial(workers, steps, training, &seconds));
    *image = seconds / (double)(steps * batch) / us_workers_size(workers);
out:
    return st;
}

/* The recipe for images that are of the size that is timed as they are. */
static struct unseen_recipe plain_recipe(const struct unseen_recipe *recipe, int size)
{
    struct unseen_recipe plain = *recipe;
    plain.size[0] = plain.size[1] = plain.test_size = plain.resize = size;
    plain.crop = plain.pad ? UNSEEN_CROP_PAD : UNSEEN_CROP_NONE;
    return plain;
}

enum unseen_status us_speed_measure(struct unseen_device *device, const struct unseen_dataset *data,
                                    const struct us_workers_task *task, struct us_speed *speed)
{
    enum unseen_status st = UNSEEN_OK;
    const int size = timed_size(task->recipe, data);
    const struct unseen_recipe recipe = plain_recipe(task->recipe, size);
    struct us_workers_task plain = *task;
    struct unseen_dataset *dummy = NULL;
    struct us_workers *workers = NULL;
    struct us_timed timed;
    char *key = key_of(device, data, task);
    plain.recipe = &recipe;
    plain.gradients = false;
    US_TRY_ALLOC(key);
    US_TRY(us_dummy_new(data, size, (int64_t)BATCHES * recipe.batch, &dummy));
    US_TRY(us_workers_new(device, dummy, &plain, &workers));
    timed.at_once = us_workers_size(workers);
    US_TRY(time_images(workers, recipe.batch, true, &timed.trained));
    US_TRY(time_images(workers, recipe.batch, false, &timed.evaluated));
    us_speed_file_keep(unseen_device_info(device), key, &timed);
    US_TRY(use(device, data, &timed, speed));
    us_log(UNSEEN_LOG_DEBUG, "timed %s", key);
out:
    us_workers_free(workers);
    us_dummy_free(dummy);
    free(key);
    return st;
}

double us_speed_seconds(const struct us_speed *speed, const struct us_price *price,
                        const struct us_work *work, int devices)
{
    const int64_t models = work->models, rounds = (models + devices - 1) / devices;
    const double idle = models > 0 ? (double)(rounds * devices) / (double)models : 1;
    return us_work_amount(work, price).cost * idle + (double)work->epochs * speed->epoch / speed->at_once +
           (double)speed->decoding.once * speed->decoding.seconds;
}
