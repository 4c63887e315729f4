#include "config.h"

#include "datasets/export.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/output_root.h"
#include "datasets/export_check.h"
#include "datasets/list/listed.h"

static enum unseen_status find_target(const char *name, const struct us_dataset_format **target)
{
    *target = us_format_find(name);
    if (*target && ((*target)->write || (*target)->write_file))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, "format", *target ? "%s cannot be written" : "there is no dataset format '%s'",
            name);
    us_hint("what can be written is cifar10, cifar100, imagefolder, list, files and pack");
    return UNSEEN_USAGE;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void free_entries(struct dirent **entries, int n)
{
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
}

/* An export never mixes with, or writes over, what is there. */
static enum unseen_status check_empty(const char *out)
{
    struct dirent **entries = NULL;
    enum unseen_status st = UNSEEN_OK;
    if (!us_exists(out))
        return UNSEEN_OK;
    int n = scandir(out, &entries, is_visible, alphasort);
    if (n < 0)
        return us_fail_errno(out, "cannot read the folder");
    if (n > 0) {
        st = us_fail(UNSEEN_USAGE, out, "already holds %s", entries[0]->d_name);
        us_hint("name a new folder, or remove what is in this one first");
    }
    free_entries(entries, n);
    return st;
}

static enum unseen_status sync_folder(const char *path)
{
    int handle = us_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int rc = handle < 0 ? -1 : syncfs(handle);
    enum unseen_status st = rc == 0 ? UNSEEN_OK : us_fail_errno(path, "cannot write");
    if (handle >= 0)
        close(handle);
    return st;
}

static enum unseen_status move(const char *from, const char *to)
{
    return rename(from, to) == 0 ? UNSEEN_OK : us_fail_errno(to, "cannot move what is finished here");
}

static enum unseen_status move_entries(const char *from, const char *to)
{
    struct dirent **entries = NULL;
    enum unseen_status st = UNSEEN_OK;
    int n = scandir(from, &entries, is_visible, alphasort);
    if (n < 0)
        return us_fail_errno(from, "cannot read the folder");
    for (int i = 0; i < n && st == UNSEEN_OK; i++) {
        char *source = us_format("%s/%s", from, entries[i]->d_name);
        char *target = us_format("%s/%s", to, entries[i]->d_name);
        st = source && target ? move(source, target) : UNSEEN_FAILED;
        free(source);
        free(target);
    }
    free_entries(entries, n);
    return st;
}

/* Where an export to `out` is written, but for the name that tells whose it is. */
static char *name_begin(const struct us_export *export)
{
    return us_format("%s%s.partial.", export->out, export->there ? "/" : "");
}

/* Remove what killed exports to the same place left. */
static enum unseen_status remove_left(const char *begin)
{
    const char *slash = strrchr(begin, '/'), *name = slash ? slash + 1 : begin;
    char *folder = slash ? us_format("%.*s", (int)(slash + 1 - begin), begin) : us_format(".");
    DIR *entries = folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    enum unseen_status st = folder ? UNSEEN_OK : UNSEEN_FAILED;
    while (entries && (entry = readdir(entries))) {
        if (strncmp(entry->d_name, name, strlen(name)) != 0 ||
            !us_output_is_left(entry->d_name + strlen(name)))
            continue;
        char *path = us_format("%s/%s", folder, entry->d_name);
        if (path)
            us_remove_folder(path);
        free(path);
    }
    if (entries)
        closedir(entries);
    free(folder);
    return st;
}

enum unseen_status us_export_begin(const char *out, int64_t bytes, struct us_export *export)
{
    enum unseen_status st = UNSEEN_OK;
    char *begin = NULL;
    *export = (struct us_export){0};
    US_TRY_ALLOC(export->out = us_format("%s", out));
    for (size_t end = strlen(out); end > 1 && out[end - 1] == '/'; end--)
        export->out[end - 1] = '\0';
    US_TRY(check_empty(export->out));
    export->there = us_exists(export->out);
    US_TRY_ALLOC(begin = name_begin(export));
    US_TRY(remove_left(begin));
    US_TRY(us_check_room(export->out, bytes));
    US_TRY_ALLOC(export->folder = us_output_temporary_name(begin));
    if (us_exists(export->folder)) {
        st = us_fail(UNSEEN_FAILED, export->folder, "is in the way");
        free(export->folder); /* not ours to remove */
        export->folder = NULL;
        goto out;
    }
    st = us_make_folder(export->folder);
out:
    free(begin);
    if (st != UNSEEN_OK)
        us_export_end(export);
    return st;
}

enum unseen_status us_export_commit(struct us_export *export)
{
    enum unseen_status st = sync_folder(export->folder);
    if (st != UNSEEN_OK)
        return st;
    return export->there ? move_entries(export->folder, export->out) : move(export->folder, export->out);
}

void us_export_end(struct us_export *export)
{
    if (export->folder)
        us_remove_folder(export->folder);
    free(export->folder);
    free(export->out);
    *export = (struct us_export){0};
}

static enum unseen_status check_absent(const char *out)
{
    if (!us_exists(out))
        return UNSEEN_OK;
    us_fail(UNSEEN_USAGE, out, "is there already");
    us_hint("remove it, or name another file");
    return UNSEEN_USAGE;
}

enum unseen_status unseen_dataset_export(const struct unseen_dataset *dataset, const int64_t *keep, int64_t n,
                                         const char *format, const char *out)
{
    struct us_subset subset;
    int64_t *usable = NULL;
    const struct us_dataset_format *target = NULL;
    struct us_export export = {0};
    int64_t bytes = 0;
    const bool files = format && strcmp(format, "files") == 0;
    enum unseen_status st = UNSEEN_OK;
    if (!files)
        US_TRY(find_target(format ? format : dataset->format, &target));
    US_TRY(us_subset_of(dataset, keep, n, &subset, &usable));
    if (files || target->write_file) {
        US_TRY(check_absent(out));
        st = files ? us_paths_write(dataset, &subset, out) : target->write_file(dataset, &subset, out);
        goto out;
    }
    US_TRY(target->measure(dataset, &subset, &bytes));
    US_TRY(us_export_begin(out, bytes, &export));
    US_TRY(target->write(dataset, &subset, export.folder));
    st = us_export_commit(&export);
out:
    us_export_end(&export);
    free(usable);
    return st;
}
