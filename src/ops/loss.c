#include "config.h"

#include "ops/loss.h"

#include <stdio.h>

#include "ops/launch.h"

enum { GROUP = 64 }; /* work-items that take a sample on GPUs */

static struct us_range samples(const struct unseen_device *device, int n)
{
    return us_device_is_cpu(device) ? us_range_large_items(device, (size_t)n)
                                    : US_RANGE1L((size_t)n * GROUP, GROUP);
}

static enum unseen_status get(struct unseen_device *device, const char *name, struct us_kernel **kernel)
{
    char options[192];
    snprintf(options, sizeof options,
             "-DITEMS=%d -DP_TRUE=%d -DMARGIN=%d -DEL2N=%d -DENTROPY=%d -DLOSS=%d -DCORRECT=%d "
             "-DOBJECTIVE=%d",
             us_device_is_cpu(device) ? 1 : GROUP, UNSEEN_P_TRUE, UNSEEN_MARGIN, UNSEEN_EL2N, UNSEEN_ENTROPY,
             UNSEEN_LOSS, UNSEEN_CORRECT, UNSEEN_N_ALWAYS);
    return us_kernel_get(device, "loss.cl", options, name, kernel);
}

enum unseen_status us_loss_prepare(struct unseen_device *device)
{
    struct us_kernel *kernel;
    return get(device, "loss_run", &kernel);
}

enum unseen_status us_loss_run(struct unseen_device *device, const struct us_loss *loss)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    if (loss->classes < 2)
        return us_fail(UNSEEN_USAGE, "loss", "there must be two classes at least, not %d", loss->classes);
    US_TRY(get(device, "loss_run", &kernel));
    US_TRY(us_run(device, kernel, samples(device, loss->n), "iiifbbbblbbllb", loss->n,
                  loss->over ? loss->over : loss->n, loss->classes, (double)loss->smoothing, loss->logits,
                  loss->labels, loss->rows, loss->weights, (int64_t)loss->first_weight, loss->dlogits,
                  loss->record, (int64_t)loss->stride, (int64_t)loss->column, loss->scaling));
out:
    return st;
}

enum unseen_status us_softmax_run(struct unseen_device *device, int n, int classes, struct us_buf *logits,
                                  struct us_buf *probs, int first)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_kernel *kernel = NULL;
    US_TRY(get(device, "loss_softmax", &kernel));
    US_TRY(us_run(device, kernel, samples(device, n), "iibbi", n, classes, logits, probs, first));
out:
    return st;
}
