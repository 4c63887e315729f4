#include "config.h"

#include <string.h>
#include <unistd.h>

#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

static char met[4096];

static void note(const struct unseen_defect *defect, void *context)
{
    (void)context;
    assert_true(defect->harmless);
    size_t at = strlen(met);
    snprintf(met + at, sizeof met - at, "%s|%lld|%s\n", defect->file, (long long)defect->record,
             defect->reason);
}

/* Of both the opened and the verified dataset. */
static void check(const char *name, int same, int other, int test, const char *told)
{
    struct unseen_dataset *dataset = open_ok(name);
    struct unseen_dataset_check about;
    met[0] = '\0';
    assert_ok(unseen_dataset_verify(name, NULL, note, NULL, &about));
    assert_string_equal(met, told);
    assert_memory_equal(&about.duplicates, &dataset->duplicates, sizeof about.duplicates);
    assert_int_equal(dataset->duplicates.same_label, same);
    assert_int_equal(dataset->duplicates.other_label, other);
    assert_int_equal(dataset->duplicates.test, test);
    assert_true((same + other > 0) == (dataset->split[UNSEEN_TRAIN].duplicate_of != NULL));
    assert_true((test > 0) == (dataset->split[UNSEEN_TEST].duplicate_of != NULL));
    unseen_dataset_close(dataset);
}

static void files_are_compared_by_their_bytes(void **state)
{
    (void)state;
    const char *folder = test_path("files");
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 1, 0);
    test_jpeg(folder, "train/b/2.jpg", 8, 8, 0xff0000, 0);
    test_jpeg(folder, "val/a/3.jpg", 8, 8, 0xffff00, 0);
    check(folder, 0, 0, 0, "");
    test_jpeg(folder, "train/a/copy.jpg", 8, 8, 1, 0);
    test_jpeg(folder, "train/b/1.jpg", 8, 8, 1, 0);
    test_jpeg(folder, "val/b/1.jpg", 8, 8, 1, 0);
    test_jpeg(folder, "val/b/2.jpg", 8, 8, 0xff0000, 0);
    test_jpeg(folder, "val/b/3.jpg", 8, 8, 0xffff00, 0);
    const char *told = "train/a/copy.jpg|-1|is the same as train/a/1.jpg\n"
                       "train/b/1.jpg|-1|is the same as train/a/1.jpg, which is labelled a\n"
                       "val/b/1.jpg|-1|is the same as train/a/1.jpg, which is labelled a\n"
                       "val/b/2.jpg|-1|is the same as train/b/2.jpg\n";
    check(folder, 1, 1, 2, told);
    test_archive(folder, test_path("files.tar"), "");
    check(test_path("files.tar"), 1, 1, 2, told);
    struct unseen_dataset *dataset = open_ok(folder);
    static const int64_t train[] = {0, 0, 0, 3}, test[] = {-1, 0, 3, -1};
    assert_memory_equal(dataset->split[UNSEEN_TRAIN].duplicate_of, train, sizeof train);
    assert_memory_equal(dataset->split[UNSEEN_TEST].duplicate_of, test, sizeof test);
    unseen_dataset_close(dataset);
}

static void records_are_compared_by_their_pixels(void **state)
{
    (void)state;
    static uint8_t records[4 * 3073];
    const char *folder = test_path("records");
    records[3072] = 1;
    records[1 * 3073 + 3072] = 2;
    records[2 * 3073] = 7;
    records[2 * 3073 + 3072] = 1;
    records[3 * 3073 + 3072] = 2;
    test_file(folder, "data_batch_1.bin", records, sizeof records);
    test_file(folder, "test_batch.bin", records, 3073);
    check(folder, 1, 1, 1,
          "train|2|is the same as record 0 of train, which is labelled airplane\n"
          "train|3|is the same as record 1 of train\n"
          "test|0|is the same as record 0 of train\n");
    check("synth:200,10,16,1", 0, 0, 0, "");
}

/* What cannot be read is the same as nothing. */
static void unreadable_files_are_no_duplicates(void **state)
{
    (void)state;
    const char *folder = test_path("bad");
    struct unseen_dataset_check about;
    test_jpeg(folder, "train/a/1.jpg", 8, 8, 1, 0);
    test_file(folder, "train/a/2.jpg", "", 0);
    test_file(folder, "train/a/3.jpg", "", 0);
    assert_int_equal(unseen_dataset_verify(folder, NULL, NULL, NULL, &about), UNSEEN_BAD_DATA);
    assert_int_equal(about.defects, 2);
    assert_int_equal(about.duplicates.same_label, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_compared_by_their_bytes),
        cmocka_unit_test(records_are_compared_by_their_pixels),
        cmocka_unit_test(unreadable_files_are_no_duplicates),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
