/* What --help prints: the options by group, no line wider than 100 columns; the same as a man page, and as a
 * list for the completions. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/options.h"

enum { WIDTH = 100, LEFT = 28 };

static bool roff; /* of man pages */

/* Text of a man page: no character of it is a request or an escape. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

static void print_wrapped(const char *text, int at, int indent)
{
    while (*text) {
        const int word = (int)strcspn(text, " ");
        if (at > indent && at + 1 + word > WIDTH) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        printf("%.*s", word, text);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
}

void us_print_text(const char *text, int at, int indent)
{
    if (roff)
        print_roff(text);
    else
        print_wrapped(text, at, indent);
    putchar('\n');
}

void us_print_title(const char *title)
{
    printf(roff ? ".SS " : "\n");
    if (roff)
        us_print_text(title, 0, 0);
    else
        printf("%s:\n", title);
}

/* "--epochs E": the name is bold and the value is not. */
static void print_term(const char *left)
{
    const int name = (int)strcspn(left, " ");
    char bold[80];
    snprintf(bold, sizeof bold, "%.*s", name, left);
    fputs(".TP\n\\fB", stdout);
    print_roff(bold);
    fputs("\\fR", stdout);
    if (left[name]) {
        fputs(" \\fI", stdout);
        print_roff(left + name + 1);
        fputs("\\fR", stdout);
    }
    putchar('\n');
}

void us_print_entry(const char *left, const char *help)
{
    if (roff)
        print_term(left);
    else if ((int)strlen(left) > LEFT)
        printf("  %s\n%*s", left, LEFT + 3, "");
    else
        printf("  %-*s ", LEFT, left);
    us_print_text(help, LEFT + 3, LEFT + 3);
}

/* "--epochs E", "--no-flip" where flipping is what happens anyway. */
static char *entry_usage(const struct us_entry *entry)
{
    const struct us_option *row = entry->at.row;
    if (row->kind == US_BOOL) {
        const bool on = *(const int *)((const char *)entry->at.base + row->offset);
        return us_format("--%s", on ? entry->opposite : entry->at.name);
    }
    return us_format("--%s %s%s%s", entry->at.name, row->words ? row->words : "", row->words ? "|" : "",
                     row->value ? row->value : "X");
}

/* The help line, the range and the default. */
static char *entry_help(const struct us_entry *entry)
{
    const struct us_option *row = entry->at.row;
    char range[US_RANGE_TEXT];
    if (row->kind == US_BOOL) {
        const bool on = *(const int *)((const char *)entry->at.base + row->offset);
        return us_format("%s%s", on ? "no " : "", row->help);
    }
    char *standard = us_option_text(&entry->at);
    const bool ranged = row->kind != US_CHOICE && *us_option_range(row, range);
    const bool shown = standard && *standard && !entry->at.follows && !entry->filled && strlen(standard) < 40;
    char *help = us_format("%s%s%s%s%s%s%s%s", row->help, ranged || shown ? "; " : "", ranged ? range : "",
                           ranged && shown ? ", " : "", shown ? "default " : "", shown ? standard : "",
                           row->since ? "; since " : "", row->since ? row->since : "");
    free(standard);
    return help;
}

static void print_groups(const struct us_entries *all)
{
    const char *title = "";
    for (int i = 0; i < all->n; i++) {
        const struct us_entry *entry = &all->entry[i];
        const char *own = entry->title ? entry->title : "Options";
        if (strcmp(own, title) != 0)
            us_print_title(own);
        title = own;
        char *left = entry_usage(entry), *help = entry_help(entry);
        if (left && help)
            us_print_entry(left, help);
        free(help);
        free(left);
    }
    us_print_entry("--help", "show the options and stop");
}

static void print_help(const struct us_usage *usage, const struct us_entries *all)
{
    printf("Usage: ");
    us_print_text(usage->synopsis, 7, 7);
    putchar('\n');
    us_print_text(usage->about, 0, 0);
    print_groups(all);
    if (usage->lists)
        usage->lists();
}

/* Without its head, which scripts/make-man writes. */
static void print_man(const struct us_usage *usage, const struct us_entries *all)
{
    roff = true;
    printf(".SH SYNOPSIS\n");
    us_print_text(usage->synopsis, 0, 0);
    printf(".SH DESCRIPTION\n");
    us_print_text(usage->about, 0, 0);
    printf(".SH OPTIONS\n");
    print_groups(all);
    if (usage->lists) {
        printf(".SH \"KNOWN NAMES\"\n");
        usage->lists();
    }
}

/* A row as one line: name, its words or "FILE" or "-", help; tabs between them. */
static void print_row(const char *name, const struct us_option *row)
{
    printf("--%s\t", name);
    if (row->kind == US_CHOICE)
        fputs(row->value, stdout);
    else if (row->words)
        fputs(row->words, stdout);
    for (int i = 0; row->known && row->known(i); i++)
        printf("%s%s", i || row->words ? "|" : "", row->known(i));
    if (row->kind == US_STRING && !row->known && row->value &&
        (strncmp(row->value, "FILE", 4) == 0 || strcmp(row->value, "DIR") == 0 ||
         strcmp(row->value, "PATH") == 0))
        fputs("FILE", stdout);
    printf("%s\t%s\n", row->kind == US_BOOL ? "-" : "", row->help);
}

static void print_rows(const struct us_entries *all)
{
    for (int i = 0; i < all->n; i++) {
        const struct us_entry *entry = &all->entry[i];
        const struct us_option *row = entry->at.row;
        const bool on = row->kind == US_BOOL && *(const int *)((const char *)entry->at.base + row->offset);
        print_row(on ? entry->opposite : entry->at.name, row);
    }
    printf("--help\t-\tshow the options and stop\n");
}

void us_print_usage(const struct us_usage *usage, const struct us_entries *all, enum us_print what)
{
    if (what == US_PRINT_HELP)
        print_help(usage, all);
    else if (what == US_PRINT_MAN)
        print_man(usage, all);
    else if (what == US_PRINT_ROWS)
        print_rows(all);
}
