// Dropout with the random words of caffe_lrcn/rng.py, made where they are used.
//
// mask[i] is word i of call `call` of the stream (key0, key1): half i % 2, low half first, of
// 64-bit output i / 2, which is lane i / 2 % 4 of the Philox block with counter
// (i / 8 + 1, 0, call, 0). An element survives if its word is at least `threshold`.
// mask and y (dx) are overwritten; y may be x, dx may be dy.
#include "common.cuh"

// One thread makes one Philox block: 8 words.
template <typename T>
__global__ void dropout_forward(unsigned int blocks, const T *x, unsigned int count,
                                unsigned long long key0, unsigned long long key1,
                                unsigned long long call, unsigned int threshold, T scale,
                                unsigned int *mask, T *y) {
  GRID_STRIDE_LOOP(block, blocks) {
    unsigned long long lanes[4] = {block + 1ULL, 0ULL, call, 0ULL};
    philox4x64(lanes, key0, key1);
    for (unsigned int k = 0; k < 8; ++k) {
      const unsigned int i = 8 * block + k;
      if (i >= count) break;
      const unsigned int word = (unsigned int)(lanes[k / 2] >> (k % 2 * 32));
      mask[i] = word;
      y[i] = word >= threshold ? x[i] * scale : T(0);
    }
  }
}

// The words alone. T is not used.
template <typename T>
__global__ void random_words(unsigned int blocks, unsigned int count, unsigned long long key0,
                             unsigned long long key1, unsigned long long call,
                             unsigned int *words) {
  GRID_STRIDE_LOOP(block, blocks) {
    unsigned long long lanes[4] = {block + 1ULL, 0ULL, call, 0ULL};
    philox4x64(lanes, key0, key1);
    for (unsigned int k = 0; k < 8 && 8 * block + k < count; ++k)
      words[8 * block + k] = (unsigned int)(lanes[k / 2] >> (k % 2 * 32));
  }
}

template <typename T>
__global__ void dropout_backward(unsigned int n, const T *dy, const unsigned int *mask,
                                 unsigned int threshold, T scale, T *dx) {
  GRID_STRIDE_LOOP(i, n) dx[i] = mask[i] >= threshold ? dy[i] * scale : T(0);
}
