#include "config.h"

#include "nn/views.h"

static const struct us_looks looks[] = {
    [UNSEEN_VIEWS_NONE] = {"none", 1, {{0, 0, false, 1}}},
    [UNSEEN_VIEWS_MIRROR] = {"mirror", 2, {{0, 0, false, 0.5f}, {0, 0, true, 0.5f}}},
    [UNSEEN_VIEWS_TRANSLATE] = {"translate",
                                6,
                                {{0, 0, false, 0.25f},
                                 {0, 0, true, 0.25f},
                                 {-1, -1, false, 0.125f},
                                 {-1, -1, true, 0.125f},
                                 {1, 1, false, 0.125f},
                                 {1, 1, true, 0.125f}}},
};

const struct us_looks *us_looks(enum unseen_views views)
{
    return &looks[views];
}
