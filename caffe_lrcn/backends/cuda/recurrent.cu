// The cells of the LSTM and RNN layers, one time step, all N sequences at once.
//
// Conventions: item i = n * D + d is unit d of sequence n. Gates lie in rows of 4 * D values, in
// the order i, f, o, g: gate k of unit d is gates[n * 4D + k * D + d]. Everything written is
// overwritten, and may be the array it was computed from: c may be c_prev, d_gates may be gates.
// Source: Caffe's LSTM layer; Donahue et al., "Long-term Recurrent Convolutional Networks", 3.
#include "common.cuh"

// gates: pre-activations in, activations out.
// c = cont * f * c_prev + i * g;  h = o * tanh(c)
template <typename T>
__global__ void lstm_forward(unsigned int n, T *gates, const T *cont, const T *c_prev, int D, T *c,
                             T *tanh_c, T *h) {
  GRID_STRIDE_LOOP(item, n) {
    const int row = item / D;
    T *gate = gates + 4 * (row * (long long)D) + item % D;
    const T i = sigmoid(gate[0]), f = sigmoid(gate[D]), o = sigmoid(gate[2 * D]);
    const T g = tanh(gate[3 * D]);
    gate[0] = i;
    gate[D] = f;
    gate[2 * D] = o;
    gate[3 * D] = g;
    const T cell = cont[row] * f * c_prev[item] + i * g;
    const T squashed = tanh(cell);
    c[item] = cell;
    tanh_c[item] = squashed;
    h[item] = o * squashed;
  }
}

// gates: activations of lstm_forward. dc: dL/dc_t from step t + 1 in, dL/dc_{t-1} out.
// d_gates: gradient with respect to the pre-activations.
template <typename T>
__global__ void lstm_backward(unsigned int n, const T *gates, const T *cont, const T *c_prev,
                              const T *tanh_c, const T *dh, int D, T *dc, T *d_gates) {
  GRID_STRIDE_LOOP(item, n) {
    const int row = item / D;
    const long long offset = 4 * (row * (long long)D) + item % D;
    const T *gate = gates + offset;
    T *d_gate = d_gates + offset;
    const T i = gate[0], f = gate[D], o = gate[2 * D], g = gate[3 * D];
    const T squashed = tanh_c[item];
    const T d_cell = dc[item] + dh[item] * o * (T(1) - squashed * squashed);
    const T kept = cont[row] * c_prev[item];
    d_gate[0] = d_cell * g * i * (T(1) - i);
    d_gate[D] = d_cell * kept * f * (T(1) - f);
    d_gate[2 * D] = dh[item] * squashed * o * (T(1) - o);
    d_gate[3 * D] = d_cell * i * (T(1) - g * g);
    dc[item] = d_cell * cont[row] * f;
  }
}

// out = cont of the row * x
template <typename T>
__global__ void scale_rows(unsigned int n, const T *x, const T *cont, int D, T *out) {
  GRID_STRIDE_LOOP(item, n) out[item] = cont[item / D] * x[item];
}
