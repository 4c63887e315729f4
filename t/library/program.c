/* A program of somebody else's: installed headers and -lunseen alone. Argument: a folder to work in. Prints
 * what went wrong and fails, or "done". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unseen/audit.h>
#include <unseen/bench.h>
#include <unseen/compare.h>
#include <unseen/prune.h>
#include <unseen/report.h>

enum { N = 60, CLASSES = 3 };

static void check(enum unseen_status status, const char *what)
{
    if (status == UNSEEN_OK)
        return;
    printf("%s: %s\n", what, unseen_last_error());
    exit((int)status);
}

static void expect(int holds, const char *what)
{
    if (holds)
        return;
    printf("%s\n", what);
    exit(1);
}

/* Scores of one's own: nothing is recorded, nothing is read. */
static void select_own(void)
{
    float scores[N];
    int32_t labels[N];
    int64_t *kept = NULL, m = 0;
    for (int i = 0; i < N; i++) {
        scores[i] = (float)((i * 7) % N);
        labels[i] = i % CLASSES;
    }
    check(unseen_select("ccs", scores, labels, N, CLASSES, NULL, &kept, &m), "select");
    expect(m == N / 2 && kept[0] >= 0 && kept[m - 1] < N, "select: not half of them");
    free(kept);
}

static char *join(const char *folder, const char *name)
{
    static char paths[4][1024];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* What `unseen prune` does, and after it what `unseen select --trajectory` does: the same samples. */
static void prune(struct unseen_device *device, const struct unseen_dataset *data, const char *folder)
{
    struct unseen_prune_options options;
    struct unseen_prune_result result;
    struct unseen_selection selection;
    const char *out = join(folder, "run");
    char again[1024];
    snprintf(again, sizeof again, "%s/again.npy", folder);
    unseen_prune_defaults(&options);
    strcpy(options.scoring.recipe.model, "convnet3");
    options.scoring.recipe.width = 4;
    options.scoring.recipe.epochs = 2;
    options.scoring.recipe.batch = 32;
    options.scoring.folds = 2;
    options.scoring.out = out;
    unseen_interrupt();
    expect(unseen_prune(device, data, &options, &result) == UNSEEN_INTERRUPTED, "an interrupt stops nothing");
    unseen_interrupt_clear();
    check(unseen_prune(device, data, &options, &result), "prune");
    expect(result.n == data->split[UNSEEN_TRAIN].n && result.m == result.n / 2, "prune: not half of them");
    check(unseen_report(out, NULL, 0), "report");

    struct unseen_select_files files = {.data = data, .kept = again};
    struct unseen_select_options select;
    char scores[1100], trajectory[1100];
    snprintf(scores, sizeof scores, "%s/scores.npy", out);
    snprintf(trajectory, sizeof trajectory, "%s/trajectory", out);
    files.scores = scores;
    unseen_select_defaults(&select);
    check(unseen_select_trajectory("ccs", trajectory, NULL, &files, &select, &selection),
          "select_trajectory");
    expect(selection.n == result.n && selection.m == result.m && selection.cutoff == result.cutoff,
           "select_trajectory: another coreset than prune's");
}

static void train(struct unseen_device *device, const struct unseen_dataset *data, const char *folder)
{
    struct unseen_train_options options;
    struct unseen_epoch *made = NULL, *read = NULL;
    int n = 0, n_read = 0;
    unseen_train_defaults(&options);
    strcpy(options.recipe.model, "convnet3");
    options.recipe.width = 4;
    options.recipe.epochs = 2;
    options.recipe.batch = 32;
    options.out = join(folder, "model");
    check(unseen_train(device, data, &options, &made, &n), "train");
    check(unseen_history_read(join(options.out, "history.csv"), &read, &n_read), "history_read");
    expect(n == 2 && n_read == n && read[1].epoch == 1, "history: other epochs than were trained");
    free(made);
    free(read);
}

int main(int argc, char **argv)
{
    const struct unseen_synth drawn = {.train = N, .test = 30, .classes = CLASSES, .size = 16, .seed = 1};
    struct unseen_dataset *data = NULL;
    struct unseen_device_info *devices = NULL;
    struct unseen_device *device = NULL;
    int n = 0;
    expect(argc == 2, "argument: a folder");
    expect(strcmp(unseen_version(), UNSEEN_VERSION) == 0, "the headers are of another version");
    unseen_log_level_set(UNSEEN_LOG_ERROR);
    select_own();
    check(unseen_synth_draw(&drawn, &data, NULL, NULL), "synth_draw");
    check(unseen_device_list(&devices, &n), "device_list");
    free(devices);
    if (n > 0) {
        check(unseen_device_open(NULL, &device), "device_open");
        prune(device, data, argv[1]);
        train(device, data, argv[1]);
        unseen_device_close(device);
    }
    unseen_dataset_close(data);
    puts("done");
    return 0;
}
