// Operations that know channels. x is viewed as (outer, channels, inner), row-major, so that the
// channel of element i is i / inner % channels.
//
// Conventions: y and dx are overwritten and may be the same array as x or dy. The sums over a
// channel (sum_to_channels, prelu_slope_backward) add to what their output holds: they are
// gradients of parameters. One block sums a channel; its order of additions is fixed.
#include "common.cuh"

template <typename T>
__global__ void bias_add(unsigned int n, const T *x, const T *bias, int channels, int inner,
                         T *y) {
  GRID_STRIDE_LOOP(i, n) y[i] = x[i] + bias[i / inner % channels];
}

template <typename T>
__global__ void channel_scale(unsigned int n, const T *x, const T *scale, int channels, int inner,
                              T *y) {
  GRID_STRIDE_LOOP(i, n) y[i] = x[i] * scale[i / inner % channels];
}

template <typename T>
__global__ void channel_scale_bias(unsigned int n, const T *x, const T *scale, const T *bias,
                                   int channels, int inner, T *y) {
  GRID_STRIDE_LOOP(i, n) {
    const int c = i / inner % channels;
    y[i] = x[i] * scale[c] + bias[c];
  }
}

// out[c] += sum of x over everything but the channel. Element j of channel c, counted over outer
// and inner, lies at (j / inner * channels + c) * inner + j % inner.
template <typename T>
__global__ void sum_to_channels(unsigned int channels, const T *x, int outer, int inner, T *out) {
  GRID_STRIDE_ROWS(c, channels) {
    T sum = 0;
    BLOCK_STRIDE_LOOP(j, (unsigned int)outer * inner)
      sum += x[(j / inner * channels + c) * inner + j % inner];
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[c] += sum;
  }
}

// y = x for x > 0, else slope of the channel * x. A slope shared by all channels is channels = 1.
template <typename T>
__global__ void prelu_forward(unsigned int n, const T *x, const T *slope, int channels, int inner,
                              T *y) {
  GRID_STRIDE_LOOP(i, n) {
    const T value = x[i];
    y[i] = value > T(0) ? value : slope[i / inner % channels] * value;
  }
}

template <typename T>
__global__ void prelu_backward(unsigned int n, const T *x, const T *dy, const T *slope,
                               int channels, int inner, T *dx) {
  GRID_STRIDE_LOOP(i, n)
    dx[i] = x[i] > T(0) ? dy[i] : slope[i / inner % channels] * dy[i];
}

// d_slope[c] += sum of dy * x where x <= 0
template <typename T>
__global__ void prelu_slope_backward(unsigned int channels, const T *x, const T *dy, int outer,
                                     int inner, T *d_slope) {
  GRID_STRIDE_ROWS(c, channels) {
    T sum = 0;
    BLOCK_STRIDE_LOOP(j, (unsigned int)outer * inner) {
      const unsigned int i = (j / inner * channels + c) * inner + j % inner;
      if (!(x[i] > T(0))) sum += dy[i] * x[i];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) d_slope[c] += sum;
  }
}
