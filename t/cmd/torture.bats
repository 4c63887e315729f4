load common

# Not the script that libtool puts before a program with a shared library.
program() {
  [ -x "${UNSEEN%/*}/.libs/unseen" ] && echo "${UNSEEN%/*}/.libs/unseen" || echo "$UNSEEN"
}

# torture fail|kill OPTION... WORK ARGUMENT...: scripts/torture on the program under test; nothing may be wrong.
torture() {
  local build=${UNSEEN%/*}
  UNSEEN=$(program) FAIL_CALL=$build/t/support/.libs/fail_call.so LD_LIBRARY_PATH=$build/.libs \
    bash "$BATS_TEST_DIRNAME/../../scripts/torture" "$@" && return
  cat w/found.txt
  return 1
}

need_preload() {
  LD_PRELOAD=${UNSEEN%/*}/t/support/.libs/fail_call.so LD_LIBRARY_PATH=${UNSEEN%/*}/.libs "$(program)" --version \
    >/dev/null 2>&1 || skip "nothing can be preloaded: a sanitizer?"
}

scored() {
  run_code 0 unseen prune $tiny_data $tiny_run --out ref
}

@test "each call that scoring and selection make may fail" {
  need_device
  need_preload
  scored
  for way in "" --on "--how eintr" "--how short"; do
    torture fail $way w score --trajectory ../ref/trajectory --metric el2n --force
    torture fail $way --paths w select --scores ../ref/scores.npy --trajectory ../ref/trajectory --rule ccs --keep 0.5 --force
  done
}

@test "each place where a dataset is packed or drawn may fail" {
  need_preload
  torture fail --paths w dataset pack synth:40,4,16,1
  torture fail --paths --on w dataset pack synth:40,4,16,1
}

@test "one in a hundred and fifty places where a prune calls for something may fail" {
  need_device
  need_preload
  torture fail --paths --every 150 w prune $tiny_data ${tiny_run/--epochs 4/--epochs 1}
}

@test "killed at any moment, a pack, a prune, one in steps, a comparison and an audit go on" {
  need_device
  torture kill --times 20 w dataset pack synth:2000,4,32,1
  torture kill --times 6 w prune $tiny_data $tiny_run
  torture kill --times 4 w prune $tiny_data $tiny_run --steps 2 --keep 0.5
  torture kill --times 4 w compare $tiny_data --recipe paper --model convnet3 --width 8 --epochs 2 --batch 32 --folds 3 \
    --metrics el2n --protocols fold --rules ccs --keep 0.5 --seeds 1 --no-progress
  torture kill --times 4 w audit $tiny_data ${tiny_run/--protocol fold/}
}

@test "signals that ask for an end get one" {
  need_device
  for signal in INT TERM HUP XCPU; do
    torture kill --signal $signal --times 2 w prune $tiny_data ${tiny_run/--epochs 4/--epochs 12}
  done
}
