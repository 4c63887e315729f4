/* Growing lists of text in few pieces of memory. */
#ifndef US_DATASETS_NAMES_H
#define US_DATASETS_NAMES_H

#include "base/status.h"
#include "datasets/store/place.h"

/* Pieces of text one after the other, each with a zero byte behind it. */
struct us_text {
    char *text;
    size_t size, capacity;
};

/* *at: where the piece begins in text->text, which moves as it grows. */
enum unseen_status us_text_add(struct us_text *text, const char *piece, uint64_t *at);
void us_text_free(struct us_text *text);

struct us_named {
    uint64_t name; /* where it begins in the text */
    struct us_place place;
};

/* Names of files, each with its place. */
struct us_names {
    struct us_text text;
    struct us_named *list; /* [n] */
    size_t n, capacity;
};

/* Add a copy of `name`. `place` NULL: zeroes. */
enum unseen_status us_names_add(struct us_names *names, const char *name, const struct us_place *place);

/* Name i; valid until the next is added. */
static inline char *us_name(const struct us_names *names, size_t i)
{
    return names->text.text + names->list[i].name;
}

/* By bytes. */
void us_names_sort(struct us_names *names);

void us_names_free(struct us_names *names);

#endif
