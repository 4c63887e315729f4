#include "config.h"

#include <math.h>
#include <stdio.h>

#include "nn/models.h"
#include "nn/train.h"

void unseen_recipe_defaults(struct unseen_recipe *recipe)
{
    *recipe = (struct unseen_recipe){.model = "resnet18",
                                     .width = 64,
                                     .epochs = 200,
                                     .batch = 128,
                                     .lr = 0.1f,
                                     .momentum = 0.9f,
                                     .weight_decay = 5e-4f,
                                     .nesterov = 1,
                                     .schedule = UNSEEN_COSINE,
                                     .pad = 4,
                                     .flip = 1};
}

static enum unseen_status check_int(const char *option, int value, int low, int high)
{
    if (value < low || value > high)
        return us_fail(UNSEEN_USAGE, option, "%d is not in %d..%d", value, low, high);
    return UNSEEN_OK;
}

/* low <= value <= high; a NaN fails. */
static enum unseen_status check_real(const char *option, float value, float low, float high)
{
    if (!(value >= low && value <= high))
        return us_fail(UNSEEN_USAGE, option, "%g is not in %g..%g", (double)value, (double)low, (double)high);
    return UNSEEN_OK;
}

enum unseen_status unseen_recipe_check(const struct unseen_recipe *recipe)
{
    enum unseen_status st = UNSEEN_OK;
    us_builder *builder;
    US_TRY(us_builder_find(recipe->model, &builder));
    US_TRY(check_int("--width", recipe->width, 1, 1024));
    US_TRY(check_int("--precision", (int)recipe->precision, UNSEEN_FLOAT32, UNSEEN_PRECISIONS - 1));
    US_TRY(check_int("--epochs", recipe->epochs, 1, 100000));
    US_TRY(check_int("--stop-after", recipe->stop_after, 0, recipe->epochs));
    US_TRY(check_int("--batch", recipe->batch, 1, 65536));
    US_TRY(check_real("--lr", recipe->lr, 0.0f, 1000.0f));
    US_TRY(check_real("--momentum", recipe->momentum, 0.0f, 0.9999f));
    US_TRY(check_real("--weight-decay", recipe->weight_decay, 0.0f, 10.0f));
    US_TRY(check_real("--label-smoothing", recipe->label_smoothing, 0.0f, 0.99f));
    US_TRY(check_real("--warmup", recipe->warmup, 0.0f, (float)recipe->epochs));
    US_TRY(check_int("--pad", recipe->pad, 0, 64));
    if (recipe->nesterov && recipe->momentum == 0.0f) {
        us_fail(UNSEEN_USAGE, "--nesterov", "Nesterov's step needs momentum");
        us_hint("give --no-nesterov with --momentum 0");
        return UNSEEN_USAGE;
    }
    if (recipe->schedule != UNSEEN_COSINE && recipe->schedule != UNSEEN_ONECYCLE)
        return us_fail(UNSEEN_USAGE, "--schedule", "%d is no schedule", (int)recipe->schedule);
    if (recipe->schedule == UNSEEN_ONECYCLE && recipe->warmup > 0.0f)
        return us_fail(UNSEEN_USAGE, "--warmup", "the one-cycle schedule has a warm-up of its own");
out:
    return st;
}

int us_recipe_epochs(const struct unseen_recipe *recipe)
{
    return recipe->stop_after ? recipe->stop_after : recipe->epochs;
}
