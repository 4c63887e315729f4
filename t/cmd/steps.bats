load common

steps="--steps 3 --keep 0.4 --evict 0.3"

@test "steps leave a coreset each, the best of which is kept" {
  need_device
  run_code 0 unseen prune $tiny_data $tiny_run $steps --out run
  grep -q 'kept 96 of 240' stdout
  grep -q '^coreset of step [123] of 3: ' stdout
  for t in 1 2 3; do
    for file in keep.npy scores.npy quality.json; do [ -s run/steps/$t/$file ]; done
    grep -q '"size": 96' run/steps/$t/quality.json
    [ ! -e run/steps/$t/trajectory ]
  done
  grep -q '"refilled": 28' run/steps/2/quality.json
  step=$(sed -n 's/^coreset of step \([123]\) .*/\1/p' stdout)
  cmp run/keep.npy run/steps/$step/keep.npy
  cmp run/scores.npy run/steps/$step/scores.npy
  [ "$(grep -c ',1$' run/coreset.csv)" -eq 96 ]
  grep -q '>Steps<' run/report.html
  grep -q 'Judges on the part held out' run/report.html
  not_any find run -name '*.tmp*' -o -name '*.safetensors' -o -name work

  # A finished run comes back at once; another selection is refused, and says why.
  run_code 0 unseen prune $tiny_data $tiny_run $steps --out run --json
  grep -q "\"step\": $step" stdout
  run_code 2 unseen prune $tiny_data $tiny_run $steps --metric dual --out run
  grep -q 'another metric' stderr
  run_code 2 unseen prune $tiny_data $tiny_run $steps --hold-out 0.2 --out run
  run_code 2 unseen prune $tiny_data $tiny_run --keep 0.4 --out run
}

@test "growing, warm, averaged, focused steps run" {
  need_device
  run_code 0 unseen prune $tiny_data $tiny_run $steps --grow 3 --warm-start --average --class-focus 0.5 \
    --step-folds 2 --step-repeats 2 --step-epochs 2 --judges 2 --metric dual --rule beta --out run
  grep -q '"size": 32' run/steps/1/quality.json
  grep -q '"size": 64' run/steps/2/quality.json
  grep -q '"asked": 48' run/steps/3/quality.json
  grep -q '^coreset of step 3 of 3: ' stdout
}

@test "steps killed at any moment go on and end with the same bytes" {
  need_device
  run="prune $tiny_data $tiny_run $steps --warm-start --average"
  unseen $run --out whole >/dev/null 2>&1
  for delay in 0.3 0.6 0.5 0.4 0.7 0.5 0.6; do
    killed_after $delay $run --out killed
  done
  mkdir -p killed/steps # where the machine was too slow for a step
  touch killed/report.html.tmp.1.1 killed/steps/mine.tmp.9
  run_code 0 unseen $run --out killed
  for file in scores.npy keep.npy steps/1/keep.npy steps/2/keep.npy steps/3/keep.npy steps/3/scores.npy; do
    cmp whole/$file killed/$file
  done
  unseen $run --concurrent 2 --out two >/dev/null 2>&1
  cmp whole/keep.npy two/keep.npy
  # Files of others stay, whatever their names; those of killed processes go.
  rm killed/report.html.tmp.1.1 killed/steps/mine.tmp.9
  not_any find killed -path '*tmp[./]*'
}

@test "two processes in one folder: the second is told" {
  need_device
  "$UNSEEN" prune $tiny_data ${tiny_run/--epochs 4/--epochs 400} $steps --out shared >/dev/null 2>&1 &
  pid=$!
  wait_for shared/steps/steps.json
  run_code 1 unseen prune $tiny_data ${tiny_run/--epochs 4/--epochs 400} $steps --out shared
  kill -KILL $pid
}

@test "steps that make no sense are refused before anything is trained" {
  need_device
  for bad in "--steps 0" "--steps 3 --grow 4" "--steps 3 --evict 2" "--steps 3 --evict nan" \
    "--steps 3 --hold-out 0" "--steps 3 --hold-out 0.9" "--steps 3 --keep 0.95" "--steps 3 --protocol seen" \
    "--steps 3 --rule k-center" "--steps 3 --step-folds 1" "--steps 3 --step-repeats 0" "--steps 3 --judges 0" \
    "--steps 3 --metric memorisation" "--steps 3 --metric dual --step-epochs 1"; do
    run_code 2 unseen prune $tiny_data $tiny_run $bad --out x
  done
  [ ! -e x ]
}
