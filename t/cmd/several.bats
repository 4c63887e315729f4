load common

# Several devices: the default one named twice, as there is one at least.
setup_file() {
  "$UNSEEN" devices >/dev/null 2>&1 || skip "no OpenCL device"
}

twice() {
  index=$(unseen devices | sed -n 's/^\* \([0-9]*\).*/\1/p' | head -n 1)
  echo "$index,$index"
}

@test "scoring runs spread over devices give the same bytes" {
  run_code 0 unseen prune $tiny_data $tiny_run --out one
  run_code 0 unseen prune $tiny_data $tiny_run --device "$(twice)" --out two
  run_code 0 unseen prune $tiny_data $tiny_run --device "$(twice)" --concurrent 2 --out four
  for other in two four; do
    for file in scores.npy keep.npy coreset.csv trajectory/p_true.npy seen/trajectory/el2n.npy; do
      cmp one/$file $other/$file
    done
  done
  tr -d ' \n' < two/run.json | grep -q "\"devices\":\[$(twice)\]"
  not grep -q '"devices"' one/run.json
}

@test "a run killed on two devices goes on with one" {
  run_code 0 unseen trajectory $tiny_data $tiny_run --out whole
  for delay in 0.3 0.6 0.9; do
    killed_after $delay trajectory $tiny_data $tiny_run --device "$(twice)" --out killed
  done
  run_code 0 unseen trajectory $tiny_data $tiny_run --out killed
  cmp whole/trajectory/p_true.npy killed/trajectory/p_true.npy
}

@test "a comparison spreads its cells" {
  run="$tiny_data --model convnet3 --width 8 --epochs 2 --batch 32 --metrics el2n --protocols fold --rules top \
    --keep 0.5 --folds 2 --seeds 2 --no-progress"
  run_code 0 unseen compare $run --out one
  run_code 0 unseen compare $run --device "$(twice)" --out two
  same_numbers one/table.csv two/table.csv
}

@test "what takes one device refuses two" {
  run_code 2 unseen train $tiny_data --device "$(twice)" --model convnet3 --width 4 --epochs 1 --out x
  grep -q 'training one model takes one' stderr
  [ ! -e x ]
  run_code 2 unseen bench --device "$(twice)" --model convnet3 --width 4 --rounds 1
  run_code 2 unseen bench --device "$(twice)" --model convnet3 --width 4 --explain --no-steps
  run_code 2 unseen tune --device "$(twice)" --model convnet3 --width 4 --rounds 1
}

@test "a list with a device that is not there is exit code 4" {
  run_code 4 unseen devices --device "$(twice),99"
  run_code 4 unseen prune $tiny_data $tiny_run --device "$(twice),voodoo" --out x
  grep -q 'voodoo' stderr
  [ ! -e x ]
}

@test "a device that fails is named" {
  export UNSEEN_MEMORY_LIMIT=8
  run_code 1 unseen prune $tiny_data $tiny_run --batch 240 --width 64 --device "$(twice)" --out x
  grep -Eq '^unseen: device [0-9]+, .+: convnet3: ' stderr
}
