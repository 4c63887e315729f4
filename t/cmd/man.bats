load common

top=${BATS_TEST_DIRNAME%/t/cmd}

page() {
  sh "$top/scripts/make-man" "$UNSEEN" "$top/src/cmd/man" "$1" 2026-11-29
}

commands() {
  "$UNSEEN" --rows | cut -f 1
}

@test "each command's man page names each of its options" {
  for command in $(commands); do
    page unseen-$command > page.1
    actions=
    [ $command = dataset ] && actions="info verify synth export"
    for action in ${actions:-none}; do
      [ $action = none ] && action=
      unseen $command $action --rows | cut -f 1 | sed "s/-/\\\\-/g" | while read -r option; do
        grep -q -F "fB$option" page.1 || { echo "$command: $option"; return 1; }
      done
    done
  done
  page unseen > page.1
  for command in $(commands); do
    grep -q "unseen.-$command" page.1
  done
}

@test "no command has an option twice" {
  for command in $(commands); do
    [ "$command" = dataset ] || [ -z "$(unseen $command --rows | cut -f 1 | sort | uniq -d)" ]
  done
}

@test "man pages are without a fault" {
  command -v mandoc >/dev/null || skip "mandoc is not installed"
  mandoc -Tlint "$top/src/cmd/man/unseen-formats.5"
  page unseen > unseen.1
  mandoc -Tlint unseen.1
  for command in $(commands); do
    page unseen-$command > unseen-$command.1
    mandoc -Tlint unseen-$command.1
  done
}

@test "completions know commands, options and values" {
  sh "$top/scripts/make-completion" "$UNSEEN" bash > complete.bash
  source ./complete.bash
  words() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _unseen
    echo "${COMPREPLY[@]}"
  }
  [ "$(words unseen pru)" = prune ]
  [ "$(words unseen prune --sched)" = --schedule ]
  [ "$(words unseen prune --schedule '')" = "cosine onecycle linear" ]
  [ "$(words unseen prune --no-prog)" = --no-progress ]
  [ "$(words unseen prune --flip '')" = "none random alternating" ]
  [ "$(words unseen dataset sy)" = synth ]
  [ "$(words unseen dataset synth --mis)" = --mislabelled ]
  [ "$(words unseen select --rule herd)" = herding ]
  for shell in zsh fish; do
    sh "$top/scripts/make-completion" "$UNSEEN" $shell > complete.$shell
    grep -q schedule complete.$shell
    ! command -v $shell >/dev/null || $shell -n complete.$shell
  done
}
