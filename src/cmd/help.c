/* What --help prints: the options by group, no line wider than 100 columns. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

enum { WIDTH = 100, LEFT = 28 };

void us_print_wrapped(const char *text, int at, int indent)
{
    while (*text) {
        const int word = (int)strcspn(text, " \n");
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
        text += strspn(text, " \n");
    }
    putchar('\n');
}

void us_print_entry(const char *left, const char *help)
{
    if ((int)strlen(left) > LEFT)
        printf("  %s\n%*s", left, LEFT + 3, "");
    else
        printf("  %-*s ", LEFT, left);
    us_print_wrapped(help, LEFT + 3, LEFT + 3);
}

/* "--epochs E", "--no-flip" where flipping is what happens anyway. */
char *us_entry_usage(const struct us_entry *entry)
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
char *us_entry_help(const struct us_entry *entry)
{
    const struct us_option *row = entry->at.row;
    char range[US_RANGE_TEXT];
    if (row->kind == US_BOOL) {
        const bool on = *(const int *)((const char *)entry->at.base + row->offset);
        return us_format("%s%s", on ? "no " : "", row->help);
    }
    char *standard = us_option_text(&entry->at);
    const bool ranged = row->kind != US_CHOICE && *us_option_range(row, range);
    const bool shown = standard && *standard && !entry->at.follows && strlen(standard) < 40;
    char *help = us_format("%s%s%s%s%s%s%s", row->help, ranged || shown ? " (" : "", ranged ? range : "",
                           ranged && shown ? "; " : "", shown ? "default " : "", shown ? standard : "",
                           ranged || shown ? ")" : "");
    free(standard);
    return help;
}

void us_print_help(const struct us_usage *usage, const struct us_entries *all)
{
    const char *title = "";
    printf("Usage: ");
    us_print_wrapped(usage->synopsis, 7, 7);
    putchar('\n');
    us_print_wrapped(usage->about, 0, 0);
    for (int i = 0; i < all->n; i++) {
        const struct us_entry *entry = &all->entry[i];
        const char *own = entry->title ? entry->title : "Options";
        if (strcmp(own, title) != 0)
            printf("\n%s:\n", own);
        title = own;
        char *left = us_entry_usage(entry), *help = us_entry_help(entry);
        if (left && help)
            us_print_entry(left, help);
        free(help);
        free(left);
    }
    us_print_entry("--help", "show this text");
    if (usage->lists) {
        putchar('\n');
        usage->lists();
    }
}
