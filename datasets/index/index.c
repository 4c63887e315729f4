#include "config.h"

#include "datasets/index/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "datasets/index/notes.h"

static enum unseen_status grow(struct us_index *index)
{
    const size_t capacity = index->capacity ? 2 * (size_t)index->capacity : 1024;
    struct us_entry *entries = us_realloc(index->entries, capacity, sizeof *entries);
    index->entries = entries ? entries : index->entries;
    int32_t *labels = us_realloc(index->labels, capacity, sizeof *labels);
    index->labels = labels ? labels : index->labels;
    struct us_image_size *sizes = us_realloc(index->sizes, capacity, sizeof *sizes);
    index->sizes = sizes ? sizes : index->sizes;
    if (!entries || !labels || !sizes)
        return UNSEEN_FAILED;
    index->capacity = (int64_t)capacity;
    return UNSEEN_OK;
}

enum unseen_status us_index_add(struct us_index *index, enum unseen_split split, const char *name,
                                int32_t label, const struct us_place *place)
{
    enum unseen_status st = UNSEEN_OK;
    const int64_t at = index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST];
    if (at == index->capacity)
        US_TRY(grow(index));
    index->entries[at] = (struct us_entry){.place = *place, .orientation = 1};
    index->labels[at] = label;
    index->sizes[at] = (struct us_image_size){0, 0};
    US_TRY(us_text_add(&index->text, name, &index->entries[at].name));
    index->n[split]++;
out:
    return st;
}

enum unseen_status us_index_class(struct us_index *index, const char *name)
{
    char **grown = us_realloc(index->classes, (size_t)index->n_classes + 1, sizeof *grown);
    if (!grown)
        return UNSEEN_FAILED;
    index->classes = grown;
    if (!(grown[index->n_classes] = us_format("%s", name)))
        return UNSEEN_FAILED;
    index->n_classes++;
    return UNSEEN_OK;
}

enum unseen_status us_index_witness(struct us_index *index, const char *path, const struct us_place *place)
{
    struct us_witness *grown = us_realloc(index->witnesses, index->n_witnesses + 1, sizeof *grown);
    if (!grown)
        return UNSEEN_FAILED;
    index->witnesses = grown;
    grown[index->n_witnesses] = (struct us_witness){.place = *place};
    enum unseen_status st = us_text_add(&index->text, path, &grown[index->n_witnesses].path);
    index->n_witnesses += st == UNSEEN_OK;
    return st;
}

enum unseen_status us_index_watch(struct us_index *index, const char *path)
{
    struct stat about;
    char *whole = realpath(path, NULL);
    if (!whole || stat(whole, &about) != 0) {
        free(whole);
        return us_fail(UNSEEN_BAD_DATA, path, "%s", strerror(errno));
    }
    const struct us_place place = us_place_of(&about);
    enum unseen_status st = us_index_witness(index, whole, &place);
    free(whole);
    return st;
}

enum unseen_status us_index_note_empty(struct us_index *index, const char *location)
{
    int empty = 0, first = 0;
    uint8_t *met = us_calloc((size_t)index->n_classes, 1);
    if (!met)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < index->n[UNSEEN_TRAIN]; i++)
        met[index->labels[i]] = 1;
    for (int c = index->n_classes - 1; c >= 0; c--) {
        empty += !met[c];
        first = met[c] ? first : c;
    }
    free(met);
    if (empty == 0)
        return UNSEEN_OK;
    return us_note(&index->notes, UNSEEN_LOG_WARNING,
                   "%s: '%s' has no training image%s; it counts as a class of 0 samples", location,
                   index->classes[first], empty > 1 ? ", nor have others" : "");
}

static void free_arrays(struct us_index *index)
{
    us_text_free(&index->text);
    us_text_free(&index->reasons);
    us_text_free(&index->notes);
    free(index->entries);
    free(index->labels);
    free(index->sizes);
    free(index->witnesses);
    free(index->copies);
}

void us_index_free(struct us_index *index)
{
    us_store_free(index->store);
    for (int c = 0; c < index->n_classes; c++)
        free(index->classes[c]);
    free(index->classes);
    const char *copies = (const char *)index->copies, *mapping = index->mapping;
    if (mapping && (copies < mapping || copies > mapping + index->mapped)) /* found after it was mapped */
        free(index->copies);
    if (index->mapping)
        munmap(index->mapping, index->mapped);
    else
        free_arrays(index);
    *index = (struct us_index){0};
}
