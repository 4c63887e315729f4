#include "config.h"

#include "select/coreset.h"

#include <string.h>

#include "base/fs.h"
#include "support/cmocka.h"
#include "support/folder.h"

static void assert_table(const char *want)
{
    char *text;
    assert_ok(us_read_file(test_path("coreset.csv"), &text, NULL));
    assert_string_equal(text, want);
    free(text);
}

static void writes_a_line_a_sample(void **state)
{
    (void)state;
    static const int32_t labels[] = {3, 0, 1};
    static const float scores[] = {0.5f, 0.1f, -2};
    char *paths[] = {(char[]){"cat/1.jpg"}, (char[]){"a,\"b\".jpg"}, (char[]){"c.jpg"}};
    struct unseen_images samples = {.n = 3, .labels = labels, .paths = paths};
    assert_ok(us_coreset_csv_write(test_path("coreset.csv"), &samples, scores, (uint8_t[]){0, 4, 1},
                                   (int64_t[]){0, 2}, 2));
    assert_table("index,label,path,score,fold,kept\n"
                 "0,3,cat/1.jpg,0.5,0,1\n"
                 "1,0,\"a,\"\"b\"\".jpg\",0.100000001,4,0\n"
                 "2,1,c.jpg,-2,1,1\n");
    samples.paths = NULL;
    samples.skipped = (const uint8_t[]){0, 0, 1};
    assert_ok(us_coreset_csv_write(test_path("coreset.csv"), &samples, scores, NULL, (int64_t[]){1}, 1));
    assert_table("index,label,path,score,fold,kept\n0,3,,0.5,,0\n1,0,,0.100000001,,1\n2,1,,-2,,skipped\n");
}

static void failures_are_told(void **state)
{
    (void)state;
    assert_fails(UNSEEN_FAILED, "none/coreset.csv",
                 us_coreset_csv_write(test_path("none/coreset.csv"),
                                      &(struct unseen_images){.n = 1, .labels = (const int32_t[]){0}},
                                      (float[]){0}, NULL, (int64_t[]){0}, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_line_a_sample),
        cmocka_unit_test(failures_are_told),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
