/* Labels of images that lie side by side, and what their classes are called. */
#include "config.h"

#include "datasets/folder/label_list.h"

#include <string.h>

#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"

static const char *const classes[] = {"n01440764", "n01443537", "n02119789"};
static const char *const images[] = {"ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG",
                                     "ILSVRC2012_val_00000003.JPEG"};
#define A "ILSVRC2012_val_00000001"
#define B "ILSVRC2012_val_00000002"
#define C "ILSVRC2012_val_00000003"

static const char *write_text(const char *name, const char *text)
{
    test_file(test_folder, name, text, strlen(text));
    return test_path(name);
}

/* `map`: the text of classes with the devkit's numbers; NULL: there is none. */
static enum unseen_status read_labels(const char *name, const char *text, const char *map, int32_t labels[3])
{
    struct us_synsets synsets = {0};
    if (map)
        assert_ok(us_synsets_read(write_text("map.txt", map), &synsets));
    const struct us_label_list list = {write_text(name, text), classes, 3, map ? &synsets : NULL};
    enum unseen_status st = us_label_list_read(&list, images, 3, labels);
    us_synsets_free(&synsets);
    return st;
}

static void check(const char *name, const char *text, const char *map, int a, int b, int c)
{
    int32_t labels[3];
    assert_ok(read_labels(name, text, map, labels));
    assert_int_equal(labels[0], a);
    assert_int_equal(labels[1], b);
    assert_int_equal(labels[2], c);
}

static void refuse(const char *name, const char *text, const char *map, const char *part)
{
    int32_t labels[3];
    assert_fails(UNSEEN_BAD_DATA, part, read_labels(name, text, map, labels));
}

static void reads_a_file_and_its_class(void **state)
{
    (void)state;
    check("val.txt", B ".JPEG 2\n" A ".JPEG 0\n" C ".JPEG 1\n", NULL, 0, 2, 1);
    check("val.txt", "val/" B ".JPEG\tn02119789\r\n" A " n01440764\r\n" C ".JPEG n01440764 \r\n", NULL, 0, 2,
          0);
    check("val.txt", A " 1\n" B " 1\n" C " 1\nILSVRC2012_val_00000004.JPEG 7\n", NULL, 1, 1, 1);
    refuse("val.txt", A " 1\n" B " 3\n", NULL, "val.txt: line 2: class 3 is not in 0..2");
    refuse("val.txt", A " n00000000\n", NULL, "line 1: 'n00000000' is no class of the training split");
    refuse("val.txt", A " 1\n" B " 1\n", NULL, "has no label for " C ".JPEG, and for 1 images in all");
    refuse("val.txt", A " 1\n" A ".JPEG 1\n", NULL, "line 2: " A ".JPEG is there twice");
    refuse("val.txt", "1\n2\n", NULL, "line 1: '1' is not a file and its class");
    refuse("val.txt", "", NULL, "has no label for " A ".JPEG, and for 3 images in all");
}

static void reads_the_solution_of_kaggle(void **state)
{
    (void)state;
    check("LOC_val_solution.csv",
          "ImageId,PredictionString\n" C ",n01440764 85 1 499 272 \n" A
          ",n02119789 111 108 365 294 n02119789 1 2 3 4\n" B ",n01443537\n",
          NULL, 2, 1, 0);
    refuse("LOC_val_solution.csv", "ImageId,PredictionString\n" A ",n0 1 2 3 4\n", NULL,
           "line 2: 'n0' is no class");
    refuse("LOC_val_solution.csv", A "\n", NULL, "line 1: is not an image and its class");
}

/* The devkit counts the classes from 1 on, in an order of its own. */
static void reads_the_numbers_of_the_devkit(void **state)
{
    (void)state;
    const char *name = "ILSVRC2012_validation_ground_truth.txt";
    check(name, "1\n3\n2\n", "n02119789 1 kit_fox\nn01440764 2 tench\nn01443537 3 goldfish\n", 2, 1, 0);
    check(name, "1\r\n1\r\n2\r\n", "1\tn02119789\tkit fox\tmore\n2\tn01440764\ttench\tmore\n", 2, 2, 0);
    refuse(name, "1\n1\n1\n", NULL, "no text tells which they are");
    assert_non_null(strstr(unseen_last_hint(), "meta.mat is not read"));
    refuse(name, "1\n1\n1\n", "n02119789 kit fox\n", "no text tells which they are");
    refuse(name, "1\n2\n1\n", "n02119789 1 kit_fox\n", "line 2: '2' is no number of a class");
    refuse(name, "1\n1\n", "n02119789 1 kit_fox\n", "has 2 lines, but there are 3 images");
    refuse(name, "1\n1\n1\n1\n", "n02119789 1 kit_fox\n", "has 4 lines, but there are 3 images");
    refuse(name, "1\n1\n2\n", "n02119789 1 kit_fox\nn00000000 2 x\n", "'n00000000' is no class");
}

static void reads_what_classes_are_called(void **state)
{
    (void)state;
    struct us_synsets synsets = {0};
    assert_ok(
        us_synsets_read(write_text("LOC_synset_mapping.txt",
                                   "n01443537 goldfish, Carassius auratus\r\nn01440764 tench, Tinca tinca\r\n"
                                   "n00000000\r\n"),
                        &synsets));
    assert_int_equal(synsets.n, 3);
    assert_false(synsets.ids);
    assert_string_equal(us_synset_find(&synsets, "n01440764")->words, "tench, Tinca tinca");
    assert_string_equal(us_synset_find(&synsets, "n01443537")->words, "goldfish, Carassius auratus");
    assert_string_equal(us_synset_find(&synsets, "n00000000")->words, "");
    assert_null(us_synset_find(&synsets, "n0144076"));
    us_synsets_free(&synsets);
    assert_null(us_synset_find(&synsets, "n01440764"));
    assert_fails(UNSEEN_BAD_DATA, "class n1 is there twice",
                 us_synsets_read(write_text("twice.txt", "n1 a\nn2 b\nn1 c\n"), &synsets));
    us_synsets_free(&synsets);
    assert_fails(UNSEEN_BAD_DATA, "is empty", us_synsets_read(write_text("twice.txt", "\n"), &synsets));
    us_synsets_free(&synsets);
    assert_fails(UNSEEN_BAD_DATA, "line 2: '2' is no name of a class",
                 us_synsets_read(write_text("twice.txt", "n1 1\n1 2 x\n"), &synsets));
    us_synsets_free(&synsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file_and_its_class),
        cmocka_unit_test(reads_the_solution_of_kaggle),
        cmocka_unit_test(reads_the_numbers_of_the_devkit),
        cmocka_unit_test(reads_what_classes_are_called),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
