load common
load pictures

# scripts/recipes/ and scripts/audit-vs-cleanlab with the packages that they are for, of the Python that PYTHON names.
recipes="$BATS_TEST_DIRNAME/../../scripts/recipes"
small="--recipe paper --model convnet3 --width 4 --epochs 2 --batch 8 --folds 2 --seed 3 --no-progress --quiet"

python() {
  "${PYTHON:-python3}" "$@"
}

need_python() {
  for module; do
    python -c "import $module" 2>/dev/null || skip "no Python package $module"
  done
}

# pics: 12 images of two classes, one with a comma in its name, and names that sort otherwise as numbers.
photos() {
  local i
  for i in 1 2 3 10 11 "4,5"; do jpegs "pics/train/red apple/$i.jpg" "pics/train/Pear/$i.jpg"; done
  jpegs pics/test/Pear/0.jpg
}

drawn() {
  unseen dataset synth --n 240 --test 40 --classes 4 --mislabelled 0.2 --hard 0 --seed 1 --out drawn >/dev/null
  cut -d, -f1,3 drawn/truth.csv | sed 1s/true_label/label/ >true.csv
}

@test "FiftyOne imports the samples of a run" {
  need_device
  need_python numpy
  photos
  run_code 0 unseen prune pics $small --size 16 --keep 0.5 --out run
  run_code 0 python "$recipes/to-fiftyone" run
  [ "$(wc -l <run/fiftyone.csv)" -eq 13 ]
  # As FiftyOne's importer reads it: a table by the names of its columns, each value by a function.
  python - <<'END'
import csv, numpy, os
rows = list(csv.DictReader(open("run/fiftyone.csv", newline="")))
assert list(rows[0]) == ["filepath", "label", "index", "score", "kept"], rows[0]
assert all(os.path.isabs(r["filepath"]) and os.path.isfile(r["filepath"]) for r in rows)
assert all(os.path.basename(os.path.dirname(r["filepath"])) == r["label"] for r in rows)
assert any(r["filepath"].endswith("/4,5.jpg") for r in rows)
assert (numpy.array([float(r["score"]) for r in rows], "f4") == numpy.load("run/scores.npy")).all()
assert [int(r["index"]) for r in rows if r["kept"] == "1"] == numpy.load("run/keep.npy").tolist()
assert [r["filepath"].split("/pics/")[1] for r in rows] == [r["path"] for r in csv.DictReader(open("run/coreset.csv"))]
END
  run_code 0 unseen audit pics $small --size 16 --count 3 --out audit
  run_code 0 python "$recipes/to-fiftyone" audit --out table.csv
  python - <<'END'
import csv
rows = list(csv.DictReader(open("table.csv", newline="")))
suspects = {int(s["index"]): s for s in csv.DictReader(open("audit/suspects.csv"))}
assert len(rows) == 12 and list(rows[0]) == ["filepath", "label", "index", "suspicion", "suspect", "suggested"], rows[0]
for r in rows:
    s = suspects.get(int(r["index"]))
    assert r["suspect"] == str(int(s is not None))
    assert r["suggested"] == (["Pear", "red apple"][int(s["suggested"])] if s else "")
END
  # Images that are in no files are refused, as is a folder of something else.
  drawn
  run_code 0 unseen prune drawn $small --batch 32 --keep 0.5 --out other
  not python "$recipes/to-fiftyone" other 2>stderr
  grep -q 'FiftyOne takes images in files' stderr
  [ ! -e other/fiftyone.csv ]
  not python "$recipes/to-fiftyone" pics 2>stderr
  grep -q '^to-fiftyone: pics: has neither run.json nor audit.json$' stderr
}

@test "the importer of the fiftyone package takes the table" {
  need_device
  need_python fiftyone
  photos
  run_code 0 unseen audit pics $small --size 16 --count 3 --out audit
  run_code 0 python "$recipes/to-fiftyone" audit
  # Its importer, without the database that its datasets are in.
  python - <<'END'
import csv, fiftyone
from fiftyone.utils.csv import CSVDatasetImporter
label = lambda name: fiftyone.Classification(label=name)
importer = CSVDatasetImporter(labels_path="audit/fiftyone.csv", fields={
    "label": label, "suggested": label, "index": int, "score": float, "kept": int, "suspicion": float, "suspect": int})
with importer:
    samples = {sample["index"]: sample for sample in importer}
rows = list(csv.DictReader(open("audit/fiftyone.csv", newline="")))
assert len(samples) == len(rows) == 12
for row in rows:
    sample = samples[int(row["index"])]
    assert sample.filepath == row["filepath"] and sample["label"].label == row["label"]
    assert sample["suspicion"] == float(row["suspicion"]) and sample["suspect"] == int(row["suspect"])
    assert not row["suggested"] or sample["suggested"].label == row["suggested"]
END
}

@test "Hugging Face datasets are pruned by index, or by path in folders of images" {
  need_device
  need_python datasets PIL
  export HF_HOME=$PWD/hf HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
  photos
  run_code 0 unseen prune pics $small --size 16 --keep 0.5 --out run
  run_code 0 python "$recipes/to-huggingface" run pics --out pruned
  python - <<'END'
import csv, datasets
pruned = datasets.load_from_disk("pruned").cast_column("image", datasets.Image(decode=False))
kept = [row for row in csv.DictReader(open("run/coreset.csv")) if row["kept"] == "1"]
assert [x["bytes"] for x in pruned["image"]] == [open("pics/" + row["path"], "rb").read() for row in kept]
assert pruned["label"] == [int(row["label"]) for row in kept]
# The same samples without their paths, in the run's order and in another.
data = datasets.Dataset.from_dict({"fine": [int(row["label"]) for row in csv.DictReader(open("run/coreset.csv"))],
                                   "index": list(range(12))})
data.save_to_disk("table")
data.select(range(11, -1, -1)).save_to_disk("turned")
END
  run_code 0 python "$recipes/to-huggingface" run table --label fine --out selected
  python - <<'END'
import datasets, numpy
assert datasets.load_from_disk("selected")["index"] == numpy.load("run/keep.npy").tolist()
END
  not python "$recipes/to-huggingface" run turned --label fine --out x 2>stderr
  grep -q '^to-huggingface: turned: is other data or in another order: sample 0 has label' stderr
  not python "$recipes/to-huggingface" run table --out x 2>stderr
  grep -q "has no column 'label'" stderr
  rm "pics/train/Pear/4,5.jpg"
  not python "$recipes/to-huggingface" run pics --out x 2>stderr
  grep -q "^to-huggingface: pics: has no 'train/Pear/4,5.jpg'$" stderr
  [ ! -e x ]
}

@test "cleanlab takes pred_probs.npy" {
  need_device
  need_python cleanlab
  drawn
  run_code 0 unseen audit drawn $small --batch 32 --pred-probs --count 30 --out audit
  run_code 0 python "$recipes/with-cleanlab" audit --out merged.csv
  grep -Eq '^of 240 labels audit names 30, cleanlab [0-9]+, both [0-9]+$' stderr
  python - <<'END'
import csv, numpy
from cleanlab.filter import find_label_issues
rows = list(csv.DictReader(open("merged.csv")))
named = find_label_issues(numpy.load("audit/trajectory/labels.npy"), numpy.load("audit/pred_probs.npy"))
assert sorted(int(r["index"]) for r in rows if r["cleanlab"] == "1") == numpy.flatnonzero(named).tolist()
assert sorted(int(r["index"]) for r in rows if r["audit"] == "1") == sorted(
    int(s["index"]) for s in csv.DictReader(open("audit/suspects.csv")))
assert all(r["audit"] == "1" or r["cleanlab"] == "1" for r in rows)
END
}

@test "audit and cleanlab are compared on the same probabilities" {
  need_device
  need_python cleanlab
  unseen dataset synth --n 240 --test 40 --classes 10 --mislabelled 0 --seed 1 --out clean >/dev/null
  python -c 'import numpy; t = numpy.arange(300) % 10; numpy.save("people.npy", t.astype("u1"))'
  run_code 0 python "$recipes/../audit-vs-cleanlab" clean --unseen "$UNSEEN" --out out symmetric:0.3 people=people.npy \
    -- $small --batch 32
  [ "$(grep -c '^| symmetric-0.3 | ' stdout)" -eq 10 ]
  python - <<'END'
import json
rows = json.load(open("out/table.json"))["symmetric-0.3"]
truth = json.load(open("out/symmetric-0.3/audit.json"))["truth"]
for key in "precision", "recall", "average_precision":
    assert (rows[0][key] is None and truth[key] is None) or abs(rows[0][key] - truth[key]) < 1e-6, (key, rows[0], truth)
END
}
