#include "config.h"

#include "base/atomic.h"
#include "base/fs.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

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

static void writes_in_place_of_no_folder_and_no_device(void **state)
{
    (void)state;
    struct stat about;
    assert_ok(us_make_folder(test_path("d")));
    assert_fails(UNSEEN_FAILED, "a folder is there", us_write_file(test_path("d"), "x", 1));
    assert_int_equal(names(), 1);
    rmdir(test_path("d"));
    assert_fails(UNSEEN_FAILED, "no regular file is there", us_write_file("/dev/null", "x", 1));
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
}

static void temporary_files_are_nobody_elses(void **state)
{
    (void)state;
    struct us_atomic one, other;
    struct stat about;
    char host[256], left[1024];
    assert_int_equal(gethostname(host, sizeof host), 0);
    for (char *c = host; *c; c++)
        *c = *c == '.' || *c == '_' ? '-' : *c;
    host[40] = '\0';
    assert_ok(us_atomic_begin(test_path("t"), &one));
    assert_non_null(strstr(one.temporary, host));
    unsigned number;
    assert_int_equal(sscanf(strrchr(one.temporary, '.'), ".%u", &number), 1);
    /* What stands under the next name, of a process before us with our number or a link, is left alone. */
    snprintf(left, sizeof left, "%.*s.%u", (int)(strrchr(one.temporary, '.') - one.temporary), one.temporary,
             number + 1);
    assert_int_equal(symlink(test_path("elsewhere"), left), 0);
    assert_ok(us_atomic_begin(test_path("t"), &other));
    assert_string_not_equal(other.temporary, left);
    us_atomic_abandon(&one);
    us_atomic_abandon(&other);
    assert_int_equal(lstat(left, &about), 0);
    assert_false(us_exists(test_path("elsewhere")));
    unlink(left);
    assert_int_equal(names(), 0);
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

static void expect_cache(const char *folder)
{
    char *found = us_cache_folder();
    assert_non_null(found);
    assert_string_equal(found, folder);
    assert_true(us_is_folder(found));
    free(found);
}

static void room_is_that_of_the_nearest_folder(void **state)
{
    (void)state;
    assert_ok(us_check_room(test_path("not/there/yet"), 1));
    assert_ok(us_check_room("beside", 1));
    assert_fails(UNSEEN_FAILED, "and the disk has", us_check_room(test_path("not/there/yet"), INT64_MAX));
}

static void counts_what_a_folder_takes(void **state)
{
    (void)state;
    const char *folder = test_path("counted/below");
    assert_int_equal(us_folder_bytes(folder), 0);
    assert_ok(us_make_folder(folder));
    FILE *file = fopen(test_path("counted/below/file"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1 << 16; i++)
        fputc(i & 255, file);
    fflush(file);
    fsync(fileno(file));
    fclose(file);
    assert_in_range(us_folder_bytes(test_path("counted")), 1, 1 << 18); /* a disk may compress */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(reads_files_of_unknown_size),
        cmocka_unit_test(reading_fails_with_the_reason),
        cmocka_unit_test(maps_a_file),
        cmocka_unit_test(abandoned_leaves_the_old_file),
        cmocka_unit_test(cannot_begin_where_nothing_can_be),
        cmocka_unit_test(writes_in_place_of_no_folder_and_no_device),
        cmocka_unit_test(temporary_files_are_nobody_elses),
        cmocka_unit_test(a_write_that_fails_leaves_nothing),
        cmocka_unit_test(makes_folders),
        cmocka_unit_test(removes_folders),
        cmocka_unit_test(room_is_that_of_the_nearest_folder),
        cmocka_unit_test(counts_what_a_folder_takes),
        cmocka_unit_test(finds_the_cache_folder),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
