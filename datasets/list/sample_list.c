#include "config.h"

#include "datasets/list/sample_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/log.h"
#include "base/sample_table.h"
#include "base/text.h"

/* Labels that are numbers go up to here: larger ones are names that happen to be digits, such as dates. */
enum { CLASSES_MOST = 65536 };

enum column { PATH, LABEL, SPLIT, N_COLUMNS };

struct reading {
    struct us_csv csv;
    struct us_sample_list *list;
    int at[N_COLUMNS]; /* where a column is in a row; -1: nowhere */
    char **labels;     /* of each row, as it is written; they lie in `csv` */
    int64_t room;      /* of list->rows */
    bool names;        /* a label is no number */
    int64_t largest;   /* of the labels that are numbers */
    int64_t row_of_largest;
    int64_t row_of_negative; /* the first label that is a negative number; -1: none is */
};

static const char *const *const column_names[N_COLUMNS] = {
    [PATH] = us_path_columns, [LABEL] = us_label_columns, [SPLIT] = us_split_columns};

/* Columns that are named but not used; an empty name is the row numbers that some programs write. */
static void note_other_columns(const struct reading *r)
{
    int others = 0;
    const char *first = NULL;
    for (int i = 0; i < r->csv.n; i++) {
        if (i == r->at[PATH] || i == r->at[LABEL] || i == r->at[SPLIT])
            continue;
        if (others++ == 0)
            first = r->csv.field[i];
    }
    if (others > 0)
        us_log(UNSEEN_LOG_INFO, "%s: columns that are not used: %d, '%s' among them", r->csv.file, others,
               first);
}

/* Whether the current row, the first one, names the columns; sets where they are either way. */
static enum unseen_status find_columns(struct reading *r, bool *named)
{
    *named = us_column_find(&r->csv, us_path_columns) >= 0;
    for (int column = 0; column < N_COLUMNS; column++)
        r->at[column] = *named              ? us_column_find(&r->csv, column_names[column])
                        : column < r->csv.n ? column
                                            : -1;
    if (r->at[LABEL] >= 0) {
        if (*named)
            note_other_columns(r);
        return UNSEEN_OK;
    }
    us_csv_fail(&r->csv, *named ? "no column is called label" : "there is a path, '%s', but no label",
                r->csv.n > 0 ? r->csv.field[0] : "");
    us_hint("a list has columns path,label or path,label,split, with or without a line that names them");
    return UNSEEN_BAD_DATA;
}

static enum unseen_status split_of(const struct us_csv *csv, const char *word, enum us_listed_split *split)
{
    static const struct {
        const char *word;
        enum us_listed_split split;
    } words[] = {{"train", US_LISTED_TRAIN}, {"training", US_LISTED_TRAIN}, {"val", US_LISTED_VAL},
                 {"valid", US_LISTED_VAL},   {"validation", US_LISTED_VAL}, {"dev", US_LISTED_VAL},
                 {"test", US_LISTED_TEST},   {"testing", US_LISTED_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (us_same_letters(word, words[i].word)) {
            *split = words[i].split;
            return UNSEEN_OK;
        }
    }
    us_csv_fail(csv, "'%s' is no split", word);
    us_hint("a split is train, val or test");
    return UNSEEN_BAD_DATA;
}

static int64_t number_of(const char *text)
{
    return us_class_number(text, CLASSES_MOST);
}

static void note_label(struct reading *r, char *label)
{
    const int64_t number = number_of(label);
    const bool negative = *label == '-' && number_of(label + 1) >= 0;
    r->labels[r->list->n] = label;
    r->names |= number < 0 && !negative;
    if (negative && r->row_of_negative < 0)
        r->row_of_negative = r->list->n;
    if (number > r->largest) {
        r->largest = number;
        r->row_of_largest = r->list->n;
    }
}

static enum unseen_status grow_rows(struct reading *r)
{
    if (r->list->n < r->room)
        return UNSEEN_OK;
    const int64_t room = r->room ? 2 * r->room : 1024;
    struct us_listed *grown = us_realloc(r->list->rows, (size_t)room, sizeof *grown);
    if (!grown)
        return UNSEEN_FAILED;
    r->list->rows = grown;
    char **labels = us_realloc(r->labels, (size_t)room, sizeof *labels);
    if (!labels)
        return UNSEEN_FAILED;
    r->labels = labels;
    r->room = room;
    return UNSEEN_OK;
}

/* The current row's field of a column; NULL where the row ends before it or it is empty. */
static char *field_of(const struct reading *r, enum column column)
{
    const int at = r->at[column];
    return at >= 0 && at < r->csv.n && *r->csv.field[at] ? r->csv.field[at] : NULL;
}

/* Leave out what means nothing in a path, "." and all but one of several slashes, in place. */
static void simplify(char *path)
{
    const char *from = path;
    char *to = path;
    while (*from) {
        const bool begins = to == path || to[-1] == '/';
        if (begins && from[0] == '.' && from[1] == '/')
            from += 2;
        else if (begins && from > path && *from == '/')
            from++;
        else
            *to++ = *from++;
    }
    *to = '\0';
}

static enum unseen_status take_row(struct reading *r)
{
    char *path = field_of(r, PATH), *label = field_of(r, LABEL), *split = field_of(r, SPLIT);
    struct us_listed row = {.line = r->csv.line, .split = US_LISTED_TRAIN};
    if (!path || !label)
        return us_csv_fail(&r->csv, "has no %s", path ? "label" : "path");
    if (r->at[SPLIT] >= 0) {
        enum unseen_status st = split_of(&r->csv, split ? split : "", &row.split);
        if (st != UNSEEN_OK)
            return st;
    }
    simplify(path);
    if (grow_rows(r) || !(row.path = us_format("%s", path)))
        return UNSEEN_FAILED;
    note_label(r, label);
    r->list->rows[r->list->n++] = row;
    r->list->of_split[row.split]++;
    return UNSEEN_OK;
}

static enum unseen_status take_rows(struct reading *r)
{
    bool there, named;
    enum unseen_status st;
    US_TRY(us_csv_next(&r->csv, &there));
    if (!there)
        return us_fail(UNSEEN_BAD_DATA, r->csv.file, "is empty");
    US_TRY(find_columns(r, &named));
    if (named)
        US_TRY(us_csv_next(&r->csv, &there));
    while (there) {
        US_TRY(take_row(r));
        US_TRY(us_csv_next(&r->csv, &there));
    }
    if (r->list->n == 0)
        return us_fail(UNSEEN_BAD_DATA, r->csv.file, "names the columns, but no sample");
out:
    return st;
}

static enum unseen_status number_classes(struct reading *r)
{
    struct us_sample_list *list = r->list;
    const int64_t negative = r->row_of_negative;
    if (negative >= 0) {
        us_fail(UNSEEN_BAD_DATA, r->csv.file, "line %lld: label %s is negative, and all others are numbers",
                (long long)list->rows[negative].line, r->labels[negative]);
        us_hint("labels that are all numbers count the classes from 0 on");
        return UNSEEN_BAD_DATA;
    }
    if (r->largest >= CLASSES_MOST) {
        us_fail(UNSEEN_BAD_DATA, r->csv.file, "line %lld: label %s would make more than %d classes",
                (long long)list->rows[r->row_of_largest].line, r->labels[r->row_of_largest], CLASSES_MOST);
        us_hint("labels that are all numbers count the classes from 0 on");
        return UNSEEN_BAD_DATA;
    }
    list->n_classes = (int)r->largest + 1;
    for (int64_t i = 0; i < list->n; i++)
        list->rows[i].label = (int32_t)number_of(r->labels[i]);
    return UNSEEN_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum unseen_status name_classes(struct reading *r)
{
    struct us_sample_list *list = r->list;
    char **sorted = us_calloc((size_t)list->n, sizeof *sorted);
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(sorted);
    memcpy(sorted, r->labels, (size_t)list->n * sizeof *sorted);
    qsort(sorted, (size_t)list->n, sizeof *sorted, compare_names);
    int n = 0;
    for (int64_t i = 0; i < list->n; i++) {
        if (n == 0 || strcmp(sorted[i], sorted[n - 1]) != 0)
            sorted[n++] = sorted[i];
    }
    US_TRY_ALLOC(list->classes = us_calloc((size_t)n, sizeof *list->classes));
    for (; list->n_classes < n; list->n_classes++)
        US_TRY_ALLOC(list->classes[list->n_classes] = us_format("%s", sorted[list->n_classes]));
    for (int64_t i = 0; i < list->n; i++) {
        char **found = bsearch(&r->labels[i], sorted, (size_t)n, sizeof *sorted, compare_names);
        list->rows[i].label = (int32_t)(found - sorted);
    }
out:
    free(sorted);
    return st;
}

static int compare_paths(const void *first, const void *second)
{
    const struct us_listed *a = *(const struct us_listed *const *)first;
    const struct us_listed *b = *(const struct us_listed *const *)second;
    const int order = strcmp(a->path, b->path);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* A path is one sample: its index, and the subsets that name it, stand for that. */
static enum unseen_status check_twice(const struct us_csv *csv, const struct us_sample_list *list)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_listed **by_path = us_calloc((size_t)list->n, sizeof *by_path);
    if (!by_path)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < list->n; i++)
        by_path[i] = &list->rows[i];
    qsort(by_path, (size_t)list->n, sizeof *by_path, compare_paths);
    for (int64_t i = 1; i < list->n && st == UNSEEN_OK; i++) {
        const struct us_listed *a = by_path[i - 1], *b = by_path[i];
        if (strcmp(a->path, b->path) == 0)
            st = us_fail(UNSEEN_BAD_DATA, csv->file, "line %lld: %s is in line %lld already%s",
                         (long long)b->line, b->path, (long long)a->line,
                         a->label == b->label ? "" : ", with another label");
    }
    free(by_path);
    return st;
}

enum unseen_status us_sample_list_read(const char *file, struct us_sample_list *list)
{
    struct reading r = {.list = list, .row_of_negative = -1};
    enum unseen_status st;
    US_TRY(us_csv_open(file, &r.csv));
    US_TRY(take_rows(&r));
    US_TRY(r.names ? name_classes(&r) : number_classes(&r));
    US_TRY(check_twice(&r.csv, list));
out:
    free(r.labels);
    us_csv_close(&r.csv);
    return st;
}

void us_sample_list_free(struct us_sample_list *list)
{
    for (int64_t i = 0; i < list->n; i++)
        free(list->rows[i].path);
    for (int c = 0; c < list->n_classes && list->classes; c++)
        free(list->classes[c]);
    free(list->classes);
    free(list->rows);
    *list = (struct us_sample_list){0};
}
