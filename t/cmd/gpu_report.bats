load common

report() {
  python3 "$BATS_TEST_DIRNAME/../../scripts/gpu-report" --program "$UNSEEN" "$@"
}

setup_file() {
  python3 -c '' 2>/dev/null || skip "no python3"
}

@test "gpu-report packs what it has, also where parts fail" {
  export OCL_ICD_VENDORS=$dir/none
  mkdir none
  code=0
  report --out found >stdout 2>stderr || code=$?
  [ "$code" -eq 4 ]
  grep -q 'found.tar.gz' stdout
  tar tzf found.tar.gz | grep -q '^found/report.md$'
  grep -q '| devices | failed: exit code 4 |' found/report.md
  grep -q 'apt-get install pocl-opencl-icd' found/report.md
  python3 -c 'import json; assert json.load(open("found/report.json"))["device"] is None'
  [ ! -e found/cache ]
}

@test "gpu-report leaves what is there alone, and says what is missing" {
  mkdir found
  not report --out found 2>stderr
  grep -q 'exists already' stderr
  not report --out other --python /nowhere/python 2>stderr
  grep -q '/nowhere/python is not there' stderr
  [ ! -e other ]
}
