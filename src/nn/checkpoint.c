#include "config.h"

#include "nn/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory_stream.h"
#include "base/reader.h"
#include "base/safetensors.h"
#include "base/text.h"
#include "nn/fingerprint.h"
#include "nn/model_copy.h"
#include "nn/model_parts.h"

enum { N_NUMBERS = 9 };

/* What a sampler goes by lies behind the model's. */
enum { ARRAYS = US_COPY_PARTS + 1 };
static const char *const names[] = {
    [US_MODEL_PARAMS] = "params",   [US_MODEL_VELOCITY] = "velocity", [US_MODEL_STATS] = "stats",
    [US_MODEL_SCALING] = "scaling", [US_MODEL_SLOW] = "slow_params",  [US_MODEL_SLOW_STATS] = "slow_stats"};
static const char losses_name[] = "losses";

/* The measured numbers of an epoch, in the order in which the file holds them. */
static void epoch_numbers(struct unseen_epoch *epoch, double *numbers[N_NUMBERS])
{
    double *order[N_NUMBERS] = {&epoch->lr,
                                &epoch->train_loss,
                                &epoch->train_accuracy,
                                &epoch->heldout_loss,
                                &epoch->heldout_accuracy,
                                &epoch->test_loss,
                                &epoch->test_accuracy,
                                &epoch->images,
                                &epoch->seconds};
    memcpy(numbers, order, sizeof order);
}

/* A line an epoch, numbers in hexadecimal: exact. Fresh memory. */
static enum unseen_status print_history(const struct us_state *state, char **text)
{
    struct us_memory_stream memory;
    us_memory_stream_begin(&memory);
    for (int e = 0; memory.stream && e < state->epochs; e++) {
        double *numbers[N_NUMBERS];
        epoch_numbers(&state->history[e], numbers);
        for (int k = 0; k < N_NUMBERS; k++)
            us_print(memory.stream, "%a%c", *numbers[k], k + 1 < N_NUMBERS ? ' ' : '\n');
    }
    return us_memory_stream_end(&memory, "checkpoint", text, NULL);
}

/* The reverse; false if the text is not `epochs` whole lines. */
static bool parse_history(const char *text, struct unseen_epoch *history, int epochs)
{
    for (int e = 0; e < epochs; e++) {
        double *numbers[N_NUMBERS];
        history[e].epoch = e;
        epoch_numbers(&history[e], numbers);
        for (int k = 0; k < N_NUMBERS; k++) {
            char *end;
            *numbers[k] = us_read_number(text, &end);
            if (end == text)
                return false;
            text = end;
        }
    }
    return true;
}

/* The same of epochs that ended with a test with views, each behind its number. Fresh memory; NULL: there are
 * none. */
static enum unseen_status print_views(const struct us_state *state, char **text)
{
    enum unseen_status st = UNSEEN_OK;
    *text = NULL;
    for (int e = 0; e < state->epochs; e++) {
        const struct unseen_epoch *epoch = &state->history[e];
        if (isnan(epoch->views_accuracy))
            continue;
        char line[96];
        us_print_to(line, sizeof line, "%d %a %a\n", e, epoch->views_loss, epoch->views_accuracy);
        char *longer = us_format("%s%s", *text ? *text : "", line);
        US_TRY_ALLOC(longer);
        free(*text);
        *text = longer;
    }
out:
    return st;
}

static bool parse_views(const char *text, struct unseen_epoch *history, int epochs)
{
    for (int e = 0; e < epochs; e++)
        history[e].views_loss = history[e].views_accuracy = NAN;
    while (text && *text) {
        char *end;
        const long e = strtol(text, &end, 10);
        if (end == text || e < 0 || e >= epochs)
            return false;
        history[e].views_loss = us_read_number(end, &end);
        history[e].views_accuracy = us_read_number(end, &end);
        text = end + strspn(end, "\n");
    }
    return true;
}

/* One of the file's arrays; returns the checksum that goes on with it. */
static uint64_t view_array(const char *name, const float *values, int64_t count, uint64_t sum,
                           struct us_tensor_view *view)
{
    *view =
        (struct us_tensor_view){.name = name, .dtype = US_F32, .ndim = 1, .shape = {count}, .data = values};
    return us_hash(sum, values, (size_t)count * sizeof *values);
}

enum unseen_status us_checkpoint_write(const char *path, struct us_model *model, const struct us_state *state)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_tensor_view views[ARRAYS] = {{0}};
    struct us_model_copy copy = {0};
    char epochs[16], batches[24], sum_text[24];
    char *history = NULL, *views_text = NULL;
    uint64_t sum = US_HASH_START;
    US_TRY(print_history(state, &history));
    US_TRY(print_views(state, &views_text));
    US_TRY(us_model_copy_read(model, &copy));
    size_t n = (size_t)copy.n;
    for (size_t p = 0; p < n; p++)
        sum = view_array(names[us_copy_part(model, (int)p)], copy.values[p], (int64_t)copy.count[p], sum,
                         &views[p]);
    if (state->losses)
        sum = view_array(losses_name, state->losses, state->n_losses, sum, &views[n++]);
    snprintf(epochs, sizeof epochs, "%d", state->epochs);
    snprintf(batches, sizeof batches, "%" PRId64, copy.batches);
    snprintf(sum_text, sizeof sum_text, "%016" PRIx64, sum);
    const char *metadata[] = {"settings",
                              state->settings,
                              "epochs",
                              epochs,
                              "batches",
                              batches,
                              "history",
                              history,
                              "checksum",
                              sum_text,
                              views_text ? "views" : NULL,
                              views_text,
                              NULL};
    US_TRY(us_safetensors_write(path, views, n, metadata));
out:
    us_model_copy_free(&copy);
    free(history);
    free(views_text);
    return st;
}

/* What differs first between two settings texts, as "key value" of the one and the other. */
static enum unseen_status settings_differ(const char *path, const char *theirs, const char *ours)
{
    const char *a = theirs, *b = ours;
    while (*a && *b) {
        size_t na = strcspn(a, "\n"), nb = strcspn(b, "\n");
        if (na != nb || memcmp(a, b, na) != 0)
            break;
        a += na + (a[na] != '\0');
        b += nb + (b[nb] != '\0');
    }
    us_fail(UNSEEN_USAGE, path, "belongs to another run: it has \"%.*s\", this run \"%.*s\"",
            (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
    if (strncmp(a, "convolutions ", 13) == 0)
        us_hint("unseen tune or UNSEEN_CONV has changed what computes them since; UNSEEN_TUNING=0 undoes the "
                "first, or remove that file to begin again");
    else if (strncmp(a, "data ", 5) == 0)
        us_hint(US_DATA_DIFFER);
    else
        us_hint("choose another --out, or remove that file to begin again");
    return UNSEEN_USAGE;
}

/* An array of `count` numbers, and its checksum on top of *sum; NULL if the file has none such. */
static const struct us_tensor_view *find_array(const struct us_safetensors *file, const char *name,
                                               int64_t count, uint64_t *sum)
{
    const struct us_tensor_view *view = us_safetensors_find(file, name);
    if (!view || view->dtype != US_F32 || view->ndim != 1 || view->shape[0] != count)
        return NULL;
    *sum = us_hash(*sum, view->data, (size_t)count * sizeof(float));
    return view;
}

/* The arrays, if all are there, of the right size and with the right checksum. */
static bool find_arrays(const struct us_safetensors *file, const struct us_model *model,
                        const struct us_state *state, const struct us_tensor_view *views[ARRAYS])
{
    const char *expected = us_safetensors_metadata(file, "checksum");
    uint64_t sum = US_HASH_START;
    for (int p = 0; p < us_copy_parts(model); p++) {
        const enum us_model_part part = us_copy_part(model, p);
        if (!(views[p] = find_array(file, names[part], (int64_t)us_model_count(model, part), &sum)))
            return false;
    }
    if (state->losses && !(views[US_COPY_PARTS] = find_array(file, losses_name, state->n_losses, &sum)))
        return false;
    char text[24];
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    return expected && strcmp(expected, text) == 0;
}

static enum unseen_status torn(const char *path, const char *why)
{
    us_log(UNSEEN_LOG_WARNING, "%s: not a usable state (%s); beginning again", path, why);
    return UNSEEN_OK;
}

/* All but opening. */
static enum unseen_status restore(const char *path, const struct us_safetensors *file, struct us_model *model,
                                  struct us_state *state, enum us_checkpoint_found *found)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_tensor_view *views[ARRAYS];
    struct unseen_epoch *history = NULL;
    float *values = NULL;
    const char *settings = us_safetensors_metadata(file, "settings");
    const char *epochs = us_safetensors_metadata(file, "epochs");
    const char *batches = us_safetensors_metadata(file, "batches");
    const char *lines = us_safetensors_metadata(file, "history");
    if (!settings || !epochs || !batches || !lines || atoi(epochs) < 1)
        return torn(path, "it lacks its description");
    if (strcmp(settings, state->settings) != 0)
        return settings_differ(path, settings, state->settings);
    if (!find_arrays(file, model, state, views))
        return torn(path, "its arrays are damaged");
    US_TRY_ALLOC(history = us_calloc((size_t)atoi(epochs), sizeof *history));
    if (!parse_history(lines, history, atoi(epochs)) ||
        !parse_views(us_safetensors_metadata(file, "views"), history, atoi(epochs))) {
        st = torn(path, "its history is damaged");
        goto out;
    }
    for (int p = 0; p < us_copy_parts(model); p++) {
        size_t count = us_model_count(model, us_copy_part(model, p));
        float *grown = us_realloc(values, count, sizeof *values);
        US_TRY_ALLOC(grown);
        values = memcpy(grown, views[p]->data, count * sizeof *values);
        US_TRY(us_model_set(model, us_copy_part(model, p), values));
    }
    if (state->losses)
        memcpy(state->losses, views[US_COPY_PARTS]->data, (size_t)state->n_losses * sizeof *state->losses);
    model->batches = strtoll(batches, NULL, 10);
    state->history = history;
    state->epochs = atoi(epochs);
    history = NULL;
    *found = US_CHECKPOINT_READ;
out:
    free(history);
    free(values);
    return st;
}

enum unseen_status us_checkpoint_read(const char *path, struct us_model *model, struct us_state *state,
                                      enum us_checkpoint_found *found)
{
    struct us_safetensors *file = NULL;
    *found = US_CHECKPOINT_NONE;
    if (!us_exists(path))
        return UNSEEN_OK;
    if (us_safetensors_open(path, &file))
        return torn(path, unseen_last_error());
    enum unseen_status st = restore(path, file, model, state, found);
    us_safetensors_close(file);
    return st;
}

int us_checkpoint_epochs(const char *path)
{
    struct us_safetensors *file = NULL;
    if (!us_exists(path) || us_safetensors_open(path, &file))
        return 0;
    const char *text = us_safetensors_metadata(file, "epochs");
    const int epochs = text ? atoi(text) : 0;
    us_safetensors_close(file);
    return epochs > 0 ? epochs : 0;
}
