# What the command-line tests share. UNSEEN is the program under test, set by make check.

setup() {
  dir=$(mktemp -d "${TMPDIR:-/tmp}/unseen-test.XXXXXX")
  cd "$dir" || exit 1
}

teardown() {
  cd / && rm -rf "$dir"
}

# A scoring run that takes seconds: 240 drawn images of 16 pixels, 3 folds, 4 epochs.
tiny_data=synth:240,4,16,1
tiny_run="--protocol fold --folds 3 --epochs 4 --recipe paper --model convnet3 --width 8 --batch 32 --seed 3 --no-progress"

unseen() {
  "$UNSEEN" "$@"
}

need_device() {
  unseen devices >/dev/null 2>&1 || skip "no OpenCL device"
}

# wait_for FILE: until it is there, ten seconds at most.
wait_for() {
  for _ in $(seq 100); do
    [ -e "$1" ] && return
    sleep 0.1
  done
  return 1
}

# numbers_of TABLE: a comparison's table.csv but for the seconds, which no two runs have in common.
numbers_of() {
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) skip[i] = $i ~ /seconds$/ }
    { for (i = 1; i <= NF; i++) if (!skip[i]) printf "%s,", $i; print "" }' "$1"
}

# same_numbers TABLE TABLE
same_numbers() {
  numbers_of "$1" >one.numbers
  numbers_of "$2" >two.numbers
  cmp one.numbers two.numbers
}

# killed_after SECONDS ARGUMENT...: the program, killed unless it is through by then. Its lock is free again when this
# returns; timeout would not wait for that.
killed_after() {
  local delay=$1 pid
  shift
  "$UNSEEN" "$@" >/dev/null 2>&1 &
  pid=$!
  sleep "$delay"
  kill -KILL $pid 2>/dev/null || true
  wait $pid || true
}

# not COMMAND...: it must fail. (bash ends no test at a `! COMMAND` that is not its last.)
not() {
  ! "$@"
}

# not_any COMMAND...: it must print nothing.
not_any() {
  local printed
  printed=$("$@")
  [ -z "$printed" ] || { echo "$printed"; return 1; }
}

# run_code CODE COMMAND...: it must exit so, and a failure must be one line "unseen: <where>: <what>" and at most a hint.
run_code() {
  local expected=$1
  shift
  local code=0
  "$@" >stdout 2>stderr || code=$?
  if [ "$code" -ne "$expected" ]; then
    echo "exit code $code instead of $expected: $*"
    cat stdout stderr
    return 1
  fi
  if [ "$expected" -ne 0 ]; then
    grep -Eq '^unseen: [^:]+: .+' stderr || { cat stderr; return 1; }
    ! grep -Ev '^(unseen|hint): ' stderr
  fi
}
