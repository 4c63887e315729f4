/* Options of the subcommands as tables: one table gives parsing, --help and --config. */
#ifndef US_CMD_OPTIONS_H
#define US_CMD_OPTIONS_H

#include <stdint.h>

#include "base/status.h"

enum us_option_kind {
    US_OPT_ON,     /* int *: 1 when given */
    US_OPT_OFF,    /* int *: 0 when given */
    US_OPT_INT,    /* int * */
    US_OPT_I64,    /* int64_t * */
    US_OPT_U64,    /* uint64_t * */
    US_OPT_FLOAT,  /* float * */
    US_OPT_DOUBLE, /* double * */
    US_OPT_STRING, /* const char **, borrowed from argv or the config file's text */
    US_OPT_NAME,   /* char[32] */
    US_OPT_AUTO,   /* int *: a positive number, or 0 for "auto" */
    US_OPT_SHARE,  /* double *: a number from 0, or for a word of `argument`, "a|b|X", -1 - its position */
    US_OPT_CHOICE, /* int *: position in `argument`, "a|b|c" */
};

struct us_option {
    const char *name; /* without the dashes; NULL ends a table */
    enum us_option_kind kind;
    void *value;
    const char *argument; /* how --help shows it; the choices of US_OPT_CHOICE */
    const char *help;
};

/* What every subcommand takes. */
struct us_common {
    const char *device;
    uint64_t seed;
    const char *out;
    int quiet, verbose, no_progress, json;
    const char *config;
    char *config_text;
};

struct us_usage {
    const char *synopsis;         /* "unseen train DATA [options]" */
    const char *about;            /* a paragraph */
    const struct us_option *own;  /* the subcommand's options */
    const struct us_option *more; /* a second table, e.g. the recipe; may be NULL */
    void (*lists)(void);          /* prints registries behind the options; may be NULL */
    int min_arguments, max_arguments;
};

/* Parse argv[1..]; positional arguments go to `arguments` [max_arguments] (NULL where absent). --help prints
 * to stdout and sets *help. Options of --config FILE ("key = value" lines, # comments) come before those of
 * the command line. Applies --quiet,
 * --verbose and --no-progress. UNSEEN_USAGE names the option and the value. End with us_common_end. */
enum unseen_status us_options_parse(const struct us_usage *usage, int argc, char **argv,
                                    struct us_common *common, const char **arguments, bool *help);
void us_common_end(struct us_common *common);

/* UNSEEN_USAGE unless --out was given. */
enum unseen_status us_need_out(const struct us_common *common);

#endif
