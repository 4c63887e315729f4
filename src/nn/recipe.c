#include "config.h"

#include <stdio.h>
#include <string.h>

#include "nn/input.h"
#include "nn/models.h"
#include "nn/sampler.h"
#include "nn/train.h"

#define AT(member) US_AT(struct unseen_recipe, member)

const struct us_option us_recipe_options[] = {
    {"recipe", US_NAME, AT(name), .standard = "paper", .words = "auto", .value = "NAME",
     .flags = US_NO_IDENTITY,
     .help = "settings of training that are known to be good: of all options below that have no default; any "
             "may be given, too; auto: fast if models take images of up to 64 pixels, else imagenet",
     .known = unseen_recipe_name, .fills = us_recipe_find, .settles = us_recipe_auto},
    {"model", US_NAME, AT(model), .standard = "resnet18", .value = "NAME", .help = "which network",
     .known = unseen_model_name},
    {"width", US_INT, AT(width), .standard = "64", .low = 1, .high = 1024, .value = "W",
     .help = "channels of the first stage"},
    {"precision", US_CHOICE, AT(precision), .standard = "float32", .value = "float32|bf16|f16|tf32",
     .former_word = "f32", .help = "what convolutions multiply"},
    {"epochs", US_INT, AT(epochs), .standard = "200", .low = 1, .high = 100000, .value = "E",
     .help = "length of the schedule"},
    {"stop-after", US_INT, AT(stop_after), .standard = "all", .low = 1, .high = 100000, .words = "all",
     .value = "T", .unit = "epochs", .help = "how much of the schedule to run", .flags = US_PROLONGS},
    {"batch", US_INT, AT(batch), .standard = "128", .low = 1, .high = 65536, .value = "B", .unit = "samples",
     .help = "samples a step"},
    {"last-batch", US_CHOICE, AT(last_batch), .standard = "keep", .value = "keep|spread",
     .help =
         "steps of an epoch whose samples are no whole number of batches: a smaller last one; all of almost "
         "one size, somewhat above --batch, so that the number of steps is in proportion to the samples"},
    {"accumulate", US_INT, AT(accumulate), .standard = "1", .low = 1, .high = 65536, .value = "N",
     .help = "parts of a batch whose gradients are added up: less memory; batch norm is by part"},
    {"recompute", US_BOOL, AT(recompute), .standard = "false", .flags = US_NO_IDENTITY,
     .help = "compute activations again on the way back: much less memory, a third slower"},
    {"loss", US_CHOICE, AT(loss), .standard = "mean", .value = "mean|sum",
     .help = "over the samples of a step; sum: --lr is that of one sample, whatever --batch is"},
    {"lr", US_FLOAT, AT(lr), .standard = "0.1", .low = 0, .high = 1000, .value = "X",
     .help = "peak learning rate"},
    {"bias-lr", US_FLOAT, AT(bias_lr), .standard = "1", .low = 0, .high = 1e6, .value = "X",
     .flags = US_ABOVE_LOW, .help = "that of batch norm's shifts, times --lr; they decay no faster"},
    {"momentum", US_FLOAT, AT(momentum), .standard = "0.9", .low = 0, .high = 0.9999, .value = "X",
     .help = "of SGD"},
    {"nesterov", US_BOOL, AT(nesterov), .standard = "true", .help = "Nesterov's form of momentum"},
    {"weight-decay", US_FLOAT, AT(weight_decay), .standard = "5e-4", .low = 0, .high = 10, .value = "X",
     .help = "L2 penalty on the weights, in the gradient"},
    {"decay-form", US_CHOICE, AT(decay_form), .standard = "coupled", .value = "coupled|decoupled",
     .help = "how --weight-decay enters the gradient: as it is; divided by --lr, so that steps take the same "
             "off the weights whatever --lr is"},
    {"decay-all", US_BOOL, AT(decay_all), .standard = "true",
     .help = "weight decay of biases and of batch norm, too"},
    {"label-smoothing", US_FLOAT, AT(label_smoothing), .standard = "0", .low = 0, .high = 0.99, .value = "X",
     .help = "share of the target spread over all classes"},
    {"lookahead", US_BOOL, AT(lookahead), .standard = "false",
     .help = "average the weights: they join their average every 5 steps, and become it in the end"},
    {"schedule", US_CHOICE, AT(schedule), .standard = "cosine", .value = "cosine|onecycle|linear",
     .help = "learning rate over the steps"},
    {"warmup", US_FLOAT, AT(warmup), .standard = "0", .low = 0, .high = 100000, .value = "E",
     .unit = "epochs", .help = "linear warm-up before a cosine"},
    {"peak", US_FLOAT, AT(peak), .standard = "0", .low = 0, .high = 1, .value = "F",
     .help = "share of the steps after which a linear schedule reaches --lr"},
    {"lr-start", US_FLOAT, AT(lr_start), .standard = "0", .low = 0, .high = 1, .value = "F",
     .help = "share of --lr that a linear schedule rises from"},
    {"lr-end", US_FLOAT, AT(lr_end), .standard = "0", .low = 0, .high = 1, .value = "F",
     .help = "share of --lr that a linear schedule falls to"},
    {"size", US_SPAN, AT(size), .standard = "auto", .low = 8, .high = 1024, .words = "auto",
     .value = "S[..T]", .unit = "pixels",
     .help =
         "height and width of what models take; S..T: T in the last quarter of the epochs or so, grown to in "
         "steps of 32; auto: the images', 224 at most"},
    {"test-size", US_INT, AT(test_size), .standard = "auto", .low = 8, .high = 1024, .words = "auto",
     .value = "S", .unit = "pixels", .help = "the same in evaluation; auto: that of the last epoch"},
    {"resize", US_INT, AT(resize), .standard = "auto", .low = 8, .high = 4096, .words = "auto", .value = "R",
     .unit = "pixels",
     .help =
         "shorter side before the centre is cut out; auto: 8/7 of --test-size, or that itself, by --crop"},
    {"crop", US_CHOICE, AT(crop), .standard = "auto", .value = "auto|pad|resized|none",
     .help =
         "what training takes: the centre, shifted by up to --pad; random parts, resized; the centre; auto: "
         "pad up to 64 pixels, resized above"},
    {"cache", US_CHOICE, AT(cache), .standard = "auto", .value = "auto|off|memory",
     .help =
         "keep decoded images in memory; auto: if they take a quarter of what is free. To keep them on disk, "
         "pack the dataset",
     .flags = US_NO_IDENTITY},
    {"pad", US_INT, AT(pad), .standard = "4", .low = 0, .high = 64, .value = "P", .unit = "pixels",
     .help = "padding of random crops; 0: no crops"},
    {"padding", US_CHOICE, AT(padding), .standard = "zero", .value = "zero|reflect",
     .help = "what it is: black, or the image mirrored"},
    {"flip", US_CHOICE, AT(flip), .standard = "random", .value = "none|random|alternating",
     .flags = US_WAS_BOOL,
     .help = "mirror images, left for right: at random; each drawn once, then turned in every epoch"},
    {0},
};

#undef AT
#define AT(member) US_AT(struct unseen_train_options, member)

const struct us_option us_train_options[] = {
    {"subset", US_STRING, AT(subset_name), .value = "FILE",
     .help = "train on these samples alone: .npy of indices, or a text, a path a line"},
    {"init", US_STRING, AT(init), .value = "FILE", .help = "weights to start from (.safetensors)"},
    {"views", US_CHOICE, AT(views), .standard = "none", .value = "none|mirror|translate",
     .help =
         "test once more at the end, with the mean of what the model says to several views of an image: it "
         "and its mirror image; these, and both shifted by a pixel up left and down right"},
    {"sampler", US_STRUCT, AT(sampler), .table = us_sampler_options, .help = "Samples of an epoch"},
    {"recipe", US_STRUCT, AT(recipe), .table = us_recipe_options, .help = "Training"},
    {0},
};

void unseen_recipe_defaults(struct unseen_recipe *recipe)
{
    *recipe = (struct unseen_recipe){0};
    us_options_defaults(us_recipe_options, recipe);
}

/* The row of that name in `list` [n]; NULL if there is none. */
static const struct us_option_at *row_of(const struct us_option_at *list, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

enum unseen_status unseen_recipe_named(const char *name, struct unseen_recipe *recipe)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_option_at list[US_OPTIONS_MOST];
    const char *settings;
    char option[US_SETTING_SIZE], value[US_SETTING_SIZE];
    US_TRY(us_recipe_find(name, &settings));
    unseen_recipe_defaults(recipe);
    snprintf(recipe->name, sizeof recipe->name, "%s", name);
    const int n = us_options_list(us_recipe_options, recipe, list);
    while (us_setting_next(&settings, option, value)) {
        const struct us_option_at *at = row_of(list, n, option);
        if (at)
            US_TRY(us_option_parse(at, value));
    }
out:
    return st;
}

void unseen_train_defaults(struct unseen_train_options *options)
{
    *options = (struct unseen_train_options){0};
    us_options_defaults(us_train_options, options);
}

static enum unseen_status check_steps(const int size[2])
{
    const int above = (size[1] - size[0]) % US_SIZE_STEP;
    if (above == 0)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "--size", "from %d to %d are no whole steps of %d pixels", size[0], size[1],
            US_SIZE_STEP);
    us_hint("--size %d..%d would be", size[0],
            size[1] - above > size[0] ? size[1] - above : size[0] + US_SIZE_STEP);
    return UNSEEN_USAGE;
}

enum unseen_status unseen_recipe_check(const struct unseen_recipe *recipe)
{
    enum unseen_status st = UNSEEN_OK;
    us_builder *builder;
    const char *settings;
    US_TRY(us_builder_find(recipe->model, &builder));
    US_TRY(us_options_check(us_recipe_options, recipe));
    if (us_recipe_is_auto(recipe)) /* what goes together shows when all is filled in */
        return UNSEEN_OK;
    US_TRY(us_recipe_find(recipe->name, &settings));
    if (recipe->stop_after > recipe->epochs)
        return us_fail(UNSEEN_USAGE, "--stop-after", "%d is more than --epochs, %d", recipe->stop_after,
                       recipe->epochs);
    if (recipe->warmup > (float)recipe->epochs)
        return us_fail(UNSEEN_USAGE, "--warmup", "%g is more than --epochs, %d", (double)recipe->warmup,
                       recipe->epochs);
    if (recipe->batch % recipe->accumulate) {
        us_fail(UNSEEN_USAGE, "--accumulate", "--batch %d is not made of %d equal parts", recipe->batch,
                recipe->accumulate);
        us_hint("--batch %d would be", (recipe->batch / recipe->accumulate + 1) * recipe->accumulate);
        return UNSEEN_USAGE;
    }
    if (recipe->nesterov && recipe->momentum == 0.0f) {
        us_fail(UNSEEN_USAGE, "--nesterov", "Nesterov's step needs momentum");
        us_hint("give --no-nesterov with --momentum 0");
        return UNSEEN_USAGE;
    }
    if (recipe->decay_form == UNSEEN_DECAY_DECOUPLED && recipe->lr == 0.0f)
        return us_fail(UNSEEN_USAGE, "--decay-form", "decoupled weight decay needs --lr above 0");
    if (recipe->schedule == UNSEEN_ONECYCLE && recipe->warmup > 0.0f)
        return us_fail(UNSEEN_USAGE, "--warmup", "the one-cycle schedule has a warm-up of its own");
    if (recipe->schedule == UNSEEN_LINEAR && recipe->warmup > 0.0f) {
        us_fail(UNSEEN_USAGE, "--warmup", "it is that of a cosine, not of the linear schedule");
        us_hint("--peak %.3g of the steps is as much", (double)(recipe->warmup / (float)recipe->epochs));
        return UNSEEN_USAGE;
    }
    US_TRY(check_steps(recipe->size));
out:
    return st;
}

float us_recipe_decay(const struct unseen_recipe *recipe)
{
    return recipe->decay_form == UNSEEN_DECAY_DECOUPLED ? recipe->weight_decay / recipe->lr
                                                        : recipe->weight_decay;
}

int us_recipe_summed(const struct unseen_recipe *recipe)
{
    return recipe->loss == UNSEEN_LOSS_SUM ? recipe->batch : 1;
}

int us_recipe_part(const struct unseen_recipe *recipe)
{
    return recipe->batch / recipe->accumulate;
}

int us_recipe_epochs(const struct unseen_recipe *recipe)
{
    return recipe->stop_after ? recipe->stop_after : recipe->epochs;
}
