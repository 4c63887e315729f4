load common
load pictures

# What people have met with folders of images, of many sizes throughout.

hash_of() {
  unseen dataset info "$1" --quiet | sed -n 's/^sha256 //p'
}

@test "an empty class keeps its number" {
  jpegs data/train/a/{1,2,3,4}.jpg data/train/c/1.jpg
  mkdir data/train/b
  run_code 0 unseen dataset info data
  grep -q "'b' has no training image" stderr
  grep -Eq '^ +1 +b +0 +0$' stdout
  grep -Eq '^ +2 +c +1 +0$' stdout
}

@test "a folder without images says what was looked for" {
  mkdir -p data/train/a
  echo text > data/train/a/notes.txt
  run_code 3 unseen dataset info data
  grep -q 'looked for' stderr
  run_code 3 unseen dataset info imagefolder:data
  grep -q 'CLASS/NAME.jpg' stderr
}

@test "hidden folders and what systems leave behind are no samples" {
  jpegs data/train/{a,b}/1.jpg data/train/.ipynb_checkpoints/1.jpg data/train/a/._1.jpg
  touch data/.DS_Store data/train/a/{.DS_Store,Thumbs.db,desktop.ini}
  run_code 0 unseen dataset info data --verbose
  grep -q 'train 2, test 0, 2 classes, ' stdout
  grep -q 'hidden names are passed over' stderr
  run_code 0 unseen dataset verify data
  tar cf data.tar data
  run_code 0 unseen dataset verify data.tar
  grep -q '^2 samples, all good' stdout
}

@test "a class that the test split lacks changes no label" {
  jpegs data/train/{a,b,c}/1.jpg data/val/{a,c}/2.jpg
  mkdir data/val/b
  run_code 0 unseen dataset info data --list
  grep -qx 'test,1,2,c,val/c/2.jpg' stdout
  rmdir data/val/b
  run_code 0 unseen dataset info data --list
  grep -qx 'test,1,2,c,val/c/2.jpg' stdout
}

@test "a class that the training split lacks is refused" {
  jpegs data/train/{a,b,c}/1.jpg data/val/{b,c,d}/2.jpg
  run_code 3 unseen dataset info data
  grep -q 'class d of val/ is not in train/' stderr
  jpegs data/val/a/2.jpg
  run_code 3 unseen dataset info data
  grep -q '^hint: ' stderr
}

@test "classes without a split's folder are a training split" {
  jpegs data/{a,b}/{1,2,3,4}.jpg
  run_code 0 unseen dataset info data
  grep -q 'train 8, test 0, 2 classes' stdout
  run_code 0 unseen dataset info data --test-share 0.25
  grep -q 'train 6, test 2, 2 classes' stdout
  run_code 2 unseen dataset info data --test-share 1.5
}

@test "classes and samples come in the order of bytes" {
  jpegs data/train/{c1,c2,c10}/x.jpg data/train/a/{a.jpg,b.JPG,c.jpeg,d.JPEG,e.Png}
  run_code 0 unseen dataset info data --list
  cut -d, -f5 stdout | tail -n +2 > order
  printf 'train/%s\n' a/{a.jpg,b.JPG,c.jpeg,d.JPEG,e.Png} {c1,c10,c2}/x.jpg > expected
  diff expected order
}

@test "what is no image is named before the first epoch" {
  jpegs data/train/a/{1,2}.jpg
  echo text > data/train/a/t.jpg
  printf 'BM------------' > data/train/a/z.jpg
  : > data/train/a/zero.jpg
  run_code 3 unseen dataset verify data
  grep -q '^train/a/t.jpg: is ' stdout
  grep -q '^train/a/z.jpg: is .*BMP' stdout
  grep -q '^train/a/zero.jpg: is empty' stdout
  run_code 3 unseen dataset info data
  grep -q 'train/a/t.jpg: is ' stderr
  grep -q '3 of 5 files are bad' stderr
  run_code 3 unseen train data --epochs 1 --out run
  [ ! -e run ]
  run_code 0 unseen dataset info data --on-bad grey
  grep -q 'warning: data: bad files that are taken as grey: 3, ' stderr
}

@test "order on the disk and in an archive do not matter" {
  jpegs data/train/{b,a}/{3,1,2}.jpg data/val/a/4.jpg
  expected=$(hash_of data)
  for file in val/a/4.jpg train/a/2.jpg train/b/1.jpg train/a/3.jpg train/b/3.jpg train/a/1.jpg train/b/2.jpg; do
    mkdir -p "other/$(dirname $file)"
    cp "data/$file" "other/$file"
  done
  [ "$(hash_of other)" = "$expected" ]
  (cd data && find . -type f | sort -r | tar cf ../shuffled.tar -T -)
  [ "$(hash_of shuffled.tar)" = "$expected" ]
  tar cJf packed.tar.xz data
  [ "$(hash_of packed.tar.xz)" = "$expected" ]
  unseen dataset verify data > content
  unseen dataset verify packed.tar.xz | diff content -
  grep -q '^content sha256 [0-9a-f]*$' content
  # another file of the same size, and another name, are other data
  cp data/train/a/2.jpg data/train/a/1.jpg
  [ "$(hash_of data)" != "$expected" ]
}

@test "what an archive is unpacked to may be too much for memory" {
  jpegs data/train/{b,a}/{3,1,2}.jpg
  tar cJf packed.tar.xz data
  export UNSEEN_SPOOL_MEMORY=200 UNSEEN_CACHE_DIR=$PWD/cache
  run_code 0 unseen dataset info packed.tar.xz
  grep -q 'packed.tar.xz is unpacked to a temporary file in' stderr
  [ "$(hash_of packed.tar.xz)" = "$(hash_of data)" ]
  [ -z "$(find cache -type f)" ]
}

@test "links to folders are followed, loops end, dangling ones are named" {
  jpegs real/a/1.jpg other/val/a/2.jpg data/train/b/1.jpg data/train/b/2.jpg
  ln -s ../../real/a data/train/a
  ln -s ../other/val data/val
  run_code 0 unseen dataset info data
  grep -q 'train 3, test 1, 2 classes' stdout
  ln -s .. data/train/b/up
  run_code 0 unseen dataset info data
  grep -q 'links back to a folder above them, which are not followed: 1, ' stderr
  ln -s nowhere data/train/b/3.jpg
  run_code 3 unseen dataset info data
  grep -q 'train/b/3.jpg: No such file' stderr
}

@test "a pipe is named and a folder with the name of a file is a folder" {
  jpegs data/train/a/x.jpg/1.jpg data/train/a/2.jpg
  run_code 0 unseen dataset info data
  grep -q 'train 2, test 0, 1 classes' stdout
  mkfifo data/train/a/p.jpg
  run_code 3 unseen dataset info data
  grep -q 'train/a/p.jpg: is neither a file nor a link to one' stderr
}

@test "copies are counted over classes and splits" {
  jpegs data/train/a/{1,2,3}.jpg data/train/b/4.jpg
  mkdir -p data/val/a
  cp data/train/a/1.jpg data/train/b/copy.jpg
  cp data/train/a/1.jpg data/val/a/copy.jpg
  run_code 0 unseen dataset info data --json
  tr -d '\n' < stdout | grep -q '"same_label": 0, *"other_label": 1, *"test": 1'
  run_code 0 unseen dataset verify data
  grep -q '^train/b/copy.jpg: is the same as train/a/1.jpg, which is labelled a' stdout
}

@test "a class of many thousand files beside one of a single file is opened" {
  jpeg data/train/b/one.jpg
  jpegs data/train/a/0/{1,2,3,4,5,6,7,8,9,10}.jpg
  for i in $(seq 11); do
    cp -al data/train/a copy
    mv copy "data/train/a/$i"
  done
  run_code 0 unseen dataset info data --quiet
  grep -Eq '^ +0 +a +20480 ' stdout
  grep -Eq '^ +1 +b +1 ' stdout
  grep -q '^20470 training samples are copies' stdout
}

@test "sizes of many are told" {
  jpeg data/train/a/1.jpg 20 10
  jpeg data/train/a/2.jpg 300 200
  run_code 0 unseen dataset info data
  grep -q 'images of 10 x 20 to 200 x 300 pixels, 3 channels' stdout
  grep -q "(ImageNet's)" stdout
  run_code 0 unseen dataset info data --json
  tr -d ' \n' < stdout | grep -q '"shape":{"least":\[10,20,3\],"most":\[200,300,3\]}'
  run_code 0 unseen dataset verify data
}

@test "long names and other alphabets survive archives" {
  class=$(printf 'c%.0s' $(seq 150))
  jpegs "data/train/$class/1.jpg" data/train/{日本,Größe,слайд}/1.jpg
  expected=$(hash_of data)
  for format in pax gnu; do
    tar -H $format -cf $format.tar data
    [ "$(LC_ALL=C hash_of $format.tar)" = "$expected" ]
  done
  LC_ALL=C unseen dataset info data --list > c.csv
  LC_ALL=C.UTF-8 unseen dataset info pax.tar --list | sed 's|data/train/|train/|' > utf8.csv
  diff c.csv utf8.csv
}

@test "data without a test split say so once" {
  need_device
  jpegs data/{a,b}/{1,2,3,4,5,6}.jpg
  local small="--model convnet3 --width 8 --batch 4 --size 32 --no-progress"
  local note='data: there is no test split; --test-share 0.1 would hold out a tenth of each class'
  for command in train "prune --folds 2 --keep 0.5" "trajectory --folds 2" "audit --folds 2"; do
    rm -rf run
    run_code 0 unseen $command data --epochs 1 $small --out run
    [ "$(grep -c "$note" stderr)" -eq 1 ]
  done
  run_code 3 unseen compare data --epochs 1 $small --out compare
  grep -q 'data: has no test split to compare coresets on' stderr
  grep -q '^hint: --test-share 0.1 holds out a tenth of each class' stderr
  run_code 0 unseen train data --epochs 1 $small --test-share 0.2 --out tested
  [ "$(grep -c 'no test split' stderr)" -eq 0 ]
  grep -q '^test accuracy ' stdout
}

@test "archives that end too early are told of" {
  jpegs data/train/{a,b}/{1..9}.jpg
  tar -cf data.tar -C data train
  xz -k data.tar
  head -c 5000 data.tar > cut.tar
  head -c $(($(stat -c %s data.tar.xz) - 40)) data.tar.xz > cut.tar.xz
  run_code 3 unseen dataset info cut.tar
  grep -q 'cut.tar: cannot read the archive: Truncated' stderr
  run_code 3 unseen dataset info cut.tar.xz
  grep -q 'cut.tar.xz.*the archive ends too early' stderr
}

@test "a file that goes while training runs ends it, and once it is back the run goes on" {
  need_device
  jpegs data/train/{a,b}/{1..9}.jpg
  run="train data --model convnet3 --width 4 --epochs 200 --batch 2 --size 16 --crop resized --cache off --no-progress"
  run_code 0 unseen $run --out whole
  "$UNSEEN" $run --out run >stdout 2>stderr &
  wait_for run/state.safetensors
  mv data/train/a/5.jpg .
  code=0
  wait $! || code=$?
  [ $code -eq 3 ]
  grep -q 'data/train/a/5.jpg: No such file or directory' stderr
  run_code 2 unseen $run --out run
  grep -q 'hint: files of the dataset were added, removed, renamed or changed since' stderr
  mv 5.jpg data/train/a
  run_code 0 unseen $run --out run
  cmp run/model.safetensors whole/model.safetensors
}
