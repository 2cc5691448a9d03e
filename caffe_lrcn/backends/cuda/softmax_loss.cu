// Softmax over the middle axis of (outer, C, inner), the logarithmic loss on top of it, and what
// losses share.
//
// Row r = outer index * inner + inner index has C values, `inner` apart, the first at
// r / inner * C * inner + r % inner. A block takes a row. Labels (outer, inner) are
// floating-point numbers, truncated towards zero. Everything written is overwritten; y may be x,
// dx may be dy or prob. A label that is not in [0, C) and not ignored counts for nothing and sets
// `bit` in the status word. Several threads may set it at once: all of them write the same word.
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

// Compared as a number, not after the cast: NaN and huge values have no defined integer.
template <typename T>
__device__ bool is_class(T label, int C) {
  return label > T(-1) && label < T(C);
}

// picked = class of the label, -1 where it does not count
template <typename T>
__global__ void class_indices(unsigned int n, const T *label, int C, int has_ignored, int ignored,
                              int bit, int *picked, int *status) {
  GRID_STRIDE_LOOP(i, n) {
    const T value = label[i];
    const bool counts = is_class(value, C) && !is_ignored(value, has_ignored, ignored);
    picked[i] = counts ? (int)value : -1;
    if (!counts && !is_ignored(value, has_ignored, ignored)) status[0] |= bit;
  }
}

// Where in x (outer, C, inner) the element of row r's class lies; of class 0 where no label counts.
__device__ unsigned int class_place(unsigned int row, int picked, int C, int inner) {
  return (row / inner * C + (picked < 0 ? 0 : picked)) * inner + row % inner;
}

template <typename T>
__global__ void read_classes(unsigned int rows, const T *x, const int *picked, int C, int inner,
                             T *out) {
  GRID_STRIDE_LOOP(row, rows) out[row] = x[class_place(row, picked[row], C, inner)];
}

template <typename T>
__global__ void write_classes(unsigned int rows, const int *picked, const T *values, int C,
                              int inner, T *x) {
  GRID_STRIDE_LOOP(row, rows) x[class_place(row, picked[row], C, inner)] = values[row];
}

// right = whether fewer than top_k other scores of the row reach the label's; 0 where the label
// does not count. A label whose score is NaN counts as right and sets `bit` in the status word.
template <typename T>
__global__ void rank_labels(unsigned int rows, const T *scores, const int *picked, int C,
                            int inner, int top_k, int bit, int *right, int *status) {
  GRID_STRIDE_ROWS(row, rows) {
    const unsigned int first = row / inner * C * inner + row % inner;
    const int label = picked[row];
    const T own = scores[class_place(row, label, C, inner)];
    int reaching = 0;  // its own is one of them
    BLOCK_STRIDE_LOOP(c, (unsigned int)C) reaching += scores[first + c * inner] >= own;
    reaching = block_sum(reaching);
    if (threadIdx.x == 0) {
      right[row] = label >= 0 && reaching - 1 < top_k;
      if (label >= 0 && own != own) status[0] |= bit;
    }
  }
}

// hits = sum of right, valid = number of labels that count; `blocks` is 1
template <typename T>
__global__ void count_right(unsigned int blocks, const int *picked, const int *right,
                            unsigned int rows, T *hits, T *valid) {
  GRID_STRIDE_ROWS(block, blocks) {
    int found = 0, counting = 0;
    BLOCK_STRIDE_LOOP(row, rows) {
      found += right[row];
      counting += picked[row] >= 0;
    }
    found = block_sum(found);
    counting = block_sum(counting);
    if (threadIdx.x == 0) {
      hits[0] = T(found);
      valid[0] = T(counting);
    }
  }
}

// total += factor * sum x * weights; a total that is not finite sets `bit`; `blocks` is 1
template <typename T>
__global__ void add_loss(unsigned int blocks, const T *x, const T *weights, unsigned int n,
                         int has_weights, double factor, int bit, double *total,
                         int *status) {
  GRID_STRIDE_ROWS(block, blocks) {
    T sum = 0;
    BLOCK_STRIDE_LOOP(i, n) sum += has_weights ? x[i] * weights[i] : x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
      total[0] += factor * sum;
      if (total[0] - total[0] != 0) status[0] |= bit;  // of NaN and infinities alone
    }
  }
}

// loss = sum of -log(max(prob of the label, FLT_MIN)), valid = number of labels that count.
// `blocks` is 1: one block adds up everything, in a fixed order.
template <typename T>
__global__ void softmax_loss_forward(unsigned int blocks, const T *prob, const T *label,
                                     unsigned int rows, int C, int inner, int has_ignored,
                                     int ignored, int bit, T *loss, T *valid, int *status) {
  GRID_STRIDE_ROWS(block, blocks) {
    T sum = 0, count = 0;
    BLOCK_STRIDE_LOOP(row, rows) {
      const T value = label[row];
      if (is_ignored(value, has_ignored, ignored)) continue;
      if (!is_class(value, C)) {
        status[0] |= bit;
        continue;
      }
      const T p = prob[(row / inner * C + (unsigned int)value) * inner + row % inner];
      sum -= log(p > T(FLT_MIN) ? p : T(FLT_MIN));
      count += T(1);
    }
    sum = block_sum(sum);
    count = block_sum(count);
    if (threadIdx.x == 0) {
      loss[0] = sum;
      valid[0] = count;
    }
  }
}

// dx = (prob - [c == label]) * scale[0], zero where the label does not count
template <typename T>
__global__ void softmax_loss_backward(unsigned int n, const T *prob, const T *label, int C,
                                      int inner, int has_ignored, int ignored, const T *scale,
                                      T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const int c = i / inner % C;
    const T value = label[i / inner / C * inner + i % inner];
    const bool counts = is_class(value, C) && !is_ignored(value, has_ignored, ignored);
    dx[i] = counts ? (prob[i] - ((int)value == c ? T(1) : T(0))) * scale[0] : T(0);
  }
}
