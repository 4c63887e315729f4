#include "config.h"

#include "base/csv.h"

#include <stdbool.h>
#include <string.h>

static bool needs_quotes(const char *text)
{
    size_t length = strlen(text);
    if (length == 0)
        return false;
    return strpbrk(text, ",\"\r\n") || text[0] == ' ' || text[length - 1] == ' ';
}

void us_csv_field(FILE *stream, const char *text)
{
    if (!text)
        return;
    if (!needs_quotes(text)) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}
