#include "config.h"

#include "nn/sampler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(member) US_AT(struct unseen_sampler, member)

const struct us_option us_sampler_options[] = {
    {"sampler", US_NAME, AT(name), .standard = "all", .value = "NAME",
     .help = "which samples an epoch trains on", .known = unseen_sampler_name},
    {"sampler-keep", US_DOUBLE, AT(keep), .standard = "0.5", .low = 0, .high = 1, .value = "R",
     .help = "share of the samples that an epoch trains on; infobatch: of those below the mean loss",
     .flags = US_ABOVE_LOW},
    {0},
};

struct sampler {
    const char *name;
    us_sampler_function *function;
    int flags;
    const char *help;
};

static const struct sampler samplers[] = {
#define US_SAMPLER(name, function, flags, help) {name, function, flags, help},
#include "nn/samplers.def"
#undef US_SAMPLER
};

enum { N_SAMPLERS = sizeof samplers / sizeof samplers[0] };

void unseen_sampler_defaults(struct unseen_sampler *sampler)
{
    us_options_defaults(us_sampler_options, sampler);
}

const char *unseen_sampler_name(int i)
{
    return i >= 0 && i < N_SAMPLERS ? samplers[i].name : NULL;
}

const char *unseen_sampler_help(int i)
{
    return i >= 0 && i < N_SAMPLERS ? samplers[i].help : NULL;
}

static const struct sampler *known(const char *name)
{
    for (int i = 0; i < N_SAMPLERS; i++) {
        if (strcmp(samplers[i].name, name) == 0)
            return &samplers[i];
    }
    return NULL;
}

static const struct sampler *of(const struct unseen_sampler *sampler)
{
    return known(sampler ? sampler->name : "all");
}

enum unseen_status unseen_sampler_check(const struct unseen_sampler *sampler)
{
    struct unseen_sampler defaults;
    char names[256] = "";
    unseen_sampler_defaults(&defaults);
    if (!known(sampler->name)) {
        for (int i = 0; i < N_SAMPLERS; i++) {
            const size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", samplers[i].name);
        }
        us_fail(UNSEEN_USAGE, "--sampler", "no sampler is called \"%s\"", sampler->name);
        us_hint("the samplers are %s", names);
        return UNSEEN_USAGE;
    }
    if (us_sampler_takes_all(sampler) && sampler->keep != defaults.keep) {
        us_fail(UNSEEN_USAGE, "--sampler-keep", "without --sampler every epoch trains on all samples");
        us_hint("--sampler rs2 takes a share of them in each epoch");
        return UNSEEN_USAGE;
    }
    return us_options_check(us_sampler_options, sampler);
}

enum unseen_status us_sampler_check_on(const struct unseen_sampler *sampler, int64_t n)
{
    const enum unseen_status st = sampler ? unseen_sampler_check(sampler) : UNSEEN_OK;
    if (st == UNSEEN_OK && us_sampler_most(sampler, n) < 1)
        return us_fail(UNSEEN_USAGE, "--sampler-keep", "%g of %lld samples is nothing", sampler->keep,
                       (long long)n);
    return st;
}

int us_sampler_flags(const struct unseen_sampler *sampler)
{
    return of(sampler)->flags;
}

bool us_sampler_takes_all(const struct unseen_sampler *sampler)
{
    return of(sampler)->function == us_sample_all;
}

int64_t us_sampler_most(const struct unseen_sampler *sampler, int64_t n)
{
    return us_sampler_flags(sampler) & US_THINS ? llround(sampler->keep * (double)n) : n;
}

enum unseen_status us_sampler_run(const struct unseen_sampler *sampler, const struct us_sampler_input *in,
                                  struct us_sampled *out)
{
    struct us_sampler_input filled = *in;
    filled.keep = sampler ? sampler->keep : 1;
    out->m = us_sampler_most(sampler, in->n);
    return of(sampler)->function(&filled, out);
}

char *us_sampler_lines(const struct unseen_sampler *sampler)
{
    struct unseen_sampler all;
    unseen_sampler_defaults(&all);
    return us_options_lines(us_sampler_options, sampler ? sampler : &all, 0);
}
