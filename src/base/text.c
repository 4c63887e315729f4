#include "config.h"

#include "base/text.h"

#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>

static locale_t c_locale;

/* Where memory is out, it stays 0 and the locale as it is. */
static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

void *us_c_locale_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return uselocale(c_locale);
}

void us_c_locale_end(void *before)
{
    uselocale((locale_t)before);
}

double us_read_number(const char *text, char **end)
{
    void *before = us_c_locale_begin();
    const double value = strtod(text, end);
    us_c_locale_end(before);
    return value;
}

static __attribute__((format(printf, 2, 0))) int vprint(FILE *stream, const char *format, va_list args)
{
    void *before = us_c_locale_begin();
    const int n = vfprintf(stream, format, args);
    us_c_locale_end(before);
    return n;
}

int us_vprint_to(char *text, size_t size, const char *format, va_list args)
{
    void *before = us_c_locale_begin();
    const int n = vsnprintf(text, size, format, args);
    us_c_locale_end(before);
    return n;
}

int us_vprint_new(char **text, const char *format, va_list args)
{
    void *before = us_c_locale_begin();
    const int n = vasprintf(text, format, args);
    us_c_locale_end(before);
    return n;
}

int us_print(FILE *stream, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vprint(stream, format, args);
    va_end(args);
    return n;
}

int us_print_to(char *text, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = us_vprint_to(text, size, format, args);
    va_end(args);
    return n;
}

bool us_same_letters(const char *a, const char *b)
{
    while (*a && us_lower(*a) == us_lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

const char *us_count_text(int64_t count, char text[US_NUMBER])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, count);
    int at = 0;
    for (int i = 0; i < n; i++) {
        text[at++] = digits[i];
        int left = n - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            text[at++] = ',';
    }
    text[at] = 0;
    return text;
}
