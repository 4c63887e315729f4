#include "config.h"

#include "base/sample_table.h"

#include <string.h>

#include "base/text.h"

const char *const us_index_columns[] = {"index", "idx", "sample", "", NULL};
const char *const us_path_columns[] = {"path",       "filepath", "file_path", "filename", "file_name", "file",
                                       "image_path", "img_path", "image",     "img",      "name",      NULL};
const char *const us_label_columns[] = {
    "label",    "labels",      "class",        "class_name",         "target",
    "category", "given_label", "ground_truth", "ground_truth.label", NULL};
const char *const us_split_columns[] = {"split", "set", "subset", "partition", NULL};

/* pandas gives its index no name, and puts it first. */
int us_column_find(const struct us_csv *csv, const char *const *names)
{
    for (; *names; names++) {
        for (int i = 0; i < csv->n; i++) {
            if (us_same_letters(csv->field[i], *names) && (**names || i == 0))
                return i;
        }
    }
    return -1;
}

int64_t us_class_number(const char *text, int64_t most)
{
    int64_t number = 0;
    const char *c = text;
    for (; us_is_digit(*c) && number <= most; c++)
        number = 10 * number + (*c - '0');
    c += strspn(c, "0123456789");
    if (c > text && *c == '.')
        c += 1 + strspn(c + 1, "0");
    if (c == text || *c)
        return -1;
    return number > most ? most + 1 : number;
}
