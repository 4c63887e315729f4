#include "config.h"

#include "base/list.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

static char *trim(char *entry)
{
    entry += strspn(entry, BLANKS);
    for (char *end = entry + strlen(entry); end > entry && strchr(BLANKS, end[-1]);)
        *--end = '\0';
    return entry;
}

static enum unseen_status add(const char *option, char *text, struct us_list *list)
{
    const char *entry = trim(text);
    if (!*entry)
        return us_fail(UNSEEN_USAGE, option, "an entry is empty");
    if (list->n == US_LIST_MOST)
        return us_fail(UNSEEN_USAGE, option, "more than %d entries", US_LIST_MOST);
    for (int i = 0; i < list->n; i++) {
        if (strcmp(list->entry[i], entry) == 0)
            return us_fail(UNSEEN_USAGE, option, "'%s' is there twice", entry);
    }
    list->entry[list->n++] = entry;
    return UNSEEN_OK;
}

enum unseen_status us_list_split(const char *option, const char *text, struct us_list *list)
{
    enum unseen_status st = UNSEEN_OK;
    *list = (struct us_list){.text = us_format("%s", text)};
    US_TRY_ALLOC(list->text);
    if (!*trim(list->text))
        return us_fail(UNSEEN_USAGE, option, "is empty");
    for (char *rest = list->text, *entry; (entry = strsep(&rest, ","));)
        US_TRY(add(option, entry, list));
out:
    return st;
}

void us_list_end(struct us_list *list)
{
    free(list->text);
    *list = (struct us_list){0};
}
