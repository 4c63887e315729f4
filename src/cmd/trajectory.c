#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "unseen/prune.h"

static void list_choices(void)
{
    us_list_models();
    printf("\n");
    us_list_scores();
}

/* What scores need that are listed with commas between them. */
static enum unseen_status add_needs(const char *metrics, struct unseen_scoring_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    char *names = us_format("%s", metrics), *state;
    US_TRY_ALLOC(names);
    for (char *at = strtok_r(names, ",", &state); at; at = strtok_r(NULL, ",", &state)) {
        unsigned bits;
        US_TRY(unseen_score_check(at, options->protocol));
        US_TRY(unseen_score_needs(at, &bits));
        options->record_also |= bits;
    }
out:
    free(names);
    return st;
}

/* "2/4": the second of four. */
static enum unseen_status set_job(const char *text, struct unseen_scoring_options *options)
{
    char behind;
    if (!text)
        return UNSEEN_OK;
    if (sscanf(text, "%d/%d%c", &options->job, &options->jobs, &behind) != 2 || options->job < 1 ||
        options->job > options->jobs)
        return us_fail(UNSEEN_USAGE, "--job", "'%s' is not I/N with I from 1 to N", text);
    options->job--;
    return UNSEEN_OK;
}

enum unseen_status us_cmd_trajectory(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_scoring_options options;
    struct unseen_dataset_options reading = {0};
    const char *path[1], *also = NULL, *metrics = NULL, *job = NULL;
    struct unseen_device *device = NULL;
    struct unseen_dataset *data = NULL;
    bool help;
    unseen_scoring_defaults(&options);
    const struct us_option own[] = {
        US_SCORING_OPTIONS(&options, &reading),
        {"record-also", US_OPT_STRING, &also, "Q[,Q...]",
         "change, feature_norm, predicted, runner_up, probs, features, gradient_norm"},
        {"job", US_OPT_STRING, &job, "I/N",
         "train every N-th model from the I-th on alone; see unseen merge"},
        {"metric", US_OPT_STRING, &metrics, "M[,M...]", "record what these scores need"},
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
        list_choices,
        1,
        1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_recipe_check(&options.recipe));
    US_TRY(set_job(job, &options));
    if (also)
        US_TRY(unseen_record_parse(also, &options.record_also));
    if (metrics)
        US_TRY(add_needs(metrics, &options));
    options.seed = common.seed;
    options.out = common.out;
    options.command = us_command_line();
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    US_TRY(unseen_record_trajectory(device, data, &options));
    if (options.jobs > 1)
        printf("job %s is done; unseen merge joins all %d\n", job, options.jobs);
    else
        printf("%s/trajectory\n", common.out);
out:
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
