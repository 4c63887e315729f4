#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "datasets/format.h"
#include "datasets/index.h"
#include "datasets/listed.h"
#include "datasets/notes.h"
#include "datasets/sample_list.h"

/* A regular file with such a name. */
static bool is_list(const char *path)
{
    static const char *const extensions[] = {".csv", ".tsv"};
    struct stat about;
    const size_t size = strlen(path);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        const size_t length = strlen(extensions[i]);
        if (size > length && us_same_letters(path + size - length, extensions[i]))
            return stat(path, &about) == 0 && S_ISREG(about.st_mode);
    }
    return false;
}

/* Where the list lies; paths in it are relative to that. Fresh memory. */
static char *folder_of(const char *list)
{
    const char *slash = strrchr(list, '/');
    return slash ? us_format("%.*s", (int)(slash - list) + (slash == list), list) : us_format(".");
}

/* What is known of a listed file. */
static int look_at(const char *folder, const char *path, struct stat *about)
{
    char *whole = *path == '/' ? us_format("%s", path) : us_format("%s/%s", folder, path);
    const int rc = whole ? stat(whole, about) : -1;
    free(whole);
    return rc;
}

struct missing {
    int64_t n;
    const struct us_listed *first;
    int reason; /* of the first */
};

static enum unseen_status refuse_missing(const char *location, const struct missing *missing)
{
    us_fail(UNSEEN_BAD_DATA, location, "line %lld: %s: %s; files that cannot be had: %lld",
            (long long)missing->first->line, missing->first->path, strerror(missing->reason),
            (long long)missing->n);
    us_hint(
        "paths are relative to the folder of the list; a first line may name the columns: path,label,split");
    return UNSEEN_BAD_DATA;
}

/* The rows of a split, in their order. */
static enum unseen_status add_rows(const char *folder, const struct us_sample_list *list,
                                   enum us_listed_split from, enum unseen_split to, struct us_index *index,
                                   struct missing *missing)
{
    enum unseen_status st = UNSEEN_OK;
    for (int64_t i = 0; i < list->n && st == UNSEEN_OK; i++) {
        const struct us_listed *row = &list->rows[i];
        struct stat about;
        if (row->split != from)
            continue;
        if (look_at(folder, row->path, &about) != 0) {
            if (missing->n++ == 0 || row->line < missing->first->line) {
                missing->first = row;
                missing->reason = errno;
            }
            continue;
        }
        const struct us_place place = us_place_of(&about);
        st = us_index_add(index, to, row->path, row->label, &place);
    }
    return st;
}

static enum unseen_status add_classes(const struct us_sample_list *list, struct us_index *index)
{
    char number[32];
    enum unseen_status st = UNSEEN_OK;
    for (int c = 0; c < list->n_classes && st == UNSEEN_OK; c++) {
        us_print_to(number, sizeof number, US_CLASS_NUMBER, c);
        st = us_index_class(index, list->classes ? list->classes[c] : number);
    }
    return st;
}

/* val is the test split, or else test. */
static enum unseen_status add_test(const char *location, const char *folder,
                                   const struct us_sample_list *list, struct us_index *index,
                                   struct missing *missing)
{
    const bool val = list->of_split[US_LISTED_VAL] > 0;
    enum unseen_status st = UNSEEN_OK;
    if (val && list->of_split[US_LISTED_TEST] > 0)
        US_TRY(us_note(&index->notes, UNSEEN_LOG_WARNING,
                       "%s: both val and test are there; val is the test split", location));
    US_TRY(add_rows(folder, list, val ? US_LISTED_VAL : US_LISTED_TEST, UNSEEN_TEST, index, missing));
out:
    return st;
}

static enum unseen_status list_listed(const char *location, struct us_index *index)
{
    struct us_sample_list list = {0};
    struct missing missing = {0};
    char *folder = folder_of(location);
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(folder);
    US_TRY(us_index_watch(index, location));
    US_TRY(us_sample_list_read(location, &list));
    if (list.of_split[US_LISTED_TRAIN] == 0) {
        st = us_fail(UNSEEN_BAD_DATA, location, "names no sample of the train split");
        goto out;
    }
    US_TRY(us_store_new(folder, &index->store));
    US_TRY(add_rows(folder, &list, US_LISTED_TRAIN, UNSEEN_TRAIN, index, &missing));
    US_TRY(add_test(location, folder, &list, index, &missing));
    if (missing.n > 0) {
        st = refuse_missing(location, &missing);
        goto out;
    }
    US_TRY(add_classes(&list, index));
    US_TRY(us_index_note_empty(index, location));
out:
    us_sample_list_free(&list);
    free(folder);
    return st;
}

const struct us_dataset_format us_format_list = {
    .name = "list",
    .argument = "FILE.csv",
    .knows = is_list,
    .list = list_listed,
    .write_file = us_listed_write,
};
