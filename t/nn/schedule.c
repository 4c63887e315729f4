#include "config.h"

#include "support/cmocka.h"

#include <string.h>

#include "nn/train.h"

static struct unseen_recipe defaults(void)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    recipe.lr = 0.4f;
    recipe.epochs = 10;
    return recipe;
}

static void cosine(void **state)
{
    (void)state;
    struct unseen_recipe recipe = defaults();
    assert_float_equal(us_schedule_lr(&recipe, 0, 100), 0.4, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 50, 100), 0.2, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 25, 100), 0.2 + 0.2 * 0.70710678, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 100, 100), 0.0, 1e-7);
    for (int64_t step = 1; step < 100; step++)
        assert_true(us_schedule_lr(&recipe, step, 100) < us_schedule_lr(&recipe, step - 1, 100));
}

static void warmup(void **state)
{
    (void)state;
    struct unseen_recipe recipe = defaults();
    recipe.warmup = 2.0f;
    assert_float_equal(us_schedule_lr(&recipe, 0, 100), 0.4 / 20, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 19, 100), 0.4, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 20, 100), 0.4, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 60, 100), 0.2, 1e-7);
    recipe.warmup = 10.0f; /* the whole run */
    assert_float_equal(us_schedule_lr(&recipe, 99, 100), 0.4, 1e-7);
}

static void onecycle(void **state)
{
    (void)state;
    struct unseen_recipe recipe = defaults();
    recipe.schedule = UNSEEN_ONECYCLE;
    assert_float_equal(us_schedule_lr(&recipe, 0, 100), 0.0, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 15, 100), 0.2, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 30, 100), 0.4, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 65, 100), 0.2, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 100, 100), 0.0, 1e-7);
}

static void linear(void **state)
{
    (void)state;
    struct unseen_recipe recipe = defaults();
    recipe.schedule = UNSEEN_LINEAR;
    recipe.peak = 0.2f;
    recipe.lr_start = 0.2f;
    assert_float_equal(us_schedule_lr(&recipe, 0, 500), 0.4 * 0.2, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 50, 500), 0.4 * 0.6, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 100, 500), 0.4, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 300, 500), 0.4 * 0.5, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 499, 500), 0.4 / 400, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 1, 13), 0.4 * 0.6, 1e-7); /* 2.6 steps to the peak are 2 */
    assert_float_equal(us_schedule_lr(&recipe, 2, 13), 0.4, 1e-7);
    recipe.peak = 0.7f; /* below 0.7 as a float, and yet 7 of 10 */
    assert_float_equal(us_schedule_lr(&recipe, 7, 10), 0.4, 1e-7);
    recipe.peak = 0.2f;
    recipe.lr_end = 0.07f;
    assert_float_equal(us_schedule_lr(&recipe, 300, 500), 0.4 * 0.535, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 500, 500), 0.4 * 0.07, 1e-7);
    recipe.peak = 0;
    assert_float_equal(us_schedule_lr(&recipe, 0, 500), 0.4, 1e-7);
    recipe.peak = 1;
    assert_float_equal(us_schedule_lr(&recipe, 0, 500), 0.4 * 0.2, 1e-7);
    assert_float_equal(us_schedule_lr(&recipe, 499, 500), 0.4 * (0.2 + 0.8 * 0.998), 1e-7);
    recipe.peak = 0.3f;
    assert_float_equal(us_schedule_lr(&recipe, 0, 1), 0.4 * 0.535, 0.4); /* one step in all: finite */
}

static void recipe_is_checked(void **state)
{
    (void)state;
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    assert_ok(unseen_recipe_check(&recipe));
#define REFUSES(field, value, part)                                                                          \
    do {                                                                                                     \
        struct unseen_recipe bad = recipe;                                                                   \
        bad.field = value;                                                                                   \
        assert_fails(UNSEEN_USAGE, part, unseen_recipe_check(&bad));                                         \
    } while (0)
    REFUSES(width, 0, "--width");
    REFUSES(precision, (enum unseen_precision)7, "--precision");
    REFUSES(epochs, 0, "--epochs");
    REFUSES(stop_after, 201, "--stop-after");
    REFUSES(batch, 0, "--batch");
    REFUSES(lr, -0.1f, "--lr");
    REFUSES(momentum, 1.0f, "--momentum");
    REFUSES(momentum, 0.0f, "--nesterov");
    REFUSES(weight_decay, -1.0f, "--weight-decay");
    REFUSES(bias_lr, 0.0f, "--bias-lr");
    REFUSES(decay_form, (enum unseen_decay_form)7, "--decay-form");
    REFUSES(last_batch, (enum unseen_last_batch)7, "--last-batch");
    REFUSES(loss, (enum unseen_loss)7, "--loss");
    REFUSES(peak, 1.5f, "--peak");
    REFUSES(lr_start, -1.0f, "--lr-start");
    REFUSES(lr_end, 1.5f, "--lr-end");
    REFUSES(label_smoothing, 1.0f, "--label-smoothing");
    REFUSES(warmup, 201.0f, "--warmup");
    REFUSES(pad, -1, "--pad");
    REFUSES(schedule, (enum unseen_schedule)7, "--schedule");
    recipe.decay_form = UNSEEN_DECAY_DECOUPLED;
    assert_ok(unseen_recipe_check(&recipe));
    REFUSES(lr, 0.0f, "--decay-form");
    recipe.schedule = UNSEEN_LINEAR;
    REFUSES(warmup, 20.0f, "--warmup");
    assert_string_equal(unseen_last_hint(), "--peak 0.1 of the steps is as much");
#undef REFUSES
    strcpy(recipe.model, "alexnet");
    assert_fails(UNSEEN_USAGE, "alexnet", unseen_recipe_check(&recipe));
    assert_non_null(strstr(unseen_last_hint(), "resnet18"));
    assert_null(unseen_model_name(-1));
    assert_string_equal(unseen_model_name(0), "resnet18");
    assert_null(unseen_model_help(1000));
}

/* Decoupled: what a step at the peak takes off the weights is the same at any learning rate. */
static void decay(void **state)
{
    (void)state;
    struct unseen_recipe recipe = defaults();
    recipe.weight_decay = 0.002f;
    assert_float_equal(us_recipe_decay(&recipe), 0.002, 1e-9);
    recipe.decay_form = UNSEEN_DECAY_DECOUPLED;
    assert_float_equal(us_recipe_decay(&recipe) * recipe.lr, 0.002, 1e-9);
    recipe.lr = 6.25e-4f;
    assert_float_equal(us_recipe_decay(&recipe) * recipe.lr, 0.002, 1e-9);
}

/* Whether "option=" is among settings. */
static bool sets(const char *settings, const char *option)
{
    char name[US_SETTING_SIZE], value[US_SETTING_SIZE];
    while (us_setting_next(&settings, name, value))
        if (strcmp(name, option) == 0)
            return true;
    return false;
}

/* Those that nothing is said of are about this machine, or how much of the run is wanted. */
static void recipes_say_everything(void **state)
{
    (void)state;
    static const char silent[] = "recipe precision stop-after recompute cache";
    struct unseen_recipe standard;
    unseen_recipe_defaults(&standard);
    for (int i = 0; unseen_recipe_name(i); i++) {
        const char *settings = unseen_recipe_settings(i);
        struct unseen_recipe recipe;
        assert_ok(unseen_recipe_named(unseen_recipe_name(i), &recipe));
        assert_string_equal(recipe.name, unseen_recipe_name(i));
        assert_ok(unseen_recipe_check(&recipe));
        assert_non_null(unseen_recipe_help(i));
        for (const struct us_option *row = us_recipe_options; row->name; row++)
            assert_true(us_is_among(silent, row->name) != sets(settings, row->name));
        if (strcmp(recipe.name, standard.name) == 0)
            assert_memory_equal(&recipe, &standard, sizeof recipe);
    }
}

static void images_decide(void **state)
{
    (void)state;
    static const struct {
        int height, width, size[2];
        const char *name;
    } cases[] = {
        {32, 32, {0, 0}, "fast"},  {64, 64, {0, 0}, "fast"},       {65, 65, {0, 0}, "imagenet"},
        {64, 200, {0, 0}, "fast"}, {0, 0, {0, 0}, "imagenet"}, /* of many sizes */
        {0, 0, {32, 32}, "fast"},  {32, 32, {96, 96}, "imagenet"}, {0, 0, {64, 96}, "imagenet"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const struct unseen_dataset data = {.height = cases[k].height, .width = cases[k].width};
        struct unseen_recipe recipe;
        unseen_recipe_defaults(&recipe);
        memcpy(recipe.size, cases[k].size, sizeof recipe.size);
        recipe.test_size = 300;
        assert_string_equal(us_recipe_auto(&recipe, &data), cases[k].name);
        if (!recipe.size[0])
            assert_string_equal(unseen_recipe_for(&data), cases[k].name);
        strcpy(recipe.name, "auto");
        recipe.batch = 3;
        recipe.accumulate = 2; /* which need not go together yet */
        assert_ok(unseen_recipe_check(&recipe));
        assert_fails(UNSEEN_USAGE, "auto is no recipe", us_recipe_check_on(&recipe, &data));
        recipe.batch = 0;
        assert_fails(UNSEEN_USAGE, "--batch", unseen_recipe_check(&recipe));
    }
}

static void recipes_by_name(void **state)
{
    (void)state;
    struct unseen_recipe recipe;
    assert_ok(unseen_recipe_named("imagenet", &recipe));
    assert_string_equal(recipe.model, "resnet34");
    assert_int_equal(recipe.epochs, 60);
    assert_int_equal(recipe.batch, 256);
    assert_int_equal(us_recipe_part(&recipe), 128);
    assert_float_equal(recipe.weight_decay, 1e-4f, 0);
    assert_int_equal(recipe.decay_all, 0);
    assert_int_equal(recipe.nesterov, 0);
    assert_ok(unseen_recipe_named("fast", &recipe));
    const double s = 1024 * (1 + 1 / (1 - (double)recipe.momentum));
    assert_float_equal(recipe.lr, 5 / s, 1e-8);
    assert_float_equal(recipe.weight_decay, 0.015 * recipe.batch / s, 1e-7);
    assert_fails(UNSEEN_USAGE, "\"alexnet\"", unseen_recipe_named("alexnet", &recipe));
    assert_string_equal(unseen_last_hint(), "the recipes are fast, paper, imagenet");
    strcpy(recipe.name, "alexnet");
    assert_fails(UNSEEN_USAGE, "--recipe", unseen_recipe_check(&recipe));
    assert_null(unseen_recipe_name(-1));
    assert_null(unseen_recipe_settings(1000));
    assert_null(unseen_recipe_help(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cosine),
        cmocka_unit_test(warmup),
        cmocka_unit_test(onecycle),
        cmocka_unit_test(linear),
        cmocka_unit_test(decay),
        cmocka_unit_test(recipe_is_checked),
        cmocka_unit_test(recipes_say_everything),
        cmocka_unit_test(images_decide),
        cmocka_unit_test(recipes_by_name),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
