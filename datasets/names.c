#include "config.h"

#include "datasets/names.h"

#include <stdlib.h>
#include <string.h>

enum unseen_status us_names_add(struct us_names *names, const char *name)
{
    if (names->n == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 1024;
        char **grown = us_realloc(names->list, capacity, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        names->list = grown;
        names->capacity = capacity;
    }
    if (!(names->list[names->n] = us_format("%s", name)))
        return UNSEEN_FAILED;
    names->n++;
    return UNSEEN_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void us_names_sort(struct us_names *names)
{
    if (names->n > 1)
        qsort(names->list, names->n, sizeof *names->list, compare_names);
}

void us_names_free(struct us_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct us_names){0};
}
