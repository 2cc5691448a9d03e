// Embed: rows of a table, looked up by index.
//
// Indices are floating-point numbers, truncated towards zero as in Caffe. Index -1 (that is, any
// value with -2 < value <= -1) stands for "no word": its output is zero, without the bias, and it
// gets no gradient. Any other value that is not a row of the table is treated alike. A value below
// `least` (-1 or 0), past the table or NaN sets `bit` in the status word; several threads may do
// so at once, and all of them write the same word.
//
// forward overwrites out; the backward kernels add to what d_weight and d_bias hold.
#include "common.cuh"

// Compared as a number, not after the cast: NaN and huge values have no defined integer.
template <typename T>
__device__ bool is_row(T index, int rows) {
  return index > T(-1) && index < T(rows);
}

// item = position * D + d
template <typename T>
__global__ void embed_forward(unsigned int n, const T *index, const T *weight, const T *bias,
                              int has_bias, int rows, int D, int least, int bit, T *out,
                              int *status) {
  GRID_STRIDE_LOOP(item, n) {
    const T value = index[item / D];
    const int d = item % D;
    T sum = 0;
    if (is_row(value, rows)) {
      sum = weight[(long long)value * D + d];
      if (has_bias) sum += bias[d];
    } else if (d == 0 && !(least < 0 && value > T(-2) && value <= T(-1))) {
      status[0] |= bit;
    }
    out[item] = sum;
  }
}

// The places of one row form a list, in order: following[p] is the next place with the row of p,
// n at the end of a list. Where a place is not the first of its list, or not a row at
// all, following[p] is negative: -1 - the next place. A block takes a place.
template <typename T>
__global__ void embed_links(unsigned int n, const T *index, int rows, int *following) {
  GRID_STRIDE_ROWS(place, n) {
    const bool used = is_row(index[place], rows);
    const int row = used ? (int)index[place] : 0;
    int before = used ? 0 : 1, after = -(int)n;  // block_max finds the least by its negative
    if (used) {
      BLOCK_STRIDE_LOOP(p, n) {
        if (!is_row(index[p], rows) || (int)index[p] != row) continue;
        if (p < place) before = 1;
        if (p > place && -(int)p > after) after = -(int)p;
      }
    }
    before = block_max(before);
    after = -block_max(after);
    if (threadIdx.x == 0) following[place] = before ? -1 - after : after;
  }
}

// The thread at the first place of a list adds up the list; all others have nothing to do. Two
// lists are never of one row, so nobody writes where another thread does. item = place * D + d
template <typename T>
__global__ void embed_backward(unsigned int n, const T *index, const int *following, const T *dy,
                               int D, T *d_weight) {
  const int positions = n / D;
  GRID_STRIDE_LOOP(item, n) {
    const int place = item / D, d = item % D;
    if (following[place] < 0) continue;
    T sum = dy[item];
    for (int p = following[place]; p < positions;) {
      sum += dy[p * D + d];
      p = following[p] < 0 ? -1 - following[p] : following[p];
    }
    d_weight[(long long)index[place] * D + d] += sum;
  }
}

template <typename T>
__global__ void embed_bias_backward(unsigned int D, const T *index, const T *dy, int positions,
                                    T *d_bias) {
  GRID_STRIDE_ROWS(d, D) {
    T sum = 0;
    BLOCK_STRIDE_LOOP(p, (unsigned int)positions) {
      if (index[p] > T(-1)) sum += dy[p * D + d];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) d_bias[d] += sum;
  }
}
