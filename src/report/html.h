/* Writing HTML: escaped text and the page around it. What is written is well-formed XML too, so that any
 * parser reads it. Nothing here fails on its own: an error of the stream is found when the file is closed. */
#ifndef US_REPORT_HTML_H
#define US_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "base/text.h"

/* The page up to <body>, with the style sheet in it. */
void us_html_begin(FILE *out, const char *title);
void us_html_end(FILE *out);

/* `text` for element content or a quoted attribute: & < > " ' escaped; bytes that are not UTF-8, control
 * characters and those that override the direction of text replaced by U+FFFD. */
void us_html_text(FILE *out, const char *text);

/* The same of formatted text, cut after 1023 bytes. */
void us_html_textf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* <tag class="style">formatted, escaped text</tag>; `style` may be NULL. */
void us_html_element(FILE *out, const char *tag, const char *style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A relative link's target: every byte outside A-Z a-z 0-9 - _ . ~ / becomes %XX. */
void us_html_url(FILE *out, const char *path);

/* The bar of links to the page's sections. */
void us_html_navigation_begin(FILE *out);
void us_html_navigation_item(FILE *out, const char *id, const char *title);
void us_html_navigation_end(FILE *out);

/* <section> with a heading that the navigation can point at. */
void us_html_section_begin(FILE *out, const char *id, const char *title);
void us_html_section_end(FILE *out);

/* One <tr> of `n` cells, each of element `tag` ("td" or "th"). */
void us_html_row(FILE *out, const char *tag, int n, const char *const *cells);

/* A colour key: a list of names, each behind a patch in the colour of `style` (style.c). */
void us_html_key_begin(FILE *out);
void us_html_key_item(FILE *out, const char *style, const char *name);
void us_html_key_end(FILE *out);

/* Short texts of numbers, beside us_count_text. */

/* Three significant digits; "-" for NaN. Returns `text`. */
const char *us_value_text(double value, char text[US_NUMBER]);

/* As many decimals as tell values apart that differ by `step`: 0.1 of step 0.01 is "0.10"; us_value_text
 * where `step` is 0 or that takes more than six. Returns `text`. */
const char *us_step_text(double value, double step, char text[US_NUMBER]);

/* "12.5 %", with a space that does not break, of a share in [0,1]; "-" for NaN. Returns `text`. */
const char *us_share_text(double share, char text[US_NUMBER]);

/* "2 h 5 min", "3 min 20 s", "8.4 s". Returns `text`. */
const char *us_duration_text(double seconds, char text[US_NUMBER]);

/* "1.2 MB". Returns `text`. */
const char *us_size_text(int64_t bytes, char text[US_NUMBER]);

#endif
