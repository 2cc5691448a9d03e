// Softmax over the middle axis of (outer, C, inner), and the logarithmic loss on top of it.
//
// Row r = outer index * inner + inner index has C values, `inner` apart, the first at
// r / inner * C * inner + r % inner. A block takes a row. Labels (outer, inner) are
// floating-point numbers, truncated towards zero. Everything written is overwritten; y may be x,
// dx may be dy or prob.
#include "common.cuh"

// y = exp(x - max) / sum exp(x - max)
template <typename T>
__global__ void softmax_forward(unsigned int rows, const T *x, int C, int inner, T *y) {
  GRID_STRIDE_ROWS(row, rows) {
    const unsigned int first = row / inner * C * inner + row % inner;
    T highest = x[first];
    BLOCK_STRIDE_LOOP(c, (unsigned int)C) {
      const T value = x[first + c * inner];
      if (value > highest) highest = value;
    }
    highest = block_max(highest);
    T sum = 0;
    BLOCK_STRIDE_LOOP(c, (unsigned int)C) {
      const T value = exp(x[first + c * inner] - highest);
      y[first + c * inner] = value;
      sum += value;
    }
    sum = block_sum(sum);
    BLOCK_STRIDE_LOOP(c, (unsigned int)C) y[first + c * inner] /= sum;
  }
}

// dx = (dy - sum dy * y) * y
template <typename T>
__global__ void softmax_backward(unsigned int rows, const T *y, const T *dy, int C, int inner,
                                 T *dx) {
  GRID_STRIDE_ROWS(row, rows) {
    const unsigned int first = row / inner * C * inner + row % inner;
    T dot = 0;
    BLOCK_STRIDE_LOOP(c, (unsigned int)C) dot += dy[first + c * inner] * y[first + c * inner];
    dot = block_sum(dot);
    BLOCK_STRIDE_LOOP(c, (unsigned int)C) {
      const unsigned int i = first + c * inner;
      dx[i] = (dy[i] - dot) * y[i];
    }
  }
}

// Whether a label truncates to `ignored`. The cast is safe: ignored labels are 32-bit integers.
template <typename T>
__device__ bool is_ignored(T label, int has_ignored, int ignored) {
  return has_ignored && label > T(ignored) - T(1) && label < T(ignored) + T(1) &&
         (long long)label == ignored;
}

// result[0] = sum of -log(max(prob of the label, FLT_MIN)), result[1] = number of rows that are
// not ignored. A label outside [0, C) sets error[0] = 1 and error[1] = the label. `blocks` is 1:
// one block adds up everything, in a fixed order.
template <typename T>
__global__ void softmax_loss_forward(unsigned int blocks, const T *prob, const T *label,
                                     unsigned int rows, int C, int inner, int has_ignored,
                                     int ignored, T *error, T *result) {
  GRID_STRIDE_ROWS(block, blocks) {
    T loss = 0, valid = 0;
    BLOCK_STRIDE_LOOP(row, rows) {
      const T value = label[row];
      if (is_ignored(value, has_ignored, ignored)) continue;
      if (!(value > T(-1) && value < T(C))) {
        error[0] = T(1);
        error[1] = value;
        continue;
      }
      const T p = prob[(row / inner * C + (unsigned int)value) * inner + row % inner];
      loss -= log(p > T(FLT_MIN) ? p : T(FLT_MIN));
      valid += T(1);
    }
    loss = block_sum(loss);
    valid = block_sum(valid);
    if (threadIdx.x == 0) {
      result[0] = loss;
      result[1] = valid;
    }
  }
}

// dx = (prob - [c == label]) * scale[0], zero where the label is ignored
template <typename T>
__global__ void softmax_loss_backward(unsigned int n, const T *prob, const T *label, int C,
                                      int inner, int has_ignored, int ignored, const T *scale,
                                      T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const int c = i / inner % C;
    const T value = label[i / inner / C * inner + i % inner];
    const bool hit = value > T(c) - T(1) && value < T(c) + T(1) && (int)value == c;
    dx[i] = is_ignored(value, has_ignored, ignored) ? T(0)
                                                    : (prob[i] - (hit ? T(1) : T(0))) * scale[0];
  }
}
