/* From uint8 images to normalised floats, with a random crop of the padded image and a random mirror. One
 * work-item a row of an output image on CPUs, a pixel on GPUs. Scale and shift come ready from the host and go into one fused
 * multiply-add, so the floats are the same on every device.
 *
 * CHANNELS: 1 or 3. */
#include "common.clh"

#ifndef CHANNELS
#define CHANNELS 3
#define STREAM   3
#endif

/* Where a place outside 0..size-1, by less than size, lies in a mirror at the edge. */
static int reflected(int at, int size)
{
    at = abs(at);
    return at < size ? at : 2 * (size - 1) - at;
}

/* (down, right): where output (0, 0) lies in the image, and `mirrored`: as given, unless pad or flip let them be drawn.
 * flip: 0 none, 1 by each epoch's draw, 2 by that of epoch 0 and the epoch's parity; y = pixel * scale + shift. */
kernel void augment_run(int n, int height, int width, global const uchar *pixels, global const int *rows,
                        global const int *ids, int pad, int reflect, int down, int right, int mirrored, int flip,
                        uint seed_low, uint seed_high, uint epoch, float scale0, float scale1, float scale2,
                        float shift0, float shift1, float shift2, global float *y)
{
#if US_CPU
    const size_t id = get_global_id(0);
    const int first = 0, last = width;
#else
    const size_t id = get_global_id(0) / width;
    const int first = (int)(get_global_id(0) % width), last = first + 1;
#endif
    if (id >= (size_t)n * height)
        return;
    const int image = (int)(id / height), row = (int)id - image * height;
    const float scale[3] = {scale0, scale1, scale2}, shift[3] = {shift0, shift1, shift2};
    if (pad > 0 || flip) {
        const uint4 draw = us_philox((uint2)(seed_low, seed_high), STREAM, epoch, (uint)ids[image], 0);
        const uint places = 2 * (uint)pad + 1;
        down = (int)(draw.x % places) - pad;
        right = (int)(draw.y % places) - pad;
        mirrored = flip && (draw.z & 1);
        if (flip == 2)
            mirrored = (us_philox((uint2)(seed_low, seed_high), STREAM, 0, (uint)ids[image], 0).z ^ epoch) & 1;
    }
    const int source_row = reflect ? reflected(row + down, height) : row + down;
    const bool inside = source_row >= 0 && source_row < height;
    pixels += ((size_t)rows[image] * height + (inside ? source_row : 0)) * width * CHANNELS;
    y += id * width * CHANNELS;
    for (int x = first; x < last; x++) {
        const int place = (mirrored ? width - 1 - x : x) + right;
        const int source = reflect ? reflected(place, width) : place;
        const bool there = inside && source >= 0 && source < width;
        global const uchar *pixel = pixels + (there ? source : 0) * CHANNELS;
#pragma unroll
        for (int c = 0; c < CHANNELS; c++)
            y[x * CHANNELS + c] = fma(there ? (float)pixel[c] : 0.0f, scale[c], shift[c]);
    }
}
