load common

reference() {
  unseen prune $tiny_data $tiny_run --out whole >/dev/null 2>&1
}

same_as_whole() {
  cmp whole/scores.npy "$1/scores.npy"
  cmp whole/keep.npy "$1/keep.npy"
}

# interrupt_once "MODEL..." OPTION...: Ctrl-C in a long run once these models have checkpoints, which must stay.
interrupt_once() {
  local model models=$1 code=0
  shift
  "$UNSEEN" prune $tiny_data ${tiny_run/--epochs 4/--epochs 400} --out stopped "$@" >stdout 2>stderr &
  local pid=$!
  for model in $models; do
    wait_for stopped/work/$model/state.safetensors
  done
  kill -INT $pid
  wait $pid || code=$?
  cat stderr
  [ $code -eq 130 ]
  for model in $models; do [ -s stopped/work/$model/state.safetensors ]; done
}

@test "a run killed at any moment goes on and ends with the same bytes" {
  need_device
  reference
  for delay in 0.15 0.4 0.7 1.1; do
    killed_after $delay prune $tiny_data $tiny_run --out killed
  done
  run_code 0 unseen prune $tiny_data $tiny_run --out killed
  same_as_whole killed
  not_any find killed -name '*.tmp*'
}

@test "Ctrl-C writes a checkpoint, says how to go on, and exits with 130" {
  need_device
  interrupt_once r0-f0
  [ "$(grep -c "^unseen: stopping after the step under way, or when the driver's compiler returns" stderr)" -eq 1 ]
  grep -q '^hint: ' stderr
}

@test "models side by side survive a kill and end with the same bytes" {
  need_device
  reference
  for delay in 0.3 0.6 0.9; do
    killed_after $delay prune $tiny_data $tiny_run --concurrent 2 --out killed
  done
  run_code 0 unseen prune $tiny_data $tiny_run --concurrent 3 --out killed
  same_as_whole killed
  not_any find killed -name '*.tmp*'
}

@test "Ctrl-C stops all models side by side, each with its checkpoint" {
  need_device
  interrupt_once "r0-f0 r0-f1" --concurrent 2
  grep -q '^unseen: model 1/3: stopped on request' stderr
}

@test "a torn checkpoint is not trusted" {
  need_device
  reference
  killed_after 1 prune $tiny_data $tiny_run --out torn
  for state in $(find torn -name state.safetensors); do truncate -s 100 "$state"; done
  run_code 0 unseen prune $tiny_data $tiny_run --out torn
  same_as_whole torn
}

@test "a full disk is an error and leaves no broken file" {
  need_device
  code=0
  (ulimit -f 8; exec "$UNSEEN" prune $tiny_data $tiny_run --out full) >stdout 2>stderr || code=$?
  cat stderr
  [ $code -eq 1 ]
  [ ! -e full/scores.npy ]
  [ ! -e full/keep.npy ]
  not_any find full -name '*.tmp*'
}

@test "two processes in one folder: the second is told" {
  need_device
  "$UNSEEN" prune $tiny_data ${tiny_run/--epochs 4/--epochs 400} --out shared >/dev/null 2>&1 &
  pid=$!
  wait_for shared/scoring.json
  run_code 1 unseen prune $tiny_data ${tiny_run/--epochs 4/--epochs 400} --out shared
  kill -KILL $pid
}

@test "what the disk has no room for is refused before anything is trained" {
  need_device
  long="synth:2000,100,16,1 --model convnet3 --width 8 --epochs 100000 --no-progress"
  for run in "trajectory --repeats 1000 --record-also probs" "prune --repeats 1000 --metric tdds" \
    "prune --repeats 1000 --steps 2" "audit --repeats 1000"; do
    run_code 1 unseen ${run%% *} $long ${run#* } --out run
    grep -q 'needs [0-9]* MiB, and the disk has [0-9]* MiB free' stderr
    grep -q '^hint: [0-9]* MiB of it are needed until' stderr
    [ ! -e run/scoring.json ] && [ ! -e run/work ]
  done
  run_code 1 unseen compare $long --protocols seen,fold,one-fold --seeds 100 --repeats 1000 --out all
  grep -q 'and the disk has' stderr
  [ ! -e all/scoring ]
}
