#include "config.h"

#include "compare/sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/text.h"
#include "compare/baseline.h"
#include "compare/compare_options.h"
#include "select/rule.h"

static bool is_plain(const char *metric)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return metric[strspn(metric, plain)] == '\0';
}

static bool number(const char *text, double *value)
{
    char *end;
    *value = us_read_number(text, &end);
    return end != text && !*end && isfinite(*value);
}

/* As --keep of a single selection is read. */
static enum unseen_status parse_keep(const char *text, double *keep)
{
    struct unseen_select_options select = {0};
    struct us_option_at at = {0};
    if (!us_option_find(us_select_options, &select, "keep", &at))
        return us_fail(UNSEEN_FAILED, "--keep", "is no option of a selection");
    const enum unseen_status st = us_option_parse(&at, text);
    *keep = select.keep;
    return st;
}

static enum unseen_status parse_protocol(const char *text, struct us_row *row)
{
    row->trajectory = UNSEEN_SEEN;
    row->incremental = strcmp(text, US_PROTOCOL_INCREMENTAL) == 0;
    snprintf(row->protocol, sizeof row->protocol, "%s", text);
    if (row->incremental)
        text = "fold"; /* what the models of a step are */
    if (strcmp(text, US_PROTOCOL_FOLD_SEEN) == 0 ||
        unseen_protocol_parse(text, &row->trajectory) == UNSEEN_OK)
        return UNSEEN_OK;
    return us_fail(
        UNSEEN_USAGE, "--protocols",
        "'%s' is not one of seen, fold, one-fold, " US_PROTOCOL_FOLD_SEEN ", " US_PROTOCOL_INCREMENTAL, text);
}

static bool is_one_of(const char *name, const char *a, const char *b, const char *c)
{
    return strcmp(name, a) == 0 || strcmp(name, b) == 0 || strcmp(name, c) == 0;
}

static bool cutoff_word(const char *text, double *value)
{
    bool automatic = strcmp(text, "auto") == 0, table = strcmp(text, "table") == 0;
    if (automatic || table)
        *value = automatic ? UNSEEN_CUTOFF_AUTO : UNSEEN_CUTOFF_TABLE;
    return automatic || table;
}

static enum unseen_status parse_rule(const char *text, struct us_row *row)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] ? text + length + 1 : NULL;
    if (strlen(text) < sizeof row->rule) {
        snprintf(row->rule, sizeof row->rule, "%s", text);
        snprintf(row->rule_name, sizeof row->rule_name, "%.*s", (int)length, text);
    }
    if (!us_rule_is_known(row->rule_name) || strcmp(row->rule_name, "random") == 0) {
        us_fail(UNSEEN_USAGE, "--rules", "'%s' is no rule that chooses by scores", text);
        us_hint("unseen select --help lists the rules; --baselines random compares random subsets");
        return UNSEEN_USAGE;
    }
    row->value = NAN;
    if (!value)
        return UNSEEN_OK;
    row->search = strcmp(value, "search") == 0;
    bool word = row->search || cutoff_word(value, &row->value);
    bool takes = is_one_of(row->rule_name, "ccs", "window", word ? "ccs" : "beta");
    if (!takes || (!word && (!number(value, &row->value) || row->value < 0)))
        return us_fail(UNSEEN_USAGE, "--rules", "'%s': %s takes no such value", text, row->rule_name);
    return UNSEEN_OK;
}

static void add(struct us_sweep *sweep, const struct us_row *row)
{
    sweep->rows[sweep->n++] = *row;
}

/* Numbers that are written differently and are the same would share a folder, or train the same twice. */
static enum unseen_status refuse_equal_keeps(const struct us_list *keep)
{
    enum unseen_status st = UNSEEN_OK;
    double value[US_LIST_MOST];
    for (int k = 0; k < keep->n; k++) {
        US_TRY(parse_keep(keep->entry[k], &value[k]));
        for (int before = 0; before < k; before++) {
            if (value[before] == value[k])
                return us_fail(UNSEEN_USAGE, "--keep", "'%s' is there twice, as '%s' too", keep->entry[k],
                               keep->entry[before]);
        }
    }
out:
    return st;
}

static enum unseen_status refuse_equal_rules(const struct us_list *rules)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_row row[US_LIST_MOST];
    for (int k = 0; k < rules->n; k++) {
        row[k] = (struct us_row){0};
        US_TRY(parse_rule(rules->entry[k], &row[k]));
        for (int before = 0; before < k; before++) {
            if (strcmp(row[before].rule_name, row[k].rule_name) == 0 && row[before].value == row[k].value)
                return us_fail(UNSEEN_USAGE, "--rules", "'%s' is there twice, as '%s' too", rules->entry[k],
                               rules->entry[before]);
        }
    }
out:
    return st;
}

static enum unseen_status add_baseline(const char *name, const struct us_list *keep, struct us_sweep *sweep)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_row row;
    bool once = false;
    for (int k = 0; k < keep->n && !once; k++) {
        double ratio;
        US_TRY(parse_keep(keep->entry[k], &ratio));
        if (us_baseline_row(name, ratio, &row, &once))
            add(sweep, &row);
    }
out:
    return st;
}

static enum unseen_status add_baselines(const struct us_list *names, const struct us_list *keep,
                                        struct us_sweep *sweep)
{
    enum unseen_status st = UNSEEN_OK;
    add(sweep, &(struct us_row){.kind = US_ROW_FULL, .rule = "full", .keep = 1, .value = NAN});
    for (int b = 0; b < names->n; b++)
        US_TRY(add_baseline(names->entry[b], keep, sweep));
out:
    return st;
}

static enum unseen_status add_scored(const char *metric, const char *protocol, const char *rule,
                                     const struct us_list *keep, struct us_sweep *sweep)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_row row = {.kind = US_ROW_SCORED};
    if (strlen(metric) >= sizeof row.metric) {
        st = us_fail(UNSEEN_USAGE, "--metrics", "'%s' is too long", metric);
        goto out;
    }
    snprintf(row.metric, sizeof row.metric, "%s", metric);
    US_TRY(parse_protocol(protocol, &row));
    US_TRY(unseen_score_check(metric, row.trajectory));
    US_TRY(parse_rule(rule, &row));
    if (row.incremental && row.search) {
        st = us_fail(UNSEEN_USAGE, "--rules", "'%s': a cut-off is not searched for in steps", rule);
        goto out;
    }
    for (int k = 0; k < keep->n; k++) {
        US_TRY(parse_keep(keep->entry[k], &row.keep));
        add(sweep, &row);
    }
out:
    return st;
}

enum unseen_status us_sweep_make(const struct unseen_compare_options *o, struct us_sweep *sweep)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_list metrics = {0}, protocols = {0}, rules = {0}, keep = {0}, baselines = {0};
    *sweep = (struct us_sweep){0};
    struct us_option_at seeds;
    if (us_option_find(us_compare_options, o, "seeds", &seeds))
        US_TRY(us_option_check(&seeds));
    US_TRY(us_list_split("--metrics", o->metrics, &metrics));
    US_TRY(us_list_split("--protocols", o->protocols, &protocols));
    US_TRY(us_list_split("--rules", o->rules, &rules));
    US_TRY(us_list_split("--keep", o->keep, &keep));
    US_TRY(us_list_split("--baselines", o->baselines, &baselines));
    US_TRY(us_baselines_check(&baselines, o->budget));
    US_TRY(refuse_equal_keeps(&keep));
    US_TRY(refuse_equal_rules(&rules));
    const size_t scored = (size_t)metrics.n * (size_t)protocols.n * (size_t)rules.n;
    const size_t most = 1 + (size_t)keep.n * ((size_t)baselines.n + scored);
    US_TRY_ALLOC(sweep->rows = us_calloc(most, sizeof *sweep->rows));
    US_TRY(add_baselines(&baselines, &keep, sweep));
    for (int m = 0; m < metrics.n; m++) {
        for (int p = 0; p < protocols.n; p++) {
            for (int r = 0; r < rules.n; r++)
                US_TRY(add_scored(metrics.entry[m], protocols.entry[p], rules.entry[r], &keep, sweep));
        }
    }
out:
    us_list_end(&metrics);
    us_list_end(&protocols);
    us_list_end(&rules);
    us_list_end(&keep);
    us_list_end(&baselines);
    return st;
}

void us_sweep_free(struct us_sweep *sweep)
{
    free(sweep->rows);
    *sweep = (struct us_sweep){0};
}

/* What stands for a metric in the name of a folder: itself, or a hash of a formula, whose signs are no part
 * of a file name. */
static void metric_name(const char *metric, char name[64])
{
    if (is_plain(metric))
        snprintf(name, 64, "%s", metric);
    else
        snprintf(name, 64, "formula%016" PRIx64, us_hash(US_HASH_START, metric, strlen(metric)));
}

/* The fewest digits that are read back as the same number. */
static void number_name(double value, char name[32])
{
    for (int digits = 6; digits <= 17; digits++) {
        us_print_to(name, 32, "%.*g", digits, value);
        if (us_read_number(name, NULL) == value)
            return;
    }
}

char *us_cell_folder(const struct unseen_compare_options *o, const struct us_row *row, int seed)
{
    char metric[64], keep[32];
    uint64_t number = o->seed + (uint64_t)seed;
    metric_name(row->metric, metric);
    number_name(row->keep, keep);
    if (row->kind == US_ROW_SCORED)
        return us_format("%s/cells/%s-%s-%s-k%s-s%" PRIu64, o->out, metric, row->protocol, row->rule, keep,
                         number);
    return us_format("%s/cells/%s-k%s-s%" PRIu64, o->out, row->rule, keep, number);
}

const char *us_sweep_scoring_name(const char *protocol)
{
    return strcmp(protocol, US_PROTOCOL_FOLD_SEEN) == 0 ? "fold" : protocol;
}

static char *scoring_folder(const struct unseen_compare_options *o, const char *protocol, int seed)
{
    return us_format("%s/scoring/%s-s%" PRIu64, o->out ? o->out : "", protocol,
                     o->seed + (o->score_once ? 0 : (uint64_t)seed));
}

char *us_cell_trajectory(const struct unseen_compare_options *o, const struct us_row *row, int seed)
{
    bool seen_side = strcmp(row->protocol, US_PROTOCOL_FOLD_SEEN) == 0;
    char *folder = scoring_folder(o, us_sweep_scoring_name(row->protocol), seed);
    char *path = folder ? us_format("%s/%s", folder, seen_side ? "seen/trajectory" : "trajectory") : NULL;
    free(folder);
    return path;
}

enum unseen_status us_sweep_scoring(const struct unseen_compare_options *o, const char *protocol, int seed,
                                    struct unseen_scoring_options *scoring, char **folder)
{
    const char *name = us_sweep_scoring_name(protocol);
    *scoring = o->scoring;
    enum unseen_status st =
        unseen_protocol_parse(strcmp(name, US_PROTOCOL_INCREMENTAL) == 0 ? "fold" : name, &scoring->protocol);
    if (st)
        return st;
    scoring->seed = o->seed + (o->score_once ? 0 : (uint64_t)seed);
    scoring->concurrent = o->concurrent;
    scoring->command = o->command;
    *folder = scoring_folder(o, name, seed);
    scoring->out = o->out ? *folder : NULL;
    return *folder ? UNSEEN_OK : UNSEEN_FAILED;
}
