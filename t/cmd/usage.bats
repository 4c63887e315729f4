load common

@test "every command has --help on stdout" {
  for command in devices dataset train trajectory score select prune compare report tune bench; do
    run_code 0 unseen $command --help
    grep -q '^Usage: unseen' stdout
    [ ! -s stderr ]
  done
  for action in info verify synth export; do
    run_code 0 unseen dataset $action --help
  done
  run_code 0 unseen --help
  run_code 0 unseen --version
  grep -Eq '^unseen [0-9]+\.[0-9]+' stdout
}

@test "bad usage is exit code 2, one line and a hint" {
  run_code 2 unseen frobnicate
  grep -q '^hint: ' stderr
  run_code 2 unseen dataset
  run_code 2 unseen dataset paint
  run_code 2 unseen prune --no-such-option
  grep -q 'no-such-option' stderr
  run_code 2 unseen prune
  run_code 2 unseen prune a b --out x
  run_code 2 unseen prune $tiny_data
  grep -q -- '--out' stderr
  run_code 2 unseen prune $tiny_data --out x --concurrent 0
  grep -q -- "--concurrent: '0'" stderr
  run_code 2 unseen prune $tiny_data --out x --concurrent some
  for cutoff in B -0.1 some ''; do
    run_code 2 unseen prune $tiny_data --out x --cutoff "$cutoff"
    grep -q -- "--cutoff: '$cutoff' is not" stderr
  done
  run_code 2 unseen train $tiny_data --out x --epochs many
  grep -q -- "--epochs: 'many'" stderr
  run_code 2 unseen train $tiny_data --out x --epochs
  run_code 2 unseen train $tiny_data --out x --model alexnet
  grep -q alexnet stderr
  run_code 2 unseen train $tiny_data --out x --schedule staircase
  run_code 2 unseen train $tiny_data --out x --lr nan
  run_code 2 unseen train $tiny_data --out x --batch 0
  run_code 2 unseen score --out x.npy
  run_code 2 unseen select --out x.npy
  run_code 2 unseen bench --rounds 0
}

@test "no command at all is exit code 2 and shows the commands" {
  code=0
  unseen 2>stderr || code=$?
  [ $code -eq 2 ]
  grep -q '^  prune ' stderr
}

@test "wrong choices are refused before anything is trained" {
  need_device
  run_code 2 unseen prune $tiny_data $tiny_run --metric wisdom --out x
  grep -q wisdom stderr
  run_code 2 unseen prune $tiny_data $tiny_run --rule wheel --out x
  run_code 2 unseen prune $tiny_data $tiny_run --keep 0 --out x
  run_code 2 unseen prune $tiny_data $tiny_run --keep 1.5 --out x
  run_code 2 unseen prune $tiny_data $tiny_run --folds 1 --out x
  run_code 2 unseen prune $tiny_data $tiny_run --repeats 0 --out x
  run_code 2 unseen prune $tiny_data $tiny_run --epoch 4 --out x
  run_code 2 unseen prune $tiny_data $tiny_run --metric tdds --stop-after 2 --out x
  [ ! -e x ]
}

@test "--config gives options, the command line overrides them" {
  printf '# a recipe\nepochs = many\n' > bad.conf
  run_code 2 unseen train $tiny_data --out x --config bad.conf
  printf 'no-such = 1\n' > bad.conf
  run_code 2 unseen train $tiny_data --out x --config bad.conf
  grep -q 'line 1' stderr
  run_code 1 unseen train $tiny_data --out x --config missing.conf
  need_device
  printf 'epochs = 1\nwidth = 8 # narrow\nmodel = convnet3\nno-flip\n' > good.conf
  run_code 0 unseen train $tiny_data --out x --config good.conf --epochs 2
  [ "$(wc -l < x/history.csv)" -eq 3 ]
}
