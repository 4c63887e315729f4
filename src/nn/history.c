#include "config.h"

#include <math.h>

#include "base/fs.h"
#include "nn/train.h"

/* A cell behind a comma; empty for what was not measured. */
static void cell(FILE *stream, const char *format, double value)
{
    fputc(',', stream);
    if (!isnan(value))
        fprintf(stream, format, value);
}

enum unseen_status us_history_write(const char *path, const struct unseen_epoch *history, int epochs)
{
    struct us_atomic file;
    enum unseen_status st = us_atomic_begin(path, &file);
    if (st)
        return st;
    fputs(
        "epoch,lr,train_loss,train_accuracy,heldout_loss,heldout_accuracy,test_loss,test_accuracy,seconds\n",
        file.stream);
    for (int e = 0; e < epochs; e++) {
        const struct unseen_epoch *epoch = &history[e];
        fprintf(file.stream, "%d", epoch->epoch);
        cell(file.stream, "%.9g", epoch->lr);
        cell(file.stream, "%.9g", epoch->train_loss);
        cell(file.stream, "%.9g", epoch->train_accuracy);
        cell(file.stream, "%.9g", epoch->heldout_loss);
        cell(file.stream, "%.9g", epoch->heldout_accuracy);
        cell(file.stream, "%.9g", epoch->test_loss);
        cell(file.stream, "%.9g", epoch->test_accuracy);
        cell(file.stream, "%.3f", epoch->seconds);
        fputc('\n', file.stream);
    }
    return us_atomic_commit(&file);
}
