#include "config.h"

#include "cmd/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/progress.h"

#define MAX_OPTIONS 128

/* Common, own and more tables behind each other. */
struct tables {
    const struct us_option *entry[MAX_OPTIONS];
    int n;
};

static void append(struct tables *all, const struct us_option *table)
{
    for (; table && table->name; table++) {
        assert(all->n < MAX_OPTIONS);
        all->entry[all->n++] = table;
    }
}

static bool takes_value(const struct us_option *option)
{
    return option->kind != US_OPT_ON && option->kind != US_OPT_OFF;
}

static enum unseen_status bad_value(const struct us_option *option, const char *text, const char *wanted)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", option->name);
    return us_fail(UNSEEN_USAGE, name, "'%s' is not %s", text, wanted);
}

static enum unseen_status set_integer(const struct us_option *option, const char *text)
{
    char *end;
    errno = 0;
    if (option->kind == US_OPT_U64) {
        unsigned long long v = strtoull(text, &end, 10);
        if (errno || end == text || *end || strchr(text, '-'))
            return bad_value(option, text, "a whole number from 0");
        *(uint64_t *)option->value = v;
        return UNSEEN_OK;
    }
    long long v = strtoll(text, &end, 10);
    bool fits = option->kind == US_OPT_I64 || (v >= INT32_MIN && v <= INT32_MAX);
    if (errno || end == text || *end || !fits)
        return bad_value(option, text, "a whole number");
    if (option->kind == US_OPT_I64)
        *(int64_t *)option->value = v;
    else
        *(int *)option->value = (int)v;
    return UNSEEN_OK;
}

static enum unseen_status set_real(const struct us_option *option, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v))
        return bad_value(option, text, "a number");
    if (option->kind == US_OPT_FLOAT)
        *(float *)option->value = (float)v;
    else
        *(double *)option->value = v;
    return UNSEEN_OK;
}

/* The position of a word in "a|b|c"; -1: it is none of them. */
static int find_word(const char *words, const char *text)
{
    size_t length = strlen(text);
    int i = 0;
    for (const char *p = words; *p; i++) {
        size_t n = strcspn(p, "|");
        if (n == length && strncmp(p, text, n) == 0)
            return i;
        p += n + (p[n] == '|');
    }
    return -1;
}

static enum unseen_status set_choice(const struct us_option *option, const char *text)
{
    int i = find_word(option->argument, text);
    if (i < 0)
        return bad_value(option, text, option->argument);
    *(int *)option->value = i;
    return UNSEEN_OK;
}

static enum unseen_status set_share(const struct us_option *option, const char *text)
{
    const char *number = strrchr(option->argument, '|') + 1; /* the last one stands for it */
    int word = find_word(option->argument, text);
    if (word < 0 || strcmp(text, number) == 0) {
        enum unseen_status st = set_real(option, text);
        return !st && *(double *)option->value < 0 ? bad_value(option, text, option->argument) : st;
    }
    *(double *)option->value = -1 - word;
    return UNSEEN_OK;
}

static enum unseen_status set_auto(const struct us_option *option, const char *text)
{
    if (strcmp(text, "auto") == 0) {
        *(int *)option->value = 0;
        return UNSEEN_OK;
    }
    enum unseen_status st = set_integer(option, text);
    return !st && *(int *)option->value < 1 ? bad_value(option, text, "auto or a number from 1") : st;
}

static enum unseen_status set(const struct us_option *option, const char *text)
{
    switch (option->kind) {
    case US_OPT_ON:
        *(int *)option->value = 1;
        return UNSEEN_OK;
    case US_OPT_OFF:
        *(int *)option->value = 0;
        return UNSEEN_OK;
    case US_OPT_INT:
    case US_OPT_I64:
    case US_OPT_U64:
        return set_integer(option, text);
    case US_OPT_AUTO:
        return set_auto(option, text);
    case US_OPT_FLOAT:
    case US_OPT_DOUBLE:
        return set_real(option, text);
    case US_OPT_STRING:
        *(const char **)option->value = text;
        return UNSEEN_OK;
    case US_OPT_NAME:
        if (strlen(text) >= 32)
            return bad_value(option, text, "a known name");
        strcpy(option->value, text);
        return UNSEEN_OK;
    case US_OPT_SHARE:
        return set_share(option, text);
    case US_OPT_CHOICE:
        return set_choice(option, text);
    }
    return UNSEEN_OK;
}

static const struct us_option *find(const struct tables *all, const char *name)
{
    for (int i = 0; i < all->n; i++) {
        if (strcmp(all->entry[i]->name, name) == 0)
            return all->entry[i];
    }
    return NULL;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
        text[n - 1] = '\0';
    return text;
}

static enum unseen_status config_line(const struct tables *all, const char *path, int number, char *line)
{
    line[strcspn(line, "#")] = '\0';
    line = trim(line);
    if (!*line)
        return UNSEEN_OK;
    char *equals = strchr(line, '=');
    if (equals)
        *equals = '\0';
    char *key = trim(line);
    const struct us_option *option = find(all, key);
    if (!option)
        return us_fail(UNSEEN_USAGE, path, "line %d: unknown option '%s'", number, key);
    if (takes_value(option) && !equals)
        return us_fail(UNSEEN_USAGE, path, "line %d: '%s' needs a value", number, key);
    return set(option, equals ? trim(equals + 1) : NULL);
}

static enum unseen_status read_config(const struct tables *all, struct us_common *common)
{
    enum unseen_status st = us_read_file(common->config, &common->config_text, NULL);
    if (st)
        return st;
    int number = 1;
    for (char *line = common->config_text, *next; line; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if ((st = config_line(all, common->config, number, line)))
            return st;
    }
    return UNSEEN_OK;
}

static void print_options(const struct us_option *table)
{
    for (; table && table->name; table++) {
        char left[80];
        snprintf(left, sizeof left, "--%s%s%s", table->name, takes_value(table) ? " " : "",
                 takes_value(table) ? table->argument : "");
        printf("  %-28s %s\n", left, table->help);
    }
}

static void print_help(const struct us_usage *usage, const struct us_option *common)
{
    printf("Usage: %s\n\n%s\n", usage->synopsis, usage->about);
    if (usage->own && usage->own->name) {
        printf("\nOptions:\n");
        print_options(usage->own);
    }
    if (usage->more) {
        printf("\nTraining:\n");
        print_options(usage->more);
    }
    printf("\nCommon options:\n");
    print_options(common);
    printf("  %-28s %s\n", "--help", "show this text");
    if (usage->lists) {
        printf("\n");
        usage->lists();
    }
}

/* One pass over the command line: with `only_config`, just --help and --config. */
static enum unseen_status pass(const struct tables *all, int argc, char **argv, bool only_config, bool *help)
{
    struct option longs[MAX_OPTIONS + 2] = {{"help", no_argument, NULL, 'h'}};
    for (int i = 0; i < all->n; i++)
        longs[i + 1] = (struct option){all->entry[i]->name,
                                       takes_value(all->entry[i]) ? required_argument : no_argument, NULL, 0};
    opterr = 0;
    optind = 0;
    for (int c, index; (c = getopt_long(argc, argv, ":", longs, &index)) != -1;) {
        if (c == 'h') {
            *help = true;
            return UNSEEN_OK;
        }
        if (c == ':')
            return us_fail(UNSEEN_USAGE, argv[optind - 1], "needs a value");
        if (c != 0) {
            us_fail(UNSEEN_USAGE, argv[optind - 1], "unknown option");
            us_hint("unseen %s --help lists the options", argv[0]);
            return UNSEEN_USAGE;
        }
        const struct us_option *option = all->entry[index - 1];
        if (only_config && strcmp(option->name, "config") != 0)
            continue;
        enum unseen_status st = set(option, optarg);
        if (st)
            return st;
    }
    return UNSEEN_OK;
}

enum unseen_status us_options_parse(const struct us_usage *usage, int argc, char **argv,
                                    struct us_common *common, const char **arguments, bool *help)
{
    enum unseen_status st = UNSEEN_OK;
    struct tables all = {.n = 0};
    *common = (struct us_common){0};
    const struct us_option table[] = {
        {"device", US_OPT_STRING, &common->device, "N|NAME[,...]",
         "OpenCL device by index or part of its name; runs of many models take several"},
        {"seed", US_OPT_U64, &common->seed, "S", "seed of every draw (0)"},
        {"out", US_OPT_STRING, &common->out, "PATH", "where results go"},
        {"json", US_OPT_ON, &common->json, NULL, "print tables as JSON"},
        {"quiet", US_OPT_ON, &common->quiet, NULL, "errors only"},
        {"verbose", US_OPT_ON, &common->verbose, NULL, "say more"},
        {"no-progress", US_OPT_ON, &common->no_progress, NULL, "no progress display"},
        {"config", US_OPT_STRING, &common->config, "FILE", "read options as 'key = value' lines"},
        {NULL, US_OPT_ON, NULL, NULL, NULL},
    };
    append(&all, usage->own);
    append(&all, usage->more);
    append(&all, table);
    *help = false;
    US_TRY(pass(&all, argc, argv, true, help));
    if (*help) {
        print_help(usage, table);
        goto out;
    }
    if (common->config)
        US_TRY(read_config(&all, common));
    US_TRY(pass(&all, argc, argv, false, help));
    int given = argc - optind;
    if (given < usage->min_arguments || given > usage->max_arguments) {
        st = us_fail(UNSEEN_USAGE, argv[0],
                     given < usage->min_arguments ? "an argument is missing" : "too many arguments");
        us_hint("usage: %s", usage->synopsis);
        goto out;
    }
    for (int i = 0; i < usage->max_arguments; i++)
        arguments[i] = i < given ? argv[optind + i] : NULL;
    if (common->quiet)
        unseen_log_level_set(UNSEEN_LOG_ERROR);
    else if (common->verbose)
        unseen_log_level_set(UNSEEN_LOG_DEBUG);
    us_progress_enable(!common->quiet && !common->no_progress);
out:
    return st;
}

void us_common_end(struct us_common *common)
{
    free(common->config_text);
    common->config_text = NULL;
}

enum unseen_status us_need_out(const struct us_common *common)
{
    if (common->out)
        return UNSEEN_OK;
    return us_fail(UNSEEN_USAGE, "--out", "is needed: it says where the results go");
}
