#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/text.h"
#include "datasets/format.h"
#include "datasets/index/index.h"
#include "datasets/index/notes.h"
#include "datasets/list/listed.h"
#include "datasets/list/sample_list.h"
#include "datasets/store/source.h"

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

/* A file that is there, as the system knows it. */
struct found {
    dev_t device;
    ino_t number;
    const struct us_listed *row;
    char *folder; /* resolved; NULL unless another row has the same file */
};

struct listing {
    const char *location, *folder;
    const struct us_sample_list *list;
    struct us_index *index;
    int64_t missing; /* files that cannot be had */
    const struct us_listed *first_missing;
    int reason;          /* of the first */
    struct found *found; /* [n_found] */
    int64_t n_found;
};

static enum unseen_status refuse_missing(const struct listing *l)
{
    us_fail(UNSEEN_BAD_DATA, l->location, "line %lld: %s: %s; files that cannot be had: %lld",
            (long long)l->first_missing->line, l->first_missing->path, strerror(l->reason),
            (long long)l->missing);
    us_hint(
        "paths are relative to the folder of the list; a first line may name the columns: path,label,split");
    return UNSEEN_BAD_DATA;
}

/* The rows of a split, in their order. */
static enum unseen_status add_rows(struct listing *l, enum us_listed_split from, enum unseen_split to)
{
    enum unseen_status st = UNSEEN_OK;
    for (int64_t i = 0; i < l->list->n && st == UNSEEN_OK; i++) {
        const struct us_listed *row = &l->list->rows[i];
        struct stat about;
        if (row->split != from)
            continue;
        if (look_at(l->folder, row->path, &about) != 0) {
            if (l->missing++ == 0 || row->line < l->first_missing->line) {
                l->first_missing = row;
                l->reason = errno;
            }
            continue;
        }
        l->found[l->n_found++] = (struct found){.device = about.st_dev, .number = about.st_ino, .row = row};
        const struct us_place place = us_place_of(&about);
        st = us_index_add(l->index, to, row->path, row->label, &place);
    }
    return st;
}

static int compare_files(const void *first, const void *second)
{
    const struct found *a = first, *b = second;
    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->row->line > b->row->line) - (a->row->line < b->row->line);
}

/* Of the same file: by path, as it is with the folder's links and ".." resolved. */
static int compare_spellings(const void *first, const void *second)
{
    const struct found *a = first, *b = second;
    int order = strcmp(a->folder, b->folder);
    if (order == 0)
        order = strcmp(us_base_name(a->row->path), us_base_name(b->row->path));
    return order != 0 ? order : (a->row->line > b->row->line) - (a->row->line < b->row->line);
}

/* The folder that a row's file lies in, resolved. Fresh memory. */
static char *resolve_folder(const char *folder, const char *path)
{
    const int length = (int)(us_base_name(path) - path);
    char *whole = *path == '/' ? us_format("%.*s", length, path) : us_format("%s/%.*s", folder, length, path);
    char *resolved = whole ? realpath(whole, NULL) : NULL;
    if (whole && !resolved)
        us_fail_errno(whole, "cannot find its full path");
    free(whole);
    return resolved;
}

/* Links and hard links to a file have paths of their own, and may be listed beside it: folders are resolved
 * only for rows that have one file. */
static enum unseen_status check_spellings(const struct listing *l, struct found *same, int64_t n)
{
    enum unseen_status st = UNSEEN_OK;
    for (int64_t i = 0; i < n; i++)
        US_TRY_ALLOC(same[i].folder = resolve_folder(l->folder, same[i].row->path));
    qsort(same, (size_t)n, sizeof *same, compare_spellings);
    for (int64_t i = 1; i < n && st == UNSEEN_OK; i++) {
        const struct us_listed *a = same[i - 1].row, *b = same[i].row;
        if (strcmp(same[i - 1].folder, same[i].folder) == 0 &&
            strcmp(us_base_name(a->path), us_base_name(b->path)) == 0)
            st = us_fail(UNSEEN_BAD_DATA, l->location, "line %lld: %s is in line %lld already, as %s%s",
                         (long long)b->line, b->path, (long long)a->line, a->path,
                         a->label == b->label ? "" : ", with another label");
    }
out:
    for (int64_t i = 0; i < n; i++)
        free(same[i].folder);
    return st;
}

/* A file is one sample, however its path is spelt. */
static enum unseen_status check_twice(const struct listing *l)
{
    enum unseen_status st = UNSEEN_OK;
    qsort(l->found, (size_t)l->n_found, sizeof *l->found, compare_files);
    for (int64_t i = 0, end; i < l->n_found; i = end) {
        for (end = i + 1; end < l->n_found && l->found[end].device == l->found[i].device &&
                          l->found[end].number == l->found[i].number;)
            end++;
        if (end > i + 1)
            US_TRY(check_spellings(l, l->found + i, end - i));
    }
out:
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
static enum unseen_status add_test(struct listing *l)
{
    const bool val = l->list->of_split[US_LISTED_VAL] > 0;
    enum unseen_status st = UNSEEN_OK;
    if (val && l->list->of_split[US_LISTED_TEST] > 0)
        US_TRY(us_note(&l->index->notes, UNSEEN_LOG_WARNING,
                       "%s: both val and test are there; val is the test split", l->location));
    US_TRY(add_rows(l, val ? US_LISTED_VAL : US_LISTED_TEST, UNSEEN_TEST));
out:
    return st;
}

static enum unseen_status list_files(struct listing *l)
{
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(l->found = us_calloc((size_t)l->list->n, sizeof *l->found));
    US_TRY(add_rows(l, US_LISTED_TRAIN, UNSEEN_TRAIN));
    US_TRY(add_test(l));
    US_TRY(l->missing > 0 ? refuse_missing(l) : check_twice(l));
out:
    free(l->found);
    return st;
}

static enum unseen_status list_listed(const char *location, struct us_index *index)
{
    struct us_sample_list list = {0};
    char *folder = folder_of(location);
    struct listing listing = {.location = location, .folder = folder, .list = &list, .index = index};
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(folder);
    US_TRY(us_check_input(location));
    US_TRY(us_index_watch(index, location));
    US_TRY(us_sample_list_read(location, &list));
    if (list.of_split[US_LISTED_TRAIN] == 0) {
        st = us_fail(UNSEEN_BAD_DATA, location, "names no sample of the train split");
        goto out;
    }
    US_TRY(us_store_new(folder, &index->store));
    US_TRY(list_files(&listing));
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
