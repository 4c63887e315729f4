#include "config.h"

#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"
#include "unseen/dataset.h"

static char met[4096];

static void note(const struct unseen_defect *defect, void *context)
{
    size_t at = strlen(met);
    assert_ptr_equal(context, met);
    snprintf(met + at, sizeof met - at, "%s|%lld|%s\n", defect->file, (long long)defect->record,
             defect->reason);
}

static void check(const char *name, enum unseen_status status, int64_t want_checked, int64_t want_defects)
{
    struct unseen_dataset_check about = {.checked = -1, .defects = -1};
    met[0] = '\0';
    assert_int_equal(unseen_dataset_verify(name, NULL, note, met, &about), status);
    assert_int_equal(about.checked, want_checked);
    assert_int_equal(about.defects, want_defects);
}

static void good_data_has_no_defects(void **state)
{
    (void)state;
    const char *folder = test_path("good");
    test_cifar(folder, "data_batch_1.bin", 1, 10, 0, 12);
    test_cifar(folder, "test_batch.bin", 1, 10, 0, 5);
    check(folder, UNSEEN_OK, 17, 0);
    check("synth:40,10,8,1", UNSEEN_OK, 50, 0);
    test_jpeg(folder = test_path("tree"), "train/a/1.jpg", 8, 8, 0, 0);
    check(folder, UNSEEN_OK, 1, 0);
    assert_ok(unseen_dataset_verify(folder, NULL, NULL, NULL, NULL));
}

static void every_bad_record_is_named(void **state)
{
    (void)state;
    const char *folder = test_path("records");
    static uint8_t bytes[5 * 3073];
    bytes[0] = 11;
    bytes[3 * 3073] = 255;
    test_file(folder, "data_batch_1.bin", bytes, 4 * 3073 + 9);
    test_file(folder, "data_batch_2.bin", bytes, 0);
    check(folder, UNSEEN_BAD_DATA, 4, 4);
    assert_string_equal(met, "data_batch_1.bin|0|label 11 is out of range 0..9\n"
                             "data_batch_1.bin|3|label 255 is out of range 0..9\n"
                             "data_batch_1.bin|4|truncated: 9 of 3073 bytes\n"
                             "data_batch_2.bin|-1|is empty\n");
}

static void every_bad_image_is_named(void **state)
{
    (void)state;
    const char *folder = test_path("images");
    test_file(folder, "train/a/0.jpg", "\xff\xd8", 2);
    test_jpeg(folder, "train/a/1.jpg", 40, 40, 0, 0);
    test_jpeg(folder, "train/a/2.jpg", 8, 9, 0, 0);
    test_file(folder, "train/b/3.jpg", "", 0);
    test_jpeg(folder, "train/b/4.jpg", 40, 40, 0, 0);
    check(folder, UNSEEN_BAD_DATA, 5, 2);
    assert_non_null(strstr(met, "train/a/0.jpg|-1|"));
    assert_non_null(strstr(met, "train/b/3.jpg|-1|is empty\n"));
}

/* Its header is good, its end is missing. */
static void a_cut_image_is_a_defect(void **state)
{
    (void)state;
    const char *folder = test_path("cut");
    char path[2048];
    test_jpeg(folder, "train/a/0.jpg", 8, 8, 0x123456, 0);
    snprintf(path, sizeof path, "%s/train/a/0.jpg", folder);
    assert_int_equal(truncate(path, 630), 0);
    test_jpeg(folder, "train/a/1.jpg", 100, 100, 0x123456, 0);
    check(folder, UNSEEN_BAD_DATA, 2, 1);
}

static void what_ends_the_reading_is_a_defect(void **state)
{
    (void)state;
    const char *folder = test_path("files"), *archive = test_path("files.tar");
    check(test_path("nowhere"), UNSEEN_BAD_DATA, 0, 1);
    test_cifar(folder, "data_batch_1.bin", 1, 10, 0, 12);
    test_archive(folder, archive, "");
    assert_int_equal(truncate(archive, 20000), 0);
    check(archive, UNSEEN_BAD_DATA, 0, 1);
    check("nonsense:x", UNSEEN_USAGE, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_data_has_no_defects),          cmocka_unit_test(every_bad_record_is_named),
        cmocka_unit_test(every_bad_image_is_named),          cmocka_unit_test(a_cut_image_is_a_defect),
        cmocka_unit_test(what_ends_the_reading_is_a_defect),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
