#include "config.h"

#include "base/shell.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory_stream.h"
#include "base/status.h"
#include "base/utf8.h"

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20) || c == 0x7F;
}

static bool is_text(const char *argument)
{
    for (int length; *argument; argument += length) {
        length = us_utf8_length(argument);
        if (!length || is_control(*argument))
            return false;
    }
    return true;
}

/* '...' */
static void quote(FILE *out, const char *argument)
{
    fputc('\'', out);
    for (; *argument; argument++) {
        if (*argument == '\'')
            fputs("'\\''", out);
        else
            fputc(*argument, out);
    }
    fputc('\'', out);
}

/* $'...' */
static void escape(FILE *out, const char *argument)
{
    fputs("$'", out);
    for (int length; *argument; argument += length ? length : 1) {
        length = us_utf8_length(argument);
        if (!length || is_control(*argument))
            fprintf(out, "\\%03o", (unsigned)(unsigned char)*argument);
        else
            fprintf(out, "%s%.*s", *argument == '\'' || *argument == '\\' ? "\\" : "", length, argument);
    }
    fputc('\'', out);
}

static void write_argument(FILE *out, const char *argument)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+.,:/@%";
    if (*argument && argument[strspn(argument, safe)] == 0)
        fputs(argument, out);
    else if (is_text(argument))
        quote(out, argument);
    else
        escape(out, argument);
}

char *us_shell_line(int n, char *const *arguments)
{
    struct us_memory_stream memory;
    char *line;
    us_memory_stream_begin(&memory);
    for (int i = 0; memory.stream && i < n; i++) {
        if (i)
            fputc(' ', memory.stream);
        write_argument(memory.stream, arguments[i]);
    }
    return us_memory_stream_end(&memory, "command line", &line, NULL) == UNSEEN_OK ? line : NULL;
}
