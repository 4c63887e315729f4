#include "config.h"

#include "datasets/index/file_pass.h"

#include "base/progress.h"
#include "base/threads.h"
#include "datasets/format.h"

static void fail(struct us_file_pass *pass, enum unseen_status status)
{
    pthread_mutex_lock(&pass->lock);
    if (!pass->failed)
        us_error_take(status, &pass->error);
    pass->failed = true;
    pthread_mutex_unlock(&pass->lock);
}

static void show(struct us_file_pass *pass, int64_t done)
{
    pthread_mutex_lock(&pass->lock);
    us_progress_update(pass->progress, (uint64_t)done, NULL);
    pthread_mutex_unlock(&pass->lock);
}

static enum unseen_status take_blocks(struct us_file_pass *pass, struct us_image_decoder *decoder,
                                      struct us_bytes *bytes)
{
    enum unseen_status st = UNSEEN_OK;
    for (;;) {
        const int64_t from = atomic_fetch_add(&pass->next, pass->block);
        if (from >= pass->n || pass->failed)
            return UNSEEN_OK;
        if (from % pass->shown == 0)
            show(pass, from);
        for (int64_t i = from; i < from + pass->block && i < pass->n; i++) {
            US_TRY(us_dataset_go_on(pass->location));
            US_TRY(pass->look(pass, i, decoder, bytes));
        }
    }
out:
    return st;
}

static void work(void *context, int thread)
{
    struct us_file_pass *pass = context;
    struct us_image_decoder *decoder = NULL;
    struct us_bytes bytes = {0};
    enum unseen_status st;
    (void)thread;
    US_TRY(us_image_open(&decoder));
    US_TRY(take_blocks(pass, decoder, &bytes));
out:
    if (st != UNSEEN_OK)
        fail(pass, st);
    us_bytes_free(&bytes);
    us_image_close(decoder);
}

enum unseen_status us_file_pass_run(struct us_file_pass *pass)
{
    pass->n = pass->index->n[UNSEEN_TRAIN] + pass->index->n[UNSEEN_TEST];
    const int64_t blocks = (pass->n + pass->block - 1) / pass->block;
    if (pass->n > pass->shown)
        pass->progress = us_progress_begin(pass->title, "files", (uint64_t)pass->n);
    us_threads_run(blocks < pass->threads ? (int)blocks : pass->threads, work, pass);
    us_progress_end(pass->progress);
    return pass->failed ? us_error_again(&pass->error) : UNSEEN_OK;
}
