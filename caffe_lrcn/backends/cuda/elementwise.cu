// Neuron layers: one value in, one value out.
//
// Conventions: n elements; y and dx are overwritten and may be the same array as x, y or dy of the
// same call, for every thread reads its element before it writes it.
#include "common.cuh"

// y = x for x > 0, else negative_slope * x
template <typename T>
__global__ void relu_forward(unsigned int n, const T *x, T negative_slope, T *y) {
  GRID_STRIDE_LOOP(i, n) {
    const T value = x[i];
    y[i] = value > T(0) ? value : negative_slope * value;
  }
}

// The kink belongs to the negative side. After an in-place forward x holds y, whose sign is the
// same as long as the slope is not negative.
template <typename T>
__global__ void relu_backward(unsigned int n, const T *x, const T *dy, T negative_slope, T *dx) {
  GRID_STRIDE_LOOP(i, n) dx[i] = x[i] > T(0) ? dy[i] : negative_slope * dy[i];
}

template <typename T>
__global__ void sigmoid_forward(unsigned int n, const T *x, T *y) {
  GRID_STRIDE_LOOP(i, n) y[i] = sigmoid(x[i]);
}

template <typename T>
__global__ void sigmoid_backward(unsigned int n, const T *y, const T *dy, T *dx) {
  GRID_STRIDE_LOOP(i, n) dx[i] = dy[i] * y[i] * (T(1) - y[i]);
}

template <typename T>
__global__ void tanh_forward(unsigned int n, const T *x, T *y) {
  GRID_STRIDE_LOOP(i, n) y[i] = tanh(x[i]);
}

template <typename T>
__global__ void tanh_backward(unsigned int n, const T *y, const T *dy, T *dx) {
  GRID_STRIDE_LOOP(i, n) dx[i] = dy[i] * (T(1) - y[i] * y[i]);
}

// y = (shift + scale * x) ^ power; pow is skipped for the powers that need none. The launcher takes
// care of power * scale == 0, here and in the gradient: the result is constant, even for x = inf.
// A shift of 0 is not added: it would make -0 a 0, whose power may be another infinity.
template <typename T>
__global__ void power_forward(unsigned int n, const T *x, T power, T scale, T shift, T *y) {
  GRID_STRIDE_LOOP(i, n) {
    const T base = shift == T(0) ? scale * x[i] : shift + scale * x[i];
    y[i] = power == T(1) ? base : power == T(2) ? base * base : pow(base, power);
  }
}

// dx = dy * power * scale * (shift + scale * x) ^ (power - 1)
template <typename T>
__global__ void power_backward(unsigned int n, const T *x, const T *dy, T power, T scale, T shift,
                               T *dx) {
  GRID_STRIDE_LOOP(i, n) {
    const T base = shift == T(0) ? scale * x[i] : shift + scale * x[i];
    const T slope = power == T(1) ? T(1) : power == T(2) ? base : pow(base, power - T(1));
    dx[i] = dy[i] * power * scale * slope;
  }
}
