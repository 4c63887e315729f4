#include "config.h"

#include "base/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/cmocka.h"

static double seconds;

static double told_time(void)
{
    return seconds;
}

static int saved_stderr;

/* Lets stderr go to `fd`. */
static void redirect(int fd)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(saved_stderr >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
}

static void restore(void)
{
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
}

/* 300 s of work, a step a second at 50 images/s, from 1000 on. */
static void work(void)
{
    seconds = 1000;
    struct us_progress *progress = us_progress_begin("train", "images", 20000);
    for (int step = 0; step <= 300; step++, seconds++)
        us_progress_update(progress, 1000 + 50 * (uint64_t)step, step % 2 ? "loss 1.5" : NULL);
    us_progress_end(progress);
}

/* All that comes before the other end is closed: a terminal tells its end as an error, and hands on what was
 * written piece by piece. */
static void read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t got;
    while ((got = read(fd, text + used, size - used - 1)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(fd);
}

/* What `body` writes to stderr while that is a pipe. */
static void through_pipe(void (*body)(void), char *text, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    redirect(ends[1]);
    body();
    restore();
    close(ends[1]);
    read_all(ends[0], text, size);
}

static void one_line_a_minute(void **state)
{
    (void)state;
    char text[4096];
    through_pipe(work, text, sizeof text);
    assert_string_equal(text, "unseen: train: 20%, 4000/20000 images, 50.0 images/s, 5:20 left\n"
                              "unseen: train: 35%, 7000/20000 images, 50.0 images/s, 4:20 left\n"
                              "unseen: train: 50%, 10000/20000 images, 50.0 images/s, 3:20 left\n"
                              "unseen: train: 65%, 13000/20000 images, 50.0 images/s, 2:20 left\n"
                              "unseen: train: 80%, 16000/20000 images, 50.0 images/s, 1:20 left\n");
}

static void odd_totals(void)
{
    seconds = 0;
    struct us_progress *progress = us_progress_begin("x", "files", 0);
    us_progress_update(progress, 0, NULL);
    seconds = 60;
    us_progress_update(progress, 6, "note");
    us_progress_end(progress);
    progress = us_progress_begin("y", "files", 1000000);
    us_progress_update(progress, 0, NULL);
    seconds = 120;
    us_progress_update(progress, 60, NULL);
    seconds = 180;
    us_progress_update(progress, 2000000, NULL);
    us_progress_end(progress);
}

static void totals_may_be_unknown_or_passed(void **state)
{
    (void)state;
    char text[4096];
    through_pipe(odd_totals, text, sizeof text);
    assert_string_equal(text, "unseen: x: 6 files, 0.10 files/s, note\n"
                              "unseen: y: 0%, 60/1000000 files, 1.00 files/s, 277:45:40 left\n"
                              "unseen: y: 100%, 2000000/1000000 files, 16667 files/s\n");
}

/* Two of three parts work in turns; the third has been done before, the second half of it. */
static void work_in_parts(void)
{
    seconds = 0;
    const struct us_amount all = {1000, 1000}, half = {500, 500}, none = {0, 0};
    struct us_progress *whole = us_progress_begin("scoring", "images", 3000);
    struct us_progress *a = us_progress_part(whole, "model 1/3", all, all);
    struct us_progress *b = us_progress_part(whole, "model 2/3", all, half);
    struct us_progress *c = us_progress_part(whole, "model 3/3", all, none);
    us_progress_end(c);
    us_progress_update(a, 0, NULL);
    seconds = 60;
    us_progress_update(a, 300, "loss 1.5");
    seconds = 100;
    us_progress_update(b, 200, NULL);
    seconds = 120;
    us_progress_update(b, 300, NULL);
    us_progress_end(a);
    us_progress_end(b);
    assert_int_equal(us_progress_done(whole).units, 600);
    assert_int_equal(us_progress_total(whole).units, 1500);
    us_progress_end(whole);
    us_progress_end(us_progress_part(NULL, "none", all, all));
}

static void parts_add_up(void **state)
{
    (void)state;
    char text[4096];
    through_pipe(work_in_parts, text, sizeof text);
    assert_string_equal(
        text, "unseen: scoring: 20%, 300/1500 images, 5.00 images/s, 4:00 left, model 1/3 loss 1.5\n"
              "unseen: scoring: 40%, 600/1500 images, 5.00 images/s, 3:00 left, model 2/3\n");
}

/* Of 300 images 100 are trained on, at 3 s each, and 200 evaluated, at 0.5 s. Behind 20 of the first kind 340
 * s are left; when 100 of the second turn out to be done, and 20 more have been trained on, 230 s. */
static void work_of_two_kinds(void)
{
    seconds = 0;
    struct us_progress *whole = us_progress_whole("prune", "images", (struct us_amount){300, 400});
    us_progress_add(whole, (struct us_amount){0, 0}, NULL);
    seconds = 60;
    us_progress_add(whole, (struct us_amount){20, 60}, NULL);
    us_progress_change(whole, (struct us_amount){100, 50}, (struct us_amount){0, 0});
    seconds = 120;
    us_progress_add(whole, (struct us_amount){20, 60}, NULL);
    us_progress_end(whole);
}

static void the_time_left_goes_by_cost(void **state)
{
    (void)state;
    char text[4096];
    through_pipe(work_of_two_kinds, text, sizeof text);
    assert_string_equal(text, "unseen: prune: 6%, 20/300 images, 0.33 images/s, 5:40 left\n"
                              "unseen: prune: 20%, 40/200 images, 0.33 images/s, 3:50 left\n");
}

/* A silent display counts all the same. */
static void work_unseen(void)
{
    struct us_progress *progress = us_progress_begin("train", "images", 10);
    us_progress_add(progress, (struct us_amount){4, 4}, NULL);
    assert_int_equal(us_progress_done(progress).units, 4);
    us_progress_end(progress);
}

static void off_is_silent(void **state)
{
    (void)state;
    char text[4096];
    unseen_progress_set(0);
    through_pipe(work, text, sizeof text);
    assert_string_equal(text, "");
    through_pipe(work_unseen, text, sizeof text);
    unseen_progress_set(1);
    assert_string_equal(text, "");
}

static void nothing_begun_is_accepted(void **state)
{
    (void)state;
    us_progress_update(NULL, 1, "x");
    us_progress_end(NULL);
}

/* A bar on a pseudo terminal of `columns`. */
static void through_terminal(unsigned short columns, char *text, size_t size)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        skip();
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip();
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_row = 24, .ws_col = columns}), 0);
    redirect(terminal);
    seconds = 0;
    struct us_progress *progress = us_progress_begin("train", "images", 200);
    us_progress_update(progress, 0, NULL); /* too soon to show anything */
    seconds = 10;
    us_progress_update(progress, 100, "loss 1.5");
    seconds = 10.05;
    us_progress_update(progress, 101, NULL);
    us_progress_end(progress);
    restore();
    close(terminal);
    read_all(master, text, size);
}

static void a_bar_on_a_terminal(void **state)
{
    (void)state;
    char text[4096];
    through_terminal(120, text, sizeof text);
    assert_string_equal(text,
                        "\r\033[Ktrain [==========>         ]  50% 100/200 images, 10.0 images/s, 0:10 left, "
                        "loss 1.5\r\033[K");
    through_terminal(20, text, sizeof text);
    assert_string_equal(text, "\r\033[Ktrain [==========> \r\033[K");
}

static void the_real_clock_works(void **state)
{
    (void)state;
    us_progress_clock(NULL);
    struct us_progress *progress = us_progress_begin("train", "images", 2);
    us_progress_update(progress, 1, NULL);
    us_progress_end(progress);
    us_progress_clock(told_time);
}

int main(void)
{
    us_progress_clock(told_time);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_a_minute),   cmocka_unit_test(totals_may_be_unknown_or_passed),
        cmocka_unit_test(parts_add_up),        cmocka_unit_test(the_time_left_goes_by_cost),
        cmocka_unit_test(off_is_silent),       cmocka_unit_test(nothing_begun_is_accepted),
        cmocka_unit_test(a_bar_on_a_terminal), cmocka_unit_test(the_real_clock_works),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
