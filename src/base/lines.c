#include "config.h"

#include "base/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/text.h"

struct us_lines us_lines_of(char *text)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0)
        text += strlen(byte_order_mark);
    return (struct us_lines){.next = text};
}

static bool is_blank(const char *text)
{
    while (us_is_space(*text))
        text++;
    return !*text;
}

char *us_next_line(struct us_lines *lines)
{
    while (lines->next) {
        char *line = lines->next, *end = strchr(line, '\n');
        lines->next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        size_t length = strlen(line);
        if (length > 0 && line[length - 1] == '\r')
            line[length - 1] = '\0';
        lines->line++;
        if (!is_blank(line))
            return line;
    }
    return NULL;
}

enum unseen_status us_read_text(const char *path, char **text)
{
    size_t size = 0;
    enum unseen_status st = us_read_file(path, text, &size);
    if (st != UNSEEN_OK || strlen(*text) == size)
        return st;
    free(*text);
    *text = NULL;
    return us_fail(UNSEEN_BAD_DATA, path, "is no text: it holds a zero byte");
}
