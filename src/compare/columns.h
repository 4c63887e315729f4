/* The columns of a comparison's table, as data: table.csv, table.md, run.json, --json, what is printed, and
 * the report all come from one list. To add one: a member of struct unseen_comparison and its row, with the
 * function that says what it is for one model. */
#ifndef US_COMPARE_COLUMNS_H
#define US_COMPARE_COLUMNS_H

#include <jansson.h>

#include "compare/cell_result.h"
#include "compare/sweep.h"
#include "scoring/scoring_cost.h"

/* The model of one row and seed, and those that it is compared with. */
struct us_compared {
    const struct us_row *row;
    const struct us_cell_result *cell;
    const struct us_cell_result *seen, *fold_seen, *random; /* of the same seed; NULL: there is none */
    struct us_scoring_cost scoring;                         /* of choosing the coreset */
    double wrong_kept;                                      /* share of wrong labels of it; NaN: not known */
};

enum us_column_kind {
    US_COLUMN_TEXT,     /* char[] */
    US_COLUMN_INT,      /* int */
    US_COLUMN_COUNT,    /* int64_t */
    US_COLUMN_NUMBER,   /* double */
    US_COLUMN_ESTIMATE, /* struct unseen_estimate: `of` of every seed */
};

enum us_column_unit {
    US_COLUMN_PLAIN,
    US_COLUMN_SHARE,  /* kept as 0..1, shown in percent */
    US_COLUMN_POINTS, /* a difference of shares, shown in percent with its sign */
    US_COLUMN_IMAGES,
    US_COLUMN_SECONDS,
};

/* Where people find a column; all of these are in the report. Files for programs have every column. */
enum {
    US_COLUMN_BY_KEEP = 1, /* table.md has a table of its own for it, with a column for each keep ratio */
    US_COLUMN_LISTED = 2,  /* in the list of all rows that ends table.md */
    US_COLUMN_PRINTED = 4, /* on the terminal */
};

struct us_column {
    const char *name;              /* in files */
    const char *title;             /* for people */
    const char *deviation, *error; /* of an estimate: in files; NULL: left out */
    enum us_column_kind kind;
    enum us_column_unit unit;
    size_t offset; /* of the member in struct unseen_comparison */
    double (*of)(const struct us_compared *c);
    int shown; /* bits of US_COLUMN_* */
};

/* The i-th column; NULL past the last. */
US_SHARED const struct us_column *us_column(int i);

/* Set all estimates of a line from the models [n] of its seeds. UNSEEN_FAILED if memory runs out. */
enum unseen_status us_columns_estimate(const struct us_compared *models, int n,
                                       struct unseen_comparison *line);

/* A column's member. */
static inline const void *us_column_member(const struct us_column *column,
                                           const struct unseen_comparison *line)
{
    return (const char *)line + column->offset;
}

/* What stands between a mean and its error on pages. */
#define US_PLUS_MINUS " ± "

/* A value of an estimate as people read it: "91.25 ± 0.31", "+0.42 ± 0.12", "12,500", "-" if it is not known.
 * Returns `text`. */
enum { US_COLUMN_TEXT_SIZE = 96 };
char *us_column_value(const struct us_column *column, const struct unseen_estimate *value,
                      const char *plus_minus, char text[US_COLUMN_TEXT_SIZE]);

/* The same of any column of a line. */
US_SHARED char *us_column_text(const struct us_column *column, const struct unseen_comparison *line,
                               const char *plus_minus, char text[US_COLUMN_TEXT_SIZE]);

/* Whether any line [n] has a value in it. */
US_SHARED bool us_column_is_used(const struct us_column *column, const struct unseen_comparison *table,
                                 int n);

/* A line as JSON, numbers that are not known null. A new reference; NULL if memory runs out. */
US_SHARED json_t *us_comparison_json(const struct unseen_comparison *line);

/* The heading of a CSV, and a line of it. */
void us_columns_csv_heading(FILE *out);
void us_columns_csv_line(FILE *out, const struct unseen_comparison *line);

#endif
