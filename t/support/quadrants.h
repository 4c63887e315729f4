/* What the tests of training runs share: images whose class is easily learnt, a session on them, a temporary
 * folder, and jobs. */
#ifndef US_T_SUPPORT_QUADRANTS_H
#define US_T_SUPPORT_QUADRANTS_H

#include "support/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "datasets/pixels.h"
#include "nn/train.h"
#include "support/folder.h"

enum { N = 200, TEST = 60, SIZE = 16, CLASSES = 4, PIXELS = SIZE * SIZE * 3 };

/* Images whose class shows in a quadrant's brightness, under noise. */
static uint8_t pixels[2][N][PIXELS];
static int32_t labels[2][N];
static char *class_names[CLASSES] = {"a", "b", "c", "d"};
static struct unseen_reader reader;
static struct unseen_dataset data = {.format = "test",
                                     .location = "quadrants",
                                     .source = "test:quadrants",
                                     .height = SIZE,
                                     .width = SIZE,
                                     .channels = 3,
                                     .classes = CLASSES,
                                     .class_names = class_names,
                                     .mean = {0.5f, 0.5f, 0.5f},
                                     .std = {0.25f, 0.25f, 0.25f},
                                     .reader = &reader,
                                     .hash = "0123"};
static struct us_session *session;
static int64_t everyone[N];

static inline void draw_quadrants(void)
{
    for (int s = 0; s < 2; s++) {
        float *noise = test_random(11 + (uint64_t)s, (size_t)N * PIXELS, 0.0f, 140.0f);
        for (int i = 0; i < N; i++) {
            labels[s][i] = i % CLASSES;
            for (int p = 0; p < PIXELS; p++) {
                int y = p / 3 / SIZE, x = p / 3 % SIZE;
                bool lit = y / (SIZE / 2) * 2 + x / (SIZE / 2) == i % CLASSES;
                pixels[s][i][p] = (uint8_t)(noise[i * PIXELS + p] + (lit ? 70.0f : 30.0f));
            }
        }
        data.split[s] = (struct unseen_images){.n = s == UNSEEN_TRAIN ? N : TEST, .labels = labels[s]};
        free(noise);
    }
    us_pixels_reader(&reader, pixels[UNSEEN_TRAIN][0], pixels[UNSEEN_TEST][0]);
}

static inline struct unseen_recipe recipe_of(int epochs)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "convnet3");
    recipe.width = 8;
    recipe.epochs = epochs;
    recipe.batch = 32; /* 200 = 6 * 32 + 8: a partial batch every epoch */
    recipe.lr = 0.05f;
    recipe.pad = 1;
    recipe.flip = 0;
    return recipe;
}

/* cmocka group setup and teardown. */
static inline int test_quadrants(void **state)
{
    const struct unseen_recipe recipe = recipe_of(1);
    draw_quadrants();
    for (int i = 0; i < N; i++)
        everyone[i] = i;
    if (us_session_new(test_device(), &data, &recipe, &session))
        return -1;
    return test_folder_make(state);
}

static inline int test_quadrants_end(void **state)
{
    us_session_free(session);
    return test_folder_remove(state);
}

/* On all but the last forty samples, which are held out. */
static inline struct us_train_job job_of(const struct unseen_recipe *recipe, const char *state)
{
    return (struct us_train_job){.recipe = recipe,
                                 .seed = 3,
                                 .train = everyone,
                                 .n_train = N - 40,
                                 .heldout = everyone + N - 40,
                                 .n_heldout = 40,
                                 .test = true,
                                 .state = state};
}

/* Of two files. */
static inline void assert_same_bytes(const char *a, const char *b)
{
    char *bytes_a, *bytes_b;
    size_t n_a, n_b;
    assert_ok(us_read_file(a, &bytes_a, &n_a));
    assert_ok(us_read_file(b, &bytes_b, &n_b));
    assert_int_equal(n_a, n_b);
    assert_memory_equal(bytes_a, bytes_b, n_a);
    free(bytes_a);
    free(bytes_b);
}

#endif
