load common

# drawn: 240 images, of which 48 have a wrong label; truth.csv tells which. wrong.csv: those labels for the same
# images with true ones, right.
drawn() {
  unseen dataset synth --n 240 --test 40 --classes 4 --mislabelled 0.2 --hard 0 --seed 1 --out drawn >/dev/null
  cut -d, -f1,3 drawn/truth.csv | sed 1s/true_label/label/ > true.csv
  cut -d, -f1,2 drawn/truth.csv > given.csv
  run_code 0 unseen dataset export drawn --labels true.csv --out right
  rm right/truth.csv 2>/dev/null || true
}

small="--recipe paper --model convnet3 --width 4 --epochs 2 --batch 32 --no-progress --seed 3"
folds="--folds 2 $small"

same() {
  for file in $3; do cmp "$1/$file" "$2/$file" || return 1; done
}

@test "labels that are given apart train as the dataset's own do" {
  need_device
  drawn
  run_code 0 unseen train drawn $small --out a
  run_code 0 unseen train right $small --labels given.csv --out b
  cmp a/model.safetensors b/model.safetensors
  run_code 0 unseen train right $small --out c
  not cmp -s a/model.safetensors c/model.safetensors
  # In the same folder they are another run; the dataset's own are the same one.
  run_code 2 unseen train right $small --out b
  run_code 0 unseen train drawn $small --labels given.csv --out a
  grep -q '"relabelled": 48' b/run.json
  rm -r a
  run_code 0 unseen train --config b/run.json --out a
  cmp a/model.safetensors b/model.safetensors
  mkdir elsewhere
  cd elsewhere
  run_code 0 unseen train --config ../b/run.json --out d
  cmp d/model.safetensors ../b/model.safetensors
}

@test "prune, trajectory and audit take labels, and run.json repeats them" {
  need_device
  drawn
  run_code 0 unseen prune drawn $folds --true-labels true.csv --out a
  grep -Eq '^wrong labels, by the true ones: 20.00 % of all, [0-9.]+ % of the coreset$' stdout
  run_code 0 unseen prune right $folds --labels given.csv --true-labels drawn/truth.csv --out b --json
  grep -q '"wrong_labels": 0.2' stdout
  same a b "keep.npy scores.npy coreset.csv trajectory/labels.npy trajectory/p_true.npy"
  grep -q 'of all labels are wrong, and .* of those kept' b/report.html
  run_code 0 unseen prune --config b/run.json --out c --keep 0.3
  same a c "scores.npy trajectory/labels.npy"
  kept=$(join -t, <(grep ',1$' c/coreset.csv | cut -d, -f1,2 | sort) <(tail -n +2 true.csv | sort) | awk -F, '$2 != $3' | wc -l)
  awk -F'[:,]' -v kept="$kept" '/"wrong_labels_kept"/ { d = $2 - kept / 72; found = d * d < 1e-12 }
    END { exit !found }' c/run.json
  run_code 2 unseen prune right $folds --out b
  run_code 0 unseen trajectory right $folds --labels given.csv --out t
  same a t "trajectory/labels.npy trajectory/p_true.npy"
  run_code 0 unseen trajectory --config t/scoring.json --out u
  same a u "trajectory/labels.npy trajectory/p_true.npy"
  run_code 0 unseen trajectory --config b/scoring.json --out v
  same a v "trajectory/labels.npy trajectory/p_true.npy"
  cp given.csv moved.csv
  rm given.csv
  run_code 3 unseen report b
  run_code 0 unseen report b --labels moved.csv
  not grep -q 'not the data of this run' b/report.html
  run_code 3 unseen report b --labels true.csv
}

@test "compare tells how many wrong labels each coreset keeps" {
  need_device
  drawn
  sweep="--metrics el2n --protocols fold --rules ccs --cutoff 0.2 --baselines random --keep 0.5 --seeds 2"
  run_code 0 unseen compare drawn $folds $sweep --out a
  not grep -q 'wrong labels' a/table.md
  cp a/table.csv before.csv
  cp a/cells/el2n-fold-ccs-k0.5-s3/result.json before.json
  # They may come when all is done, and nothing trains again.
  run_code 0 unseen compare drawn $folds $sweep --true-labels true.csv --out a
  cmp before.json a/cells/el2n-fold-ccs-k0.5-s3/result.json
  grep -q 'wrong labels kept (%)' stdout
  grep -q '^| wrong labels kept (%), by share kept | 0.5 |$' a/table.md
  grep -q 'wrong labels kept (%)' a/report.html
  share() { awk -F, -v row="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "wrong_labels_kept") at = i } $0 ~ row { print $at }' a/table.csv; }
  [ "$(share '^,,full,')" = 0.200000 ]
  # Counted by hand: exports of a coreset with either labels differ in a byte for each wrong one.
  total=0
  for s in 3 4; do
    run_code 0 unseen dataset export drawn --subset a/cells/el2n-fold-ccs-k0.5-s$s/keep.npy --out kept-$s
    run_code 0 unseen dataset export right --subset a/cells/el2n-fold-ccs-k0.5-s$s/keep.npy --out right-$s
    wrong=$(cmp -l <(cat kept-$s/data_batch_*) <(cat right-$s/data_batch_*) | wc -l)
    total=$((total + wrong))
  done
  [ "$(share '^el2n,')" = "$(awk "BEGIN { printf \"%.6f\", $total / 240 }")" ]
  # But for that column nothing is another.
  cut_column() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) skip[i] = $i ~ /^wrong_labels/ } { for (i = 1; i <= NF; i++) if (!skip[i]) printf "%s,", $i; print "" }' "$1"; }
  cut_column before.csv > one
  cut_column a/table.csv > two
  cmp one two
  run_code 0 unseen compare --config a/run.json --out a --json
  grep -q '"wrong_labels_kept": 0.2' stdout
  printf x | dd of=a/cells/el2n-fold-ccs-k0.5-s3/keep.npy bs=1 seek=200 conv=notrunc status=none
  run_code 3 unseen compare --config a/run.json --out a
  grep -q 'keep.npy: is damaged' stderr
}

@test "audit says how well it finds wrong labels" {
  need_device
  drawn
  run_code 0 unseen audit right $folds --labels given.csv --true-labels true.csv --count 48 --out a
  grep -q '^wrong by the true labels: 48, precision' stdout
  head -1 a/suspects.csv | grep -q ',score,true_label$'
  # With as many suspects as there are wrong labels both are the same.
  found=$(awk -F, 'NR > 1 && $2 != $7' a/suspects.csv | wc -l)
  grep -Eq "\"found\": $found,?$" a/audit.json
  run_code 0 unseen audit --config a/audit.json --out b --json
  grep -Eq "\"found\": $found,?$" stdout
  same a b "suspects.csv suspicion.npy"
  run_code 0 unseen audit right --labels given.csv --trajectory a/trajectory --count 48 --true-labels true.csv --out c
  same a c "suspects.csv suspicion.npy"
  run_code 0 unseen audit --config c/audit.json --out d
  same a d "suspects.csv suspicion.npy"
  run_code 3 unseen audit right --trajectory a/trajectory --out e
  grep -q '^hint: name the labels that it was recorded with' stderr
  [ ! -e e ]
}

@test "select takes the same files of labels" {
  drawn
  n=240
  printf '\x93NUMPY\x01\x00v\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': ($n,), }" > scores.npy
  for i in $(seq $n); do printf "\\x$(printf %02x $((i * 7 % 250)))"; done >> scores.npy
  run_code 0 unseen select --scores scores.npy --data drawn --rule class-balanced --keep 0.5 --out a.npy
  run_code 0 unseen select --scores scores.npy --labels given.csv --rule class-balanced --keep 0.5 --out b.npy
  run_code 0 unseen select --scores scores.npy --data right --labels given.csv --rule class-balanced --keep 0.5 --out c.npy
  cmp a.npy b.npy
  cmp a.npy c.npy
  head -9 given.csv > short.csv
  run_code 3 unseen select --scores scores.npy --labels short.csv --rule class-balanced --keep 0.5 --out d.npy
  grep -q 'has 8 labels; scores.npy has 240' stderr
  [ ! -e d.npy ]
}

@test "dataset info and export take labels" {
  drawn
  run_code 0 unseen dataset info right --labels given.csv --true-labels true.csv
  grep -q "^48 training labels differ from the dataset's own" stdout
  grep -q '^48 training labels (20.0 %) are wrong' stdout
  run_code 0 unseen dataset info right --labels given.csv --json
  grep -q '"relabelled": 48' stdout
  run_code 0 unseen dataset export right --labels given.csv --out again
  cmp again/data_batch_1.bin drawn/data_batch_1.bin
  # What info lists is such a table.
  unseen dataset info drawn --list > listed.csv
  run_code 0 unseen dataset info right --labels listed.csv
  grep -q "^48 training labels differ" stdout
}

@test "files of labels that do not fit are refused before anything is written" {
  drawn
  head -9 given.csv > short.csv
  sed 's/^7,.*/7,4/' given.csv > range.csv
  sed 's/^7,.*/6,0/' given.csv > twice.csv
  sed 's/^7,.*/240,0/' given.csv > beyond.csv
  printf '\x93NUMPY\x01\x00v\x00%-117s\n' "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }" > real.npy
  printf '\0\0\0\0\0\0\0\0' >> real.npy
  for option in labels true-labels; do
    for command in prune audit compare; do
      run_code 3 unseen $command drawn --$option short.csv --out x
      grep -q '^hint: ' stderr
    done
    for file in range.csv twice.csv beyond.csv real.npy nowhere.npy drawn; do
      run_code 3 unseen prune drawn --$option $file --out x
      run_code 3 unseen compare drawn --$option $file --out x
      grep -q "^unseen: $file: " stderr
      grep -q '^hint: ' stderr
    done
  done
  for command in train trajectory; do
    run_code 3 unseen $command drawn --labels short.csv --out x
    run_code 2 unseen $command drawn --true-labels true.csv --out x
  done
  [ ! -e x ]
}
