#include "config.h"

#include "base/labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/fs.h"
#include "base/sample_table.h"
#include "base/text.h"

#define MAGIC "\x93NUMPY"

enum unseen_status us_labels_look(const char *file, bool *is_table)
{
    char begin[sizeof MAGIC - 1] = "";
    const size_t length = strlen(file);
    enum unseen_status st = us_check_input(file);
    if (st != UNSEEN_OK)
        return st;
    *is_table = !(length >= 4 && us_same_letters(file + length - 4, ".npy"));
    if (!*is_table)
        return UNSEEN_OK;
    FILE *stream = us_fopen(file, "rbe");
    if (!stream)
        return us_fail_errno(file, "cannot open");
    *is_table =
        fread(begin, 1, sizeof begin, stream) < sizeof begin || memcmp(begin, MAGIC, sizeof begin) != 0;
    fclose(stream);
    return UNSEEN_OK;
}

/* ---- arrays ---- */

static enum unseen_status refuse_length(const char *file, int64_t has, const struct us_labelled *of)
{
    us_fail(UNSEEN_BAD_DATA, file, "has %" PRId64 " labels; %s has %" PRId64 " training samples", has,
            of->name, of->n);
    us_hint("labels are those of all training samples, in the dataset's order");
    return UNSEEN_BAD_DATA;
}

static enum unseen_status read_array(const char *file, const struct us_labelled *of, int32_t *labels)
{
    struct us_npy array = {0};
    enum unseen_status st = UNSEEN_OK;
    US_TRY(us_checksum_check_beside(file));
    US_TRY(us_npy_open_integers(file, 1, &array));
    if (array.shape[0] != of->n) {
        st = refuse_length(file, array.shape[0], of);
        goto out;
    }
    for (int64_t i = 0; i < of->n; i++) {
        const int64_t label = us_npy_integer(&array, (size_t)i);
        if (label < 0 || label >= of->classes) {
            st = us_fail(UNSEEN_BAD_DATA, file, "label %" PRId64 " of sample %" PRId64 " is not in 0..%d",
                         label, i, of->classes - 1);
            us_hint("%s has %d classes", of->name, of->classes);
            goto out;
        }
        labels[i] = (int32_t)label;
    }
out:
    us_npy_close(&array);
    return st;
}

/* ---- tables ---- */

enum column { INDEX, PATH, LABEL, SPLIT, N_COLUMNS };

struct reading {
    const struct us_labelled *of;
    struct us_csv csv;
    int at[N_COLUMNS]; /* where a column is in a row; -1: nowhere */
    int32_t *by_name;  /* [classes] sorted by their names; NULL where they have none */
    int32_t *labels;   /* [n]; -1: none yet */
    int64_t rows;      /* that were taken */
};

static const char *const true_columns[] = {"true_label", "true_labels", "clean_label", "true", "truth", NULL};

static int find_label(const struct us_csv *csv, enum us_label_kind kind)
{
    const int at = kind == US_LABELS_TRUE ? us_column_find(csv, true_columns) : -1;
    return at >= 0 ? at : us_column_find(csv, us_label_columns);
}

/* Whether the current row, the first one, names the columns; sets where they are either way. */
static enum unseen_status find_columns(struct reading *r, enum us_label_kind kind, bool *named)
{
    const struct us_csv *csv = &r->csv;
    *named = (r->at[LABEL] = find_label(csv, kind)) >= 0;
    r->at[INDEX] = *named ? us_column_find(csv, us_index_columns) : -1;
    r->at[PATH] = *named ? us_column_find(csv, us_path_columns) : csv->n > 1 ? 0 : -1;
    r->at[SPLIT] = *named ? us_column_find(csv, us_split_columns) : -1;
    if (!*named)
        r->at[LABEL] = csv->n > 1;
    if (csv->n == 1 || r->at[INDEX] >= 0 || r->at[PATH] >= 0)
        return UNSEEN_OK;
    us_csv_fail(csv, "no column is called index or path");
    us_hint("a table of labels has columns index,label or path,label, or labels alone");
    return UNSEEN_BAD_DATA;
}

/* By class_names, which the numbers in `context` order. */
static int compare_classes(const void *first, const void *second, void *names)
{
    const int32_t a = *(const int32_t *)first, b = *(const int32_t *)second;
    const int order = strcmp(((char *const *)names)[a], ((char *const *)names)[b]);
    return order != 0 ? order : (a > b) - (a < b);
}

static enum unseen_status sort_classes(struct reading *r)
{
    const struct us_labelled *of = r->of;
    if (!of->class_names)
        return UNSEEN_OK;
    r->by_name = us_calloc((size_t)of->classes, sizeof *r->by_name);
    if (!r->by_name)
        return UNSEEN_FAILED;
    for (int32_t c = 0; c < of->classes; c++)
        r->by_name[c] = c;
    qsort_r(r->by_name, (size_t)of->classes, sizeof *r->by_name, compare_classes, (void *)of->class_names);
    return UNSEEN_OK;
}

static int32_t class_named(const struct reading *r, const char *name)
{
    int first = 0, last = r->by_name ? r->of->classes - 1 : -1;
    while (first <= last) {
        const int middle = first + (last - first) / 2;
        const int order = strcmp(name, r->of->class_names[r->by_name[middle]]);
        if (order == 0)
            return r->by_name[middle];
        if (order < 0)
            last = middle - 1;
        else
            first = middle + 1;
    }
    return -1;
}

/* A number that is the name of another class could mean both. */
static enum unseen_status take_label(const struct reading *r, const char *text, int32_t *label)
{
    const int classes = r->of->classes;
    const int64_t number = us_class_number(text, classes);
    const int32_t named = class_named(r, text);
    if (named >= 0 && number >= 0 && number < classes && number != named) {
        us_csv_fail(&r->csv, "label %s is the name of class %" PRId32 ", and the number of another", text,
                    named);
        us_hint("give the numbers of classes as an .npy");
        return UNSEEN_BAD_DATA;
    }
    *label = named >= 0 ? named : number < classes ? (int32_t)number : -1;
    if (*label >= 0)
        return UNSEEN_OK;
    us_csv_fail(&r->csv, "label '%s' is no class of %s", text, r->of->name);
    us_hint("its classes are 0..%d%s%s%s", classes - 1, r->by_name ? ", or names, such as \"" : "",
            r->by_name ? r->of->class_names[0] : "", r->by_name ? "\"" : "");
    return UNSEEN_BAD_DATA;
}

/* The current row's field of a column; NULL where the row ends before it or it is empty. */
static const char *field_of(const struct reading *r, enum column column)
{
    const int at = r->at[column];
    return at >= 0 && at < r->csv.n && *r->csv.field[at] ? r->csv.field[at] : NULL;
}

static int64_t index_of(const char *text, int64_t n)
{
    const int64_t index = us_class_number(text, n);
    return index < n ? index : -1;
}

static enum unseen_status take_sample(const struct reading *r, int64_t *sample)
{
    const struct us_labelled *of = r->of;
    const bool by_index = r->at[INDEX] >= 0;
    *sample = r->rows;
    if (!by_index && r->at[PATH] < 0)
        return *sample < of->n
                   ? UNSEEN_OK
                   : us_csv_fail(&r->csv, "%s has only %" PRId64 " training samples", of->name, of->n);
    const char *text = field_of(r, by_index ? INDEX : PATH);
    if (!text)
        return us_csv_fail(&r->csv, "names no sample");
    *sample = by_index || !of->find ? index_of(text, of->n) : of->find(of->samples, text);
    if (*sample >= 0)
        return UNSEEN_OK;
    us_csv_fail(&r->csv, "'%s' is no training sample of %s", text, of->name);
    if (by_index || !of->find)
        us_hint("a sample is an index, 0..%" PRId64, of->n - 1);
    else
        us_hint("a sample is a path in the dataset, as unseen dataset info --list prints it, or an index, "
                "0..%" PRId64,
                of->n - 1);
    return UNSEEN_BAD_DATA;
}

static enum unseen_status take_row(struct reading *r)
{
    int64_t sample;
    int32_t label;
    enum unseen_status st = UNSEEN_OK;
    const char *text = field_of(r, LABEL), *split = field_of(r, SPLIT);
    if (split && !us_same_letters(split, "train") && !us_same_letters(split, "training"))
        return UNSEEN_OK;
    if (!text)
        return us_csv_fail(&r->csv, "has no label");
    US_TRY(take_sample(r, &sample));
    US_TRY(take_label(r, text, &label));
    if (r->labels[sample] >= 0)
        return us_csv_fail(&r->csv, "sample %" PRId64 " has a label already", sample);
    r->labels[sample] = label;
    r->rows++;
out:
    return st;
}

static enum unseen_status take_rows(struct reading *r, enum us_label_kind kind)
{
    bool there, named = false;
    enum unseen_status st;
    US_TRY(us_csv_next(&r->csv, &there));
    if (there)
        US_TRY(find_columns(r, kind, &named));
    if (named)
        US_TRY(us_csv_next(&r->csv, &there));
    while (there) {
        US_TRY(take_row(r));
        US_TRY(us_csv_next(&r->csv, &there));
    }
    if (r->rows < r->of->n)
        st = refuse_length(r->csv.file, r->rows, r->of);
out:
    return st;
}

static enum unseen_status read_table(const char *file, enum us_label_kind kind, const struct us_labelled *of,
                                     int32_t *labels)
{
    struct reading r = {.of = of, .labels = labels};
    enum unseen_status st;
    for (int64_t i = 0; i < of->n; i++)
        labels[i] = -1;
    US_TRY(sort_classes(&r));
    US_TRY(us_csv_open(file, &r.csv));
    US_TRY(take_rows(&r, kind));
out:
    us_csv_close(&r.csv);
    free(r.by_name);
    return st;
}

enum unseen_status us_labels_read(const char *file, enum us_label_kind kind, const struct us_labelled *of,
                                  int32_t *labels)
{
    bool is_table;
    enum unseen_status st = us_labels_look(file, &is_table);
    if (st == UNSEEN_OK)
        st = is_table ? read_table(file, kind, of, labels) : read_array(file, of, labels);
    if (st == UNSEEN_BAD_DATA && !*unseen_last_hint())
        us_hint("labels are an .npy of integers [N], or a table index,label or path,label");
    return st;
}
