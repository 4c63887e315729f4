#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "unseen/prune.h"

enum unseen_status us_cmd_trajectory(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_scoring_options options;
    struct unseen_dataset_options reading = {0};
    const char *path[1];
    struct unseen_device *device = NULL;
    struct unseen_dataset *data = NULL;
    bool help;
    unseen_scoring_defaults(&options);
    const struct us_option own[] = {
        US_SCORING_OPTIONS(&options, &reading),
        {NULL, US_OPT_ON, NULL, NULL, NULL},
    };
    const struct us_option recipe[] = {US_RECIPE_OPTIONS(&options.recipe)};
    const struct us_usage usage = {
        "unseen trajectory DATA --out DIR [options]",
        "Run the scoring models and record every sample's trajectory in DIR/trajectory/. The same command "
        "goes on after\n"
        "an interruption.",
        own,
        recipe,
        us_list_models,
        1,
        1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_recipe_check(&options.recipe));
    options.seed = common.seed;
    options.out = common.out;
    options.command = us_command_line();
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    US_TRY(unseen_record_trajectory(device, data, &options));
    printf("%s/trajectory\n", common.out);
out:
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
