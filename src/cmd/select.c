#include "config.h"

#include <stdio.h>

#include "base/dataset_options.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "prune/select_inputs.h"
#include "select/rule.h"
#include "unseen/dataset.h"
#include "unseen/prune.h"

struct request {
    struct unseen_select_options options;
    struct unseen_select_files files;
    const char *data, *trajectory, *rule, *cut;
};

#define AT(member) US_AT(struct request, member)

static const struct us_option own[] = {
    {"scores", US_STRING, AT(files.scores), .value = "FILE", .help = "float .npy [N]; higher is harder"},
    {"data", US_STRING, AT(data), .value = "DATA", .help = "take the labels from a dataset"},
    {"trajectory", US_STRING, AT(trajectory), .value = "DIR",
     .help = "take from it what rules look at besides scores, and --cutoff-by's score"},
    {"hardness", US_STRING, AT(files.hardness), .value = "FILE", .used_by = "ccs window",
     .help = "ccs, window: scores to cut by, float .npy [N] (from --trajectory, else --scores)"},
    {"rule", US_STRING, AT(rule), .standard = "ccs", .value = "R", .help = "how scores become a coreset",
     .known = unseen_rule_name},
    {"select", US_STRUCT, AT(options), .table = us_select_options},
    {"cutoff-by", US_STRING, AT(cut), .value = "M", .former = "cut-by", .known = unseen_score_name,
     .help = "ccs, window: the trajectory's score that says what is hardest"},
    {0},
};

enum unseen_status us_cmd_select(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct request r = {0};
    struct unseen_dataset_options reading = {0};
    struct unseen_dataset *data = NULL;
    struct unseen_selection made = {0};
    bool help;
    us_options_defaults(own, &r);
    const struct us_usage usage = {
        .synopsis = "unseen select --scores FILE --rule R --keep 0.7 --out keep.npy",
        .about = "Choose round(keep * N) samples from scores; writes their indices, ascending, as int64 "
                 ".npy, or into "
                 "a .txt as text: the paths that --data has, else the indices, a line each.",
        .groups = {{own, &r, NULL},
                   {us_dataset_options, &reading, "Data"},
                   {us_label_options, &reading, "Data"}},
        .common = "seed out json force",
        .lists = us_list_rules,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(us_may_write(&common, common.out));
    if (!r.files.scores) {
        st = us_fail(UNSEEN_USAGE, "--scores", "is needed: the file to read");
        goto out;
    }
    r.options.seed = common.seed;
    r.files.kept = common.out;
    if (r.data)
        US_TRY(unseen_dataset_open(r.data, &reading, &data));
    else
        r.files.labels = reading.labels;
    r.files.data = data;
    if (data) {
        us_select_inputs_table(data, &r.options);
        r.options.leave_out = data->split[UNSEEN_TRAIN].skipped;
    }
    if (r.cut && !r.trajectory) {
        st = us_fail(UNSEEN_USAGE, "--cutoff-by", "'%s' is scored from a trajectory", r.cut);
        us_hint("name it by --trajectory, or give scores to cut by as --hardness FILE");
        goto out;
    }
    if (r.trajectory)
        US_TRY(unseen_select_trajectory(r.rule, r.trajectory, r.cut, &r.files, &r.options, &made));
    else
        US_TRY(unseen_select_files(r.rule, &r.files, &r.options, &made.n, &made.m));
    if (common.json)
        US_TRY(us_print_json(json_pack("{s:I, s:I, s:o}", "n", (json_int_t)made.n, "kept", (json_int_t)made.m,
                                       "file", us_json_text(common.out))));
    else
        printf("kept %lld of %lld samples  %s\n", (long long)made.m, (long long)made.n, common.out);
    if (r.trajectory && !common.json)
        us_print_cutoff(made.cutoff, made.noise_rate);
out:
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
