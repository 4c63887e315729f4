# The kernels for GPUs, on whatever device the tests have: the operators' and the models' own tests once more.

in_gpu_shape() {
  UNSEEN_SHAPE=gpu "${UNSEEN%/*}/$1" >"$BATS_TEST_TMPDIR/log" 2>&1 || {
    cat "$BATS_TEST_TMPDIR/log"
    return 1
  }
}

@test "elementwise operators in the shape for GPUs" {
  in_gpu_shape t/ops/elementwise
  in_gpu_shape t/ops/sgd
  in_gpu_shape t/ops/scaling
  in_gpu_shape t/ops/augment
}

@test "batch norm in the shape for GPUs" {
  in_gpu_shape t/ops/batchnorm
  in_gpu_shape t/ops/conv/conv_epilogue
}

@test "biases in the shape for GPUs" {
  in_gpu_shape t/ops/bias
}

@test "pooling in the shape for GPUs" {
  in_gpu_shape t/ops/pool
}

@test "the loss in the shape for GPUs" {
  in_gpu_shape t/ops/loss
}

@test "linear layers in the shape for GPUs" {
  in_gpu_shape t/ops/linear
}

@test "gradients of whole models in the shape for GPUs" {
  in_gpu_shape t/nn/graph
  in_gpu_shape t/nn/fastnet
}

@test "a shape that there is not is refused" {
  run env UNSEEN_SHAPE=round "$UNSEEN" bench
  [ "$status" -eq 2 ]
  [[ "$output" == *"UNSEEN_SHAPE: 'round' is neither cpu nor gpu"* ]]
}
