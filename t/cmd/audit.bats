load common

drawn() {
  unseen dataset synth --n 240 --test 0 --classes 4 --mislabelled 0.1 --hard 0 --seed 1 --out drawn >/dev/null
}

audit() {
  unseen audit drawn --folds 3 --epochs 6 --recipe paper --model convnet3 --width 8 --batch 32 --lr 0.05 --seed 3 --no-progress "$@"
}

@test "audit names wrong labels" {
  need_device
  drawn
  run_code 0 audit --count 24 --out run
  grep -q '^the 24 most suspicious of 240 labels, to models that never saw them' stdout
  # A tenth is wrong; so few and weak models may be far off, but not silent.
  share=$(sed -n 's/^share of wrong labels.*: \([0-9]*\)\.[0-9] %/\1/p' stdout)
  [ "$share" -ge 3 ] && [ "$share" -le 30 ] || { cat stdout; false; }
  run_code 0 unseen select --scores run/suspicion.npy --trajectory run/trajectory --keep 0.5 --out keep.npy
  grep -q "^cut off: $share\..* % of the samples" stdout
  for file in suspects.csv suspicion.npy audit.html trajectory/predicted.npy; do
    [ -s run/$file ] || { echo "no $file"; false; }
  done
  # 24 labels are wrong; of 24 named by chance 2.4 would be.
  found=$(join -t, <(grep mislabelled drawn/truth.csv | cut -d, -f1 | sort) \
    <(tail -n +2 run/suspects.csv | cut -d, -f1 | sort) | wc -l)
  [ "$found" -ge 8 ] || { echo "found $found"; false; }
}

# probs FILE: the rows of the probabilities, four numbers each.
probs() {
  tail -c $((240 * 4 * 4)) "$1" | od -An -v -w16 -tf4
}

@test "audit writes the probabilities that other tools take" {
  need_device
  drawn
  audit --pred-probs --epochs 3 --repeats 2 --out run >run.txt 2>&1
  head -c 128 run/pred_probs.npy | grep -aq "'<f4', 'fortran_order': False, 'shape': (240, 4)"
  probs run/pred_probs.npy | awk '{ sum = $1 + $2 + $3 + $4; if (sum < 0.999999 || sum > 1.000001) exit 1 } END { exit NR != 240 }'
  run_code 0 unseen score --trajectory run/trajectory --probs-out last.npy
  cmp last.npy run/pred_probs.npy
  run_code 0 unseen score --trajectory run/trajectory --metric el2n --out el2n.npy --probs-out early.npy --epoch 0 --json
  [ -s el2n.npy ]
  not cmp -s early.npy last.npy
  run_code 0 unseen audit --config run/audit.json --epoch 0 --out again
  cmp again/pred_probs.npy early.npy
  run_code 2 unseen score --trajectory run/trajectory --probs-out last.npy
  run_code 2 unseen score --trajectory run/trajectory --probs-out x.npy --epoch 3
  run_code 2 unseen audit drawn --trajectory run/trajectory --pred-probs --epoch 3 --out x
  run_code 0 unseen score --trajectory run/seen/trajectory --probs-out seen.npy
  grep -q 'warning: the models of these probabilities were trained on the samples' stderr
  rm run/trajectory/probs.npy
  run_code 2 unseen score --trajectory run/trajectory --probs-out x.npy
  grep -q '^hint: record it with --record-also probs' stderr
  [ ! -e x.npy ] && [ ! -e x ]
}

@test "a trajectory that is there is audited without training" {
  need_device
  drawn
  audit --out run >run.txt 2>&1
  run_code 0 unseen audit drawn --trajectory run/trajectory --json --out again
  grep -q '"protocol": "fold"' stdout
  cmp run/suspects.csv again/suspects.csv
  cmp run/suspicion.npy again/suspicion.npy
  run_code 0 unseen audit drawn --trajectory run/seen/trajectory --threshold 0.5 --out seen
  grep -q 'labels have a score of 0.5 or more, by models that were trained on them' stdout
  run_code 0 unseen audit drawn --trajectory run/trajectory --out auto
  grep -q 'labels look wrong to models that never saw them' stdout
  run_code 3 unseen audit $tiny_data --trajectory run/trajectory --out x
  rm run/trajectory/predicted.npy run/trajectory/trajectory.json
  run_code 2 unseen audit drawn --trajectory run/trajectory --out x
  grep -q predicted stderr
  run_code 3 unseen audit drawn --trajectory nowhere --out x
  run_code 2 unseen audit drawn --trajectory run/trajectory
  run_code 2 unseen audit drawn --count -1 --out x
  [ ! -e x ]
}
