#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/npy.h"
#include "cmd/cmd.h"
#include "cmd/scoring_options.h"
#include "unseen/dataset.h"
#include "unseen/select.h"

/* Labels of `n` samples from --labels or --data; none is fine for rules that do not look at classes. */
static enum unseen_status read_labels(const char *file, const char *data_name, int64_t n, int32_t **labels,
                                      int *classes)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_dataset *data = NULL;
    int64_t *wide = NULL, count = 0;
    int32_t *narrow = NULL;
    if (file)
        US_TRY(us_npy_read_i64(file, 1, &count, &wide));
    else if (data_name) {
        US_TRY(unseen_dataset_open(data_name, NULL, &data));
        count = data->split[UNSEEN_TRAIN].n;
    } else {
        goto out;
    }
    const char *source = file ? file : data_name;
    if (count != n) {
        st = us_fail(UNSEEN_BAD_DATA, source, "has %lld labels for %lld scores", (long long)count,
                     (long long)n);
        goto out;
    }
    narrow = us_calloc((size_t)n, sizeof *narrow);
    US_TRY_ALLOC(narrow);
    *classes = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t label = wide ? wide[i] : data->split[UNSEEN_TRAIN].labels[i];
        if (label < 0 || label > 1000000) {
            st = us_fail(UNSEEN_BAD_DATA, source, "label %lld of sample %lld is out of range",
                         (long long)label, (long long)i);
            goto out;
        }
        narrow[i] = (int32_t)label;
        if (label >= *classes)
            *classes = (int)label + 1;
    }
    *labels = narrow;
    narrow = NULL;
out:
    free(narrow);
    free(wide);
    unseen_dataset_close(data);
    return st;
}

enum unseen_status us_cmd_select(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_select_options options = {.keep = 0.5, .cutoff = -1};
    const char *score_file = NULL, *label_file = NULL, *data = NULL, *rule = "ccs", *hardness_file = NULL,
               *cut = NULL;
    float *scores = NULL, *hardness = NULL;
    int32_t *labels = NULL;
    int64_t *keep = NULL, n = 0, n_hardness = 0, m = 0;
    int classes = 0;
    bool help;
    const struct us_option own[] = {
        {"scores", US_OPT_STRING, &score_file, "FILE", "float .npy [N]; higher is harder"},
        {"labels", US_OPT_STRING, &label_file, "FILE", "integer .npy [N]"},
        {"data", US_OPT_STRING, &data, "DATA", "take the labels from a dataset"},
        {"rule", US_OPT_STRING, &rule, "R", "selection rule (ccs)"},
        {"hardness", US_OPT_STRING, &hardness_file, "FILE",
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
    if (!score_file) {
        st = us_fail(UNSEEN_USAGE, "--scores", "is needed: the file to read");
        goto out;
    }
    options.seed = common.seed;
    US_TRY(us_npy_read_f32(score_file, 1, &n, &scores));
    if (hardness_file) {
        US_TRY(us_npy_read_f32(hardness_file, 1, &n_hardness, &hardness));
        if (n_hardness != n) {
            st = us_fail(UNSEEN_BAD_DATA, hardness_file, "has %lld values for %lld scores",
                         (long long)n_hardness, (long long)n);
            goto out;
        }
        options.hardness = hardness;
    }
    US_TRY(read_labels(label_file, data, n, &labels, &classes));
    US_TRY(unseen_select(rule, scores, labels, n, classes, &options, &keep, &m));
    US_TRY(us_npy_write(common.out, US_I64, 1, &m, keep));
    if (common.json)
        US_TRY(us_print_json(
            json_pack("{s:I, s:I, s:s}", "n", (json_int_t)n, "kept", (json_int_t)m, "file", common.out)));
    else
        printf("kept %lld of %lld samples  %s\n", (long long)m, (long long)n, common.out);
out:
    free(keep);
    free(labels);
    free(hardness);
    free(scores);
    us_common_end(&common);
    return st;
}
