#include "config.h"

#include "base/option.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option_member.h"
#include "base/text.h"

/* ---- tables ---- */

bool us_is_among(const char *words, const char *name)
{
    const size_t length = strlen(name);
    for (const char *p = words; p && *p; p += strspn(p, " ")) {
        const size_t n = strcspn(p, " ");
        if (n == length && strncmp(p, name, n) == 0)
            return true;
        p += n;
    }
    return false;
}

/* A table on the way down to its rows. */
struct level {
    const struct us_option *table;
    char *base;
    const char *follows, *group, *prefix, *without;
};

static int list_level(const struct level *l, struct us_option_at *list, int n)
{
    for (const struct us_option *row = l->table; row->name; row++) {
        if (us_is_among(l->without, row->name))
            continue;
        if (row->kind == US_STRUCT) {
            const struct level inner = {
                .table = row->table,
                .base = l->base + row->offset,
                .follows = row->follows ? l->base + row->follows - 1
                                        : (l->follows ? l->follows + row->offset : NULL),
                .group = row->help ? row->help : l->group,
                .prefix = row->prefix ? row->prefix : l->prefix,
                .without = row->without ? row->without : l->without,
            };
            n = list_level(&inner, list, n);
        } else if (n < US_OPTIONS_MOST) {
            list[n] =
                (struct us_option_at){.row = row, .base = l->base, .follows = l->follows, .group = l->group};
            snprintf(list[n].name, sizeof list[n].name, "%s%s", l->prefix ? l->prefix : "", row->name);
            n++;
        }
    }
    return n;
}

int us_options_list(const struct us_option *table, const void *base,
                    struct us_option_at list[US_OPTIONS_MOST])
{
    const struct level outermost = {.table = table, .base = (char *)base};
    return list_level(&outermost, list, 0);
}

bool us_option_find(const struct us_option *table, const void *base, const char *name,
                    struct us_option_at *at)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(table, base, list);
    for (int i = 0; i < n; i++) {
        if (strcmp(list[i].name, name) == 0) {
            *at = list[i];
            return true;
        }
    }
    return false;
}

/* ---- members ---- */

static double get_number(const struct us_option_at *at)
{
    switch (at->row->kind) {
    case US_INT:
        return *(const int *)us_option_member(at);
    case US_INT64:
        return (double)*(const int64_t *)us_option_member(at);
    case US_UINT64:
        return (double)*(const uint64_t *)us_option_member(at);
    case US_FLOAT:
        return (double)*(const float *)us_option_member(at);
    default:
        return *(const double *)us_option_member(at);
    }
}

static void set_number(const struct us_option_at *at, double value)
{
    switch (at->row->kind) {
    case US_INT:
        *(int *)us_option_member(at) = (int)value;
        break;
    case US_INT64:
        *(int64_t *)us_option_member(at) = (int64_t)value;
        break;
    case US_UINT64:
        *(uint64_t *)us_option_member(at) = (uint64_t)value;
        break;
    case US_FLOAT:
        *(float *)us_option_member(at) = (float)value;
        break;
    default:
        *(double *)us_option_member(at) = value;
        break;
    }
}

/* The i-th word of "a|b|c" and its length; NULL past the last. */
static const char *word_at(const char *words, int i, size_t *length)
{
    const char *p = words;
    for (; p && i > 0; i--) {
        p = strchr(p, '|');
        p = p ? p + 1 : NULL;
    }
    *length = p ? strcspn(p, "|") : 0;
    return p;
}

int us_option_find_word(const char *words, const char *text)
{
    size_t n;
    const char *word;
    for (int i = 0; (word = word_at(words, i, &n)); i++) {
        if (n == strlen(text) && strncmp(word, text, n) == 0)
            return i;
    }
    return -1;
}

/* The position of the word that a number stands for, -1 for none. */
static int word_of_number(const struct us_option *row, double value)
{
    size_t n;
    for (int i = 0; word_at(row->words, i, &n); i++) {
        const double number = row->first_word - i;
        if (number == value || (isnan(number) && isnan(value)))
            return i;
    }
    return -1;
}

static bool in_range(const struct us_option *row, double value)
{
    if (row->low == row->high)
        return isfinite(value);
    return (row->flags & US_ABOVE_LOW ? value > row->low : value >= row->low) &&
           (row->flags & US_BELOW_HIGH ? value < row->high : value <= row->high);
}

const char *us_option_range(const struct us_option *row, char text[US_RANGE_TEXT])
{
    const char *unit = row->unit ? row->unit : "", *space = row->unit ? " " : "";
    text[0] = '\0';
    if (row->kind == US_CHOICE)
        snprintf(text, US_RANGE_TEXT, "%s", row->value);
    else if (!us_option_is_ranged(row) || row->low == row->high)
        snprintf(text, US_RANGE_TEXT, "%s", unit);
    else if (us_option_is_whole(row) || row->kind == US_SPAN)
        us_print_to(text, US_RANGE_TEXT, "%.0f..%.0f%s%s", row->low, row->high, space, unit);
    else
        us_print_to(text, US_RANGE_TEXT, "%c%.7g,%.7g%c%s%s", row->flags & US_ABOVE_LOW ? '(' : '[', row->low,
                    row->high, row->flags & US_BELOW_HIGH ? ')' : ']', space, unit);
    return text;
}

/* ---- text to member ---- */

/* "a|b or in 1..9", what a value may be. */
static enum unseen_status fail_value(const struct us_option_at *at, const char *text, const char *what)
{
    char where[80], range[US_RANGE_TEXT];
    const struct us_option *row = at->row;
    snprintf(where, sizeof where, "--%s", at->name);
    us_option_range(row, range);
    if (what)
        return us_fail(UNSEEN_USAGE, where, "'%s' is not %s", text, what);
    if (row->kind == US_CHOICE)
        return us_fail(UNSEEN_USAGE, where, "'%s' is not one of %s", text, range);
    return us_fail(UNSEEN_USAGE, where, "'%s' is not %s%sin %s", text, row->words ? row->words : "",
                   row->words ? " or " : "", range);
}

static bool is_whole(const char *text)
{
    text += *text == '-' || *text == '+';
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Digits, perhaps with a point and an exponent: no hexadecimal, no infinity, no blanks. */
static bool is_decimal(const char *text)
{
    return strpbrk(text, "0123456789") && text[strspn(text, "0123456789+-.eE")] == '\0';
}

/* Beyond what a double holds exactly. */
static enum unseen_status parse_uint64(const struct us_option_at *at, const char *text)
{
    errno = 0;
    const unsigned long long value = strtoull(text, NULL, 10);
    if (*text == '-' || errno)
        return fail_value(at, text, "in 0..18446744073709551615");
    *(uint64_t *)us_option_member(at) = value;
    return UNSEEN_OK;
}

static enum unseen_status parse_number(const struct us_option_at *at, const char *text)
{
    const struct us_option *row = at->row;
    const bool whole = us_option_is_whole(row);
    const int word = row->words ? us_option_find_word(row->words, text) : -1;
    if (word >= 0) {
        set_number(at, row->first_word - word);
        return UNSEEN_OK;
    }
    char *end;
    double value = us_read_number(text, &end);
    if (!is_decimal(text) || *end)
        return fail_value(at, text, row->words ? NULL : whole ? "a whole number" : "a number");
    if (whole && !is_whole(text))
        return fail_value(at, text, "a whole number, written in digits");
    if (row->kind == US_FLOAT)
        value = (double)(float)value;
    if (!isfinite(value) || !in_range(row, value))
        return fail_value(at, text, row->low == row->high ? "in the range of numbers" : NULL);
    if (row->kind == US_UINT64)
        return parse_uint64(at, text);
    set_number(at, value == 0 ? 0 : value); /* -0 is 0 */
    return UNSEEN_OK;
}

/* A whole number from `text` on, and its end; false if there is none. */
static bool read_whole(const char *text, char **end, long *value)
{
    errno = 0;
    *value = strtol(text, end, 10);
    return *text >= '0' && *text <= '9' && errno == 0;
}

static enum unseen_status parse_span(const struct us_option_at *at, const char *text)
{
    const struct us_option *row = at->row;
    const int word = row->words ? us_option_find_word(row->words, text) : -1;
    int *ends = us_option_member(at);
    long from = (long)row->first_word - word, to = from;
    char *end;
    if (word < 0) {
        if (!read_whole(text, &end, &from))
            return fail_value(at, text, "a whole number, nor two with \"..\" between");
        to = from;
        if (strncmp(end, "..", 2) == 0 && !read_whole(end + 2, &end, &to))
            return fail_value(at, text, "two whole numbers with \"..\" between");
        if (*end || !in_range(row, (double)from) || !in_range(row, (double)to))
            return fail_value(at, text, NULL);
        if (from > to)
            return fail_value(at, text, "from the smaller number to the larger");
    }
    ends[0] = (int)from;
    ends[1] = (int)to;
    return UNSEEN_OK;
}

/* -1: neither true nor false. */
static int truth(const char *text)
{
    const int word = us_option_find_word("false|true|no|yes|off|on|0|1", text);
    return word < 0 ? -1 : word % 2;
}

static enum unseen_status parse_bool(const struct us_option_at *at, const char *text)
{
    const int word = truth(text);
    if (word < 0)
        return fail_value(at, text, "true or false");
    *(int *)us_option_member(at) = word;
    return UNSEEN_OK;
}

static enum unseen_status parse_choice(const struct us_option_at *at, const char *text)
{
    const char *former = at->row->former_word;
    int word = former && strcmp(text, former) == 0 ? 0 : us_option_find_word(at->row->value, text);
    if (word < 0 && at->row->flags & US_WAS_BOOL)
        word = truth(text);
    if (word < 0)
        return fail_value(at, text, NULL);
    *(int *)us_option_member(at) = word;
    return UNSEEN_OK;
}

enum unseen_status us_option_parse(const struct us_option_at *at, const char *text)
{
    switch (at->row->kind) {
    case US_BOOL:
        return parse_bool(at, text);
    case US_INT:
    case US_INT64:
    case US_UINT64:
    case US_FLOAT:
    case US_DOUBLE:
        return parse_number(at, text);
    case US_SPAN:
        return parse_span(at, text);
    case US_CHOICE:
        return parse_choice(at, text);
    case US_STRING:
        if (!*text)
            return fail_value(at, text, "a value");
        *(const char **)us_option_member(at) = text;
        return UNSEEN_OK;
    case US_NAME:
        if (strlen(text) >= US_NAME_SIZE)
            return fail_value(at, text, "a known name");
        snprintf(us_option_member(at), US_NAME_SIZE, "%s", text);
        return UNSEEN_OK;
    case US_STRUCT:
        break;
    }
    return UNSEEN_OK;
}

/* ---- member to text ---- */

/* The shortest decimal that reads back as the number. */
static char *real_text(const struct us_option_at *at)
{
    char text[40];
    const bool single = at->row->kind == US_FLOAT;
    const double value = get_number(at);
    for (int digits = 6; digits <= 17; digits++) {
        us_print_to(text, sizeof text, "%.*g", digits, value);
        const double read = us_read_number(text, NULL);
        if (single ? (float)read == (float)value : read == value)
            break;
    }
    return us_format("%s", text);
}

static char *choice_text(const struct us_option_at *at)
{
    size_t n;
    const char *word = word_at(at->row->value, *(const int *)us_option_member(at), &n);
    return us_format("%.*s", (int)n, word ? word : "");
}

static char *span_text(const struct us_option_at *at)
{
    const int *ends = us_option_member(at);
    const int word = ends[0] == ends[1] ? word_of_number(at->row, ends[0]) : -1;
    size_t n;
    if (word >= 0) {
        const char *text = word_at(at->row->words, word, &n);
        return us_format("%.*s", (int)n, text);
    }
    return ends[0] == ends[1] ? us_format("%d", ends[0]) : us_format("%d..%d", ends[0], ends[1]);
}

static bool stands_for_default(const struct us_option_at *at)
{
    return (at->row->flags & US_ZERO_IS_DEFAULT) && get_number(at) == 0;
}

char *us_option_text(const struct us_option_at *at)
{
    const struct us_option *row = at->row;
    size_t n;
    if (us_option_is_number(row)) {
        const int word = word_of_number(row, get_number(at));
        if (stands_for_default(at))
            return us_format("%s", row->standard);
        if (word >= 0) {
            const char *text = word_at(row->words, word, &n);
            return us_format("%.*s", (int)n, text);
        }
    }
    switch (row->kind) {
    case US_BOOL:
        return us_format("%s", *(const int *)us_option_member(at) ? "true" : "false");
    case US_INT:
        return us_format("%d", *(const int *)us_option_member(at));
    case US_INT64:
        return us_format("%" PRId64, *(const int64_t *)us_option_member(at));
    case US_UINT64:
        return us_format("%" PRIu64, *(const uint64_t *)us_option_member(at));
    case US_FLOAT:
    case US_DOUBLE:
        return real_text(at);
    case US_SPAN:
        return span_text(at);
    case US_CHOICE:
        return choice_text(at);
    case US_STRING: {
        const char *text = *(const char *const *)us_option_member(at);
        return us_format("%s", text ? text : "");
    }
    case US_NAME:
        return us_format("%s", (const char *)us_option_member(at));
    case US_STRUCT:
        break;
    }
    return NULL;
}

/* ---- all of a table ---- */

void us_options_defaults(const struct us_option *table, void *base)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(table, base, list);
    for (int i = 0; i < n; i++) {
        if (list[i].row->standard)
            (void)us_option_parse(&list[i], list[i].row->standard);
    }
}

static enum unseen_status check_span(const struct us_option_at *at, const char *where)
{
    const struct us_option *row = at->row;
    const int *ends = us_option_member(at);
    char range[US_RANGE_TEXT];
    if (ends[0] == ends[1] && word_of_number(row, ends[0]) >= 0)
        return UNSEEN_OK;
    if (in_range(row, ends[0]) && in_range(row, ends[1]) && ends[0] <= ends[1])
        return UNSEEN_OK;
    return us_fail(UNSEEN_USAGE, where, "%d..%d does not ascend in %s", ends[0], ends[1],
                   us_option_range(row, range));
}

enum unseen_status us_option_check(const struct us_option_at *at)
{
    const struct us_option *row = at->row;
    char range[US_RANGE_TEXT], where[80];
    size_t n;
    snprintf(where, sizeof where, "--%s", at->name);
    if (row->kind == US_CHOICE && !word_at(row->value, *(const int *)us_option_member(at), &n))
        return us_fail(UNSEEN_USAGE, where, "%d is none of %s", *(const int *)us_option_member(at),
                       row->value);
    if (row->kind == US_SPAN)
        return check_span(at, where);
    if (!us_option_is_number(row) || stands_for_default(at))
        return UNSEEN_OK;
    const double value = get_number(at);
    if (word_of_number(row, value) >= 0 || in_range(row, value))
        return UNSEEN_OK;
    return us_fail(UNSEEN_USAGE, where, "%.10g is not in %s", value, us_option_range(row, range));
}

enum unseen_status us_options_check(const struct us_option *table, const void *base)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(table, base, list);
    enum unseen_status st = UNSEEN_OK;
    for (int i = 0; i < n && !st; i++)
        st = us_option_check(&list[i]);
    return st;
}

char *us_options_lines(const struct us_option *table, const void *base, unsigned leave_out)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(table, base, list);
    char *all = us_format("%s", "");
    for (int i = 0; i < n && all; i++) {
        if (list[i].row->flags & leave_out)
            continue;
        char *text = us_option_text(&list[i]);
        char *longer = text ? us_format("%s%s %s\n", all, list[i].name, text) : NULL;
        free(text);
        free(all);
        all = longer;
    }
    return all;
}

bool us_setting_next(const char **settings, char name[US_SETTING_SIZE], char value[US_SETTING_SIZE])
{
    int length = 0;
    if (sscanf(*settings, " %63[^= ]=%63s%n", name, value, &length) < 2)
        return false;
    *settings += length;
    return true;
}
