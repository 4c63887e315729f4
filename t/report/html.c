#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/markup.h"
#include "support/cmocka.h"

/* What `write` puts on a stream; freed with free(). */
static char *written(void (*write)(FILE *out, const void *context), const void *context)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write(out, context);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void write_text(FILE *out, const void *text)
{
    us_html_text(out, text);
}

static void write_url(FILE *out, const void *text)
{
    us_html_url(out, text);
}

static void assert_written(void (*write)(FILE *out, const void *context), const void *context,
                           const char *expected)
{
    char *text = written(write, context);
    assert_string_equal(text, expected);
    free(text);
}

static void test_escapes(void **state)
{
    (void)state;
    assert_written(write_text, "<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;");
    assert_written(write_text, "caf\xC3\xA9 \xF0\x9F\x90\x88", "caf\xC3\xA9 \xF0\x9F\x90\x88");
    assert_written(write_url, "a b/c&d#\xC3\xA9.npy", "a%20b/c%26d%23%C3%A9.npy");
}

/* Bytes that no parser would take must not reach the page. */
static void test_replaces_what_is_no_text(void **state)
{
    (void)state;
    assert_written(write_text, "a\x01z", "a\xEF\xBF\xBDz");
    assert_written(write_text, "\xC3", "\xEF\xBF\xBD");                                 /* cut short */
    assert_written(write_text, "\xC0\xAFz", "\xEF\xBF\xBD\xEF\xBF\xBDz");               /* overlong */
    assert_written(write_text, "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); /* surrogate */
    assert_written(write_text, "\xF5z", "\xEF\xBF\xBDz");
    assert_written(write_text, "\xE2\x80\xAEtac\xE2\x81\xA9", "\xEF\xBF\xBDtac\xEF\xBF\xBD"); /* turned */
    assert_written(write_text, "\xC2\x85\xE2\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void write_page(FILE *out, const void *title)
{
    us_html_begin(out, title);
    us_html_section_begin(out, "a", title);
    us_html_key_begin(out);
    us_html_key_item(out, "kept", title);
    us_html_key_end(out);
    fputs("<table>", out);
    us_html_row(out, "td", 2, (const char *[]){title, "1"});
    fputs("</table>", out);
    us_html_section_end(out);
    us_html_end(out);
}

static void test_page_is_well_formed(void **state)
{
    (void)state;
    char *text = written(write_page, "<b>&\"");
    const char *problem = markup_problem(text);
    if (problem)
        fail_msg("%s", problem);
    assert_non_null(strstr(text, "prefers-color-scheme:dark"));
    free(text);
}

/* The judge itself. */
static void test_markup_problem(void **state)
{
    (void)state;
    assert_null(markup_problem("<!DOCTYPE html>\n<a x=\"1&amp;\"><b/>t</a>"));
    const char *const bad[] = {"<a>",      "<a></b>",  "</a>",           "<a x=1></a>",
                               "<a>&</a>", "<a>></a>", "<a x=\"<\"></a>"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!markup_problem(bad[i]))
            fail_msg("%s passes", bad[i]);
}

static void test_numbers(void **state)
{
    (void)state;
    char text[US_NUMBER];
    assert_string_equal(us_count_text(0, text), "0");
    assert_string_equal(us_count_text(999, text), "999");
    assert_string_equal(us_count_text(1281167, text), "1,281,167");
    assert_string_equal(us_count_text(-123456, text), "-123,456");
    assert_string_equal(us_count_text(INT64_MIN, text), "-9,223,372,036,854,775,808");
    assert_string_equal(us_value_text(0.123456, text), "0.123");
    assert_string_equal(us_value_text(NAN, text), "-");
    assert_string_equal(us_share_text(0.5, text), "50.0\xC2\xA0%");
    assert_string_equal(us_share_text(1, text), "100\xC2\xA0%");
    assert_string_equal(us_duration_text(8.44, text), "8.4 s");
    assert_string_equal(us_duration_text(59.97, text), "1 min 0 s");
    assert_string_equal(us_duration_text(3599.7, text), "1 h 0 min");
    assert_string_equal(us_duration_text(200, text), "3 min 20 s");
    assert_string_equal(us_duration_text(7500, text), "2 h 5 min");
    assert_string_equal(us_duration_text(-1, text), "-");
    assert_string_equal(us_size_text(512, text), "512 B");
    assert_string_equal(us_size_text(1234567, text), "1.2 MB");
}

static void test_steps_between_values(void **state)
{
    (void)state;
    char text[US_NUMBER];
    assert_string_equal(us_step_text(0.9, 0.004, text), "0.900");
    assert_string_equal(us_step_text(1.01, 0.004, text), "1.010");
    assert_string_equal(us_step_text(0.961, 0.0005, text), "0.9610");
    assert_string_equal(us_step_text(250, 25, text), "250");
    assert_string_equal(us_step_text(0.5, 0, text), "0.5");
    assert_string_equal(us_step_text(1e-9, 1e-11, text), "1e-09");
    assert_string_equal(us_step_text(NAN, 1, text), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_steps_between_values),
        cmocka_unit_test(test_replaces_what_is_no_text),
        cmocka_unit_test(test_page_is_well_formed),
        cmocka_unit_test(test_markup_problem),
        cmocka_unit_test(test_numbers),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
