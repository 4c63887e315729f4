#include "config.h"

#include "datasets/folder/tree.h"

#include <string.h>
#include <sys/stat.h>

#include "support/cmocka.h"
#include "support/files.h"
#include "support/folder.h"

/* A folder of empty files; a name that ends with '/' is an empty folder. */
static const char *make(const char *name, const char *const *files)
{
    const char *folder = test_path(name);
    char path[2048];
    for (size_t i = 0; files[i]; i++) {
        if (files[i][strlen(files[i]) - 1] == '/') {
            snprintf(path, sizeof path, "%s/%s", folder, files[i]);
            assert_ok(us_make_folder(path));
        } else {
            test_file(folder, files[i], "", 0);
        }
    }
    return folder;
}

/* "CLASS CLASS | sample:label ... | sample:label ...", the test split last. */
static void describe(const char *location, char *text, size_t size)
{
    struct us_tree tree = {0};
    size_t at = 0;
    assert_ok(us_tree_read(location, NULL, &tree));
    for (int c = 0; c < tree.n_classes; c++)
        at += (size_t)snprintf(text + at, size - at, "%s ", tree.classes[c]);
    for (int64_t i = 0; i < tree.n[0] + tree.n[1]; i++) {
        const struct us_picture *p = &tree.pictures[i];
        bool test = i >= tree.n[UNSEEN_TRAIN];
        assert_int_equal(p->split, test ? UNSEEN_TEST : UNSEEN_TRAIN);
        at += (size_t)snprintf(text + at, size - at, "%s%s:%d ",
                               i == 0 || i == tree.n[UNSEEN_TRAIN] ? "| " : "", p->path + p->class_at,
                               p->label);
    }
    us_tree_free(&tree);
}

/* A folder and its archive are the same dataset. */
static void check(const char *const *files, const char *expected)
{
    static int number;
    char text[1024], name[32];
    snprintf(name, sizeof name, "tree%d", number++);
    const char *folder = make(name, files);
    describe(folder, text, sizeof text);
    assert_string_equal(text, expected);
    snprintf(name, sizeof name, "tree%d.tar", number);
    const char *archive = test_path(name);
    test_archive(folder, archive, "deep/");
    describe(archive, text, sizeof text);
    assert_string_equal(text, expected);
}

static void refuse(const char *const *files, const char *part, const char *hint)
{
    static int number;
    char name[32];
    struct us_tree tree = {0};
    snprintf(name, sizeof name, "bad%d", number++);
    const char *folder = make(name, files);
    assert_fails(UNSEEN_BAD_DATA, part, us_tree_read(folder, NULL, &tree));
    assert_non_null(strstr(unseen_last_hint(), hint));
    us_tree_free(&tree);
}

/* As torchvision's ImageFolder orders them, its extensions in any case, sub-folders of a class included. */
static void order_is_torchvisions(void **state)
{
    (void)state;
    check((const char *const[]){"train/c2/a.jpg", "train/c10/b.JPEG", "train/c10/a.Png", "train/c1/x.jpeg",
                                "train/c1-b/x.bmp", "val/c2/v.jpg", NULL},
          "c1 c1-b c10 c2 | c1/x.jpeg:0 c1-b/x.bmp:1 c10/a.Png:2 c10/b.JPEG:2 c2/a.jpg:3 | c2/v.jpg:3 ");
    check((const char *const[]){"train/a/3.jpg", "train/a/aa/9.jpg", "train/a/x/1.jpg", "train/a/x-y/0.jpg",
                                "train/a/x/z/2.jpg", "train/a/0.jpg", "train/b/train/7.jpg", NULL},
          "a b | a/0.jpg:0 a/3.jpg:0 a/aa/9.jpg:0 a/x/1.jpg:0 a/x-y/0.jpg:0 a/x/z/2.jpg:0 b/train/7.jpg:1 ");
}

static void what_is_no_sample_does_not_count(void **state)
{
    (void)state;
    check((const char *const[]){"train/.ipynb_checkpoints/1.jpg", "train/a/1.jpg", "train/b/._1.jpg",
                                "train/b/1.jpg", "train/b/Thumbs.db", "train/.DS_Store", "train/a/notes.txt",
                                "train/stray.jpg", "other/x.jpg", "val/a/.AppleDouble/1.jpg", "val/a/1.jpg",
                                NULL},
          "a b | a/1.jpg:0 b/1.jpg:1 | a/1.jpg:0 ");
}

/* A class without a training sample keeps its number, and a test split that lacks a class shifts none. */
static void empty_classes_keep_their_numbers(void **state)
{
    (void)state;
    check((const char *const[]){"train/a/1.jpg", "train/b/", "train/c/1.jpg", "val/a/1.jpg", "val/c/1.jpg",
                                NULL},
          "a b c | a/1.jpg:0 c/1.jpg:2 | a/1.jpg:0 c/1.jpg:2 ");
    check((const char *const[]){"train/a/1.jpg", "train/b/2.jpg", "train/c/1.jpg", "val/b/", "val/c/1.jpg",
                                NULL},
          "a b c | a/1.jpg:0 b/2.jpg:1 c/1.jpg:2 | c/1.jpg:2 ");
}

static void classes_without_a_train_folder_are_a_training_split(void **state)
{
    (void)state;
    check((const char *const[]){"a/1.jpg", "b/x/1.jpg", "b/2.png", NULL},
          "a b | a/1.jpg:0 b/2.png:1 b/x/1.jpg:1 ");
    check((const char *const[]){"car/1.jpg", "train/1.jpg", NULL}, "car train | car/1.jpg:0 train/1.jpg:1 ");
    check((const char *const[]){"only/1.jpg", NULL}, "only | only/1.jpg:0 ");
}

static void unclear_trees_are_refused(void **state)
{
    (void)state;
    refuse((const char *const[]){"1.jpg", "2.jpg", NULL}, "holds 2 images side by side", "CLASS/NAME.jpg");
    refuse((const char *const[]){"readme.txt", NULL}, "holds no image file", "looked for");
    refuse((const char *const[]){"val/a/1.jpg", NULL}, "but no image in train/CLASS/", "looked for");
    refuse((const char *const[]){"train/a/1.jpg", "val/1.JPEG", "val/2.JPEG", NULL},
           "val/1.JPEG: val/ holds 2 images, but no class folders", "valprep");
    refuse((const char *const[]){"train/a/1.jpg", "val/d/1.jpg", NULL}, "class d of val/ is not in train/",
           "make the empty folder train/d");
    refuse((const char *const[]){"x/train/a/1.jpg", "y/train/a/1.jpg", NULL}, "lie in two train folders", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_torchvisions),
        cmocka_unit_test(what_is_no_sample_does_not_count),
        cmocka_unit_test(empty_classes_keep_their_numbers),
        cmocka_unit_test(classes_without_a_train_folder_are_a_training_split),
        cmocka_unit_test(unclear_trees_are_refused),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
