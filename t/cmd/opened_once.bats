load common

# opens COMMAND...: how often it opens the third file of the data, which no format needs to know its own.
opens() {
  strace -f -qq -e trace=open,openat -o trace "$UNSEEN" "$@" >/dev/null 2>stderr || { cat stderr; return 1; }
  grep -c data_batch_3 trace
}

@test "a command opens its data once" {
  need_device
  strace -o /dev/null true 2>/dev/null || skip "no strace, or it may not trace"
  unseen dataset synth --n 120 --test 20 --classes 4 --out data >/dev/null 2>&1
  run="--model convnet3 --width 2 --batch 32 --no-progress --concurrent 2"
  [ "$(opens prune data $run --folds 2 --epochs 1 --keep 0.5 --out run)" = 1 ]
  [ "$(opens prune data $run --folds 2 --epochs 2 --keep 0.3 --steps 2 --out steps)" = 1 ]
  [ "$(opens compare data $run --folds 2 --epochs 1 --metrics el2n --protocols seen --seeds 1 --keep 0.5 --out table)" = 1 ]
  [ "$(opens train data --model convnet3 --width 2 --batch 32 --epochs 1 --out model)" = 1 ]
  [ "$(opens audit data $run --folds 2 --epochs 1 --out audit)" = 1 ]
  [ "$(opens select --trajectory run/trajectory --scores run/scores.npy --keep 0.5 --data data --out chosen)" = 1 ]
  [ "$(opens report run)" = 1 ]
}
