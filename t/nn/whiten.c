/* Filters that whiten patches: of images of any kind, and from wherever the images lie. */
#include "config.h"

#include "nn/whiten.h"

#include "support/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model_parts.h"
#include "support/fake_reader.h"

enum { MOST = 12, H = 5, W = 70 };

static const float mean[3] = {0.4914f, 0.4822f, 0.4465f}, std[3] = {0.247f, 0.2435f, 0.2616f};

static void clear(struct us_patches *patches, int kernel, int channels)
{
    *patches = (struct us_patches){.kernel = kernel, .channels = channels};
}

/* Images whose neighbours are alike, as those of photos are. */
static void draw(uint64_t seed, int channels, uint8_t *image)
{
    float *noise = test_random(seed, (size_t)(H * W * channels), 0.0f, 60.0f);
    for (int p = 0; p < H * W * channels; p++)
        image[p] = (uint8_t)((float)(p / channels * 2) + noise[p]);
    free(noise);
}

/* Number i of the patch at (y, x), as a model sees it. */
static double number(const uint8_t *image, int kernel, int channels, int y, int x, int i)
{
    const int c = i / (kernel * kernel), row = y + i / kernel % kernel, column = x + i % kernel;
    const double pixel = image[(row * W + column) * channels + c] / 255.0;
    return (pixel - (double)mean[c]) / (double)std[c];
}

/* By its definition. */
static void covariance_of(const uint8_t *const images[], int n, int kernel, int channels, double *covariance)
{
    const int size = kernel * kernel * channels, places = (H - kernel + 1) * (W - kernel + 1);
    memset(covariance, 0, (size_t)(size * size) * sizeof *covariance);
    for (int k = 0; k < n * places; k++) {
        const int y = k % places / (W - kernel + 1), x = k % (W - kernel + 1);
        for (int i = 0; i < size * size; i++)
            covariance[i] += number(images[k / places], kernel, channels, y, x, i / size) *
                             number(images[k / places], kernel, channels, y, x, i % size) / (n * places);
    }
}

/* Filters f make numbers that are uncorrelated, of mean square l / (l + 5e-4); returns the largest l. */
static double check_whitening(const double *covariance, const float *filters, int size)
{
    double largest = 0;
    for (int a = 0; a < size; a++) {
        const float *f = filters + a * size;
        double norm = 0;
        for (int i = 0; i < size; i++)
            norm += (double)f[i] * (double)f[i];
        const double l = 1 / norm - 5e-4; /* eigenvectors are of length 1 */
        largest = fmax(largest, l);
        for (int b = 0; b < size; b++) {
            double got = 0;
            for (int i = 0; i < size * size; i++)
                got += (double)f[i / size] * covariance[i] * (double)filters[b * size + i % size];
            assert_float_equal(got, a == b ? l / (l + 5e-4) : 0, 1e-5);
        }
        for (int i = 0; i < size; i++)
            assert_true(filters[(size + a) * size + i] == -f[i]);
    }
    return largest;
}

static void patches_come_out_uncorrelated(void **state)
{
    (void)state;
    static const int shapes[][2] = {{2, 3}, {2, 1}, {1, 3}, {3, 1}};
    for (int s = 0; s < 4; s++) {
        const int kernel = shapes[s][0], channels = shapes[s][1], size = kernel * kernel * channels;
        uint8_t first[H * W * 3], second[H * W * 3];
        double want[MOST * MOST], got[MOST * MOST];
        float filters[2 * MOST * MOST];
        struct us_patches patches;
        draw(1, channels, first);
        draw(2, channels, second);
        clear(&patches, kernel, channels);
        us_patches_add(&patches, first, H, W);
        us_patches_add(&patches, second, H, W);
        assert_int_equal(patches.n, 2 * (H - kernel + 1) * (W - kernel + 1));
        covariance_of((const uint8_t *const[]){first, second}, 2, kernel, channels, want);
        us_patches_covariance(&patches, mean, std, got);
        for (int i = 0; i < size * size; i++)
            assert_float_equal(got[i], want[i], 1e-12);
        assert_ok(us_whiten_filters(&patches, mean, std, filters));
        check_whitening(want, filters, size);
    }
}

/* The channels of a grey picture are alike: eigenvalues of 0, up to rounding. */
static void what_has_no_variance_stays_finite(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        uint8_t image[H * W * 3];
        float filters[2 * MOST * MOST];
        double covariance[MOST * MOST];
        struct us_patches patches;
        draw(3, 1, image);
        for (int p = H * W * 3 - 1; p >= 0; p--)
            image[p] = kind == 0 ? image[p / 3] : kind == 1 ? 200 : 0;
        clear(&patches, 2, 3);
        us_patches_add(&patches, image, H, W);
        assert_ok(us_whiten_filters(&patches, mean, std, filters));
        us_patches_covariance(&patches, mean, std, covariance);
        for (int i = 0; i < 2 * MOST * MOST; i++)
            assert_true(fabsf(filters[i]) <= 44.73f); /* 1 / sqrt(5e-4) */
        assert_true(check_whitening(covariance, filters, MOST) > 0.1);
    }
}

/* ---- from a dataset ---- */

static int reset(void **state)
{
    (void)state;
    pictures_reset();
    return 0;
}

static struct unseen_recipe recipe_of(enum unseen_crop crop)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "convnet3");
    recipe.width = 4;
    recipe.epochs = 1;
    recipe.batch = 8;
    recipe.size[0] = recipe.size[1] = PICTURE;
    recipe.pad = 1;
    recipe.crop = crop;
    recipe.cache = UNSEEN_CACHE_OFF;
    return recipe;
}

static int64_t samples[PICTURES];

static void list_samples(int step)
{
    for (int i = 0; i < PICTURES / step; i++)
        samples[i] = i * step;
}

/* From a session whose pictures are decoded as they are needed, as random parts in training or not. */
static void whiten(enum unseen_crop crop, int64_t n, float *filters)
{
    const struct unseen_recipe recipe = recipe_of(crop);
    struct us_session *session;
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    assert_ok(us_whiten(session, &recipe, samples, n, 2, filters));
    us_session_free(session);
}

static void only_the_given_samples_count(void **state)
{
    (void)state;
    float filters[3][2 * MOST * MOST];
    list_samples(2);
    whiten(UNSEEN_CROP_RESIZED, PICTURES / 2, filters[0]);
    for (int i = 0; i < PICTURES; i++)
        assert_int_equal(atomic_load(&picture_reads[i]), i % 2 == 0);
    whiten(UNSEEN_CROP_RESIZED, PICTURES / 2, filters[1]);
    assert_memory_equal(filters[0], filters[1], sizeof filters[0]);
    list_samples(3);
    whiten(UNSEEN_CROP_RESIZED, PICTURES / 3, filters[2]);
    assert_memory_not_equal(filters[0], filters[2], sizeof filters[0]);
}

/* Decoded for the device once and again here; held by the dataset: the same filters. */
static void where_images_lie_changes_nothing(void **state)
{
    (void)state;
    static uint8_t held[PICTURES][PICTURE * PICTURE * 3];
    static struct us_image_size sizes[PICTURES];
    float filters[2][2 * MOST * MOST];
    struct unseen_reader reader = picture_reader;
    list_samples(1);
    for (int i = 0; i < PICTURES; i++) {
        sizes[i] = picture_sizes[i];
        picture_sizes[i] = (struct us_image_size){PICTURE, PICTURE};
    }
    for (int i = 0; i < PICTURES; i++) {
        picture_draw(UNSEEN_TRAIN, i, NULL, sizeof held[i], held[i]);
    }
    whiten(UNSEEN_CROP_NONE, PICTURES, filters[0]);
    picture_reader.pixels[UNSEEN_TRAIN] = picture_reader.pixels[UNSEEN_TEST] = held[0];
    pictures.height = pictures.width = PICTURE;
    whiten(UNSEEN_CROP_NONE, PICTURES, filters[1]);
    picture_reader = reader;
    pictures.height = pictures.width = 0;
    memcpy(picture_sizes, sizes, sizeof sizes);
    assert_memory_equal(filters[0], filters[1], sizeof filters[0]);
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED);
    struct us_session *session;
    float filters[2 * MOST * MOST];
    list_samples(1);
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    atomic_store(&picture_bad, 17);
    assert_fails(UNSEEN_BAD_DATA, "pictures/bad.jpg: cannot be read",
                 us_whiten(session, &recipe, samples, PICTURES, 2, filters));
    atomic_store(&picture_bad, -1);
    unseen_interrupt();
    assert_fails(UNSEEN_INTERRUPTED, "stopped on request",
                 us_whiten(session, &recipe, samples, PICTURES, 2, filters));
    unseen_interrupt_clear();
    assert_ok(us_whiten(session, &recipe, samples, PICTURES, 2, filters));
    us_session_free(session);
}

static void whitened(struct us_graph *graph, const struct us_model_spec *spec)
{
    int x = us_graph_conv(graph, "first", 0, spec->width, 2, 1, 0);
    x = us_graph_pool(graph, US_POOL_AVERAGE, x, 2, 2, 0);
    us_graph_linear(graph, "fc", x, spec->classes);
    us_graph_draw(graph, "first.weight", US_INIT_WHITEN);
    us_graph_freeze(graph, "first.weight");
}

static void filters_lie_as_the_device_has_them(void **state)
{
    (void)state;
    const struct unseen_recipe recipe = recipe_of(UNSEEN_CROP_RESIZED);
    struct us_model_spec spec = {.name = "test",
                                 .width = 2 * MOST,
                                 .classes = 2,
                                 .height = PICTURE,
                                 .channels_in = 3,
                                 .batch = 8,
                                 .training = true};
    struct us_session *session;
    struct us_model *model;
    float filters[2 * MOST * MOST];
    list_samples(2);
    assert_ok(us_session_new(test_device(), &pictures, &recipe, &session));
    assert_ok(us_whiten(session, &recipe, samples, PICTURES / 2, 2, filters));
    assert_ok(us_model_build(test_device(), &spec, whitened, &model));
    assert_ok(us_model_init(model, 1));
    float *before = calloc(us_model_count(model, US_MODEL_PARAMS), sizeof *before);
    float *after = calloc(us_model_count(model, US_MODEL_PARAMS), sizeof *after);
    assert_ok(us_model_get(model, US_MODEL_PARAMS, before));
    assert_ok(us_whiten_model(session, &recipe, samples, PICTURES / 2, model));
    assert_ok(us_model_get(model, US_MODEL_PARAMS, after));
    const struct us_param *param = &model->graph.params.item[0];
    for (int e = 0; e < 2 * MOST * MOST; e++) {
        assert_true(before[e] != 0);
        assert_true(after[us_param_index(param, e / MOST, e / 4 % 3, e / 2 % 2, e % 2)] == filters[e]);
    }
    const size_t others = us_model_count(model, US_MODEL_PARAMS) - 2 * MOST * MOST;
    assert_memory_equal(before + 2 * MOST * MOST, after + 2 * MOST * MOST, others * sizeof *after);
    us_model_free(model);
    spec.width = MOST;
    assert_ok(us_model_build(test_device(), &spec, whitened, &model));
    assert_fails(UNSEEN_FAILED, "first.weight: 12 filters of 3 x 2 x 2 cannot whiten",
                 us_whiten_model(session, &recipe, samples, PICTURES / 2, model));
    us_model_free(model);
    us_session_free(session);
    free(before);
    free(after);
}

int main(void)
{
    test_device();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_come_out_uncorrelated),
        cmocka_unit_test(what_has_no_variance_stays_finite),
        cmocka_unit_test_setup(only_the_given_samples_count, reset),
        cmocka_unit_test_setup(where_images_lie_changes_nothing, reset),
        cmocka_unit_test_setup(what_cannot_be_read_is_named, reset),
        cmocka_unit_test_setup(filters_lie_as_the_device_has_them, reset),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
