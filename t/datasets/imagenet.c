/* ImageNet as it is downloaded, of three drawn classes. */
#include "config.h"

#include <string.h>

#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

#define VAL "ILSVRC2012_val_0000000"

static const char *const wnids[] = {"n01440764", "n01443537", "n02119789"};

static void put_text(const char *folder, const char *name, const char *text)
{
    test_file(test_path(folder), name, text, strlen(text));
}

/* FOLDER/WNID_1.JPEG and _2, the red of each telling its class and number. */
static void put_class(const char *folder, int c)
{
    char name[64];
    for (unsigned i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s_%u.JPEG", wnids[c], i + 1);
        test_jpeg(test_path(folder), name, 8, 8 + c, ((unsigned)c * 80 + i * 20) << 16, 0);
    }
}

/* ROOT/ILSVRC2012_img_train.tar: a tar of a tar a class. */
static void make_train_tar(const char *root)
{
    char path[64];
    for (int c = 2; c >= 0; c--) {
        put_class("class", c);
        snprintf(path, sizeof path, "classes/%s.tar", wnids[c]);
        assert_ok(us_make_folder(test_path("classes")));
        test_archive(test_path("class"), test_path(path), "");
        assert_ok(us_remove_folder(test_path("class")));
    }
    snprintf(path, sizeof path, "%s/ILSVRC2012_img_train.tar", root);
    assert_ok(us_make_folder(test_path(root)));
    test_archive(test_path("classes"), test_path(path), "");
    assert_ok(us_remove_folder(test_path("classes")));
}

static void make_train_folders(const char *root)
{
    char path[64];
    for (int c = 0; c < 3; c++) {
        snprintf(path, sizeof path, "%s/train/%s", root, wnids[c]);
        put_class(path, c);
    }
}

/* Four images, whose classes are 2, 0, 2, 1. */
static void make_val(const char *folder)
{
    char name[64];
    for (unsigned i = 1; i <= 4; i++) {
        snprintf(name, sizeof name, VAL "%u.JPEG", i);
        test_jpeg(test_path(folder), name, 8, 8, i * 60 << 16, 0);
    }
}

static void make_val_tar(const char *root)
{
    char path[64];
    make_val("flat");
    snprintf(path, sizeof path, "%s/ILSVRC2012_img_val.tar", root);
    test_archive(test_path("flat"), test_path(path), "");
    assert_ok(us_remove_folder(test_path("flat")));
}

static void check_red(const struct unseen_dataset *dataset, enum unseen_split split, int64_t i, int red)
{
    uint8_t pixels[8 * 8 * 3];
    struct us_scratch *scratch = NULL;
    assert_ok(dataset->reader->scratch_new(dataset, &scratch));
    assert_ok(dataset->reader->read(dataset, scratch, split, i, NULL, 8, 8, pixels));
    dataset->reader->scratch_free(scratch);
    assert_in_range(pixels[0] + 4, red, red + 8);
}

static void check_train(const struct unseen_dataset *dataset)
{
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN];
    assert_string_equal(dataset->format, "imagefolder");
    assert_int_equal(dataset->classes, 3);
    assert_int_equal(train->n, 6);
    assert_string_equal(train->paths[3] + train->class_at, "n01443537/n01443537_2.JPEG");
    for (int64_t i = 0; i < 6; i++) {
        assert_int_equal(train->labels[i], i / 2);
        check_red(dataset, UNSEEN_TRAIN, i, (int)(i / 2 * 80 + i % 2 * 20));
    }
}

/* As torchvision orders them once they are sorted into classes: 2, 4, 1, 3. */
static void check_val(const struct unseen_dataset *dataset)
{
    static const int images[] = {2, 4, 1, 3}, labels[] = {0, 1, 2, 2};
    const struct unseen_images *test = &dataset->split[UNSEEN_TEST];
    assert_int_equal(test->n, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(test->labels[i], labels[i]);
        check_red(dataset, UNSEEN_TEST, i, images[i] * 60);
    }
}

static void check(const char *root)
{
    struct unseen_dataset *dataset = open_ok(test_path(root));
    check_train(dataset);
    check_val(dataset);
    assert_string_equal(dataset->class_names[1], wnids[1]);
    unseen_dataset_close(dataset);
    assert_ok(unseen_dataset_verify(test_path(root), NULL, NULL, NULL, NULL));
}

static const char by_name[] = VAL "1.JPEG 2\n" VAL "2.JPEG 0\n" VAL "3.JPEG 2\n" VAL "4.JPEG 1\n";

static void reads_the_downloaded_archives(void **state)
{
    (void)state;
    make_train_tar("tars");
    make_val_tar("tars");
    put_text("tars", "val.txt", by_name);
    check("tars");
    struct unseen_dataset *dataset = open_ok(test_path("tars/ILSVRC2012_img_train.tar"));
    check_train(dataset);
    assert_int_equal(dataset->split[UNSEEN_TEST].n, 0);
    unseen_dataset_close(dataset);
}

static void reads_what_is_partly_unpacked(void **state)
{
    (void)state;
    make_train_folders("folder");
    make_val_tar("folder");
    put_text("folder", "val.txt", by_name);
    check("folder");
    make_train_tar("folder"); /* the folder goes before the archive */
    check("folder");
    make_train_tar("flat-val");
    make_val("flat-val/val");
    put_text("flat-val/val", "val.txt", by_name);
    check("flat-val");
}

static void labels_come_from_the_devkit_or_kaggle(void **state)
{
    (void)state;
    make_train_folders("devkit");
    make_val("devkit/val");
    put_text("devkit/ILSVRC2012_devkit_t12/data", "ILSVRC2012_validation_ground_truth.txt", "1\n3\n1\n2\n");
    open_bad(test_path("devkit"), "no text tells which they are");
    put_text("devkit", "map_clsloc.txt",
             "n02119789 1 kit_fox\nn01443537 2 goldfish\nn01440764 3 tench\nn9 4 x\n");
    struct unseen_dataset *dataset = open_ok(test_path("devkit"));
    check_val(dataset);
    assert_string_equal(dataset->class_names[0], "n01440764 tench");
    unseen_dataset_close(dataset);

    make_train_folders("kaggle/ILSVRC/Data/CLS-LOC");
    make_val("kaggle/ILSVRC/Data/CLS-LOC/val");
    test_jpeg(test_path("kaggle"), "ILSVRC/Data/CLS-LOC/test/1.JPEG", 8, 8, 0, 0);
    put_text("kaggle/ILSVRC/ImageSets/CLS-LOC", "val.txt", VAL "1 1\n" VAL "2 2\n");
    put_text("kaggle", "LOC_val_solution.csv",
             "ImageId,PredictionString\n" VAL "1,n02119789 1 2 3 4\n" VAL "2,n01440764 1 2 3 4\n" VAL
             "3,n02119789 1 2 3 4\n" VAL "4,n01443537 1 2 3 4\n");
    put_text(
        "kaggle", "LOC_synset_mapping.txt",
        "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\nn02119789 kit fox, Vulpes\n");
    dataset = open_ok(test_path("kaggle"));
    check_val(dataset);
    assert_string_equal(dataset->class_names[2], "n02119789 kit fox");
    unseen_dataset_close(dataset);
}

static void images_without_labels_are_refused(void **state)
{
    (void)state;
    make_train_folders("none");
    make_val("none/val");
    open_bad(test_path("none"), VAL "1.JPEG: val/ holds 4 images, but no class folders");
    assert_non_null(strstr(unseen_last_hint(), "LOC_val_solution.csv"));
    put_text("none", "val.txt", VAL "1.JPEG 2\n");
    open_bad(test_path("none"), "val.txt: has no label for " VAL "2.JPEG, and for 3 images in all");
}

static void compressed_archives_are_refused(void **state)
{
    (void)state;
    make_train_tar("packed");
    test_archive(test_path("packed"), test_path("packed.tar.gz"), "");
    open_bad(test_path("packed.tar.gz"), "ILSVRC2012_img_train.tar is compressed");
    test_archive(test_path("packed"), test_path("plain.tar"), "");
    struct unseen_dataset *dataset = open_ok(test_path("plain.tar"));
    check_train(dataset);
    unseen_dataset_close(dataset);
}

static void damaged_archives_are_named(void **state)
{
    (void)state;
    char path[2048];
    make_train_tar("cut");
    snprintf(path, sizeof path, "%s", test_path("cut/ILSVRC2012_img_train.tar"));
    assert_int_equal(truncate(path, 3000), 0);
    open_bad(test_path("cut"), "ILSVRC2012_img_train.tar: ");
    put_text("cut", "ILSVRC2012_img_train.tar", "<html>not found</html>");
    open_bad(test_path("cut"), "ILSVRC2012_img_train.tar: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_downloaded_archives),
        cmocka_unit_test(reads_what_is_partly_unpacked),
        cmocka_unit_test(labels_come_from_the_devkit_or_kaggle),
        cmocka_unit_test(images_without_labels_are_refused),
        cmocka_unit_test(compressed_archives_are_refused),
        cmocka_unit_test(damaged_archives_are_named),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
