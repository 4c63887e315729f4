#include "config.h"

#include "cmd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/progress.h"
#include "cmd/cmd.h"

#define AT(member) US_AT(struct us_common, member)

static const struct us_option common_options[] = {
    {"device", US_STRING, AT(device), .value = "N|NAME[,...]|list",
     .help = "OpenCL device by index or part of its name; runs of many models take several"},
    {"seed", US_UINT64, AT(seed), .standard = "0", .value = "S", .help = "seed of every draw"},
    {"out", US_STRING, AT(out), .value = "PATH", .help = "where results go"},
    {"json", US_BOOL, AT(json), .help = "print tables as JSON"},
    {"dry-run", US_BOOL, AT(dry_run),
     .help = "print the plan (models, images, seconds, memory, disk) and stop; writes nothing"},
    {"force", US_BOOL, AT(force), .help = "write over what is there"},
    {0},
};

static const struct us_option always_options[] = {
    {"quiet", US_BOOL, AT(quiet), .help = "errors only"},
    {"verbose", US_BOOL, AT(verbose), .help = "say more"},
    {"progress", US_BOOL, AT(progress), .standard = "true", .help = "progress display"},
    {"config", US_STRING, AT(config), .value = "FILE",
     .help = "options as 'key = value' lines, or the run.json (of trajectory scoring.json, of audit "
             "audit.json) of a run that is to be repeated"},
    {0},
};

/* ---- which options there are ---- */

static char *name_of(const struct us_entry *entry)
{
    return (char *)entry->at.base + entry->at.row->offset;
}

static bool is_unsettled(const struct us_entry *entry)
{
    return entry->at.row->settles && strcmp(name_of(entry), "auto") == 0;
}

/* The name of an option that a value of `at` stands for, with the prefix of both. */
static void name_filled(const struct us_option_at *at, const char *option, char name[2 * US_SETTING_SIZE])
{
    const int prefix = (int)(strlen(at->name) - strlen(at->row->name));
    snprintf(name, 2 * US_SETTING_SIZE, "%.*s%s", prefix, at->name, option);
}

/* Whatever is to be told of defaults, they are not what the struct holds. */
static enum unseen_status mark_filled(struct us_entries *all, const struct us_option_at *at)
{
    enum unseen_status st = UNSEEN_OK;
    const char *settings;
    char option[US_SETTING_SIZE], value[US_SETTING_SIZE], name[2 * US_SETTING_SIZE];
    US_TRY(at->row->fills(at->row->known(0), &settings));
    while (us_setting_next(&settings, option, value)) {
        bool no;
        name_filled(at, option, name);
        struct us_entry *entry = us_entry_find(all, name, &no);
        if (entry)
            entry->filled = true;
    }
out:
    return st;
}

/* Those with a word "auto" begin with it, unless they follow another. */
static enum unseen_status unsettle(struct us_entries *all)
{
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < all->n; i++) {
        struct us_entry *entry = &all->entry[i];
        if (!entry->at.row->settles || entry->at.follows)
            continue;
        snprintf(name_of(entry), US_NAME_SIZE, "auto");
        US_TRY(mark_filled(all, &entry->at));
    }
out:
    return st;
}

static void add_all(struct us_entries *all, const struct us_usage *usage, struct us_common *common)
{
    const struct us_group own = {common_options, common, "Common options"},
                          always = {always_options, common, "Common options"};
    for (int i = 0; i < US_GROUPS_MOST && usage->groups[i].table; i++)
        us_entries_add(all, &usage->groups[i], NULL);
    us_entries_add(all, &own, usage->common ? usage->common : "");
    us_entries_add(all, &always, NULL);
}

/* ---- the command line ---- */

/* Behind US_PRINT_HELP and so on, which getopt gives back. */
enum { OF_PRINT = 1000, LONGS_MOST = 3 * US_ENTRIES_MOST + 4 };

/* An entry's names leave its number in *which. */
static void list_longs(const struct us_entries *all, struct option longs[LONGS_MOST], int *which)
{
    int n = 0;
    longs[n++] = (struct option){"help", no_argument, NULL, OF_PRINT + US_PRINT_HELP};
    longs[n++] = (struct option){"man", no_argument, NULL, OF_PRINT + US_PRINT_MAN};
    longs[n++] = (struct option){"rows", no_argument, NULL, OF_PRINT + US_PRINT_ROWS};
    for (int i = 0; i < all->n; i++) {
        const struct us_entry *entry = &all->entry[i];
        const int argument = *entry->opposite ? optional_argument : required_argument;
        longs[n++] = (struct option){entry->at.name, argument, which, i};
        if (entry->at.row->former)
            longs[n++] = (struct option){entry->at.row->former, argument, which, i};
        if (*entry->opposite)
            longs[n++] = (struct option){entry->opposite, optional_argument, which, i};
    }
    longs[n] = (struct option){0};
}

/* How many letters have to change to make `b` of `a`, or 9 if they are many. */
static int distance(const char *a, const char *b)
{
    int row[64], n = (int)strlen(b);
    if (n >= 64)
        return 9;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; *a; a++, i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int change = diagonal + (*a != b[j - 1]);
            const int insert = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < insert ? change : insert;
        }
    }
    return row[n];
}

static enum unseen_status fail_unknown(const struct us_entries *all, const char *command, const char *text)
{
    char name[64];
    const char *like = NULL;
    int nearest = 3;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    for (int i = 0; i < all->n && strncmp(name, "--", 2) == 0; i++) {
        const int d = distance(name + 2, all->entry[i].at.name);
        if (d < nearest) {
            nearest = d;
            like = all->entry[i].at.name;
        }
    }
    us_fail(UNSEEN_USAGE, text, "unknown option");
    if (like)
        us_hint("did you mean --%s? unseen %s --help lists the options", like, command);
    else
        us_hint("unseen %s --help lists the options", command);
    return UNSEEN_USAGE;
}

static enum unseen_status set(struct us_entry *entry, bool no, const char *text)
{
    enum unseen_status st = UNSEEN_OK;
    char *before = entry->given == 2 ? us_option_text(&entry->at) : NULL;
    st = us_entry_set(entry, no, text);
    char *after = before && !st ? us_option_text(&entry->at) : NULL;
    if (after && strcmp(before, after) != 0)
        us_log(UNSEEN_LOG_WARNING, "--%s is given twice; %s counts", entry->at.name, after);
    free(after);
    free(before);
    entry->given = 2;
    return st;
}

/* The word behind "--flip", which may also stand alone: it is no value to getopt. */
static void take_word(const struct us_entry *entry, const char *name, int argc, char **argv)
{
    const struct us_option *row = entry->at.row;
    if (!optarg && row->flags & US_WAS_BOOL && strcmp(name, entry->opposite) != 0 && optind < argc &&
        us_option_find_word(row->value, argv[optind]) >= 0)
        optarg = argv[optind++];
}

/* One pass over the command line: with `only_config`, just --help and --config. */
static enum unseen_status pass(struct us_entries *all, int argc, char **argv, bool only_config,
                               enum us_print *print)
{
    struct option longs[LONGS_MOST];
    int which = 0;
    list_longs(all, longs, &which);
    opterr = 0;
    optind = 0;
    for (int c, index; (c = getopt_long(argc, argv, ":h", longs, &index)) != -1;) {
        if (c == 'h' || c >= OF_PRINT) {
            *print = c == 'h' ? US_PRINT_HELP : (enum us_print)(c - OF_PRINT);
            return UNSEEN_OK;
        }
        if (c == ':')
            return us_fail(UNSEEN_USAGE, argv[optind - 1], "needs a value");
        if (c != 0)
            return fail_unknown(all, argv[0], argv[optind - 1]);
        take_word(&all->entry[which], longs[index].name, argc, argv);
        if (only_config && strcmp(longs[index].name, "config") != 0)
            continue;
        bool no;
        struct us_entry *entry = us_entry_find(all, longs[index].name, &no);
        enum unseen_status st = set(entry, no, optarg);
        if (st)
            return st;
    }
    return UNSEEN_OK;
}

static size_t size_of(const struct us_option *row)
{
    switch (row->kind) {
    case US_INT64:
    case US_UINT64:
        return sizeof(int64_t);
    case US_DOUBLE:
        return sizeof(double);
    case US_SPAN:
        return 2 * sizeof(int);
    case US_STRING:
        return sizeof(char *);
    case US_NAME:
        return US_NAME_SIZE;
    default:
        return sizeof(int);
    }
}

/* What one given option stands for counts as given, where it was not. Options that the command does not have
 * are none of its. */
static enum unseen_status fill_from(struct us_entries *all, const struct us_option_at *at)
{
    enum unseen_status st = UNSEEN_OK;
    const char *settings;
    char name[US_SETTING_SIZE], value[US_SETTING_SIZE], whole[2 * US_SETTING_SIZE];
    US_TRY(at->row->fills((const char *)at->base + at->row->offset, &settings));
    while (us_setting_next(&settings, name, value)) {
        bool no;
        name_filled(at, name, whole);
        struct us_entry *entry = us_entry_find(all, whole, &no);
        if (!entry || entry->given)
            continue;
        US_TRY(us_option_parse(&entry->at, value));
        entry->given = 1;
    }
out:
    return st;
}

static enum unseen_status fill(struct us_entries *all)
{
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < all->n && !st; i++)
        if (all->entry[i].given && all->entry[i].at.row->fills && !is_unsettled(&all->entry[i]))
            st = fill_from(all, &all->entry[i].at);
    return st;
}

/* What is not given of a struct that follows another is as it is there. */
static void follow(const struct us_entries *all)
{
    for (int i = 0; i < all->n; i++) {
        const struct us_option_at *at = &all->entry[i].at;
        if (at->follows && !all->entry[i].given)
            memcpy((char *)at->base + at->row->offset, (const char *)at->follows + at->row->offset,
                   size_of(at->row));
    }
}

enum unseen_status us_options_settle(const struct us_common *common, const struct unseen_dataset *data)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_entries *all = common->unsettled;
    for (int i = 0; all && i < all->n; i++) {
        const struct us_entry *entry = &all->entry[i];
        if (!is_unsettled(entry) || (entry->at.follows && !entry->given))
            continue;
        snprintf(name_of(entry), US_NAME_SIZE, "%s", entry->at.row->settles(entry->at.base, data));
        US_TRY(fill_from(all, &entry->at));
    }
    if (all)
        follow(all);
out:
    return st;
}

/* ---- all of it ---- */

void us_options_log_level(const struct us_common *common)
{
    const enum unseen_log_level loud = common->verbose ? UNSEEN_LOG_DEBUG : UNSEEN_LOG_INFO;
    unseen_log_level_set(common->quiet ? UNSEEN_LOG_ERROR : loud);
}

static bool any_unsettled(const struct us_entries *all)
{
    bool any = false;
    for (int i = 0; i < all->n; i++)
        any = any || is_unsettled(&all->entry[i]);
    return any;
}

static enum unseen_status take_arguments(const struct us_usage *usage, int argc, char **argv,
                                         const struct us_common *common, const char **arguments)
{
    int given = argc - optind;
    for (int i = 0; i < usage->max_arguments; i++)
        arguments[i] = i < given ? argv[optind + i] : NULL;
    const json_t *data = json_object_get(common->config_json, "data");
    if (given == 0 && usage->min_arguments == 1 && usage->max_arguments == 1) {
        arguments[0] = json_string_value(json_object_get(data, "name"));
        given += arguments[0] != NULL;
    }
    if (given >= usage->min_arguments && given <= usage->max_arguments)
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, argv[0],
            given < usage->min_arguments ? "an argument is missing" : "too many arguments");
    us_hint("usage: %s", usage->synopsis);
    return UNSEEN_USAGE;
}

/* For rules alone: an option of another rule is a mistake that nothing else would tell. */
static void warn_unused(const struct us_entries *all)
{
    const char *rule = NULL;
    for (int i = 0; i < all->n; i++) {
        const struct us_option_at *at = &all->entry[i].at;
        if (strcmp(at->name, "rule") == 0 && at->row->kind == US_STRING)
            rule = *(const char *const *)((const char *)at->base + at->row->offset);
    }
    for (int i = 0; i < all->n && rule; i++) {
        const struct us_entry *entry = &all->entry[i];
        if (entry->given == 2 && entry->at.row->used_by && !us_is_among(entry->at.row->used_by, rule))
            us_log(UNSEEN_LOG_WARNING, "--%s changes nothing: the rule %s does not look at it",
                   entry->at.name, rule);
    }
}

enum unseen_status us_options_parse(const struct us_usage *usage, int argc, char **argv,
                                    struct us_common *common, const char **arguments, bool *help)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_entries *all = us_calloc(1, sizeof *all);
    *common = (struct us_common){0};
    us_options_defaults(common_options, common);
    us_options_defaults(always_options, common);
    enum us_print print = US_PRINT_NOTHING;
    *help = false;
    US_TRY_ALLOC(all);
    add_all(all, usage, common);
    US_TRY(unsettle(all));
    US_TRY(pass(all, argc, argv, true, &print));
    if (print) {
        *help = true;
        us_print_usage(usage, all, print);
        goto out;
    }
    if (common->config)
        US_TRY(us_config_read(all, common));
    for (int i = 0; i < all->n; i++)
        all->entry[i].given = all->entry[i].given == 2 ? 0 : all->entry[i].given; /* --config itself */
    US_TRY(pass(all, argc, argv, false, &print));
    US_TRY(fill(all));
    follow(all);
    if (common->device && strcmp(common->device, "list") == 0) {
        *help = true;
        st = us_print_device_list();
        goto out;
    }
    US_TRY(take_arguments(usage, argc, argv, common, arguments));
    us_options_log_level(common);
    unseen_progress_set(!common->quiet && common->progress);
    warn_unused(all);
    if (any_unsettled(all)) {
        common->unsettled = all;
        all = NULL;
    }
out:
    free(all);
    return st;
}

void us_common_end(struct us_common *common)
{
    free(common->config_text);
    json_decref(common->config_json);
    free(common->unsettled);
    common->unsettled = NULL;
    common->config_text = NULL;
    common->config_json = NULL;
}

enum unseen_status us_may_write(const struct us_common *common, const char *path)
{
    if (common->force || !us_exists(path))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, path, "is there already");
    us_hint("--force writes over it");
    return UNSEEN_USAGE;
}

enum unseen_status us_need_out(const struct us_common *common)
{
    if (common->dry_run || (common->out && *common->out))
        return UNSEEN_OK;
    return us_fail(UNSEEN_USAGE, "--out", "is needed: it says where the results go");
}
