/* The section on files: what lies in the folder and what it is good for. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/html.h"
#include "report/sections.h"

/* Folders are listed this deep, and files up to a number: others may lie there, such as an exported dataset.
 */
enum { DEPTH = 3, MOST_FILES = 1000 };

struct listing {
    FILE *out;
    const char *root;
    int64_t files;
};

static const struct {
    const char *name, *about;
} known[] = {
    {"scores.npy", "float32 [N]: each training sample's score, higher is harder"},
    {"keep.npy", "int64 [m]: indices of the kept samples, ascending"},
    {"coreset.csv", "index, label, path, score, fold and kept of every sample"},
    {"table.csv", "accuracy of each coreset, mean and deviation over the seeds"},
    {"table.md", "the same as Markdown"},
    {"result.json", "test accuracy of one trained model"},
    {"pred_probs.npy", "float32 [N, C]: probabilities of all classes, as cleanlab takes them"},
    {"suspects.csv", "index, label, path, suggested class, confidence and score of the suspects, and the "
                     "true label where it is known"},
    {"suspicion.npy", "float32 [N]: one minus the mean probability of the given label"},
    {"audit.json", "what was audited, and with which settings its models were trained"},
    {"run.json", "what was run, on what, with which settings"},
    {"scoring.json", "settings and histories of the scoring models"},
    {"history.csv", "loss and accuracy by epoch"},
    {"heldout.npy", "int64: the samples that judged coresets and are in none"},
    {"quality.json", "a step's coreset: its size, what came and left, its judges' accuracy"},
    {"steps.json", "settings of the steps"},
    {"model.safetensors", "the trained weights"},
    {"p_true.npy", "float32 [R, T, N]: probability of the given label"},
    {"correct.npy", "uint8 [R, T, N]: 1 if the given label has the largest logit"},
    {"margin.npy", "float32 [R, T, N]: logit of the given label minus the largest other one"},
    {"el2n.npy", "float32 [R, T, N]: length of softmax minus one-hot label"},
    {"entropy.npy", "float32 [R, T, N]: entropy of the softmax, in nats"},
    {"loss.npy", "float32 [R, T, N]: cross-entropy, in nats"},
    {"change.npy", "float32 [R, T, N]: how far the log softmax moved since the epoch before"},
    {"feature_norm.npy", "float32 [R, T, N]: length of the features before the last layer"},
    {"predicted.npy", "float32 [R, T, N]: class of the largest logit"},
    {"runner_up.npy", "float32 [R, T, N]: probability of the class in second place"},
    {"probs.npy", "float16 [R, T, N, C]: softmax"},
    {"features.npy", "float32 [R, N, D]: features before the last layer"},
    {"centres.npy", "float32 [R, K, C, D]: each model's mean features of a class"},
    {"gradient_norm.npy", "float32 [R, N]: length of the loss's gradient"},
    {"fold.npy", "uint8 [R, N]: which model scored the sample"},
    {"labels.npy", "int64 [N]: the labels of the data"},
    {"skipped.npy", "uint8 [N]: 1 for a bad image, which no model trained on"},
    {"trajectory.json", "protocol, repeats, epochs, folds and classes of the arrays beside it"},
};

static const char *about_file(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].about;
    return "";
}

bool us_shows_files(const struct us_run_folder *folder)
{
    (void)folder;
    return true;
}

/* Hidden files, checkpoints, half-written files and the pages themselves are no results. */
static int is_result(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return name[0] != '.' && strcmp(name, "work") != 0 && strcmp(name, "report.html") != 0 &&
           strcmp(name, "audit.html") != 0 && !strstr(name, ".tmp.");
}

/* Byte by byte: not by the rules of a language, so that every host lists alike. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void write_file(FILE *out, const char *relative, const char *name, int64_t size)
{
    char text[US_NUMBER];
    fputs("<tr><td><a href=\"", out);
    us_html_url(out, relative);
    fputs("\">", out);
    us_html_text(out, relative);
    fputs("</a></td>", out);
    us_html_element(out, "td", NULL, "%s", us_size_text(size, text));
    us_html_element(out, "td", "soft", "%s", about_file(name));
    fputs("</tr>\n", out);
}

static enum unseen_status list_folder(struct listing *l, const char *below, int depth);

/* An entry if it is a file, or, with `folders`, what is in it if it is a folder. */
static enum unseen_status list_entry(struct listing *l, const char *below, const char *name, bool folders,
                                     int depth)
{
    enum unseen_status st = UNSEEN_OK;
    struct stat about;
    char *relative = us_format("%s%s", below, name);
    char *path = us_format("%s/%s%s", l->root, below, name);
    char *inside = us_format("%s%s/", below, name);
    US_TRY_ALLOC(relative);
    US_TRY_ALLOC(path);
    US_TRY_ALLOC(inside);
    /* A file that went away since its folder was read is none. */
    if (lstat(path, &about) != 0)
        goto out;
    if (!folders && S_ISREG(about.st_mode) && ++l->files <= MOST_FILES)
        write_file(l->out, relative, name, about.st_size);
    if (folders && S_ISDIR(about.st_mode) && depth > 1)
        US_TRY(list_folder(l, inside, depth - 1));
out:
    free(inside);
    free(path);
    free(relative);
    return st;
}

/* Files first: those of the run itself are never those left out. */
static enum unseen_status list_folder(struct listing *l, const char *below, int depth)
{
    enum unseen_status st = UNSEEN_OK;
    struct dirent **entries = NULL;
    int n = 0;
    char *path = us_format("%s/%s", l->root, below);
    US_TRY_ALLOC(path);
    n = scandir(path, &entries, is_result, by_name);
    if (n < 0) {
        st = us_fail_errno(path, "cannot be listed");
        goto out;
    }
    for (int i = 0; i < 2 * n; i++)
        US_TRY(list_entry(l, below, entries[i % n]->d_name, i >= n, depth));
out:
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    free(path);
    return st;
}

enum unseen_status us_write_files(FILE *out, const struct us_run_folder *folder)
{
    enum unseen_status st = UNSEEN_OK;
    struct listing listing = {.out = out, .root = folder->path};
    char more[US_NUMBER];
    if (folder->kept)
        fputs(
            "<p>To train on the coreset with PyTorch:</p>\n<pre>coreset = torch.utils.data.Subset(trainset, "
            "numpy.load(&quot;keep.npy&quot;).tolist())</pre>\n",
            out);
    fputs("<div class=\"card long\"><div class=\"scroll\"><table class=\"text\"><tbody>\n", out);
    US_TRY(list_folder(&listing, "", DEPTH));
    fputs("</tbody></table></div></div>\n", out);
    if (listing.files > MOST_FILES)
        us_html_element(out, "p", "note", "%s more files lie there.",
                        us_count_text(listing.files - MOST_FILES, more));
out:
    return st;
}
