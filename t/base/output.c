#include "config.h"

#include "base/output.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/atomic.h"
#include "support/cmocka.h"
#include "support/folder.h"

static void put(const char *name, const char *text)
{
    FILE *file = fopen(test_path(name), "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void holds(const char *name, const char *text)
{
    char *found;
    assert_ok(us_read_file(test_path(name), &found, NULL));
    assert_string_equal(found, text);
    free(found);
}

static enum unseen_status write_ours(const char *name)
{
    return us_write_file(test_path(name), "ours", 4);
}

/* A child that locks the folder, does `work` and is killed while it holds it. */
static void killed_in(const char *folder, void (*work)(void))
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct us_run_lock lock = {0};
        char answer = us_run_lock(folder, NULL, NULL, &lock) ? 'n' : 'y';
        work();
        (void)!write(ready[1], &answer, 1);
        pause();
        _exit(0);
    }
    char answer;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    char text[64];
    struct us_run_lock lock = {0};
    snprintf(text, sizeof text, ": process %ld on ", (long)child);
    assert_fails(UNSEEN_FAILED, text, us_run_lock(folder, NULL, NULL, &lock));
    us_run_lock_end(&lock);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
}

static void begin_a_file(void)
{
    struct us_atomic file;
    if (us_write_file(test_path("k/whole"), "x", 1) || us_atomic_begin(test_path("k/sub"), &file))
        _exit(1);
}

static void overwrite_a_file(void)
{
    if (us_write_file(test_path("k2/whole"), "x", 1))
        _exit(1);
}

static int count_in(const char *folder)
{
    char command[600];
    snprintf(command, sizeof command, "ls '%s' | wc -l", test_path(folder));
    FILE *out = popen(command, "r");
    int n = -1;
    assert_non_null(out);
    assert_int_equal(fscanf(out, "%d", &n), 1);
    pclose(out);
    return n;
}

static void one_process_holds_a_folder_and_what_a_killed_one_left_goes(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    killed_in(test_path("k"), begin_a_file);
    assert_int_equal(count_in("k/.unseen/tmp"), 1);
    /* Names that are not ours, of another host, or of a process that is there. */

    put("k/.unseen/tmp/1.1", "x");
    put("k/.unseen/tmp/no-such-host.999999.1", "x");
    put("k/mine.tmp.9", "precious");
    put("k/.unseen/tmp/data.tmp.9", "precious");
    assert_ok(us_run_lock(test_path("k"), NULL, NULL, &lock));
    assert_int_equal(count_in("k/.unseen/tmp"), 3);
    holds("k/mine.tmp.9", "precious");
    /* Written by the killed process: it is ours still. */
    assert_ok(write_ours("k/whole"));
    assert_ok(write_ours("k/sub"));
    us_run_lock_end(&lock);
}

static void what_others_wrote_is_never_overwritten_or_removed(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    assert_ok(us_make_folder(test_path("f/work/deep")));
    put("f/report", "theirs");
    put("f/work/deep/note", "theirs");
    assert_fails(UNSEEN_USAGE, "f/report: is in the way",
                 us_run_lock(test_path("f"), NULL, (const char *[]){"scores", "report", NULL}, &lock));
    assert_false(us_exists(test_path("f/.unseen")));
    assert_ok(us_run_lock(test_path("f"), NULL, (const char *[]){"scores", NULL}, &lock));
    assert_fails(UNSEEN_USAGE, "f/report: is in the way", write_ours("f/report"));
    assert_int_equal(symlink("report", test_path("f/link")), 0);
    assert_fails(UNSEEN_USAGE, "f/link: is in the way", write_ours("f/link"));
    assert_ok(write_ours("f/scores"));
    assert_ok(write_ours("f/scores"));
    assert_ok(write_ours("f/work/deep/ours"));
    assert_ok(us_make_folder(test_path("f/work/own")));
    assert_ok(write_ours("f/work/own/ours"));
    assert_ok(us_remove_file(test_path("f/report")));
    assert_ok(us_remove_file(test_path("f/scores")));
    assert_false(us_exists(test_path("f/scores")));
    assert_ok(us_remove_written(test_path("f/work")));
    assert_false(us_exists(test_path("f/work/own")));
    assert_false(us_exists(test_path("f/work/deep/ours")));
    holds("f/work/deep/note", "theirs");
    holds("f/report", "theirs");
    us_run_lock_end(&lock);

    /* A name whose file is gone is not ours any more. */
    put("f/scores", "theirs");
    assert_ok(us_run_lock(test_path("f"), NULL, NULL, &lock));
    put("f/work/own", "theirs");
    us_run_lock_end(&lock);
    unlink(test_path("f/scores"));
    assert_ok(us_run_lock(test_path("f"), NULL, NULL, &lock));
    put("f/scores", "theirs");
    assert_fails(UNSEEN_USAGE, "in the way", write_ours("f/scores"));
    us_run_lock_end(&lock);
}

static void what_will_be_written_is_looked_for_by_patterns(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    const char *const files[] = {"work/", "work/r[0-9]*/", "work/r[0-9]*/seen-*.npy", NULL};
    assert_ok(us_make_folder(test_path("p[1*]/work/r0")));
    put("p[1*]/work/r0/own.npy", "theirs");
    put("p[1*]/work/rest", "theirs");
    assert_ok(us_run_lock(test_path("p[1*]"), NULL, files, &lock));
    assert_ok(write_ours("p[1*]/work/r0/seen-0.npy"));
    us_run_lock_end(&lock);
    assert_ok(us_run_lock(test_path("p[1*]/"), NULL, files, &lock));
    us_run_lock_end(&lock);
    put("p[1*]/work/r0/seen-1.npy", "theirs");
    assert_fails(UNSEEN_USAGE, "work/r0/seen-1.npy: is in the way",
                 us_run_lock(test_path("p[1*]"), NULL, files, &lock));
    unlink(test_path("p[1*]/work/r0/seen-1.npy"));
    assert_int_equal(symlink("r0", test_path("p[1*]/work/r1")), 0);
    assert_fails(UNSEEN_USAGE, "work/r1: is a link", us_run_lock(test_path("p[1*]"), NULL, files, &lock));
}

static void what_was_changed_since_it_was_written_keeps_its_bytes(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    assert_ok(us_run_lock(test_path("c"), NULL, NULL, &lock));
    assert_ok(write_ours("c/keep"));
    assert_ok(write_ours("c/same"));
    us_run_lock_end(&lock);
    put("c/keep", "mine"); /* as long as ours */
    put("c/same", "ours"); /* another time, as in a copy of the folder */
    assert_ok(us_run_lock(test_path("c"), NULL, NULL, &lock));
    assert_ok(us_remove_file(test_path("c/keep")));
    assert_ok(us_remove_written(test_path("c")));
    holds("c/keep", "mine");
    assert_false(us_exists(test_path("c/same")));
    assert_ok(write_ours("c/keep"));
    holds("c/keep", "ours");
    holds("c/keep.changed", "mine");
    assert_ok(us_write_file(test_path("c/keep"), "twice", 5));
    assert_ok(us_remove_file(test_path("c/keep")));
    us_run_lock_end(&lock);
    assert_false(us_exists(test_path("c/keep")));

    /* What a process wrote that was killed then is ours. */
    assert_ok(us_run_lock(test_path("k2"), NULL, NULL, &lock));
    assert_ok(us_write_file(test_path("k2/whole"), "longer", 6));
    us_run_lock_end(&lock);
    killed_in(test_path("k2"), overwrite_a_file);
    assert_ok(us_run_lock(test_path("k2"), NULL, NULL, &lock));
    assert_ok(write_ours("k2/whole"));
    us_run_lock_end(&lock);
    assert_false(us_exists(test_path("k2/whole.changed")));
}

static void links_are_not_followed_when_files_are_removed(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    assert_ok(us_make_folder(test_path("l/work")));
    assert_ok(us_run_lock(test_path("l"), NULL, NULL, &lock));
    assert_ok(us_make_folder(test_path("l/work/a")));
    assert_ok(write_ours("l/work/a/file"));
    assert_int_equal(rename(test_path("l/work/a"), test_path("moved")), 0);
    assert_int_equal(symlink("../../moved", test_path("l/work/a")), 0);
    assert_ok(us_remove_written(test_path("l/work")));
    holds("moved/file", "ours");
    /* A link that we made goes, what it leads to stays. */
    assert_ok(us_output_admit(test_path("l/work/b"), NULL));
    assert_int_equal(symlink("../../moved", test_path("l/work/b")), 0);
    assert_ok(us_remove_written(test_path("l/work")));
    struct stat about;
    assert_int_not_equal(lstat(test_path("l/work/b"), &about), 0);
    holds("moved/file", "ours");
    us_run_lock_end(&lock);
}

static void a_folder_inside_one_that_is_held_is_held_with_it(void **state)
{
    (void)state;
    struct us_run_lock outer = {0}, inner = {0};
    assert_ok(us_run_lock(test_path("n"), "scoring", NULL, &outer));
    assert_ok(us_run_lock(test_path("n/steps"), NULL, NULL, &inner));
    assert_false(us_exists(test_path("n/steps/.unseen")));
    assert_ok(write_ours("n/steps/keep"));
    us_run_lock_end(&inner);
    assert_fails(UNSEEN_USAGE, "of a scoring run", us_run_lock(test_path("n"), "training", NULL, &inner));
    us_run_lock_end(&outer);
    /* Alone, it still is a part. */
    assert_ok(us_run_lock(test_path("n/steps/"), NULL, NULL, &inner));
    assert_false(us_exists(test_path("n/steps/.unseen")));
    assert_ok(write_ours("n/steps//keep"));
    put("n/steps/theirs", "theirs");
    assert_fails(UNSEEN_USAGE, "in the way", write_ours("n/steps/theirs"));
    us_run_lock_end(&inner);
    /* What is no part of it is a folder of its own. */
    assert_ok(us_run_lock(test_path("n/other"), "training", NULL, &inner));
    assert_ok(write_ours("n/other/keep"));
    us_run_lock_end(&inner);
    assert_true(us_is_output(test_path("n/other")));
}

static const char *hint_of_a_full_disk(void)
{
    errno = ENOSPC;
    assert_int_equal(us_fail_errno("file", "cannot write"), UNSEEN_FAILED);
    return unseen_last_hint();
}

static void a_full_disk_tells_of_finished_parts_where_there_are_some(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    assert_string_equal(hint_of_a_full_disk(), "free some space and run the same command again");
    assert_ok(us_run_lock(test_path("d"), NULL, NULL, &lock));
    assert_non_null(strstr(hint_of_a_full_disk(), "again: finished parts are kept"));
    us_run_lock_end(&lock);
    assert_null(strstr(hint_of_a_full_disk(), "parts"));
}

static void what_was_only_locked_leaves_nothing(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    assert_ok(us_run_lock(test_path("e"), "scoring", NULL, &lock));
    us_run_lock_end(&lock);
    us_run_lock_end(&lock);
    assert_false(us_exists(test_path("e")));
    assert_ok(us_make_folder(test_path("e")));
    assert_ok(us_run_lock(test_path("e"), "scoring", NULL, &lock));
    us_run_lock_end(&lock);
    assert_true(us_exists(test_path("e")));
    assert_false(us_exists(test_path("e/.unseen")));
}

/* A kill or a power cut may leave the list without its end, or empty. */
static void a_torn_list_names_less(void **state)
{
    (void)state;
    struct us_run_lock lock = {0};
    assert_ok(us_run_lock(test_path("t"), NULL, NULL, &lock));
    assert_ok(write_ours("t/a"));
    assert_ok(write_ours("t/bcd"));
    us_run_lock_end(&lock);
    put("t/.unseen/files", "unseen 1 \na\nbc");
    assert_ok(us_run_lock(test_path("t"), NULL, NULL, &lock));
    assert_ok(write_ours("t/a"));
    assert_fails(UNSEEN_USAGE, "in the way", write_ours("t/bcd"));
    us_run_lock_end(&lock);
    put("t/.unseen/files", "");
    assert_ok(us_run_lock(test_path("t"), "scoring", NULL, &lock));
    assert_fails(UNSEEN_USAGE, "in the way", write_ours("t/a"));
    us_run_lock_end(&lock);
    put("t/.unseen/files", "unseen 2 x\n");
    assert_fails(UNSEEN_BAD_DATA, "another version", us_run_lock(test_path("t"), NULL, NULL, &lock));
}

static void removes_a_file(void **state)
{
    (void)state;
    assert_ok(us_write_file(test_path("gone"), "x", 1));
    assert_ok(us_remove_file(test_path("gone")));
    assert_false(us_exists(test_path("gone")));
    assert_ok(us_remove_file(test_path("gone")));
    assert_fails(UNSEEN_FAILED, "cannot remove", us_remove_file(test_folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_holds_a_folder_and_what_a_killed_one_left_goes),
        cmocka_unit_test(what_others_wrote_is_never_overwritten_or_removed),
        cmocka_unit_test(what_will_be_written_is_looked_for_by_patterns),
        cmocka_unit_test(what_was_changed_since_it_was_written_keeps_its_bytes),
        cmocka_unit_test(links_are_not_followed_when_files_are_removed),
        cmocka_unit_test(a_folder_inside_one_that_is_held_is_held_with_it),
        cmocka_unit_test(a_full_disk_tells_of_finished_parts_where_there_are_some),
        cmocka_unit_test(what_was_only_locked_leaves_nothing),
        cmocka_unit_test(a_torn_list_names_less),
        cmocka_unit_test(removes_a_file),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
