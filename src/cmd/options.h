/* The command line of the subcommands, from tables of options (base/option.h). */
#ifndef US_CMD_OPTIONS_H
#define US_CMD_OPTIONS_H

#include <stdint.h>

#include "base/option.h"
#include "base/status.h"

/* What subcommands have in common. */
struct us_common {
    const char *device;
    uint64_t seed;
    const char *out;
    int json, force, dry_run, quiet, verbose, progress;
    const char *config;
    char *config_text;            /* what strings from --config point into .. */
    json_t *config_json;          /* .. or this, of a run.json */
    struct us_entries *unsettled; /* all options, where some wait for us_options_settle; else NULL */
};

/* A table and the struct that it is of. */
struct us_group {
    const struct us_option *table; /* NULL ends a list */
    void *base;
    const char *title; /* of --help; NULL: "Options" */
};

enum { US_GROUPS_MOST = 8 };

struct us_usage {
    const char *synopsis; /* "unseen train DATA [options]" */
    const char *about;    /* a paragraph, a blank and not a line feed between its words */
    struct us_group groups[US_GROUPS_MOST];
    const char *common;  /* which of "device seed out json dry-run" it takes */
    void (*lists)(void); /* prints registries behind the options; may be NULL */
    int min_arguments, max_arguments;
};

/* All options of a command. */
enum { US_ENTRIES_MOST = 192 };
struct us_entry {
    struct us_option_at at;
    const char *title;
    int given;         /* 1: in --config, 2: on the command line */
    bool filled;       /* by one of the command's options that has a word "auto" */
    char opposite[72]; /* of a US_BOOL, or what was one: its name with "no-" */
};
struct us_entries {
    struct us_entry entry[US_ENTRIES_MOST];
    int n;
};

/* Parse argv[1..]; positional arguments go to `arguments` [max_arguments] (NULL where absent). --help prints
 * or the list of --device list to stdout and sets *help; the caller then only ends. Options of --config FILE
 * come before those of the command line: FILE holds "key = value" lines with # comments, or is a run.json,
 * which also names the dataset (the first argument, unless one is given) and the device. Applies --quiet,
 * --verbose and
 * --no-progress. UNSEEN_USAGE names the option and the value. End with us_common_end. */
enum unseen_status us_options_parse(const struct us_usage *usage, int argc, char **argv,
                                    struct us_common *common, const char **arguments, bool *help);
void us_common_end(struct us_common *common);

/* Now that the dataset is known: what "auto" stands for, the default of options that have such a word, fills
 * what is not given. */
enum unseen_status us_options_settle(const struct us_common *common, const struct unseen_dataset *data);

/* Apply --quiet and --verbose: us_options_parse does. */
void us_options_log_level(const struct us_common *common);

/* UNSEEN_USAGE unless --out was given, or --dry-run. */
enum unseen_status us_need_out(const struct us_common *common);

/* UNSEEN_USAGE if the file is there already and --force was not given. */
enum unseen_status us_may_write(const struct us_common *common, const char *path);

/* The options of --config, to `all`; strings live as long as `common`. */
enum unseen_status us_config_read(struct us_entries *all, struct us_common *common);

/* Add the rows of a group to them: all, or only those named in "a b c". */
void us_entries_add(struct us_entries *all, const struct us_group *group, const char *only);

/* The entry of that name, which may be an old one or, where `no` is not NULL, one with "no-": *no tells. NULL
 * for none. */
struct us_entry *us_entry_find(struct us_entries *all, const char *name, bool *no);

/* Set it from text; NULL: it is given without a value, which means true. `no`: by the name of its opposite.
 */
enum unseen_status us_entry_set(struct us_entry *entry, bool no, const char *text);

/* What is printed of a command's options instead of running it. */
enum us_print {
    US_PRINT_NOTHING,
    US_PRINT_HELP,
    US_PRINT_MAN,  /* sections of a man page: --man, for scripts/make-man */
    US_PRINT_ROWS, /* "--name TAB values TAB help", for scripts/make-completion: --rows */
};
void us_print_usage(const struct us_usage *usage, const struct us_entries *all, enum us_print what);

/* Its parts, for lists behind the options: a line of text from column `at` on, the next lines indented; a
 * group's title; an option or a name and what is said of it. */
void us_print_text(const char *text, int at, int indent);
void us_print_title(const char *title);
void us_print_entry(const char *left, const char *help);

#endif
