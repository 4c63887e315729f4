/* What tests of training share that need data and no more of it: a drawn dataset of three classes, a session
 * on it, a small recipe, and a temporary folder. */
#ifndef US_T_SUPPORT_DRAWN_H
#define US_T_SUPPORT_DRAWN_H

#include "support/device.h"

#include <string.h>

#include "nn/train.h"
#include "support/folder.h"

enum { CLASSES = 3, SIZE = 16 };

static struct unseen_dataset *data;
static struct us_session *session; /* of test_drawn_session alone */

/* A model that learns such data in seconds. */
static inline struct unseen_recipe test_small_recipe(void)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "convnet3");
    recipe.width = 4;
    recipe.epochs = 2;
    recipe.batch = 16;
    return recipe;
}

/* For a cmocka group setup: `data`, with so many training samples, and test_folder. */
static inline int test_drawn(void **state, int train)
{
    const struct unseen_synth drawn = {
        .train = train, .test = 9, .classes = CLASSES, .size = SIZE, .seed = 1};
    return unseen_synth_draw(&drawn, &data, NULL, NULL) ? -1 : test_folder_make(state);
}

/* The same, and `session`. */
static inline int test_drawn_session(void **state, int train)
{
    const struct unseen_recipe recipe = test_small_recipe();
    return test_drawn(state, train) || us_session_new(test_device(), data, &recipe, &session) ? -1 : 0;
}

/* cmocka group teardown of both. */
static inline int test_drawn_end(void **state)
{
    us_session_free(session);
    unseen_dataset_close(data);
    return test_folder_remove(state);
}

#endif
