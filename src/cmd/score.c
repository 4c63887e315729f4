#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/list.h"
#include "base/npy.h"
#include "cmd/cmd.h"
#include "score/score_function.h"
#include "trajectory/trajectory.h"
#include "unseen/score.h"

/* "dir/scores.npy" for one metric; "dir/scores-el2n.npy", "dir/scores-0.5xel2n+dual.npy" and so on for
 * several. */
static char *output_path(const char *out, const char *metric, bool several)
{
    const char *dot = strrchr(out, '.');
    int stem = dot && !strchr(dot, '/') ? (int)(dot - out) : (int)strlen(out);
    if (!several)
        return us_format("%s", out);
    char *path = us_format("%.*s-%s%s", stem, out, metric, out + stem);
    for (size_t i = (size_t)stem; path && i < (size_t)stem + 1 + strlen(metric); i++)
        path[i] = path[i] == '*' ? 'x' : path[i] == ' ' ? '_' : path[i];
    return path;
}

/* `rows` (NULL without --json) collects what is printed in the end. */
static enum unseen_status score_one(const struct unseen_trajectory *trajectory, const char *metric,
                                    const struct unseen_score_options *options, const char *path,
                                    json_t *rows, float *scores)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_spread spread;
    US_TRY(unseen_score(trajectory, metric, options, scores));
    US_TRY(unseen_spread(scores, trajectory->n, &spread));
    US_TRY(us_npy_write(path, US_F32, 1, &trajectory->n, scores));
    if (!rows)
        printf("%-12s interquartile range %.3f, histogram entropy %.3f  %s\n", metric, spread.iqr,
               spread.entropy, path);
    else if (json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:f, s:o}", "metric", metric, "n",
                                                   (json_int_t)trajectory->n, "iqr", spread.iqr, "entropy",
                                                   spread.entropy, "file", us_json_text(path))))
        st = us_fail(UNSEEN_FAILED, "--json", "cannot print");
out:
    return st;
}

struct request {
    const char *metrics, *folder, *probs;
    int list;
    struct unseen_score_options options;
};

/* All of the files, before the first is written. */
static enum unseen_status check_outputs(const struct us_common *common, const struct us_list *metrics)
{
    for (int i = 0; i < metrics->n; i++) {
        char *path = output_path(common->out, metrics->entry[i], metrics->n > 1);
        enum unseen_status st = path ? us_may_write(common, path) : UNSEEN_FAILED;
        free(path);
        if (st)
            return st;
    }
    return UNSEEN_OK;
}

/* The trajectory with the quantities that the metrics read, and no others. */
static enum unseen_status open_trajectory(const char *folder, const struct us_list *metrics,
                                          struct unseen_trajectory **trajectory)
{
    enum unseen_status st = UNSEEN_OK;
    unsigned wanted = 0, bits;
    for (int i = 0; i < metrics->n; i++) {
        US_TRY(us_score_reads(metrics->entry[i], &bits));
        wanted |= bits;
    }
    /* A random one reads none, but counts the samples. */
    st = us_trajectory_open(folder, wanted ? wanted : 1u << UNSEEN_P_TRUE, trajectory);
out:
    return st;
}

static enum unseen_status score_all(const struct us_common *common, const struct request *r)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_trajectory *trajectory = NULL;
    float *scores = NULL;
    struct us_list metrics = {0};
    char *path = NULL;
    json_t *rows = NULL;
    US_TRY(us_list_split("--metric", r->metrics, &metrics));
    US_TRY(check_outputs(common, &metrics));
    US_TRY(open_trajectory(r->folder, &metrics, &trajectory));
    US_TRY_ALLOC(scores = us_calloc((size_t)trajectory->n, sizeof *scores));
    if (common->json)
        US_TRY_ALLOC(rows = json_array());
    for (int i = 0; i < metrics.n; i++) {
        US_TRY_ALLOC(path = output_path(common->out, metrics.entry[i], metrics.n > 1));
        US_TRY(score_one(trajectory, metrics.entry[i], &r->options, path, rows, scores));
        free(path);
        path = NULL;
    }
    if (rows)
        US_TRY(us_print_json(json_incref(rows)));
out:
    json_decref(rows);
    free(path);
    us_list_end(&metrics);
    free(scores);
    unseen_trajectory_close(trajectory);
    return st;
}

static enum unseen_status write_probs(const struct request *r)
{
    struct unseen_trajectory *trajectory = NULL;
    enum unseen_status st = us_trajectory_open(r->folder, 1u << UNSEEN_P_TRUE, &trajectory);
    if (st == UNSEEN_OK)
        st = unseen_pred_probs_write(trajectory, r->options.epoch, r->probs);
    unseen_trajectory_close(trajectory);
    return st;
}

enum { NEEDS_TEXT = 128 };

/* The quantities that have to be recorded on demand for a metric, commas between them; "" for none. */
static enum unseen_status needs_of(const char *metric, char text[NEEDS_TEXT])
{
    unsigned bits;
    enum unseen_status st = unseen_score_needs(metric, &bits);
    text[0] = '\0';
    for (int q = 0, at = 0; !st && q < UNSEEN_N_QUANTITIES && at < 100; q++) {
        if (bits >> q & 1)
            at += snprintf(text + at, (size_t)(NEEDS_TEXT - at), "%s%s", at ? "," : "",
                           unseen_quantity_name(q));
    }
    return st;
}

/* "12", or for what is recorded once "4 once", "4d once". */
static enum unseen_status bytes_of(const char *metric, char text[NEEDS_TEXT])
{
    struct us_score_bytes reads;
    const enum unseen_status st = us_score_bytes(metric, &reads);
    if (reads.features || reads.sample)
        snprintf(text, NEEDS_TEXT, "%d%s once", (int)sizeof(float), reads.features ? "d" : "");
    else
        snprintf(text, NEEDS_TEXT, "%d", reads.epoch);
    return st;
}

enum { LIST_COLUMNS = 3 };

/* The cells of a score's row. */
static enum unseen_status list_row(int i, char text[LIST_COLUMNS][NEEDS_TEXT])
{
    enum unseen_status st = UNSEEN_OK;
    const char *name = unseen_score_name(i);
    snprintf(text[0], NEEDS_TEXT, "%s", name);
    US_TRY(bytes_of(name, text[1]));
    US_TRY(needs_of(name, text[2]));
    if (!*text[2])
        strcpy(text[2], "-");
out:
    return st;
}

static enum unseen_status print_list(void)
{
    enum unseen_status st = UNSEEN_OK;
    char row[LIST_COLUMNS][NEEDS_TEXT] = {"score", "bytes", "--record-also"};
    int width[LIST_COLUMNS] = {0};
    for (int i = -1; i < 0 || unseen_score_name(i); i++) {
        if (i >= 0)
            US_TRY(list_row(i, row));
        for (int c = 0; c < LIST_COLUMNS; c++)
            width[c] = us_wider(width[c], row[c]);
    }
    printf("%-*s  %-*s  %s\n", width[0], "score", width[1], "bytes", "--record-also");
    for (int i = 0; unseen_score_name(i); i++) {
        US_TRY(list_row(i, row));
        printf("%-*s  %-*s  %-*s  %s\n", width[0], row[0], width[1], row[1], width[2], row[2],
               unseen_score_help(i));
    }
    printf(
        "\nbytes: what is read of a trajectory, a sample and epoch; once: a sample, of d features. Recorded "
        "are %d always, and\nwhat --record-also names comes to that.\n",
        (UNSEEN_N_ALWAYS - 1) * (int)sizeof(float) + 1);
out:
    return st;
}

static enum unseen_status print_list_json(void)
{
    enum unseen_status st = UNSEEN_OK;
    json_t *rows = json_array();
    char needs[NEEDS_TEXT];
    struct us_score_bytes reads;
    for (int i = 0; unseen_score_name(i); i++) {
        US_TRY(needs_of(unseen_score_name(i), needs));
        US_TRY(us_score_bytes(unseen_score_name(i), &reads));
        json_array_append_new(rows, json_pack("{s:s, s:s, s:i, s:i, s:b, s:s}", "name", unseen_score_name(i),
                                              "record_also", needs, "bytes_per_sample_and_epoch", reads.epoch,
                                              "bytes_per_sample", reads.sample, "features", reads.features,
                                              "about", unseen_score_help(i)));
    }
    US_TRY(us_print_json(json_incref(rows)));
out:
    json_decref(rows);
    return st;
}

static const struct us_option own[] = {
    {"metric", US_STRING, US_AT(struct request, metrics), .standard = "el2n", .value = "M[,M...]",
     .help = "scores to compute, or sums of them", .known = unseen_score_name},
    {"trajectory", US_STRING, US_AT(struct request, folder), .value = "DIR",
     .help = "a recorded or imported trajectory"},
    {"probs-out", US_STRING, US_AT(struct request, probs), .value = "FILE",
     .help = "write the probabilities of all classes at --epoch (the last), float32 .npy [N, C], as cleanlab "
             "takes them; the trajectory holds probs. Without --out no scores"},
    {"list", US_BOOL, US_AT(struct request, list),
     .help = "list the scores and what has to be recorded for them"},
    {"score", US_STRUCT, US_AT(struct request, options), .table = us_score_options},
    {0},
};

enum unseen_status us_cmd_score(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct request request = {0};
    bool help;
    us_options_defaults(own, &request);
    const struct us_usage usage = {
        .synopsis = "unseen score --metric M --trajectory DIR --out scores.npy|--probs-out FILE",
        .about = "Score every sample from a trajectory, ours or another framework's; trains nothing. Higher "
                 "scores are harder samples. With several metrics the name of each is put into the file "
                 "name. A metric may be a sum with weights, such as 0.5*el2n+0.5*dual: of each score's "
                 "ranks, scaled to (0,1).",
        .groups = {{own, &request, NULL}},
        .common = "seed out json force",
        .lists = us_list_scores,
    };
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    if (request.list) {
        US_TRY(common.json ? print_list_json() : print_list());
        goto out;
    }
    if (!request.probs)
        US_TRY(us_need_out(&common));
    if (!request.folder) {
        st = us_fail(UNSEEN_USAGE, "--trajectory", "is needed: the folder to read");
        goto out;
    }
    request.options.seed = common.seed;
    if (request.probs)
        US_TRY(us_may_write(&common, request.probs));
    if (common.out)
        US_TRY(score_all(&common, &request));
    if (request.probs)
        US_TRY(write_probs(&request));
out:
    us_common_end(&common);
    return st;
}
