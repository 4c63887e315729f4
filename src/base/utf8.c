#include "config.h"

#include "base/utf8.h"

#include <stdbool.h>

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
