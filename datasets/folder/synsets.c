#include "config.h"

#include "datasets/folder/synsets.h"

#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "base/text.h"

#define BLANKS " \t"

/* The next word of a line, cut off; "" at its end. */
static char *take_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);
    size_t length = strcspn(word, BLANKS);
    *rest = word + length;
    if (**rest)
        *(*rest)++ = '\0';
    return word;
}

/* From 1 on; 0 if the word is no such number. */
static int id_of(const char *word)
{
    int id = 0;
    for (; us_is_digit(*word) && id < 1000000; word++)
        id = 10 * id + (*word - '0');
    return *word ? 0 : id;
}

/* Words end at a tab, behind which some files have more columns. */
static enum unseen_status take_line(const char *file, int64_t line, char *text, struct us_synset *synset)
{
    char *rest = text;
    char *first = take_word(&rest);
    if ((synset->id = id_of(first)))
        first = take_word(&rest);
    synset->name = first;
    if (!*first || id_of(first))
        return us_fail(UNSEEN_BAD_DATA, file, "line %lld: '%s' is no name of a class", (long long)line,
                       first);
    rest += strspn(rest, BLANKS);
    if (!synset->id && us_is_digit(*rest)) {
        char *words = rest;
        const char after = rest[strspn(rest, "0123456789")];
        if (after == '\0' || strchr(BLANKS, after))
            synset->id = id_of(take_word(&words));
        rest = synset->id ? words + strspn(words, BLANKS) : rest;
    }
    rest[strcspn(rest, "\t")] = '\0';
    synset->words = rest;
    return UNSEEN_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct us_synset *)a)->name, ((const struct us_synset *)b)->name);
}

static enum unseen_status take_lines(const char *file, struct us_synsets *synsets)
{
    struct us_lines lines = us_lines_of(synsets->text);
    int room = 0;
    for (char *line; (line = us_next_line(&lines));) {
        if (synsets->n == room) {
            room = room ? 2 * room : 1024;
            struct us_synset *grown = us_realloc(synsets->list, (size_t)room, sizeof *grown);
            if (!grown)
                return UNSEEN_FAILED;
            synsets->list = grown;
        }
        enum unseen_status st = take_line(file, lines.line, line, &synsets->list[synsets->n]);
        if (st != UNSEEN_OK)
            return st;
        synsets->n++;
    }
    return synsets->n > 0 ? UNSEEN_OK : us_fail(UNSEEN_BAD_DATA, file, "is empty");
}

enum unseen_status us_synsets_read(const char *file, struct us_synsets *synsets)
{
    enum unseen_status st;
    US_TRY(us_read_text(file, &synsets->text));
    US_TRY(take_lines(file, synsets));
    qsort(synsets->list, (size_t)synsets->n, sizeof *synsets->list, compare_names);
    synsets->ids = true;
    for (int i = 0; i < synsets->n; i++) {
        synsets->ids &= synsets->list[i].id > 0;
        if (i > 0 && strcmp(synsets->list[i].name, synsets->list[i - 1].name) == 0)
            return us_fail(UNSEEN_BAD_DATA, file, "class %s is there twice", synsets->list[i].name);
    }
out:
    return st;
}

void us_synsets_free(struct us_synsets *synsets)
{
    free(synsets->list);
    free(synsets->text);
    *synsets = (struct us_synsets){0};
}

const struct us_synset *us_synset_find(const struct us_synsets *synsets, const char *name)
{
    const struct us_synset wanted = {.name = name};
    return synsets->n > 0 ? bsearch(&wanted, synsets->list, (size_t)synsets->n, sizeof wanted, compare_names)
                          : NULL;
}
