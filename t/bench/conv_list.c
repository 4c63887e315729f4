#include "config.h"

#include "bench/conv_list.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

/* ResNet-18: 20 convolutions of 11 shapes, and the linear layer. */
static void resnet18_is_counted(void **state)
{
    (void)state;
    const struct us_model_spec spec = {
        .name = "resnet18", .width = 16, .classes = 10, .height = 32, .channels_in = 3, .batch = 8};
    struct us_conv_list list = {0};
    assert_ok(us_conv_list_add(&list, &spec));
    assert_int_equal(list.n, 12);
    int times[US_CONV_DIRECTIONS] = {0};
    for (int i = 0; i < list.n; i++)
        for (int d = 0; d < US_CONV_DIRECTIONS; d++)
            times[d] += list.use[i].times[d];
    assert_int_equal(times[US_CONV_FORWARD], 21);
    assert_int_equal(times[US_CONV_BWD_DATA], 20); /* the images need no gradient */
    assert_int_equal(times[US_CONV_BWD_WEIGHTS], 21);
    assert_string_equal(list.use[0].layer, "conv1");
    assert_int_equal(list.use[0].times[US_CONV_BWD_DATA], 0);
    assert_string_equal(list.use[1].layer, "layer1.0.conv1");
    assert_int_equal(list.use[1].times[US_CONV_FORWARD], 4);
    assert_string_equal(list.use[11].layer, "fc");
    assert_int_equal(list.use[11].shape.cin, 10);
    assert_int_equal(list.use[11].shape.cout, 128);
    /* The same shapes are not listed twice, from whatever model. */
    assert_ok(us_conv_list_add(&list, &spec));
    assert_int_equal(list.n, 12);
    assert_int_equal(list.use[1].times[US_CONV_FORWARD], 8);
    free(list.use);
}

/* The frozen whitening goes forward alone. */
static void frozen_weights_need_no_gradient(void **state)
{
    (void)state;
    const struct us_model_spec spec = {
        .name = "fastnet", .width = 16, .classes = 10, .height = 32, .channels_in = 3, .batch = 8};
    struct us_conv_list list = {0};
    assert_ok(us_conv_list_add(&list, &spec));
    assert_int_equal(list.n, 7); /* group2.conv2 and group3.conv1 are of one shape */
    assert_string_equal(list.use[0].layer, "whiten");
    for (int d = 0; d < US_CONV_DIRECTIONS; d++) {
        assert_int_equal(list.use[0].times[d], d == US_CONV_FORWARD);
        assert_int_equal(list.use[1].times[d], 1);
    }
    free(list.use);
}

static void unknown_models_are_refused(void **state)
{
    (void)state;
    const struct us_model_spec spec = {
        .name = "nothing", .width = 8, .classes = 10, .height = 32, .channels_in = 3};
    struct us_conv_list list = {0};
    assert_fails(UNSEEN_USAGE, "nothing", us_conv_list_add(&list, &spec));
    assert_int_equal(list.n, 0);
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet18_is_counted),
        cmocka_unit_test(frozen_weights_need_no_gradient),
        cmocka_unit_test(unknown_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
