#include "config.h"

#include "datasets/index/index_file.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/hash.h"

/* The number changes when the layout of a file or the meaning of a field does. */
static const char magic[16] = "unseen-index-3";

/* What lies behind the head, each from a multiple of 8 bytes on. NAMES: of the store's folder and archives,
 * and of classes. */
enum { ENTRIES, LABELS, SIZES, WITNESSES, FILES, CLASSES, COPIES, TEXT, REASONS, NOTES, NAMES, SECTIONS };

struct head {
    char magic[sizeof magic];
    uint64_t sum; /* us_hash of the head's rest and of each section */
    uint64_t bytes[SECTIONS];
    int64_t n[2], class_at[2];
    int64_t made;
    uint64_t folder; /* the store's, in NAMES; UINT64_MAX: it has none */
    struct us_facts facts;
};

/* An archive of the store. */
struct kept_file {
    uint64_t path; /* in NAMES */
    int64_t size, changed;
    uint32_t touched, packed;
};

static size_t padded(uint64_t bytes)
{
    return (size_t)((bytes + 7) / 8 * 8);
}

static uint64_t sum_of_head(const struct head *head)
{
    return us_hash(US_HASH_START, head->bytes, sizeof *head - offsetof(struct head, bytes));
}

/* The file holds what its head says. */
static bool checks(const struct head *head, size_t size)
{
    const char *at = (const char *)(head + 1), *end = (const char *)head + size;
    uint64_t sum = sum_of_head(head);
    if (memcmp(head->magic, magic, sizeof magic) != 0)
        return false;
    for (int i = 0; i < SECTIONS; i++) {
        if (head->bytes[i] > (uint64_t)(end - at) || padded(head->bytes[i]) > (size_t)(end - at))
            return false;
        sum = us_hash(sum, at, head->bytes[i]);
        for (size_t p = head->bytes[i]; p < padded(head->bytes[i]); p++)
            sum += at[p] != 0; /* what is written there are zeroes */
        at += padded(head->bytes[i]);
    }
    return at == end && sum == head->sum;
}

/* Map the file, so that it can be changed in memory. NULL if there is none that checks. */
static struct head *map_file(const char *path, size_t *size)
{
    struct stat about;
    struct head *head = MAP_FAILED;
    int handle = us_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0); /* a pipe is not waited for */
    if (handle < 0)
        return NULL;
    if (fstat(handle, &about) == 0 && S_ISREG(about.st_mode) && (size_t)about.st_size >= sizeof *head) {
        *size = (size_t)about.st_size;
        head = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, handle, 0);
    }
    close(handle);
    if (head == MAP_FAILED)
        return NULL;
    if (checks(head, *size))
        return head;
    munmap(head, *size);
    return NULL;
}

/* Archives that are not as they were make the index useless: nothing in it is known to hold. */
static enum unseen_status open_store(struct us_index *index, const struct head *head, const char *names,
                                     const struct kept_file *kept)
{
    const size_t n = head->bytes[FILES] / sizeof *kept;
    enum unseen_status st;
    US_TRY(us_store_new(head->folder == UINT64_MAX ? NULL : names + head->folder, &index->store));
    for (size_t i = 0; i < n; i++) {
        int32_t number;
        US_TRY(us_store_add(index->store, names + kept[i].path, kept[i].packed != 0, &number));
        const struct us_stored_file *file = &us_store_files(index->store, &number)[i];
        if (file->size != kept[i].size || file->changed != kept[i].changed ||
            file->touched != kept[i].touched)
            return UNSEEN_BAD_DATA;
    }
out:
    return st;
}

/* Point `index` into the mapping. */
static enum unseen_status take_sections(struct us_index *index, struct head *head, size_t size)
{
    char *section[SECTIONS], *at = (char *)(head + 1);
    for (int i = 0; i < SECTIONS; i++) {
        section[i] = at;
        at += padded(head->bytes[i]);
    }
    *index = (struct us_index){.mapping = head,
                               .mapped = size,
                               .text = {section[TEXT], head->bytes[TEXT], 0},
                               .reasons = {section[REASONS], head->bytes[REASONS], 0},
                               .notes = {section[NOTES], head->bytes[NOTES], 0},
                               .entries = (struct us_entry *)section[ENTRIES],
                               .labels = (int32_t *)section[LABELS],
                               .sizes = (struct us_image_size *)section[SIZES],
                               .n = {head->n[0], head->n[1]},
                               .class_at = {(size_t)head->class_at[0], (size_t)head->class_at[1]},
                               .witnesses = (struct us_witness *)section[WITNESSES],
                               .n_witnesses = head->bytes[WITNESSES] / sizeof(struct us_witness),
                               .copies = (struct us_copy *)section[COPIES],
                               .n_copies = (int64_t)(head->bytes[COPIES] / sizeof(struct us_copy)),
                               .facts = head->facts};
    const uint64_t *classes = (const uint64_t *)section[CLASSES];
    enum unseen_status st = UNSEEN_OK;
    for (size_t c = 0; c < head->bytes[CLASSES] / sizeof *classes; c++)
        US_TRY(us_index_class(index, section[NAMES] + classes[c]));
    st = open_store(index, head, section[NAMES], (const struct kept_file *)section[FILES]);
out:
    return st;
}

bool us_index_map(const char *path, struct us_index *index, int64_t *made)
{
    size_t size = 0;
    struct head *head = map_file(path, &size);
    *index = (struct us_index){0};
    if (!head)
        return false;
    *made = head->made;
    if (take_sections(index, head, size) == UNSEEN_OK)
        return true;
    us_index_free(index);
    return false;
}

static enum unseen_status list_archives(const struct us_store *store, struct us_text *names,
                                        struct kept_file **kept, size_t *n)
{
    int32_t count;
    const struct us_stored_file *files = us_store_files(store, &count);
    struct kept_file *list = *kept = us_calloc((size_t)count, sizeof *list);
    enum unseen_status st = list ? UNSEEN_OK : UNSEEN_FAILED;
    for (int32_t i = 0; st == UNSEEN_OK && i < count; i++) {
        list[i] = (struct kept_file){0, files[i].size, files[i].changed, files[i].touched, files[i].packed};
        st = us_text_add(names, files[i].path, &list[i].path);
    }
    *n = (size_t)count;
    return st;
}

static enum unseen_status list_classes(const struct us_index *index, struct us_text *names,
                                       uint64_t **classes)
{
    uint64_t *list = *classes = us_calloc((size_t)index->n_classes, sizeof *list);
    enum unseen_status st = list ? UNSEEN_OK : UNSEEN_FAILED;
    for (int c = 0; st == UNSEEN_OK && c < index->n_classes; c++)
        st = us_text_add(names, index->classes[c], &list[c]);
    return st;
}

struct piece {
    const void *bytes;
    size_t size;
};

static enum unseen_status write_pieces(const char *path, struct head *head, const struct piece *pieces)
{
    static const char zeroes[8];
    struct us_atomic file = {0};
    enum unseen_status st;
    for (int i = 0; i < SECTIONS; i++)
        head->bytes[i] = pieces[i].size;
    head->sum = sum_of_head(head);
    for (int i = 0; i < SECTIONS; i++)
        head->sum = us_hash(head->sum, pieces[i].bytes, pieces[i].size);
    US_TRY(us_atomic_begin(path, &file));
    /* A short write sets the stream's error flag, which the commit looks at. */
    (void)!fwrite(head, sizeof *head, 1, file.stream);
    for (int i = 0; i < SECTIONS; i++) {
        if (pieces[i].size > 0)
            (void)!fwrite(pieces[i].bytes, pieces[i].size, 1, file.stream);
        (void)!fwrite(zeroes, padded(pieces[i].size) - pieces[i].size, 1, file.stream);
    }
    st = us_atomic_commit(&file);
out:
    us_atomic_abandon(&file);
    return st;
}

enum unseen_status us_index_write(const char *path, const struct us_index *index, int64_t made)
{
    const size_t n = (size_t)(index->n[UNSEEN_TRAIN] + index->n[UNSEEN_TEST]);
    struct us_text names = {0};
    struct kept_file *archives = NULL;
    uint64_t *classes = NULL;
    size_t n_archives = 0;
    struct head head = {.n = {index->n[0], index->n[1]},
                        .class_at = {(int64_t)index->class_at[0], (int64_t)index->class_at[1]},
                        .made = made,
                        .folder = UINT64_MAX,
                        .facts = index->facts};
    enum unseen_status st = UNSEEN_OK;
    memcpy(head.magic, magic, sizeof magic);
    if (us_store_folder(index->store))
        US_TRY(us_text_add(&names, us_store_folder(index->store), &head.folder));
    US_TRY(list_archives(index->store, &names, &archives, &n_archives));
    US_TRY(list_classes(index, &names, &classes));
    const struct piece pieces[SECTIONS] = {
        [ENTRIES] = {index->entries, n * sizeof *index->entries},
        [LABELS] = {index->labels, n * sizeof *index->labels},
        [SIZES] = {index->sizes, n * sizeof *index->sizes},
        [WITNESSES] = {index->witnesses, index->n_witnesses * sizeof *index->witnesses},
        [FILES] = {archives, n_archives * sizeof *archives},
        [CLASSES] = {classes, (size_t)index->n_classes * sizeof *classes},
        [COPIES] = {index->copies, (size_t)index->n_copies * sizeof *index->copies},
        [TEXT] = {index->text.text, index->text.size},
        [REASONS] = {index->reasons.text, index->reasons.size},
        [NOTES] = {index->notes.text, index->notes.size},
        [NAMES] = {names.text, names.size}};
    st = write_pieces(path, &head, pieces);
out:
    us_text_free(&names);
    free(classes);
    free(archives);
    return st;
}
