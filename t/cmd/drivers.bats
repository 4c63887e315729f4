# What OpenCL drivers do to a program: each has a message and an exit code of its own.
load common

# drivers NAME...: only these are registered; "fake" is t/support/fake_icd.c, "pocl" the machine's.
drivers() {
  mkdir -p icd
  for name; do
    case $name in
      fake) echo "${UNSEEN%/*}/t/support/.libs/fake_icd.so" >icd/fake.icd ;;
      pocl) cat /etc/OpenCL/vendors/pocl.icd >icd/pocl.icd 2>/dev/null || skip "no PoCL" ;;
      *) echo "$name" >"icd/${name%%.*}.icd" ;;
    esac
  done
  export OCL_ICD_VENDORS=$PWD/icd UNSEEN_CACHE_DIR=$PWD/cache
  unset OCL_ICD_FILENAMES POCL_CACHE_DIR
}

# says FILE TEXT
says() {
  grep -qF -- "$2" "$1" || { cat "$1"; return 1; }
}

@test "no driver at all: where they are looked for, and what to install" {
  drivers
  run_code 4 unseen devices
  says stderr "no driver is registered in $PWD/icd"
  says stderr "apt-get install pocl-opencl-icd"
  OCL_ICD_VENDORS=/nonexistent run_code 4 unseen devices
  says stderr "no driver is registered in /nonexistent"
}

@test "a registration of a library that is not there" {
  drivers libnvidia-opencl.so.1-absent
  run_code 4 unseen devices
  says stderr "the driver that $PWD/icd/libnvidia-opencl.icd names cannot be loaded: libnvidia-opencl.so.1-absent"
  says stderr "NVIDIA_DRIVER_CAPABILITIES=compute,utility"
}

@test "a driver without any device" {
  drivers fake
  run_code 4 unseen devices
  says stderr "shows none"
}

@test "a driver that aborts or exits while it is loaded" {
  drivers fake
  UNSEEN_FAKE_ICD=abort run_code 4 unseen devices
  says stderr "unseen: $PWD/icd/fake.icd: the OpenCL driver"
  says stderr "ends the program that loads it (Aborted): fake: two compilers in one process"
  UNSEEN_FAKE_ICD=exit run_code 4 unseen bench
  says stderr "ends the program that loads it (exit code 7)"
}

@test "a driver that does not answer" {
  drivers fake
  export UNSEEN_DRIVER_TIMEOUT=1
  UNSEEN_FAKE_ICD=hang run_code 4 unseen devices
  says stderr "fake.icd: the OpenCL driver"
  says stderr "has not answered within 1 s"
  UNSEEN_FAKE_ICD=hang-later run_code 4 unseen devices
  says stderr "has not answered within 1 s"
}

@test "Ctrl-C while a driver does not answer" {
  drivers fake
  UNSEEN_FAKE_ICD=hang "$UNSEEN" devices >stdout 2>stderr &
  sleep 0.3
  kill -TERM $!
  local code=0
  wait $! || code=$?
  [ "$code" -eq 130 ]
}

@test "of two drivers the one that aborts is named" {
  drivers fake pocl
  UNSEEN_FAKE_ICD=abort run_code 4 unseen devices
  says stderr "unseen: $PWD/icd/fake.icd: "
  says stderr "hint: without it: OCL_ICD_VENDORS=FOLDER"
}

@test "two copies of one driver" {
  drivers pocl
  local library
  library=$(PATH=$PATH:/sbin ldconfig -p | grep -o '/.*/libpocl[.]so.*' | head -1)
  [ -f "${library:-}" ] || skip "PoCL's library is not to be found"
  cp -L "$library" copy.so
  echo "$PWD/copy.so" >icd/second.icd
  local code=0
  unseen devices >stdout 2>stderr || code=$?
  [ "$code" -eq 0 ] && skip "this PoCL bears a copy of itself"
  [ "$code" -eq 4 ]
  says stderr "works alone, but together one ends the program that loads it (Aborted)"
  says stderr "OCL_ICD_VENDORS=$PWD/icd/pocl.icd"
}

@test "drivers that passed are not tried again until they change" {
  drivers fake
  run_code 4 unseen devices
  [ -s cache/drivers-passed ]
  cp cache/drivers-passed before
  run_code 4 unseen devices
  cmp before cache/drivers-passed
  echo >>icd/fake.icd
  run_code 4 unseen devices
  not cmp -s before cache/drivers-passed
}

@test "a platform that fails is named, and hides no other" {
  drivers fake pocl
  need_device
  export UNSEEN_FAKE_ICD=broken
  run_code 0 unseen devices
  says stderr "warning: Fake does not list its devices: CL_OUT_OF_HOST_MEMORY"
}

@test "a device that is left out is listed with the reason" {
  drivers fake
  UNSEEN_FAKE_ICD=mute run_code 4 unseen devices
  says stderr "no OpenCL device here is usable: its driver does not answer questions about it"
  drivers fake pocl
  need_device
  UNSEEN_FAKE_ICD=mute run_code 0 unseen devices
  says stdout "not usable: its driver does not answer questions about it"
}

@test "a device that was there in the last run is named" {
  drivers pocl
  need_device
  run="$tiny_data $tiny_run --epochs 1 --no-progress"
  run_code 0 unseen prune $run --out run
  name=$(unseen devices | sed -n 's/^\* 0  [a-zA-Z]*  //p')
  rm icd/*
  for command in prune trajectory audit; do
    run_code 4 unseen $command $run --out run
    says stderr "hint: $name was there in the last run of run (driver "
    says stderr "; install an OpenCL driver"
  done
  run_code 4 unseen prune $run --out other
  not grep 'last run' stderr
}

@test "too little address space" {
  drivers pocl
  need_device
  ulimit -v 200000
  run_code 4 unseen devices
  says stderr "this process may use 195 MiB of address space"
}

@test "PoCL keeps its kernels elsewhere where its folder cannot be written" {
  drivers pocl
  need_device
  export TMPDIR=$PWD
  for home in /proc /dev/null "$PWD/absent"; do
    HOME=$home XDG_CACHE_HOME='' run_code 0 unseen devices
    says stderr "warning: PoCL cannot keep its kernels in $home/.cache/pocl/kcache"
    says stderr "keeps them in $PWD/cache/pocl;"
    unset UNSEEN_CACHE_DIR
    HOME=$home XDG_CACHE_HOME='' run_code 0 unseen devices
    says stderr "keeps them in $PWD/unseen-pocl-$(id -u);"
    export UNSEEN_CACHE_DIR=$PWD/cache
  done
  touch file
  POCL_CACHE_DIR=$PWD/file run_code 0 unseen devices
  says stderr "$PWD/file ("
  POCL_CACHE_DIR=$PWD/good run_code 0 unseen devices
  [ ! -s stderr ]
}

@test "PoCL's folder on a full disk" {
  drivers pocl
  need_device
  mkdir disk
  mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null || skip "no tmpfs can be mounted"
  POCL_CACHE_DIR=$PWD/disk/pocl run_code 0 unseen devices || { umount disk; return 1; }
  umount disk
  says stderr "disk/pocl (No space left on device) and keeps them in $PWD/cache/pocl;"
}

@test "a driver that ends the program later on, and a fault of the program's own" {
  drivers fake
  run_code 4 unseen devices
  for end in abort exit; do
    UNSEEN_FAKE_ICD=$end "$UNSEEN" devices >stdout 2>stderr && return 1
    [ $? -eq 1 ]
    says stderr "unseen: OpenCL: the driver ended the program"
    says stderr "~/.cache/pocl"
  done
  local library=${UNSEEN%/*}/t/support/.libs/aborts.so code=0
  LD_PRELOAD=$library "$UNSEEN" dataset synth --n 20 --test 10 --classes 2 --out drawn >stdout 2>stderr || code=$?
  [ "$code" -eq 1 ]
  says stderr "unseen: program: aborted, by a fault of unseen"
  not grep -q OpenCL stderr
}
