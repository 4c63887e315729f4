#include "config.h"

#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

/* A plot's own units; the style sheet scales the whole to the card's width. */
enum {
    WIDTH = 560,
    HEIGHT = 300,
    LEFT = 64,
    RIGHT = 14,
    TOP = 26,
    BOTTOM = 44,
    TICKS = 8,
    NAMES = 156,
    MOST_DOTS = 40
};

struct axis {
    double lo, hi, step;
    enum us_unit unit;
};

struct frame {
    struct axis x, y;
};

double us_nice_step(double lo, double hi, int most)
{
    double raw = (hi - lo) / most;
    double power = pow(10, floor(log10(raw)));
    double digits = raw / power;
    double round_digits = digits <= 1 + 1e-9 ? 1 : digits <= 2 + 1e-9 ? 2 : digits <= 5 + 1e-9 ? 5 : 10;
    return round_digits * power;
}

/* An axis over [lo, hi]; `grow` moves its ends out to the next ticks. Counts have whole steps. */
static struct axis axis_over(double lo, double hi, enum us_unit unit, bool grow)
{
    if (!(hi > lo)) {
        double margin = fabs(lo) > 0 ? fabs(lo) * 0.5 : 1;
        hi = lo + margin;
        lo = unit == US_PLAIN ? lo - margin : lo;
    }
    struct axis axis = {.lo = lo, .hi = hi, .step = us_nice_step(lo, hi, TICKS), .unit = unit};
    if (unit == US_COUNT)
        axis.step = fmax(axis.step, 1);
    if (grow) {
        axis.lo = floor(lo / axis.step + 1e-9) * axis.step;
        axis.hi = ceil(hi / axis.step - 1e-9) * axis.step;
    }
    return axis;
}

static double at_x(const struct frame *f, double x)
{
    return LEFT + (x - f->x.lo) / (f->x.hi - f->x.lo) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct frame *f, double y)
{
    return HEIGHT - BOTTOM - (y - f->y.lo) / (f->y.hi - f->y.lo) * (HEIGHT - TOP - BOTTOM);
}

/* A tick's text has the digits that tell it from its neighbours. */
static const char *tick_text(const struct axis *axis, double value, char text[US_NUMBER])
{
    double scale = axis->unit == US_PERCENT ? 100 : 1;
    double step = axis->step * scale;
    value *= scale;
    if (fabs(value) < step * 1e-6)
        value = 0;
    if (axis->unit == US_COUNT && fabs(value) < 1e15)
        return us_count_text(llround(value), text);
    double size = fmax(fabs(axis->lo), fabs(axis->hi)) * scale;
    int decimals = (int)fmax(0, ceil(-log10(step) - 1e-9));
    if (decimals > 4 || size >= 1e7)
        snprintf(text, US_NUMBER, "%.2e", value);
    else
        snprintf(text, US_NUMBER, "%.*f%s", decimals, value, axis->unit == US_PERCENT ? " %" : "");
    return text;
}

static const char *unit_text(enum us_unit unit, double value, char text[US_NUMBER])
{
    if (unit == US_PERCENT)
        return us_share_text(value, text);
    if (unit == US_COUNT)
        return us_count_text(llround(value), text);
    return us_value_text(value, text);
}

static void figure_begin(FILE *out, const char *title)
{
    fputs("<figure class=\"card plot\">\n", out);
    us_html_element(out, "h3", NULL, "%s", title);
    fputc('\n', out);
}

static void svg_begin(FILE *out, const char *title, int height)
{
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
    us_html_text(out, title);
    fputs("\">\n", out);
}

static void figure_end(FILE *out)
{
    fputs("</svg>\n</figure>\n", out);
}

static void text_at(FILE *out, double x, double y, const char *style, const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, style);
    us_html_text(out, text);
    fputs("</text>\n", out);
}

static void line_at(FILE *out, double x1, double y1, double x2, double y2, const char *style)
{
    fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2,
            style);
}

/* The multiples of the step from `*first` to `*last` that lie on the axis or within a hair of its ends: data
 * that begin at 0.0009 want their 0. */
static void tick_range(const struct axis *axis, double *first, double *last)
{
    double hair = 0.01 * (axis->hi - axis->lo);
    *first = ceil((axis->lo - hair) / axis->step);
    *last = floor((axis->hi + hair) / axis->step);
}

static void draw_axes(FILE *out, const struct frame *f, const char *x_label, const char *y_label)
{
    char text[US_NUMBER];
    double bottom = HEIGHT - BOTTOM, first, last;
    tick_range(&f->y, &first, &last);
    for (double i = first; i <= last; i++) {
        double y = at_y(f, i * f->y.step);
        line_at(out, LEFT, y, WIDTH - RIGHT, y, "rule");
        text_at(out, LEFT - 8, y + 4, "end", tick_text(&f->y, i * f->y.step, text));
    }
    line_at(out, LEFT, bottom, WIDTH - RIGHT, bottom, "base");
    tick_range(&f->x, &first, &last);
    for (double i = first; i <= last; i++) {
        double x = at_x(f, i * f->x.step);
        line_at(out, x, bottom, x, bottom + 4, "base");
        text_at(out, x, bottom + 19, "mid", tick_text(&f->x, i * f->x.step, text));
    }
    text_at(out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4, "mid name", x_label);
    text_at(out, 0, 12, "name", y_label);
}

static double tallest(const struct us_histogram *plot)
{
    double top = 0;
    for (int s = 0; s < plot->n; s++)
        for (int b = 0; b < plot->bins; b++)
            if (isfinite(plot->series[s].height[b]))
                top = fmax(top, plot->series[s].height[b]);
    return top > 0 ? top : 1;
}

static void draw_bins(FILE *out, const struct frame *f, const struct us_histogram *plot,
                      const struct us_histogram_series *series)
{
    double width = (plot->hi - plot->lo) / plot->bins;
    double zero = at_y(f, 0);
    fprintf(out, "<path class=\"area %s\" d=\"M%.1f %.1f", series->style, at_x(f, plot->lo), zero);
    for (int b = 0; b < plot->bins; b++) {
        double height = isfinite(series->height[b]) ? series->height[b] : 0;
        fprintf(out, "V%.1fH%.1f", at_y(f, height), at_x(f, plot->lo + (b + 1) * width));
    }
    fprintf(out, "V%.1fZ\"/>\n", zero);
}

static void draw_bin_values(FILE *out, const struct frame *f, const struct us_histogram *plot)
{
    char lo[US_NUMBER], hi[US_NUMBER], value[US_NUMBER];
    double width = (plot->hi - plot->lo) / plot->bins;
    for (int b = 0; b < plot->bins; b++) {
        double from = plot->lo + b * width;
        double x = at_x(f, from);
        fprintf(out, "<rect class=\"hit\" x=\"%.1f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>", x, TOP,
                at_x(f, from + width) - x, HEIGHT - TOP - BOTTOM);
        us_html_textf(out, "%s to %s", us_step_text(from, width, lo), us_step_text(from + width, width, hi));
        for (int s = 0; s < plot->n; s++)
            us_html_textf(out, "\n%s: %s", plot->series[s].name,
                          unit_text(plot->unit, plot->series[s].height[b], value));
        fputs("</title></rect>\n", out);
    }
}

void us_svg_histogram(FILE *out, const struct us_histogram *plot)
{
    struct us_histogram shown = *plot;
    if (!(shown.hi > shown.lo)) {
        /* All values are one: the first bin holds them all, and gets a width to be seen by. */
        double width = fabs(shown.lo) > 0 ? fabs(shown.lo) * 0.01 : 0.01;
        shown.hi = shown.lo + width * shown.bins;
    }
    struct frame f = {.x = axis_over(shown.lo, shown.hi, US_PLAIN, false),
                      .y = axis_over(0, tallest(plot), plot->unit, true)};
    figure_begin(out, plot->title);
    us_html_key_begin(out);
    for (int i = 0; i < plot->n; i++)
        us_html_key_item(out, plot->series[i].style, plot->series[i].name);
    us_html_key_end(out);
    svg_begin(out, plot->title, HEIGHT);
    draw_axes(out, &f, plot->x_label, plot->y_label);
    for (int s = 0; s < plot->n; s++)
        draw_bins(out, &f, &shown, &plot->series[s]);
    draw_bin_values(out, &f, &shown);
    figure_end(out);
}

/* 0 where there is none. */
static double deviation_at(const struct us_line *line, int i)
{
    return line->deviation && isfinite(line->deviation[i]) ? line->deviation[i] : 0;
}

/* The box around all points and deviations; false if there is none to draw. */
static bool bounds(const struct us_line_plot *plot, double box[4])
{
    bool any = false;
    for (int l = 0; l < plot->n; l++) {
        for (int i = 0; i < plot->lines[l].n; i++) {
            double x = plot->lines[l].x[i], y = plot->lines[l].y[i];
            if (!isfinite(x) || !isfinite(y))
                continue;
            box[0] = any ? fmin(box[0], x) : x;
            box[1] = any ? fmax(box[1], x) : x;
            double d = deviation_at(&plot->lines[l], i);
            box[2] = any ? fmin(box[2], y - d) : y - d;
            box[3] = any ? fmax(box[3], y + d) : y + d;
            any = true;
        }
    }
    return any;
}

/* Of point i: its deviation, a dot, and all as text. */
static void draw_point(FILE *out, const struct frame *f, const struct us_line *line, int i)
{
    char x[US_NUMBER], y[US_NUMBER], deviation[US_NUMBER];
    double d = deviation_at(line, i), at = at_x(f, line->x[i]);
    fputs("<g>", out);
    if (d > 0)
        fprintf(out, "<path class=\"deviation\" d=\"M%.1f %.1fV%.1f\"/>", at, at_y(f, line->y[i] - d),
                at_y(f, line->y[i] + d));
    fprintf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>", at, at_y(f, line->y[i]),
            line->thin ? "1.6" : "3");
    unit_text(f->x.unit, line->x[i], x);
    unit_text(f->y.unit, line->y[i], y);
    unit_text(f->y.unit, d, deviation);
    us_html_element(out, "title", NULL, "%s\n%s: %s%s%s", line->name, x, y, d > 0 ? " \xC2\xB1 " : "",
                    d > 0 ? deviation : "");
    fputs("</g>", out);
}

/* Dots stand at every point of a line that has few, else at the last one. */
static void draw_line(FILE *out, const struct frame *f, const struct us_line *line)
{
    bool pen = false, all = !line->thin && line->n <= MOST_DOTS;
    int last = -1;
    fprintf(out, "<g class=\"%s\"><path class=\"curve%s\" d=\"", line->style, line->thin ? " thin" : "");
    for (int i = 0; i < line->n; i++) {
        bool there = isfinite(line->x[i]) && isfinite(line->y[i]);
        if (there) {
            fprintf(out, "%c%.1f %.1f", pen ? 'L' : 'M', at_x(f, line->x[i]), at_y(f, line->y[i]));
            last = i;
        }
        pen = there;
    }
    fputs("\"/>", out);
    for (int i = all ? 0 : last; i >= 0 && i <= last; i++)
        if (isfinite(line->x[i]) && isfinite(line->y[i]))
            draw_point(out, f, line, i);
    fputs("</g>\n", out);
}

void us_svg_lines(FILE *out, const struct us_line_plot *plot)
{
    double box[4] = {0, 1, 0, 1};
    bool any = bounds(plot, box);
    double low = plot->unit == US_PERCENT && any ? box[2] : fmin(box[2], 0);
    struct frame f = {.x = axis_over(box[0], box[1], plot->x_unit, false),
                      .y = axis_over(low, box[3], plot->unit, true)};
    figure_begin(out, plot->title);
    if (plot->key) {
        us_html_key_begin(out);
        for (int l = 0; l < plot->n; l++)
            us_html_key_item(out, plot->lines[l].style, plot->lines[l].name);
        us_html_key_end(out);
    }
    svg_begin(out, plot->title, HEIGHT);
    draw_axes(out, &f, plot->x_label, plot->y_label);
    for (int l = 0; l < plot->n; l++)
        draw_line(out, &f, &plot->lines[l]);
    figure_end(out);
}

enum { ROW = 28, BAR = 9, NOTE = 124, NAME_LENGTH = 15 };

/* The label, cut to what fits beside the bars; the whole of it is in the row's <title>. Cuts between
 * characters: never before a UTF-8 continuation byte. */
static void draw_name(FILE *out, double y, const char *label)
{
    char text[4 * NAME_LENGTH + 4];
    size_t bytes = 0;
    int letters = 0;
    while (label[bytes] && bytes < 4 * NAME_LENGTH) {
        letters += ((unsigned char)label[bytes] & 0xC0) != 0x80;
        if (letters > NAME_LENGTH)
            break;
        bytes++;
    }
    memcpy(text, label, bytes);
    strcpy(text + bytes, label[bytes] ? "\xE2\x80\xA6" : "");
    text_at(out, NAMES - 10, y, "end name", text);
}

static void draw_row(FILE *out, const struct us_bar_plot *plot, const struct us_bar *bar, double top,
                     double largest)
{
    char text[2][US_NUMBER];
    double end = NAMES;
    fprintf(out, "<g><rect class=\"hit\" x=\"0\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>\n", top, WIDTH, ROW);
    draw_name(out, top + ROW / 2.0 + 4, bar->label);
    for (int v = 0; v < 2; v++) {
        double value = isfinite(bar->value[v]) ? fmax(bar->value[v], 0) : 0;
        double width = value / largest * (WIDTH - NAMES - NOTE);
        fprintf(out, "<rect class=\"bar %s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n",
                plot->styles[v], NAMES, top + ROW / 2.0 - BAR - 0.5 + v * (BAR + 1), width, BAR);
        end = fmax(end, NAMES + width);
        unit_text(plot->unit, bar->value[v], text[v]);
    }
    text_at(out, end + 8, top + ROW / 2.0 + 4, "", bar->note ? bar->note : text[1]);
    us_html_element(out, "title", NULL, "%s\n%s: %s\n%s: %s", bar->label, plot->names[0], text[0],
                    plot->names[1], text[1]);
    fputs("</g>\n", out);
}

void us_svg_bars(FILE *out, const struct us_bar_plot *plot)
{
    double largest = 0;
    for (int i = 0; i < plot->n; i++)
        for (int v = 0; v < 2; v++)
            if (isfinite(plot->bars[i].value[v]))
                largest = fmax(largest, plot->bars[i].value[v]);
    figure_begin(out, plot->title);
    us_html_key_begin(out);
    for (int v = 0; v < 2; v++)
        us_html_key_item(out, plot->styles[v], plot->names[v]);
    us_html_key_end(out);
    svg_begin(out, plot->title, plot->n * ROW + 4);
    for (int i = 0; i < plot->n; i++)
        draw_row(out, plot, &plot->bars[i], i * ROW + 2.0, largest > 0 ? largest : 1);
    line_at(out, NAMES, 0, NAMES, plot->n * ROW + 4.0, "base");
    figure_end(out);
}
