#include "config.h"

#include "datasets/store/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"

/* A part of a file that libarchive reads as an archive of its own. */
struct piece {
    int handle;
    int64_t from, size, at;
    uint8_t bytes[1 << 16];
};

struct us_source {
    char *path;
    FTS *walk;               /* folder; NULL for an archive */
    struct us_place place;   /* folder: of the current file */
    struct archive *archive; /* archive */
    struct piece *piece;     /* archive within an archive; else NULL */
    int64_t from;            /* archive: where it begins in the file */
    struct archive_entry *entry;
    char *name; /* the current file */
    struct passed_over {
        int64_t n;
        char *first; /* one of them; NULL if there is none */
    } passed_over[US_PASSED_OVER];
    uint8_t *buffer;
    size_t buffer_size;
};

const char *us_base_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

bool us_is_image_name(const char *name)
{
    static const char *const extensions[] = {"jpg", "jpeg", "png",  "ppm", "bmp",
                                             "pgm", "tif",  "tiff", "webp"};
    const char *dot = strrchr(us_base_name(name), '.');
    for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++) {
        if (us_same_letters(dot + 1, extensions[i]))
            return true;
    }
    return false;
}

/* How messages call file `name`: "FOLDER/name" or "ARCHIVE:name". Fresh memory. */
static char *label_of(const struct us_source *source, const char *name)
{
    return us_format("%s%c%s", source->path, source->walk ? '/' : ':', name);
}

void us_source_close(struct us_source *source)
{
    if (!source)
        return;
    if (source->walk)
        fts_close(source->walk);
    for (int why = 0; why < US_PASSED_OVER; why++)
        free(source->passed_over[why].first);
    if (source->archive)
        archive_read_free(source->archive);
    if (source->piece && source->piece->handle >= 0)
        close(source->piece->handle);
    free(source->piece);
    free(source->name);
    free(source->buffer);
    free(source->path);
    free(source);
}

/* What file managers, editors and other systems leave beside the data. */
static bool is_hidden(const char *part)
{
    static const char *const left_behind[] = {"__MACOSX", "Thumbs.db", "desktop.ini"};
    for (size_t i = 0; i < sizeof left_behind / sizeof *left_behind; i++) {
        if (us_same_letters(part, left_behind[i]))
            return true;
    }
    return part[0] == '.';
}

int64_t us_source_passed_over(const struct us_source *source, enum us_passed_over why, const char **first)
{
    *first = source->passed_over[why].first;
    return source->passed_over[why].n;
}

static enum unseen_status pass_over(struct us_source *source, enum us_passed_over why, const char *name)
{
    struct passed_over *passed_over = &source->passed_over[why];
    if (passed_over->n++ > 0)
        return UNSEEN_OK;
    passed_over->first = us_format("%s", name);
    return passed_over->first ? UNSEEN_OK : UNSEEN_FAILED;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum unseen_status open_folder(struct us_source *source)
{
    char *roots[] = {source->path, NULL};
    source->walk = fts_open(roots, FTS_LOGICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    return source->walk ? UNSEEN_OK : us_fail_errno(source->path, "cannot read the folder");
}

/* One entry of the walk: a folder's name has a '/' behind it. A dangling link counts as a file, and so does a
 * pipe, so that reading it says what is wrong. source->name stays NULL for what is passed over. */
static enum unseen_status take_entry(struct us_source *source, FTSENT *entry)
{
    const char *relative = entry->fts_path + strlen(source->path);
    relative += strspn(relative, "/");
    if (entry->fts_info == FTS_DP || (entry->fts_info == FTS_D && entry->fts_level == FTS_ROOTLEVEL))
        return UNSEEN_OK;
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
        errno = entry->fts_errno;
        return us_fail_errno(entry->fts_path, "cannot read");
    }
    if (is_hidden(entry->fts_name)) {
        fts_set(source->walk, entry, FTS_SKIP);
        return pass_over(source, US_HIDDEN, relative);
    }
    if (entry->fts_info == FTS_DC)
        return pass_over(source, US_LOOP, relative);
    source->place = us_place_of(entry->fts_statp);
    source->name = us_format("%s%s", relative, entry->fts_info == FTS_D ? "/" : "");
    return source->name ? UNSEEN_OK : UNSEEN_FAILED;
}

static enum unseen_status next_in_folder(struct us_source *source)
{
    enum unseen_status st = UNSEEN_OK;
    while (st == UNSEEN_OK && !source->name) {
        errno = 0;
        FTSENT *entry = fts_read(source->walk);
        if (!entry)
            return errno ? us_fail_errno(source->path, "cannot read the folder") : UNSEEN_OK;
        st = us_interrupted() ? us_fail(UNSEEN_INTERRUPTED, source->path, "interrupted while reading")
                              : take_entry(source, entry);
    }
    return st;
}

static const char *archive_reason(const struct us_source *source)
{
    const char *reason = archive_error_string(source->archive);
    if (reason &&
        strstr(reason, "No progress is possible")) /* liblzma's words for the end of what there is */
        return "the archive ends too early";
    return reason ? reason : "the archive is damaged";
}

static enum unseen_status damaged(struct us_source *source)
{
    return us_fail(UNSEEN_BAD_DATA, source->path, "cannot read the archive: %s", archive_reason(source));
}

static la_ssize_t read_from_piece(struct archive *archive, void *context, const void **bytes)
{
    struct piece *piece = context;
    const int64_t left = piece->size - piece->at;
    const size_t wanted = left < (int64_t)sizeof piece->bytes ? (size_t)left : sizeof piece->bytes;
    ssize_t got;
    do
        got = pread(piece->handle, piece->bytes, wanted, piece->from + piece->at);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        archive_set_error(archive, errno, "%s", strerror(errno));
    else
        piece->at += got;
    *bytes = piece->bytes;
    return got;
}

static la_int64_t skip_in_piece(struct archive *archive, void *context, la_int64_t wanted)
{
    struct piece *piece = context;
    (void)archive;
    const int64_t left = piece->size - piece->at;
    const int64_t skipped = wanted < left ? wanted : left;
    piece->at += skipped;
    return skipped;
}

static int open_piece(struct us_source *source, struct archive *archive)
{
    archive_read_set_read_callback(archive, read_from_piece);
    archive_read_set_skip_callback(archive, skip_in_piece);
    archive_read_set_callback_data(archive, source->piece);
    return archive_read_open1(archive);
}

/* Formats and filters are named one by one: "all" would take any text for an mtree list and hand unknown
 * compressions to other programs. */
static enum unseen_status open_archive(struct us_source *source)
{
    struct archive *archive = source->archive = archive_read_new();
    if (!archive)
        return us_fail(UNSEEN_FAILED, "memory", "cannot make an archive reader");
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_zstd(archive);
    if ((source->piece ? open_piece(source, archive)
                       : archive_read_open_filename(archive, source->path, 1 << 16)) == ARCHIVE_OK)
        return UNSEEN_OK;
    enum unseen_status st = damaged(source);
    us_hint("a dataset is a folder or a tar, tar.gz, tar.xz or zip");
    return st;
}

enum unseen_status us_source_open(const char *path, struct us_source **source)
{
    enum unseen_status st = UNSEEN_OK;
    struct stat about;
    struct us_source *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    US_TRY_ALLOC(fresh->path = us_format("%s", path));
    for (size_t end = strlen(fresh->path); end > 1 && fresh->path[end - 1] == '/'; end--)
        fresh->path[end - 1] = '\0';
    if (stat(path, &about) != 0) {
        st = us_fail(UNSEEN_BAD_DATA, path, "%s", strerror(errno));
        goto out;
    }
    US_TRY(S_ISDIR(about.st_mode) ? open_folder(fresh) : open_archive(fresh));
    *source = fresh;
    fresh = NULL;
out:
    us_source_close(fresh);
    return st;
}

enum unseen_status us_source_open_piece(const char *path, int64_t from, int64_t size,
                                        struct us_source **source)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_source *fresh = us_calloc(1, sizeof *fresh);
    US_TRY_ALLOC(fresh);
    US_TRY_ALLOC(fresh->path = us_format("%s", path));
    US_TRY_ALLOC(fresh->piece = us_calloc(1, sizeof *fresh->piece));
    fresh->from = fresh->piece->from = from;
    fresh->piece->size = size;
    fresh->piece->handle = us_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fresh->piece->handle < 0) {
        st = us_fail(UNSEEN_BAD_DATA, path, "%s", strerror(errno));
        goto out;
    }
    US_TRY(open_archive(fresh));
    *source = fresh;
    fresh = NULL;
out:
    us_source_close(fresh);
    return st;
}

/* `name` without empty and "." parts, in place; false for one to pass over. Room for a '/' is behind it. */
static bool normalise(char *name)
{
    char *to = name, *rest = NULL;
    for (char *part = strtok_r(name, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        if (strcmp(part, ".") == 0)
            continue;
        if (is_hidden(part))
            return false;
        size_t length = strlen(part);
        if (to != name)
            *to++ = '/';
        memmove(to, part, length);
        to += length;
    }
    *to = '\0';
    return to != name;
}

static enum unseen_status next_in_archive(struct us_source *source)
{
    for (;;) {
        free(source->name);
        source->name = NULL;
        int rc = archive_read_next_header(source->archive, &source->entry);
        if (rc == ARCHIVE_EOF)
            return UNSEEN_OK;
        if (rc == ARCHIVE_RETRY)
            continue;
        if (rc < ARCHIVE_WARN)
            return damaged(source);
        const char *stored = archive_entry_pathname(source->entry);
        if (!stored) /* the locale cannot write it */
            stored = archive_entry_pathname_utf8(source->entry);
        if (!stored)
            return us_fail(UNSEEN_BAD_DATA, source->path, "an entry of the archive has no readable name");
        if (!(source->name = us_format("%s/", stored)))
            return UNSEEN_FAILED;
        if (!normalise(source->name)) {
            if (*source->name && pass_over(source, US_HIDDEN, stored) != UNSEEN_OK)
                return UNSEEN_FAILED;
            continue;
        }
        if (archive_entry_filetype(source->entry) == AE_IFDIR)
            strcat(source->name, "/");
        return UNSEEN_OK;
    }
}

enum unseen_status us_source_next(struct us_source *source, const char **name)
{
    free(source->name);
    source->name = NULL;
    enum unseen_status st = source->walk ? next_in_folder(source) : next_in_archive(source);
    *name = source->name;
    return st;
}

/* A link, of either kind. */
static bool is_link(const struct us_source *source)
{
    return archive_entry_filetype(source->entry) != AE_IFREG || archive_entry_hardlink(source->entry);
}

/* The current member's bytes do not lie in the archive as they are. */
static bool is_packed(const struct us_source *source)
{
    const bool filtered = archive_filter_code(source->archive, 0) != ARCHIVE_FILTER_NONE;
    const int format = archive_format(source->archive) & ARCHIVE_FORMAT_BASE_MASK;
    return filtered || archive_entry_sparse_count(source->entry) > 0 ||
           (format != ARCHIVE_FORMAT_TAR && !strstr(archive_format_name(source->archive), "(uncompressed)"));
}

void us_source_place(const struct us_source *source, struct us_place *place, bool *packed)
{
    *packed = false;
    if (source->walk) {
        *place = source->place;
        return;
    }
    *place = (struct us_place){.size = archive_entry_size(source->entry)};
    if (is_link(source))
        place->file = US_LINK;
    else if (!(*packed = is_packed(source)))
        place->offset = source->from + archive_filter_bytes(source->archive, 0);
}

const char *us_source_path(const struct us_source *source)
{
    return source->path;
}

bool us_source_is_folder(const struct us_source *source)
{
    return source->walk != NULL;
}

/* Bytes read, 0 at the end, -1 after a failure that is not recorded yet. */
static ssize_t read_piece(struct us_source *source, int handle, size_t at)
{
    for (;;) {
        uint8_t *to = source->buffer + at;
        size_t room = source->buffer_size - at;
        ssize_t got =
            source->walk ? read(handle, to, room) : (ssize_t)archive_read_data(source->archive, to, room);
        if (source->walk ? got < 0 && errno == EINTR : got == ARCHIVE_RETRY)
            continue;
        return got < 0 ? -1 : got;
    }
}

/* The current file's bytes to the buffer. `reason` is set instead if they cannot be had. */
static enum unseen_status read_all(struct us_source *source, int handle, size_t *size, const char **reason)
{
    size_t at = 0;
    for (;;) {
        if (at == source->buffer_size) {
            size_t larger = at ? 2 * at : 1 << 16;
            uint8_t *grown = us_realloc(source->buffer, larger, 1);
            if (!grown)
                return UNSEEN_FAILED;
            source->buffer = grown;
            source->buffer_size = larger;
        }
        ssize_t got = read_piece(source, handle, at);
        if (got < 0)
            *reason = source->walk ? strerror(errno) : archive_reason(source);
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    *size = at;
    return UNSEEN_OK;
}

/* Open the current file of a folder; a pipe is opened without waiting for who writes to it. */
static int open_file(const struct us_source *source, const char **reason)
{
    struct stat about;
    int handle = -1;
    char *path = label_of(source, source->name);
    if (path)
        handle = us_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (!path || handle < 0)
        *reason = strerror(errno);
    else if (fstat(handle, &about) == 0 && !S_ISREG(about.st_mode))
        *reason = "is neither a file nor a link to one";
    free(path);
    return handle;
}

enum unseen_status us_source_try(struct us_source *source, const uint8_t **bytes, size_t *size,
                                 const char **reason)
{
    enum unseen_status st = UNSEEN_OK;
    int handle = -1;
    *reason = NULL;
    if (source->walk)
        handle = open_file(source, reason);
    else if (is_link(source))
        *reason = US_LINK_REASON;
    if (!*reason)
        st = read_all(source, handle, size, reason);
    *bytes = source->buffer;
    if (handle >= 0)
        close(handle);
    return st;
}

enum unseen_status us_source_read(struct us_source *source, const uint8_t **bytes, size_t *size)
{
    const char *reason = NULL;
    enum unseen_status st = us_source_try(source, bytes, size, &reason);
    if (st != UNSEEN_OK || !reason)
        return st;
    char *label = label_of(source, source->name);
    if (!label)
        return UNSEEN_FAILED;
    st = us_fail(UNSEEN_BAD_DATA, label, "%s", reason);
    free(label);
    return st;
}

void us_blob_free(struct us_blob *blob)
{
    free(blob->name);
    free(blob->bytes);
    *blob = (struct us_blob){0};
}

static enum unseen_status take_blob(struct us_source *source, const char *name, struct us_blob *blob)
{
    const uint8_t *bytes = NULL;
    if (blob->name)
        return us_fail(UNSEEN_BAD_DATA, source->path, "holds both %s and %s", blob->name, name);
    enum unseen_status st = us_source_read(source, &bytes, &blob->size);
    if (st != UNSEEN_OK)
        return st;
    if (!(blob->name = us_format("%s", name)))
        return UNSEEN_FAILED;
    /* The buffer itself moves to the blob: these files are large, and a copy would be the second one. */
    blob->bytes = source->buffer;
    source->buffer = NULL;
    source->buffer_size = 0;
    return UNSEEN_OK;
}

enum unseen_status us_source_collect(struct us_source *source, const char *const *wanted, size_t n,
                                     struct us_blob *blobs)
{
    const char *name = NULL;
    for (;;) {
        enum unseen_status st = us_source_next(source, &name);
        if (st != UNSEEN_OK || !name)
            return st;
        for (size_t i = 0; i < n && st == UNSEEN_OK; i++) {
            if (strcmp(us_base_name(name), wanted[i]) == 0)
                st = take_blob(source, name, &blobs[i]);
        }
        if (st != UNSEEN_OK)
            return st;
    }
}
