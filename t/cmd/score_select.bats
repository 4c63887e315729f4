load common

recorded() {
  unseen trajectory $tiny_data $tiny_run --out run >/dev/null 2>&1
}

@test "scores come from a trajectory alone, ours or imported" {
  need_device
  recorded
  run_code 0 unseen score --metric el2n --trajectory run/trajectory --out scores.npy
  run_code 0 unseen score --metric el2n,dual,aum,forgetting,dynunc,loss,entropy,margin,random \
    --trajectory run/trajectory --calibrate rank --out all.npy --json
  [ "$(grep -c '"metric"' stdout)" -eq 9 ]
  [ -s all-dual.npy ]

  mkdir import
  cp run/trajectory/p_true.npy run/trajectory/labels.npy import
  run_code 0 unseen score --metric dual --trajectory import --out imported.npy
  run_code 0 unseen score --metric dual --trajectory run/trajectory --out own.npy
  cmp imported.npy own.npy
  run_code 2 unseen score --metric el2n --trajectory import --out x.npy
  grep -q el2n stderr
  run_code 2 unseen score --metric wisdom --trajectory import --out x.npy
}

@test "a broken trajectory is exit code 3 and named" {
  need_device
  recorded
  cp -r run/trajectory bad
  truncate -s -4 bad/p_true.npy
  run_code 3 unseen score --metric dual --trajectory bad --out x.npy
  grep -q 'p_true.npy' stderr
  rm bad/p_true.npy bad/labels.npy
  run_code 3 unseen score --metric el2n --trajectory bad --out x.npy
  run_code 3 unseen score --metric el2n --trajectory nowhere --out x.npy
  [ ! -e x.npy ]
}

@test "select turns scores into indices" {
  need_device
  recorded
  unseen score --metric el2n --trajectory run/trajectory --out scores.npy >/dev/null
  for rule in top bottom class-balanced ccs random; do
    run_code 0 unseen select --scores scores.npy --labels run/trajectory/labels.npy --rule $rule --keep 0.3 \
      --out keep-$rule.npy
    grep -q 'kept 72 of 240' stdout
  done
  not grep -q 'easiest of each class' stderr
  run_code 0 unseen select --scores scores.npy --rule top --keep 0.04 --out hard.npy
  grep -q -- '--rule bottom --quota equal keeps the easiest of each class' stderr
  run_code 0 unseen select --scores scores.npy --data $tiny_data --rule bottom --quota equal --keep 0.04 --out easy.npy
  grep -q 'kept 10 of 240' stdout
  not grep -q 'easiest of each class' stderr
  run_code 0 unseen select --scores scores.npy --data $tiny_data --rule class-balanced --keep 0.3 --out by-data.npy
  cmp by-data.npy keep-class-balanced.npy
  run_code 2 unseen select --scores scores.npy --rule class-balanced --keep 0.3 --out x.npy
  run_code 2 unseen select --scores scores.npy --rule top --keep 2 --out x.npy
  run_code 3 unseen select --scores run/trajectory/labels.npy --labels scores.npy --rule top --out x.npy
  echo nonsense > text.npy
  run_code 3 unseen select --scores missing.npy --rule top --out x.npy
  run_code 3 unseen select --scores scores.npy --labels missing.npy --rule top --out x.npy
  grep -q 'unseen: missing.npy: No such file' stderr
  run_code 3 unseen select --scores text.npy --rule top --out x.npy
  [ ! -e x.npy ]
}

@test "every score can be had of a run that recorded what they need" {
  need_device
  run_code 0 unseen score --help
  grep -q '  memorisation ' stdout
  run_code 0 unseen score --list
  grep -Eq '^tdds +4 +change ' stdout
  grep -Eq '^class-distance +4d once +feature_norm,features ' stdout
  # What the longest entry needs moves no other column.
  [ "$(grep -o '^grand .*  norm of' stdout | wc -c)" -eq "$(grep -o '^el2n .*  norm of' stdout | wc -c)" ]
  run_code 0 unseen score --list --json
  names=$(sed -n 's/.*"name": "\([^"]*\)".*/\1/p' stdout)
  all=$(echo $names | tr ' ' ,)
  run_code 0 unseen trajectory $tiny_data $tiny_run --metric $all --out run
  run_code 0 unseen score --metric $all --trajectory run/trajectory --window 3 --clusters 5 --out all.npy
  for name in $names; do [ -s all-$name.npy ]; done
  run_code 2 unseen score --metric memorisation --trajectory run/seen/trajectory --out x.npy
  grep -q 'a seen trajectory has no others' stderr
  mv run/seen run/elsewhere
  run_code 2 unseen score --metric memorisation --trajectory run/trajectory --out x.npy
  grep -q 'hint: it should be in run/trajectory/../seen/trajectory' stderr
  [ ! -e x.npy ]
}

@test "scores add up to formulas wherever a metric is named" {
  need_device
  unseen prune $tiny_data $tiny_run --metric '0.5*el2n - 0.5*grand' --cutoff-by aum-ccs+loss --keep 0.5 --out run >/dev/null 2>&1
  [ -s run/keep.npy ]
  run_code 0 unseen score --metric '0.5*el2n-0.5*grand,el2n' --trajectory run/trajectory --out s.npy
  cmp s-0.5xel2n-0.5xgrand.npy run/scores.npy
  run_code 2 unseen score --metric 0.5*eln --trajectory run/trajectory --out x.npy
  grep -q "there is no score 'eln'" stderr
  run_code 2 unseen prune $tiny_data --metric 'el2n dual' --out other
  grep -q '+ or - is missing' stderr
  run_code 2 unseen prune $tiny_data --protocol seen --metric el2n-memorisation --out other
  [ ! -e other ]
  run_code 2 unseen trajectory $tiny_data --record-also wisdom --out other
  run_code 2 unseen score --metric tdds --trajectory run/trajectory --out x.npy
  grep -q 'hint: .*--record-also change' stderr
}

@test "select looks into a trajectory for what its rule needs" {
  need_device
  unseen prune $tiny_data $tiny_run --metric dual --cutoff-by 0.5*aum+0.5*el2n --rule ccs --keep 0.3 --out run >/dev/null 2>&1
  scores="--scores run/scores.npy --labels run/trajectory/labels.npy"
  run_code 0 unseen select $scores --trajectory run/trajectory --cutoff-by 0.5*aum+0.5*el2n --keep 0.3 --seed 3 \
    --out keep.npy
  cmp keep.npy run/keep.npy
  unseen prune $tiny_data $tiny_run --metric dual --rule ccs --keep 0.3 --out run >/dev/null 2>&1
  run_code 0 unseen select $scores --trajectory run/trajectory --keep 0.3 --seed 3 --out by-aum.npy
  cmp by-aum.npy run/keep.npy
  run_code 0 unseen select $scores --trajectory run/trajectory --cutoff-by score --keep 0.3 --seed 3 --out by-score.npy
  run_code 0 unseen select $scores --trajectory run/trajectory --hardness run/scores.npy --keep 0.3 --seed 3 --out same.npy
  cmp by-score.npy same.npy
  [ "$(cmp by-score.npy by-aum.npy | wc -l)" -eq 1 ]
  run_code 0 unseen select $scores --trajectory run/trajectory --rule beta --keep 0.3 --out beta.npy
  run_code 2 unseen select $scores --rule beta --keep 0.3 --out x.npy
  run_code 2 unseen select $scores --cutoff-by aum --keep 0.3 --out x.npy
  grep -q 'hint: .*--trajectory' stderr
  run_code 2 unseen select $scores --trajectory run/trajectory --cutoff-by au --keep 0.3 --out x.npy
  unseen trajectory synth:60,4,16,1 $tiny_run --out small >/dev/null 2>&1
  run_code 3 unseen select $scores --trajectory small/trajectory --rule beta --keep 0.3 --out x.npy
  [ ! -e x.npy ]
}

@test "select cuts as published for the data of the trajectory" {
  need_device
  short="--folds 2 --epochs 1 --recipe paper --model convnet3 --width 4 --seed 3 --no-progress"
  unseen dataset synth --n 120 --test 20 --classes 100 --seed 1 --out hundred >/dev/null
  unseen prune hundred $short --rule ccs --cutoff table --keep 0.1 --out run >/dev/null 2>&1
  run_code 0 unseen select --scores run/scores.npy --trajectory run/trajectory --cutoff table --keep 0.1 --seed 3 \
    --out keep.npy
  grep -q '^cut off: 50.0 %' stdout
  cmp keep.npy run/keep.npy
  mv run/trajectory alone
  run_code 0 unseen select --scores run/scores.npy --trajectory alone --cutoff table --keep 0.1 --seed 3 --out other.npy
  cmp other.npy keep.npy
}

@test "a list of samples goes from select to export" {
  need_device
  unseen dataset synth --n 40 --test 20 --classes 4 --seed 1 --out drawn >/dev/null
  run_code 0 unseen trajectory drawn --folds 2 --epochs 1 --model convnet3 --width 4 --no-progress --out run
  run_code 0 unseen score --metric el2n --trajectory run/trajectory --out s.npy
  run_code 0 unseen select --scores s.npy --rule top --keep 0.5 --out keep.npy
  run_code 0 unseen select --scores s.npy --rule top --keep 0.5 --out keep.txt
  [ "$(wc -l < keep.txt)" -eq 20 ]
  for kind in npy txt; do run_code 0 unseen dataset export drawn --subset keep.$kind --out by-$kind; done
  diff -r by-npy by-txt
}
