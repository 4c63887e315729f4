#include "config.h"

#include "datasets/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"
#include "datasets/store/source.h"
#include "datasets/store/spool.h"

/* Archives that are kept open; those beyond are opened for each read. */
enum { KEPT_OPEN = 256 };

struct us_store {
    char *folder;
    struct us_stored_file *files; /* [n] */
    int32_t n;
    pthread_mutex_t lock; /* of handles and spools */
};

enum unseen_status us_bytes_reserve(struct us_bytes *bytes, size_t capacity)
{
    if (capacity <= bytes->capacity)
        return UNSEEN_OK;
    uint8_t *grown = us_realloc(bytes->data, capacity, 1);
    if (!grown)
        return UNSEEN_FAILED;
    bytes->data = grown;
    bytes->capacity = capacity;
    return UNSEEN_OK;
}

void us_bytes_free(struct us_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct us_bytes){0};
}

enum unseen_status us_store_new(const char *folder, struct us_store **store)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_store *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    pthread_mutex_init(&fresh->lock, NULL);
    if (folder && !(fresh->folder = realpath(folder, NULL))) {
        st = us_fail(UNSEEN_BAD_DATA, folder, "%s", strerror(errno));
        goto out;
    }
    *store = fresh;
    fresh = NULL;
out:
    us_store_free(fresh);
    return st;
}

void us_store_free(struct us_store *store)
{
    if (!store)
        return;
    for (int32_t i = 0; i < store->n; i++) {
        if (store->files[i].handle >= 0)
            close(store->files[i].handle);
        us_spool_free(store->files[i].spool);
        free(store->files[i].path);
        free(store->files[i].name);
    }
    pthread_mutex_destroy(&store->lock);
    free(store->files);
    free(store->folder);
    free(store);
}

const char *us_store_folder(const struct us_store *store)
{
    return store->folder;
}

const struct us_stored_file *us_store_files(const struct us_store *store, int32_t *n)
{
    *n = store->n;
    return store->files;
}

enum unseen_status us_store_add(struct us_store *store, const char *path, bool packed, int32_t *file)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return us_fail(UNSEEN_BAD_DATA, path, "%s", strerror(errno));
    struct us_stored_file *grown = us_realloc(store->files, (size_t)store->n + 1, sizeof *grown);
    if (!grown)
        return UNSEEN_FAILED;
    store->files = grown;
    struct us_stored_file *fresh = &grown[store->n];
    *fresh = (struct us_stored_file){.size = about.st_size,
                                     .changed = us_changed(&about),
                                     .touched = us_touched(&about),
                                     .packed = packed,
                                     .handle = -1};
    *file = store->n++;
    fresh->name = us_format("%s", path);
    if (!(fresh->path = realpath(path, NULL)))
        return us_fail_errno(path, "cannot find its full path");
    return fresh->name ? UNSEEN_OK : UNSEEN_FAILED;
}

/* The store's number of the file that `source` reads; it was most likely added last. */
static enum unseen_status find_file(struct us_store *store, const char *path, bool packed, int32_t *file)
{
    for (*file = store->n - 1; *file >= 0; --*file) {
        const struct us_stored_file *there = &store->files[*file];
        if (there->packed == packed && strcmp(there->name, path) == 0)
            return UNSEEN_OK;
    }
    return us_store_add(store, path, packed, file);
}

/* Add the current file of `source`, a packed member, to what the archive is unpacked to. */
static enum unseen_status unpack(struct us_stored_file *file, struct us_source *source,
                                 struct us_place *place)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    enum unseen_status st = UNSEEN_OK;
    if (!file->spool)
        US_TRY(us_spool_new(file->path, &file->spool));
    US_TRY(us_source_read(source, &bytes, &size));
    place->size = (int64_t)size;
    st = us_spool_add(file->spool, bytes, size, &place->offset);
out:
    return st;
}

enum unseen_status us_store_place(struct us_store *store, struct us_source *source, const char *name,
                                  struct us_place *place)
{
    bool packed;
    enum unseen_status st = UNSEEN_OK;
    us_source_place(source, place, &packed);
    if (us_source_is_folder(source) || place->file == US_LINK)
        return UNSEEN_OK;
    US_TRY(find_file(store, us_source_path(source), packed, &place->file));
    if (packed && us_is_image_name(name))
        US_TRY(unpack(&store->files[place->file], source, place));
out:
    return st;
}

/* Unpack an archive of which only the index is known yet: the same members in the same order. */
static enum unseen_status unpack_again(struct us_stored_file *file)
{
    struct us_source *source = NULL;
    struct us_spool *spool = file->spool;
    const char *name = NULL;
    struct us_place place;
    bool packed;
    enum unseen_status st;
    US_TRY(us_source_open(file->path, &source));
    for (;;) {
        US_TRY(us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, file->path, "interrupted") : UNSEEN_OK);
        US_TRY(us_source_next(source, &name));
        if (!name)
            break;
        us_source_place(source, &place, &packed);
        if (packed && us_is_image_name(name))
            US_TRY(unpack(file, source, &place));
    }
out:
    if (st != UNSEEN_OK) {
        us_spool_free(file->spool);
        file->spool = spool;
    }
    us_source_close(source);
    return st;
}

static bool refuse(char reason[US_REASON], const char *text)
{
    us_print_to(reason, US_REASON, "%s", text);
    return false;
}

static bool is_changed(const struct stat *about, int64_t size, int64_t changed, char reason[US_REASON])
{
    if (about->st_size != size)
        us_print_to(reason, US_REASON, "is %lld bytes now, and was %lld when it was listed",
                    (long long)about->st_size, (long long)size);
    else if (us_changed(about) != changed)
        refuse(reason, "was changed since it was listed");
    else
        return false;
    return true;
}

/* Open `path`, which has to be as it was; a pipe is opened without waiting for who writes to it. -1 with the
 * reason. */
static int open_as_listed(const char *path, int64_t size, int64_t changed, char reason[US_REASON])
{
    struct stat about;
    int handle = us_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (handle < 0) {
        refuse(reason, strerror(errno));
        return -1;
    }
    if (fstat(handle, &about) != 0)
        refuse(reason, strerror(errno));
    else if (!S_ISREG(about.st_mode))
        refuse(reason, "is neither a file nor a link to one");
    else if (!is_changed(&about, size, changed, reason))
        return handle;
    close(handle);
    return -1;
}

char *us_store_label(const struct us_store *store, const char *name, const struct us_place *place)
{
    if (place->file >= 0)
        return us_format("%s:%s", store->files[place->file].path, name);
    if (!store->folder || *name == '/')
        return us_format("%s", name);
    return us_format("%s/%s", store->folder, name);
}

static int open_own(const struct us_store *store, const char *name, const struct us_place *place,
                    char reason[US_REASON])
{
    char *path = us_store_label(store, name, place);
    int handle = path ? open_as_listed(path, place->size, place->changed, reason) : -1;
    if (!path)
        refuse(reason, "needs more memory than there is");
    free(path);
    return handle;
}

/* What to read the archive's pieces from; -1 with the reason. `own`: the caller closes it. */
static int open_archive(struct us_store *store, struct us_stored_file *file, bool *own,
                        char reason[US_REASON])
{
    pthread_mutex_lock(&store->lock);
    int handle = file->handle;
    if (file->packed) {
        if (!file->spool && unpack_again(file) != UNSEEN_OK)
            *reason = '\0';
        handle = file->spool ? us_spool_handle(file->spool) : -1;
    } else if (handle < 0) {
        handle = open_as_listed(file->path, file->size, file->changed, reason);
        *own = store->n > KEPT_OPEN;
        if (!*own)
            file->handle = handle;
    }
    pthread_mutex_unlock(&store->lock);
    return handle;
}

static bool read_piece(int handle, int64_t at, size_t size, struct us_bytes *bytes, char reason[US_REASON])
{
    bytes->size = 0;
    if (us_bytes_reserve(bytes, size ? size : 1) != UNSEEN_OK)
        return refuse(reason, "needs more memory than there is");
    while (bytes->size < size) {
        ssize_t n = pread(handle, bytes->data + bytes->size, size - bytes->size, at + (int64_t)bytes->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse(reason, strerror(errno));
        if (n == 0)
            return refuse(reason, "ends before the size that it was listed with");
        bytes->size += (size_t)n;
    }
    return true;
}

bool us_store_try(struct us_store *store, const char *name, const struct us_place *place, int64_t from,
                  int64_t size, struct us_bytes *bytes, char reason[US_REASON])
{
    bool own = place->file == US_OWN_FILE;
    if (place->file == US_LINK)
        return refuse(reason, US_LINK_REASON);
    const int64_t left = from < place->size ? place->size - from : 0;
    int handle = own ? open_own(store, name, place, reason)
                     : open_archive(store, &store->files[place->file], &own, reason);
    if (handle < 0)
        return false;
    bool good = read_piece(handle, place->offset + from, (size_t)(size < left ? size : left), bytes, reason);
    if (own)
        close(handle);
    return good;
}

enum unseen_status us_store_read(struct us_store *store, const char *name, const struct us_place *place,
                                 struct us_bytes *bytes)
{
    char reason[US_REASON];
    if (us_store_try(store, name, place, 0, place->size, bytes, reason))
        return UNSEEN_OK;
    if (!*reason)
        return us_interrupted() ? UNSEEN_INTERRUPTED : UNSEEN_FAILED;
    char *label = us_store_label(store, name, place);
    enum unseen_status st = label ? us_fail(UNSEEN_BAD_DATA, label, "%s", reason) : UNSEEN_FAILED;
    free(label);
    return st;
}
