#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "unseen/bench.h"

static enum unseen_status print_json(const struct unseen_bench_options *o,
                                     const struct unseen_bench_result *r, const char *device,
                                     double start_seconds)
{
    return us_print_json(
        json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:I}", "device", device, "model",
                  o->model, "width", o->width, "batch", o->batch, "size", o->size, "train_images_per_second",
                  r->train_images_per_second, "infer_images_per_second", r->infer_images_per_second,
                  "train_gflops", 3e-9 * r->forward_flops * r->train_images_per_second, "infer_gflops",
                  1e-9 * r->forward_flops * r->infer_images_per_second, "first_step_begin_seconds",
                  start_seconds, "first_step_end_seconds", start_seconds + r->first_step_seconds,
                  "peak_bytes", (json_int_t)r->peak_bytes));
}

static void print_table(const struct unseen_bench_options *o, const struct unseen_bench_result *r,
                        const char *device, double start_seconds)
{
    printf("%s, width %d, batch %d, %d x %d pixels, float32\non %s\n\n", o->model, o->width, o->batch,
           o->size, o->size, device);
    printf("%-10s %12s %12s %26s\n", "", "images/s", "GFLOP/s", "ms a step (min .. max)");
    printf("%-10s %12.1f %12.1f %14.1f .. %.1f\n", "training", r->train_images_per_second,
           3e-9 * r->forward_flops * r->train_images_per_second, 1e3 * r->train_seconds_min,
           1e3 * r->train_seconds_max);
    printf("%-10s %12.1f %12.1f %14.1f .. %.1f\n\n", "inference", r->infer_images_per_second,
           1e-9 * r->forward_flops * r->infer_images_per_second, 1e3 * r->infer_seconds_min,
           1e3 * r->infer_seconds_max);
    printf("%.2f s from the start to the begin of the first training step, %.2f s to its end; %.1f MiB of "
           "device memory\n",
           start_seconds, start_seconds + r->first_step_seconds, (double)r->peak_bytes / (1 << 20));
}

enum unseen_status us_cmd_bench(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_bench_options options = {
        .model = "resnet18", .width = 64, .batch = 128, .size = 32, .classes = 10, .rounds = 10};
    struct unseen_bench_result result;
    struct unseen_device *device = NULL;
    bool help;
    double start = us_seconds();
    const struct us_option own[] = {
        {"model", US_OPT_STRING, &options.model, "NAME", "which network (resnet18)"},
        {"width", US_OPT_INT, &options.width, "W", "channels of the first stage (64)"},
        {"batch", US_OPT_INT, &options.batch, "B", "images a step (128)"},
        {"size", US_OPT_INT, &options.size, "S", "pixels a side (32)"},
        {"classes", US_OPT_INT, &options.classes, "C", "(10)"},
        {"rounds", US_OPT_INT, &options.rounds, "N", "timed steps (10)"},
        {NULL, US_OPT_ON, NULL, NULL, NULL},
    };
    const struct us_usage usage = {.synopsis = "unseen bench [--model M] [--batch B]",
                                   .about =
                                       "Images per second in training and inference on data that lies on the "
                                       "device: medians over the\nrounds. UNSEEN_PROFILE=1 prints time per "
                                       "kernel.",
                                   .own = own,
                                   .lists = us_list_models};
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(unseen_device_open(common.device, &device));
    double open_seconds = us_seconds() - start;
    US_TRY(unseen_bench(device, &options, &result));
    const char *name = unseen_device_about(device)->name;
    if (common.json)
        US_TRY(print_json(&options, &result, name, open_seconds + result.build_seconds));
    else
        print_table(&options, &result, name, open_seconds + result.build_seconds);
out:
    unseen_device_close(device);
    us_common_end(&common);
    return st;
}
