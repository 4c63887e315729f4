/* Samples in shards. */
#include "config.h"

#include <string.h>

#include "datasets/list/shards.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

/* Members of a shard: files of a folder of that name, packed in the order of their names. */
static void put_image(const char *shard, const char *key)
{
    char name[64];
    snprintf(name, sizeof name, "%s.jpg", key);
    test_jpeg(test_path(shard), name, 8, 8, 0x102030, 0);
}

static void put_text(const char *shard, const char *name, const char *text)
{
    test_file(test_path(shard), name, text, strlen(text));
}

/* FOLDER/NAME.tar of what was put into NAME, which is emptied. */
static void end_shard(const char *folder, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s.tar", folder, name);
    assert_ok(us_make_folder(test_path(folder)));
    test_archive(test_path(name), test_path(path), "");
    assert_ok(us_remove_folder(test_path(name)));
}

static void put_sample(const char *shard, const char *key, const char *class)
{
    char name[64];
    put_image(shard, key);
    snprintf(name, sizeof name, "%s.cls", key);
    put_text(shard, name, class);
}

static void make_set(const char *folder)
{
    put_sample("train-1", "0002", "2");
    put_text("train-1", "0002.json", "{}");
    put_text("train-1", "0002.txt", "a caption");
    end_shard(folder, "train-1");
    put_sample("train-0", "b/0001", "0\n");
    put_sample("train-0", "a.x/0001", "1");
    put_text("train-0", "readme.txt", "of no sample");
    end_shard(folder, "train-0");
    put_sample("val-0", "0003", "1");
    end_shard(folder, "val-0");
}

static void check_set(const char *name)
{
    struct unseen_dataset *dataset = open_ok(name);
    const struct unseen_images *train = &dataset->split[UNSEEN_TRAIN], *test = &dataset->split[UNSEEN_TEST];
    assert_string_equal(dataset->format, "webdataset");
    assert_int_equal(dataset->classes, 3);
    assert_string_equal(dataset->class_names[2], "class 2");
    assert_int_equal(train->n, 3);
    assert_int_equal(test->n, 1);
    assert_string_equal(train->paths[0], "train-0.tar/a.x/0001.jpg");
    assert_string_equal(train->paths[1], "train-0.tar/b/0001.jpg");
    assert_string_equal(train->paths[2], "train-1.tar/0002.jpg");
    assert_int_equal(train->labels[0], 1);
    assert_int_equal(train->labels[1], 0);
    assert_int_equal(train->labels[2], 2);
    assert_string_equal(test->paths[0], "val-0.tar/0003.jpg");
    unseen_dataset_close(dataset);
}

static void shards_are_found_in_folders_and_by_patterns(void **state)
{
    (void)state;
    make_set("set");
    check_set(test_path("set"));
    check_set(test_path("set/{train-{0..1},val-0}.tar"));
    struct unseen_dataset *dataset = open_ok(test_path("set/train-1.tar"));
    assert_int_equal(dataset->split[UNSEEN_TRAIN].n, 1);
    assert_string_equal(dataset->split[UNSEEN_TRAIN].paths[0], "train-1.tar/0002.jpg");
    unseen_dataset_close(dataset);
    open_bad(test_path("set/train-{0..3}.tar"), "set/train-2.tar is not there; missing of the 4");
    open_bad(test_path("set/val-{0..0}.tar"), "holds val-0.tar, but no shard of a training split");
}

static void classes_have_names_from_a_text(void **state)
{
    (void)state;
    make_set("named");
    put_text("named", "classes.txt", "ant\nbee\ncrane\nunused\n");
    struct unseen_dataset *dataset = open_ok(test_path("named"));
    assert_int_equal(dataset->classes, 4);
    assert_string_equal(dataset->class_names[2], "crane");
    unseen_dataset_close(dataset);
    put_text("named", "classes.txt", "ant\nbee\n");
    open_bad(test_path("named"), "classes.txt: names 2 classes, but a label is 2");
}

static void refuse(const char *folder, const char *part)
{
    end_shard(folder, "train");
    open_bad(test_path(folder), part);
}

static void what_is_no_sample_is_named(void **state)
{
    (void)state;
    put_sample("train", "1", "0");
    put_image("train", "2");
    put_image("train", "3");
    refuse("half", "train.tar/2 has no .cls; samples that lack an image or a class: 2");
    put_sample("train", "1", "0");
    put_text("train", "2.cls", "1");
    refuse("imageless", "train.tar/2 has no image; samples that lack an image or a class: 1");
    put_sample("train", "1", "dog");
    refuse("word", "train.tar/1.cls: 'dog' is no number of a class, 0..65535");
    put_sample("train", "1", "");
    refuse("void", "train.tar/1.cls: '' is no number");
    put_sample("train", "1", "-1");
    refuse("minus", "'-1' is no number");
    put_sample("train", "1", "99999999");
    refuse("many", "'99999999' is no number");
    put_sample("train", "1", "1");
    put_text("train", "1.png", "x");
    refuse("twice", "train.tar/1 has two images");
    put_text("train", "1.txt", "x");
    refuse("nothing", "holds no training sample");
    put_text("empty", "notes.txt", "x");
    char name[2048];
    snprintf(name, sizeof name, "webdataset:%s", test_path("empty"));
    open_bad(name, "holds no .tar file");
}

static void words_of_names_tell_the_split(void **state)
{
    (void)state;
    assert_int_equal(us_shard_split("imagenet1k-train-0001.tar"), US_SHARD_TRAIN);
    assert_int_equal(us_shard_split("train/0001.tar"), US_SHARD_TRAIN);
    assert_int_equal(us_shard_split("Validation_01.tar"), US_SHARD_VAL);
    assert_int_equal(us_shard_split("cars-test.tar"), US_SHARD_TEST);
    assert_int_equal(us_shard_split("trains-01.tar"), US_SHARD_NONE);
    assert_int_equal(us_shard_split("0001.tar"), US_SHARD_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_found_in_folders_and_by_patterns),
        cmocka_unit_test(classes_have_names_from_a_text),
        cmocka_unit_test(what_is_no_sample_is_named),
        cmocka_unit_test(words_of_names_tell_the_split),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
