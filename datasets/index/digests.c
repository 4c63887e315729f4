#include "config.h"

#include "datasets/index/digests.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/threads.h"
#include "datasets/index/headers.h"

struct alike {
    int64_t size, entry;
    uint64_t head;
};

static int compare_alike(const void *first, const void *second)
{
    const struct alike *a = first, *b = second;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return (a->entry > b->entry) - (a->entry < b->entry);
}

static bool same(const struct alike *a, const struct alike *b)
{
    return a->size == b->size && a->head == b->head;
}

struct reading {
    struct us_index *index;
    struct us_digest *digests;
    int64_t n;
    atomic_llong next;
};

static void read_digests(void *context, int thread)
{
    struct reading *reading = context;
    struct us_index *index = reading->index;
    struct us_bytes bytes = {0};
    char reason[US_REASON];
    (void)thread;
    for (int64_t k; (k = atomic_fetch_add(&reading->next, 1)) < reading->n && !us_interrupted();) {
        struct us_digest *digest = &reading->digests[k];
        const struct us_place *place = &index->entries[digest->entry].place;
        if (us_store_try(index->store, us_index_name(index, digest->entry), place, 0, place->size, &bytes,
                         reason))
            us_sha256_bytes(bytes.data, bytes.size, digest->digest);
        else
            digest->entry = -1;
    }
    us_bytes_free(&bytes);
}

/* Those of alike [n], sorted, that are not the only ones of their kind. */
static size_t take_alike(const struct alike *alike, size_t n, struct us_digest *digests)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if ((i > 0 && same(&alike[i], &alike[i - 1])) || (i + 1 < n && same(&alike[i], &alike[i + 1]))) {
            if (digests)
                digests[found].entry = alike[i].entry;
            found++;
        }
    }
    return found;
}

static size_t list_alike(const struct us_index *index, struct alike *alike)
{
    size_t n = 0;
    for (int64_t i = 0; i < index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST]; i++) {
        const struct us_entry *entry = &index->entries[i];
        if (entry->looked_at && !entry->bad)
            alike[n++] = (struct alike){entry->place.size, i, entry->head};
    }
    return n;
}

enum unseen_status us_digests_find(struct us_index *index, struct us_digest **digests, size_t *n)
{
    struct alike *alike = us_calloc((size_t)(index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST]), sizeof *alike);
    struct us_digest *list = NULL;
    enum unseen_status st = UNSEEN_OK;
    size_t all, found;
    US_TRY_ALLOC(alike);
    all = list_alike(index, alike);
    qsort(alike, all, sizeof *alike, compare_alike);
    found = take_alike(alike, all, NULL);
    US_TRY_ALLOC(list = us_calloc(found, sizeof *list));
    take_alike(alike, all, list);
    struct reading reading = {.index = index, .digests = list, .n = (int64_t)found};
    us_threads_run(us_threads(US_THREADS_MOST), read_digests, &reading);
    if (us_interrupted()) {
        st = us_fail(UNSEEN_INTERRUPTED, "duplicates", "interrupted");
        goto out;
    }
    *n = 0;
    for (size_t k = 0; k < found; k++) {
        if (list[k].entry >= 0)
            list[(*n)++] = list[k];
    }
    *digests = list;
    list = NULL;
out:
    free(list);
    free(alike);
    return st;
}

int us_digest_compare(const void *first, const void *second)
{
    const struct us_digest *a = first, *b = second;
    const int order = memcmp(a->digest, b->digest, US_DIGEST);
    return order != 0 ? order : (a->entry > b->entry) - (a->entry < b->entry);
}
