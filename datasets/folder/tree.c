#include "config.h"

#include "datasets/folder/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "datasets/folder/imagenet.h"
#include "datasets/index/notes.h"
#include "datasets/store/source.h"

enum branch { TRAIN, VAL, TEST, N_BRANCHES };

static const char *const branch_names[N_BRANCHES] = {"train/", "val/", "test/"};

/* Files of one kind that are no samples: how many, and the first of them. */
struct left_out {
    int64_t n;
    const char *first;
};

struct layout {
    const char *location;
    const struct us_names *names; /* the tree's */
    struct us_text *notes;        /* the tree's */
    const char *prefix;           /* what stands before "train/" or before the classes: so much of a name */
    size_t prefix_size;
    bool flat;                          /* classes without a split's folder around them */
    enum branch test;                   /* the branch that is the test split */
    bool unsorted;                      /* its images lie side by side: a list has their labels */
    int64_t images[N_BRANCHES];         /* in class folders */
    struct left_out strays[N_BRANCHES]; /* images beside the class folders */
    struct left_out outside;            /* images that lie in no branch */
    struct left_out others;             /* files in class folders that are no images by their name */
};

static bool is_folder(const char *name)
{
    return name[strlen(name) - 1] == '/';
}

/* Where the folder `branch` ("train/") begins in a name that has a folder and a file behind it; NULL if it
 * nowhere does. */
static const char *find_branch(const char *name, const char *branch)
{
    size_t length = strlen(branch);
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, branch, length) == 0)
            return strchr(at + length, '/') ? at : NULL;
    }
    return NULL;
}

int us_tree_probe(const char *name)
{
    if (is_folder(name) || !us_is_image_name(name))
        return 0;
    return find_branch(name, branch_names[TRAIN]) ? 2 : 1;
}

static void leave_out(struct left_out *left_out, const char *name)
{
    if (left_out->n++ == 0)
        left_out->first = name;
}

static enum unseen_status note_passed_over(const char *location, const struct us_source *source,
                                           struct us_text *notes)
{
    const char *name = NULL;
    enum unseen_status st = UNSEEN_OK;
    int64_t n = us_source_passed_over(source, US_HIDDEN, &name);
    if (n > 0)
        US_TRY(us_note(notes, UNSEEN_LOG_DEBUG, "%s: %lld hidden names are passed over, %s among them",
                       location, (long long)n, name));
    n = us_source_passed_over(source, US_LOOP, &name);
    if (n > 0)
        US_TRY(us_note(notes, UNSEEN_LOG_WARNING,
                       "%s: links back to a folder above them, which are not followed: %lld, %s among them",
                       location, (long long)n, name));
out:
    return st;
}

static enum unseen_status read_names(const char *location, struct us_store *store, struct us_tree *tree)
{
    struct us_source *source = NULL;
    const char *name = NULL;
    enum unseen_status st;
    US_TRY(us_source_open(location, &source));
    for (;;) {
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        struct us_place place = {0};
        if (store)
            US_TRY(us_store_place(store, source, name, &place));
        US_TRY(us_names_add(&tree->names, name, &place));
    }
    us_names_sort(&tree->names);
    US_TRY(note_passed_over(location, source, &tree->notes));
    if (store)
        US_TRY(us_imagenet_expand(location, store, &tree->names));
out:
    us_source_close(source);
    return st;
}

/* The prefix of the names that have folder "train/" in them; none if `found` stays false. */
static enum unseen_status find_train(struct layout *layout, bool *found)
{
    const char *first = NULL;
    *found = false;
    for (size_t i = 0; i < layout->names->n; i++) {
        const char *name = us_name(layout->names, i);
        const char *at = us_tree_probe(name) == 2 ? find_branch(name, branch_names[TRAIN]) : NULL;
        if (!at)
            continue;
        size_t size = (size_t)(at - name);
        if (!*found) {
            layout->prefix = first = name;
            layout->prefix_size = size;
            *found = true;
        } else if (size != layout->prefix_size || memcmp(name, layout->prefix, size) != 0) {
            return us_fail(UNSEEN_BAD_DATA, layout->location, "%s and %s lie in two train folders", first,
                           name);
        }
    }
    return UNSEEN_OK;
}

/* What lies directly below the first `size` bytes of `prefix`. */
struct level {
    const char *folder; /* the first folder: its name goes on up to `end` in that name, the '/' included */
    size_t end;
    bool several; /* there are more folders */
    int64_t images;
};

static struct level look_at_level(const struct us_names *names, const char *prefix, size_t size)
{
    struct level level = {0};
    for (size_t i = 0; i < names->n; i++) {
        const char *name = us_name(names, i);
        if (strncmp(name, prefix, size) != 0 || name[size] == '\0')
            continue;
        const char *slash = strchr(name + size, '/');
        if (!slash)
            level.images += us_is_image_name(name);
        else if (!level.folder) {
            level.folder = name;
            level.end = (size_t)(slash + 1 - name);
        } else if (strncmp(name, level.folder, level.end) != 0)
            level.several = true;
    }
    return level;
}

/* Without "train/" the classes are the folders of the first level that has several, or whose one folder holds
 * images itself. */
static void find_flat(struct layout *layout)
{
    layout->flat = true;
    layout->prefix = "";
    struct level level = look_at_level(layout->names, "", 0);
    while (level.folder && !level.several && level.images == 0) {
        struct level below = look_at_level(layout->names, level.folder, level.end);
        if (below.images > 0 || !below.folder)
            break;
        layout->prefix = level.folder;
        layout->prefix_size = level.end;
        level = below;
    }
}

static enum unseen_status find_layout(struct layout *layout)
{
    bool found = false;
    enum unseen_status st = find_train(layout, &found);
    if (st != UNSEEN_OK || found)
        return st;
    int64_t images = 0;
    const char *test = NULL;
    for (size_t i = 0; i < layout->names->n; i++) {
        const char *name = us_name(layout->names, i);
        images += us_tree_probe(name) > 0;
        if (us_tree_probe(name) > 0 &&
            (find_branch(name, branch_names[VAL]) || find_branch(name, branch_names[TEST])))
            test = name;
    }
    if (images > 0 && !test) {
        find_flat(layout);
        return UNSEEN_OK;
    }
    if (test)
        us_fail(UNSEEN_BAD_DATA, layout->location, "holds %s, but no image in train/CLASS/", test);
    else
        us_fail(UNSEEN_BAD_DATA, layout->location, "holds no image file");
    us_hint("looked for are train/CLASS/NAME.jpg, .jpeg or .png, with val/CLASS/ or test/CLASS/ beside it, "
            "or CLASS/NAME.jpg");
    return UNSEEN_BAD_DATA;
}

/* The part of `name` behind its branch; NULL if it lies in none. */
static const char *behind_branch(const struct layout *layout, const char *name, enum branch *branch)
{
    *branch = TRAIN;
    if (strncmp(name, layout->prefix, layout->prefix_size) != 0)
        return NULL;
    const char *at = name + layout->prefix_size;
    if (layout->flat)
        return at;
    for (int b = TRAIN; b < N_BRANCHES; b++) {
        size_t length = strlen(branch_names[b]);
        if (strncmp(at, branch_names[b], length) == 0) {
            *branch = (enum branch)b;
            return at + length;
        }
    }
    return NULL;
}

/* Where the class begins in a name of a class folder, and in which branch; NULL for any other name. */
static const char *class_of(const struct layout *layout, const char *name, enum branch *branch, size_t *size)
{
    const char *at = behind_branch(layout, name, branch);
    const char *slash = at ? strchr(at, '/') : NULL;
    if (slash)
        *size = (size_t)(slash - at);
    return slash ? at : NULL;
}

static void count_names(struct layout *layout)
{
    for (size_t i = 0; i < layout->names->n; i++) {
        const char *name = us_name(layout->names, i);
        enum branch branch;
        size_t size;
        bool image = us_tree_probe(name) > 0;
        if (is_folder(name))
            continue;
        if (class_of(layout, name, &branch, &size)) {
            layout->images[branch] += image;
            if (!image)
                leave_out(&layout->others, name);
        } else if (image) {
            leave_out(behind_branch(layout, name, &branch) ? &layout->strays[branch] : &layout->outside,
                      name);
        }
    }
}

static enum unseen_status check_train(const struct layout *layout)
{
    if (layout->images[TRAIN] > 0)
        return UNSEEN_OK;
    us_fail(UNSEEN_BAD_DATA, layout->location, "holds %lld images side by side, but none in a class folder",
            (long long)layout->strays[TRAIN].n);
    us_hint("expected are train/CLASS/NAME.jpg and val/CLASS/NAME.jpg, or CLASS/NAME.jpg");
    return UNSEEN_BAD_DATA;
}

/* val/ is the test split, or else test/. */
static enum unseen_status choose_test(struct layout *layout)
{
    layout->test = layout->images[VAL] > 0 || layout->strays[VAL].n > 0 ? VAL : TEST;
    layout->unsorted = layout->images[layout->test] == 0 && layout->strays[layout->test].n > 0;
    if (layout->test == VAL && layout->images[TEST] > 0)
        return us_note(layout->notes, UNSEEN_LOG_WARNING,
                       "%s: both val and test are there; val is the test split", layout->location);
    return UNSEEN_OK;
}

static int compare_parts(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

/* Without the '/' behind it. */
static size_t folder_size(const char *folder, const char *name)
{
    return name > folder ? (size_t)(name - folder) - 1 : 0;
}

static int compare_pictures(const void *first, const void *second)
{
    const struct us_picture *a = first, *b = second;
    const char *a_name = us_base_name(a->path), *b_name = us_base_name(b->path);
    if (a->split != b->split)
        return a->split < b->split ? -1 : 1;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    const char *a_folder = a->path + a->class_at, *b_folder = b->path + b->class_at;
    int order =
        compare_parts(a_folder, folder_size(a_folder, a_name), b_folder, folder_size(b_folder, b_name));
    return order != 0 ? order : strcmp(a_name, b_name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folders of the training branch. Names are sorted, so those of one folder follow each other. */
static enum unseen_status find_classes(const struct layout *layout, struct us_tree *tree)
{
    const char *last = NULL;
    size_t last_size = 0;
    tree->classes = us_calloc(layout->names->n, sizeof *tree->classes);
    if (!tree->classes)
        return UNSEEN_FAILED;
    for (size_t i = 0; i < layout->names->n; i++) {
        enum branch branch;
        size_t size;
        const char *class = class_of(layout, us_name(layout->names, i), &branch, &size);
        if (!class || branch != TRAIN || (last && compare_parts(class, size, last, last_size) == 0))
            continue;
        last = class;
        last_size = size;
        if (!(tree->classes[tree->n_classes] = us_format("%.*s", (int)size, class)))
            return UNSEEN_FAILED;
        tree->n_classes++;
    }
    qsort(tree->classes, (size_t)tree->n_classes, sizeof *tree->classes, compare_names);
    return UNSEEN_OK;
}

/* The number of a class; -1 if the training split lacks it. */
static int32_t label_of(const struct us_tree *tree, const char *class, size_t size)
{
    int first = 0, last = tree->n_classes - 1;
    while (first <= last) {
        int middle = first + (last - first) / 2;
        int order = compare_parts(class, size, tree->classes[middle], strlen(tree->classes[middle]));
        if (order == 0)
            return middle;
        if (order < 0)
            last = middle - 1;
        else
            first = middle + 1;
    }
    return -1;
}

static enum unseen_status refuse_class(const struct layout *layout, const char *name, const char *class,
                                       size_t size)
{
    const char *test = branch_names[layout->test];
    us_fail(UNSEEN_BAD_DATA, layout->location, "%s: class %.*s of %s is not in train/", name, (int)size,
            class, test);
    us_hint("remove it from %s, or, if pruning emptied it, make the empty folder train/%.*s", test, (int)size,
            class);
    return UNSEEN_BAD_DATA;
}

/* Take the names of images in class folders of both splits into tree->pictures. */
static enum unseen_status take_pictures(struct layout *layout, struct us_tree *tree)
{
    int64_t n = 0,
            most = layout->images[TRAIN] + layout->images[layout->test] + layout->strays[layout->test].n;
    tree->pictures = us_calloc((size_t)most, sizeof *tree->pictures);
    if (!tree->pictures)
        return UNSEEN_FAILED;
    for (size_t i = 0; i < layout->names->n; i++) {
        const char *name = us_name(layout->names, i);
        enum branch branch;
        size_t size;
        const char *class = class_of(layout, name, &branch, &size);
        if (!class || (branch != TRAIN && branch != layout->test))
            continue;
        int32_t label = label_of(tree, class, size);
        if (label < 0)
            return refuse_class(layout, name, class, size);
        if (us_tree_probe(name) == 0)
            continue;
        enum unseen_split split = branch == TRAIN ? UNSEEN_TRAIN : UNSEEN_TEST;
        tree->pictures[n++] =
            (struct us_picture){name, (size_t)(class - name), layout->names->list[i].place, split, label};
        tree->n[split]++;
    }
    return UNSEEN_OK;
}

static enum unseen_status refuse_unsorted(const struct layout *layout)
{
    const struct left_out *strays = &layout->strays[layout->test];
    const char *name = branch_names[layout->test];
    us_fail(UNSEEN_BAD_DATA, layout->location, "%s: %s holds %lld images, but no class folders",
            strays->first, name, (long long)strays->n);
    us_hint("their labels are looked for in val.txt (a file and its class a line), LOC_val_solution.csv or "
            "ILSVRC2012_validation_ground_truth.txt; or sort them into %sCLASS/ as in train/ (for ImageNet "
            "valprep.sh does)",
            name);
    return UNSEEN_BAD_DATA;
}

/* Take the images of a test split without class folders, with their labels from a list. */
static enum unseen_status take_unsorted(const struct layout *layout, struct us_tree *tree)
{
    const int64_t most = layout->strays[layout->test].n;
    struct us_picture *pictures = tree->pictures + tree->n[UNSEEN_TRAIN];
    const char **images = us_calloc((size_t)most, sizeof *images);
    int32_t *labels = us_calloc((size_t)most, sizeof *labels);
    struct us_unsorted unsorted = {
        layout->location, layout->names, images, 0, (const char *const *)tree->classes, tree->n_classes};
    enum unseen_status st = UNSEEN_OK;
    US_TRY_ALLOC(images);
    US_TRY_ALLOC(labels);
    for (size_t i = 0; i < layout->names->n; i++) {
        const char *name = us_name(layout->names, i);
        enum branch branch;
        const char *at = behind_branch(layout, name, &branch);
        if (!at || branch != layout->test || strchr(at, '/') || us_tree_probe(name) == 0)
            continue;
        images[unsorted.n] = name;
        pictures[unsorted.n++] =
            (struct us_picture){name, (size_t)(at - name), layout->names->list[i].place, UNSEEN_TEST, 0};
    }
    US_TRY(us_imagenet_labels(&unsorted, labels, &tree->texts[US_TREE_LABELS],
                              &tree->texts[US_TREE_LABEL_NUMBERS]));
    if (!tree->texts[US_TREE_LABELS]) {
        st = refuse_unsorted(layout);
        goto out;
    }
    for (int64_t i = 0; i < unsorted.n; i++)
        pictures[i].label = labels[i];
    tree->n[UNSEEN_TEST] = unsorted.n;
out:
    free(images);
    free(labels);
    return st;
}

static enum unseen_status sort_pictures(const struct layout *layout, struct us_tree *tree)
{
    size_t n = (size_t)(tree->n[UNSEEN_TRAIN] + tree->n[UNSEEN_TEST]);
    qsort(tree->pictures, n, sizeof *tree->pictures, compare_pictures);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(tree->pictures[i].path, tree->pictures[i - 1].path) == 0)
            return us_fail(UNSEEN_BAD_DATA, layout->location, "%s is there twice", tree->pictures[i].path);
    }
    return UNSEEN_OK;
}

static enum unseen_status note_left_out(const struct layout *layout, const struct left_out *left_out,
                                        const char *what)
{
    if (left_out->n == 0)
        return UNSEEN_OK;
    return us_note(layout->notes, UNSEEN_LOG_WARNING, "%s: %lld %s left out, the first is %s",
                   layout->location, (long long)left_out->n, what, left_out->first);
}

static enum unseen_status note_all(const struct layout *layout)
{
    static const char beside[] = "images lie beside the class folders and are";
    enum unseen_status st;
    US_TRY(note_left_out(layout, &layout->others,
                         "files in class folders are no images by their names and are"));
    US_TRY(note_left_out(layout, &layout->strays[TRAIN], beside));
    if (!layout->unsorted)
        US_TRY(note_left_out(layout, &layout->strays[layout->test], beside));
    US_TRY(note_left_out(layout, &layout->outside, "images lie in no split and are"));
out:
    return st;
}

enum unseen_status us_tree_read(const char *location, struct us_store *store, struct us_tree *tree)
{
    struct layout layout = {.location = location, .names = &tree->names, .notes = &tree->notes};
    enum unseen_status st;
    US_TRY(read_names(location, store, tree));
    US_TRY(find_layout(&layout));
    count_names(&layout);
    US_TRY(check_train(&layout));
    US_TRY(choose_test(&layout));
    US_TRY(find_classes(&layout, tree));
    US_TRY(take_pictures(&layout, tree));
    if (layout.unsorted)
        US_TRY(take_unsorted(&layout, tree));
    US_TRY(sort_pictures(&layout, tree));
    st = note_all(&layout);
out:
    return st;
}

void us_tree_free(struct us_tree *tree)
{
    for (int c = 0; c < tree->n_classes; c++)
        free(tree->classes[c]);
    free(tree->classes);
    free(tree->pictures);
    for (int i = 0; i < US_TREE_TEXTS; i++)
        free(tree->texts[i]);
    us_names_free(&tree->names);
    us_text_free(&tree->notes);
    *tree = (struct us_tree){0};
}
