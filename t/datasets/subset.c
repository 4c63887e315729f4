/* Reading which samples to keep, from arrays and from texts. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

/* Five samples: train/a/1.jpg, train/a/2.jpg, train/b/1.jpg, train/train/1.jpg, train/train/7.jpg. */
static struct unseen_dataset *open_folder(void)
{
    const char *names[] = {"a/1", "a/2", "b/1", "train/1", "train/7"};
    char name[64];
    for (unsigned i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "train/%s.jpg", names[i]);
        test_jpeg(test_path("images"), name, 8, 8, 0x203040 * (i + 1), 0);
    }
    return open_ok(test_path("images"));
}

static const char *write_text(const char *text)
{
    test_file(test_folder, "keep.txt", text, strlen(text));
    return test_path("keep.txt");
}

/* `path` keeps exactly want[0..m). */
static void check_keeps(const struct unseen_dataset *data, const char *path, const int64_t *want, int64_t m)
{
    int64_t *keep = NULL, n = 0;
    assert_ok(unseen_dataset_subset(data, path, &keep, &n));
    assert_int_equal(n, m);
    assert_memory_equal(keep, want, (size_t)m * sizeof *want);
    free(keep);
}

static void check_text(const struct unseen_dataset *data, const char *text, const int64_t *want, int64_t m)
{
    check_keeps(data, write_text(text), want, m);
}

static void check_refused(const struct unseen_dataset *data, const char *text, const char *part)
{
    int64_t *keep = NULL, n = 0;
    assert_fails(UNSEEN_BAD_DATA, part, unseen_dataset_subset(data, write_text(text), &keep, &n));
    assert_null(keep);
}

static void takes_paths_in_any_order(void **state)
{
    (void)state;
    struct unseen_dataset *data = open_folder();
    const int64_t want[] = {0, 2, 4};
    check_text(data, "train/train/7.jpg\ntrain/a/1.jpg\ntrain/b/1.jpg\n", want, 3);
    check_text(data, "train/7.jpg\na/1.jpg\nb/1.jpg", want, 3);
    check_text(data, "./train/train/7.jpg\n./a/1.jpg\n2\n", want, 3);
    check_text(data,
               "\xEF\xBB\xBF"
               "train/a/1.jpg\r\n\r\nb/1.jpg\r\n \t\r\ntrain/7.jpg",
               want, 3);
    check_text(data, "\n\n4\n0\n2\n4\na/1.jpg\n", want, 3);
    unseen_dataset_close(data);
}

static void names_the_line_that_is_no_sample(void **state)
{
    (void)state;
    struct unseen_dataset *data = open_folder();
    check_refused(data, "train/a/1.jpg\n\ntrain/a/3.jpg\n", "keep.txt: line 3: 'train/a/3.jpg' is no");
    assert_non_null(strstr(unseen_last_hint(), "train/a/1.jpg, or an index, 0..4"));
    check_refused(data, "0\n5\n", "line 2: '5'");
    check_refused(data, "-1\n", "line 1: '-1'");
    check_refused(data, "99999999999999999999\n", "line 1: '99999999999999999999'");
    check_refused(data, "1.jpg\n", "line 1: '1.jpg'");
    check_refused(data, "", "names no sample");
    check_refused(data, "\r\n \n", "names no sample");
    test_file(test_folder, "keep.txt", "0\0\n\0", 4); /* as UTF-16 has it */
    int64_t *keep = NULL, n = 0;
    assert_fails(UNSEEN_BAD_DATA, "zero byte", unseen_dataset_subset(data, test_path("keep.txt"), &keep, &n));
    unseen_dataset_close(data);
}

static void arrays_are_known_by_name_or_content(void **state)
{
    (void)state;
    struct unseen_dataset *data = open_folder();
    const int64_t want[] = {1, 3}, m = 2;
    int64_t *keep = NULL, n = 0;
    assert_ok(us_npy_write(test_path("keep.npy"), US_I64, 1, &m, want));
    assert_ok(us_npy_write(test_path("array"), US_I64, 1, &m, want));
    check_keeps(data, test_path("keep.npy"), want, 2);
    check_keeps(data, test_path("array"), want, 2);
    test_file(test_folder, "damaged.npy", "0\n1\n", 4);
    assert_int_equal(unseen_dataset_subset(data, test_path("damaged.npy"), &keep, &n), UNSEEN_BAD_DATA);
    assert_fails(UNSEEN_BAD_DATA, "missing.txt: No such file",
                 unseen_dataset_subset(data, test_path("missing.txt"), &keep, &n));
    unseen_dataset_close(data);
}

static void names_the_entry_that_is_no_sample(void **state)
{
    (void)state;
    static const struct {
        int64_t keep[2], n;
        const char *what;
    } cases[] = {{{1, 5}, 2, "keep.npy: entry 1, 5, is not in 0..4, the training samples of"},
                 {{-1, 2}, 2, "entry 0, -1, is not in 0..4"},
                 {{3, 1}, 2, "entry 1, 1, follows 3"},
                 {{3, 3}, 2, "entry 1, 3, follows 3"},
                 {{0}, 0, "names no sample"}};
    struct unseen_dataset *data = open_folder();
    const char *path = test_path("keep.npy");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t *keep = NULL, n = 0;
        assert_ok(us_npy_write(path, US_I64, 1, &cases[i].n, cases[i].keep));
        assert_fails(UNSEEN_BAD_DATA, cases[i].what, unseen_dataset_subset(data, path, &keep, &n));
        assert_null(keep);
    }
    unseen_dataset_close(data);
}

static void without_paths_lines_are_indices(void **state)
{
    (void)state;
    test_cifar(test_path("ten"), "data_batch_1.bin", 1, 10, 0, 23);
    struct unseen_dataset *data = open_ok(test_path("ten"));
    const int64_t want[] = {3, 22};
    check_text(data, "22\n3\n", want, 2);
    check_refused(data, "3\ntrain/a/1.jpg\n", "line 2: 'train/a/1.jpg'");
    assert_non_null(strstr(unseen_last_hint(), "no paths"));
    unseen_dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_paths_in_any_order),
        cmocka_unit_test(names_the_line_that_is_no_sample),
        cmocka_unit_test(arrays_are_known_by_name_or_content),
        cmocka_unit_test(names_the_entry_that_is_no_sample),
        cmocka_unit_test(without_paths_lines_are_indices),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
