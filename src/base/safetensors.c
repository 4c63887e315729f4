#include "config.h"

#include "base/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/atomic.h"
#include "base/fs.h"
#include "base/json.h"

/* What other readers accept at most; ours says no where they would. */
#define HEADER_MAX 100000000u

static const char metadata_key[] = "__metadata__";

static const char *const dtype_names[] = {
    [US_U8] = "U8", [US_I32] = "I32", [US_I64] = "I64", [US_F16] = "F16", [US_F32] = "F32", [US_F64] = "F64",
};

/* --- writing --- */

static json_t *describe(const struct us_tensor_view *tensor, size_t begin, size_t end)
{
    json_t *shape = json_array();
    for (int i = 0; shape && i < tensor->ndim; i++) {
        if (json_array_append_new(shape, json_integer(tensor->shape[i])) != 0) {
            json_decref(shape);
            shape = NULL;
        }
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[tensor->dtype], "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static enum unseen_status add_metadata(const char *path, json_t *root, const char *const *metadata)
{
    if (!metadata || !metadata[0])
        return UNSEEN_OK;
    json_t *strings = json_object();
    if (json_object_set_new(root, metadata_key, strings) != 0)
        return us_fail(UNSEEN_FAILED, path, "memory ran out for the header");
    for (size_t i = 0; metadata[i]; i += 2) {
        if (!metadata[i + 1] || json_object_set_new(strings, metadata[i], json_string(metadata[i + 1])) != 0)
            return us_fail(UNSEEN_USAGE, path, "metadata \"%s\" is not text", metadata[i]);
    }
    return UNSEEN_OK;
}

static enum unseen_status add_tensor(const char *path, json_t *root, const struct us_tensor_view *tensor,
                                     size_t *offset)
{
    size_t bytes, end;
    if (strcmp(tensor->name, metadata_key) == 0 || json_object_get(root, tensor->name))
        return us_fail(UNSEEN_USAGE, path, "the tensor name \"%s\" is taken", tensor->name);
    if (tensor->ndim < 0 || tensor->ndim > 4 ||
        !us_shape_size(tensor->ndim, tensor->shape, us_dtype_size(tensor->dtype), NULL, &bytes) ||
        __builtin_add_overflow(*offset, bytes, &end))
        return us_fail(UNSEEN_USAGE, path, "tensor \"%s\" has no valid shape", tensor->name);
    if (json_object_set_new(root, tensor->name, describe(tensor, *offset, end)) != 0)
        return us_fail(UNSEEN_USAGE, path, "the tensor name \"%s\" is not text", tensor->name);
    *offset = end;
    return UNSEEN_OK;
}

/* The JSON header, padded with spaces so that the data behind it starts at a multiple of 8 bytes. */
static enum unseen_status make_header(const char *path, const struct us_tensor_view *tensors, size_t n,
                                      const char *const *metadata, char **header)
{
    enum unseen_status st = UNSEEN_OK;
    char *text = NULL;
    size_t offset = 0;
    json_t *root = json_object();
    US_TRY(add_metadata(path, root, metadata));
    for (size_t i = 0; i < n; i++)
        US_TRY(add_tensor(path, root, &tensors[i], &offset));
    text = json_dumps(root, JSON_COMPACT);
    if (!text) {
        st = us_fail(UNSEEN_FAILED, path, "memory ran out for the header");
        goto out;
    }
    int padded = (int)((strlen(text) + 7) / 8 * 8);
    US_TRY_ALLOC(*header = us_format("%-*s", padded, text));
out:
    free(text);
    json_decref(root);
    return st;
}

enum unseen_status us_safetensors_write(const char *path, const struct us_tensor_view *tensors, size_t n,
                                        const char *const *metadata)
{
    char *header = NULL;
    struct us_atomic file;
    enum unseen_status st;
    US_TRY(make_header(path, tensors, n, metadata, &header));
    US_TRY(us_atomic_begin(path, &file));
    uint64_t length = strlen(header); /* little endian, as npy.c asserts the host to be */
    /* Short writes set the stream's error flag, which the commit looks at. */
    (void)!fwrite(&length, sizeof length, 1, file.stream);
    (void)!fwrite(header, 1, length, file.stream);
    for (size_t i = 0; i < n; i++) {
        size_t bytes;
        us_shape_size(tensors[i].ndim, tensors[i].shape, us_dtype_size(tensors[i].dtype), NULL, &bytes);
        if (bytes > 0)
            (void)!fwrite(tensors[i].data, 1, bytes, file.stream);
    }
    st = us_atomic_commit(&file);
out:
    free(header);
    return st;
}

/* --- reading --- */

struct span {
    size_t begin, end;
};

struct us_safetensors {
    void *mapping;
    size_t mapping_size;
    const char *data; /* behind the header */
    size_t data_size;
    json_t *header; /* owns the names and the metadata */
    size_t count;
    struct us_tensor_view *tensors;
    struct span *spans;
    void **copies; /* of tensors that do not lie at a multiple of their element's size; NULL otherwise */
};

static enum unseen_status read_header(const char *path, struct us_safetensors *file)
{
    uint64_t length;
    if (file->mapping_size < sizeof length)
        return us_fail(UNSEEN_BAD_DATA, path, "is too short for a .safetensors file");
    memcpy(&length, file->mapping, sizeof length);
    if (length > HEADER_MAX || length > file->mapping_size - sizeof length)
        return us_fail(UNSEEN_BAD_DATA, path, "header length %llu is beyond the file or its limit",
                       (unsigned long long)length);
    const char *text = (const char *)file->mapping + sizeof length;
    file->data = text + length;
    file->data_size = file->mapping_size - sizeof length - length;
    if (length == 0 || text[0] != '{')
        return us_fail(UNSEEN_BAD_DATA, path, "the header does not start with '{'");
    return us_json_parse(path, text, length, &file->header);
}

static enum unseen_status check_metadata(const char *path, json_t *metadata)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return us_fail(UNSEEN_BAD_DATA, path, "%s is not an object", metadata_key);
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return us_fail(UNSEEN_BAD_DATA, path, "metadata \"%s\" is not a string", key);
    }
    return UNSEEN_OK;
}

static bool read_dtype(const json_t *value, enum us_dtype *dtype)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof dtype_names / sizeof dtype_names[0]; i++) {
        if (strcmp(name, dtype_names[i]) == 0) {
            *dtype = (enum us_dtype)i;
            return true;
        }
    }
    return false;
}

static bool read_shape(const json_t *value, struct us_tensor_view *tensor)
{
    if (!json_is_array(value) || json_array_size(value) > 4)
        return false;
    tensor->ndim = (int)json_array_size(value);
    for (int i = 0; i < tensor->ndim; i++) {
        json_t *length = json_array_get(value, (size_t)i);
        if (!json_is_integer(length) || json_integer_value(length) < 0)
            return false;
        tensor->shape[i] = json_integer_value(length);
    }
    return true;
}

static bool read_span(const json_t *value, size_t data_size, struct span *span)
{
    json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return false;
    json_int_t first = json_integer_value(begin), last = json_integer_value(end);
    if (first < 0 || first > last || (uint64_t)last > data_size)
        return false;
    *span = (struct span){(size_t)first, (size_t)last};
    return true;
}

/* Tensors are used in place unless their data is misaligned, which other writers' mixed types lead to. */
static enum unseen_status place(struct us_safetensors *file, size_t i)
{
    struct us_tensor_view *tensor = &file->tensors[i];
    size_t bytes = file->spans[i].end - file->spans[i].begin;
    tensor->data = file->data + file->spans[i].begin;
    if ((uintptr_t)tensor->data % us_dtype_size(tensor->dtype) == 0)
        return UNSEEN_OK;
    if (!(file->copies[i] = us_calloc(bytes, 1)))
        return UNSEEN_FAILED;
    memcpy(file->copies[i], tensor->data, bytes);
    tensor->data = file->copies[i];
    return UNSEEN_OK;
}

static enum unseen_status read_tensor(const char *path, struct us_safetensors *file, size_t i,
                                      const char *name, const json_t *value)
{
    struct us_tensor_view *tensor = &file->tensors[i];
    size_t bytes;
    tensor->name = name;
    if (!json_is_object(value))
        return us_fail(UNSEEN_BAD_DATA, path, "tensor \"%s\" is not described by an object", name);
    if (!read_dtype(json_object_get(value, "dtype"), &tensor->dtype))
        return us_fail(UNSEEN_BAD_DATA, path,
                       "the dtype of tensor \"%s\" is not U8, I32, I64, F16, F32 or F64", name);
    if (!read_shape(json_object_get(value, "shape"), tensor))
        return us_fail(UNSEEN_BAD_DATA, path, "the shape of tensor \"%s\" is not up to 4 lengths", name);
    if (!read_span(json_object_get(value, "data_offsets"), file->data_size, &file->spans[i]))
        return us_fail(UNSEEN_BAD_DATA, path, "the data_offsets of tensor \"%s\" are out of range", name);
    if (!us_shape_size(tensor->ndim, tensor->shape, us_dtype_size(tensor->dtype), NULL, &bytes) ||
        bytes != file->spans[i].end - file->spans[i].begin)
        return us_fail(UNSEEN_BAD_DATA, path, "the data_offsets of tensor \"%s\" do not match its shape",
                       name);
    return place(file, i);
}

static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* The format wants every byte to belong to exactly one tensor. Sorts the spans. */
static enum unseen_status check_cover(const char *path, struct us_safetensors *file)
{
    size_t at = 0;
    qsort(file->spans, file->count, sizeof *file->spans, compare_spans);
    for (size_t i = 0; i < file->count; i++) {
        if (file->spans[i].begin != at)
            return us_fail(UNSEEN_BAD_DATA, path, "tensors overlap or leave a gap at data byte %zu", at);
        at = file->spans[i].end;
    }
    if (at != file->data_size)
        return us_fail(UNSEEN_BAD_DATA, path, "%zu bytes behind the last tensor", file->data_size - at);
    return UNSEEN_OK;
}

static enum unseen_status read_tensors(const char *path, struct us_safetensors *file)
{
    enum unseen_status st = UNSEEN_OK;
    size_t room = json_object_size(file->header);
    const char *key;
    json_t *value;
    US_TRY_ALLOC(file->tensors = us_calloc(room, sizeof *file->tensors));
    US_TRY_ALLOC(file->spans = us_calloc(room, sizeof *file->spans));
    US_TRY_ALLOC(file->copies = us_calloc(room, sizeof *file->copies));
    json_object_foreach(file->header, key, value)
    {
        if (strcmp(key, metadata_key) == 0) {
            US_TRY(check_metadata(path, value));
            continue;
        }
        /* Counted first, so that a copy made on the way to a failure is released. */
        file->count++;
        US_TRY(read_tensor(path, file, file->count - 1, key, value));
    }
    US_TRY(check_cover(path, file));
out:
    return st;
}

enum unseen_status us_safetensors_open(const char *path, struct us_safetensors **file)
{
    enum unseen_status st = UNSEEN_OK;
    struct us_safetensors *opened = us_calloc(1, sizeof *opened);
    if (!opened)
        return UNSEEN_FAILED;
    US_TRY(us_map_file(path, &opened->mapping, &opened->mapping_size));
    US_TRY(read_header(path, opened));
    US_TRY(read_tensors(path, opened));
    *file = opened;
    return UNSEEN_OK;
out:
    us_safetensors_close(opened);
    return st;
}

void us_safetensors_close(struct us_safetensors *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++)
        free(file->copies[i]);
    free(file->copies);
    free(file->spans);
    free(file->tensors);
    json_decref(file->header);
    if (file->mapping)
        munmap(file->mapping, file->mapping_size);
    free(file);
}

size_t us_safetensors_count(const struct us_safetensors *file)
{
    return file->count;
}

const struct us_tensor_view *us_safetensors_at(const struct us_safetensors *file, size_t i)
{
    return &file->tensors[i];
}

const struct us_tensor_view *us_safetensors_find(const struct us_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    }
    return NULL;
}

const char *us_safetensors_metadata(const struct us_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(json_object_get(file->header, metadata_key), key));
}
