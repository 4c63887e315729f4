/* Reading CSV: fields are cut out where they lie in the text. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/fs.h"
#include "base/text.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define BLANKS          " \t"

/* Of the first line, outside of quotes. */
static char find_separator(const char *text)
{
    char found = ',';
    bool quoted = false;
    for (const char *c = text; *c && (quoted || !strchr("\r\n", *c)); c++) {
        quoted ^= *c == '"';
        if (!quoted && *c == ',')
            return ',';
        if (!quoted && found == ',' && (*c == ';' || *c == '\t'))
            found = *c;
    }
    return found;
}

static char *skip_line_end(char *at, int64_t *line)
{
    if (*at == '\r' || *at == '\n') {
        at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
        ++*line;
    }
    return at;
}

enum unseen_status us_csv_open(const char *file, struct us_csv *csv)
{
    size_t size = 0;
    csv->file = file;
    csv->next_line = 1;
    enum unseen_status st = us_read_file(file, &csv->text, &size);
    if (st != UNSEEN_OK)
        return st;
    if (strlen(csv->text) != size) {
        us_fail(UNSEEN_BAD_DATA, file, "is no CSV text: it holds a zero byte");
        us_hint("a spreadsheet writes it as \"CSV UTF-8\"; UTF-16 and workbooks are not read");
        return UNSEEN_BAD_DATA;
    }
    csv->at = csv->text;
    if (strncmp(csv->at, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        csv->at += strlen(BYTE_ORDER_MARK);
    if (strncmp(csv->at, "sep=", 4) == 0 && csv->at[4] && strchr("\r\n", csv->at[5])) {
        csv->separator = csv->at[4];
        csv->at = skip_line_end(csv->at + 5, &csv->next_line);
    } else {
        csv->separator = find_separator(csv->at);
    }
    return UNSEEN_OK;
}

void us_csv_close(struct us_csv *csv)
{
    free(csv->text);
    free(csv->field);
    *csv = (struct us_csv){0};
}

enum unseen_status us_csv_fail(const struct us_csv *csv, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    us_vprint_to(reason, sizeof reason, format, args);
    va_end(args);
    return us_fail(UNSEEN_BAD_DATA, csv->file, "line %lld: %s", (long long)csv->line, reason);
}

static bool is_blank(const struct us_csv *csv, char c)
{
    return c && c != csv->separator && strchr(BLANKS, c);
}

static char *skip_blanks(const struct us_csv *csv, char *at)
{
    while (is_blank(csv, *at))
        at++;
    return at;
}

/* `at` is behind the opening quote; what the field holds moves together in front of the closing one, where
 * the field's end goes once what lies behind it was looked at. */
static enum unseen_status take_quoted(struct us_csv *csv, char *at, char **end)
{
    char *to = at;
    bool closed = false;
    for (; *at; at++) {
        if (*at == '"' && *++at != '"') {
            closed = true;
            break;
        }
        csv->next_line += *at == '\n' || (*at == '\r' && at[1] != '\n');
        *to++ = *at;
    }
    if (!closed)
        return us_csv_fail(csv, "a quote is not closed");
    *to = '\0';
    csv->at = skip_blanks(csv, at);
    *end = to;
    if (*csv->at && *csv->at != csv->separator && !strchr("\r\n", *csv->at))
        return us_csv_fail(csv, "text follows a closing quote");
    return UNSEEN_OK;
}

static void take_plain(struct us_csv *csv, char *at, char **end)
{
    const char ends[] = {csv->separator, '\r', '\n', '\0'};
    csv->at = at + strcspn(at, ends);
    for (*end = csv->at; *end > at && is_blank(csv, (*end)[-1]);)
        --*end;
}

static enum unseen_status add_field(struct us_csv *csv, char *field)
{
    if (csv->n == csv->room) {
        const int room = csv->room ? 2 * csv->room : 8;
        char **grown = us_realloc(csv->field, (size_t)room, sizeof *grown);
        if (!grown)
            return UNSEEN_FAILED;
        csv->field = grown;
        csv->room = room;
    }
    csv->field[csv->n++] = field;
    return UNSEEN_OK;
}

/* One field; `more`: another one of this row follows. */
static enum unseen_status take_field(struct us_csv *csv, bool *more)
{
    char *begin = skip_blanks(csv, csv->at), *end = NULL;
    enum unseen_status st = UNSEEN_OK;
    const bool quoted = *begin == '"';
    if (quoted)
        US_TRY(take_quoted(csv, ++begin, &end));
    else
        take_plain(csv, begin, &end);
    US_TRY(add_field(csv, begin));
    *more = *csv->at == csv->separator;
    csv->at = *more ? csv->at + 1 : skip_line_end(csv->at, &csv->next_line);
    *end = '\0';
out:
    return st;
}

enum unseen_status us_csv_next(struct us_csv *csv, bool *there)
{
    char *begin;
    bool more = true;
    while (begin = skip_blanks(csv, csv->at), *begin == '\r' || *begin == '\n')
        csv->at = skip_line_end(begin, &csv->next_line);
    csv->line = csv->next_line;
    csv->n = 0;
    *there = *begin != '\0';
    while (*there && more) {
        enum unseen_status st = take_field(csv, &more);
        if (st != UNSEEN_OK)
            return st;
    }
    return UNSEEN_OK;
}
