#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/bench_options.h"
#include "cmd/cmd.h"
#include "unseen/bench.h"

/* What was measured. */
struct measured {
    const struct unseen_bench_options *options;
    const char *device;
    double start_seconds;
    struct unseen_bench_result result; /* zeroed with --no-steps */
    struct unseen_bench_conv *convs;   /* [n] and `peak` with --explain */
    int n;
    double peak; /* FLOP/s */
};

static bool timed(const struct measured *m)
{
    return m->result.train_images_per_second > 0;
}

static double gflops(const struct unseen_bench_conv *c)
{
    return 1e-9 * c->conv.flops / c->seconds;
}

static json_t *conv_json(const struct unseen_bench_conv *c, double peak)
{
    json_t *row = us_conv_json(&c->conv);
    json_t *more = json_pack("{s:s, s:i, s:s, s:s, s:f, s:f, s:f}", "layer", c->layer, "times", c->times,
                             "algorithm", c->algorithm, "why", c->why, "ms", 1e3 * c->seconds, "gflops",
                             gflops(c), "share_of_peak", 1e9 * gflops(c) / peak);
    if (row && more && c->other[0]) {
        json_object_set_new(more, "other", json_string(c->other));
        json_object_set_new(more, "other_ms", json_real(1e3 * c->other_seconds));
    }
    if (row && more)
        json_object_update(row, more);
    json_decref(more);
    return row;
}

static json_t *speed_json(const struct measured *m)
{
    const struct unseen_bench_result *r = &m->result;
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I}", "train_images_per_second",
                     r->train_images_per_second, "infer_images_per_second", r->infer_images_per_second,
                     "train_gflops", 3e-9 * r->forward_flops * r->train_images_per_second, "infer_gflops",
                     1e-9 * r->forward_flops * r->infer_images_per_second, "train_host_seconds",
                     r->train_host_seconds, "infer_host_seconds", r->infer_host_seconds,
                     "first_step_begin_seconds", m->start_seconds, "first_step_end_seconds",
                     m->start_seconds + r->first_step_seconds, "peak_bytes", (json_int_t)r->peak_bytes);
}

static enum unseen_status print_json(const struct measured *m)
{
    const struct unseen_bench_options *o = m->options;
    json_t *all =
        json_pack("{s:s, s:s, s:i, s:s, s:i, s:i}", "device", m->device, "model", o->model, "width", o->width,
                  "precision", unseen_precision_name(o->precision), "batch", o->batch, "size", o->size);
    if (all && timed(m)) {
        json_t *speed = speed_json(m);
        json_object_update(all, speed);
        json_decref(speed);
    }
    if (all && m->convs) {
        json_t *rows = json_array();
        for (int i = 0; rows && i < m->n; i++)
            json_array_append_new(rows, conv_json(&m->convs[i], m->peak));
        json_object_set_new(all, "peak_gflops", json_real(1e-9 * m->peak));
        json_object_set_new(all, "convolutions", rows);
    }
    return us_print_json(all);
}

static void print_head(const struct measured *m)
{
    const struct unseen_bench_options *o = m->options;
    printf("%s, width %d, batch %d, %d x %d pixels, %s\non %s\n", o->model, o->width, o->batch, o->size,
           o->size, unseen_precision_name(o->precision), m->device);
}

static void print_speed(const struct measured *m)
{
    const struct unseen_bench_options *o = m->options;
    const struct unseen_bench_result *r = &m->result;
    const double train = o->batch / r->train_images_per_second, infer = o->batch / r->infer_images_per_second;
    printf("\n%-10s %12s %12s %26s %18s\n", "", "images/s", "GFLOP/s", "ms a step (min .. max)",
           "of it to enqueue");
    printf("%-10s %12.1f %12.1f %14.1f .. %8.1f %17.2f%%\n", "training", r->train_images_per_second,
           3e-9 * r->forward_flops * r->train_images_per_second, 1e3 * r->train_seconds_min,
           1e3 * r->train_seconds_max, 100 * r->train_host_seconds / train);
    printf("%-10s %12.1f %12.1f %14.1f .. %8.1f %17.2f%%\n\n", "inference", r->infer_images_per_second,
           1e-9 * r->forward_flops * r->infer_images_per_second, 1e3 * r->infer_seconds_min,
           1e3 * r->infer_seconds_max, 100 * r->infer_host_seconds / infer);
    printf("%.2f s from the start to the begin of the first training step, %.2f s to its end; %.1f MiB of "
           "device memory\n",
           m->start_seconds, m->start_seconds + r->first_step_seconds, (double)r->peak_bytes / (1 << 20));
}

static void print_convolutions(const struct measured *m)
{
    double sum = 0;
    printf("\n%-22s %5s  %-30s %-8s %-20s %9s %9s %8s  %s\n", "first layer", "times", "shape", "pass",
           "algorithm", "ms", "GFLOP/s", "of peak", "next, ms");
    for (int i = 0; i < m->n; i++) {
        const struct unseen_bench_conv *c = &m->convs[i];
        char shape[US_SHAPE_TEXT], algorithm[64];
        snprintf(algorithm, sizeof algorithm, "%s (%s)", c->algorithm, c->why);
        printf("%-22s %5d  %-30s %-8s %-20s %9.3f %9.1f %7.1f%%", c->layer, c->times,
               us_shape_text(&c->conv, shape), c->conv.direction, algorithm, 1e3 * c->seconds, gflops(c),
               1e11 * gflops(c) / m->peak);
        if (c->other[0])
            printf("  %s %.3f", c->other, 1e3 * c->other_seconds);
        putchar('\n');
        sum += 1e3 * c->times * c->seconds;
    }
    printf("\nconvolutions, timed alone: %.1f ms", sum);
    if (timed(m))
        printf(" of %.1f ms of a training step", 1e3 * m->options->batch / m->result.train_images_per_second);
    printf("; peak %.1f GFLOP/s\n", 1e-9 * m->peak);
}

/* The product of matrices alone. */
static enum unseen_status time_product(struct unseen_device *device, const struct unseen_bench_options *o,
                                       int size, bool json)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_tune_row row;
    double peak = 0;
    US_TRY(unseen_bench_product(device, size, o->precision, o->rounds, &row));
    US_TRY(unseen_bench_peak(device, &peak));
    const char *name = unseen_device_info(device)->name, *precision = unseen_precision_name(o->precision);
    if (json)
        return us_print_json(json_pack("{s:s, s:s, s:i, s:f, s:o}", "device", name, "precision", precision,
                                       "gemm", size, "peak_gflops", 1e-9 * peak, "product",
                                       us_race_json(&row)));
    printf("%d x %d matrices, %s\non %s\n\n%-20s %9s %9s %8s\n", size, size, precision, name, "algorithm",
           "ms", "GFLOP/s", "of peak");
    for (int i = 0; i < row.candidates; i++) {
        double flops = row.conv.flops / row.candidate[i].seconds;
        printf("%-20s %9.3f %9.1f %7.1f%%\n", row.candidate[i].algorithm, 1e3 * row.candidate[i].seconds,
               1e-9 * flops, 100 * flops / peak);
    }
out:
    return st;
}

/* The way of images to the device alone. */
static enum unseen_status time_loader(struct unseen_device *device, const struct unseen_bench_options *o,
                                      const char *name, bool json)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_dataset *data = NULL;
    struct unseen_bench_loader r;
    US_TRY(unseen_dataset_open(name, NULL, &data));
    US_TRY(unseen_bench_loader(device, data, o, &r));
    if (json)
        st = us_print_json(json_pack("{s:s, s:s, s:i, s:f, s:f, s:f, s:i, s:f}", "device",
                                     unseen_device_info(device)->name, "loader", name, "size", o->size,
                                     "images_per_second", r.images_per_second, "least", r.least, "most",
                                     r.most, "decode_threads", r.threads, "decode_busy_share", r.busy));
    else
        printf("%.1f images/s (%.1f .. %.1f) of %s at %d x %d pixels, decoded by %d thread%s, busy %.0f %% "
               "of the "
               "time\n",
               r.images_per_second, r.least, r.most, name, o->size, o->size, r.threads,
               r.threads == 1 ? "" : "s", 100 * r.busy);
out:
    unseen_dataset_close(data);
    return st;
}

struct request {
    struct unseen_bench_options options;
    int explain, steps, product;
    const char *loader;
};

static const struct us_option own[] = {
    {"model", US_STRUCT, US_AT(struct request, options), .table = us_bench_options},
    {"explain", US_BOOL, US_AT(struct request, explain),
     .help = "time each convolution alone, and tell what computes it and why"},
    {"steps", US_BOOL, US_AT(struct request, steps), .standard = "true",
     .help = "timing of whole steps, which --explain can do without"},
    {"gemm", US_INT, US_AT(struct request, product), .standard = "none", .low = 1, .high = 16384,
     .words = "none", .value = "S",
     .help = "instead: the product of S x S matrices, by all that computes 1x1 convolutions (im2col: "
             "CLBlast)"},
    {"loader", US_STRING, US_AT(struct request, loader), .value = "DATA",
     .help = "instead: how fast images of DATA are decoded, cropped at random, resized to --size and copied "
             "to the device; a round is one pass over all"},
    {0},
};

enum unseen_status us_cmd_bench(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct request r = {0};
    struct measured m = {.options = &r.options};
    struct unseen_device *device = NULL;
    bool help;
    double start = us_seconds();
    us_options_defaults(own, &r);
    const struct us_usage usage = {
        .synopsis = "unseen bench [--model M] [--batch B] [--explain]",
        .about = "Images per second in training and inference on data that lies on the device: medians over "
                 "the rounds. UNSEEN_PROFILE=1 prints time per kernel.",
        .groups = {{own, &r, NULL}},
        .common = "device json",
        .lists = us_list_models};
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    if (!r.steps && !r.explain) {
        st = us_fail(UNSEEN_USAGE, "--no-steps", "leaves nothing to measure without --explain");
        goto out;
    }
    US_TRY(unseen_device_open(common.device, &device));
    if (r.product) {
        st = time_product(device, &r.options, r.product, common.json);
        goto out;
    }
    if (r.loader) {
        st = time_loader(device, &r.options, r.loader, common.json);
        goto out;
    }
    m.device = unseen_device_info(device)->name;
    double open_seconds = us_seconds() - start;
    if (r.steps) {
        US_TRY(unseen_bench(device, &r.options, &m.result));
        m.start_seconds = open_seconds + m.result.build_seconds;
    }
    if (r.explain) {
        double before = 0, after = 0; /* other work on the machine can only lower it */
        US_TRY(unseen_bench_peak(device, &before));
        US_TRY(unseen_bench_convolutions(device, &r.options, &m.convs, &m.n));
        US_TRY(unseen_bench_peak(device, &after));
        m.peak = before > after ? before : after;
    }
    if (common.json) {
        US_TRY(print_json(&m));
    } else {
        print_head(&m);
        if (r.steps)
            print_speed(&m);
        if (r.explain)
            print_convolutions(&m);
    }
out:
    free(m.convs);
    unseen_device_close(device);
    us_common_end(&common);
    return st;
}
