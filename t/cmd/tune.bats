load common

tiny="--model convnet3 --width 8 --batch 8 --size 8 --rounds 1"

setup_cache() {
  export UNSEEN_TUNING=1 UNSEEN_CACHE_DIR=$dir/cache
}

@test "tune stores winners, and what is built later takes them" {
  need_device
  setup_cache
  run_code 0 unseen tune $tiny --no-progress
  grep -q 'forward' stdout
  [ "$(ls cache/tuning/*.json | wc -l)" -eq 1 ]
  grep -q '"winner"' cache/tuning/*.json
  run_code 0 unseen tune $tiny --no-progress --json
  grep -q '"algorithm": "im2col"' stdout
}

@test "bench times a matrix product by all that can compute it" {
  need_device
  run_code 0 unseen bench --gemm 64 --rounds 2
  grep -q '^im2col ' stdout
  run_code 0 unseen bench --gemm 64 --rounds 2 --json
  grep -q '"gemm": 64' stdout
  grep -q '"peak_gflops"' stdout
  run_code 2 unseen bench --gemm 65
  run_code 2 unseen bench --gemm 64 --rounds 0
}

@test "bench times the way of images to the device" {
  need_device
  run_code 0 unseen bench --loader synth:40,2,16,1 --size 12 --batch 8 --rounds 2
  grep -q 'images/s .* of synth:40,2,16,1 at 12 x 12 pixels' stdout
  run_code 0 unseen bench --loader synth:40,2,16,1 --size 12 --batch 8 --rounds 2 --json
  grep -q '"images_per_second"' stdout
  run_code 3 unseen bench --loader nowhere
  run_code 2 unseen bench --loader synth:40,2,16,1 --rounds 0
}

@test "tune refuses what it cannot do" {
  need_device
  setup_cache
  run_code 2 unseen tune --model nothing
  run_code 2 unseen tune --width 0
  UNSEEN_TUNING=0 run_code 2 unseen tune $tiny
  grep -q '^hint: ' stderr
  [ ! -e cache/tuning ]
}

@test "a database that cannot be trusted is ignored with a warning" {
  need_device
  setup_cache
  unseen tune $tiny --no-progress >/dev/null
  echo '{' >cache/tuning/*.json
  run_code 0 unseen bench $tiny
  grep -q 'warning: .*unseen tune' stderr
  run_code 0 unseen tune $tiny --no-progress
  run_code 0 unseen bench $tiny
  [ ! -s stderr ]
}

@test "bench --explain names what computes each convolution, and why" {
  need_device
  setup_cache
  run_code 0 unseen bench $tiny --explain
  grep -Eq 'conv1 .* 8 x 8x8x3 to 8, 3x3 +forward +[a-z0-9]+ \((shipped|usual)\)' stdout
  not grep -Eq 'conv1 .* data ' stdout
  grep -q 'training' stdout
  run_code 0 unseen bench $tiny --explain --no-steps
  grep -q 'timed alone' stdout
  not grep -q 'training' stdout
  run_code 2 unseen bench $tiny --no-steps
  run_code 0 env UNSEEN_CONV=im2col "$UNSEEN" bench $tiny --explain
  grep -q 'im2col (forced)' stdout
  unseen tune $tiny --no-progress >/dev/null
  run_code 0 unseen bench $tiny --explain --json
  grep -q '"why": "tuned"' stdout
  for key in peak_gflops share_of_peak other_ms train_host_seconds; do grep -q "\"$key\":" stdout; done
}
