load common

host=${UNSEEN%/*}/t/support/host

# in_commas COMMAND...: in a locale that writes 0,5.
in_commas() {
  [ -d locales/de_DE.UTF-8 ] || {
    mkdir -p locales
    localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 >/dev/null 2>&1 || skip "no localedef, or no sources for it"
  }
  LOCPATH=$PWD/locales LC_ALL=de_DE.UTF-8 "$@"
}

# What a run says of itself without the times that it took, files that hold such, and its folder.
timeless() {
  case $1 in
    *.csv) numbers_of "$1" ;;
    *) cat "$1" ;;
  esac | sed -E 's/[0-9.]+ (s|ms|min|h)\b//g; /seconds|scoring<|cells\/|state\.safe|history\.csv|"scoring": [0-9]/d; s#(points|commas)/##g'
}

@test "a host program's locale changes nothing that is written, and nothing that is read" {
  need_device
  [ "$(LC_ALL=C "$host" points)" = . ]
  [ "$(in_commas "$host" commas)" = , ]
  diff <(cd points && find . | sort) <(cd commas && find . | sort)
  for file in prune/{scores.npy,keep.npy,coreset.csv,run.json,scoring.json,report.html,trajectory/trajectory.json} \
      audit/{suspects.csv,suspicion.npy,audit.html} train/report.html \
      compare/{table.csv,table.md,run.json,compare.json,report.html}; do
    cmp <(timeless points/$file) <(timeless commas/$file)
  done
  cmp <(cut -d, -f1-8 points/train/history.csv) <(cut -d, -f1-8 commas/train/history.csv)
  # What one has begun the other goes on with.
  in_commas "$host" points
  LC_ALL=C "$host" commas
}
