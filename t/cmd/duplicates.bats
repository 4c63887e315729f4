load common

# 120 drawn images in five files of 24 and copies of the first 30 behind them.
draw() {
  unseen dataset synth --n 120 --test 20 --classes 4 --seed 1 --out drawn >/dev/null
  cat drawn/data_batch_1.bin >>drawn/data_batch_5.bin
  head -c $((6 * 3073)) drawn/data_batch_2.bin >>drawn/data_batch_5.bin
}

run="--folds 3 --epochs 1 --recipe paper --model convnet3 --width 4 --batch 32 --seed 3 --no-progress"

# folds FILE: those of the first 30 samples, then those of the last 30, a line each.
folds() {
  tail -c 150 "$1" | head -c 30 | od -An -v -tu1 | tr -d '\n'
  echo
  tail -c 30 "$1" | od -An -v -tu1 | tr -d '\n'
  echo
}

@test "copies are counted, listed and no failure" {
  draw
  run_code 0 unseen dataset info drawn
  grep -q '^30 training samples are copies of earlier ones$' stdout
  run_code 0 unseen dataset info drawn --json
  grep -q '"same_label": 30' stdout
  run_code 0 unseen dataset verify drawn
  [ "$(grep -c '^train: record 1[0-9]*: is the same as record [0-9]* of train$' stdout)" -eq 30 ]
}

@test "copies share a fold, in one call and in merged jobs" {
  need_device
  draw
  run_code 0 unseen trajectory drawn $run --out whole
  folds whole/trajectory/fold.npy >pair
  [ "$(sort -u pair | wc -l)" -eq 1 ]
  grep -q '"duplicates": "together"' whole/scoring.json
  run_code 0 unseen trajectory drawn $run --job 1/2 --out job1
  run_code 0 unseen trajectory drawn $run --job 2/2 --out job2
  run_code 0 unseen merge job1 job2 --out merged
  cmp whole/trajectory/fold.npy merged/trajectory/fold.npy
  cmp whole/trajectory/p_true.npy merged/trajectory/p_true.npy
}

@test "copies are split where that is asked for, which is another run" {
  need_device
  draw
  run_code 0 unseen prune drawn $run --keep 0.5 --duplicates split --out apart
  folds apart/trajectory/fold.npy >pair
  [ "$(sort -u pair | wc -l)" -eq 2 ]
  grep -q '"duplicates": "split"' apart/run.json
  run_code 2 unseen prune drawn $run --keep 0.5 --out apart
  grep -q duplicates stderr
}

@test "a copy of what is held out from the steps is held out too" {
  need_device
  draw
  run_code 0 unseen prune drawn $run --keep 0.4 --steps 2 --hold-out 0.3 --out steps
  tail -c +129 steps/steps/heldout.npy | od -An -v -w8 -td8 | tr -d ' ' >out
  awk '$1 < 30' out >first
  awk '$1 >= 120 { print $1 - 120 }' out >last
  [ -s first ]
  cmp first last
}
