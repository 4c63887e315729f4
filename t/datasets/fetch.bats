#!/usr/bin/env bats
# scripts/fetch-cifar without a network: from file:// addresses and a server on this machine.

setup() {
    fetch=$BATS_TEST_DIRNAME/../../scripts/fetch-cifar
    command -v curl >/dev/null || skip "curl is not installed"
    command -v md5sum >/dev/null || skip "md5sum is not installed"
    mirror=$BATS_TEST_TMPDIR/mirror
    out=$BATS_TEST_TMPDIR/out
    mkdir "$mirror"
    head -c 100000 /dev/urandom >"$mirror/cifar-10-binary.tar.gz"
    cp "$mirror/cifar-10-binary.tar.gz" "$mirror/cifar-100-binary.tar.gz"
    export UNSEEN_CIFAR_URL=file://$mirror
    export UNSEEN_CIFAR_MD5=$(md5sum <"$mirror/cifar-10-binary.tar.gz" | cut -d ' ' -f 1)
}

teardown() {
    [ -z "${server-}" ] || kill "$server"
}

@test "--help says how to use it" {
    run "$fetch" --help
    [ "$status" -eq 0 ]
    [[ "$output" == "usage: fetch-cifar"* ]]
}

@test "bad usage is exit 2" {
    for args in "10 a b" "--nonsense" "100 --nonsense" "11 x"; do
        run "$fetch" $args
        [ "$status" -eq 2 ]
    done
    run "$fetch" 10 ""
    [ "$status" -eq 2 ]
}

@test "the archive arrives whole and its path is printed" {
    run "$fetch" 100 "$out/deep"
    [ "$status" -eq 0 ]
    [ "$output" = "$out/deep/cifar-100-binary.tar.gz" ]
    cmp "$output" "$mirror/cifar-100-binary.tar.gz"
    [ ! -e "$output.part" ]
}

@test "the default is CIFAR-10 into the current folder" {
    mkdir "$out"
    cd "$out"
    run "$fetch"
    [ "$status" -eq 0 ]
    cmp cifar-10-binary.tar.gz "$mirror/cifar-10-binary.tar.gz"
}

@test "a whole archive is not fetched again" {
    "$fetch" 10 "$out"
    rm -r "$mirror"
    run "$fetch" 10 "$out"
    [ "$status" -eq 0 ]
    [ "$output" = "$out/cifar-10-binary.tar.gz" ]
}

@test "a download goes on where it stopped" {
    mkdir "$out"
    head -c 60000 "$mirror/cifar-10-binary.tar.gz" >"$out/cifar-10-binary.tar.gz.part"
    # The mirror's own first bytes are wrong now: only a continued download can be whole.
    printf 'wrong' | dd of="$mirror/cifar-10-binary.tar.gz" conv=notrunc status=none
    run "$fetch" 10 "$out"
    [ "$status" -eq 0 ]
}

@test "a finished part only has to be renamed" {
    mkdir "$out"
    mv "$mirror/cifar-10-binary.tar.gz" "$out/cifar-10-binary.tar.gz.part"
    run "$fetch" 10 "$out"
    [ "$status" -eq 0 ]
    [ -e "$out/cifar-10-binary.tar.gz" ]
}

@test "a server that cannot continue sends it all again" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    mkdir "$out"
    head -c 60000 "$mirror/cifar-10-binary.tar.gz" >"$out/cifar-10-binary.tar.gz.part"
    (cd "$mirror" && exec python3 -u -m http.server --bind 127.0.0.1 0) >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
    server=$!
    for i in 1 2 3 4 5 6 7 8 9 10; do
        port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$BATS_TEST_TMPDIR/log")
        [ -z "$port" ] || break
        sleep 0.5
    done
    UNSEEN_CIFAR_URL=http://127.0.0.1:$port no_proxy=127.0.0.1 run "$fetch" 10 "$out"
    [ "$status" -eq 0 ]
    cmp "$out/cifar-10-binary.tar.gz" "$mirror/cifar-10-binary.tar.gz"
}

@test "a wrong archive is refused and leaves nothing" {
    echo other >"$mirror/cifar-10-binary.tar.gz"
    run "$fetch" 10 "$out"
    [ "$status" -eq 1 ]
    [[ "${lines[0]}" == "fetch-cifar: "*"not the official archive"* ]]
    [[ "${lines[1]}" == "hint: "* ]]
    [ -z "$(ls "$out")" ]
}

@test "a file that is not the archive is not written over" {
    mkdir "$out"
    echo mine >"$out/cifar-10-binary.tar.gz"
    run "$fetch" 10 "$out"
    [ "$status" -eq 1 ]
    [ "$(cat "$out/cifar-10-binary.tar.gz")" = mine ]
}

@test "no network: one line and a hint" {
    UNSEEN_CIFAR_URL=http://127.0.0.1:1 no_proxy=127.0.0.1 run "$fetch" 10 "$out"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 2 ]
    [[ "${lines[0]}" == "fetch-cifar: http://127.0.0.1:1/cifar-10-binary.tar.gz: cannot download: "* ]]
    [[ "${lines[1]}" == "hint: without a network"*"$out/cifar-10-binary.tar.gz"* ]]
}
