/* A program that uses the library in the user's locale: it prunes, compares, trains, audits and reports into
 * the folder that it is given. Prints its decimal point. For t/cmd/locale.bats. */
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unseen/audit.h"
#include "unseen/compare.h"
#include "unseen/device.h"
#include "unseen/prune.h"
#include "unseen/report.h"

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        if ((call) != UNSEEN_OK)                                                                             \
            fail(#call);                                                                                     \
    } while (0)

static struct unseen_device *device;
static struct unseen_dataset *data;
static const char *folder;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, unseen_last_error());
    exit(1);
}

static const char *path_of(const char *name)
{
    static char paths[4][1024];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static struct unseen_recipe recipe_of(int epochs)
{
    struct unseen_recipe recipe;
    unseen_recipe_defaults(&recipe);
    strcpy(recipe.model, "convnet3");
    recipe.width = 4;
    recipe.epochs = epochs;
    recipe.batch = 32;
    return recipe;
}

static void prune(void)
{
    struct unseen_prune_options options;
    struct unseen_prune_result result;
    unseen_prune_defaults(&options);
    options.scoring.recipe = recipe_of(2);
    options.scoring.folds = 2;
    options.scoring.record_also = UNSEEN_AUDIT_RECORD;
    options.scoring.out = path_of("prune");
    options.metric = "0.5*el2n + 0.25*aum";
    options.select.keep = 0.5;
    TRY(unseen_prune(device, data, &options, &result));
    TRY(unseen_report(options.scoring.out, data, 0));
}

static void audit(void)
{
    const struct unseen_audit_options options = {.count = 9};
    struct unseen_trajectory *trajectory;
    struct unseen_audit *found;
    TRY(unseen_trajectory_open(path_of("prune/trajectory"), &trajectory));
    TRY(unseen_audit(trajectory, &options, &found));
    TRY(unseen_audit_write(found, data, NULL, path_of("audit")));
    unseen_audit_free(found);
    unseen_trajectory_close(trajectory);
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : fabs(a - b) <= 1e-8 * fabs(a);
}

/* One model, stopped on request before it begins, and then not. What it returns is what its file holds. */
static void train(void)
{
    struct unseen_train_options options = {
        .recipe = recipe_of(2), .sampler = {"all", 0.5}, .out = path_of("train")};
    struct unseen_epoch *history, *kept;
    int epochs, rows;
    if (access(path_of("train/history.csv"), F_OK) != 0) {
        unseen_interrupt();
        if (unseen_train(device, data, &options, NULL, NULL) != UNSEEN_INTERRUPTED)
            fail("unseen_train, interrupted");
        unseen_interrupt_clear();
    }
    TRY(unseen_train(device, data, &options, &history, &epochs));
    TRY(unseen_history_read(path_of("train/history.csv"), &kept, &rows));
    for (int e = 0; e < epochs; e++) {
        if (rows != epochs || !same(history[e].lr, kept[e].lr) ||
            !same(history[e].train_loss, kept[e].train_loss) ||
            !same(history[e].heldout_loss, kept[e].heldout_loss) ||
            !same(history[e].test_accuracy, kept[e].test_accuracy))
            fail("history.csv");
    }
    free(history);
    free(kept);
    TRY(unseen_report(options.out, data, 0));
}

static void compare(void)
{
    struct unseen_compare_options options;
    unseen_compare_defaults(&options);
    options.metrics = "el2n";
    options.protocols = "seen";
    options.rules = "ccs=0.1";
    options.keep = "0.5";
    options.seeds = 1;
    options.recipe = options.scoring.recipe = recipe_of(1);
    options.out = path_of("compare");
    TRY(unseen_compare(device, data, &options, NULL, NULL));
    TRY(unseen_report(options.out, data, 0));
}

int main(int argc, char **argv)
{
    const struct unseen_synth drawn = {.train = 160, .test = 20, .classes = 4, .size = 16, .seed = 1};
    if (argc != 2 || !setlocale(LC_ALL, ""))
        return 2;
    folder = argv[1];
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    TRY(unseen_synth_draw(&drawn, &data, NULL, NULL));
    TRY(unseen_device_open(NULL, &device));
    prune();
    audit();
    train();
    compare();
    unseen_device_close(device);
    unseen_dataset_close(data);
    puts(localeconv()->decimal_point);
    return 0;
}
