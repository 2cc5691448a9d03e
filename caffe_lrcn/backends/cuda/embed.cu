// Embed: rows of a table, looked up by index.
//
// Indices are floating-point numbers, truncated towards zero as in Caffe. Index -1 (that is, any
// value with -2 < value <= -1) stands for "no word": its output is zero, without the bias, and it
// gets no gradient. Any other value that is no row of the table sets error[0] = 1 and
// error[1] = the value; its output is zero, and the host raises. Of several bad values any one is
// reported.
//
// forward overwrites out; the backward kernels add to what d_weight and d_bias hold.
#include "common.cuh"

// item = position * D + d
template <typename T>
__global__ void embed_forward(unsigned int n, const T *index, const T *weight, int rows, int D,
                              T *error, T *out) {
  GRID_STRIDE_LOOP(item, n) {
    const T value = index[item / D];
    // Compared as a number, not after the cast: NaN and huge values have no defined integer.
    const bool is_row = value > T(-1) && value < T(rows);
    if (!is_row && !(value > T(-2) && value <= T(-1))) {
      error[0] = T(1);
      error[1] = value;
    }
    out[item] = is_row ? weight[(long long)value * D + item % D] : T(0);
  }
}

template <typename T>
__global__ void embed_add_bias(unsigned int n, const T *index, const T *bias, int D, T *out) {
  GRID_STRIDE_LOOP(item, n) {
    if (index[item / D] > T(-1)) out[item] += bias[item % D];
  }
}

// `keys` are row * positions + position, sorted, so that the positions of one row lie together in
// a fixed order. The thread at the start of such a run adds up the run; all others have nothing to
// do. Two rows are never the same, so nobody writes where another thread does.
// item = place in keys * D + d
template <typename T>
__global__ void embed_backward(unsigned int n, const long long *keys, const T *dy, int positions,
                               int rows, int D, T *d_weight) {
  GRID_STRIDE_LOOP(item, n) {
    const int place = item / D, d = item % D;
    const long long row = keys[place] / positions, first = row * positions;
    if (keys[place] < 0 || row >= rows) continue;
    if (place > 0 && keys[place - 1] >= first) continue;
    T sum = 0;
    for (int p = place; p < positions && keys[p] < first + positions; ++p)
      sum += dy[(keys[p] - first) * D + d];
    d_weight[row * D + d] += sum;
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
