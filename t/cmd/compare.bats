load common

tiny_compare="--recipe paper --model convnet3 --width 8 --epochs 3 --batch 32 --folds 3 --seed 3 --no-progress"

# column NAME ROW TABLE: what the line that ROW matches has in a column.
column() {
  awk -F, -v name="$1" -v row="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } $0 ~ row { print $at }' "$3"
}

@test "compare trains on every coreset and writes a table" {
  need_device
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n,dual --protocols seen,fold,fold-seen \
    --rules ccs,beta --keep 0.5,0.2 --seeds 2 --out c
  grep -q '^-  *-  *full' stdout
  [ "$(wc -l < c/table.csv)" -eq $((1 + 1 + 2 + 2 * 3 * 2 * 2)) ]
  grep -q '^,,random,0.2,48,2,3,6,0' c/table.csv
  grep -q '^el2n,fold-seen,beta,0.5,120,2,3,12,0' c/table.csv
  grep -q '^| dual fold ccs | .* ± .* | .* ± .* |$' c/table.md
  grep -q '^| dual fold ccs | [-+].* ± .* | [-+].* ± .* |$' c/table.md
  grep -q '^| minus seen (points), by share kept | 0.5 | 0.2 |$' c/table.md
  grep -q 'Accuracy against share kept' c/report.html
  grep -q 'Accuracy against images trained on' c/report.html
  grep -q 'minus random (points)' c/report.html
  # The fold run's two sides share it: 2 of 3 folds in 3 epochs, three times.
  for protocol in fold fold-seen; do
    [ "$(column scoring_images "^dual,$protocol,beta,0.2," c/table.csv)" = 1440 ]
    [ "$(column scoring_run "^dual,$protocol,beta,0.2," c/table.csv)" = fold ]
  done
  [ "$(column images '^dual,fold,beta,0.2,' c/table.csv)" = 144 ]
  [ -n "$(column minus_seen '^dual,fold,beta,0.2,' c/table.csv)" ]
  [ -n "$(column minus_fold_seen_error '^dual,fold,beta,0.2,' c/table.csv)" ]
  [ -z "$(column minus_seen '^dual,seen,beta,0.2,' c/table.csv)" ]
  cell=c/cells/dual-fold-ccs-k0.5-s4
  grep -q '"keep.npy": "xxh3-' $cell/result.json
  mkdir damaged
  cp $cell/* damaged
  printf x | dd of=damaged/keep.npy bs=1 seek=200 conv=notrunc status=none
  run_code 3 unseen train $tiny_data --subset damaged/keep.npy --epochs 1 --model convnet3 --out x
  grep -q 'damaged/keep.npy: is damaged' stderr
  not_any find c -name '*.safetensors'
  not_any find c -name '*.tmp*'

  # What is there is not done again; lists and seeds may grow.
  cp c/table.csv before.csv
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n,dual --protocols seen,fold,fold-seen \
    --rules ccs,beta --keep 0.5,0.2 --seeds 2 --out c --json
  cmp c/table.csv before.csv
  [ "$(grep -c '"test_accuracy"' stdout)" -eq 27 ]
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n --protocols fold --rules top,window=0.1 \
    --keep 0.5 --seeds 3 --out c
  [ "$(wc -l < c/table.csv)" -eq 5 ]

  # A longer list may need more of a scoring run than it recorded.
  cp c/scoring/fold-s3/trajectory/p_true.npy before.npy
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n,tdds --protocols fold --rules ccs \
    --keep 0.5 --seeds 1 --out c
  grep -q 'recording again' stderr
  cmp c/scoring/fold-s3/trajectory/p_true.npy before.npy
  run_code 2 unseen compare $tiny_data $tiny_compare --metrics el2n --epochs 2 --out c
  grep -q epochs stderr
}

@test "results of a version that did not test by class are taken, damaged ones are not" {
  need_device
  run="unseen compare $tiny_data $tiny_compare --epochs 1 --metrics el2n --protocols seen --rules top --keep 0.5 --seeds 1 --out c"
  run_code 0 $run
  [ -n "$(column worst_class '^,,random,' c/table.csv)" ]
  result=c/cells/random-k0.5-s3/result.json
  cp $result good.json
  tr -d '\n' <good.json | sed 's/"class_accuracy": \[[^]]*\],//; s/"images": [0-9]*,//' >$result
  run_code 0 $run
  grep -q 'c: a version that did not test by class left 1 of the results' stderr
  [ -z "$(column worst_class '^,,random,' c/table.csv)" ]
  [ "$(column images '^,,random,' c/table.csv)" = 120 ]
  [ -n "$(column worst_class '^el2n,' c/table.csv)" ]
  sed 's/"class_accuracy": \[/&7,/' good.json >$result
  run_code 3 $run
  grep -q "$result: class_accuracy of class 0" stderr
}

@test "compare warns once of a cut-off that the ratio leaves no room for" {
  need_device
  run_code 0 unseen compare $tiny_data $tiny_compare --epochs 1 --metrics el2n,loss --protocols seen --rules ccs=0.6,top \
    --keep 0.5,0.3 --seeds 1 --out c
  [ "$(grep -c -- '--cutoff 0.6 leaves fewer samples than --keep 0.5: only 0.5 is cut off' stderr)" -eq 1 ]
  [ "$(grep -c -- '--cutoff' stderr)" -eq 1 ]
}

@test "a search finds a cut-off on data held out" {
  need_device
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n --protocols fold --rules ccs=search \
    --keep 0.7 --seeds 1 --out c
  grep -q '"cutoff": 0.[0-3],' c/cells/el2n-fold-ccs=search-k0.7-s3/search.json
  [ "$(grep -c accuracy c/cells/el2n-fold-ccs=search-k0.7-s3/search.json)" -eq 4 ]
  grep -q '"cutoff"' c/cells/el2n-fold-ccs=search-k0.7-s3/result.json
}

@test "a cut-off may be the published one or follow the wrong labels" {
  need_device
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n --protocols fold \
    --rules ccs,ccs=auto,ccs=table,window=table --keep 0.1 --seeds 1 --out c
  cmp c/cells/el2n-fold-ccs-k0.1-s3/keep.npy c/cells/el2n-fold-ccs=auto-k0.1-s3/keep.npy
  grep -q '"cutoff": 0.3[,}]*$' c/cells/el2n-fold-ccs=table-k0.1-s3/result.json
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n --protocols incremental --steps 2 \
    --rules ccs=table,ccs=auto --keep 0.5 --seeds 1 --out d
  grep -q '"cutoff": 0.0,' d/cells/el2n-incremental-ccs=table-k0.5-s3/steps/2/quality.json
  [ "$(grep -h cutoff d/cells/el2n-incremental-ccs=auto-k0.5-s3/steps/*/quality.json | sort -u | wc -l)" -eq 1 ]
}

@test "equal steps train smaller coresets for more epochs" {
  need_device
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics el2n --protocols seen --rules top --keep 0.5,0.2 \
    --seeds 1 --budget steps --score-once --out c
  grep -q '^,,full,1,240,1,3,24,' c/table.csv
  grep -q '^,,random,0.5,120,1,6,24,' c/table.csv
  grep -q '^el2n,seen,top,0.2,48,1,12,24,' c/table.csv
}

# history_images CELL: what its history.csv says was trained on.
history_images() {
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "images") at = i } NR > 1 { sum += $at } END { print sum }' \
    "c/cells/$1/history.csv"
}

@test "less training on all data stands beside coresets" {
  need_device
  run="unseen compare $tiny_data $tiny_compare --epochs 6 --metrics el2n --protocols seen --rules ccs --keep 0.5,0.3 --seeds 1 --out c"
  run_code 0 $run
  cp c/table.csv before.csv
  all="$run --baselines random,full-short,rs2,rs2-replacement,infobatch"
  run_code 0 $all
  [ "$(wc -l < c/table.csv)" -eq $((1 + 1 + 4 * 2 + 1 + 2)) ]
  grep -E '^(metric|,,full,|,,random,|el2n,)' c/table.csv >common.csv
  cmp before.csv common.csv
  # 240 samples; 0.3 of 6 epochs are 2.
  grep -q '^,,full-short,0.5,240,1,3,24,' c/table.csv
  [ "$(column images '^,,full-short,0.5,' c/table.csv)" = 720 ]
  [ "$(column images '^,,full-short,0.3,' c/table.csv)" = 480 ]
  for rule in rs2 rs2-replacement; do
    grep -q "^,,$rule,0.3,240,1,6,18," c/table.csv
    [ "$(column images "^,,$rule,0.5," c/table.csv)" = 720 ]
    [ "$(column images "^,,$rule,0.3," c/table.csv)" = 432 ]
    [ -n "$(column minus_random "^,,$rule,0.3," c/table.csv)" ]
  done
  # The first and the last epoch take all: 480 and something of the rest.
  images=$(column images '^,,infobatch,1,' c/table.csv)
  [ "$images" -gt 480 ]
  [ "$images" -lt 1440 ]
  [ "$images" = "$(history_images infobatch-k1-s3)" ]
  grep -q '^All of the data, infobatch: test accuracy (%) [0-9]' c/table.md
  grep -q '^| rs2-replacement | [0-9.]* | [0-9.]* |$' c/table.md
  grep -q 'full-short' c/report.html

  cp c/table.csv before.csv
  run_code 0 $all
  cmp c/table.csv before.csv
  find c/cells -name result.json -newer before.csv >new
  [ ! -s new ]

  run_code 0 unseen compare $tiny_data $tiny_compare --epochs 6 --metrics el2n --protocols seen --keep 0.5 --seeds 1 \
    --baselines rs2 --out c
  [ "$(wc -l < c/table.csv)" -eq 4 ]
  run_code 2 unseen compare $tiny_data $tiny_compare --baselines random,rs3 --out x
  grep -q 'the baselines are random, full-short, rs2, rs2-replacement, infobatch' stderr
  [ ! -e x ]
}

@test "a comparison killed at any moment goes on and ends with the same table" {
  need_device
  run="unseen compare $tiny_data $tiny_compare --metrics el2n --protocols fold --rules ccs --keep 0.3 --seeds 2 --baselines random,rs2,infobatch"
  $run --out whole >/dev/null 2>&1
  for delay in 0.2 0.5 0.8 1.2; do
    killed_after $delay ${run#unseen } --out killed
  done
  run_code 0 $run --out killed
  same_numbers whole/table.csv killed/table.csv
  $run --concurrent 2 --out two >/dev/null 2>&1
  same_numbers whole/table.csv two/table.csv
}

@test "bad sweeps are refused before anything is trained" {
  need_device
  for bad in "--metrics wisdom" "--metrics el2n,el2n" "--metrics ," "--protocols maybe" "--rules wheel" \
    "--rules random" "--rules top=0.3" "--rules ccs=x" "--rules ccs=-1" "--rules beta=search" "--rules beta=auto" "--keep 2" "--keep 0.5,0" "--seeds 0" \
    "--scoring-model alexnet" "--scoring-epochs 0" "--scoring-pad 99" "--budget hours" "--baselines full" "--baselines ," "--baselines full-short --budget steps"; do
    run_code 2 unseen compare $tiny_data $tiny_compare $bad --out x
  done
  [ ! -e x ]
}

@test "scoring models may have a recipe of their own" {
  need_device
  run="unseen compare $tiny_data $tiny_compare --metrics el2n --protocols fold --rules top --keep 0.5 --seeds 1"
  run_code 0 $run --scoring-epochs 2 --scoring-pad 0 --scoring-no-flip --out c
  grep -q '"epochs": 2' c/scoring/fold-s3/scoring.json
  grep -q '"pad": 0' c/scoring/fold-s3/scoring.json
  grep -q '"flip": "none"' c/scoring/fold-s3/scoring.json
  grep -q '^el2n,fold,top,0.5,120,1,3,12,0' c/table.csv
  run_code 2 $run --scoring-epochs 2 --out c
  grep -q 'another scoring' stderr
}

@test "compare records what its scores need" {
  need_device
  run_code 0 unseen compare $tiny_data $tiny_compare --metrics 'tdds,0.5*moderate+0.5*memorisation' --protocols fold \
    --rules top,k-center --keep 0.5 --seeds 1 --out c
  [ -s c/cells/tdds-fold-top-k0.5-s3/keep.npy ]
  grep -q '^0.5\*moderate+0.5\*memorisation,fold,k-center,0.5,120,1' c/table.csv
  run_code 2 unseen compare $tiny_data $tiny_compare --metrics memorisation --protocols fold,fold-seen --out d
  grep -q 'memorisation compares' stderr
  [ ! -e d ]
}

@test "coresets chosen in steps are a protocol" {
  need_device
  run="unseen compare $tiny_data $tiny_compare --metrics el2n --protocols fold,incremental --keep 0.5 --seeds 1"
  run_code 0 $run --rules ccs --steps 2 --out c
  grep -q '^el2n,incremental,ccs,0.5,120,1,3,12,0' c/table.csv
  cell=c/cells/el2n-incremental-ccs-k0.5-s3
  cmp $cell/keep.npy $cell/steps/1/keep.npy || cmp $cell/keep.npy $cell/steps/2/keep.npy
  not cmp -s $cell/keep.npy c/cells/el2n-fold-ccs-k0.5-s3/keep.npy
  # Another rule shares the first scoring run.
  cp c/scoring/incremental-s3/trajectory/p_true.npy before.npy
  run_code 0 $run --rules ccs,top --steps 2 --out c
  cmp before.npy c/scoring/incremental-s3/trajectory/p_true.npy
  [ "$(wc -l < c/table.csv)" -eq 7 ]

  run_code 2 $run --rules ccs --steps 1 --out x
  run_code 2 $run --rules ccs=search --out x
  run_code 2 $run --rules ccs --evict 7 --out x
  [ ! -e x ]
}
