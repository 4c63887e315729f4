load common

# The tiny run in two jobs: of its three models the first trains two.
jobs() {
  for i in 1 2; do
    unseen trajectory $tiny_data $tiny_run "$@" --job $i/2 --out job$i >/dev/null 2>&1
  done
}

same_files() {
  for file in whole/trajectory/* whole/seen/trajectory/*; do
    cmp "$file" "merged/${file#whole/}" || return 1
  done
}

@test "merged jobs are the run that one call makes" {
  need_device
  unseen trajectory $tiny_data $tiny_run --record-also features,predicted --out whole >/dev/null 2>&1
  jobs --record-also features,predicted
  run_code 0 unseen merge job2 job1 --out merged
  same_files
  [ ! -e merged/work ]
  # It is a run's folder: prune goes on from it without training, and its folder is no job's.
  run_code 0 unseen prune $tiny_data $tiny_run --metric el2n --out merged
  grep -q 'the trajectory is there already' stderr
}

@test "one-fold jobs over repeats merge too, and more jobs than models" {
  need_device
  one="--protocol one-fold --repeats 2 --epochs 1"
  unseen trajectory $tiny_data $tiny_run $one --out whole >/dev/null 2>&1
  for i in 1 2 3 4 5 6 7; do
    run_code 0 unseen trajectory $tiny_data $tiny_run $one --job $i/7 --out job$i
  done
  run_code 0 unseen merge job1 job2 job3 job4 job5 job6 job7 --out merged
  same_files
}

@test "a job goes on after an interruption, and a finished one returns at once" {
  need_device
  unseen trajectory $tiny_data $tiny_run --out whole >/dev/null 2>&1
  for delay in 0.2 0.5; do
    killed_after $delay trajectory $tiny_data $tiny_run --job 1/2 --out job1
  done
  jobs
  run_code 0 unseen trajectory $tiny_data $tiny_run --job 1/2 --out job1
  grep -q 'the job is there already' stderr
  run_code 0 unseen merge job1 job2 --out merged
  same_files
}

@test "jobs of another driver or another tuning are refused" {
  need_device
  unseen trajectory $tiny_data $tiny_run --job 1/2 --out job1 >/dev/null 2>&1
  UNSEEN_CONV=im2col unseen trajectory $tiny_data $tiny_run --job 2/2 --out tuned >/dev/null 2>&1
  run_code 2 unseen merge job1 tuned --out merged
  grep -q 'tuned: was made by .* convolutions' stderr
  grep -q 'hint: make all jobs on devices of one kind' stderr
  unseen trajectory $tiny_data $tiny_run --job 2/2 --out job2 >/dev/null 2>&1
  sed -i 's/, driver /, driver 9/' job2/scoring.json
  run_code 2 unseen merge job1 job2 --out merged
  [ ! -e merged ]
}

@test "what is not all the jobs of one run is refused" {
  need_device
  jobs
  run_code 2 unseen merge job1 --out merged
  grep -q 'job 2 of 2 is missing' stderr
  run_code 2 unseen merge job1 job1 --out merged
  grep -q 'job 1 again' stderr
  unseen trajectory $tiny_data $tiny_run --epochs 2 --job 2/2 --out other >/dev/null 2>&1
  run_code 2 unseen merge job1 other --out merged
  grep -q 'another epochs' stderr
  [ ! -e merged ]
  run_code 1 unseen merge job1 nowhere --out merged
  run_code 2 unseen trajectory $tiny_data $tiny_run --job 2/2 --out job1
  grep -q 'another job' stderr
  run_code 2 unseen trajectory $tiny_data $tiny_run --out job1
  grep -q 'one job of a run' stderr
  cp -r job1 bad
  printf '\377' | dd of=bad/work/labels.npy bs=1 seek=131 conv=notrunc status=none
  run_code 3 unseen merge bad job2 --out x
  grep -q 'labels.npy' stderr
  rm -r bad/work/r0-f0
  cp job1/work/labels.npy bad/work
  run_code 1 unseen merge bad job2 --out x
  rm -r x
  sed -i 's/"complete": true/"complete": false/' job2/scoring.json
  run_code 2 unseen merge job1 job2 --out merged
  grep -q 'job 2 of 2 is not done' stderr
  for job in 0/2 3/2 1 1/2x; do
    run_code 2 unseen trajectory $tiny_data $tiny_run --job $job --out x
  done
  run_code 2 unseen merge --out merged
  run_code 2 unseen merge job1 job2
}

@test "a damaged work file is named, and its model alone is trained again" {
  need_device
  unseen trajectory $tiny_data $tiny_run --out whole >/dev/null 2>&1
  jobs
  file=job1/work/r0-f2/heldout-record-0001.npy
  printf 'x' | dd of=$file bs=1 seek=300 conv=notrunc status=none
  run_code 3 unseen merge job1 job2 --out merged
  grep -q 'work/r0-f2/heldout-record-0001.npy: is damaged' stderr
  grep -q '^hint: remove .*r0-f2 and run the command that made it again: this model' stderr
  rm -r job1/work/r0-f2 merged
  before=$(cksum job1/work/r0-f0/state.safetensors; stat -c %y job1/work/r0-f0/state.safetensors)
  run_code 0 unseen trajectory $tiny_data $tiny_run --job 1/2 --out job1
  [ "$before" = "$(cksum job1/work/r0-f0/state.safetensors; stat -c %y job1/work/r0-f0/state.safetensors)" ]
  run_code 0 unseen merge job1 job2 --out merged
  same_files
}
