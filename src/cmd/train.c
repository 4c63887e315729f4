#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dataset_options.h"
#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "nn/train.h"

static enum unseen_status print_json(const struct unseen_epoch *last, int epochs, double best, double seconds,
                                     double images)
{
    json_t *result = json_pack("{s:i, s:f, s:f, s:I}", "epochs", epochs, "train_accuracy",
                               last->train_accuracy, "seconds", seconds, "images", (json_int_t)images);
    if (result && !isnan(last->test_accuracy)) {
        json_object_set_new(result, "test_accuracy", json_real(last->test_accuracy));
        json_object_set_new(result, "best_test_accuracy", json_real(best));
    }
    if (result && !isnan(last->views_accuracy))
        json_object_set_new(result, "views_accuracy", json_real(last->views_accuracy));
    return us_print_json(result);
}

static enum unseen_status print_result(const struct us_common *common, const struct unseen_epoch *history,
                                       int epochs)
{
    double best = 0, seconds = 0, images = 0;
    for (int e = 0; e < epochs; e++) {
        seconds += history[e].seconds;
        images += history[e].images;
        if (history[e].test_accuracy > best)
            best = history[e].test_accuracy;
    }
    const struct unseen_epoch *last = &history[epochs - 1];
    if (common->json)
        return print_json(last, epochs, best, seconds, images);
    if (isnan(last->test_accuracy))
        printf("training accuracy %.2f %% after %d epochs (the dataset has no test split)\n",
               100 * last->train_accuracy, epochs);
    else
        printf("test accuracy %.2f %% after the last of %d epochs (best %.2f %%)\n",
               100 * last->test_accuracy, epochs, 100 * best);
    if (!isnan(last->views_accuracy))
        printf("with views of each image %.2f %%\n", 100 * last->views_accuracy);
    char text[32];
    printf("trained on %.0f images in %s; weights in %s/model.safetensors\n", images,
           us_duration(seconds, text), common->out);
    us_print_loading();
    return UNSEEN_OK;
}

static void list_choices(void)
{
    us_list_training();
    us_list_samplers();
}

enum unseen_status us_cmd_train(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_train_options options = {0};
    struct unseen_dataset_options reading = {0};
    const char *path[1];
    struct unseen_device *device = NULL;
    struct unseen_dataset *data = NULL;
    struct unseen_epoch *history = NULL;
    int64_t *keep = NULL;
    int epochs = 0;
    struct us_planned planned = {.kind = &us_plan_train, .options = &options, .common = &common};
    bool help;
    unseen_train_defaults(&options);
    const struct us_usage usage = {
        .synopsis = "unseen train DATA [--subset keep.npy] --out DIR [options]",
        .about = "Train one model on DATA's training split, or on a coreset of it, and test it after each "
                 "epoch. Writes model.safetensors, history.csv and run.json. The same command goes on after "
                 "an interruption.",
        .groups = {{us_train_options, &options, NULL},
                   {us_dataset_options, &reading, "Data"},
                   {us_label_options, &reading, "Data"}},
        .common = "device seed out json dry-run",
        .lists = list_choices,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_recipe_check(&options.recipe));
    US_TRY(unseen_sampler_check(&options.sampler));
    options.seed = common.seed;
    options.out = common.out;
    options.command = us_command_line();
    options.on_plan = us_plan_listener(&planned);
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    planned.device = device;
    planned.data = data;
    us_note_test_split(data);
    if (options.subset_name) {
        US_TRY(unseen_dataset_subset(data, options.subset_name, &keep, &options.n_subset));
        options.subset = keep;
    }
    if (common.dry_run) {
        US_TRY(us_plan_print(&planned));
        goto out;
    }
    US_TRY(unseen_train(device, data, &options, &history, &epochs));
    US_TRY(print_result(&common, history, epochs));
out:
    free(history);
    free(keep);
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
