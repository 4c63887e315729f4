load common

# What a command is going to do, before it does.

compared="--metrics el2n --protocols fold --rules top --keep 0.5 --seeds 2"

@test "--dry-run prints the plan and writes nothing" {
  need_device
  for command in train trajectory audit prune "compare $compared"; do
    options=${tiny_run/--protocol fold --folds 3/}
    run_code 0 unseen $command $tiny_data $options --dry-run --out run
    grep -q '^plan: [0-9]* models\?, [0-9]* epochs in all; [0-9,]* images trained on' stdout
    grep -Eq '^plan: (about .* s, as timed on the device: |.* s or less, by a rule of thumb, once kernels are built$)' stdout
    grep -q '^plan: .* of device memory, .* on disk' stdout
    not grep -q plan: stderr
    [ ! -e run ]
    run_code 0 unseen $command $tiny_data $options --dry-run --json
    python3 -m json.tool stdout >/dev/null
    grep -q '"images_trained": ' stdout
  done
  run_code 0 unseen prune $tiny_data $tiny_run --dry-run
  grep -q '^plan: 3 models, 12 epochs in all; 1,920 images trained on, 960 evaluated$' stdout
}

@test "the plan comes before the work, and of what is left" {
  need_device
  run_code 0 unseen prune $tiny_data $tiny_run --out run
  grep -q '^unseen: plan: 3 models, 12 epochs in all; ' stderr
  grep -q '"planned"' run/run.json
  run_code 0 unseen prune $tiny_data $tiny_run --out run --dry-run
  grep -q '^plan: nothing is left to train$' stdout
  run_code 0 unseen prune $tiny_data $tiny_run --rule top --out run
  not grep -q plan: stderr
  run_code 0 unseen prune $tiny_data $tiny_run --quiet --out other
  [ ! -s stderr ]
}

@test "a plan of more than an hour tells what would make it shorter" {
  need_device
  long="${tiny_run/--epochs 4/--epochs 100000}"
  run_code 0 unseen compare $tiny_data ${long/--protocol fold/} $compared --dry-run
  for change in "--seeds 1" "--score-once" "--epochs 50000"; do
    grep -q -- "^plan: $change would take about [0-9]* h" stdout
  done
  run_code 0 unseen prune $tiny_data ${long/--folds 3/--folds 9 --repeats 2} --dry-run --json
  for change in "--repeats 1" "--folds 3" "--epochs 50000"; do
    grep -q -- "\"option\": \"$change\"" stdout
  done
  [ ! -e run ]
}

@test "a plan is refused as the command would be" {
  need_device
  run_code 2 unseen prune $tiny_data $tiny_run --keep 2 --dry-run
  unseen prune $tiny_data $tiny_run --out run >/dev/null 2>&1
  run_code 2 unseen prune $tiny_data $tiny_run --epochs 5 --dry-run --out run
  run_code 2 unseen audit $tiny_data --trajectory run/trajectory --dry-run
  run_code 2 unseen report run --dry-run
}
