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
        if (list[i].row->kind == US_BOOL)
            snprintf(entry->opposite, sizeof entry->opposite, "%.*sno-%s", prefix, list[i].name,
                     list[i].row->name);
    }
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
