/* An index that was kept is taken again as long as the data are as they were. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "datasets/index/file_reader.h"
#include "datasets/index/index_cache.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

enum { FILES = US_INDEX_KEPT + 5 };

/* A long time ago, so that nothing is unsure. */
static void age(const char *path, int seconds)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000 + seconds}, {.tv_sec = 1000000000 + seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void age_folders(const char *folder, int seconds)
{
    char path[2048];
    static const char *const names[] = {"", "/train", "/train/a", "/train/b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        age(path, seconds);
    }
}

/* One image under many names, and one of its own in b. */
static const char *make_tree(const char *name)
{
    const char *folder = test_path(name);
    char first[2048], path[2048];
    test_jpeg(folder, "train/a/0.jpg", 8, 8, 0x123456, 0);
    test_jpeg(folder, "train/b/0.jpg", 8, 8, 0x654321, 0);
    snprintf(first, sizeof first, "%s/train/a/0.jpg", folder);
    age(first, 0);
    for (int i = 1; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/train/a/%d.jpg", folder, i);
        assert_int_equal(link(first, path), 0);
    }
    snprintf(path, sizeof path, "%s/train/b/0.jpg", folder);
    age(path, 0);
    age_folders(folder, 0);
    return folder;
}

/* The only file in the cache's folder of indices; its path. */
static const char *kept_index(void)
{
    static char path[2048];
    char folder[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/index", getenv("UNSEEN_CACHE_DIR"));
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        n++;
    }
    closedir(entries);
    assert_int_equal(n, 1);
    return path;
}

/* True if the index of `folder` was taken from the cache. */
static bool is_taken(const char *folder, int64_t n, char hash[65])
{
    struct unseen_dataset *dataset = open_ok(folder);
    const bool taken = us_files_index(dataset)->mapping != NULL;
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, n);
    assert_int_equal(dataset->classes, 2);
    assert_int_equal(dataset->duplicates.same_label, FILES - 1);
    assert_int_equal(dataset->split[UNSEEN_TRAIN].labels[n - 1], 1);
    assert_string_equal(dataset->split[UNSEEN_TRAIN].paths[n - 1], "train/b/0.jpg");
    assert_true(dataset->mean[0] > 0.05F && dataset->mean[0] < 0.1F);
    memcpy(hash, dataset->hash, 65);
    unseen_dataset_close(dataset);
    return taken;
}

static void an_index_is_taken_as_long_as_the_folder_is_as_it_was(void **state)
{
    (void)state;
    char hash[4][65], path[2048];
    setenv("UNSEEN_CACHE_DIR", test_path("cache1"), 1);
    const char *folder = make_tree("kept");
    assert_false(is_taken(folder, FILES + 1, hash[0]));
    assert_true(is_taken(folder, FILES + 1, hash[1]));
    assert_string_equal(hash[0], hash[1]);
    assert_non_null(kept_index());
    /* a new file: its folder has another time */
    test_jpeg(folder, "train/a/new.jpg", 8, 8, 0x111111, 0);
    age_folders(folder, 10);
    assert_false(is_taken(folder, FILES + 2, hash[2]));
    assert_true(is_taken(folder, FILES + 2, hash[3]));
    assert_string_equal(hash[2], hash[3]);
    assert_string_not_equal(hash[0], hash[2]);
    snprintf(path, sizeof path, "%s/train/a/new.jpg", folder);
    assert_int_equal(unlink(path), 0);
    assert_false(is_taken(folder, FILES + 1, hash[3]));
    assert_string_equal(hash[0], hash[3]);
    /* its folder was changed a moment ago */
    assert_false(is_taken(folder, FILES + 1, hash[3]));
}

static void a_damaged_index_is_made_again(void **state)
{
    (void)state;
    char hash[65], other[65];
    setenv("UNSEEN_CACHE_DIR", test_path("cache2"), 1);
    const char *folder = make_tree("damaged");
    assert_false(is_taken(folder, FILES + 1, hash));
    const char *path = kept_index();
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    for (off_t at = 0; at < about.st_size; at += about.st_size / 9) {
        uint8_t byte;
        int handle = open(path, O_RDWR);
        assert_int_equal(pread(handle, &byte, 1, at), 1);
        byte ^= 4;
        assert_int_equal(pwrite(handle, &byte, 1, at), 1);
        close(handle);
        assert_false(is_taken(folder, FILES + 1, other));
        assert_string_equal(hash, other);
        assert_true(is_taken(folder, FILES + 1, other));
    }
    assert_int_equal(truncate(path, about.st_size / 2), 0);
    assert_false(is_taken(folder, FILES + 1, other));
    assert_int_equal(truncate(path, 0), 0);
    assert_false(is_taken(folder, FILES + 1, other));
    assert_string_equal(hash, other);
    /* a pipe that nobody writes to */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(is_taken(folder, FILES + 1, other));
}

/* Without its folder's time having changed. */
static void a_changed_file_is_noticed(void **state)
{
    (void)state;
    char hash[65], path[2048];
    setenv("UNSEEN_CACHE_DIR", test_path("cache3"), 1);
    const char *folder = make_tree("changed");
    assert_false(is_taken(folder, FILES + 1, hash));
    snprintf(path, sizeof path, "%s/train/a/7.jpg", folder);
    age(path, 5); /* of all of its links */
    assert_false(is_taken(folder, FILES + 1, hash));
    assert_true(is_taken(folder, FILES + 1, hash));
}

/* rsync, cp -a and tar set the times of folders back, exiftool those of files whose EXIF it writes. */
static void times_that_are_set_back_hide_nothing(void **state)
{
    (void)state;
    char hash[65], path[2048];
    setenv("UNSEEN_CACHE_DIR", test_path("cache7"), 1);
    const char *folder = make_tree("back");
    assert_false(is_taken(folder, FILES + 1, hash));
    assert_true(is_taken(folder, FILES + 1, hash));
    test_jpeg(folder, "train/a/new.jpg", 8, 8, 0x111111, 0);
    age_folders(folder, 0);
    assert_false(is_taken(folder, FILES + 2, hash));
    assert_true(is_taken(folder, FILES + 2, hash));
    struct unseen_dataset *dataset = open_ok(folder);
    const uint64_t head = us_files_index(dataset)->entries[FILES + 1].head;
    unseen_dataset_close(dataset);
    snprintf(path, sizeof path, "%s/train/b/0.jpg", folder);
    int handle = open(path, O_WRONLY);
    assert_int_equal(pwrite(handle, "x", 1, 10), 1);
    close(handle);
    age(path, 0);
    age_folders(folder, 0);
    dataset = open_ok(folder);
    assert_null(us_files_index(dataset)->mapping);
    assert_true(us_files_index(dataset)->entries[FILES + 1].head != head);
    unseen_dataset_close(dataset);
}

/* What is compared at opening is a part; a file that is found to be another later ends what is kept. */
static void a_file_that_changes_while_it_is_open_removes_the_index(void **state)
{
    (void)state;
    char hash[65], path[2048];
    uint8_t pixels[8 * 8 * 3];
    struct us_scratch *scratch = NULL;
    setenv("UNSEEN_CACHE_DIR", test_path("cache5"), 1);
    const char *folder = make_tree("open");
    assert_false(is_taken(folder, FILES + 1, hash));
    struct unseen_dataset *dataset = open_ok(folder);
    assert_non_null(us_files_index(dataset)->mapping);
    snprintf(path, sizeof path, "%s/train/b/0.jpg", folder);
    age(path, 5);
    assert_ok(dataset->reader->scratch_new(dataset, &scratch));
    assert_fails(UNSEEN_BAD_DATA, "was changed since it was listed",
                 dataset->reader->read(dataset, scratch, UNSEEN_TRAIN, FILES, NULL, 8, 8, pixels));
    dataset->reader->scratch_free(scratch);
    unseen_dataset_close(dataset);
    snprintf(path, sizeof path, "%s/index", test_path("cache5"));
    assert_int_equal(rmdir(path), 0); /* it is empty */
}

static void small_data_are_listed_anew(void **state)
{
    (void)state;
    char path[2048];
    setenv("UNSEEN_CACHE_DIR", test_path("cache4"), 1);
    const char *folder = test_path("small");
    test_jpeg(folder, "train/a/0.jpg", 8, 8, 0, 0);
    unseen_dataset_close(open_ok(folder));
    snprintf(path, sizeof path, "%s/index", test_path("cache4"));
    assert_int_equal(rmdir(path), 0); /* it is empty */
    /* A cache that cannot be made is no failure. */
    test_file(test_path("cache4"), "file", "", 0);
    snprintf(path, sizeof path, "%s/file", test_path("cache4"));
    setenv("UNSEEN_CACHE_DIR", path, 1);
    unseen_dataset_close(open_ok(folder));
}

static int count_decoded(const struct unseen_dataset *dataset, enum us_decoded how)
{
    int n = 0;
    for (int i = 0; i <= FILES; i++)
        n += us_files_index(dataset)->entries[i].decoded == (uint8_t)how;
    return n;
}

static void files_are_decoded_once(void **state)
{
    (void)state;
    static const struct unseen_dataset_options skip = {.on_bad = UNSEEN_BAD_SKIP};
    struct unseen_dataset *dataset = NULL;
    char hash[2][65], path[2048];
    setenv("UNSEEN_CACHE_DIR", test_path("cache6"), 1);
    const char *folder = make_tree("decoded");
    snprintf(path, sizeof path, "%s/train/b/0.jpg", folder);
    test_shorten(folder, "train/b/0.jpg");
    age(path, 0);
    for (int pass = 0; pass < 2; pass++) {
        assert_ok(unseen_dataset_open(folder, &skip, &dataset));
        assert_int_equal(us_files_index(dataset)->mapping != NULL, pass);
        assert_int_equal(count_decoded(dataset, US_DECODES), FILES);
        assert_int_equal(count_decoded(dataset, US_DAMAGED), 1);
        assert_int_equal(dataset->split[UNSEEN_TRAIN].n_skipped, 1);
        assert_int_equal(dataset->split[UNSEEN_TRAIN].skipped[FILES], 1);
        memcpy(hash[pass], dataset->hash, sizeof hash[pass]);
        unseen_dataset_close(dataset);
    }
    assert_string_equal(hash[0], hash[1]);
    /* The file is mended. */
    test_jpeg(folder, "train/b/0.jpg", 8, 8, 0x654321, 0);
    age(path, 20);
    assert_ok(unseen_dataset_open(folder, &skip, &dataset));
    assert_null(dataset->split[UNSEEN_TRAIN].skipped);
    assert_string_not_equal(hash[0], dataset->hash);
    unseen_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_is_taken_as_long_as_the_folder_is_as_it_was),
        cmocka_unit_test(a_damaged_index_is_made_again),
        cmocka_unit_test(a_changed_file_is_noticed),
        cmocka_unit_test(times_that_are_set_back_hide_nothing),
        cmocka_unit_test(a_file_that_changes_while_it_is_open_removes_the_index),
        cmocka_unit_test(small_data_are_listed_anew),
        cmocka_unit_test(files_are_decoded_once),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
