#include "config.h"

#include "datasets/names.h"

#include <stdlib.h>
#include <string.h>

enum unseen_status us_text_add(struct us_text *text, const char *piece, uint64_t *at)
{
    const size_t size = strlen(piece) + 1;
    if (text->capacity - text->size < size) {
        size_t capacity = 2 * text->capacity + size + 1024;
        char *grown = us_realloc(text->text, capacity, 1);
        if (!grown)
            return UNSEEN_FAILED;
        text->text = grown;
        text->capacity = capacity;
    }
    memcpy(text->text + text->size, piece, size);
    *at = text->size;
    text->size += size;
    return UNSEEN_OK;
}

void us_text_free(struct us_text *text)
{
    free(text->text);
    *text = (struct us_text){0};
}

enum unseen_status us_names_add(struct us_names *names, const char *name, const struct us_place *place)
{
    if (names->n == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 1024;
        struct us_named *grown = us_realloc(names->list, capacity, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        names->list = grown;
        names->capacity = capacity;
    }
    struct us_named *named = &names->list[names->n];
    *named = (struct us_named){.place = place ? *place : (struct us_place){0}};
    enum unseen_status st = us_text_add(&names->text, name, &named->name);
    names->n += st == UNSEEN_OK;
    return st;
}

static int compare_names(const void *a, const void *b, void *text)
{
    return strcmp((char *)text + ((const struct us_named *)a)->name,
                  (char *)text + ((const struct us_named *)b)->name);
}

void us_names_sort(struct us_names *names)
{
    if (names->n > 1)
        qsort_r(names->list, names->n, sizeof *names->list, compare_names, names->text.text);
}

void us_names_free(struct us_names *names)
{
    us_text_free(&names->text);
    free(names->list);
    *names = (struct us_names){0};
}
