#include "config.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "base/utf8.h"

static enum unseen_log_level current_level = UNSEEN_LOG_INFO;

void unseen_log_level_set(enum unseen_log_level level)
{
    current_level = level;
}

void us_log(enum unseen_log_level level, const char *format, ...)
{
    if (level > current_level)
        return;
    char text[1024], shown[3 * sizeof text];
    va_list args;
    va_start(args, format);
    us_vprint_to(text, sizeof text, format, args);
    va_end(args);
    us_utf8_show(text, false, shown, sizeof shown);
    const char *clear = isatty(STDERR_FILENO) ? "\r\033[K" : "";
    fprintf(stderr, "%sunseen: %s%s\n", clear, level == UNSEEN_LOG_WARNING ? "warning: " : "", shown);
}
