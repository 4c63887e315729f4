/* Drawn datasets as files, with the truth about them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "datasets/cifar.h"
#include "datasets/export.h"
#include "datasets/synth.h"

static enum unseen_status write_truth(const char *folder, const struct unseen_images *train,
                                      const uint8_t *kinds, const int32_t *truth)
{
    static const char *const names[] = {"plain", "hard", "redundant", "mislabelled"};
    enum unseen_status st = UNSEEN_OK;
    struct us_atomic file = {0};
    char *path = us_format("%s/truth.csv", folder);
    US_TRY_ALLOC(path);
    US_TRY(us_atomic_begin(path, &file));
    fprintf(file.stream, "index,label,true_label,kind\n");
    for (int64_t i = 0; i < train->n; i++)
        fprintf(file.stream, "%lld,%d,%d,%s\n", (long long)i, train->labels[i], truth[i], names[kinds[i]]);
    US_TRY(us_atomic_commit(&file));
out:
    us_atomic_abandon(&file);
    free(path);
    return st;
}

enum unseen_status unseen_synth_write(const struct unseen_synth *recipe, const char *out)
{
    const struct us_cifar *layout = us_cifar_for(recipe->classes);
    const struct us_subset all = {NULL, recipe->train};
    /* What is known before anything is drawn. */
    const struct unseen_dataset planned = {.location = "synth",
                                           .height = recipe->size,
                                           .width = recipe->size,
                                           .channels = 3,
                                           .classes = recipe->classes,
                                           .split = {{.n = recipe->train}, {.n = recipe->test}}};
    struct us_export export = {0};
    struct unseen_dataset *data = NULL;
    uint8_t *kinds = NULL;
    int32_t *truth = NULL;
    int64_t bytes = 0;
    enum unseen_status st;
    US_TRY(us_synth_check(recipe));
    if (recipe->size != US_CIFAR_SIDE) {
        st = us_fail(UNSEEN_USAGE, "synth",
                     "images of %dx%d pixels cannot be written: CIFAR's files have 32x32", recipe->size,
                     recipe->size);
        us_hint("synth:N,C,SIZE,SEED draws other sizes in memory, wherever a dataset is named");
        goto out;
    }
    US_TRY(us_cifar_measure(layout, &planned, &all, &bytes));
    US_TRY(us_export_begin(out, bytes, &export));
    US_TRY(unseen_synth_draw(recipe, &data, &kinds, &truth));
    US_TRY(us_cifar_write(layout, data, &all, export.folder));
    US_TRY(write_truth(export.folder, &data->split[UNSEEN_TRAIN], kinds, truth));
    st = us_export_commit(&export);
out:
    us_export_end(&export);
    free(truth);
    free(kinds);
    unseen_dataset_close(data);
    return st;
}
