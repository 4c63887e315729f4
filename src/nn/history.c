/* history.csv, written by a training run and read by its report. */
#include "config.h"

#include "nn/history.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/text.h"

/* The measured columns of history.csv: one number each, empty where it was not measured. */
static const struct {
    const char *name, *format;
    size_t offset; /* of the number in struct unseen_epoch */
    bool asked;    /* for by an option: no column where there is nothing in it */
} measured[] = {
    {"lr", "%.9g", offsetof(struct unseen_epoch, lr), false},
    {"train_loss", "%.9g", offsetof(struct unseen_epoch, train_loss), false},
    {"train_accuracy", "%.9g", offsetof(struct unseen_epoch, train_accuracy), false},
    {"heldout_loss", "%.9g", offsetof(struct unseen_epoch, heldout_loss), false},
    {"heldout_accuracy", "%.9g", offsetof(struct unseen_epoch, heldout_accuracy), false},
    {"test_loss", "%.9g", offsetof(struct unseen_epoch, test_loss), false},
    {"test_accuracy", "%.9g", offsetof(struct unseen_epoch, test_accuracy), false},
    {"images", "%.0f", offsetof(struct unseen_epoch, images), false},
    {"seconds", "%.3f", offsetof(struct unseen_epoch, seconds), false},
    {"views_loss", "%.9g", offsetof(struct unseen_epoch, views_loss), true},
    {"views_accuracy", "%.9g", offsetof(struct unseen_epoch, views_accuracy), true},
};
enum { MEASURED = sizeof measured / sizeof *measured };

static double *number_of(struct unseen_epoch *epoch, int column)
{
    return (double *)((char *)epoch + measured[column].offset);
}

static double value_of(const struct unseen_epoch *epoch, int column)
{
    return *(const double *)((const char *)epoch + measured[column].offset);
}

static bool is_written(const struct unseen_epoch *history, int epochs, int column)
{
    for (int e = 0; measured[column].asked && e < epochs; e++)
        if (!isnan(value_of(&history[e], column)))
            return true;
    return !measured[column].asked;
}

enum unseen_status us_history_write(const char *path, const struct unseen_epoch *history, int epochs)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st)
        return st;
    fputs("epoch", file.stream);
    for (int c = 0; c < MEASURED; c++)
        if (is_written(history, epochs, c))
            fprintf(file.stream, ",%s", measured[c].name);
    fputc('\n', file.stream);
    for (int e = 0; e < epochs; e++) {
        fprintf(file.stream, "%d", history[e].epoch);
        for (int c = 0; c < MEASURED; c++) {
            const double value = value_of(&history[e], c);
            if (!is_written(history, epochs, c))
                continue;
            fputc(',', file.stream);
            if (!isnan(value))
                us_print(file.stream, measured[c].format, value);
        }
        fputc('\n', file.stream);
    }
    return us_atomic_commit(&file);
}

static enum unseen_status add_column(struct us_history *h, const char *name, size_t length)
{
    char **names = us_realloc(h->names, (size_t)h->columns + 1, sizeof *names);
    if (!names)
        return UNSEEN_FAILED;
    h->names = names;
    double **values = us_realloc(h->values, (size_t)h->columns + 1, sizeof *values);
    if (!values)
        return UNSEEN_FAILED;
    h->values = values;
    if (!(names[h->columns] = us_format("%.*s", (int)length, name)))
        return UNSEEN_FAILED;
    values[h->columns++] = NULL;
    return UNSEEN_OK;
}

static enum unseen_status set_rows(struct us_history *h, int rows)
{
    for (int c = 0; c < h->columns; c++) {
        h->values[c] = us_calloc((size_t)rows, sizeof *h->values[c]);
        if (!h->values[c])
            return UNSEEN_FAILED;
        for (int r = 0; r < rows; r++)
            h->values[c][r] = NAN;
    }
    h->rows = rows;
    return UNSEEN_OK;
}

static enum unseen_status read_heading(const char *line, struct us_history *h)
{
    enum unseen_status st = UNSEEN_OK;
    for (;;) {
        size_t length = strcspn(line, ",\n");
        US_TRY(add_column(h, line, length));
        if (line[length] != ',')
            break;
        line += length + 1;
    }
out:
    return st;
}

/* One line of cells, ended by a zero byte. */
static enum unseen_status read_row(const char *path, const char *line, struct us_history *h, int row)
{
    for (int c = 0; c < h->columns; c++) {
        size_t length = strcspn(line, ",");
        if (length) {
            char *end;
            h->values[c][row] = us_read_number(line, &end);
            if (end != line + length)
                return us_fail(UNSEEN_BAD_DATA, path, "line %d, column %s: '%.*s' is not a number", row + 2,
                               h->names[c], (int)(length < 40 ? length : 40), line);
        }
        bool last = c + 1 == h->columns;
        if ((line[length] == ',') == last)
            return us_fail(UNSEEN_BAD_DATA, path, "line %d has %s than the %d columns of the heading",
                           row + 2, last ? "more cells" : "fewer cells", h->columns);
        line += length + 1;
    }
    return UNSEEN_OK;
}

enum unseen_status us_history_read(const char *path, struct us_history *history)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_history h = {0};
    char *text = NULL;
    size_t size = 0;
    int rows = 0, row = 0;
    US_TRY(us_read_file(path, &text, &size));
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\r')
            text[i] = '\n';
        rows += text[i] == '\n' || i + 1 == size;
    }
    US_TRY(read_heading(text, &h));
    US_TRY(set_rows(&h, rows));
    for (char *line = text + strcspn(text, "\n"); *line;) {
        line += strspn(line, "\n");
        size_t length = strcspn(line, "\n");
        char *next = line[length] ? line + length + 1 : line + length;
        line[length] = 0;
        if (length)
            US_TRY(read_row(path, line, &h, row++));
        line = next;
    }
    h.rows = row;
    *history = h;
    h = (struct us_history){0};
out:
    us_history_free(&h);
    free(text);
    return st;
}

enum unseen_status us_history_from_json(const json_t *epochs, struct us_history *history)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_history h = {0};
    json_t *first = json_array_get(epochs, 0);
    const char *key;
    json_t *value;
    json_object_foreach(first, key, value) US_TRY(add_column(&h, key, strlen(key)));
    US_TRY(set_rows(&h, (int)json_array_size(epochs)));
    for (int r = 0; r < h.rows; r++) {
        for (int c = 0; c < h.columns; c++) {
            value = json_object_get(json_array_get(epochs, (size_t)r), h.names[c]);
            if (json_is_number(value))
                h.values[c][r] = json_number_value(value);
        }
    }
    *history = h;
    h = (struct us_history){0};
out:
    us_history_free(&h);
    return st;
}

const double *us_history_column(const struct us_history *history, const char *name)
{
    for (int c = 0; c < history->columns; c++) {
        if (strcmp(history->names[c], name) != 0)
            continue;
        for (int r = 0; r < history->rows; r++)
            if (isfinite(history->values[c][r]))
                return history->values[c];
    }
    return NULL;
}

void us_history_free(struct us_history *history)
{
    for (int c = 0; c < history->columns; c++) {
        free(history->names[c]);
        free(history->values[c]);
    }
    free(history->names);
    free(history->values);
    *history = (struct us_history){0};
}

static double number_at(const double *column, int row)
{
    return column ? column[row] : NAN;
}

enum unseen_status unseen_history_read(const char *path, struct unseen_epoch **history, int *epochs)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_history h = {0};
    struct unseen_epoch *fresh = NULL;
    US_TRY(us_history_read(path, &h));
    const double *number = us_history_column(&h, "epoch");
    if (!number) {
        st = us_fail(UNSEEN_BAD_DATA, path, "has no column 'epoch'");
        goto out;
    }
    US_TRY_ALLOC(fresh = us_calloc((size_t)h.rows, sizeof *fresh));
    for (int e = 0; e < h.rows; e++) {
        if (!(number[e] >= 0 && number[e] <= INT_MAX)) {
            st = us_fail(UNSEEN_BAD_DATA, path, "line %d, column epoch: %g is no epoch", e + 2, number[e]);
            goto out;
        }
        fresh[e].epoch = (int)number[e];
    }
    for (int c = 0; c < MEASURED; c++) {
        const double *column = us_history_column(&h, measured[c].name);
        for (int e = 0; e < h.rows; e++)
            *number_of(&fresh[e], c) = number_at(column, e);
    }
    *history = fresh;
    *epochs = h.rows;
    fresh = NULL;
out:
    free(fresh);
    us_history_free(&h);
    return st;
}
