load common

# No default among them, and a share that 15 digits do not hold.
unusual="--metric dual --window 2 --length 3 --decay 0.5 --cutoff-by el2n --published cifar100 --strata 20
  --quota equal --class-focus 0.5 --keep 0.3333333333333333 --lr 0.05 --no-flip --weight-decay 0.001"

@test "run.json is a --config that repeats the run" {
  need_device
  run_code 0 unseen prune $tiny_data $tiny_run $unusual --out one
  run_code 0 unseen prune --config one/run.json --out two
  for file in keep.npy scores.npy coreset.csv; do cmp one/$file two/$file; done
  run_code 0 unseen prune --config one/run.json --out two --keep 0.5 # no other trajectory
  not cmp -s one/keep.npy two/keep.npy
  run_code 2 unseen train --config one/run.json --out three
  grep -q '"metric" is no option of this command' stderr
}

@test "run.json of train repeats it" {
  need_device
  recipe="--epochs 2 --recipe paper --model convnet3 --width 8 --batch 32 --no-progress --seed 18446744073709551615"
  run_code 0 unseen prune $tiny_data $tiny_run --out one
  run_code 0 unseen train $tiny_data $recipe --subset one/keep.npy --out a
  run_code 0 unseen train --config a/run.json --out b
  cmp a/model.safetensors b/model.safetensors
}

@test "scoring.json of trajectory and audit.json of audit repeat them" {
  need_device
  run_code 0 unseen trajectory $tiny_data $tiny_run --lr 0.05 --record-also predicted,probs --seed 7 --out one
  run_code 0 unseen trajectory --config one/scoring.json --out two
  for file in one/trajectory/* one/seen/trajectory/*; do cmp $file two/${file#one/}; done
  run_code 2 unseen trajectory --config one --out three
  grep -q '^hint: did you mean one/scoring.json?' stderr
  run_code 0 unseen audit $tiny_data $tiny_run --count 9 --seed 7 --out a
  run_code 0 unseen audit --config a/audit.json --out b
  run_code 0 unseen audit $tiny_data --trajectory one/trajectory --threshold 0.25 --out c
  run_code 0 unseen audit --config c/audit.json --out d
  for file in suspects.csv suspicion.npy; do
    cmp a/$file b/$file
    cmp c/$file d/$file
  done
  [ ! -e d/trajectory ]
  run_code 0 unseen trajectory $tiny_data $tiny_run --job 2/3 --out job
  run_code 0 unseen trajectory --config job/scoring.json --out again
  cmp job/work/r0-f1/heldout-record-0003.npy again/work/r0-f1/heldout-record-0003.npy
  [ ! -e again/trajectory ]
}

@test "run.json of compare repeats it" {
  need_device
  run_code 0 unseen compare $tiny_data --metrics el2n --protocols fold --rules ccs=0.1 --keep 0.5 --seeds 1 --folds 2 \
    --model convnet3 --width 4 --epochs 2 --batch 32 --scoring-epochs 3 --scoring-no-flip --no-progress --out one
  run_code 0 unseen compare --config one/run.json --no-progress --out two
  same_numbers one/table.csv two/table.csv
  cmp one/compare.json two/compare.json
}

@test "--config is read as it is meant" {
  need_device
  printf '\xEF\xBB\xBFmodel = "convnet3" # narrow\nepochs = 1\nwidth=8\nno-flip = false\nquiet = no\n' > good.conf
  run_code 0 unseen train $tiny_data --out x --config good.conf
  grep -q '"flip": "random"' x/run.json
  while IFS='|' read -r line why; do
    printf "$line\n" > bad.conf
    run_code 2 unseen train $tiny_data --out y --config bad.conf
    grep -q -- "$why" stderr
    [ ! -e y ]
  done <<'LINES'
no-flip = maybe|'maybe' is not one of none
no-flip = alternating|'alternating' is not true or false
epochs 3|lacks a =
epochs = 3\nepochs = 4|is there twice
model = "convnet3|quotes
config = bad.conf|unknown option
{"program": "unseen"}|has no "settings"
{"settings": {"epochs": true}}|wrong type
LINES
  run_code 2 unseen train $tiny_data --out y --config /dev/zero
  run_code 2 unseen train --out y --config x
  grep -q '^hint: did you mean x/run.json?' stderr
  mkdir empty
  run_code 2 unseen train --out y --config empty
  not grep '^hint: ' stderr
  [ ! -e y ]
}

@test "numbers are decimal and in their range" {
  while read -r option; do
    run_code 2 unseen prune $tiny_data --out x $option
    grep -q -- "^unseen: ${option%%[ =]*}:" stderr
  done <<'OPTIONS'
--epochs 2147483648
--epochs 99999999999999999999
--epochs 1e3
--epochs 0x10
--epochs=
--device=
--epochs=-1
--stop-after 0
--lr inf
--lr -0x1p3
--lr 0,5
--strata 0
--strata 4294967297
--window 0
--window 1
--decay 0
--clusters 0
--length 0
--epoch -1
--neighbours 0
--neighbours 1000000
--gamma -1
--dual-exponent -1
--cutoff 1
--class-focus 2
--grow 0
--step-folds 0
--step-epochs 0
--keep 0
--keep 1.0000001
--hold-out 0.6
--seed -1
--seed 18446744073709551616
--quiet=perhaps
OPTIONS
  run_code 2 unseen prune $tiny_data --out x --epochs 2147483648
  grep -q 'is not in 1..100000' stderr
  [ ! -e x ]
}

@test "old names are taken with a warning, and what changes nothing is told of" {
  need_device
  unseen prune $tiny_data --out x --record eval --table imagenet --beta 3 --cut-by aum --rule wheel 2>stderr || true
  for names in record/seen-from table/published beta/dual-exponent cut-by/cutoff-by; do
    grep -q "warning: --${names%/*} is called --${names#*/} now" stderr
  done
  unseen prune $tiny_data --out x --gamma 2 --rule ccs --metric wisdom 2>stderr || true
  grep -q 'warning: --gamma changes nothing: the rule ccs' stderr
  unseen prune $tiny_data --out x --keep 0.5 --keep 0.6 --metric wisdom 2>stderr || true
  grep -q 'warning: --keep is given twice; 0.6 counts' stderr
  run_code 2 unseen prune $tiny_data --out x --epoch-s 3
  grep -q 'did you mean --epochs' stderr
  [ ! -e x ]
}

@test "no line of any help is wider than 100 columns" {
  for command in devices train trajectory score select prune audit compare merge report tune bench \
    'dataset info' 'dataset verify' 'dataset synth' 'dataset export'; do
    unseen $command --help > help
    not grep -E '.{101}' help
    unseen $command -h | cmp - help
  done
  unseen report --help >listed
  not grep -E -- '--(device|seed|json|out)' listed
}

# has FILE KEY VALUE...: the settings of a run.json.
has() {
  local file=$1
  shift
  while [ $# -gt 1 ]; do
    grep -Eq "\"$1\": \"?$2\"?,?\$" "$file" || { echo "$1 is not $2"; return 1; }
    shift 2
  done
}

@test "the images decide on the recipe unless it is named" {
  need_device
  run_code 0 unseen train $tiny_data --width 4 --epochs 1 --no-progress --out a
  has a/run.json recipe fast model fastnet batch 1000 loss sum last_batch spread bias_lr 64.0 flip alternating
  run_code 0 unseen train --config a/run.json --no-progress --out b
  cmp a/model.safetensors b/model.safetensors
  large="synth:40,2,72,1 --model convnet3 --width 2 --epochs 1 --size 72 --resize 80 --no-progress"
  run_code 0 unseen train $large --out c
  has c/run.json recipe imagenet model convnet3 batch 256 loss mean crop resized decay_all false
  run_code 0 unseen trajectory $tiny_data --folds 2 --width 4 --epochs 1 --no-progress --out d
  has d/scoring.json recipe fast model fastnet last_batch spread
  run_code 0 unseen compare $tiny_data --metrics random --rules top --keep 0.5 --seeds 1 --folds 2 --width 4 --epochs 1 \
    --scoring-epochs 2 --no-progress --out e
  has e/run.json recipe fast model fastnet scoring_recipe fast scoring_model fastnet scoring_epochs 2 scoring_peak 0.2
  run_code 2 unseen train $tiny_data --warmup 3 --out f
  grep -q -- '^unseen: --warmup: ' stderr
  grep -q -- '^hint: --peak' stderr
}

@test "a recipe sets what is not given" {
  need_device
  small="--model convnet3 --width 4 --epochs 1 --no-progress"
  run_code 0 unseen train $tiny_data $small --recipe imagenet --batch 64 --size 24 --resize 28 --out a
  has a/run.json recipe imagenet model convnet3 width 4 epochs 1 batch 64 accumulate 2 lr 0.1 momentum 0.9 \
    nesterov false weight_decay 0.0001 decay_all false label_smoothing 0.0 schedule cosine warmup 0.0 flip random \
    size 24 resize 28 crop resized pad 0
  run_code 0 unseen train --config a/run.json --no-progress --out b
  cmp a/model.safetensors b/model.safetensors
  printf 'recipe = imagenet\nlr = 0.05\nbatch = 32\n' > one.conf
  run_code 0 unseen train $tiny_data $small --config one.conf --accumulate 1 --no-flip --size 16 --resize auto --out c
  has c/run.json recipe imagenet lr 0.05 batch 32 accumulate 1 flip none decay_all false
  run_code 0 unseen train $tiny_data $small --config one.conf --recipe paper --out d
  has d/run.json recipe paper lr 0.05 batch 32 decay_all true
  run_code 2 unseen train $tiny_data $small --recipe unheard-of --out e
  grep -q '^hint: the recipes are fast, paper, imagenet' stderr
  unseen train --help | grep -A3 '^  imagenet' | grep -q 'resnet34'
}

@test "pictures may grow, and be tested at a size of their own" {
  need_device
  grows="--model resnet10 --width 2 --epochs 4 --batch 64 --no-progress"
  run_code 0 unseen train $tiny_data $grows --size 16..48 --test-size 32 --out a
  has a/run.json size 16..48 test_size 32 resize auto
  run_code 0 unseen train --config a/run.json --no-progress --out b
  cmp a/model.safetensors b/model.safetensors
  run_code 0 unseen train $tiny_data $grows --size 16..48 --test-size 32 --stop-after 3 --out c
  run_code 0 unseen train $tiny_data $grows --size 16..48 --test-size 32 --out c
  cmp a/model.safetensors c/model.safetensors
  run_code 0 unseen train $tiny_data $grows --size 48 --out d
  has d/run.json size 48 test_size auto
  not cmp -s a/model.safetensors d/model.safetensors
  for size in 16..40 48..16 16..1040 48..80 16.. ..16 16-48; do
    run_code 2 unseen train $tiny_data $grows --size $size --out x
    grep -q '^unseen: --size: ' stderr
  done
  run_code 2 unseen train $tiny_data $grows --size 16..48 --model convnet3 --out x
  grep -q '^hint: networks that end with the mean over all pixels' stderr
  run_code 2 unseen train $tiny_data $grows --test-size 65 --out x
  grep -q '^unseen: --test-size: ' stderr
  run_code 2 unseen train $tiny_data $grows --test-size 32 --resize 31 --out x
  [ ! -e x/model.safetensors ]
}

@test "scoring models may have a recipe of their own" {
  need_device
  run_code 0 unseen compare $tiny_data --metrics el2n --protocols fold --rules top --keep 0.5 --seeds 1 --folds 2 \
    --model convnet3 --width 4 --epochs 1 --batch 32 --scoring-recipe imagenet --scoring-model convnet3 \
    --scoring-width 4 --scoring-epochs 1 --scoring-batch 64 --scoring-size 16 --scoring-resize 16 --no-progress --out one
  has one/run.json recipe fast accumulate 1 batch 32 scoring_recipe imagenet scoring_accumulate 2 scoring_batch 64
}
