load common

# Output folders: what others put there stays, one process at a time, and only what is damaged is made again.

run="$tiny_data --recipe paper --model convnet3 --width 4 --epochs 2 --batch 32 --folds 2 --concurrent 1 --seed 3 --no-progress"
one="$tiny_data --recipe paper --model convnet3 --width 4 --epochs 1 --batch 32 --seed 3 --no-progress"
compared="$run --metrics el2n --protocols fold --rules top --keep 0.5 --seeds 1"

# precious FOLDER: files of the user's that a program of many temporary files might take for its own.
precious() {
  mkdir -p "$1/deep/a" "$1/work/r0-f0" "$1/trajectory"
  for file in data.tmp.9 foo.tmp.1.2 deep/a/my.tmp.1 notes.tmp.2024.10 work/r0-f0/own.npy trajectory/readme work/note; do
    echo "precious $file" > "$1/$file"
  done
  ln -s deep/a/my.tmp.1 "$1/link.tmp.3"
  (cd "$1" && find . -type f -exec cksum {} + | sort -k 3) > "$1.before"
}

# untouched FOLDER
untouched() {
  (cd "$1" && cksum $(cut -d ' ' -f 3 "../$1.before")) | sort -k 3 | diff "$1.before" -
  [ -L "$1/link.tmp.3" ]
}

@test "files of the user's in an output folder survive every command" {
  need_device
  for command in "trajectory $run" "prune $run" "prune $run --steps 2" "train $one" "compare $compared" \
    "audit $run"; do
    precious out
    run_code 0 unseen $command --out out
    untouched out
    run_code 0 unseen report out || [ "${command%% *}" != prune ]
    untouched out
    rm -r out
  done
  for job in 1 2; do
    precious job$job
    run_code 0 unseen trajectory $run --job $job/2 --out job$job
    untouched job$job
  done
  # A merge puts links where the models' folders would be.
  precious out
  run_code 2 unseen merge job1 job2 --out out
  grep -q 'work/r0-f0: is in the way' stderr
  untouched out
  mv out/work/r0-f0 own
  run_code 0 unseen merge job1 job2 --out out
  mv own out/work/r0-f0
  untouched out
  untouched job1
  run_code 0 unseen prune $run --out out
  untouched out
}

@test "nothing is written behind a link to a folder of the user's, and nothing trained before that is told" {
  need_device
  mkdir mine
  for link in trajectory seen/trajectory work work/r0-f1; do
    mkdir -p "out/$(dirname $link)"
    ln -s "$PWD/mine" out/$link
    run_code 2 unseen prune $run --out out
    grep -q "out/$link: is a link" stderr
    [ -z "$(ls mine)" ]
    [ ! -e out/scoring.json ]
    rm -r out
  done
}

# refuses FILE COMMAND...: FILE in the folder is the user's and stops the command before it writes anything.
refuses() {
  local file=$1
  shift
  mkdir -p "out/$(dirname "$file")"
  echo theirs > "out/$file"
  run_code 2 unseen "$@" --out out
  grep -q "$file: is in the way" stderr || grep -q "already holds $file" stderr || { cat stderr; return 1; }
  [ "$(cat "out/$file")" = theirs ]
  [ "$(find out -type f | wc -l)" -eq 1 ] || { find out; return 1; }
  rm -r out
}

@test "no command writes over a file that it did not write" {
  need_device
  for file in scoring.json trajectory/trajectory.json trajectory/p_true.npy trajectory/labels.npy \
    trajectory/features.npy seen/trajectory/p_true.npy seen/trajectory/loss.npy work/r0-f1/state.safetensors \
    work/r0-f0/seen-record-0001.npy work/duplicate_of.npy; do
    refuses $file trajectory $run
  done
  for file in scores.npy keep.npy coreset.csv run.json report.html scoring.json seen/scores.npy trajectory/el2n.npy; do
    refuses $file prune $run
  done
  for file in steps/steps.json steps/heldout.npy steps/2/keep.npy steps/1/trajectory/fold.npy keep.npy; do
    refuses $file prune $run --steps 2
  done
  for file in state.safetensors model.safetensors history.csv run.json; do
    refuses $file train $one
  done
  for file in compare.json table.csv table.md run.json report.html cells/random-k0.5-s3/keep.npy \
    scoring/fold-s3/trajectory/loss.npy; do
    refuses $file compare $compared
  done
  for file in suspects.csv suspicion.npy audit.html scoring.json; do
    refuses $file audit $run
  done
  for file in data_batch_1.bin batches.meta.txt truth.csv; do
    refuses $file dataset synth --n 40 --test 10 --classes 2
    refuses $file dataset export synth:40,2,32,1
  done
  unseen trajectory $run --job 1/2 --out job1 >/dev/null 2>&1
  unseen trajectory $run --job 2/2 --out job2 >/dev/null 2>&1
  refuses scoring.json merge job1 job2
  refuses trajectory/labels.npy merge job1 job2

  # What came into a folder of ours since is not ours either, even where it takes the place of what was.
  unseen trajectory $run --out mine >/dev/null 2>&1
  echo theirs > mine/keep.npy
  run_code 2 unseen prune $run --out mine
  grep -q 'mine/keep.npy: is in the way' stderr
  [ "$(cat mine/keep.npy)" = theirs ]
  mkdir page
  echo theirs > page/report.html
  echo '{}' > page/run.json
  run_code 2 unseen report page
  [ "$(cat page/report.html)" = theirs ]
}

@test "score and select write over a file only with --force, and over no device at all" {
  need_device
  unseen trajectory $run --out run >/dev/null 2>&1
  echo theirs > scores.npy
  run_code 2 unseen score --trajectory run/trajectory --out scores.npy
  grep -q '^hint: --force' stderr
  [ "$(cat scores.npy)" = theirs ]
  run_code 0 unseen score --trajectory run/trajectory --out scores.npy --force
  echo theirs > k-aum.npy
  run_code 2 unseen score --trajectory run/trajectory --metric el2n,aum --out k.npy
  [ ! -e k-el2n.npy ]
  run_code 2 unseen select --scores scores.npy --rule top --out scores.npy
  echo theirs > keep.npy
  run_code 2 unseen select --scores scores.npy --rule top --out keep.npy
  [ "$(cat keep.npy)" = theirs ]
  run_code 0 unseen select --scores scores.npy --rule top --out keep.npy --force
  mkfifo pipe
  run_code 1 unseen select --scores scores.npy --rule top --out pipe --force
  [ -p pipe ]
}

@test "a folder is of one kind" {
  need_device
  unseen prune $run --out pruned >/dev/null 2>&1
  before=$(cksum pruned/run.json pruned/report.html)
  run_code 2 unseen compare $compared --out pruned
  grep -q 'pruned: is the folder of a scoring run' stderr
  run_code 2 unseen train $one --out pruned
  [ "$before" = "$(cksum pruned/run.json pruned/report.html)" ]
}

@test "a scoring run serves prune and audit alike" {
  need_device
  run_code 0 unseen trajectory $run --out fewer
  run_code 0 unseen prune $run --out fewer # which records more, but can do without
  [ ! -e fewer/trajectory/predicted.npy ]
  run_code 2 unseen audit $run --out fewer
  grep -q 'without predicted' stderr
  run_code 0 unseen prune $run --out pruned
  sum=$(cksum pruned/trajectory/p_true.npy)
  run_code 0 unseen audit $run --out pruned
  [ "$sum" = "$(cksum pruned/trajectory/p_true.npy)" ]
}

@test "a command that is started twice, at any moment, does the running one no harm" {
  need_device
  long="prune $tiny_data ${tiny_run/--epochs 4/--epochs 8} --metric tdds --keep 0.3 --steps 3"
  "$UNSEEN" $long --out twice >first.out 2>first.err &
  pid=$!
  wait_for twice/.unseen/files
  told=0
  while kill -0 $pid 2>/dev/null; do
    code=0
    "$UNSEEN" $long --out twice >stdout 2>stderr || code=$?
    [ $code -eq 0 ] || { told=$((told + 1)); grep -q "^unseen: twice: process $pid on .* works in this folder" stderr; }
  done
  code=0
  wait $pid || code=$?
  cat first.err
  [ $code -eq 0 ]
  [ $told -gt 0 ]
  run_code 0 unseen $long --out once
  for file in scores.npy keep.npy steps/1/keep.npy steps/3/keep.npy; do cmp once/$file twice/$file; done
  # Reports, audits and training wait for their turn as well.
  "$UNSEEN" trajectory $tiny_data ${tiny_run/--epochs 4/--epochs 400} --out busy >/dev/null 2>&1 &
  pid=$!
  wait_for busy/scoring.json
  for command in "prune $run" "audit $run" "train $one" "compare $compared" "trajectory $run"; do
    code=0
    "$UNSEEN" $command --out busy >stdout 2>stderr || code=$?
    [ $code -eq 1 ] || [ $code -eq 2 ]
    grep -q '^unseen: busy: ' stderr
  done
  kill -KILL $pid
}

@test "a copy of a run's folder without its hidden part is told what is missing" {
  need_device
  unseen prune $run --out whole >/dev/null 2>&1
  mkdir copy
  cp -r whole/* copy
  run_code 2 unseen prune $run --out copy
  grep -q '^hint: .*\.unseen' stderr
  rm -r copy
  cp -r whole copy
  run_code 0 unseen prune $run --out copy
  [ -z "$(find copy -name '*.changed')" ]
}

@test "what someone wrote over a result is kept under another name" {
  need_device
  unseen prune $run --out run >/dev/null 2>&1
  cp -r run whole
  for file in keep.npy report.html coreset.csv; do echo "my own $file" > run/$file; done
  run_code 0 unseen prune $run --out run
  for file in keep.npy report.html coreset.csv; do
    grep -q "run/$file was changed since it was written; it is run/$file.changed now" stderr
    [ "$(cat run/$file.changed)" = "my own $file" ]
    cmp run/$file whole/$file || [ $file = report.html ]
  done
}

# flip FILE BYTE: one bit of it.
flip() {
  printf "\\x$(printf %x $(($(od -An -tu1 -j "$2" -N 1 "$1") ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "a damaged array is named, and made again once it is removed" {
  need_device
  unseen prune $run --metric el2n --out run >/dev/null 2>&1
  cp -r run whole
  for file in trajectory/el2n.npy trajectory/margin.npy trajectory/fold.npy trajectory/labels.npy \
    seen/trajectory/el2n.npy; do
    for damage in "flip run/$file 1000" "flip run/$file 20" "truncate -s -1 run/$file" "truncate -s 0 run/$file" \
      "truncate -s +1 run/$file"; do
      case $damage in *fold*1000 | *labels*) [ "${damage%% *}" = flip ] && damage="flip run/$file 200" ;; esac
      $damage
      run_code 3 unseen prune $run --metric el2n --out run
      grep -q "run/$file: is damaged" stderr
      grep -q '^hint: remove it' stderr
      cmp run/keep.npy whole/keep.npy
      cp whole/$file run/$file
    done
  done
  for key in protocol n repeats epochs classes folds; do
    sed -i "s/\"$key\":/\"${key}x\":/" run/trajectory/trajectory.json
    run_code 3 unseen score --trajectory run/trajectory --metric el2n --out x.npy
    grep -q "^unseen: run/trajectory/trajectory.json: .*\"*$key" stderr
    grep -q '^hint: undo what was changed, or remove run/trajectory: ' stderr
    cp whole/trajectory/trajectory.json run/trajectory
  done
  flip run/trajectory/el2n.npy 1000
  run_code 3 unseen score --trajectory run/trajectory --metric el2n --out x.npy
  flip run/trajectory/p_true.npy 1000
  run_code 3 unseen report run
  grep -q 'run/trajectory/p_true.npy: is damaged' stderr
  rm run/trajectory/el2n.npy
  run_code 0 unseen prune $run --metric el2n --out run
  for file in scores.npy keep.npy trajectory/el2n.npy trajectory/p_true.npy seen/trajectory/el2n.npy; do
    cmp run/$file whole/$file
  done
}

@test "a damaged result is named where it is used, and made again without training" {
  need_device
  unseen prune $run --out run >/dev/null 2>&1
  cp -r run whole
  flip run/scores.npy 300
  flip run/keep.npy 200
  run_code 3 unseen select --scores run/scores.npy --rule top --out x.npy
  grep -q 'run/scores.npy: is damaged' stderr
  run_code 3 unseen report run
  run_code 3 unseen train $one --subset run/keep.npy --out x
  flip run/seen/scores.npy 300
  run_code 3 unseen select --scores run/seen/scores.npy --rule top --out x.npy
  grep -q 'run/seen/scores.npy: is damaged' stderr
  run_code 0 unseen prune $run --out run
  grep -q 'the trajectory is there already' stderr
  cmp run/scores.npy whole/scores.npy
  cmp run/keep.npy whole/keep.npy
  echo '{' > run/scoring.json
  run_code 3 unseen prune $run --out run
  grep -q '^hint: remove it' stderr
  rm run/scoring.json
  run_code 0 unseen prune $run --out run
  cmp run/keep.npy whole/keep.npy

  unseen prune $run --steps 3 --keep 0.4 --out steps >/dev/null 2>&1
  cp -r steps steps.whole
  flip steps/steps/2/keep.npy 200
  run_code 3 unseen prune $run --steps 3 --keep 0.4 --out steps
  grep -q 'steps/2/keep.npy: is damaged' stderr
  rm steps/steps/2/keep.npy
  run_code 0 unseen prune $run --steps 3 --keep 0.4 --out steps
  for file in keep.npy steps/2/keep.npy steps/3/scores.npy; do cmp steps/$file steps.whole/$file; done
}
