#include "config.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/pixels.h"
#include "report/contact_sheet.h"
#include "report/markup.h"
#include "report/picture.h"
#include "report/svg.h"
#include "support/cmocka.h"

struct page {
    FILE *out;
    char *text;
    size_t size;
};

static void page_begin(struct page *page)
{
    page->out = open_memstream(&page->text, &page->size);
    assert_non_null(page->out);
}

/* Closes it; the text must be well-formed. Freed with free(). */
static char *page_end(struct page *page)
{
    assert_int_equal(fclose(page->out), 0);
    const char *problem = markup_problem(page->text);
    if (problem)
        fail_msg("%s", problem);
    return page->text;
}

/* The same of plots, which hold no number that is none. */
static char *plots_end(struct page *page)
{
    char *text = page_end(page);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    return text;
}

static int occurrences(const char *text, const char *part)
{
    int n = 0;
    while ((text = strstr(text, part))) {
        n++;
        text += strlen(part);
    }
    return n;
}

static void test_base64(void **state)
{
    (void)state;
    /* RFC 4648, section 10 */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct page page;
        page_begin(&page);
        us_base64_write(page.out, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        fclose(page.out);
        assert_string_equal(page.text, pairs[i][1]);
        free(page.text);
    }
}

static void test_png_reads_back(void **state)
{
    (void)state;
    enum { W = 5, H = 3 };
    uint8_t rgb[H * W * 3], back[H * W * 3];
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 37);
    uint8_t *png;
    size_t size;
    assert_ok(us_png_encode(rgb, W, H, &png, &size));
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, png, size));
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
    assert_memory_equal(rgb, back, sizeof rgb);
    free(png);
}

static void test_nice_step(void **state)
{
    (void)state;
    const double cases[][4] = {
        {0, 1, 5, 0.2}, {0, 100, 8, 20}, {0, 7, 8, 1}, {0, 1e-6, 4, 5e-7}, {-3, 40, 5, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double step = us_nice_step(cases[i][0], cases[i][1], (int)cases[i][2]);
        assert_true(fabs(step / cases[i][3] - 1) < 1e-9);
    }
}

static void test_histogram(void **state)
{
    (void)state;
    const double kept[] = {1, 2, NAN, 1200}, dropped[] = {0, 0, 5, INFINITY};
    const struct us_histogram_series series[] = {{"kept", "kept", kept}, {"<dropped>", "dropped", dropped}};
    struct us_histogram plot = {.title = "a & b",
                                .x_label = "x",
                                .y_label = "y",
                                .unit = US_COUNT,
                                .lo = -1,
                                .hi = 3,
                                .bins = 4,
                                .n = 2,
                                .series = series};
    struct page page;
    page_begin(&page);
    us_svg_histogram(page.out, &plot);
    plot.hi = plot.lo; /* one value alone */
    us_svg_histogram(page.out, &plot);
    char *text = plots_end(&page);
    assert_int_equal(occurrences(text, "class=\"area kept\""), 2);
    assert_int_equal(occurrences(text, "class=\"hit\""), 8);
    assert_non_null(strstr(text, "a &amp; b"));
    assert_non_null(strstr(text, "&lt;dropped&gt;: 5"));
    assert_non_null(strstr(text, ">1,000</text>"));
    free(text);
}

static void test_lines(void **state)
{
    (void)state;
    const double x[] = {0, 1, 2, 3}, y[] = {0.5, NAN, 0.75, 0.75}, flat[] = {0.1, 0.1, 0.1, 0.1};
    const double d[] = {0.125, NAN, 0, NAN};
    const double none[] = {NAN, NAN, NAN, NAN};
    const struct us_line lines[] = {{.name = "a<b", .style = "s0", .x = x, .y = y, .deviation = d, .n = 4},
                                    {.name = "none", .style = "s1", .thin = true, .x = x, .y = none, .n = 4}};
    const struct us_line level[] = {{.name = "flat", .style = "s0", .x = x, .y = flat, .n = 4}};
    struct us_line_plot plot = {.title = "t",
                                .x_label = "epoch",
                                .y_label = "accuracy",
                                .unit = US_PERCENT,
                                .n = 2,
                                .lines = lines,
                                .key = true};
    struct page page;
    page_begin(&page);
    us_svg_lines(page.out, &plot);
    plot.n = 1;
    plot.lines = level;
    us_svg_lines(page.out, &plot);
    plot.unit = US_PLAIN;
    us_svg_lines(page.out, &plot);
    plot.n = 0;
    us_svg_lines(page.out, &plot);
    char *text = plots_end(&page);
    assert_int_equal(occurrences(text, "<svg"), 4);
    assert_int_equal(occurrences(text, "class=\"curve"), 4);
    assert_int_equal(occurrences(text, "<circle"),
                     3 + 4 + 4); /* one a point; none of the thin line of gaps */
    assert_int_equal(occurrences(text, "class=\"deviation\""), 1);
    assert_non_null(strstr(text, "<title>a&lt;b\n0: 50.0\xC2\xA0% \xC2\xB1 12.5\xC2\xA0%</title>"));
    free(text);
}

static void test_bars(void **state)
{
    (void)state;
    const struct us_bar bars[] = {
        {"<b>&\"", {0.5, 0.25}, NULL},
        {"a class whose name is far too long for its bar", {0.5, NAN}, "none"},
        {"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
         "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4",
         {0, 0.75},
         NULL}};
    struct page page;
    page_begin(&page);
    us_svg_bars(page.out, &(struct us_bar_plot){.title = "t",
                                                .names = {"data", "coreset"},
                                                .styles = {"data", "kept"},
                                                .unit = US_PERCENT,
                                                .n = 3,
                                                .bars = bars});
    char *text = plots_end(&page);
    assert_int_equal(occurrences(text, "class=\"bar kept\""), 3);
    assert_non_null(strstr(text, ">a class whose n\xE2\x80\xA6</text>"));
    assert_null(strstr(text, "\xEF\xBF\xBD")); /* cut between letters */
    free(text);
}

static void test_extremes(void **state)
{
    (void)state;
    const float values[] = {0.5F, -1, 3, 3, 0.5F, 2};
    int64_t samples[24];
    assert_int_equal(us_extreme_samples(values, NULL, 6, false, 3, samples), 3);
    assert_memory_equal(samples, ((int64_t[]){2, 3, 5}), 3 * sizeof *samples);
    assert_int_equal(us_extreme_samples(values, (const uint8_t[]){1, 0, 0, 0, 0, 0}, 6, true, 24, samples),
                     5);
    assert_int_equal(us_extreme_samples(values, NULL, 6, true, 24, samples), 6);
    assert_memory_equal(samples, ((int64_t[]){1, 0, 4, 5, 2, 3}), 6 * sizeof *samples);
}

/* A sheet of three noisy pictures of one size; returns the text. */
static char *sheet_of(int height, int width, int channels)
{
    enum { N = 3 };
    uint8_t *pixels = calloc((size_t)N * height * width, (size_t)channels);
    assert_non_null(pixels);
    for (size_t i = 0; i < (size_t)N * height * width * channels; i++)
        pixels[i] = (uint8_t)((uint32_t)i * 2654435761u >> 24);
    int32_t labels[N] = {0, 1, 0};
    char *names[] = {"<b>&\"", "cat"};
    char *paths[] = {"a/1.jpg", "b/<2>.jpg", "c/3.jpg"};
    struct unseen_reader reader;
    struct unseen_dataset data = {.height = height,
                                  .width = width,
                                  .channels = channels,
                                  .classes = 2,
                                  .class_names = names,
                                  .reader = &reader};
    us_pixels_reader(&reader, pixels, NULL);
    data.split[UNSEEN_TRAIN] = (struct unseen_images){.n = N, .labels = labels, .paths = paths};
    const struct us_contact_sheet sheet = {.dataset = &data,
                                           .n = N,
                                           .samples = (const int64_t[]){2, 0, 1},
                                           .value = (const float[]){0.25F, 0.5F, 0.75F},
                                           .value_name = "score",
                                           .kept = (const uint8_t[]){1, 0, 1}};
    struct page page;
    page_begin(&page);
    assert_ok(us_contact_sheet_write(page.out, &sheet));
    free(pixels);
    return page_end(&page);
}

static void test_contact_sheet(void **state)
{
    (void)state;
    char *text = sheet_of(32, 32, 3);
    assert_int_equal(occurrences(text, "src=\"data:image/png;base64,"), 3);
    assert_int_equal(occurrences(text, "width=\"96\" height=\"96\""), 3);
    assert_int_equal(occurrences(text, "<figure class=\"dropped\""), 1);
    assert_non_null(strstr(text, "<b>&lt;b&gt;&amp;&quot;</b><span>#2 kept</span><span>score 0.75</span>"));
    assert_non_null(strstr(text, "b/&lt;2&gt;.jpg"));
    assert_non_null(strstr(text, "<code>2, 0, 1</code>"));
    free(text);
}

/* Sizes at the edges: grey, doubled, averaged down, long and flat. */
static void test_contact_sheet_sizes(void **state)
{
    (void)state;
    const struct {
        int height, width, channels;
        const char *shown;
    } cases[] = {{28, 28, 1, "width=\"84\" height=\"84\""},
                 {64, 64, 3, "width=\"128\" height=\"128\""},
                 {224, 224, 3, "width=\"112\" height=\"112\""},
                 {300, 200, 3, "width=\"75\" height=\"112\""},
                 {1, 400, 3, "height=\"1\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = sheet_of(cases[i].height, cases[i].width, cases[i].channels);
        if (!strstr(text, cases[i].shown))
            fail_msg("%d x %d is not shown with %s", cases[i].height, cases[i].width, cases[i].shown);
        free(text);
    }
}

/* Whatever they show: a report has 120 of them, and is to stay below 5 MB. */
static void test_photos_stay_small(void **state)
{
    (void)state;
    char *text = sheet_of(300, 300, 3);
    assert_int_equal(occurrences(text, "src=\"data:image/jpeg;base64,/9j/"), 3);
    assert_in_range(strlen(text), 3 * 1000, 3 * 20000);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_png_reads_back),
        cmocka_unit_test(test_nice_step),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_contact_sheet),
        cmocka_unit_test(test_contact_sheet_sizes),
        cmocka_unit_test(test_photos_stay_small),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
