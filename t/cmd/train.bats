load common

run="--recipe paper --model convnet3 --width 8 --epochs 3 --batch 32 --no-progress"

@test "train writes weights, history and the run's parameters" {
  need_device
  run_code 0 unseen train $tiny_data $run --out one
  grep -q 'test accuracy' stdout
  for file in model.safetensors history.csv run.json; do [ -s one/$file ]; done
  [ "$(wc -l < one/history.csv)" -eq 4 ]
  run_code 0 unseen train $tiny_data $run --out two --json
  cmp one/model.safetensors two/model.safetensors
  run_code 2 unseen train $tiny_data $run --lr 0.5 --out one
}

@test "train multiplies bf16, and refuses tf32 where the device has no units for it" {
  need_device
  run_code 0 unseen train $tiny_data $run --width 16 --precision bf16 --out x
  grep -q '"precision": "bf16"' x/run.json
  run_code 2 unseen train $tiny_data $run --width 16 --out x
  if ! unseen train $tiny_data $run --width 16 --precision tf32 --out z 2>stderr; then
    grep -q 'cannot multiply tf32' stderr
    grep -q '^hint: leave --precision' stderr
  fi
  run_code 2 unseen train $tiny_data $run --precision half --out y
}

@test "train takes a subset and first weights" {
  need_device
  unseen prune $tiny_data $tiny_run --metric random --rule random --keep 0.5 --out pruned >/dev/null 2>&1
  run_code 0 unseen train $tiny_data $run --subset pruned/keep.npy --out half
  tail -c 960 pruned/keep.npy | od -An -v -td8 -w8 | tr -d ' ' | sort > keep.txt
  run_code 0 unseen train $tiny_data $run --subset keep.txt --out text
  cmp half/model.safetensors text/model.safetensors
  run_code 3 unseen train $tiny_data $run --subset missing.npy --out x
  grep -q 'unseen: missing.npy: No such file' stderr
  run_code 3 unseen train $tiny_data $run --subset . --out x
  grep -q 'unseen: .: is a folder' stderr
  echo 240 >> keep.txt
  run_code 3 unseen train $tiny_data $run --subset keep.txt --out x
  grep -q "keep.txt: line 121: '240'" stderr
  run_code 3 unseen train $tiny_data $run --init missing.safetensors --out x
  run_code 0 unseen train $tiny_data $run --init half/model.safetensors --out more
  run_code 0 unseen train synth:120,3,16,2 $run --init half/model.safetensors --out tuned
  grep -q 'half/model.safetensors: its fc.weight is of 4 classes' stderr
  run_code 3 unseen train $tiny_data $run --width 9 --init half/model.safetensors --out x
  grep -q '^hint: .*--width' stderr
  run_code 3 unseen train $tiny_data $run --init pruned/keep.npy --out x
  run_code 0 unseen trajectory $tiny_data $tiny_run --init half/model.safetensors --out trajectory
  run_code 3 unseen train $tiny_data $run --subset pruned/scores.npy --out x
  run_code 3 unseen train synth:60,4,16,1 $run --subset pruned/keep.npy --dry-run --out x
  grep -Eq '^unseen: pruned/keep.npy: entry [0-9]+, [0-9]+, is not in 0..59' stderr
  not_any cat stdout
  run_code 2 unseen train $tiny_data $run --sampler rs2 --sampler-keep 0.0001 --dry-run --out x
  not_any cat stdout
}

@test "a training run that was killed goes on" {
  need_device
  unseen train $tiny_data $run --out whole >/dev/null 2>&1
  killed_after 0.5 train $tiny_data $run --out killed
  run_code 0 unseen train $tiny_data $run --out killed
  cmp whole/model.safetensors killed/model.safetensors
}

@test "train lets a sampler choose each epoch's samples" {
  need_device
  run_code 0 unseen train $tiny_data $run --out all
  grep -q 'trained on 720 images' stdout
  run_code 0 unseen train $tiny_data $run --sampler rs2 --sampler-keep 0.25 --out rs2
  grep -q 'trained on 180 images' stdout
  grep -q '"images": 180' rs2/run.json
  grep -q '"sampler": "rs2"' rs2/run.json
  [ "$(cut -d, -f9 rs2/history.csv | tr '\n' ' ')" = "images 60 60 60 " ]
  run_code 0 unseen train $tiny_data $run --sampler infobatch --out infobatch
  run_code 0 unseen train $tiny_data $run --sampler rs2-replacement --out replaced
  run_code 0 unseen train $tiny_data --config rs2/run.json --out again
  cmp rs2/model.safetensors again/model.safetensors
  run_code 2 unseen train $tiny_data $run --sampler rs2 --sampler-keep 0.3 --out rs2
  grep -q 'it has "sampler-keep 0.25", this run "sampler-keep 0.3"' stderr
  unseen train --help | grep -q 'infobatch  *leaves out'
}

@test "train refuses samplers that there are not, and shares that are none" {
  run_code 2 unseen train $tiny_data $run --sampler rs3 --out x
  grep -q '^unseen: --sampler: no sampler is called "rs3"' stderr
  grep -q '^hint: the samplers are all, rs2, rs2-replacement, infobatch' stderr
  run_code 2 unseen train $tiny_data $run --sampler-keep 0.3 --out x
  grep -q '^hint: --sampler rs2' stderr
  run_code 2 unseen train $tiny_data $run --sampler rs2 --sampler-keep 0 --out x
  run_code 2 unseen train $tiny_data $run --sampler rs2 --sampler-keep 1.5 --out x
  need_device
  run_code 2 unseen train $tiny_data $run --sampler rs2 --sampler-keep 0.001 --out x
  grep -q '^unseen: --sampler-keep: 0.001 of 240 samples is nothing' stderr
}

@test "train tests with views at the end, and repeats it" {
  need_device
  run_code 0 unseen train $tiny_data $run --out plain
  run_code 0 unseen train $tiny_data $run --views translate --out six
  cmp plain/model.safetensors six/model.safetensors
  grep -Eq '^with views of each image [0-9.]+ %$' stdout
  grep -q '"views": "translate"' six/run.json
  [ "$(cut -d, -f1-9 plain/history.csv)" = "$(cut -d, -f1-9 six/history.csv)" ]
  [ "$(head -1 six/history.csv)" = "$(head -1 plain/history.csv),views_loss,views_accuracy" ]
  [ "$(cut -d, -f11- six/history.csv | grep -c '[0-9]')" -eq 1 ]
  tail -1 six/history.csv | grep -Eq ',[0-9.]+,[0-9.]+$'
  grep -Eq '"views_accuracy": [0-9.]+' six/run.json
  [ "$(grep -A1 '"planned"' six/run.json | tail -1)" = "$(grep -A1 '"actual"' six/run.json | tail -1)" ]
  run_code 0 unseen train $tiny_data --config six/run.json --json --out again
  grep -q '"views_accuracy": ' stdout
  [ "$(cut -d, -f11- six/history.csv)" = "$(cut -d, -f11- again/history.csv)" ]
  run_code 0 unseen train $tiny_data $run --views translate --out six
  grep -q '^with views of each image' stdout
  run_code 2 unseen train $tiny_data $run --views mirror --out six
  grep -q 'it has "test 1 views translate", this run "test 1 views mirror"' stderr
  unseen train --help | grep -q -- '--views none|mirror|translate'
}

@test "views are for train's test alone" {
  run_code 2 unseen train $tiny_data $run --views both --out x
  for command in prune trajectory compare audit; do
    run_code 2 unseen $command $tiny_data --views mirror --out x
    grep -q -- '--views' stderr
  done
  [ ! -e x ]
  need_device
  unseen dataset synth --n 60 --classes 3 --size 32 --out folder >/dev/null
  rm folder/test_batch.bin
  run_code 2 unseen train folder $run --views mirror --out x
  grep -q '^unseen: --views: the dataset has no test split' stderr
  [ ! -e x ]
}

@test "a diverging run says so" {
  need_device
  run_code 1 unseen train $tiny_data $run --lr 1000 --weight-decay 1 --out x
  grep -q '^hint: .*--lr' stderr
}

@test "a model that does not fit says what would" {
  need_device
  export UNSEEN_MEMORY_LIMIT=64
  run_code 1 unseen bench --model resnet18 --batch 512 --rounds 1
  grep -Eqi 'batch' stderr
}

@test "bench prints both speeds" {
  need_device
  run_code 0 unseen bench --model convnet3 --width 8 --size 16 --batch 16 --rounds 2
  grep -q '^training ' stdout
  grep -q '^inference ' stdout
}
