load common

@test "devices lists and marks the default" {
  need_device
  run_code 0 unseen devices
  [ "$(grep -c '^\* [0-9]' stdout)" -eq 1 ]
  run_code 0 unseen devices --json
  grep -q '"default": true' stdout
}

@test "devices says what multiplies narrow numbers" {
  need_device
  run_code 0 unseen devices
  grep -q '^       matrix units: ' stdout
  run_code 0 unseen devices --json
  grep -q '"matrix_units": \[' stdout
}

@test "no platform at all is exit code 4 with a hint" {
  mkdir none
  export OCL_ICD_VENDORS=$dir/none
  run_code 4 unseen devices
  grep -q '^hint: ' stderr
  run_code 4 unseen bench
}

@test "a device that is not there is exit code 4" {
  need_device
  run_code 4 unseen devices --device 99
  run_code 4 unseen bench --device "no such device"
  grep -q 'no such device' stderr
}

@test "--device list lists, in every command that takes a device" {
  need_device
  for command in devices bench train prune; do
    run_code 0 unseen $command --device list
    [ "$(grep -c '^\* [0-9]' stdout)" -eq 1 ]
    grep -q '^\* is the default: ' stdout
  done
}

@test "a driver that is registered twice is there once" {
  need_device
  unseen devices --json | grep -c '"index"' >before
  mkdir icd
  cp /etc/OpenCL/vendors/*.icd icd/ 2>/dev/null || skip "no registered driver"
  for file in icd/*.icd; do cp "$file" "${file%.icd}-again.icd"; done
  OCL_ICD_VENDORS=$dir/icd unseen devices --json | grep -c '"index"' | cmp - before
}
