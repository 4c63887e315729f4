#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dataset_options.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "prune/audit_options.h"
#include "report/audit.h"
#include "scoring/scoring_model.h"
#include "trajectory/trajectory.h"
#include "unseen/prune.h"
#include "unseen/report.h"

enum { PRINTED = 20 };

static void print_percentage(const char *name, double share)
{
    if (isnan(share))
        printf(", %s -", name);
    else
        printf(", %s %.1f %%", name, 100 * share);
}

static void print_truth(const struct unseen_audit *a, const int32_t *true_labels)
{
    struct unseen_audit_truth t;
    unseen_audit_judge(a, true_labels, &t);
    printf("wrong by the true labels: %lld", (long long)t.wrong);
    print_percentage("precision", t.precision);
    print_percentage("recall", t.recall);
    print_percentage("average precision", t.average_precision);
    printf("\nsuggested for suspects, of those wrong, is the true label of %lld of %lld\n",
           (long long)t.corrected, (long long)t.found);
}

/* Samples that were asked for by number or score need not look wrong. */
static void print_result(const struct unseen_audit *a, const struct unseen_audit_options *o,
                         const struct unseen_dataset *data, const char *out)
{
    const char *models = a->protocol == UNSEEN_SEEN ? "were trained on them" : "never saw them";
    const long long count = (long long)a->count, n = (long long)a->n;
    if (o->count > 0)
        printf("the %lld most suspicious of %lld labels, to models that %s\n", count, n, models);
    else if (!isnan(o->threshold))
        printf("%lld of %lld labels have a score of %g or more, by models that %s\n", count, n, o->threshold,
               models);
    else
        printf("%lld of %lld labels look wrong to models that %s\n", count, n, models);
    printf("share of wrong labels, as the models judge: %.1f %%\n", 100 * a->noise_rate);
    if (data->split[UNSEEN_TRAIN].true_labels)
        print_truth(a, data->split[UNSEEN_TRAIN].true_labels);
    putchar('\n');
    printf("%9s  %-20s %-20s %10s %8s\n", "index", "label", "suggested", "confidence", "score");
    for (int64_t k = 0; k < a->count && k < PRINTED; k++) {
        int64_t i = a->suspects[k];
        printf("%9lld  %-20s %-20s %10.3f %8.3f\n", (long long)i, data->class_names[a->labels[i]],
               data->class_names[a->suggested[i]], (double)a->confidence[i], (double)a->score[i]);
    }
    if (a->count > PRINTED)
        printf("%9s\n", "...");
    if (a->count == 0)
        printf("--count N names the N most suspicious all the same\n");
    printf("\n%s/suspects.csv\n%s/audit.html\n", out, out);
}

static enum unseen_status print_json(const struct unseen_audit *a, const struct unseen_dataset *data,
                                     const char *out)
{
    json_t *rows = json_array();
    for (int64_t k = 0; k < a->count; k++) {
        int64_t i = a->suspects[k];
        json_array_append_new(rows, json_pack("{s:I, s:o, s:o, s:f, s:f}", "index", (json_int_t)i, "label",
                                              us_json_text(data->class_names[a->labels[i]]), "suggested",
                                              us_json_text(data->class_names[a->suggested[i]]), "confidence",
                                              (double)a->confidence[i], "score", (double)a->score[i]));
    }
    json_t *result = json_pack("{s:I, s:s, s:f, s:o, s:o}", "n", (json_int_t)a->n, "protocol",
                               unseen_protocol_name(a->protocol), "wrong_share", a->noise_rate, "out",
                               us_json_text(out), "suspects", rows);
    const int32_t *true_labels = data->split[UNSEEN_TRAIN].true_labels;
    if (result && true_labels)
        json_object_set_new(result, "truth", us_audit_truth_json(a, true_labels));
    return us_print_json(result);
}

/* The trajectory in out/trajectory, recorded now unless it is there. */
static enum unseen_status record(const struct us_common *common, const struct unseen_dataset *data,
                                 const struct unseen_scoring_options *options, struct unseen_device **device)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_scoring_options told = *options;
    struct us_planned planned = {
        .kind = &us_plan_trajectory, .options = &told, .common = common, .data = data};
    US_TRY(us_open_device(common, device));
    planned.device = *device;
    told.on_plan = us_plan_listener(&planned);
    US_TRY(unseen_record_trajectory(*device, data, &told));
out:
    return st;
}

/* --dry-run, of which a trajectory that is there leaves nothing to plan. */
static enum unseen_status print_plan(const struct us_common *common, const struct unseen_dataset *data,
                                     const struct unseen_scoring_options *options, const char *recorded)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_planned planned = {
        .kind = &us_plan_trajectory, .options = options, .common = common, .data = data};
    if (recorded)
        return us_fail(UNSEEN_USAGE, "--dry-run",
                       "with --trajectory nothing is trained that could be planned");
    US_TRY(us_open_device(common, &planned.device));
    US_TRY(us_plan_print(&planned));
out:
    unseen_device_close(planned.device);
    return st;
}

/* `recorded`: the folder of a trajectory, NULL: it is recorded here. */
static enum unseen_status run(const struct us_common *common, const struct unseen_dataset *data,
                              const struct unseen_scoring_options *scoring, const char *recorded,
                              const struct unseen_audit_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device *device = NULL;
    struct unseen_trajectory *trajectory = NULL;
    struct unseen_audit *audit = NULL;
    char *folder = recorded ? us_format("%s", recorded) : us_format("%s/trajectory", common->out);
    US_TRY_ALLOC(folder);
    if (!recorded)
        US_TRY(record(common, data, scoring, &device));
    US_TRY(us_trajectory_open(folder, US_AUDIT_READS, &trajectory));
    US_TRY(unseen_audit(trajectory, options, &audit));
    const struct unseen_audit_origin origin = {.device = device,
                                               .trajectory = folder,
                                               .command = scoring->command,
                                               .options = options,
                                               .audited = trajectory,
                                               .recorded = !recorded};
    US_TRY(unseen_audit_write(audit, data, &origin, common->out));
    if (common->json)
        US_TRY(print_json(audit, data, common->out));
    else
        print_result(audit, options, data, common->out);
out:
    unseen_audit_free(audit);
    unseen_trajectory_close(trajectory);
    unseen_device_close(device);
    free(folder);
    return st;
}

struct request {
    const char *folder;
};

static const struct us_option own[] = {
    {"trajectory", US_STRING, US_AT(struct request, folder), .value = "DIR",
     .help = "audit this recorded trajectory; train nothing"},
    {0},
};

enum unseen_status us_cmd_audit(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_scoring_options scoring;
    struct unseen_audit_options options = {0};
    struct unseen_dataset_options reading = {0};
    struct request request = {0};
    struct unseen_dataset *data = NULL;
    struct unseen_run_lock *lock = NULL;
    const char *path[1];
    bool help;
    unseen_scoring_defaults(&scoring);
    us_options_defaults(us_audit_options, &options);
    const struct us_usage usage = {
        .synopsis = "unseen audit DATA --out DIR [options]",
        .about = "Find wrong labels: samples whose label is rejected with confidence by models that never "
                 "saw them. Writes suspects.csv, suspicion.npy and audit.html. The same command goes on "
                 "after an interruption.",
        .groups = {{own, &request, NULL},
                   {us_audit_options, &options, NULL},
                   {us_scoring_options, &scoring, "Scoring models"},
                   {us_dataset_options, &reading, "Data"},
                   {us_label_options, &reading, "Data"},
                   {us_truth_options, &reading, "Data"}},
        .common = "device seed out json dry-run",
        .lists = us_list_training,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_recipe_check(&scoring.recipe));
    scoring.seed = common.seed;
    scoring.out = common.out;
    scoring.command = us_command_line();
    scoring.record_also = UNSEEN_AUDIT_RECORD | (options.pred_probs ? 1u << UNSEEN_PROBS : 0);
    US_TRY(us_open_data(&common, path[0], &reading, &data));
    us_note_test_split(data);
    if (common.dry_run) {
        US_TRY(print_plan(&common, data, &scoring, request.folder));
        goto out;
    }
    US_TRY(unseen_run_lock(common.out, us_audit_files, &lock));
    US_TRY(run(&common, data, &scoring, request.folder, &options));
out:
    unseen_run_lock_end(lock);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
