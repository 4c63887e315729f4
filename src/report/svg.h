/* Plots as inline SVG figures: no script, colours and text sizes from the page's style sheet. Each call
 * writes one <figure class="card plot"> with a heading, a colour key, and an <svg>; every mark carries its
 * value as a <title>, which browsers show under the pointer. NaN and infinite values are left out. */
#ifndef US_REPORT_SVG_H
#define US_REPORT_SVG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How an axis or a value is written. */
enum us_unit { US_PLAIN, US_COUNT, US_PERCENT /* of a share: 0.5 is 50 % */ };

/* One series of bins over [lo, hi], equally wide. */
struct us_histogram_series {
    const char *name;
    const char *style;    /* colour style of style.c: "kept", "dropped", "unseen", "seen", "data", "random",
                             "s0".."s7" */
    const double *height; /* [bins] */
};

struct us_histogram {
    const char *title, *x_label, *y_label;
    enum us_unit unit; /* of the heights */
    double lo, hi;     /* lo == hi stands for a single value */
    int bins;
    int n; /* series, drawn over each other, the first at the back */
    const struct us_histogram_series *series;
};
void us_svg_histogram(FILE *out, const struct us_histogram *plot);

struct us_line {
    const char *name;
    const char *style;
    bool thin;               /* one of many */
    const double *x, *y;     /* [n]; a gap in y breaks the line */
    const double *deviation; /* [n] of y, or its error, drawn up and down from each point; NULL: none; NaN:
                                not there */
    int n;
};

struct us_line_plot {
    const char *title, *x_label, *y_label;
    enum us_unit x_unit, unit; /* of x and of y */
    int n;
    const struct us_line *lines;
    bool key; /* name the lines in a colour key */
};
void us_svg_lines(FILE *out, const struct us_line_plot *plot);

struct us_bar {
    const char *label;
    double value[2];
    const char *note; /* stands behind the bars; NULL: the second value */
};

/* Horizontal bars, two a row. */
struct us_bar_plot {
    const char *title;
    const char *names[2], *styles[2]; /* of the two values */
    enum us_unit unit;
    int n;
    const struct us_bar *bars;
};
void us_svg_bars(FILE *out, const struct us_bar_plot *plot);

/* A round step (1, 2 or 5 times a power of ten) that divides hi - lo into at most `most` parts. `hi` > `lo`.
 */
double us_nice_step(double lo, double hi, int most);

#endif
