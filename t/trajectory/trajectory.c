#include "config.h"

#include "trajectory/trajectory.h"

#include <math.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/npy.h"
#include "support/cmocka.h"
#include "support/folder.h"

enum { R = 2, T = 3, N = 4, COUNT = R * T * N };

static struct us_trajectory_build *filled(enum unseen_protocol protocol)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(protocol, N, R, T, 3, protocol == UNSEEN_SEEN ? 0 : 2, &b));
    for (int i = 0; i < COUNT; i++) {
        for (int q = 0; q < UNSEEN_CORRECT; q++) {
            assert_true(b->value[q][i] == 0);
            b->value[q][i] = (float)(i + q) / 64;
        }
        b->correct[i] = i % 3 == 0;
    }
    for (int i = 0; i < N; i++)
        b->labels[i] = i % 2;
    for (int i = 0; b->fold && i < R * N; i++)
        b->fold[i] = i % 2;
    return b;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const enum unseen_protocol protocols[] = {UNSEEN_ONE_FOLD, UNSEEN_FOLD, UNSEEN_SEEN};
    const char *folder =
        test_path("written/deep"); /* the same thrice: what lay there must not shine through */
    for (int p = 0; p < 3; p++) {
        struct us_trajectory_build *b = filled(protocols[p]);
        struct unseen_trajectory *t;
        assert_ok(us_trajectory_write(b, folder));
        assert_ok(unseen_trajectory_open(folder, &t));
        assert_int_equal(t->protocol, protocols[p]);
        assert_true(t->n == N && t->repeats == R && t->epochs == T);
        assert_int_equal(t->classes, 3); /* as stated, not as counted */
        assert_int_equal(t->folds, b->view.folds);
        for (int q = 0; q < UNSEEN_CORRECT; q++)
            assert_memory_equal(t->value[q], b->value[q], COUNT * sizeof(float));
        assert_memory_equal(t->correct, b->correct, COUNT);
        assert_memory_equal(t->labels, b->labels, N * sizeof(int64_t));
        assert_int_equal(t->fold == NULL, b->fold == NULL);
        if (b->fold)
            assert_memory_equal(t->fold, b->fold, R * N);
        unseen_trajectory_close(t);
        us_trajectory_free(b);
    }
}

static void write_alike(const char *folder, int64_t n, int repeats)
{
    struct us_trajectory_build *b;
    assert_ok(us_trajectory_new(UNSEEN_SEEN, n, repeats, T, 3, 0, &b));
    assert_ok(us_trajectory_write(b, folder));
    us_trajectory_free(b);
}

/* However often it is asked for: a rejected seen side is not kept. */
static void a_seen_side_of_other_models_is_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        int repeats;
    } others[] = {{N - 1, R}, {N + 1, R}, {N, R + 1}};
    struct us_trajectory_build *b = filled(UNSEEN_FOLD);
    const char *folder = test_path("two-sided/trajectory");
    const struct unseen_trajectory *seen;
    assert_ok(us_trajectory_write(b, folder));
    for (int i = 0; i < 3; i++) {
        struct unseen_trajectory *t;
        write_alike(test_path("two-sided/seen/trajectory"), others[i].n, others[i].repeats);
        assert_ok(unseen_trajectory_open(test_path("two-sided/trajectory"), &t));
        for (int call = 0; call < 3; call++)
            assert_fails(UNSEEN_BAD_DATA, "the trajectory of the same models 4 and 2",
                         us_trajectory_seen(t, &seen));
        unseen_trajectory_close(t);
    }
    b->view.seen = &(struct unseen_trajectory){.n = N + 1, .repeats = R};
    assert_fails(UNSEEN_BAD_DATA, "the seen trajectory", us_trajectory_seen(&b->view, &seen));
    b->view.seen = NULL;
    us_trajectory_free(b);
}

static void holds_what_is_recorded_on_demand(void **state)
{
    (void)state;
    enum { d = 5, CLASSES = 3 };
    struct us_trajectory_build *b = filled(UNSEEN_FOLD);
    struct unseen_trajectory *t;
    assert_ok(us_trajectory_demand(b, US_RECORD_DEMAND, d));
    for (int i = 0; i < COUNT; i++)
        b->value[UNSEEN_CHANGE][i] = (float)i;
    for (int i = 0; i < COUNT * CLASSES; i++)
        b->probs[i] = (uint16_t)i;
    for (int i = 0; i < R * N * d; i++)
        b->features[i] = (float)i / 8;
    for (int i = 0; i < R * 2 * CLASSES * d; i++)
        b->centres[i] = (float)-i;
    assert_ok(us_trajectory_write(b, test_path("demand")));
    assert_ok(unseen_trajectory_open(test_path("demand"), &t));
    assert_int_equal(t->feature_count, d);
    assert_memory_equal(t->value[UNSEEN_CHANGE], b->value[UNSEEN_CHANGE], COUNT * sizeof(float));
    assert_non_null(t->value[UNSEEN_FEATURE_NORM]);
    assert_non_null(t->value[UNSEEN_PREDICTED]);
    assert_memory_equal(t->probs, b->probs, COUNT * CLASSES * sizeof *t->probs);
    assert_memory_equal(t->features, b->features, R * N * d * sizeof(float));
    assert_memory_equal(t->centres, b->centres, R * 2 * CLASSES * d * sizeof(float));
    unseen_trajectory_close(t);
    us_trajectory_free(b);
    b = filled(UNSEEN_FOLD); /* nothing of it stays */
    assert_ok(us_trajectory_write(b, test_path("demand")));
    assert_ok(unseen_trajectory_open(test_path("demand"), &t));
    assert_true(!t->probs && !t->features && !t->centres && !t->value[UNSEEN_CHANGE]);
    unseen_trajectory_close(t);
    us_trajectory_free(b);
}

static void names_what_is_recorded_on_demand(void **state)
{
    (void)state;
    unsigned bits;
    assert_ok(unseen_record_parse("change,probs", &bits));
    assert_int_equal(bits, 1u << UNSEEN_CHANGE | 1u << UNSEEN_PROBS);
    assert_ok(unseen_record_parse("features", &bits));
    assert_int_equal(bits, 1u << UNSEEN_FEATURES | 1u << UNSEEN_FEATURE_NORM);
    assert_fails(UNSEEN_USAGE, "--record-also: 'p_true'", unseen_record_parse("p_true", &bits));
    assert_fails(UNSEEN_USAGE, "--record-also: ''", unseen_record_parse("change,", &bits));
    assert_fails(UNSEEN_USAGE, "--record-also: ''", unseen_record_parse("", &bits));
    assert_non_null(strstr(unseen_last_hint(), "probs"));
}

static void tells_how_it_was_recorded(void **state)
{
    (void)state;
    static const enum unseen_protocol protocols[] = {UNSEEN_SEEN, UNSEEN_FOLD, UNSEEN_SEEN};
    static const char *const records[] = {"\"record\": \"train\"", "\"record\": \"eval\"",
                                          "\"record\": \"eval\""};
    for (int i = 0; i < 3; i++) {
        struct us_trajectory_build *b = filled(protocols[i]);
        char *text;
        if (i == 2)
            b->evaluated = true;
        assert_ok(us_trajectory_write(b, test_path("record")));
        assert_ok(us_read_file(test_path("record/trajectory.json"), &text, NULL));
        assert_non_null(strstr(text, records[i]));
        free(text);
        us_trajectory_free(b);
    }
}

/* Another program's folder: some arrays and no trajectory.json. Starts from nothing each time. */
static char import_folder[1024];

static const char *in_import(const char *name)
{
    static char path[1100];
    snprintf(path, sizeof path, "%s/%s", import_folder, name);
    return path;
}

static void import_begin(void)
{
    static const float p[] = {0.5f, 0.25f, 1, 0, 0.75f, 0.5f};
    static const int64_t labels[] = {0, 4, 1};
    snprintf(import_folder, sizeof import_folder, "%s", test_path("import"));
    assert_ok(us_remove_folder(import_folder));
    assert_ok(us_make_folder(import_folder));
    assert_ok(us_npy_write(in_import("p_true.npy"), US_F32, 3, (int64_t[]){1, 2, 3}, p));
    assert_ok(us_npy_write(in_import("labels.npy"), US_I64, 1, (int64_t[]){3}, labels));
}

static void import_write(const char *name, enum us_dtype dtype, int ndim, const int64_t *shape,
                         const void *data)
{
    import_begin();
    assert_ok(us_npy_write(in_import(name), dtype, ndim, shape, data));
}

static void import_describe(const char *json)
{
    assert_ok(us_write_file(in_import("trajectory.json"), json, strlen(json)));
}

#define ASSERT_REFUSED(part)                                                                                 \
    do {                                                                                                     \
        struct unseen_trajectory *refused = NULL;                                                            \
        assert_fails(UNSEEN_BAD_DATA, part, unseen_trajectory_open(import_folder, &refused));                \
        assert_null(refused);                                                                                \
    } while (0)

static void wide_arrays_must_fit(void **state)
{
    (void)state;
    static const float features[12];
    static const uint16_t probs[40];
    import_write("features.npy", US_F32, 3, (int64_t[]){1, 2, 6}, features);
    ASSERT_REFUSED("features.npy: axis 1 has length 2");
    import_write("features.npy", US_F32, 3, (int64_t[]){1, 3, 0}, features);
    ASSERT_REFUSED("features.npy: axis 2 has length 0");
    import_write("probs.npy", US_F16, 4, (int64_t[]){1, 2, 3, 4}, probs); /* labels go up to 4 */
    ASSERT_REFUSED("probs.npy: axis 3 has length 4");
}

static void imports_need_no_description(void **state)
{
    (void)state;
    struct unseen_trajectory *t;
    import_begin();
    assert_ok(unseen_trajectory_open(import_folder, &t));
    assert_int_equal(t->protocol, UNSEEN_SEEN);
    assert_true(t->n == 3 && t->repeats == 1 && t->epochs == 2 && t->classes == 5 && t->folds == 0);
    assert_null(t->value[UNSEEN_LOSS]);
    assert_null(t->correct);
    assert_null(t->fold);
    unseen_trajectory_close(t);

    assert_ok(us_npy_write(in_import("fold.npy"), US_U8, 2, (int64_t[]){1, 3}, (uint8_t[]){0, 2, 1}));
    assert_ok(unseen_trajectory_open(import_folder, &t));
    assert_int_equal(t->protocol, UNSEEN_FOLD);
    assert_int_equal(t->folds, 3);
    unseen_trajectory_close(t);
}

/* A damaged array that nobody wants is not looked at, and is not there. */
static void some_quantities_are_opened_alone(void **state)
{
    (void)state;
    struct unseen_trajectory *t;
    import_begin();
    assert_ok(us_write_file(in_import("loss.npy"), "junk", 4));
    ASSERT_REFUSED("loss.npy: ");
    assert_ok(us_trajectory_open(import_folder, 1u << UNSEEN_P_TRUE, &t));
    assert_non_null(t->value[UNSEEN_P_TRUE]);
    assert_null(t->value[UNSEEN_MARGIN]);
    assert_null(t->value[UNSEEN_LOSS]);
    assert_true(t->n == 3 && t->epochs == 2);
    unseen_trajectory_close(t);
    assert_int_equal(unlink(in_import("loss.npy")), 0);
    assert_ok(us_trajectory_open(import_folder, 1u << UNSEEN_LOSS, &t)); /* not there: then all */
    assert_non_null(t->value[UNSEEN_P_TRUE]);
    unseen_trajectory_close(t);
}

static void refuses_missing_parts(void **state)
{
    (void)state;
    snprintf(import_folder, sizeof import_folder, "%s", test_path("nowhere"));
    ASSERT_REFUSED("nowhere: is no trajectory");
    assert_non_null(strstr(unseen_last_hint(), "p_true.npy"));
    import_begin();
    assert_int_equal(unlink(in_import("labels.npy")), 0);
    ASSERT_REFUSED("labels.npy: is missing");
}

static void refuses_wrong_shapes(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    import_write("loss.npy", US_F32, 3, (int64_t[]){1, 1, 3}, zeros);
    ASSERT_REFUSED("loss.npy: has shape [1, 1, 3], the quantities before it [1, 2, 3]");
    import_write("p_true.npy", US_F32, 2, (int64_t[]){2, 3}, zeros);
    ASSERT_REFUSED("p_true.npy: has 2 dimensions instead of 3");
    import_write("p_true.npy", US_F32, 3, (int64_t[]){1, 0, 3}, zeros);
    ASSERT_REFUSED("p_true.npy: no trajectory has");
    import_write("labels.npy", US_I64, 1, (int64_t[]){4}, zeros);
    ASSERT_REFUSED("labels.npy: holds 4 labels for 3 samples");
    import_write("fold.npy", US_U8, 2, (int64_t[]){2, 3}, zeros);
    ASSERT_REFUSED("fold.npy: has shape [2, 3] instead of [1, 3]");
}

/* What other frameworks save: each array in another type than ours. */
static void imports_may_be_of_any_type(void **state)
{
    (void)state;
    struct unseen_trajectory *t;
    static const int64_t shape[] = {1, 2, 3};
    import_begin();
    assert_ok(us_npy_write(in_import("p_true.npy"), US_F64, 3, shape, (double[]){0, 0.5, 1, 0.25, 1, 0}));
    assert_ok(us_npy_write(in_import("margin.npy"), US_F16, 3, shape,
                           (uint16_t[]){0x3c00, 0xbc00, 0, 0x3800, 0, 0}));
    assert_ok(us_npy_write(in_import("correct.npy"), US_I64, 3, shape, (int64_t[]){0, 1, 1, 0, 1, 0}));
    assert_ok(us_npy_write(in_import("labels.npy"), US_F32, 1, (int64_t[]){3}, (float[]){0, 2, 1}));
    assert_ok(us_npy_write(in_import("fold.npy"), US_I32, 2, (int64_t[]){1, 3}, (int32_t[]){0, 1, 0}));
    assert_ok(unseen_trajectory_open(import_folder, &t));
    assert_memory_equal(t->value[UNSEEN_P_TRUE], ((float[]){0, 0.5f, 1, 0.25f, 1, 0}), 6 * sizeof(float));
    assert_memory_equal(t->value[UNSEEN_MARGIN], ((float[]){1, -1, 0, 0.5f, 0, 0}), 6 * sizeof(float));
    assert_memory_equal(t->correct, ((uint8_t[]){0, 1, 1, 0, 1, 0}), 6);
    assert_memory_equal(t->labels, ((int64_t[]){0, 2, 1}), 3 * sizeof(int64_t));
    assert_memory_equal(t->fold, ((uint8_t[]){0, 1, 0}), 3);
    us_trajectory_drop_pages(t);
    assert_true(t->value[UNSEEN_P_TRUE][1] == 0.5f);
    unseen_trajectory_close(t);
}

static void refuses_wrong_types(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    import_write("correct.npy", US_I32, 3, (int64_t[]){1, 2, 3}, (int32_t[]){0, 1, 0, 1, 256, 0});
    ASSERT_REFUSED("correct.npy: element 4, 256, is not of type uint8");
    import_write("labels.npy", US_F32, 1, (int64_t[]){3}, (float[]){0, 1, 0.5f});
    ASSERT_REFUSED("labels.npy: element 2, 0.5, is not of type int64");
    import_write("labels.npy", US_F64, 1, (int64_t[]){3}, (double[]){0, NAN, 1});
    ASSERT_REFUSED("labels.npy: element 1, nan, is not of type int64");
    import_write("fold.npy", US_I64, 2, (int64_t[]){1, 3}, (int64_t[]){0, -1, 1});
    ASSERT_REFUSED("fold.npy: element 1, -1, is not of type uint8");
    import_write("probs.npy", US_F32, 4, (int64_t[]){1, 1, 1, 1}, zeros);
    ASSERT_REFUSED("probs.npy: holds float32 instead of float16");
    import_begin();
    assert_ok(us_write_file(in_import("el2n.npy"), "junk", 4));
    ASSERT_REFUSED("el2n.npy: ");
}

static void refuses_impossible_values(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 2, 3};
    import_write("margin.npy", US_F32, 3, shape, (float[]){0, 1, 2, 3, NAN, 5});
    ASSERT_REFUSED("margin.npy: nan of repeat 0, epoch 1, sample 1 is not finite");
    import_write("loss.npy", US_F32, 3, shape, (float[]){0, 1, INFINITY, 3, 4, 5});
    ASSERT_REFUSED("loss.npy: inf of repeat 0, epoch 0, sample 2 is not finite");
    import_write("p_true.npy", US_F32, 3, shape, (float[]){0, 1, 0, -0.5f, 0, 1});
    ASSERT_REFUSED("p_true.npy: -0.5 of repeat 0, epoch 1, sample 0 is no probability");
    import_write("p_true.npy", US_F32, 3, shape, (float[]){0, 1, 0, 0, 0, 1.5f});
    ASSERT_REFUSED("p_true.npy: 1.5 of repeat 0, epoch 1, sample 2 is no probability");
    import_write("el2n.npy", US_F32, 3, shape, (float[]){0, 1, 1.42f, 0, 1, 2});
    ASSERT_REFUSED("el2n.npy: 2 of repeat 0, epoch 1, sample 2 is no norm of an error");
    import_write("el2n.npy", US_F32, 3, shape, (float[]){0, 1, 1.42f, 0, -1, 0});
    ASSERT_REFUSED("el2n.npy: -1 of repeat 0, epoch 1, sample 1 is no norm");
    import_write("loss.npy", US_F32, 3, shape, (float[]){0, 1, -1, 0, 0, 0});
    ASSERT_REFUSED("loss.npy: -1 of repeat 0, epoch 0, sample 2 is no loss");
    import_write("entropy.npy", US_F32, 3, shape, (float[]){0, 1, -1, 0, 0, 0});
    ASSERT_REFUSED("entropy.npy: -1 of repeat 0, epoch 0, sample 2 is no entropy");
    import_write("predicted.npy", US_F32, 3, shape, (float[]){0, 1, -1, 0, 0, 0});
    ASSERT_REFUSED("predicted.npy: -1 of repeat 0, epoch 0, sample 2 is no class");
    import_write("gradient_norm.npy", US_F32, 2, (int64_t[]){1, 3}, (float[]){0, NAN, 0});
    ASSERT_REFUSED("gradient_norm.npy: value nan of sample 1");
    import_write("correct.npy", US_U8, 3, shape, (uint8_t[]){0, 1, 0, 1, 0, 2});
    ASSERT_REFUSED("correct.npy: 2 of repeat 0, epoch 1, sample 2");
    import_write("labels.npy", US_I64, 1, (int64_t[]){3}, (int64_t[]){0, -1, 0});
    ASSERT_REFUSED("labels.npy: -1 of sample 1 is no label");
}

static void refuses_a_description_that_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *json, *reason;
    } cases[] = {
        {"{\"n\": 3", "trajectory.json: line 1"},
        {"{\"n\": 3}", "\"protocol\" is missing"},
        {"{\"protocol\":\"seen\",\"n\":4,\"repeats\":1,\"epochs\":2,\"classes\":5}", "\"n\" is 4"},
        {"{\"protocol\":\"seen\",\"n\":3,\"repeats\":2,\"epochs\":2,\"classes\":5}", "\"repeats\" is 2"},
        {"{\"protocol\":\"seen\",\"n\":3,\"repeats\":1,\"epochs\":9,\"classes\":5}", "\"epochs\" is 9"},
        {"{\"protocol\":\"seen\",\"n\":3,\"repeats\":1,\"epochs\":2,\"classes\":4}", "\"classes\" is 4"},
        {"{\"protocol\":\"half\",\"n\":3,\"repeats\":1,\"epochs\":2,\"classes\":5}", "protocol 'half'"},
        {"{\"protocol\":\"fold\",\"n\":3,\"repeats\":1,\"epochs\":2,\"classes\":5,\"folds\":2}",
         "protocol is fold, but fold.npy is missing"},
        {"{\"protocol\":\"seen\",\"n\":3,\"repeats\":1,\"epochs\":2,\"classes\":5,"
         "\"quantities\":[\"p_true\",\"loss\"]}",
         "names loss, but loss.npy is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        import_begin();
        import_describe(cases[i].json);
        ASSERT_REFUSED(cases[i].reason);
    }
    import_write("fold.npy", US_U8, 2, (int64_t[]){1, 3}, (uint8_t[]){0, 2, 1});
    import_describe("{\"protocol\":\"fold\",\"n\":3,\"repeats\":1,\"epochs\":2,\"classes\":5,\"folds\":2}");
    ASSERT_REFUSED("\"folds\" is 2");
    import_describe("{\"protocol\":\"seen\",\"n\":3,\"repeats\":1,\"epochs\":2,\"classes\":5,\"folds\":0}");
    ASSERT_REFUSED("\"folds\" is 0");
}

static void names_protocols(void **state)
{
    (void)state;
    enum unseen_protocol protocol;
    for (int i = 0; i <= UNSEEN_ONE_FOLD; i++) {
        assert_ok(unseen_protocol_parse(unseen_protocol_name((enum unseen_protocol)i), &protocol));
        assert_int_equal(protocol, i);
    }
    assert_fails(UNSEEN_USAGE, "'folds' is not one of", unseen_protocol_parse("folds", &protocol));
}

static void failures_to_write_are_told(void **state)
{
    (void)state;
    struct us_trajectory_build *b = filled(UNSEEN_FOLD);
    assert_ok(us_write_file(test_path("file"), "x", 1));
    assert_int_equal(us_trajectory_write(b, test_path("file/below")), UNSEEN_FAILED);
    us_trajectory_free(b);
    assert_fails(UNSEEN_FAILED, "do not fit",
                 us_trajectory_new(UNSEEN_SEEN, INT64_MAX / 2, 1000, 1000, 2, 0, &b));
    us_trajectory_free(NULL);
    unseen_trajectory_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_seen_side_of_other_models_is_refused),
        cmocka_unit_test(holds_what_is_recorded_on_demand),
        cmocka_unit_test(names_what_is_recorded_on_demand),
        cmocka_unit_test(tells_how_it_was_recorded),
        cmocka_unit_test(wide_arrays_must_fit),
        cmocka_unit_test(imports_need_no_description),
        cmocka_unit_test(some_quantities_are_opened_alone),
        cmocka_unit_test(refuses_missing_parts),
        cmocka_unit_test(refuses_wrong_shapes),
        cmocka_unit_test(imports_may_be_of_any_type),
        cmocka_unit_test(refuses_wrong_types),
        cmocka_unit_test(refuses_impossible_values),
        cmocka_unit_test(refuses_a_description_that_does_not_fit),
        cmocka_unit_test(names_protocols),
        cmocka_unit_test(failures_to_write_are_told),
    };
    return RUN_TESTS(tests, test_folder_make, test_folder_remove);
}
