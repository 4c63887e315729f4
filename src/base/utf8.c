#include "config.h"

#include "base/utf8.h"

#include <string.h>

int us_utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char first = at[0];
    if (first < 0x80)
        return 1;
    int length = first >= 0xC2 && first <= 0xDF   ? 2
                 : (first & 0xF0) == 0xE0         ? 3
                 : first >= 0xF0 && first <= 0xF4 ? 4
                                                  : 0;
    for (int i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    bool outside = (first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F) ||
                   (first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F);
    return outside ? 0 : length;
}

bool us_utf8_is_hidden(const char *text)
{
    unsigned char c = (unsigned char)*text;
    if (c < 0x20)
        return c != '\t' && c != '\n';
    if (c == 0xE2) {
        unsigned char middle = (unsigned char)text[1], last = (unsigned char)text[2];
        return (middle == 0x80 && last >= 0xAA && last <= 0xAE) ||
               (middle == 0x81 && last >= 0xA6 && last <= 0xA9);
    }
    return c == 0x7F || (c == 0xC2 && (unsigned char)text[1] < 0xA0);
}

int us_utf8_show(const char *text, bool one_line, char *to, size_t size)
{
    size_t used = 0;
    int n = 0;
    while (*text) {
        int length = us_utf8_length(text);
        bool shown =
            length > 0 && !us_utf8_is_hidden(text) && !(one_line && (*text == '\t' || *text == '\n'));
        const char *from = shown ? text : "\xEF\xBF\xBD";
        size_t bytes = shown ? (size_t)length : 3;
        if (used + bytes >= size)
            break;
        memcpy(to + used, from, bytes);
        used += bytes;
        n++;
        text += length ? length : 1;
    }
    to[used] = '\0';
    return n;
}
