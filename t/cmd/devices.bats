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
