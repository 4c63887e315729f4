#include "config.h"

#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "report/style.h"

void us_html_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n",
          out);
    us_html_element(out, "title", NULL, "%s", title);
    fprintf(out, "\n<style>\n%s</style>\n</head>\n<body>\n", us_report_style);
}

void us_html_end(FILE *out)
{
    fputs("</body>\n</html>\n", out);
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void us_html_text(FILE *out, const char *text)
{
    while (*text) {
        int length = us_utf8_length(text);
        const char *escaped = entity(*text);
        if (escaped)
            fputs(escaped, out);
        else if (length == 0 || us_utf8_is_hidden(text))
            fputs("\xEF\xBF\xBD", out);
        else
            fwrite(text, 1, (size_t)length, out);
        text += length ? length : 1;
    }
}

static void text_of(FILE *out, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
static void text_of(FILE *out, const char *format, va_list arguments)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    us_html_text(out, text);
}

void us_html_textf(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_of(out, format, arguments);
    va_end(arguments);
}

void us_html_element(FILE *out, const char *tag, const char *style, const char *format, ...)
{
    fprintf(out, "<%s", tag);
    if (style)
        fprintf(out, " class=\"%s\"", style);
    fputc('>', out);
    va_list arguments;
    va_start(arguments, format);
    text_of(out, format, arguments);
    va_end(arguments);
    fprintf(out, "</%s>", tag);
}

void us_html_url(FILE *out, const char *path)
{
    for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
        if (*at < 0x80 && (us_is_letter((char)*at) || us_is_digit((char)*at) || strchr("-_.~/", *at)))
            fputc(*at, out);
        else
            fprintf(out, "%%%02X", *at);
    }
}

void us_html_navigation_begin(FILE *out)
{
    fputs("<nav><div><b>unseen</b>\n", out);
}

void us_html_navigation_item(FILE *out, const char *id, const char *title)
{
    fprintf(out, "<a href=\"#%s\">", id);
    us_html_text(out, title);
    fputs("</a>\n", out);
}

void us_html_navigation_end(FILE *out)
{
    fputs("</div></nav>\n", out);
}

void us_html_section_begin(FILE *out, const char *id, const char *title)
{
    fprintf(out, "<section id=\"%s\">\n", id);
    us_html_element(out, "h2", NULL, "%s", title);
    fputc('\n', out);
}

void us_html_section_end(FILE *out)
{
    fputs("</section>\n", out);
}

void us_html_row(FILE *out, const char *tag, int n, const char *const *cells)
{
    fputs("<tr>", out);
    for (int i = 0; i < n; i++)
        us_html_element(out, tag, NULL, "%s", cells[i]);
    fputs("</tr>\n", out);
}

void us_html_key_begin(FILE *out)
{
    fputs("<ul class=\"key\">", out);
}

void us_html_key_item(FILE *out, const char *style, const char *name)
{
    fprintf(out, "<li class=\"%s\"><i></i>", style);
    us_html_text(out, name);
    fputs("</li>", out);
}

void us_html_key_end(FILE *out)
{
    fputs("</ul>\n", out);
}

const char *us_value_text(double value, char text[US_NUMBER])
{
    snprintf(text, US_NUMBER, isnan(value) ? "-" : "%.3g", value);
    return text;
}

const char *us_step_text(double value, double step, char text[US_NUMBER])
{
    double decimals = step > 0 ? fmax(0, ceil(-log10(step) - 1e-9)) : INFINITY;
    if (!isfinite(value) || decimals > 6 || fabs(value) >= 1e7)
        return us_value_text(value, text);
    snprintf(text, US_NUMBER, "%.*f", (int)decimals, value);
    return text;
}

const char *us_share_text(double share, char text[US_NUMBER])
{
    if (isnan(share))
        snprintf(text, US_NUMBER, "-");
    else
        snprintf(text, US_NUMBER, "%.*f\xC2\xA0%%", share * 100 >= 99.95 ? 0 : 1, share * 100);
    return text;
}

const char *us_duration_text(double seconds, char text[US_NUMBER])
{
    if (!(seconds >= 0 && seconds < 1e12))
        snprintf(text, US_NUMBER, "-");
    else if (seconds < 59.95)
        snprintf(text, US_NUMBER, "%.1f s", seconds);
    else if (seconds < 3599.5)
        snprintf(text, US_NUMBER, "%d min %d s", (int)lround(seconds) / 60, (int)lround(seconds) % 60);
    else
        snprintf(text, US_NUMBER, "%lld h %lld min", llround(seconds / 60) / 60, llround(seconds / 60) % 60);
    return text;
}

const char *us_size_text(int64_t bytes, char text[US_NUMBER])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        size /= 1000;
        unit++;
    }
    snprintf(text, US_NUMBER, unit && size < 99.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
    return text;
}
