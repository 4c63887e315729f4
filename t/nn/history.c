#include "config.h"

#include "nn/history.h"

#include <math.h>
#include <string.h>

#include "base/atomic.h"
#include "support/cmocka.h"
#include "support/folder.h"

static void put(const char *name, const char *text)
{
    assert_ok(us_write_file(test_path(name), text, strlen(text)));
}

static void columns(void **state)
{
    (void)state;
    struct us_history history;
    put("h.csv", "epoch,a,b\r\n0,1.5,\r\n1,,\r\n\r\n2,-1e3,"); /* Windows line ends, gaps, no last line end */
    assert_ok(us_history_read(test_path("h.csv"), &history));
    assert_int_equal(history.rows, 3);
    const double *a = us_history_column(&history, "a");
    assert_non_null(a);
    assert_true(a[0] == 1.5 && isnan(a[1]) && a[2] == -1000);
    assert_null(us_history_column(&history, "b"));
    assert_null(us_history_column(&history, "c"));
    us_history_free(&history);
    static const char *const bad[][2] = {{"a,b\n1,x\n", "line 2, column b: 'x' is not a number"},
                                         {"a,b\n1\n", "line 2 has fewer cells"},
                                         {"a,b\n1,2\n1,2,3\n", "line 3 has more cells"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("h.csv", bad[i][0]);
        assert_fails(UNSEEN_BAD_DATA, bad[i][1], us_history_read(test_path("h.csv"), &history));
    }
}

static void assert_same(double got, double want)
{
    assert_true(got == want || (isnan(got) && isnan(want)));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const struct unseen_epoch written[2] = {{0, 0.1, 2.25, 0.5, NAN, NAN, 2, 0.375, 160, 1.5, NAN, NAN},
                                            {1, 1e-9, 1.125, 0.75, 3, 0.25, NAN, NAN, 2e9, 0.25, 0.5, 0.875}};
    struct unseen_epoch *read = NULL;
    int epochs = 0;
    assert_ok(us_history_write(test_path("h.csv"), written, 2));
    assert_ok(unseen_history_read(test_path("h.csv"), &read, &epochs));
    assert_int_equal(epochs, 2);
    for (int e = 0; e < 2; e++) {
        assert_int_equal(read[e].epoch, e);
        assert_same(read[e].lr, written[e].lr);
        assert_same(read[e].train_loss, written[e].train_loss);
        assert_same(read[e].train_accuracy, written[e].train_accuracy);
        assert_same(read[e].heldout_loss, written[e].heldout_loss);
        assert_same(read[e].heldout_accuracy, written[e].heldout_accuracy);
        assert_same(read[e].test_loss, written[e].test_loss);
        assert_same(read[e].test_accuracy, written[e].test_accuracy);
        assert_same(read[e].images, written[e].images);
        assert_same(read[e].seconds, written[e].seconds);
        assert_same(read[e].views_loss, written[e].views_loss);
        assert_same(read[e].views_accuracy, written[e].views_accuracy);
    }
    free(read);
    put("h.csv", "a,b\n1,2\n");
    assert_fails(UNSEEN_BAD_DATA, "has no column 'epoch'",
                 unseen_history_read(test_path("h.csv"), &read, &epochs));
    put("h.csv", "epoch,lr\n0,1\n,2\n");
    assert_fails(UNSEEN_BAD_DATA, "line 3, column epoch",
                 unseen_history_read(test_path("h.csv"), &read, &epochs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(what_is_written_is_read),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
