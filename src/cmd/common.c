/* What several subcommands print. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "nn/loading.h"
#include "unseen/score.h"
#include "unseen/select.h"

int us_wider(int width, const char *text)
{
    const int length = (int)strlen(text);
    return length > width ? length : width;
}

void us_list(const char *title, const char *(*name)(int), const char *(*help)(int))
{
    us_print_title(title);
    for (int i = 0; name(i); i++)
        us_print_entry(name(i), help(i));
}

void us_list_models(void)
{
    us_list("Models", unseen_model_name, unseen_model_help);
}

void us_list_training(void)
{
    us_list_models();
    us_print_title("Recipes");
    for (int i = 0; unseen_recipe_name(i); i++) {
        char *text = us_format("%s: %s", unseen_recipe_help(i), unseen_recipe_settings(i));
        us_print_entry(unseen_recipe_name(i), text ? text : unseen_recipe_help(i));
        free(text);
    }
}

void us_list_samplers(void)
{
    us_list("Samplers", unseen_sampler_name, unseen_sampler_help);
}

void us_list_scores(void)
{
    us_list("Scores", unseen_score_name, unseen_score_help);
}

void us_list_rules(void)
{
    us_list("Rules", unseen_rule_name, unseen_rule_help);
}

void us_list_choices(void)
{
    us_list_training();
    us_list_scores();
    us_list_rules();
}

/* The device that the run in the folder was begun on goes with the hint: it may be gone, not just missing. */
static void hint_at_earlier_device(const char *folder)
{
    static const char *const names[] = {"scoring.json", "run.json", "audit.json"};
    for (int i = 0; i < 3; i++) {
        char *path = us_format("%s/%s", folder, names[i]);
        json_t *run = path ? json_load_file(path, 0, NULL) : NULL;
        const json_t *device = json_object_get(run, "device");
        const char *name = json_string_value(json_object_get(device, "name"));
        const char *driver = json_string_value(json_object_get(device, "driver"));
        char *before = name ? us_format("%s", unseen_last_hint()) : NULL;
        if (before)
            us_hint("%s was there in the last run of %s (driver %s)%s%s", name, folder,
                    driver ? driver : "unknown", *before ? "; " : "", before);
        free(before);
        json_decref(run);
        free(path);
        if (name)
            break;
    }
}

enum unseen_status us_open_device(const struct us_common *common, struct unseen_device **device)
{
    const enum unseen_status st = unseen_device_open(common->device, device);
    if (st == UNSEEN_NO_DEVICE && common->out)
        hint_at_earlier_device(common->out);
    return st;
}

enum unseen_status us_open_data(const struct us_common *common, const char *name,
                                const struct unseen_dataset_options *reading, struct unseen_dataset **data)
{
    const enum unseen_status st = unseen_dataset_open(name, reading, data);
    return st ? st : us_options_settle(common, *data);
}

enum unseen_status us_open_inputs(const struct us_common *common, const char *name,
                                  const struct unseen_dataset_options *reading, struct unseen_dataset **data,
                                  struct unseen_device **device)
{
    const enum unseen_status st = us_open_data(common, name, reading, data);
    return st ? st : us_open_device(common, device);
}

enum unseen_status us_print_json(json_t *value)
{
    bool bad = !value || json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(value);
    putchar('\n');
    return bad ? us_fail(UNSEEN_FAILED, "--json", "cannot print") : UNSEEN_OK;
}

char *us_shape_text(const struct unseen_conv *c, char text[US_SHAPE_TEXT])
{
    int at = snprintf(text, US_SHAPE_TEXT, "%d x %dx%dx%d to %d, %dx%d", c->batch, c->height, c->width,
                      c->channels_in, c->channels_out, c->kernel, c->kernel);
    if (c->stride > 1 && at > 0 && at < US_SHAPE_TEXT)
        snprintf(text + at, (size_t)(US_SHAPE_TEXT - at), "/%d", c->stride);
    return text;
}

json_t *us_conv_json(const struct unseen_conv *c)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s}", "batch", c->batch, "height", c->height,
                     "width", c->width, "channels_in", c->channels_in, "channels_out", c->channels_out,
                     "kernel", c->kernel, "stride", c->stride, "pad", c->pad, "direction", c->direction);
}

json_t *us_race_json(const struct unseen_tune_row *r)
{
    json_t *row = us_conv_json(&r->conv), *all = json_array();
    for (int i = 0; all && i < r->candidates; i++)
        json_array_append_new(all, json_pack("{s:s, s:f, s:f}", "algorithm", r->candidate[i].algorithm, "ms",
                                             1e3 * r->candidate[i].seconds, "gflops",
                                             1e-9 * r->conv.flops / r->candidate[i].seconds));
    if (row)
        json_object_set(row, "candidates", all);
    json_decref(all);
    return row;
}

void us_note_test_split(const struct unseen_dataset *data)
{
    const bool files = data->split[UNSEEN_TRAIN].paths != NULL;
    if (data->split[UNSEEN_TEST].n == 0)
        us_log(UNSEEN_LOG_INFO, "%s: there is no test split%s", data->location,
               files ? "; --test-share 0.1 would hold out a tenth of each class" : "");
}

void us_print_cutoff(double cutoff, double noise_rate)
{
    if (!isnan(cutoff))
        printf("cut off: %.1f %% of the samples; share of wrong labels, as the models judge: %.1f %%\n",
               100 * cutoff, 100 * noise_rate);
}

void us_print_loading(void)
{
    struct unseen_loading l;
    unseen_loading(&l);
    if (l.decoded == 0 || l.seconds <= 0)
        return;
    printf(
        "waited for data %.1f %% of the time: %s; %lld images decoded by %d thread%s, busy %.0f %% of it\n",
        100 * l.waited / l.seconds, us_bottleneck_text(unseen_loading_bottleneck(&l)), (long long)l.decoded,
        l.threads, l.threads == 1 ? "" : "s", 100 * l.busy);
}

char *us_duration(double seconds, char *text)
{
    if (seconds < 60)
        snprintf(text, 32, "%.1f s", seconds);
    else if (seconds < 3600)
        snprintf(text, 32, "%d min %d s", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(text, 32, "%d h %d min", (int)(seconds / 3600), (int)seconds / 60 % 60);
    return text;
}
