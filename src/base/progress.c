#include "config.h"

#include "base/progress.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"

struct us_progress {
    char title[64], unit[32];
    uint64_t total, first; /* first: done at the first update; a run that goes on does not start at 0 */
    double start;          /* time of the first update */
    double shown;          /* time of the last line */
    bool running;          /* there was a first update */
    bool terminal;
    uint64_t done;             /* so far */
    struct us_progress *whole; /* that this is a part of */
    pthread_mutex_t lock;      /* of a whole's numbers, which the threads of its parts change */
};

static bool enabled = true;

static double (*clock_now)(void) = us_seconds;

void us_progress_clock(double (*now)(void))
{
    clock_now = now ? now : us_seconds;
}

void unseen_progress_set(int shown)
{
    enabled = shown;
}

struct us_progress *us_progress_begin(const char *title, const char *unit, uint64_t total)
{
    if (!enabled)
        return NULL;
    struct us_progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    snprintf(progress->title, sizeof progress->title, "%s", title);
    snprintf(progress->unit, sizeof progress->unit, "%s", unit);
    progress->total = total;
    progress->terminal = isatty(STDERR_FILENO) == 1;
    progress->shown = clock_now();
    pthread_mutex_init(&progress->lock, NULL);
    return progress;
}

struct us_progress *us_progress_part(struct us_progress *whole, const char *title, uint64_t planned,
                                     uint64_t total)
{
    struct us_progress *part = whole ? us_progress_begin(title, whole->unit, total) : NULL;
    if (!part)
        return NULL;
    part->whole = whole;
    pthread_mutex_lock(&whole->lock);
    whole->total -= planned - total;
    pthread_mutex_unlock(&whole->lock);
    return part;
}

/* "3:07" or "2:03:07". */
static void format_time(double seconds, char *text, size_t size)
{
    unsigned long long s = seconds < 3.6e9 ? (unsigned long long)llround(seconds) : 3600000000ull;
    if (s < 3600)
        snprintf(text, size, "%llu:%02llu", s / 60, s % 60);
    else
        snprintf(text, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
}

/* "45/123 images", or "45 images" where the total is not known. */
static void format_amount(const struct us_progress *progress, uint64_t done, char *text, size_t size)
{
    if (progress->total)
        snprintf(text, size, "%llu/%llu %s", (unsigned long long)done, (unsigned long long)progress->total,
                 progress->unit);
    else
        snprintf(text, size, "%llu %s", (unsigned long long)done, progress->unit);
}

/* ", 123 images/s, 1:02 left, <note>": the part that both displays share. */
static void format_tail(const struct us_progress *progress, uint64_t done, double now, const char *note,
                        char *text, size_t size)
{
    char rate_text[64] = "", left_text[64] = "", left[32];
    if (done > progress->first && now > progress->start) {
        double rate = (double)(done - progress->first) / (now - progress->start);
        us_print_to(rate_text, sizeof rate_text, ", %.*f %s/s",
                    rate < 10    ? 2
                    : rate < 100 ? 1
                                 : 0,
                    rate, progress->unit);
        if (done < progress->total) {
            format_time((double)(progress->total - done) / rate, left, sizeof left);
            snprintf(left_text, sizeof left_text, ", %s left", left);
        }
    }
    snprintf(text, size, "%s%s%s%s", rate_text, left_text, note && *note ? ", " : "", note ? note : "");
}

static unsigned terminal_columns(void)
{
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return 80;
}

enum { BAR = 20 };

/* "[=====>    ]  45% ", or nothing where the total is not known. */
static void format_bar(const struct us_progress *progress, double share, char *text, size_t size)
{
    char bar[BAR + 1];
    int filled = (int)(share * BAR);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[BAR] = '\0';
    snprintf(text, size, "[%s] %3d%% ", bar, (int)(share * 100));
    if (!progress->total)
        text[0] = '\0';
}

static void show(const struct us_progress *progress, uint64_t done, double now, const char *note)
{
    char line[512], bar[BAR + 16], amount[96], tail[256], percent[16] = "";
    double share = progress->total ? (double)done / (double)progress->total : 0;
    share = share > 1 ? 1 : share;
    format_amount(progress, done, amount, sizeof amount);
    format_tail(progress, done, now, note, tail, sizeof tail);
    if (!progress->terminal) {
        if (progress->total)
            snprintf(percent, sizeof percent, "%d%%, ", (int)(share * 100));
        fprintf(stderr, "unseen: %s: %s%s%s\n", progress->title, percent, amount, tail);
        return;
    }
    format_bar(progress, share, bar, sizeof bar);
    snprintf(line, sizeof line, "%s %s%s%s", progress->title, bar, amount, tail);
    /* A line that wraps could not be cleared. */
    fprintf(stderr, "\r\033[K%.*s", (int)terminal_columns() - 1, line);
    fflush(stderr);
}

static void update(struct us_progress *progress, uint64_t done, const char *note)
{
    double now = clock_now();
    progress->done = done;
    if (!progress->running) {
        progress->running = true;
        progress->first = done;
        progress->start = now;
    }
    if (now - progress->shown < (progress->terminal ? 0.1 : 60))
        return;
    progress->shown = now;
    show(progress, done, now, note);
}

void us_progress_update(struct us_progress *progress, uint64_t done, const char *note)
{
    char text[160];
    struct us_progress *whole = progress ? progress->whole : NULL;
    if (!progress)
        return;
    if (!whole) {
        update(progress, done, note);
        return;
    }
    snprintf(text, sizeof text, "%s%s%s", progress->title, note && *note ? " " : "", note ? note : "");
    pthread_mutex_lock(&whole->lock);
    update(whole, whole->done + (done - progress->done), text);
    pthread_mutex_unlock(&whole->lock);
    progress->done = done;
}

void us_progress_end(struct us_progress *progress)
{
    if (!progress)
        return;
    if (progress->terminal && !progress->whole) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}
