#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "unseen/dataset.h"
#include "unseen/select.h"

enum unseen_status us_cmd_select(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_select_options options = {.keep = 0.5, .cutoff = -1};
    struct unseen_select_files files = {0};
    struct unseen_dataset *data = NULL;
    const char *data_name = NULL, *rule = "ccs", *cut = NULL;
    int64_t n = 0, m = 0;
    bool help;
    const struct us_option own[] = {
        {"scores", US_OPT_STRING, &files.scores, "FILE", "float .npy [N]; higher is harder"},
        {"labels", US_OPT_STRING, &files.labels, "FILE", "integer .npy [N]"},
        {"data", US_OPT_STRING, &data_name, "DATA", "take the labels from a dataset"},
        {"rule", US_OPT_STRING, &rule, "R", "selection rule (ccs)"},
        {"hardness", US_OPT_STRING, &files.hardness, "FILE",
         "CCS: scores to cut by, float .npy [N] (--scores)"},
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
    US_TRY(unseen_select_files(rule, &files, &options, &n, &m));
    if (common.json)
        US_TRY(us_print_json(
            json_pack("{s:I, s:I, s:s}", "n", (json_int_t)n, "kept", (json_int_t)m, "file", common.out)));
    else
        printf("kept %lld of %lld samples  %s\n", (long long)m, (long long)n, common.out);
out:
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}
