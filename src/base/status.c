#include "config.h"

#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static _Thread_local char last_error[sizeof((struct us_error *)0)->text];
static _Thread_local char last_hint[sizeof((struct us_error *)0)->hint];
static atomic_int interrupt_flag; /* set in signal handlers, read by every thread */
static atomic_int parts_kept;

const char *unseen_version(void)
{
    return PACKAGE_VERSION;
}

const char *unseen_last_error(void)
{
    return last_error;
}

const char *unseen_last_hint(void)
{
    return last_hint;
}

/* Errors quote file contents and compiler logs; the promise is one line, so control characters go. */
static void record(const char *where, const char *format, va_list args, const char *reason)
{
    char text[768];
    us_vprint_to(text, sizeof text, format, args);
    char line[sizeof last_error + 256];
    snprintf(line, sizeof line, "%s: %s%s%s", where, text, reason ? ": " : "", reason ? reason : "");
    for (char *p = line; *p; p++) {
        if ((unsigned char)*p < ' ')
            *p = ' ';
    }
    memcpy(last_error, line, sizeof last_error - 1);
    last_hint[0] = '\0';
}

enum unseen_status us_fail(enum unseen_status status, const char *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(where, format, args, NULL);
    va_end(args);
    return status;
}

enum unseen_status us_fail_errno(const char *where, const char *format, ...)
{
    int error = errno;
    va_list args;
    va_start(args, format);
    record(where, format, args, strerror(error));
    va_end(args);
    if (error == ENOSPC)
        us_hint("free some space and run the same command again%s",
                parts_kept > 0 ? ": finished parts are kept" : "");
    return UNSEEN_FAILED;
}

void us_parts_kept(int more)
{
    parts_kept += more;
}

void us_hint(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    us_vprint_to(last_hint, sizeof last_hint, format, args);
    va_end(args);
}

void us_hint_names(const char *title, const char *(*name)(int))
{
    char list[400] = "";
    size_t used = 0;
    for (int i = 0; name(i) && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", name(i));
    us_hint("%s: %s", title, list);
}

void us_error_take(enum unseen_status status, struct us_error *error)
{
    error->status = status;
    memcpy(error->text, last_error, sizeof error->text);
    memcpy(error->hint, last_hint, sizeof error->hint);
}

enum unseen_status us_error_again(const struct us_error *error)
{
    memcpy(last_error, error->text, sizeof last_error);
    memcpy(last_hint, error->hint, sizeof last_hint);
    return error->status;
}

void *us_calloc(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size ? size : 1);
    if (!block)
        us_fail(UNSEEN_FAILED, "memory", "cannot allocate %zu items of %zu bytes", count, size);
    return block;
}

void *us_realloc(void *block, size_t count, size_t size)
{
    void *grown = NULL;
    if (size == 0 || count <= SIZE_MAX / size)
        grown = realloc(block, count * size > 0 ? count * size : 1);
    if (!grown)
        us_fail(UNSEEN_FAILED, "memory", "cannot allocate %zu items of %zu bytes", count, size);
    return grown;
}

char *us_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (us_vprint_new(&text, format, args) < 0) {
        text = NULL;
        us_fail(UNSEEN_FAILED, "memory", "cannot format a string");
    }
    va_end(args);
    return text;
}

void unseen_interrupt(void)
{
    interrupt_flag = 1;
}

bool us_interrupted(void)
{
    return interrupt_flag != 0;
}

void unseen_interrupt_clear(void)
{
    interrupt_flag = 0;
}
