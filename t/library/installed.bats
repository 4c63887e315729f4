# The library as a stranger meets it: installed, through pkg-config. CC has the options of the build's own compiler.

load ../cmd/common

# Once for all tests of this file: into $root, and what pkg-config says of it.
setup_file() {
  root=$BATS_FILE_TMPDIR/root
  build=$(dirname "$UNSEEN")
  env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -C "$build" install DESTDIR="$root" >"$BATS_FILE_TMPDIR/log" 2>&1 ||
    { cat "$BATS_FILE_TMPDIR/log"; return 1; }
  pc=$(find "$root" -name unseen.pc)
  libraries=$(dirname "$(dirname "$pc")")
  include=$(find "$root" -path '*/unseen/unseen.h')
  include=${include%/unseen/unseen.h}
  export root libraries include PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$root
}

headers() {
  (cd "$include" && echo unseen/*.h)
}

@test "a program needs the installed headers and -lunseen alone" {
  # shellcheck disable=SC2046
  ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -o program "$BATS_TEST_DIRNAME/program.c" \
    $(pkg-config --cflags --libs unseen)
  [ "$(readelf -d program | grep NEEDED | grep -vcE 'lib(unseen|c|m|pthread|asan|ubsan)[-.]')" -eq 0 ]
  LD_LIBRARY_PATH=$libraries ./program "$PWD" >output || { cat output; return 1; }
  [ "$(cat output)" = done ]
}

@test "each public header stands alone, in C and in C++" {
  command -v c++ >/dev/null || skip "no C++ compiler"
  for header in $(headers); do
    echo "#include <$header>" >x.c
    ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only -I"$include" x.c
    c++ -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only -I"$include" x.c
  done
}

@test "what the headers declare is what the library exports" {
  (cd "$include" && cat unseen/*.h) | tr '\n' ' ' | sed 's/#define UNSEEN_API//' | grep -oE 'UNSEEN_API [^(;]*' | grep -oE '[a-z0-9_]+$' | sort >declared
  nm -D --defined-only "$libraries"/libunseen.so | awk '{ print $NF }' | grep '^unseen_' | sort >exported
  diff declared exported
}

@test "beside them the library exports what the program shares with it, and nothing else" {
  # us_ marks what is no interface: base/status.h says what US_SHARED is for.
  find "$BATS_TEST_DIRNAME/../../src" "$BATS_TEST_DIRNAME/../../datasets" -name '*.h' -exec cat {} + | tr '\n' ' ' |
    sed 's/#define US_SHARED//g' | grep -oE 'US_SHARED [^](;[]*' | sed 's/ *$//' | grep -oE '[a-z0-9_]+$' |
    sort -u >declared
  nm -D --defined-only "$libraries"/libunseen.so | awk '{ print $NF }' | grep -vE '^(unseen_|_)' | sort >exported
  diff declared exported
  not grep -v '^us_' exported
}

@test "the installed program finds the installed library" {
  program=$(find "$root" -path '*/bin/unseen')
  readelf -d "$program" | grep -q 'NEEDED.*libunseen'
  [ "$(LD_LIBRARY_PATH=$libraries "$program" --version)" = "unseen $(pkg-config --modversion unseen)" ]
}
