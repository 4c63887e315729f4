#include "config.h"

#include <stdio.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "prune/evidence.h"
#include "select/rule.h"
#include "unseen/dataset.h"
#include "unseen/select.h"

/* The same samples as the scores must be in the trajectory. */
static enum unseen_status look_into(const char *trajectory, const char *rule, const char *cut,
                                    const struct unseen_select_files *files, struct us_evidence *evidence,
                                    struct unseen_select_options *options)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_score_options scoring = {.epoch = -1, .seed = options->seed};
    struct us_npy scores = {0};
    US_TRY(us_npy_open(files->scores, &scores));
    US_TRY(us_evidence_read(trajectory, NULL, &scoring, cut,
                            us_evidence_of(rule, options) | US_EVIDENCE_WRONG, evidence));
    if (scores.ndim != 1 || scores.shape[0] != evidence->n)
        st = us_fail(UNSEEN_BAD_DATA, trajectory, "is of %lld samples, %s of others", (long long)evidence->n,
                     files->scores);
    us_evidence_apply(evidence, options);
out:
    us_npy_close(&scores);
    return st;
}

enum unseen_status us_cmd_select(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_select_options options = {.keep = 0.5, .cutoff = UNSEEN_CUTOFF_AUTO};
    struct unseen_select_files files = {0};
    struct unseen_dataset *data = NULL;
    struct us_evidence evidence = {0};
    const char *data_name = NULL, *trajectory = NULL, *rule = "ccs", *cut = NULL;
    int64_t n = 0, m = 0;
    bool help;
    const struct us_option own[] = {
        {"scores", US_OPT_STRING, &files.scores, "FILE", "float .npy [N]; higher is harder"},
        {"labels", US_OPT_STRING, &files.labels, "FILE", "integer .npy [N]"},
        {"data", US_OPT_STRING, &data_name, "DATA", "take the labels from a dataset"},
        {"rule", US_OPT_STRING, &rule, "R", "selection rule (ccs)"},
        {"hardness", US_OPT_STRING, &files.hardness, "FILE",
         "CCS, window: scores to cut by, float .npy [N] (from --trajectory, else --scores)"},
        {"trajectory", US_OPT_STRING, &trajectory, "DIR",
         "take from it what rules look at besides scores, and --cut-by's score"},
        US_SELECT_OPTIONS(&options, &cut),
        {NULL, US_OPT_ON, NULL, NULL, NULL},
    };
    const struct us_usage usage = {
        .synopsis = "unseen select --scores FILE --rule R --keep 0.7 --out keep.npy",
        .about =
            "Choose round(keep * N) samples from scores; writes their indices, ascending, as int64 .npy.",
        .own = own,
        .lists = us_list_rules,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    if (!files.scores) {
        st = us_fail(UNSEEN_USAGE, "--scores", "is needed: the file to read");
        goto out;
    }
    options.seed = common.seed;
    files.kept = common.out;
    if (data_name && !files.labels)
        US_TRY(unseen_dataset_open(data_name, NULL, &data));
    files.data = data;
    if (trajectory && !cut && !files.hardness && us_rule_cuts(rule))
        cut = US_EVIDENCE_CUT; /* as `unseen prune` does, so that the same coreset comes out */
    if (trajectory)
        US_TRY(look_into(trajectory, rule, cut, &files, &evidence, &options));
    if (cut && !trajectory) {
        st = us_fail(UNSEEN_USAGE, "--cut-by", "'%s' is scored from a trajectory", cut);
        us_hint("name it by --trajectory, or give scores to cut by as --hardness FILE");
        goto out;
    }
    US_TRY(unseen_select_files(rule, &files, &options, &n, &m));
    if (common.json)
        US_TRY(us_print_json(
            json_pack("{s:I, s:I, s:o}", "n", (json_int_t)n, "kept", (json_int_t)m, "file",
                      us_json_text(common.out))));
    else
        printf("kept %lld of %lld samples  %s\n", (long long)m, (long long)n, common.out);
    if (trajectory && !common.json)
        us_print_cutoff(us_share_cut(rule, &options), options.wrong);
out:
    us_evidence_end(&evidence);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
