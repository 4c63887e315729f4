#include "config.h"

#include "datasets/folder/label_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/text.h"
#include "datasets/store/source.h"

#define BLANKS " \t"

/* An image by its name without the extension, which lists have or leave out. */
struct stem {
    const char *name;
    size_t size;
    int64_t image;
};

struct reading {
    const struct us_label_list *list;
    const char *const *names;
    struct stem *stems; /* [n] sorted */
    int64_t n;
    int32_t *labels; /* [n]; -1: none yet */
    int64_t others;  /* lines about other images */
};

static struct stem stem_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return (struct stem){name, dot ? (size_t)(dot - name) : strlen(name), 0};
}

static int compare_stems(const void *first, const void *second)
{
    const struct stem *a = first, *b = second;
    int order = memcmp(a->name, b->name, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static enum unseen_status sort_stems(struct reading *r)
{
    r->stems = us_calloc((size_t)r->n, sizeof *r->stems);
    if (!r->stems)
        return UNSEEN_FAILED;
    for (int64_t i = 0; i < r->n; i++) {
        r->stems[i] = stem_of(r->names[i]);
        r->stems[i].image = i;
    }
    qsort(r->stems, (size_t)r->n, sizeof *r->stems, compare_stems);
    return UNSEEN_OK;
}

/* A whole number; -1 for any other text. */
static int64_t number_of(const char *text)
{
    int64_t number = 0;
    const char *c = text;
    for (; us_is_digit(*c) && number < INT32_MAX; c++)
        number = 10 * number + (*c - '0');
    return c > text && !*c ? number : -1;
}

/* -1 if there is no class of that name. */
static int32_t class_named(const struct us_label_list *list, const char *name)
{
    int first = 0, last = list->n_classes - 1;
    while (first <= last) {
        int middle = first + (last - first) / 2;
        int order = strcmp(name, list->classes[middle]);
        if (order == 0)
            return middle;
        if (order < 0)
            last = middle - 1;
        else
            first = middle + 1;
    }
    return -1;
}

static enum unseen_status class_of(const struct us_label_list *list, int64_t line, const char *word,
                                   int32_t *label)
{
    const int64_t number = number_of(word);
    *label = class_named(list, word);
    if (*label < 0 && number >= 0 && number < list->n_classes)
        *label = (int32_t)number;
    if (*label >= 0)
        return UNSEEN_OK;
    return number >= 0 ? us_fail(UNSEEN_BAD_DATA, list->file, "line %lld: class %s is not in 0..%d",
                                 (long long)line, word, list->n_classes - 1)
                       : us_fail(UNSEEN_BAD_DATA, list->file,
                                 "line %lld: '%s' is no class of the training split", (long long)line, word);
}

/* `name` may have folders before it. */
static enum unseen_status take_label(struct reading *r, int64_t line, const char *name, const char *class)
{
    const char *base = us_base_name(name);
    struct stem whole = {base, strlen(base), 0}, wanted = stem_of(base);
    const struct stem *found = bsearch(&wanted, r->stems, (size_t)r->n, sizeof wanted, compare_stems);
    if (!found)
        found = bsearch(&whole, r->stems, (size_t)r->n, sizeof whole, compare_stems);
    if (!found) {
        r->others++;
        return UNSEEN_OK;
    }
    if (r->labels[found->image] >= 0)
        return us_fail(UNSEEN_BAD_DATA, r->list->file, "line %lld: %s is there twice", (long long)line, name);
    return class_of(r->list, line, class, &r->labels[found->image]);
}

/* The class is the last word: names may hold blanks. */
static enum unseen_status take_files(struct reading *r, char *text)
{
    struct us_lines lines = us_lines_of(text);
    for (char *line; (line = us_next_line(&lines));) {
        size_t size = strlen(line);
        while (size > 0 && strchr(BLANKS, line[size - 1]))
            line[--size] = '\0';
        char *class = line + size;
        while (class > line && !strchr(BLANKS, class[-1]))
            class --;
        if (class == line)
            return us_fail(UNSEEN_BAD_DATA, r->list->file, "line %lld: '%s' is not a file and its class",
                           (long long)lines.line, line);
        for (char *end = class; end > line && strchr(BLANKS, end[-1]);)
            *--end = '\0';
        enum unseen_status st = take_label(r, lines.line, line, class);
        if (st != UNSEEN_OK)
            return st;
    }
    return UNSEEN_OK;
}

/* Boxes follow the class: "n01751748 111 108 365 294". */
static enum unseen_status take_solution(struct reading *r)
{
    struct us_csv csv = {0};
    bool there;
    enum unseen_status st;
    US_TRY(us_csv_open(r->list->file, &csv));
    for (;;) {
        US_TRY(us_csv_next(&csv, &there));
        if (!there)
            break;
        if (csv.n < 2) {
            st = us_csv_fail(&csv, "is not an image and its class");
            goto out;
        }
        if (us_same_letters(csv.field[0], "ImageId"))
            continue;
        csv.field[1][strcspn(csv.field[1], BLANKS)] = '\0';
        US_TRY(take_label(r, csv.line, csv.field[0], csv.field[1]));
    }
out:
    us_csv_close(&csv);
    return st;
}

static enum unseen_status refuse_numbers(const struct us_label_list *list)
{
    us_fail(UNSEEN_BAD_DATA, list->file,
            "holds the devkit's own numbers of classes, and no text tells which they are");
    us_hint("put a text map_clsloc.txt beside it, \"n02119789 1 kit_fox\" a line (the devkit's meta.mat is "
            "not read)");
    return UNSEEN_BAD_DATA;
}

static enum unseen_status class_of_id(const struct us_label_list *list, int64_t line, const char *word,
                                      int32_t *label)
{
    const int64_t id = number_of(word);
    for (int i = 0; i < list->synsets->n; i++) {
        if (list->synsets->list[i].id == id)
            return class_of(list, line, list->synsets->list[i].name, label);
    }
    return us_fail(UNSEEN_BAD_DATA, list->file, "line %lld: '%s' is no number of a class", (long long)line,
                   word);
}

/* One line is one image, in the order of names. */
static enum unseen_status take_numbers(struct reading *r, char *text)
{
    struct us_lines lines = us_lines_of(text);
    int64_t n = 0;
    if (!r->list->synsets || !r->list->synsets->ids)
        return refuse_numbers(r->list);
    for (char *line; (line = us_next_line(&lines)); n++) {
        line += strspn(line, BLANKS);
        line[strcspn(line, BLANKS)] = '\0';
        enum unseen_status st = n < r->n ? class_of_id(r->list, lines.line, line, &r->labels[n]) : UNSEEN_OK;
        if (st != UNSEEN_OK)
            return st;
    }
    return n == r->n ? UNSEEN_OK
                     : us_fail(UNSEEN_BAD_DATA, r->list->file, "has %lld lines, but there are %lld images",
                               (long long)n, (long long)r->n);
}

static enum unseen_status check_labels(const struct reading *r)
{
    int64_t without = 0, first = 0;
    for (int64_t i = r->n; i-- > 0;) {
        if (r->labels[i] < 0) {
            without++;
            first = i;
        }
    }
    if (without > 0)
        return us_fail(UNSEEN_BAD_DATA, r->list->file, "has no label for %s, and for %lld images in all",
                       r->names[first], (long long)without);
    if (r->others > 0)
        us_log(UNSEEN_LOG_WARNING, "%s: lines about images that are not there: %lld", r->list->file,
               (long long)r->others);
    return UNSEEN_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text), length = strlen(end);
    return size >= length && us_same_letters(text + size - length, end);
}

enum unseen_status us_label_list_read(const struct us_label_list *list, const char *const *names, int64_t n,
                                      int32_t *labels)
{
    struct reading r = {.list = list, .names = names, .n = n, .labels = labels};
    char *text = NULL;
    enum unseen_status st;
    for (int64_t i = 0; i < n; i++)
        labels[i] = -1;
    US_TRY(sort_stems(&r));
    if (ends_with(list->file, ".csv")) {
        US_TRY(take_solution(&r));
    } else {
        US_TRY(us_read_text(list->file, &text));
        US_TRY(ends_with(list->file, "ground_truth.txt") ? take_numbers(&r, text) : take_files(&r, text));
    }
    US_TRY(check_labels(&r));
out:
    free(text);
    free(r.stems);
    return st;
}
