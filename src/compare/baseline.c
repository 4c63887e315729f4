#include "config.h"

#include "compare/baseline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/sampler.h"

struct baseline {
    const char *name;
    enum us_row_kind kind;
    const char *help;
};

/* The samplers follow. */
static const struct baseline own[] = {
    {"random", US_ROW_RANDOM, "a random subset of each keep ratio"},
    {"full-short", US_ROW_SHORT,
     "all data in a schedule of keep * epochs, rounded: the images that a coreset would train on"},
};

enum { OWN = sizeof own / sizeof *own };

/* The i-th sampler but for that which takes all. */
static int sampler_at(int i)
{
    struct unseen_sampler sampler;
    int at = 0;
    for (; unseen_sampler_name(at); at++) {
        snprintf(sampler.name, sizeof sampler.name, "%s", unseen_sampler_name(at));
        if (!us_sampler_takes_all(&sampler) && i-- == 0)
            break;
    }
    return at;
}

const char *us_baseline_name(int i)
{
    return i < OWN ? own[i].name : unseen_sampler_name(sampler_at(i - OWN));
}

const char *us_baseline_help(int i)
{
    return i < OWN ? own[i].help : unseen_sampler_help(sampler_at(i - OWN));
}

static int find(const char *name)
{
    for (int i = 0; us_baseline_name(i); i++) {
        if (strcmp(us_baseline_name(i), name) == 0)
            return i;
    }
    return -1;
}

static enum unseen_status refuse_unknown(const char *name)
{
    char names[256] = "";
    for (int i = 0; us_baseline_name(i); i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", us_baseline_name(i));
    }
    us_fail(UNSEEN_USAGE, "--baselines", "'%s' is no baseline", name);
    us_hint("the baselines are %s; all of the data are compared in any case", names);
    return UNSEEN_USAGE;
}

enum unseen_status us_baselines_check(const struct us_list *names, enum unseen_budget budget)
{
    for (int i = 0; i < names->n; i++) {
        const int at = find(names->entry[i]);
        if (at < 0)
            return refuse_unknown(names->entry[i]);
        if (at < OWN && own[at].kind == US_ROW_SHORT && budget == UNSEEN_BUDGET_STEPS)
            return us_fail(UNSEEN_USAGE, "--baselines",
                           "with --budget steps '%s' is the same as all of the data", names->entry[i]);
    }
    return UNSEEN_OK;
}

bool us_baseline_row(const char *name, double keep, struct us_row *row, bool *once)
{
    const int at = find(name);
    *row = (struct us_row){.kind = at < OWN ? own[at].kind : US_ROW_SAMPLER, .keep = keep, .value = NAN};
    *once = false;
    snprintf(row->rule, sizeof row->rule, "%s", name);
    if (row->kind == US_ROW_RANDOM)
        snprintf(row->rule_name, sizeof row->rule_name, "%s", name);
    if (row->kind != US_ROW_SAMPLER)
        return row->kind == US_ROW_RANDOM || keep < 1;
    unseen_sampler_defaults(&row->sampler);
    snprintf(row->sampler.name, sizeof row->sampler.name, "%s", name);
    if (us_sampler_flags(&row->sampler) & US_THINS) {
        row->sampler.keep = keep;
        return keep < 1;
    }
    /* What share it leaves out it finds as it trains. */
    *once = true;
    row->keep = 1;
    return true;
}
