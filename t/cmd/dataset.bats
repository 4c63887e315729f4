load common

draw() {
  unseen dataset synth --n 60 --test 20 --classes 4 --seed 1 --out drawn >/dev/null
}

@test "synth writes CIFAR binaries and the truth about them" {
  draw
  [ "$(wc -l < drawn/truth.csv)" -eq 61 ]
  grep -q mislabelled drawn/truth.csv
  run_code 0 unseen dataset info drawn
  grep -q 'train 60, test 20, 4 classes\|train 60, test 20, 10 classes' stdout
  run_code 0 unseen dataset info drawn --json
  run_code 0 unseen dataset verify drawn
}

@test "the same seed draws the same bytes" {
  draw
  unseen dataset synth --n 60 --test 20 --classes 4 --seed 1 --out again >/dev/null
  diff -r drawn again
}

@test "a truncated or out-of-range file is exit code 3 and named" {
  draw
  cp -r drawn bad
  truncate -s -1 bad/data_batch_1.bin
  run_code 3 unseen dataset info bad
  grep -q 'data_batch_1.bin' stderr
  run_code 3 unseen dataset verify bad
  cp -r drawn worse
  printf '\377' | dd of=worse/data_batch_2.bin bs=1 seek=0 conv=notrunc status=none
  run_code 3 unseen dataset info worse
  grep -q '255' stderr
  : > drawn/data_batch_3.bin
  run_code 3 unseen dataset info drawn
}

@test "what is not a dataset is exit code 3" {
  mkdir empty
  run_code 3 unseen dataset info empty
  run_code 3 unseen dataset info nowhere
  echo text > file
  run_code 3 unseen dataset info file
  run_code 2 unseen dataset info synth:1,2
}

@test "export writes the kept samples in the dataset's own format" {
  need_device
  draw
  run_code 0 unseen prune drawn --metric random --keep 0.5 --rule random --folds 2 --epochs 1 --model convnet3 \
    --width 4 --out run --no-progress
  run_code 0 unseen dataset export drawn --subset run/keep.npy --out half
  run_code 0 unseen dataset info half
  grep -q 'train 30, test 20' stdout
}

@test "export takes a text of samples as it takes an array" {
  draw
  printf '\357\273\2777\r\n\r\n3\r\n3' > keep.txt
  run_code 0 unseen dataset export drawn --subset keep.txt --out two
  grep -q 'warning: keep.txt: lines that name a sample again, which is taken once: 1' stderr
  run_code 0 unseen dataset info two
  grep -q 'train 2, test 20' stdout
  printf '7\n\ntrain/a/1.jpg\n' > keep.txt
  run_code 3 unseen dataset export drawn --subset missing.txt --out none
  run_code 3 unseen dataset export drawn --subset keep.txt --out none
  grep -q "keep.txt: line 3: 'train/a/1.jpg'" stderr
  grep -q '^hint: ' stderr
  : > keep.txt
  run_code 3 unseen dataset export drawn --subset keep.txt --out none
  [ ! -e none ]
}

@test "what cannot be drawn is refused before anything is written" {
  for wrong in "--hard -1" "--redundant -1" "--mislabelled -0.1" "--test -1" "--size 8" "--classes 1"; do
    run_code 2 unseen dataset synth --n 60 --classes 4 $wrong --out refused
  done
  run_code 1 unseen dataset synth --n 4294967296 --out refused
  grep -q 'MiB' stderr
  [ "$(ls -A)" = "$(printf 'stderr\nstdout')" ]
}

@test "the report of coarse labels opens the data again, from anywhere" {
  need_device
  unseen dataset synth --n 60 --test 20 --classes 40 --seed 1 --out hundred >/dev/null
  run_code 0 unseen prune hundred --coarse --keep 0.5 --folds 2 --epochs 1 --model convnet3 --width 4 --out run \
    --no-progress
  grep -q "\"name\": \"cifar100-coarse:$PWD/hundred\"" run/run.json
  cd run
  run_code 0 unseen report .
  not grep -q 'pictures are left out' report.html
  grep -q '<img' report.html
  run_code 0 unseen dataset info ../hundred --coarse
  run_code 0 unseen dataset info cifar100-coarse:../hundred
  grep -q ', 8 classes\|, 20 classes' stdout
}

@test "names do not steer the terminal" {
  run_code 3 unseen dataset info $'nowhere\e[31m'
  not grep -q $'\e' stderr
}

@test "what a killed export left goes with the next one" {
  run_code 0 unseen dataset synth --n 20 --test 4 --classes 2 --out data
  host=$(uname -n | cut -c1-40 | tr -c 'a-zA-Z0-9\n' -)
  mkdir -p "out.partial.$host.999999999.0/train" "out.partial.$host.1.0" out.partial.elsewhere.999999999.0
  touch "out.partial.$host.999999999.0/train/x"
  run_code 0 unseen dataset export data --out out
  [ ! -e "out.partial.$host.999999999.0" ]
  [ -e out.partial.elsewhere.999999999.0 ]
  [ -e "out.partial.$host.1.0" ]
  mkdir -p "there/.partial.$host.999999999.0"
  run_code 0 unseen dataset export data --out there
  [ ! -e "there/.partial.$host.999999999.0" ]
}
