/* Which options a command has. */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/options.h"

void us_entries_add(struct us_entries *all, const struct us_group *group, const char *only)
{
    struct us_option_at list[US_OPTIONS_MOST];
    const int n = us_options_list(group->table, group->base, list);
    for (int i = 0; i < n; i++) {
        if (only && !us_is_among(only, list[i].row->name))
            continue;
        assert(all->n < US_ENTRIES_MOST);
        struct us_entry *entry = &all->entry[all->n++];
        *entry = (struct us_entry){.at = list[i], .title = list[i].group ? list[i].group : group->title};
        const int prefix = (int)(strlen(list[i].name) - strlen(list[i].row->name));
        if (list[i].row->kind == US_BOOL || list[i].row->flags & US_WAS_BOOL)
            snprintf(entry->opposite, sizeof entry->opposite, "%.*sno-%s", prefix, list[i].name,
                     list[i].row->name);
    }
}

enum unseen_status us_entry_set(struct us_entry *entry, bool no, const char *text)
{
    int *member = (int *)((char *)entry->at.base + entry->at.row->offset);
    char where[sizeof entry->opposite + 2];
    const enum unseen_status st = us_option_parse(&entry->at, text ? text : "true");
    if (st || !no)
        return st;
    if (*member > 1) {
        snprintf(where, sizeof where, "--%s", entry->opposite);
        return us_fail(UNSEEN_USAGE, where, "'%s' is not true or false", text);
    }
    *member ^= 1;
    return UNSEEN_OK;
}

struct us_entry *us_entry_find(struct us_entries *all, const char *name, bool *no)
{
    for (int i = 0; i < all->n; i++) {
        struct us_entry *entry = &all->entry[i];
        const char *former = entry->at.row->former;
        *no = *entry->opposite && strcmp(entry->opposite, name) == 0;
        if (*no || strcmp(entry->at.name, name) == 0)
            return entry;
        if (former && strcmp(former, name) == 0) {
            us_log(UNSEEN_LOG_WARNING, "--%s is called --%s now", name, entry->at.name);
            return entry;
        }
    }
    return NULL;
}
