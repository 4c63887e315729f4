# Image files that command-line tests make.

octal() {
  printf '\\%03o\\%03o' $(($1 / 256)) $(($1 % 256))
}

# jpeg FILE [WIDTH HEIGHT]: a grey picture whose bytes are its own, for its name is in it. Each block of 8 x 8 pixels
# takes two zero bits.
jpeg() {
  local width=${2:-$((9 + ${#1} % 7))} height=${3:-$((8 + ${#1} % 5))}
  mkdir -p "$(dirname "$1")"
  {
    printf '\377\330\377\376'
    printf "$(octal $((2 + ${#1})))"
    printf '%s' "$1"
    printf '\377\333\000\103\000'
    head -c 64 /dev/zero | tr '\000' '\001'
    printf "\\377\\300\\000\\013\\010$(octal "$height")$(octal "$width")\\001\\001\\021\\000"
    printf '\377\304\000\024\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
    printf '\377\304\000\024\020\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
    printf '\377\332\000\010\001\001\000\000\077\000'
    head -c $((((width + 7) / 8 * ((height + 7) / 8) + 3) / 4)) /dev/zero
    printf '\377\331'
  } > "$1"
}

jpegs() {
  for name; do jpeg "$name"; done
}
