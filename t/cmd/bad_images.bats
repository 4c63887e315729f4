load common
load pictures

# Folders of which some images cannot be read.

# A training split of 40 pictures, of which two are bad, and a test split of 4, of which one is.
some_bad() {
  for class in a b; do
    for i in $(seq 10 29); do jpeg data/train/$class/$i.jpg 16 16; done
    for i in 1 2; do jpeg data/val/$class/$i.jpg 16 16; done
  done
  truncate -s -4 data/train/a/15.jpg
  echo text > data/train/b/20.jpg
  truncate -s -4 data/val/b/2.jpg
}

small="--folds 2 --epochs 2 --recipe paper --model convnet3 --width 8 --batch 8 --seed 3 --no-progress"

indices() {
  od -An -v -t d8 -w8 -j 128 "$1" | tr -d ' '
}

# holds_none FILE...: of indices, none is of a skipped picture.
holds_none() {
  for file; do
    [ "$(indices "$file" | grep -cx '5\|30')" -eq 0 ] || return 1
  done
}

@test "bad images are checked once, named and skipped" {
  some_bad
  run_code 3 unseen dataset info data
  run_code 0 unseen dataset info data --on-bad skip
  grep -q 'train 40, test 4, 2 classes' stdout
  grep -q '^samples that are skipped: training 2, test 1$' stdout
  [ "$(grep -c 'data: images that are skipped: 3 of 44, the first is train/a/15.jpg: ' stderr)" -eq 1 ]
  rm data/train/a/15.jpg data/train/b/20.jpg data/val/b/2.jpg
  run_code 0 unseen dataset info data --on-bad skip --verbose
  grep -q 'all 41 images are checked, none is skipped' stderr
  unseen dataset info data | diff - stdout
}

@test "verify tells of bad images and lets pass what the options let" {
  some_bad
  run_code 3 unseen dataset verify data
  run_code 0 unseen dataset verify data --on-bad skip
  grep -q '^train/a/15.jpg: ' stdout
  grep -q '^44 samples, 3 of them bad, which --on-bad skip leaves out' stdout
  run_code 0 unseen dataset verify data --on-bad grey
  grep -q '^44 samples, 3 of them bad, which --on-bad grey takes as grey' stdout
  run_code 2 unseen dataset verify synth:20,2,16,1 --test-share 0.1
}

@test "a training split of bad images alone is refused" {
  jpeg data/train/a/1.jpg 16 16
  truncate -s -4 data/train/a/1.jpg
  run_code 3 unseen dataset info data --on-bad skip
  grep -q 'none of the 1 training images can be read, the first is train/a/1.jpg: ' stderr
}

@test "folds and training sets are of the images that are not skipped" {
  need_device
  for i in 1 2 3; do jpeg data/train/a/$i.jpg 16 16; done
  truncate -s -4 data/train/a/1.jpg
  run_code 2 unseen trajectory data --on-bad skip --folds 3 --epochs 1 --model convnet3 --width 8 --out run
  grep -q -- '--folds: 3 is more than the training images that are not skipped: 2' stderr
  grep -q '^hint: bad images that --on-bad skip leaves out: 1 of 3; ' stderr
  # both good images are of one fold
  rm -r data
  for class in a b; do
    for i in 1 2; do jpeg data/train/$class/$i.jpg 16 16; done
    truncate -s -4 data/train/$class/1.jpg
  done
  run_code 2 unseen trajectory data --on-bad skip $small --folds 2 --seed 2 --out run
  grep -q 'training set: it is empty without the bad images that --on-bad skip leaves out' stderr
}

@test "a skipped image is kept by no selection, and runs go on" {
  need_device
  some_bad
  for concurrent in 1 2; do
    run_code 0 unseen prune data --on-bad skip --keep 0.5 $small --concurrent $concurrent --out run$concurrent
  done
  [ "$(indices run1/keep.npy | wc -l)" -eq 19 ]
  holds_none run1/keep.npy
  [ "$(grep -c ',skipped$' run1/coreset.csv)" -eq 2 ]
  [ "$(wc -l < run1/coreset.csv)" -eq 41 ]
  for file in keep.npy scores.npy coreset.csv trajectory/p_true.npy trajectory/skipped.npy; do
    cmp run1/$file run2/$file
  done
  for job in 1 2; do
    run_code 0 unseen trajectory data --on-bad skip $small --job $job/2 --out job$job
  done
  run_code 0 unseen merge job1 job2 --out merged
  for file in p_true skipped; do cmp run1/trajectory/$file.npy merged/trajectory/$file.npy; done
  killed_after 1 prune data --on-bad skip --keep 0.5 $small --out run3
  run_code 0 unseen prune data --on-bad skip --keep 0.5 $small --out run3
  cmp run1/keep.npy run3/keep.npy
  for rule in random top window ccs; do
    run_code 0 unseen select --scores run1/scores.npy --trajectory run1/trajectory --rule $rule --keep 1 \
      --out all.npy --data data --on-bad skip --force
    [ "$(indices all.npy | wc -l)" -eq 38 ]
    holds_none all.npy
  done
  run_code 0 unseen select --scores run1/scores.npy --rule top --keep 0.5 --out all.npy --data data --on-bad skip --force
  [ "$(indices all.npy | wc -l)" -eq 19 ]
  holds_none all.npy
  run_code 0 unseen audit data --on-bad skip $small --count 100 --out audit
  [ "$(wc -l < audit/suspects.csv)" -eq 39 ]
  [ "$(grep -c '^5,\|^30,' audit/suspects.csv)" -eq 0 ]
}

@test "steps, comparisons and training pass over skipped images" {
  need_device
  some_bad
  run_code 0 unseen prune data --on-bad skip --keep 0.5 $small --steps 2 --step-epochs 2 --out steps
  [ "$(indices steps/keep.npy | wc -l)" -eq 19 ]
  holds_none steps/keep.npy
  run_code 0 unseen compare data --on-bad skip --keep 0.5 --seeds 1 $small --protocols fold --rules ccs --out compare
  [ "$(ls compare/cells/*/keep.npy | wc -l)" -eq 4 ]
  holds_none compare/cells/*/keep.npy
  run_code 0 unseen train data --on-bad skip --epochs 1 --model convnet3 --width 8 --batch 8 --out train
  grep -q '"n": 38' train/run.json
  printf 'a/15.jpg\na/16.jpg\n' > keep.txt
  run_code 2 unseen train data --on-bad skip --subset keep.txt --epochs 1 --out subset
  grep -q 'sample 5, train/a/15.jpg, is a bad image' stderr
}

@test "exports and packs leave skipped images out" {
  some_bad
  run_code 0 unseen dataset export data --on-bad skip --out exported
  [ "$(find exported/train -name '*.jpg' | wc -l)" -eq 38 ]
  [ "$(find exported/val -name '*.jpg' | wc -l)" -eq 3 ]
  run_code 0 unseen dataset pack data --on-bad skip --out data.pack
  run_code 0 unseen dataset verify data.pack
  grep -q '^41 samples, all good' stdout
  printf '5\n6\n' > keep.txt
  run_code 2 unseen dataset export data --on-bad skip --subset keep.txt --out other
  grep -q 'sample 5 is a bad image' stderr
}
