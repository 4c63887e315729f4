#include "config.h"

#include "datasets/list/braces.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* "{000..146}": numbers of `width` digits at least. */
struct range {
    long first, last;
    int width;
};

/* What stands between braces: at `begin` the opening one, at `end` the closing one. */
struct group {
    const char *begin, *end;
    bool is_range;
    struct range range;
};

static const char *read_digits(const char *text, long *number)
{
    const char *c = text;
    *number = 0;
    for (; us_is_digit(*c) && c - text < 15; c++)
        *number = 10 * *number + (*c - '0');
    return c > text ? c : NULL;
}

static bool read_range(const char *inside, const char *end, struct range *range)
{
    const char *middle = read_digits(inside, &range->first);
    if (!middle || strncmp(middle, "..", 2) != 0)
        return false;
    const char *behind = read_digits(middle + 2, &range->last);
    range->width = (int)(middle - inside);
    return behind == end;
}

/* The closing brace of the one at `open`, NULL if there is none; `comma`: one lies between them, in no
 * others. */
static const char *find_end(const char *open, bool *comma)
{
    int depth = 0;
    *comma = false;
    for (const char *c = open; *c; c++) {
        depth += (*c == '{') - (*c == '}');
        *comma |= *c == ',' && depth == 1;
        if (depth == 0)
            return c;
    }
    return NULL;
}

/* The first group of a pattern. */
static bool find_group(const char *pattern, struct group *group)
{
    for (const char *c = strchr(pattern, '{'); c; c = strchr(c + 1, '{')) {
        bool comma;
        const char *end = find_end(c, &comma);
        if (!end)
            continue;
        *group = (struct group){.begin = c, .end = end};
        group->is_range = read_range(c + 1, end, &group->range);
        if (comma || group->is_range)
            return true;
    }
    return false;
}

bool us_has_braces(const char *pattern)
{
    struct group group;
    return find_group(pattern, &group);
}

static enum unseen_status add(char *name, struct us_braces *braces, int *room)
{
    if (braces->n == US_BRACES_MOST)
        return us_fail(UNSEEN_USAGE, "pattern", "stands for more than %d names", US_BRACES_MOST);
    if (braces->n == *room) {
        *room = *room ? 2 * *room : 64;
        char **grown = us_realloc(braces->list, (size_t)*room, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        braces->list = grown;
    }
    braces->list[braces->n++] = name;
    return UNSEEN_OK;
}

static enum unseen_status expand(char *pattern, struct us_braces *braces, int *room);

/* The pattern with `size` bytes at `text` in the group's place. */
static enum unseen_status expand_with(const char *pattern, const struct group *group, const char *text,
                                      size_t size, struct us_braces *braces, int *room)
{
    char *one =
        us_format("%.*s%.*s%s", (int)(group->begin - pattern), pattern, (int)size, text, group->end + 1);
    return one ? expand(one, braces, room) : UNSEEN_FAILED;
}

static enum unseen_status expand_range(const char *pattern, const struct group *group,
                                       struct us_braces *braces, int *room)
{
    const struct range *range = &group->range;
    const long step = range->first <= range->last ? 1 : -1;
    enum unseen_status st = UNSEEN_OK;
    for (long i = range->first; st == UNSEEN_OK; i += step) {
        char number[32];
        int size = us_print_to(number, sizeof number, "%0*ld", range->width, i);
        st = expand_with(pattern, group, number, (size_t)size, braces, room);
        if (i == range->last)
            break;
    }
    return st;
}

static enum unseen_status expand_list(const char *pattern, const struct group *group,
                                      struct us_braces *braces, int *room)
{
    const char *from = group->begin + 1;
    int depth = 0;
    for (const char *c = from; c <= group->end; c++) {
        if ((*c == ',' && depth == 0) || c == group->end) {
            enum unseen_status st = expand_with(pattern, group, from, (size_t)(c - from), braces, room);
            if (st != UNSEEN_OK)
                return st;
            from = c + 1;
        }
        depth += (*c == '{') - (*c == '}');
    }
    return UNSEEN_OK;
}

/* Takes `pattern` over. */
static enum unseen_status expand(char *pattern, struct us_braces *braces, int *room)
{
    struct group group;
    enum unseen_status st;
    const bool more = find_group(pattern, &group);
    if (more)
        st = group.is_range ? expand_range(pattern, &group, braces, room)
                            : expand_list(pattern, &group, braces, room);
    else
        st = add(pattern, braces, room);
    if (more || st != UNSEEN_OK)
        free(pattern);
    return st;
}

enum unseen_status us_braces_expand(const char *pattern, struct us_braces *braces)
{
    int room = 0;
    char *copy = us_format("%s", pattern);
    return copy ? expand(copy, braces, &room) : UNSEEN_FAILED;
}

void us_braces_free(struct us_braces *braces)
{
    for (int i = 0; i < braces->n; i++)
        free(braces->list[i]);
    free(braces->list);
    *braces = (struct us_braces){0};
}
