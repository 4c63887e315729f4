load common

# image FILE OCTAL: 8 x 8 pixels of one grey.
image() {
  mkdir -p "$(dirname "$1")"
  { printf 'P6\n8 8\n255\n'; head -c 192 /dev/zero | tr '\0' "\\$2"; } > "$1"
}

# Two classes of three images, one of a test split.
tree() {
  for i in 1 2 3; do
    image "$1/train/ant/$i.ppm" "0${i}0"
    image "$1/train/bee/$i.ppm" "1${i}0"
  done
  image "$1/val/bee/1.ppm" 005
}

hash_of() {
  unseen dataset info "$1" | sed -n 's/^sha256 //p'
}

@test "a list written by export is the same samples, wherever it lies" {
  tree data
  run_code 0 unseen dataset export data --format list --out list.csv
  [ "$(head -2 list.csv)" = "path,label,split
$PWD/data/train/ant/1.ppm,ant,train" ]
  mkdir elsewhere
  mv list.csv elsewhere
  run_code 0 unseen dataset info elsewhere/list.csv
  grep -q 'train 6, test 1, 2 classes' stdout
  run_code 0 unseen dataset verify list:elsewhere/list.csv
}

@test "a list that says numbers keeps them" {
  tree data
  printf 'bee/2.ppm\n' > keep.txt
  run_code 0 unseen dataset export data --format list --subset keep.txt --out kept.csv
  grep -q 'train/bee/2.ppm,1,train' kept.csv
  run_code 0 unseen dataset info kept.csv
  grep -q 'train 1, test 1, 2 classes' stdout
  grep -q 'warning: .*'class 0' has no training image' stderr
}

@test "a text of paths written by export is a subset" {
  tree data
  printf '4\n0\n' > some.txt
  run_code 0 unseen dataset export data --format files --subset some.txt --out keep.txt
  [ "$(cat keep.txt)" = "train/ant/1.ppm
train/bee/2.ppm" ]
  run_code 0 unseen dataset export data --subset keep.txt --out kept
  [ -L kept/train/bee/2.ppm ]
  run_code 0 unseen dataset info kept
  grep -q 'train 2, test 1, 2 classes' stdout
}

@test "what a list cannot hold is refused" {
  tree data
  tar -cf data.tar data
  run_code 2 unseen dataset export data.tar --format list --out list.csv
  grep -q '^hint: ' stderr
  run_code 2 unseen dataset export synth:8,2,32,1 --format list --out list.csv
  run_code 2 unseen dataset export synth:8,2,32,1 --format files --out keep.txt
  run_code 2 unseen dataset export data --format webdataset --out x
  [ ! -e list.csv ]
  printf 'path,label\ndata/train/ant/1.ppm,a\ndata/none.ppm,a\n' > list.csv
  run_code 3 unseen dataset info list.csv
  grep -q 'list.csv: line 3: data/none.ppm: ' stderr
  printf 'data/train/ant/1.ppm,a,holdout\n' > list.csv
  run_code 3 unseen dataset info list.csv
  grep -q "line 1: 'holdout' is no split" stderr
}

@test "a list may be exported as a tree and keeps its classes" {
  tree data
  printf 'data/train/ant/1.ppm;x\n../%s/data/train/bee/1.ppm;y\n' "${PWD##*/}" > list.csv
  run_code 0 unseen dataset export list.csv --format imagefolder --out out
  run_code 0 unseen dataset info out
  grep -q 'train 2, test 0, 2 classes' stdout
  [ -e out/train/x/data/train/ant/1.ppm ]
}

@test "classes that are numbers keep their order as folders" {
  for i in $(seq 0 11); do
    image "photos/$i.ppm" "0$((i / 8))$((i % 8))"
    echo "photos/$i.ppm,$i" >> list.csv
  done
  run_code 0 unseen dataset export list.csv --format imagefolder --out out
  run_code 0 unseen dataset info out --list
  grep -q '^train,2,2,class 02,train/class 02/photos/2.ppm$' stdout
  grep -q '^train,11,11,class 11,' stdout
}

@test "shards are read in place, and exported as a tree" {
  for i in 0 1 2 3; do
    image "shard/000$i.ppm" "0${i}0"
    echo $((i % 2)) > "shard/000$i.cls"
  done
  mkdir set
  tar -cf set/train-0.tar -C shard 0000.ppm 0000.cls 0001.ppm 0001.cls
  tar -cf set/train-1.tar -C shard 0002.ppm 0002.cls 0003.ppm 0003.cls
  for data in set webdataset:set 'set/train-{0..1}.tar'; do
    run_code 0 unseen dataset info "$data"
    grep -q 'train 4, test 0, 2 classes' stdout
  done
  run_code 0 unseen dataset export set --format imagefolder --out out
  cmp shard/0002.ppm 'out/train/class 0/train-1.tar/0002.ppm'
  tar -cf set/train-2.tar -C shard 0000.ppm
  run_code 3 unseen dataset info set
  grep -q 'train-2.tar/0000 has no .cls' stderr
  tar --hard-dereference -cf set/train-2.tar -C shard 000{0,1,0}.{ppm,cls}
  run_code 3 unseen dataset info set
  grep -q 'train-2.tar/0000.ppm is there twice' stderr
}

@test "an archive beside class folders does not make shards of them" {
  tree data
  mv data/train flat
  tar -cf flat/a.tar -C data val
  run_code 0 unseen dataset info flat --list
  [ "$(sed -n 2p stdout)" = "train,0,0,ant,ant/1.ppm" ]
  [ "$(wc -l < stdout)" -eq 7 ]
}

@test "a pack is the same data, goes on, and is checked" {
  tree data
  run_code 0 unseen dataset pack data --size 0 --out data.pack
  [ "$(hash_of data)" = "$(hash_of data.pack)" ]
  run_code 0 unseen dataset verify pack:data.pack
  run_code 2 unseen dataset pack data --size 0 --out data.pack
  cp data.pack whole.pack
  head -c 1000 data.pack > data.pack.partial
  rm data.pack
  dd if=/dev/zero of=data.pack.partial bs=1 seek=16 count=48 conv=notrunc status=none
  run_code 3 unseen dataset info pack:data.pack.partial
  run_code 0 unseen dataset pack data --size 0 --out data.pack
  cmp data.pack whole.pack
  run_code 0 unseen dataset pack data --size 4 --quality raw --out small.pack
  run_code 0 unseen dataset info small.pack
  grep -q 'train 6, test 1, 2 classes, 4 x 4 x 3' stdout
  run_code 2 unseen dataset pack data --size 0 --quality raw --out x.pack
  run_code 2 unseen dataset pack data --quality 101 --out x.pack
  run_code 2 unseen dataset pack data --size 4 --out nowhere/x.pack
  grep -q 'nowhere/x.pack: there is no folder nowhere' stderr
  printf 'ant/2.ppm\n' > keep.txt
  run_code 0 unseen dataset pack data.pack --subset keep.txt --size 0 --out kept.pack
  run_code 0 unseen dataset info kept.pack
  grep -q 'train 1, test 1, 2 classes' stdout
  run_code 0 unseen dataset export data --format pack --out again.pack
  [ "$(hash_of data)" = "$(hash_of again.pack)" ]
  ls > names
  not grep -q 'partial\|x.pack' names
}

@test "a pack that was killed goes on, and bad files may be grey in it" {
  run_code 0 unseen dataset pack synth:3000,4,32,1 --size 24 --out whole.pack
  killed_after 0.1 dataset pack synth:3000,4,32,1 --size 24 --out pack
  [ -e pack ] || run_code 0 unseen dataset pack synth:3000,4,32,1 --size 24 --out pack
  cmp pack whole.pack
  run_code 0 unseen dataset export whole.pack --format imagefolder --out out
  run_code 0 unseen dataset info out
  grep -q 'train 3000, test 600, 4 classes' stdout
  tree data
  echo text > data/train/ant/2.ppm
  run_code 3 unseen dataset pack data --size 4 --out grey.pack
  run_code 0 unseen dataset pack data --size 4 --on-bad grey --out grey.pack
  run_code 0 unseen dataset verify grey.pack
  grep -q '7 samples, all good' stdout
}

@test "training takes lists, shards and packs, and texts of paths as subsets" {
  need_device
  tree data
  run_code 0 unseen dataset export data --format list --out list.csv
  run_code 0 unseen dataset pack data --out data.pack
  printf 'train/ant/1.ppm\ntrain/bee/3.ppm\n' > keep.txt
  run_code 0 unseen dataset export data --subset keep.txt --format list --out kept.csv
  for data in list.csv data.pack kept.csv; do
    run_code 0 unseen train $data --model convnet3 --width 4 --epochs 1 --batch 2 --out "run-$data" --no-progress
  done
  run_code 0 unseen train data.pack --subset keep.txt --model convnet3 --width 4 --epochs 1 --batch 2 --out run \
    --no-progress
}

@test "names of any length and script in any kind of tar" {
  long=$(printf 'c%.0s' $(seq 150))
  for class in "$long" 日本 Größe слайд; do
    image "data/train/$class/1.ppm" 010
    image "data/train/$class/2.ppm" 020
  done
  for kind in pax gnu; do
    tar -H $kind -cf $kind.tar data
    for locale in C C.UTF-8; do
      run_code 0 env LC_ALL=$locale "$UNSEEN" dataset info $kind.tar --json
      [ "$(hash_of data)" = "$(hash_of $kind.tar)" ]
      grep -q "$long" stdout
      grep -q '日本' stdout
      grep -q 'слайд' stdout
    done
  done
}

@test "what systems leave in archives is no sample, and hostile names lead nowhere" {
  tree data
  printf '\0\5\26\7' > data/train/ant/._1.ppm
  mkdir data/train/.AppleDouble
  image data/train/.AppleDouble/1.ppm 010
  tar -H pax -cf data.tar data
  run_code 0 unseen dataset info data.tar
  grep -q 'train 6, test 1, 2 classes' stdout
  mkdir work
  image outside.ppm 011
  (cd work && cp -r ../data . && ln -s /etc/passwd data/train/ant/9.ppm &&
    tar -P -cf ../hostile.tar data/train data/val ../outside.ppm "$OLDPWD/outside.ppm" 2>/dev/null)
  run_code 3 unseen dataset info hostile.tar
  grep -q '9.ppm: is a link' stderr
  rm work/data/train/ant/9.ppm
  (cd work && tar -P -cf ../hostile.tar data/train data/val ../outside.ppm 2>/dev/null)
  run_code 0 unseen dataset info hostile.tar
  grep -q 'train 6, test 1, 2 classes' stdout
}

@test "ImageNet's val without labels tells what is looked for" {
  tree data
  mv data/val/bee/1.ppm data/val/ILSVRC2012_val_00000001.ppm
  rmdir data/val/bee
  run_code 3 unseen dataset info data
  grep -q '^hint: .*val.txt.*LOC_val_solution.csv' stderr
  echo 'ILSVRC2012_val_00000001.ppm bee' > data/val.txt
  run_code 0 unseen dataset info data
  grep -q 'train 6, test 1, 2 classes' stdout
  run_code 0 unseen dataset export data --out out
  [ -L out/val/bee/ILSVRC2012_val_00000001.ppm ]
  echo 'ILSVRC2012_val_00000001.ppm 7' > data/val.txt
  run_code 3 unseen dataset info data
  grep -q 'val.txt: line 1: class 7 is not in 0..1' stderr
}
