load common

@test "prune writes a coreset, and its report" {
  need_device
  run_code 0 unseen prune $tiny_data $tiny_run --metric el2n --rule ccs --keep 0.5 --out run
  grep -q 'kept 120 of 240' stdout
  grep -q '^cut off: .* % of the samples' stdout
  grep -q 'seen, by the same models' stdout
  for file in scores.npy keep.npy coreset.csv run.json report.html trajectory/p_true.npy trajectory/fold.npy \
    trajectory/labels.npy trajectory/trajectory.json seen/scores.npy; do
    [ -s run/$file ] || { echo "no $file"; false; }
  done
  [ "$(grep -c ',1$' run/coreset.csv)" -eq 120 ]
  [ ! -e run/work ]
  not_any find run -name '*.tmp*'

  # Another rule and metric need no training: the trajectory is reused, and the time that it took stays known.
  cp run/trajectory/p_true.npy before.npy
  scored=$(sed -n 's/^ *"scoring": \([0-9.]*\).*/\1/p' run/run.json)
  run_code 0 unseen prune $tiny_data $tiny_run --metric dual --rule top --keep 0.25 --json --out run
  grep -q '"kept": 60' stdout
  cmp before.npy run/trajectory/p_true.npy
  again=$(sed -n 's/^ *"scoring": \([0-9.]*\).*/\1/p' run/run.json)
  awk -v a="$scored" -v b="$again" 'BEGIN { exit !(a > 0 && b >= a) }'

  # Other settings in the same folder are refused, and say which.
  run_code 2 unseen prune $tiny_data $tiny_run --epochs 5 --out run
  grep -q 'epochs' stderr

  cp run/report.html before.html
  run_code 0 unseen report run
  cmp before.html run/report.html
}

@test "the same seed gives the same bytes, another seed others" {
  need_device
  unseen prune $tiny_data $tiny_run --out a >/dev/null 2>&1
  unseen prune $tiny_data $tiny_run --out b >/dev/null 2>&1
  cmp a/scores.npy b/scores.npy
  cmp a/keep.npy b/keep.npy
  for file in a/trajectory/*.npy; do cmp "$file" "b/trajectory/$(basename "$file")"; done
  unseen prune $tiny_data $tiny_run --seed 4 --out c >/dev/null 2>&1
  not cmp -s a/scores.npy c/scores.npy
}

@test "all protocols run" {
  need_device
  run_code 0 unseen prune $tiny_data $tiny_run --protocol seen --metric forgetting --out seen
  [ ! -e seen/trajectory/fold.npy ]
  run_code 0 unseen prune $tiny_data $tiny_run --protocol seen --seen-from eval --metric aum --out eval
  run_code 0 unseen prune $tiny_data $tiny_run --protocol one-fold --repeats 2 --metric dynunc --out one
  run_code 0 unseen trajectory $tiny_data $tiny_run --out recorded
  [ -s recorded/trajectory/p_true.npy ]
}

@test "a rule takes features where no probabilities are recorded" {
  need_device
  for rule in d2 k-center herding; do
    run_code 0 unseen prune $tiny_data $tiny_run --metric el2n --rule $rule --keep 0.5 --out $rule
    [ -s $rule/keep.npy ]
  done
}

@test "a report keeps its pictures when the data have moved" {
  need_device
  run_code 0 unseen dataset synth --n 60 --test 0 --classes 2 --out data
  run_code 0 unseen prune data $tiny_run --epochs 1 --keep 0.5 --out run
  cp run/report.html before.html
  mv data moved
  run_code 3 unseen report run
  grep -q 'hint: .*--data' stderr
  cmp before.html run/report.html
  run_code 0 unseen report run --data moved
  cmp before.html run/report.html
  run_code 3 unseen report run --data $tiny_data
  cmp before.html run/report.html
  run_code 0 unseen report run --force
  grep -q 'without pictures' stderr
  grep -q 'The pictures are left out' run/report.html
}

@test "run.json keeps the command so that a shell takes it again" {
  need_device
  local out="it's \$HOME; \"\\ "$'a\nb'
  run_code 0 unseen prune $tiny_data $tiny_run --epochs 1 --keep 0.5 --out "$out"
  mv "$out" first
  command=$(sed -n 's/^  "command": "\(.*\)",$/\1/p' first/run.json | sed 's/\\\(.\)/\1/g')
  eval "$command" >/dev/null
  cmp first/keep.npy "$out/keep.npy"
}

@test "names that are not UTF-8 lose no run" {
  need_device
  run_code 0 unseen dataset synth --n 60 --test 0 --classes 2 --out data
  mv data $'d\xFFta'
  run_code 0 unseen prune $'d\xFFta' $tiny_run --epochs 1 --keep 0.5 --json --out $'r\xFFn'
  grep -q '"out": "r.*n"' stdout
  grep -q '"name": "cifar10:.*d.*ta"' $'r\xFFn/run.json'
  [ -s $'r\xFFn/report.html' ]
}

@test "a report of what is not a run is exit code 3" {
  mkdir empty
  run_code 3 unseen report empty
  echo '{' > empty/run.json
  run_code 3 unseen report empty
}
