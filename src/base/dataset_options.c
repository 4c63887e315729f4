#include "config.h"

#include "base/dataset_options.h"

#define AT(member) US_AT(struct unseen_dataset_options, member)

const struct us_option us_dataset_options[] = {
    {"coarse", US_BOOL, AT(coarse_labels), .help = "CIFAR-100: the 20 superclasses"},
    {"exif", US_CHOICE, AT(exif), .standard = "ignore", .value = "ignore|apply",
     .help = "turn image files as EXIF says; torchvision does not"},
    {"on-bad", US_CHOICE, AT(on_bad), .standard = "error", .value = "error|grey|skip",
     .help = "image files that cannot be read: end with an error, take them as grey, or decode all of them "
             "once and leave the bad ones out of training and selection"},
    {"test-share", US_FLOAT, AT(test_share), .standard = "0", .low = 0, .high = 0.9, .value = "F",
     .help = "of image files without a test split: share of each class that becomes one"},
    {0},
};

const struct us_option us_label_options[] = {
    {"labels", US_STRING, AT(labels), .value = "FILE",
     .help = "training labels in place of the dataset's: integer .npy [N], or .csv of index,label or "
             "path,label"},
    {0},
};

const struct us_option us_truth_options[] = {
    {"true-labels", US_STRING, AT(true_labels), .value = "FILE",
     .help = "what the training labels should be, as --labels has them: tells how many wrong ones there are; "
             "nothing trains on them"},
    {0},
};

#undef AT
#define AT(member) US_AT(struct unseen_synth, member)

const struct us_option us_synth_options[] = {
    {"n", US_INT64, AT(train), .standard = "5000", .low = 2, .high = 4294967296, .value = "N",
     .help = "training samples"},
    {"test", US_INT64, AT(test), .standard = "auto", .low = 0, .high = 4294967296, .words = "auto",
     .first_word = -1, .value = "N", .help = "test samples; auto: a fifth of the training samples"},
    {"classes", US_INT, AT(classes), .standard = "10", .low = 2, .high = 100, .value = "C",
     .help = "classes"},
    {"size", US_INT, AT(size), .standard = "32", .low = 8, .high = 256, .value = "S", .unit = "pixels",
     .help = "height and width; CIFAR's layout has 32"},
    {"hard", US_FLOAT, AT(hard), .standard = "0.2", .low = 0, .high = 1, .value = "X",
     .help = "share of hard samples"},
    {"redundant", US_FLOAT, AT(redundant), .standard = "0.2", .low = 0, .high = 1, .value = "X",
     .help = "share of near copies"},
    {"mislabelled", US_FLOAT, AT(mislabelled), .standard = "0.05", .low = 0, .high = 1, .value = "X",
     .help = "share of wrong labels"},
    {0},
};

void unseen_synth_defaults(struct unseen_synth *recipe)
{
    *recipe = (struct unseen_synth){0};
    us_options_defaults(us_synth_options, recipe);
}

#undef AT
#define AT(member) US_AT(struct unseen_pack_options, member)

const struct us_option us_pack_options[] = {
    {"size", US_INT, AT(size), .standard = "256", .low = 0, .high = 65500, .value = "S", .unit = "pixels",
     .help = "shorter side of pictures whose shorter side is longer; 0: files as they are stored"},
    {"quality", US_INT, AT(quality), .standard = "90", .low = 1, .high = 100, .words = "raw",
     .first_word = -1, .value = "Q", .help = "of JPEG; raw: pixels as they are"},
    {0},
};

void unseen_pack_defaults(struct unseen_pack_options *options)
{
    *options = (struct unseen_pack_options){0};
    us_options_defaults(us_pack_options, options);
}
