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
    struct us_amount total, done;
    struct us_amount first; /* done at the first update: rates count from there */
    double start;           /* time of the first update */
    double shown;           /* time of the last line */
    bool running;           /* there was a first update */
    bool silent, terminal;
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

struct us_progress *us_progress_whole(const char *title, const char *unit, struct us_amount total)
{
    struct us_progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        return NULL;
    snprintf(progress->title, sizeof progress->title, "%s", title);
    snprintf(progress->unit, sizeof progress->unit, "%s", unit);
    progress->total = total;
    progress->silent = !enabled;
    progress->terminal = isatty(STDERR_FILENO) == 1;
    progress->shown = clock_now();
    pthread_mutex_init(&progress->lock, NULL);
    return progress;
}

struct us_progress *us_progress_begin(const char *title, const char *unit, uint64_t total)
{
    return us_progress_whole(title, unit, (struct us_amount){total, (double)total});
}

struct us_progress *us_progress_part(struct us_progress *whole, const char *title, struct us_amount planned,
                                     struct us_amount total)
{
    struct us_progress *part = whole ? us_progress_whole(title, whole->unit, total) : NULL;
    us_progress_change(whole, planned, total);
    if (part)
        part->whole = whole;
    return part;
}

static void change(struct us_progress *progress, struct us_amount planned, struct us_amount now)
{
    progress->total.units += now.units - planned.units;
    progress->total.cost += now.cost - planned.cost;
}

void us_progress_change(struct us_progress *progress, struct us_amount planned, struct us_amount now)
{
    struct us_progress *whole = progress && progress->whole ? progress->whole : progress;
    if (!progress)
        return;
    if (whole != progress)
        change(progress, planned, now);
    pthread_mutex_lock(&whole->lock);
    change(whole, planned, now);
    pthread_mutex_unlock(&whole->lock);
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
    if (progress->total.units)
        snprintf(text, size, "%llu/%llu %s", (unsigned long long)done,
                 (unsigned long long)progress->total.units, progress->unit);
    else
        snprintf(text, size, "%llu %s", (unsigned long long)done, progress->unit);
}

/* ", 123 images/s, 1:02 left, <note>": the part that both displays share. */
static void format_tail(const struct us_progress *progress, double now, const char *note, char *text,
                        size_t size)
{
    char rate_text[64] = "", left_text[64] = "", left[32];
    const struct us_amount done = progress->done, first = progress->first;
    if (done.units > first.units && now > progress->start) {
        const double seconds = now - progress->start, rate = (double)(done.units - first.units) / seconds;
        us_print_to(rate_text, sizeof rate_text, ", %.*f %s/s",
                    rate < 10    ? 2
                    : rate < 100 ? 1
                                 : 0,
                    rate, progress->unit);
        if (done.units < progress->total.units && done.cost > first.cost) {
            format_time(fmax(progress->total.cost - done.cost, 0) * seconds / (done.cost - first.cost), left,
                        sizeof left);
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
    if (!progress->total.units)
        text[0] = '\0';
}

static void show(const struct us_progress *progress, double now, const char *note)
{
    char line[512], bar[BAR + 16], amount[96], tail[256], percent[16] = "";
    const uint64_t total = progress->total.units;
    double share = total ? (double)progress->done.units / (double)total : 0;
    share = share > 1 ? 1 : share;
    format_amount(progress, progress->done.units, amount, sizeof amount);
    format_tail(progress, now, note, tail, sizeof tail);
    if (!progress->terminal) {
        if (total)
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

static void set_done(struct us_progress *progress, struct us_amount done, const char *note)
{
    double now = clock_now();
    progress->done = done;
    if (!progress->running) {
        progress->running = true;
        progress->first = done;
        progress->start = now;
    }
    if (progress->silent || now - progress->shown < (progress->terminal ? 0.1 : 60))
        return;
    progress->shown = now;
    show(progress, now, note);
}

static struct us_amount sum(struct us_amount a, struct us_amount b)
{
    return (struct us_amount){a.units + b.units, a.cost + b.cost};
}

void us_progress_add(struct us_progress *progress, struct us_amount more, const char *note)
{
    char text[160];
    struct us_progress *whole = progress ? progress->whole : NULL;
    if (!progress)
        return;
    if (!whole) {
        set_done(progress, sum(progress->done, more), note);
        return;
    }
    const char *title = strcmp(progress->title, whole->title) == 0 ? "" : progress->title;
    snprintf(text, sizeof text, "%s%s%s", title, *title && note && *note ? " " : "", note ? note : "");
    progress->done = sum(progress->done, more);
    pthread_mutex_lock(&whole->lock);
    set_done(whole, sum(whole->done, more), text);
    pthread_mutex_unlock(&whole->lock);
}

void us_progress_update(struct us_progress *progress, uint64_t done, const char *note)
{
    if (!progress)
        return;
    const struct us_amount *total = &progress->total;
    const uint64_t more = done - progress->done.units;
    const double each = total->units ? total->cost / (double)total->units : 1;
    us_progress_add(progress, (struct us_amount){more, each * (double)more}, note);
}

struct us_amount us_progress_total(struct us_progress *progress)
{
    return progress ? progress->total : (struct us_amount){0};
}

struct us_amount us_progress_done(struct us_progress *progress)
{
    return progress ? progress->done : (struct us_amount){0};
}

void us_progress_end(struct us_progress *progress)
{
    if (!progress)
        return;
    if (progress->terminal && !progress->silent && !progress->whole) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}
