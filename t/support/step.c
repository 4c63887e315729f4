#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/npy.h"
#include "nn/model.h"
#include "ops/loss.h"
#include "ops/sgd.h"

/* The training step alone, for comparison with another framework (scripts/parity-torch). From weights and a
 * batch it writes logits_eval.npy, logits_train.npy [n,classes] and grads.safetensors of the first step,
 * losses.npy [steps] and, after all steps on the same batch, weights.safetensors. */

struct arguments {
    const char *model, *weights, *x, *labels, *out;
    int width, classes, steps;
    struct us_sgd sgd;
};

static int usage(void)
{
    fputs("usage: step MODEL WIDTH CLASSES WEIGHTS.safetensors X.npy LABELS.npy OUT_DIR\n"
          "            [--steps N] [--lr LR] [--momentum M] [--weight-decay W] [--no-nesterov]\n",
          stderr);
    return UNSEEN_USAGE;
}

static bool parse_options(int argc, char **argv, struct arguments *args)
{
    for (int i = 0; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--no-nesterov") == 0)
            args->sgd.nesterov = false;
        else if (strcmp(argv[i], "--steps") == 0 && more)
            args->steps = atoi(argv[++i]);
        else if (strcmp(argv[i], "--lr") == 0 && more)
            args->sgd.lr = strtof(argv[++i], NULL);
        else if (strcmp(argv[i], "--momentum") == 0 && more)
            args->sgd.momentum = strtof(argv[++i], NULL);
        else if (strcmp(argv[i], "--weight-decay") == 0 && more)
            args->sgd.weight_decay = strtof(argv[++i], NULL);
        else
            return false;
    }
    return args->steps > 0;
}

/* A batch on the device. */
struct batch {
    struct unseen_device *device;
    struct us_model *model;
    struct us_buf *labels, *rows, *record;
    float *x;
    int n, classes;
    size_t x_bytes;
};

static enum unseen_status load_batch(struct batch *batch, const struct arguments *args)
{
    enum unseen_status st = UNSEEN_OK;
    int64_t shape[4], *labels = NULL;
    int32_t *words = NULL;
    US_TRY(us_npy_read_f32(args->x, 4, shape, &batch->x));
    batch->n = (int)shape[0];
    batch->classes = args->classes;
    batch->x_bytes = (size_t)(shape[0] * shape[1] * shape[2] * shape[3]) * sizeof(float);
    struct us_model_spec spec = {.name = args->model,
                                 .width = args->width,
                                 .classes = args->classes,
                                 .height = (int)shape[1],
                                 .channels_in = (int)shape[3],
                                 .batch = batch->n,
                                 .training = true};
    US_TRY(us_model_new(batch->device, &spec, &batch->model));
    US_TRY(us_npy_read_i64(args->labels, 1, shape, &labels));
    if (shape[0] != batch->n) {
        st = us_fail(UNSEEN_BAD_DATA, args->labels, "%lld labels for %d images", (long long)shape[0],
                     batch->n);
        goto out;
    }
    size_t bytes = (size_t)batch->n * sizeof *words;
    US_TRY(us_buf_new(batch->device, bytes, &batch->labels));
    US_TRY(us_buf_new(batch->device, bytes, &batch->rows));
    US_TRY(us_buf_new(batch->device, bytes * (UNSEEN_N_ALWAYS + 1), &batch->record));
    US_TRY_ALLOC(words = us_calloc((size_t)batch->n, sizeof *words));
    for (int i = 0; i < batch->n; i++)
        words[i] = (int32_t)labels[i];
    US_TRY(us_write(batch->device, batch->labels, 0, words, bytes));
    for (int i = 0; i < batch->n; i++)
        words[i] = i;
    US_TRY(us_write(batch->device, batch->rows, 0, words, bytes));
out:
    free(labels);
    free(words);
    return st;
}

static void free_batch(struct batch *batch)
{
    us_buf_free(batch->device, batch->labels);
    us_buf_free(batch->device, batch->rows);
    us_buf_free(batch->device, batch->record);
    us_model_free(batch->model);
    free(batch->x);
}

/* Forward over the batch. */
static enum unseen_status forward(struct batch *batch, bool training)
{
    enum unseen_status st =
        us_write(batch->device, us_model_input(batch->model), 0, batch->x, batch->x_bytes);
    return st ? st : us_model_forward(batch->model, batch->n, training);
}

static enum unseen_status write_logits(struct batch *batch, const char *folder, const char *name)
{
    enum unseen_status st = UNSEEN_OK;
    size_t count = (size_t)batch->n * (size_t)batch->classes;
    float *logits = us_calloc(count, sizeof *logits);
    char *path = us_format("%s/%s", folder, name);
    US_TRY_ALLOC(logits);
    US_TRY_ALLOC(path);
    US_TRY(us_read(batch->device, us_model_logits(batch->model), 0, logits, count * sizeof *logits));
    US_TRY(us_npy_write(path, US_F32, 2, (const int64_t[]){batch->n, batch->classes}, logits));
out:
    free(logits);
    free(path);
    return st;
}

/* Loss and gradients after a forward pass. */
static enum unseen_status backward(struct batch *batch, float *mean)
{
    enum unseen_status st = UNSEEN_OK;
    size_t n = (size_t)batch->n;
    double sum = 0;
    struct us_loss loss = {.n = batch->n,
                           .classes = batch->classes,
                           .logits = us_model_logits(batch->model),
                           .labels = batch->labels,
                           .rows = batch->rows,
                           .dlogits = us_model_dlogits(batch->model),
                           .record = batch->record,
                           .stride = n};
    float *values = us_calloc(n, sizeof *values);
    US_TRY_ALLOC(values);
    US_TRY(us_loss_run(batch->device, &loss));
    US_TRY(us_model_backward(batch->model, batch->n));
    US_TRY(us_read(batch->device, batch->record, UNSEEN_N_ALWAYS * n * sizeof(float), values,
                   n * sizeof *values));
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    *mean = (float)(sum / (double)n);
out:
    free(values);
    return st;
}

static enum unseen_status run(struct batch *batch, const struct arguments *args)
{
    enum unseen_status st = UNSEEN_OK;
    char *grads = us_format("%s/grads.safetensors", args->out);
    char *weights = us_format("%s/weights.safetensors", args->out);
    char *curve = us_format("%s/losses.npy", args->out);
    float *losses = us_calloc((size_t)args->steps, sizeof *losses);
    US_TRY_ALLOC(grads);
    US_TRY_ALLOC(weights);
    US_TRY_ALLOC(curve);
    US_TRY_ALLOC(losses);
    US_TRY(us_make_folder(args->out));
    US_TRY(us_model_load(batch->model, args->weights));
    US_TRY(forward(batch, false));
    US_TRY(write_logits(batch, args->out, "logits_eval.npy"));
    for (int step = 0; step < args->steps; step++) {
        US_TRY(forward(batch, true));
        if (step == 0)
            US_TRY(write_logits(batch, args->out, "logits_train.npy"));
        US_TRY(backward(batch, &losses[step]));
        if (step == 0)
            US_TRY(us_model_save_grads(batch->model, grads));
        US_TRY(us_model_step(batch->model, &args->sgd));
    }
    US_TRY(us_npy_write(curve, US_F32, 1, (const int64_t[]){args->steps}, losses));
    US_TRY(us_model_save(batch->model, weights));
out:
    free(grads);
    free(weights);
    free(curve);
    free(losses);
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 8)
        return usage();
    struct arguments args = {.model = argv[1],
                             .weights = argv[4],
                             .x = argv[5],
                             .labels = argv[6],
                             .out = argv[7],
                             .width = atoi(argv[2]),
                             .classes = atoi(argv[3]),
                             .steps = 10,
                             .sgd = {0.1f, 0.9f, 5e-4f, true}};
    if (!parse_options(argc - 8, argv + 8, &args))
        return usage();
    enum unseen_status st = UNSEEN_OK;
    struct batch batch = {0};
    US_TRY(unseen_device_open(NULL, &batch.device));
    US_TRY(load_batch(&batch, &args));
    US_TRY(run(&batch, &args));
out:
    if (st)
        fprintf(stderr, "unseen: %s\n", unseen_last_error());
    if (batch.device)
        free_batch(&batch);
    unseen_device_close(batch.device);
    return (int)st;
}
