/* Packed datasets. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "datasets/pack/pack_file.h"
#include "support/dataset.h"
#include "support/files.h"
#include "support/folder.h"

static const struct unseen_pack_options stored = {.size = 0, .quality = 90};
static const struct unseen_pack_options small = {.size = 8, .quality = 90};
static const struct unseen_pack_options raw = {.size = 8, .quality = -1};

/* train/{ant,bee}/0.jpg .. 19.jpg, test/bee/0.png; of many sizes. */
static struct unseen_dataset *open_tree(const char *folder)
{
    char name[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "train/%s/%d.jpg", i % 2 ? "bee" : "ant", i / 2);
        test_jpeg(test_path(folder), name, 6 + i % 5 * 4, 24 - i % 16, 0x204060 + 0x10101 * (unsigned)i, 0);
    }
    test_png(test_path(folder), "test/bee/0.png", 10, 2, TEST_PNG_RGB, 8, "\1\2\3\4\5\6", 6);
    return open_ok(test_path(folder));
}

static void check_same_samples(const struct unseen_dataset *a, const struct unseen_dataset *b)
{
    assert_int_equal(a->classes, b->classes);
    for (int c = 0; c < a->classes; c++)
        assert_string_equal(a->class_names[c], b->class_names[c]);
    for (int split = 0; split < 2; split++) {
        const struct unseen_images *x = &a->split[split], *y = &b->split[split];
        assert_int_equal(x->n, y->n);
        assert_int_equal(x->class_at, y->class_at);
        for (int64_t i = 0; i < x->n; i++) {
            assert_string_equal(x->paths[i], y->paths[i]);
            assert_int_equal(x->labels[i], y->labels[i]);
        }
    }
}

static struct unseen_dataset *pack_ok(const struct unseen_dataset *dataset,
                                      const struct unseen_pack_options *options, const char *out)
{
    assert_ok(unseen_dataset_pack(dataset, NULL, 0, options, test_path(out)));
    return open_ok(test_path(out));
}

static void stored_files_are_the_same_data(void **state)
{
    (void)state;
    struct unseen_dataset *tree = open_tree("tree"), *pack = pack_ok(tree, &stored, "stored.pack");
    assert_string_equal(pack->format, "pack");
    check_same_samples(tree, pack);
    assert_string_equal(tree->hash, pack->hash);
    assert_ok(unseen_dataset_verify(test_path("stored.pack"), NULL, NULL, NULL, NULL));
    unseen_dataset_close(tree);
    unseen_dataset_close(pack);
}

static void check_shorter_side(const struct unseen_dataset *pack, int64_t i, int height, int width)
{
    const struct us_image_size *size = &pack->reader->sizes[UNSEEN_TRAIN][i];
    assert_int_equal(size->height, height);
    assert_int_equal(size->width, width);
}

/* ant/0 is 6x24, too small; ant/1 is 14x22. */
static void pictures_are_made_smaller_but_not_larger(void **state)
{
    (void)state;
    const struct unseen_pack_options *const ways[] = {&small, &raw};
    struct unseen_dataset *tree = open_tree("large");
    for (size_t way = 0; way < 2; way++) {
        struct unseen_dataset *pack = pack_ok(tree, ways[way], way ? "raw.pack" : "small.pack");
        check_same_samples(tree, pack);
        assert_string_not_equal(tree->hash, pack->hash);
        check_shorter_side(pack, 0, 6, 24);
        assert_string_equal(pack->split[UNSEEN_TRAIN].paths[1], "train/ant/1.jpg");
        check_shorter_side(pack, 1, 8, 12);
        assert_ok(unseen_dataset_verify(pack->source, NULL, NULL, NULL, NULL));
        unseen_dataset_close(pack);
    }
    unseen_dataset_close(tree);
}

static void subsets_and_drawn_data_can_be_packed(void **state)
{
    (void)state;
    const int64_t keep[] = {1, 5, 30};
    const struct unseen_synth drawn = {.train = 20, .test = 6, .classes = 3, .size = 16, .seed = 1};
    struct unseen_dataset *tree = open_tree("whole"), *synth = NULL;
    assert_ok(unseen_dataset_pack(tree, keep, 3, &stored, test_path("kept.pack")));
    struct unseen_dataset *pack = open_ok(test_path("kept.pack"));
    assert_int_equal(pack->split[UNSEEN_TRAIN].n, 3);
    assert_int_equal(pack->split[UNSEEN_TEST].n, 1);
    assert_string_equal(pack->split[UNSEEN_TRAIN].paths[2], tree->split[UNSEEN_TRAIN].paths[30]);
    unseen_dataset_close(pack);
    struct us_pack_table table = {0};
    assert_ok(us_pack_table_read(test_path("kept.pack"), &table));
    assert_int_equal(table.samples[2].index, 30);
    us_pack_table_free(&table);
    assert_ok(unseen_synth_draw(&drawn, &synth, NULL, NULL));
    pack = pack_ok(synth, &stored, "drawn.pack");
    assert_int_equal(pack->height, 16);
    assert_int_equal(pack->split[UNSEEN_TRAIN].n, 20);
    assert_memory_equal(pack->split[UNSEEN_TEST].labels, synth->split[UNSEEN_TEST].labels,
                        6 * sizeof(int32_t));
    unseen_dataset_close(pack);
    unseen_dataset_close(synth);
    const int64_t wrong[] = {5, 1};
    assert_fails(UNSEEN_USAGE, "must ascend",
                 unseen_dataset_pack(tree, wrong, 2, &stored, test_path("no.pack")));
    assert_false(us_exists(test_path("no.pack.partial")));
    unseen_dataset_close(tree);
}

static char *read_bytes(const char *name, size_t *size)
{
    char *bytes = NULL;
    assert_ok(us_read_file(test_path(name), &bytes, size));
    return bytes;
}

/* A pack that was cut off anywhere, its header of 72 bytes included, becomes the same bytes. */
static void goes_on_after_a_kill(void **state)
{
    (void)state;
    size_t size, again_size;
    struct unseen_dataset *tree = open_tree("resumed");
    unseen_dataset_close(pack_ok(tree, &small, "one.pack"));
    char *whole = read_bytes("one.pack", &size);
    for (size_t cut = 0; cut < size; cut += cut < 120 ? 40 : size / 7) {
        memset(whole + 16, 0, 48); /* the header is written last */
        test_file(test_folder, "two.pack.partial", whole, cut);
        if (cut > 2 * size / 7)
            whole[size / 7] ^= 1; /* a sample that was not written whole, with others behind it */
        assert_ok(unseen_dataset_pack(tree, NULL, 0, &small, test_path("two.pack")));
        char *again = read_bytes("two.pack", &again_size);
        free(whole);
        whole = read_bytes("one.pack", &size);
        assert_int_equal(size, again_size);
        assert_memory_equal(whole, again, size);
        free(again);
        unlink(test_path("two.pack"));
    }
    test_file(test_folder, "two.pack.partial", whole, 500);
    assert_fails(UNSEEN_USAGE, "was begun with other data or options",
                 unseen_dataset_pack(tree, NULL, 0, &raw, test_path("two.pack")));
    open_bad(test_path("two.pack.partial"), "");
    assert_fails(UNSEEN_USAGE, "one.pack: is there already",
                 unseen_dataset_pack(tree, NULL, 0, &small, test_path("one.pack")));
    free(whole);
    unseen_dataset_close(tree);
}

static void write_damaged(const char *bytes, size_t size, size_t at)
{
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    copy[at] ^= 1;
    test_file(test_folder, "damaged.pack", copy, size);
    free(copy);
}

static void damage_is_named(void **state)
{
    (void)state;
    size_t size;
    struct unseen_dataset *tree = open_tree("damage");
    unseen_dataset_close(pack_ok(tree, &raw, "good.pack"));
    char *bytes = read_bytes("good.pack", &size);
    struct us_pack_table table = {0};
    assert_ok(us_pack_table_read(test_path("good.pack"), &table));
    write_damaged(bytes, size, table.samples[3].offset + table.samples[3].size - 1);
    assert_int_equal(unseen_dataset_verify(test_path("damaged.pack"), NULL, NULL, NULL, NULL),
                     UNSEEN_BAD_DATA);
    us_pack_table_free(&table);
    write_damaged(bytes, size, size - 1);
    open_bad(test_path("damaged.pack"), "is damaged: its table");
    write_damaged(bytes, size, 8);
    open_bad(test_path("damaged.pack"), "a pack of version 0");
    test_file(test_folder, "damaged.pack", bytes, size - 1);
    open_bad(test_path("damaged.pack"), "it ends before its table does");
    test_file(test_folder, "damaged.pack", bytes, 20);
    open_bad(test_path("damaged.pack"), "is no pack");
    memset(bytes + 16, 0, 16);
    test_file(test_folder, "damaged.pack", bytes, size);
    open_bad(test_path("damaged.pack"), "is a pack that is not finished");
    free(bytes);
    unseen_dataset_close(tree);
}

static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    const struct unseen_pack_options wrong = {.size = 0, .quality = -1};
    struct unseen_dataset *tree = open_tree("wrong");
    assert_fails(UNSEEN_USAGE, "raw needs a --size",
                 unseen_dataset_pack(tree, NULL, 0, &wrong, test_path("wrong.pack")));
    assert_fails(UNSEEN_USAGE, "there is no folder ",
                 unseen_dataset_pack(tree, NULL, 0, &small, test_path("nowhere/x.pack")));
    unseen_dataset_close(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_files_are_the_same_data),
        cmocka_unit_test(pictures_are_made_smaller_but_not_larger),
        cmocka_unit_test(subsets_and_drawn_data_can_be_packed),
        cmocka_unit_test(goes_on_after_a_kill),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(what_contradicts_itself_is_refused),
    };
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
