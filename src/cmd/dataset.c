/* unseen dataset info|verify|synth|export|pack */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/dataset_options.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/true_labels.h"
#include "base/usable.h"
#include "base/utf8.h"
#include "cmd/cmd.h"
#include "unseen/dataset.h"

static int64_t *class_counts(const struct unseen_images *images, int classes)
{
    int64_t *counts = us_calloc((size_t)classes, sizeof *counts);
    for (int64_t i = 0; counts && i < images->n; i++)
        counts[images->labels[i]]++;
    return counts;
}

/* A line a kind of duplicate, where there is any. */
static void print_duplicates(const struct unseen_duplicates *d)
{
    if (d->same_label > 0)
        printf("%lld training samples are copies of earlier ones\n", (long long)d->same_label);
    if (d->other_label > 0)
        printf("%lld training samples are copies of earlier ones that have another label\n",
               (long long)d->other_label);
    if (d->test > 0)
        printf("%lld test samples are in the training split too\n", (long long)d->test);
}

/* What labels that were given apart change, and how many are wrong. */
static void print_labels(const struct unseen_dataset *d)
{
    const struct unseen_images *train = &d->split[UNSEEN_TRAIN];
    if (d->options.labels)
        printf("%lld training labels differ from the dataset's own\n", (long long)d->relabelled);
    if (train->true_labels)
        printf("%lld training labels (%.1f %%) are wrong\n", (long long)us_count_wrong(train, NULL, train->n),
               100 * us_share_wrong(train, NULL, train->n));
}

static void print_classes(const struct unseen_dataset *d, const int64_t *train, const int64_t *test)
{
    char name[256];
    int width = 20;
    for (int c = 0; c < d->classes; c++) {
        int length = us_utf8_show(d->class_names[c], true, name, sizeof name);
        width = length > width ? length : width;
    }
    printf("\n%5s  %-*s %8s %8s\n", "label", width, "class", "train", "test");
    for (int c = 0; c < d->classes; c++) {
        int length = us_utf8_show(d->class_names[c], true, name, sizeof name);
        printf("%5d  %s%*s %8lld %8lld\n", c, name, width - length, "", (long long)train[c],
               (long long)test[c]);
    }
}

/* Of images of many sizes the smallest and the largest one by area, of those that are not skipped. */
static void find_sizes(const struct unseen_dataset *d, struct us_image_size *least,
                       struct us_image_size *most)
{
    *least = *most = (struct us_image_size){0};
    for (int split = 0; split < 2; split++) {
        for (int64_t i = 0; i < d->split[split].n; i++) {
            const struct us_image_size size = us_image_size_of(d, (enum unseen_split)split, i);
            const int64_t area = (int64_t)size.height * size.width;
            if (!us_is_usable(&d->split[split], i))
                continue;
            if (least->height == 0 || area < (int64_t)least->height * least->width)
                *least = size;
            if (area > (int64_t)most->height * most->width)
                *most = size;
        }
    }
}

static void print_size(const struct unseen_dataset *d)
{
    struct us_image_size least, most;
    if (d->height > 0) {
        printf("%d x %d x %d\n", d->height, d->width, d->channels);
        return;
    }
    find_sizes(d, &least, &most);
    printf("images of %d x %d to %d x %d pixels, %d channels\n", least.height, least.width, most.height,
           most.width, d->channels);
}

static void print_info(const struct unseen_dataset *d, const int64_t *train, const int64_t *test)
{
    char location[4096];
    us_utf8_show(d->location, true, location, sizeof location);
    printf("%s  %s\n", d->format, location);
    printf("train %lld, test %lld, %d classes, ", (long long)d->split[UNSEEN_TRAIN].n,
           (long long)d->split[UNSEEN_TEST].n, d->classes);
    print_size(d);
    printf("mean");
    for (int c = 0; c < d->channels; c++)
        printf(" %.4f", d->mean[c]);
    printf("  std");
    for (int c = 0; c < d->channels; c++)
        printf(" %.4f", d->std[c]);
    if (d->height == 0)
        printf("  (ImageNet's)");
    printf("\nsha256 %s\n", d->hash);
    print_labels(d);
    print_duplicates(&d->duplicates);
    if (d->split[UNSEEN_TRAIN].n_skipped + d->split[UNSEEN_TEST].n_skipped > 0)
        printf("samples that are skipped: training %lld, test %lld\n",
               (long long)d->split[UNSEEN_TRAIN].n_skipped, (long long)d->split[UNSEEN_TEST].n_skipped);
    print_classes(d, train, test);
}

/* [height, width, channels], or of many sizes {"least": .., "most": ..} with such a shape each. */
static json_t *shape_json(const struct unseen_dataset *d)
{
    struct us_image_size least, most;
    if (d->height > 0)
        return json_pack("[i,i,i]", d->height, d->width, d->channels);
    find_sizes(d, &least, &most);
    return json_pack("{s:[i,i,i], s:[i,i,i]}", "least", least.height, least.width, d->channels, "most",
                     most.height, most.width, d->channels);
}

static enum unseen_status print_info_json(const struct unseen_dataset *d, const int64_t *train,
                                          const int64_t *test)
{
    json_t *classes = json_array();
    for (int c = 0; c < d->classes; c++)
        json_array_append_new(classes, json_pack("{s:o, s:I, s:I}", "name", us_json_text(d->class_names[c]),
                                                 "train", (json_int_t)train[c], "test", (json_int_t)test[c]));
    json_t *info = json_pack(
        "{s:s, s:o, s:I, s:I, s:{s:I, s:I}, s:o, s:s, s:{s:I, s:I, s:I}, s:o}", "format", d->format,
        "location", us_json_text(d->location), "train", (json_int_t)d->split[UNSEEN_TRAIN].n, "test",
        (json_int_t)d->split[UNSEEN_TEST].n, "skipped", "train", (json_int_t)d->split[UNSEEN_TRAIN].n_skipped,
        "test", (json_int_t)d->split[UNSEEN_TEST].n_skipped, "shape", shape_json(d), "hash", d->hash,
        "duplicates", "same_label", (json_int_t)d->duplicates.same_label, "other_label",
        (json_int_t)d->duplicates.other_label, "test", (json_int_t)d->duplicates.test, "classes", classes);
    if (info && d->options.labels)
        json_object_set_new(info, "relabelled", json_integer((json_int_t)d->relabelled));
    if (info && d->split[UNSEEN_TRAIN].true_labels)
        json_object_set_new(info, "wrong_labels",
                            json_integer((json_int_t)us_count_wrong(&d->split[UNSEEN_TRAIN], NULL,
                                                                    d->split[UNSEEN_TRAIN].n)));
    return us_print_json(info);
}

/* Every sample, a line each, as CSV. */
static enum unseen_status print_list(const struct unseen_dataset *d)
{
    static const char *const names[] = {[UNSEEN_TRAIN] = "train", [UNSEEN_TEST] = "test"};
    puts("split,index,label,class,path");
    for (int split = 0; split < 2; split++) {
        const struct unseen_images *images = &d->split[split];
        for (int64_t i = 0; i < images->n; i++) {
            printf("%s,%lld,%d,", names[split], (long long)i, (int)images->labels[i]);
            us_csv_field(stdout, d->class_names[images->labels[i]]);
            putchar(',');
            us_csv_field(stdout, images->paths ? images->paths[i] : NULL);
            putchar('\n');
        }
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? UNSEEN_OK : us_fail_errno("--list", "cannot print");
}

struct info_request {
    int list;
};

static const struct us_option info_options[] = {
    {"list", US_BOOL, US_AT(struct info_request, list),
     .help = "all samples as CSV instead: split,index,label,class,path"},
    {0},
};

static enum unseen_status cmd_info(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_dataset_options reading = {0};
    struct unseen_dataset *data = NULL;
    int64_t *train = NULL, *test = NULL;
    const char *path[1];
    struct info_request r = {0};
    bool help;
    const struct us_usage usage = {.synopsis = "unseen dataset info DATA",
                                   .about = "Format, splits, sizes, class counts and content hash.",
                                   .groups = {{info_options, &r, NULL},
                                              {us_dataset_options, &reading, NULL},
                                              {us_label_options, &reading, NULL},
                                              {us_truth_options, &reading, NULL}},
                                   .common = "json",
                                   .min_arguments = 1,
                                   .max_arguments = 1};
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(unseen_dataset_open(path[0], &reading, &data));
    train = class_counts(&data->split[UNSEEN_TRAIN], data->classes);
    test = class_counts(&data->split[UNSEEN_TEST], data->classes);
    US_TRY_ALLOC(train);
    US_TRY_ALLOC(test);
    if (r.list)
        US_TRY(print_list(data));
    else if (common.json)
        US_TRY(print_info_json(data, train, test));
    else
        print_info(data, train, test);
out:
    free(test);
    free(train);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}

static void print_defect(const struct unseen_defect *defect, void *context)
{
    (void)context;
    char file[4096], reason[4096];
    us_utf8_show(defect->file, true, file, sizeof file);
    us_utf8_show(defect->reason, true, reason, sizeof reason);
    if (defect->record >= 0)
        printf("%s: record %lld: %s\n", file, (long long)defect->record, reason);
    else
        printf("%s: %s\n", file, reason);
}

static enum unseen_status cmd_verify(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    const char *path[1];
    struct unseen_dataset_check check = {0};
    struct unseen_dataset_options reading = {0};
    bool help;
    const struct us_usage usage = {
        .synopsis = "unseen dataset verify DATA",
        .about = "Read every sample; print each bad one with its file and the reason, and each that "
                 "is a copy of another. Exit code 3 if there is a bad one that --on-bad does not let pass.",
        .groups = {{us_dataset_options, &reading, NULL}},
        .min_arguments = 1,
        .max_arguments = 1};
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(unseen_dataset_verify(path[0], &reading, print_defect, NULL, &check));
    if (check.bad > 0)
        printf("%lld samples, %lld of them bad, which --on-bad %s\n", (long long)check.checked,
               (long long)check.bad,
               reading.on_bad == UNSEEN_BAD_SKIP ? "skip leaves out" : "grey takes as grey");
    else
        printf("%lld samples, all good\n", (long long)check.checked);
    if (*check.content)
        printf("content sha256 %s\n", check.content);
    if (check.warnings > 0)
        printf("%lld have faults that lose no data\n", (long long)check.warnings);
    if (check.rotated > 0)
        printf("%lld have an EXIF orientation, which is %s\n", (long long)check.rotated,
               reading.exif == UNSEEN_EXIF_APPLY ? "applied: they are turned"
                                                 : "ignored: they are read as they are stored");
    print_duplicates(&check.duplicates);
out:
    us_common_end(&common);
    return st;
}

static enum unseen_status cmd_synth(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_synth recipe = {0};
    bool help;
    us_options_defaults(us_synth_options, &recipe);
    const struct us_usage usage = {
        .synopsis = "unseen dataset synth --n N --classes C --size 32 --out DIR",
        .about = "Draw a labelled dataset in CIFAR's binary layout, with truth.csv telling "
                 "which samples are hard, redundant or mislabelled.",
        .groups = {{us_synth_options, &recipe, NULL}},
        .common = "seed out"};
    US_TRY(us_options_parse(&usage, argc, argv, &common, NULL, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    recipe.seed = common.seed;
    if (recipe.test < 0)
        recipe.test = recipe.train / 5;
    US_TRY(unseen_synth_write(&recipe, common.out));
    printf("%s\n", common.out);
out:
    us_common_end(&common);
    return st;
}

struct export_request {
    const char *subset, *format;
};

static const struct us_option export_options[] = {
    {"subset", US_STRING, US_AT(struct export_request, subset), .value = "FILE",
     .help = "samples to keep, all if not given: .npy of indices, or a text, a path a line"},
    {"format", US_STRING, US_AT(struct export_request, format), .value = "NAME",
     .help = "what to write: cifar10, cifar100, imagefolder (links to the files), list (a table "
             "path,label,split), files (the kept paths), pack; the dataset's own if not given"},
    {0},
};

static enum unseen_status cmd_export(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_dataset *data = NULL;
    const char *path[1];
    struct unseen_dataset_options reading = {0};
    struct export_request r = {0};
    int64_t *keep = NULL, n = 0;
    bool help;
    const struct us_usage usage = {
        .synopsis = "unseen dataset export DATA --subset keep.npy --out PATH",
        .about = "Write a pruned dataset: the kept training samples and the whole test split.",
        .groups = {{export_options, &r, NULL},
                   {us_dataset_options, &reading, NULL},
                   {us_label_options, &reading, NULL}},
        .common = "out",
        .min_arguments = 1,
        .max_arguments = 1};
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_dataset_open(path[0], &reading, &data));
    if (r.subset)
        US_TRY(unseen_dataset_subset(data, r.subset, &keep, &n));
    US_TRY(unseen_dataset_export(data, keep, n, r.format, common.out));
    printf("%s\n", common.out);
out:
    free(keep);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}

static const struct us_option pack_options[] = {
    {"subset", US_STRING, .offset = 0, .value = "FILE",
     .help = "training samples to pack, all if not given: .npy of indices, or a text, a path a line"},
    {0},
};

static enum unseen_status cmd_pack(int argc, char **argv)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_common common;
    struct unseen_dataset *data = NULL;
    struct unseen_dataset_options reading = {0};
    struct unseen_pack_options options;
    const char *path[1], *subset = NULL;
    int64_t *keep = NULL, n = 0;
    bool help;
    unseen_pack_defaults(&options);
    const struct us_usage usage = {
        .synopsis = "unseen dataset pack DATA --size S --out FILE.pack",
        .about =
            "Write a dataset to one file, its images made smaller and decoded faster, that serves as DATA. A "
            "call that was stopped goes on where it was.",
        .groups = {{us_pack_options, &options, NULL},
                   {pack_options, &subset, NULL},
                   {us_dataset_options, &reading, NULL},
                   {us_label_options, &reading, NULL}},
        .common = "out",
        .min_arguments = 1,
        .max_arguments = 1};
    US_TRY(us_options_parse(&usage, argc, argv, &common, path, &help));
    if (help)
        goto out;
    US_TRY(us_need_out(&common));
    US_TRY(unseen_dataset_open(path[0], &reading, &data));
    if (subset)
        US_TRY(unseen_dataset_subset(data, subset, &keep, &n));
    US_TRY(unseen_dataset_pack(data, keep, n, &options, common.out));
    printf("%s\n", common.out);
out:
    free(keep);
    unseen_dataset_close(data);
    us_common_end(&common);
    return st;
}

static void print_help(void)
{
    fputs("Usage: unseen dataset info|verify|synth|export|pack ...\n\n"
          "Look at, check, draw, export and pack datasets; each has its own --help.\n\n"
          "DATA is a folder, an archive (tar, tar.gz, tar.xz, zip), a table of files (.csv) or a pack, its "
          "format "
          "found by looking, or names it:\n",
          stdout);
    const char *name, *argument;
    for (int i = 0; (name = unseen_dataset_format_name(i, &argument)); i++)
        printf("  %s:%s\n", name, argument);
}

enum unseen_status us_cmd_dataset(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum unseen_status (*run)(int argc, char **argv);
    } actions[] = {{"info", cmd_info},
                   {"verify", cmd_verify},
                   {"synth", cmd_synth},
                   {"export", cmd_export},
                   {"pack", cmd_pack}};
    for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(argv[1], actions[i].name) == 0)
            return actions[i].run(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_help();
        return UNSEEN_OK;
    }
    us_fail(UNSEEN_USAGE, "dataset", argc > 1 ? "unknown action '%s'" : "no action given%s",
            argc > 1 ? argv[1] : "");
    us_hint("unseen dataset --help lists the actions");
    return UNSEEN_USAGE;
}
