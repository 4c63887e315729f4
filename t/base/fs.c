#include "config.h"

#include "base/fs.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "support/cmocka.h"
#include "support/folder.h"

/* How many names test_folder holds. */
static int names(void)
{
    DIR *folder = opendir(test_folder);
    assert_non_null(folder);
    int count = -2; /* . and .. */
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void writes_and_reads_back(void **state)
{
    (void)state;
    const char *path = test_path("a");
    char *bytes;
    size_t size;
    assert_ok(us_write_file(path, "x\0y", 3));
    assert_ok(us_read_file(path, &bytes, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "x\0y\0", 4);
    free(bytes);
    assert_ok(us_write_file(path, NULL, 0));
    assert_ok(us_read_file(path, &bytes, NULL));
    assert_string_equal(bytes, "");
    free(bytes);
    size_t big = 300001;
    char *block = us_calloc(big, 1);
    assert_non_null(block);
    block[big - 1] = 'z';
    assert_ok(us_write_file(path, block, big));
    assert_ok(us_read_file(path, &bytes, &size));
    assert_int_equal(size, big);
    assert_memory_equal(bytes, block, big);
    free(bytes);
    free(block);
    unlink(path);
}

static void reads_files_of_unknown_size(void **state)
{
    (void)state;
    char *bytes;
    size_t size;
    assert_ok(us_read_file("/proc/self/status", &bytes, &size));
    assert_int_equal(strlen(bytes), size);
    assert_non_null(strstr(bytes, "Pid:"));
    free(bytes);
}

static void reading_fails_with_the_reason(void **state)
{
    (void)state;
    char *bytes;
    void *mapping;
    size_t size;
    assert_fails(UNSEEN_FAILED, "missing: cannot read: No such file",
                 us_read_file(test_path("missing"), &bytes, NULL));
    assert_fails(UNSEEN_FAILED, "Is a directory", us_read_file(test_folder, &bytes, NULL));
    assert_fails(UNSEEN_FAILED, "No such file", us_map_file(test_path("missing"), &mapping, &size));
    assert_fails(UNSEEN_BAD_DATA, "regular", us_map_file(test_folder, &mapping, &size));
    assert_ok(us_write_file(test_path("e"), "", 0));
    assert_fails(UNSEEN_BAD_DATA, "empty", us_map_file(test_path("e"), &mapping, &size));
    unlink(test_path("e"));
}

static void maps_a_file(void **state)
{
    (void)state;
    void *mapping;
    size_t size;
    assert_ok(us_write_file(test_path("m"), "abc", 3));
    assert_ok(us_map_file(test_path("m"), &mapping, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(mapping, "abc", 3);
    munmap(mapping, size);
    unlink(test_path("m"));
}

static void abandoned_leaves_the_old_file(void **state)
{
    (void)state;
    struct us_atomic file;
    assert_ok(us_write_file(test_path("b"), "old", 3));
    assert_ok(us_atomic_begin(test_path("b"), &file));
    assert_int_equal(names(), 2);
    fputs("new", file.stream);
    us_atomic_abandon(&file);
    us_atomic_abandon(&file);
    assert_int_equal(names(), 1);
    char *bytes;
    assert_ok(us_read_file(test_path("b"), &bytes, NULL));
    assert_string_equal(bytes, "old");
    free(bytes);
    assert_ok(us_atomic_begin(test_path("b"), &file));
    assert_ok(us_atomic_commit(&file));
    us_atomic_abandon(&file);
    assert_true(us_exists(test_path("b")));
    unlink(test_path("b"));
}

static void cannot_begin_where_nothing_can_be(void **state)
{
    (void)state;
    struct us_atomic file;
    assert_fails(UNSEEN_FAILED, "no/such: cannot write: No such file",
                 us_atomic_begin(test_path("no/such"), &file));
}

static void commit_fails_if_the_name_is_a_folder(void **state)
{
    (void)state;
    assert_ok(us_make_folder(test_path("d")));
    assert_fails(UNSEEN_FAILED, "into place", us_write_file(test_path("d"), "x", 1));
    assert_int_equal(names(), 1);
    rmdir(test_path("d"));
}

/* A file size limit stands for a full disk: writes beyond it fail with EFBIG. */
static void a_write_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    static char block[100000];
    size_t sizes[] = {1500, sizeof block}; /* within stdio's buffer: fails at the flush; beyond: before */
    for (int i = 0; i < 2; i++) {
        struct us_atomic file;
        assert_ok(us_atomic_begin(test_path("c"), &file));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        (void)!fwrite(block, 1, sizes[i], file.stream);
        enum unseen_status st = us_atomic_commit(&file);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(st, UNSEEN_FAILED);
        assert_non_null(strstr(unseen_last_error(), "c: cannot write: File too large"));
        assert_int_equal(names(), 0);
    }
    signal(SIGXFSZ, handler);
}

static void makes_folders(void **state)
{
    (void)state;
    assert_ok(us_make_folder(test_path("p/q//r/")));
    assert_ok(us_make_folder(test_path("p/q/r")));
    assert_ok(us_make_folder("/"));
    assert_ok(us_make_folder("."));
    assert_true(us_is_folder(test_path("p/q/r")));
    assert_ok(us_write_file(test_path("p/file"), "", 0));
    assert_true(us_exists(test_path("p/file")));
    assert_false(us_is_folder(test_path("p/file")));
    assert_false(us_exists(test_path("p/none")));
    assert_fails(UNSEEN_FAILED, "Not a directory", us_make_folder(test_path("p/file")));
    assert_fails(UNSEEN_FAILED, "Not a directory", us_make_folder(test_path("p/file/x")));
}

static void removes_folders(void **state)
{
    (void)state;
    assert_ok(us_make_folder(test_path("r/s/t")));
    assert_ok(us_write_file(test_path("r/s/file"), "x", 1));
    assert_int_equal(symlink(test_folder, test_path("r/link")), 0);
    assert_ok(us_remove_folder(test_path("r")));
    assert_false(us_exists(test_path("r")));
    assert_true(us_exists(test_folder));
    assert_ok(us_remove_folder(test_path("r")));
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

static void removes_what_killed_writers_left(void **state)
{
    (void)state;
    static const char *const kept[] = {"k/a.npy", "k/sub/b.tmp", "k/sub/c.tmp.x"};
    static const char *const left[] = {"k/a.npy.tmp.12", "k/sub/b.tmp.3456"};
    assert_ok(us_make_folder(test_path("k/sub")));
    assert_ok(us_make_folder(test_path("k/folder.tmp.7")));
    for (int i = 0; i < 3; i++)
        assert_ok(us_write_file(test_path(kept[i]), "x", 1));
    for (int i = 0; i < 2; i++)
        assert_ok(us_write_file(test_path(left[i]), "x", 1));
    assert_ok(us_remove_temporaries(test_path("k")));
    for (int i = 0; i < 3; i++)
        assert_true(us_exists(test_path(kept[i])));
    for (int i = 0; i < 2; i++)
        assert_false(us_exists(test_path(left[i])));
    assert_true(us_is_folder(test_path("k/folder.tmp.7")));
    assert_ok(us_remove_temporaries(test_path("none")));
}

static void expect_cache(const char *folder)
{
    char *found = us_cache_folder();
    assert_non_null(found);
    assert_string_equal(found, folder);
    assert_true(us_is_folder(found));
    free(found);
}

static void finds_the_cache_folder(void **state)
{
    (void)state;
    setenv("UNSEEN_CACHE_DIR", test_path("own"), 1);
    setenv("XDG_CACHE_HOME", test_path("xdg"), 1);
    setenv("HOME", test_path("home"), 1);
    expect_cache(test_path("own"));
    setenv("UNSEEN_CACHE_DIR", "", 1);
    expect_cache(test_path("xdg/unseen"));
    setenv("XDG_CACHE_HOME", "relative", 1);
    expect_cache(test_path("home/.cache/unseen"));
    unsetenv("HOME");
    assert_null(us_cache_folder());
    assert_non_null(strstr(unseen_last_error(), "HOME"));
}

static void a_lock_is_exclusive_and_dies_with_its_process(void **state)
{
    (void)state;
    const char *path = test_path("lock");
    int ready[2], handle;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool locked = us_lock(path, &handle) == UNSEEN_OK;
        (void)!write(ready[1], locked ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    char answer;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_fails(UNSEEN_FAILED, "another process", us_lock(path, &handle));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ok(us_lock(path, &handle));
    us_unlock(handle);
    assert_ok(us_lock(path, &handle));
    us_unlock(handle);
    us_unlock(-1);
    close(ready[0]);
    close(ready[1]);
    assert_fails(UNSEEN_FAILED, "No such file", us_lock(test_path("no/lock"), &handle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(reads_files_of_unknown_size),
        cmocka_unit_test(reading_fails_with_the_reason),
        cmocka_unit_test(maps_a_file),
        cmocka_unit_test(abandoned_leaves_the_old_file),
        cmocka_unit_test(cannot_begin_where_nothing_can_be),
        cmocka_unit_test(commit_fails_if_the_name_is_a_folder),
        cmocka_unit_test(a_write_that_fails_leaves_nothing),
        cmocka_unit_test(makes_folders),
        cmocka_unit_test(removes_folders),
        cmocka_unit_test(removes_a_file),
        cmocka_unit_test(removes_what_killed_writers_left),
        cmocka_unit_test(finds_the_cache_folder),
        cmocka_unit_test(a_lock_is_exclusive_and_dies_with_its_process),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
