#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dataset_options.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "scoring/scoring_model.h"
#include "unseen/prune.h"

static void list_choices(void)
{
    us_list_training();
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

struct request {
    const char *also, *job, *metrics;
};

static const struct us_option own[] = {
    {"record-also", US_STRING, US_AT(struct request, also), .value = "Q[,Q...]",
     .help = "change, feature_norm, predicted, runner_up, probs, features, gradient_norm"},
    {"metric", US_STRING, US_AT(struct request, metrics), .value = "M[,M...]", .known = unseen_score_name,
     .help = "record what these scores need"},
    {"job", US_STRING, US_AT(struct request, job), .value = "I/N",
     .help = "train every N-th model from the I-th on alone; see unseen merge"},
    {0},
};

enum unseen_status us_cmd_trajectory(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_scoring_options options;
    struct unseen_dataset_options reading = {0};
    struct request request = {0};
    const char *path[1];
    struct unseen_device *device = NULL;
    struct unseen_dataset *data = NULL;
    struct us_planned planned = {.kind = &us_plan_trajectory, .options = &options, .common = &common};
    bool help;
    unseen_scoring_defaults(&options);
    const struct us_usage usage = {
        .synopsis = "unseen trajectory DATA --out DIR [options]",
        .about = "Run the scoring models and record every sample's trajectory in DIR/trajectory/. The same "
                 "command goes on after an interruption.",
        .groups = {{own, &request, NULL},
                   {us_scoring_options, &options, "Scoring models"},
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
    US_TRY(set_job(request.job, &options));
    if (request.also)
        US_TRY(unseen_record_parse(request.also, &options.record_also));
    if (request.metrics)
        US_TRY(add_needs(request.metrics, &options));
    options.seed = common.seed;
    options.out = common.out;
    options.command = us_command_line();
    options.on_plan = us_plan_listener(&planned);
    US_TRY(us_open_inputs(&common, path[0], &reading, &data, &device));
    planned.device = device;
    planned.data = data;
    us_note_test_split(data);
    if (common.dry_run) {
        US_TRY(us_plan_print(&planned));
        goto out;
    }
    US_TRY(unseen_record_trajectory(device, data, &options));
    if (common.json)
        US_TRY(us_print_json(json_pack("{s:o}", "out", us_json_text(common.out))));
    else if (options.jobs > 1)
        printf("job %s is done; unseen merge joins all %d\n", request.job, options.jobs);
    else
        printf("%s/trajectory\n", common.out);
out:
    unseen_device_close(device);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
