/* Labels that are given apart from the dataset. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

/* Five samples of three classes, in this order: train/a/1.jpg, train/a/2.jpg, train/b/1.jpg, train/c/1.jpg,
 * train/c/2.jpg; a/2 is a copy of a/1. One test sample. */
enum { N = 5 };
static const int32_t own[N] = {0, 0, 1, 2, 2};

static char images[600];

static int make_folder(void **state)
{
    static const char *const names[] = {"train/a/1", "train/a/2", "train/b/1",
                                        "train/c/1", "train/c/2", "test/b/1"};
    char name[64];
    if (test_folder_make(state))
        return -1;
    snprintf(images, sizeof images, "%s/images", test_folder);
    for (unsigned i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%s.jpg", names[i]);
        test_jpeg(images, name, 8, 8, i == 1 ? 0x203040 : 0x203040 * (i + 1), 0);
    }
    return 0;
}

static const char *write_text(const char *name, const char *text)
{
    test_file(test_folder, name, text, strlen(text));
    return test_path(name);
}

static struct unseen_dataset *open_with(const char *labels, const char *true_labels)
{
    struct unseen_dataset *data = NULL;
    const struct unseen_dataset_options options = {.labels = labels, .true_labels = true_labels};
    assert_ok(unseen_dataset_open(images, &options, &data));
    return data;
}

static void check_text(const char *text, const int32_t *want)
{
    struct unseen_dataset *data = open_with(write_text("labels.csv", text), NULL);
    assert_memory_equal(data->split[UNSEEN_TRAIN].labels, want, N * sizeof *want);
    unseen_dataset_close(data);
}

static void assert_refused(const char *file, const char *part, const char *hint)
{
    struct unseen_dataset *data = NULL;
    const struct unseen_dataset_options given = {.labels = file}, right = {.true_labels = file};
    assert_fails(UNSEEN_BAD_DATA, part, unseen_dataset_open(images, &given, &data));
    assert_null(data);
    if (!strstr(unseen_last_hint(), hint))
        fail_msg("hint: %s", unseen_last_hint());
    assert_fails(UNSEEN_BAD_DATA, part, unseen_dataset_open(images, &right, &data));
}

static void refuse_text(const char *text, const char *part, const char *hint)
{
    assert_refused(write_text("labels.csv", text), part, hint);
}

static void arrays_of_any_integers(void **state)
{
    (void)state;
    static const int64_t wide[N] = {2, 1, 0, 2, 2};
    static const uint8_t narrow[N] = {2, 1, 0, 2, 2};
    static const int32_t want[N] = {2, 1, 0, 2, 2};
    const int64_t n = N;
    for (int bytes = 0; bytes < 2; bytes++) {
        assert_ok(us_npy_write(test_path("l.npy"), bytes ? US_U8 : US_I64, 1, &n,
                               bytes ? (const void *)narrow : wide));
        struct unseen_dataset *data = open_with(test_path("l.npy"), NULL);
        assert_memory_equal(data->split[UNSEEN_TRAIN].labels, want, sizeof want);
        assert_int_equal(data->split[UNSEEN_TEST].labels[0], 1);
        assert_int_equal(data->relabelled, 3);
        assert_string_equal(data->options.labels, test_path("l.npy"));
        assert_null(data->split[UNSEEN_TRAIN].true_labels);
        unseen_dataset_close(data);
    }
}

static void tables_by_index_by_path_and_in_order(void **state)
{
    (void)state;
    static const int32_t want[N] = {2, 1, 0, 2, 1};
    check_text("index,label\n4,1\n0,2\n1,1\n2,0\n3,2\n", want);
    check_text("label,sample\n1,4\n2,0\n1,1\n0,2\n2,3\n", want);
    check_text(",label\n0,c\n1,b\n2,a\n3,c\n4,b\n", want);
    check_text("path,label\na/2.jpg,b\ntrain/a/1.jpg,c\nb/1.jpg,0\ntrain/c/1.jpg,2.0\n4,b\n", want);
    check_text("a/1.jpg;2\na/2.jpg;1\nb/1.jpg;0\nc/1.jpg;2\nc/2.jpg;1\n", want);
    check_text("\xEF\xBB\xBF"
               "0\tc\r\n1\tb\r\n2\ta\r\n3\tc\r\n4\tb\r\n",
               want);
    check_text("label\nc\nb\na\nc\nb\n", want);
    check_text("2\n1\n0\n2\n1\n", want);
    /* As dataset info --list has them. */
    check_text("split,index,label,class,path\ntrain,0,2,a,x\ntrain,1,1,b,\ntrain,2,0,c,\ntrain,3,2,c,\n"
               "train,4,1,c,\ntest,0,1,b,test/b/1.jpg\n",
               want);
}

static void what_the_data_are_follows_the_labels(void **state)
{
    (void)state;
    struct unseen_dataset *plain = open_with(NULL, NULL);
    struct unseen_dataset *same = open_with(write_text("own.csv", "0\n0\n1\n2\n2\n"), NULL);
    struct unseen_dataset *other = open_with(write_text("other.csv", "0\n2\n1\n2\n2\n"), NULL);
    struct unseen_dataset *again = open_with(write_text("again.csv", "label\na\nc\nb\nc\nc\n"), NULL);
    assert_string_equal(same->hash, plain->hash);
    assert_int_equal(same->relabelled, 0);
    assert_string_not_equal(other->hash, plain->hash);
    assert_string_equal(other->hash, again->hash);
    assert_int_equal(plain->duplicates.same_label, 1);
    assert_int_equal(other->duplicates.same_label, 0);
    assert_int_equal(other->duplicates.other_label, 1);
    unseen_dataset_close(plain);
    unseen_dataset_close(same);
    unseen_dataset_close(other);
    unseen_dataset_close(again);
}

static void true_labels_change_nothing_else(void **state)
{
    (void)state;
    struct unseen_dataset *plain = open_with(NULL, NULL);
    struct unseen_dataset *data =
        open_with(NULL, write_text("truth.csv", "index,label,true_label,kind\n0,0,1,x\n1,0,0,x\n2,1,1,x\n"
                                                "3,2,2,x\n4,2,2,x\n"));
    static const int32_t right[N] = {1, 0, 1, 2, 2};
    assert_memory_equal(data->split[UNSEEN_TRAIN].labels, own, sizeof own);
    assert_memory_equal(data->split[UNSEEN_TRAIN].true_labels, right, sizeof right);
    assert_string_equal(data->hash, plain->hash);
    unseen_dataset_close(plain);
    unseen_dataset_close(data);
    /* The same file as given labels: the column of that name. */
    data = open_with(test_path("truth.csv"), NULL);
    assert_int_equal(data->relabelled, 0);
    unseen_dataset_close(data);
}

static void refuses_arrays(void **state)
{
    (void)state;
    static const int64_t labels[2 * N] = {0, 1, 2, 3, -1};
    static const float reals[N] = {0};
    const char *path = test_path("l.npy");
    assert_ok(us_npy_write(path, US_I64, 1, (int64_t[]){3}, labels));
    assert_refused(path, "has 3 labels; ", "in the dataset's order");
    assert_ok(us_npy_write(path, US_I64, 1, (int64_t[]){N}, labels));
    assert_refused(path, "label 3 of sample 3 is not in 0..2", "3 classes");
    assert_ok(us_npy_write(path, US_I64, 1, (int64_t[]){N}, labels + 4));
    assert_refused(path, "label -1 of sample 0", "3 classes");
    assert_ok(us_npy_write(path, US_F32, 1, (int64_t[]){N}, reals));
    assert_refused(path, "holds float32 instead of integers", "astype");
    assert_ok(us_npy_write(path, US_I64, 2, (int64_t[]){N, 2}, labels));
    assert_refused(path, "has 2 dimensions instead of 1", "integers [N]");
    test_shorten(test_folder, "l.npy");
    assert_refused(path, "l.npy: ", "integers [N]");
    assert_refused(test_path("nowhere.npy"), "nowhere.npy: No such file", "integers [N]");
    assert_refused(test_folder, ": is a folder", "integers [N]");
}

static void refuses_tables(void **state)
{
    (void)state;
    refuse_text("index,label\n0,1\n", "has 1 labels; ", "in the dataset's order");
    refuse_text("", "has 0 labels; ", "in the dataset's order");
    refuse_text("index,label\n0,1\n5,1\n", "line 3: '5' is no training sample of ", "0..4");
    refuse_text("index,label\n0,1\n-1,1\n", "line 3: '-1' is no", "0..4");
    refuse_text("path,label\na/9.jpg,1\n", "line 2: 'a/9.jpg' is no",
                "as unseen dataset info --list prints it");
    refuse_text("index,label\n0,1\n0,2\n", "line 3: sample 0 has a label already", "index,label");
    refuse_text("index,label\n0,dog\n", "line 2: label 'dog' is no class of ",
                "0..2, or names, such as \"a\"");
    refuse_text("index,label\n0,3\n", "line 2: label '3' is no class of ", "0..2");
    refuse_text("index,label\n0,1.5\n", "line 2: label '1.5'", "0..2");
    refuse_text("index,label\n0,\n", "line 2: has no label", "index,label");
    refuse_text("index,label\n,1\n", "line 2: names no sample", "index,label");
    refuse_text("id,label\n1,1\n", "line 1: no column is called index or path", "labels alone");
    refuse_text("0\n1\n0\n1\n0\n1\n", "line 6: ", "index,label");
    test_file(test_folder, "l.csv", "0\0\n\0", 4);
    assert_refused(test_path("l.csv"), "zero byte", "UTF-8");
}

/* The folders 0, 1, 10 and 2 are classes 0 to 3. */
static void refuses_numbers_that_are_names_of_others(void **state)
{
    (void)state;
    static const char *const folders[] = {"0", "1", "10", "2"};
    struct unseen_dataset *data = NULL;
    char name[64];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "train/%s/x.jpg", folders[i]);
        test_jpeg(test_path("digits"), name, 8, 8, 0x203040 * (i + 1), 0);
    }
    char *folder = us_format("%s", test_path("digits"));
    const char *file = write_text("l.csv", "0\n1\n10\n0\n");
    struct unseen_dataset_options options = {.labels = file};
    assert_ok(unseen_dataset_open(folder, &options, &data));
    assert_int_equal(data->split[UNSEEN_TRAIN].labels[2], 2);
    unseen_dataset_close(data);
    options.labels = write_text("l.csv", "0\n1\n2\n0\n");
    assert_fails(UNSEEN_BAD_DATA, "line 3: label 2 is the name of class 3, and the number of another",
                 unseen_dataset_open(folder, &options, &data));
    assert_non_null(strstr(unseen_last_hint(), ".npy"));
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_any_integers),
        cmocka_unit_test(tables_by_index_by_path_and_in_order),
        cmocka_unit_test(what_the_data_are_follows_the_labels),
        cmocka_unit_test(true_labels_change_nothing_else),
        cmocka_unit_test(refuses_arrays),
        cmocka_unit_test(refuses_tables),
        cmocka_unit_test(refuses_numbers_that_are_names_of_others),
    };
    return RUN_TESTS(tests, make_folder, test_folder_remove);
}
