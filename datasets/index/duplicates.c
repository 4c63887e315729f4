#include "config.h"

#include "datasets/index/duplicates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "datasets/index/digests.h"
#include "datasets/index/file_reader.h"

struct item {
    const uint8_t *content;
    int64_t index;
    enum unseen_split split;
};

static int compare_items(const void *first, const void *second, void *context)
{
    const struct item *a = first, *b = second;
    const size_t *size = context;
    int order = memcmp(a->content, b->content, *size);
    if (order != 0)
        return order;
    if (a->split != b->split)
        return a->split < b->split ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* All samples of a split whose pixels are in memory. */
static size_t list_pixels(const struct unseen_dataset *dataset, enum unseen_split split, size_t size,
                          struct item *items)
{
    const uint8_t *pixels = dataset->reader ? dataset->reader->pixels[split] : NULL;
    const int64_t n = pixels ? dataset->split[split].n : 0;
    for (int64_t i = 0; i < n; i++)
        items[i] = (struct item){pixels + (size_t)i * size, i, split};
    return (size_t)n;
}

/* Sample i of a split has the content of training sample `original`. */
static enum unseen_status mark(struct unseen_dataset *dataset, enum unseen_split split, int64_t i,
                               int64_t original)
{
    struct unseen_images *images = &dataset->split[split];
    bool test = split == UNSEEN_TEST;
    if (!images->duplicate_of) {
        images->duplicate_of = us_calloc((size_t)images->n, sizeof *images->duplicate_of);
        if (!images->duplicate_of)
            return UNSEEN_FAILED;
        for (int64_t k = 0; k < images->n; k++)
            images->duplicate_of[k] = test ? -1 : k;
    }
    images->duplicate_of[i] = original;
    if (test)
        dataset->duplicates.test++;
    else if (images->labels[i] == images->labels[original])
        dataset->duplicates.same_label++;
    else
        dataset->duplicates.other_label++;
    return UNSEEN_OK;
}

/* Contents of `size` bytes each. */
static enum unseen_status mark_all(struct unseen_dataset *dataset, struct item *items, size_t n, size_t size)
{
    enum unseen_status st = UNSEEN_OK;
    qsort_r(items, n, sizeof *items, compare_items, &size);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (memcmp(items[i].content, items[first].content, size) != 0)
            first = i;
        else if (items[first].split == UNSEEN_TRAIN)
            US_TRY(mark(dataset, items[i].split, items[i].index, items[first].index));
    }
out:
    return st;
}

static enum unseen_status find_copies(struct us_index *index)
{
    struct us_digest *digests = NULL;
    size_t n = 0;
    enum unseen_status st;
    US_TRY(us_digests_find(index, &digests, &n));
    US_TRY_ALLOC(index->copies = us_calloc(n, sizeof *index->copies));
    qsort(digests, n, sizeof *digests, us_digest_compare);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (memcmp(digests[i].digest, digests[first].digest, US_DIGEST) != 0)
            first = i;
        else if (digests[first].entry < index->n[UNSEEN_TRAIN])
            index->copies[index->n_copies++] = (struct us_copy){digests[i].entry, digests[first].entry};
    }
    index->facts.compared = 1;
out:
    free(digests);
    return st;
}

static enum unseen_status find_among_files(struct unseen_dataset *dataset, struct us_index *index)
{
    enum unseen_status st = UNSEEN_OK;
    if (!index->facts.compared)
        US_TRY(find_copies(index));
    for (int64_t k = 0; k < index->n_copies; k++) {
        const int64_t entry = index->copies[k].entry, train = index->n[UNSEEN_TRAIN];
        const bool test = entry >= train;
        if (us_files_lack(dataset, entry))
            continue;
        US_TRY(mark(dataset, test ? UNSEEN_TEST : UNSEEN_TRAIN, test ? entry - train : entry,
                    index->copies[k].original));
    }
out:
    return st;
}

enum unseen_status us_duplicates_find(struct unseen_dataset *dataset)
{
    struct us_index *index = us_files_index(dataset);
    if (index)
        return find_among_files(dataset, index);
    size_t size = (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels, n;
    struct item *items =
        us_calloc((size_t)(dataset->split[UNSEEN_TRAIN].n + dataset->split[UNSEEN_TEST].n), sizeof *items);
    if (!items)
        return UNSEEN_FAILED;
    n = list_pixels(dataset, UNSEEN_TRAIN, size, items);
    n += list_pixels(dataset, UNSEEN_TEST, size, items + n);
    enum unseen_status st = mark_all(dataset, items, n, size);
    free(items);
    return st;
}

/* "is the same as PATH, which is labelled CLASS". Fresh memory. */
static char *describe(const struct unseen_dataset *dataset, const struct unseen_images *images, int64_t i)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    int64_t original = images->duplicate_of[i];
    char number[48] = "";
    if (!train->paths)
        snprintf(number, sizeof number, "record %lld of train", (long long)original);
    bool other = images->labels[i] != train->labels[original];
    return us_format("is the same as %s%s%s", train->paths ? train->paths[original] : number,
                     other ? ", which is labelled " : "",
                     other ? dataset->class_names[train->labels[original]] : "");
}

enum unseen_status us_duplicates_report(const struct unseen_dataset *dataset,
                                        void (*report)(const struct unseen_defect *defect, void *context),
                                        void *context)
{
    static const char *const names[] = {[UNSEEN_TRAIN] = "train", [UNSEEN_TEST] = "test"};
    for (int split = 0; split < 2; split++) {
        const struct unseen_images *images = &dataset->split[split];
        for (int64_t i = 0; images->duplicate_of && i < images->n; i++) {
            if (images->duplicate_of[i] < 0 || (split == UNSEEN_TRAIN && images->duplicate_of[i] == i))
                continue;
            char *reason = describe(dataset, images, i);
            if (!reason)
                return UNSEEN_FAILED;
            report(&(struct unseen_defect){.file = images->paths ? images->paths[i] : names[split],
                                           .record = images->paths ? -1 : i,
                                           .reason = reason,
                                           .harmless = 1},
                   context);
            free(reason);
        }
    }
    return UNSEEN_OK;
}
