package submission_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/submission"
	"whyhow/scripts/internal/workbook"
)

var katas = []*workbook.Kata{
	{Name: "q01-cross-entropy", Package: "crossentropy"},
	{Name: "q05-batch-norm", Package: "batchnorm"},
	{Name: "q18-session-run", Package: "sessionrun"},
	{Name: "q99-broken"}, // its front matter cannot be read
}

const (
	q01 = "katas/q01-cross-entropy/crossentropy.go"
	q05 = "katas/q05-batch-norm/batchnorm.go"
)

// tree are files by their paths; a path that ends with a slash is a folder.
type tree map[string]string

// lay writes the files to a new folder, and goes there, so that what is typed is short.
func lay(t *testing.T, files tree) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(name, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		fixture.Write(t, name, text)
	}
}

// zipOf is a zip of the files.
func zipOf(t *testing.T, files tree) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		addZip(t, z, &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: monday}, files[name])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func addZip(t *testing.T, z *zip.Writer, h *zip.FileHeader, text string) {
	t.Helper()
	w, err := z.CreateHeader(h)
	if err == nil && !strings.HasSuffix(h.Name, "/") {
		_, err = w.Write([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tarOf is a tar of the files.
func tarOf(t *testing.T, files tree) string {
	t.Helper()
	var headers []*tar.Header
	for _, name := range slices.Sorted(maps.Keys(files)) {
		headers = append(headers, &tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(files[name])), ModTime: monday})
	}
	return tarOfHeaders(t, headers, files)
}

func tarOfHeaders(t *testing.T, headers []*tar.Header, files tree) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		h.Mode = 0o644
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(files[h.Name])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipOf(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var monday = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

// found are the submissions as text: a line each, below it the files and the problems. Times of files on disk are left out.
func found(t *testing.T, o submission.Options, args ...string) string {
	t.Helper()
	handles, err := submission.Find(t.Context(), katas, args, o)
	if err != nil {
		return "error: " + err.Error() + "\nhint: " + workbook.HintOf(err) + "\n"
	}
	var b strings.Builder
	for _, h := range handles {
		s := h.Read(t.Context())
		if s.Student != h.Student || s.Name != h.Name || s.Where != h.Where {
			t.Errorf("the submission is of %q, %q, %q; its handle of %q, %q, %q", s.Student, s.Name, s.Where, h.Student, h.Name, h.Where)
		}
		fmt.Fprintf(&b, "%s|%s|%s", s.Student, s.Name, filepath.ToSlash(s.Where))
		if s.SubmittedBy != submission.ByFile || s.Submitted.Equal(monday) {
			if !s.Submitted.IsZero() {
				fmt.Fprintf(&b, "|%s %s", s.Submitted.UTC().Format("01-02 15:04"), s.SubmittedBy)
			}
		}
		b.WriteString("\n")
		for _, k := range slices.Sorted(maps.Keys(s.Files)) {
			fmt.Fprintf(&b, "  %s = %s: %s\n", k[:3], s.Files[k].Path, s.Files[k].Content)
		}
		for _, p := range s.Problems {
			kata := p.Kata
			if kata == "" {
				kata = "all"
			}
			fmt.Fprintf(&b, "  %.3s ! %s\n", kata, p.Message)
		}
	}
	return b.String()
}

// same compares a text with the wanted one, whose common indentation is left out.
func same(t *testing.T, got, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(strings.Trim(want, "\n\t")) {
		lines = append(lines, strings.TrimLeft(line, "\t"))
	}
	if diff := cmp.Diff(strings.TrimRight(strings.Join(lines, ""), "\n"), strings.TrimRight(got, "\n")); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

func TestForms(t *testing.T) {
	lay(t, tree{
		"one/" + q01: "a", "one/" + q05: "b", "one/README.md": "no",
		"two/q05-batch-norm/batchnorm.go": "c", "three/batchnorm.go": "d",
		"many/kim/hw/my/work/" + q05: "e", "many/zip.zip": zipOf(t, tree{"hw1/" + q01: "f", "hw1/notes.txt": "no"}),
		"many/tar.TAR": tarOf(t, tree{"./batchnorm.go": "g"}), "many/gz.tar.gz": gzipOf(t, tarOf(t, tree{q05: "h"})), "many/tgz.tgz": gzipOf(t, tarOf(t, tree{q05: "i"})),
		"many/deep/1/2/3/4/batchnorm.go": "no", "many/.DS_Store": "no", "many/__MACOSX/batchnorm.go": "no", "many/marks.csv": "no",
		"many/upload/hw.zip": zipOf(t, tree{q01: "j"}), "many/upload/hw2.zip": zipOf(t, tree{q05: "k"}),
		"many/wrong/Katas/Q05-Batch-Norm/BatchNorm.go": "l", "many/empty/": "", "many/readme/README.md": "no", "many/named/bn.go": "no",
		"many/unread/hw.7z": "7z", "many/unread/my/hw.rar": "Rar",
		"solo.zip": zipOf(t, tree{"batchnorm.go": "m"}), "nothing/": "",
	})
	same(t, found(t, submission.Options{}, "one", "two/", "three", "many", "solo.zip", "nothing"), `
		deep||many/deep
		  all ! it has none of the declared files, but 1/2/3/4/batchnorm.go: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
		empty||many/empty
		  all ! it is empty: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
		gz||many/gz.tar.gz|11-02 10:00 file
		  q05 = katas/q05-batch-norm/batchnorm.go: h
		kim||many/kim
		  q05 = hw/my/work/katas/q05-batch-norm/batchnorm.go: e
		named||many/named
		  all ! it has none of the declared files, but bn.go: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
		nothing||nothing
		  all ! it is empty: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
		one||one
		  q01 = katas/q01-cross-entropy/crossentropy.go: a
		  q05 = katas/q05-batch-norm/batchnorm.go: b
		readme||many/readme
		  all ! it has none of the declared files: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
		solo||solo.zip|11-02 10:00 file
		  q05 = batchnorm.go: m
		tar||many/tar.TAR|11-02 10:00 file
		  q05 = batchnorm.go: g
		tgz||many/tgz.tgz|11-02 10:00 file
		  q05 = katas/q05-batch-norm/batchnorm.go: i
		three||three
		  q05 = batchnorm.go: d
		two||two/
		  q05 = q05-batch-norm/batchnorm.go: c
		unread||many/unread
		  all ! this is not opened: hw.7z, my/hw.rar; ask for a .zip or .tar.gz
		  all ! it has none of the declared files: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone
		upload||many/upload|11-02 10:00 file
		  q01 = hw.zip: katas/q01-cross-entropy/crossentropy.go: j
		  q05 = hw2.zip: katas/q05-batch-norm/batchnorm.go: k
		wrong||many/wrong
		  q05 = Katas/Q05-Batch-Norm/BatchNorm.go: l
		zip||many/zip.zip|11-02 10:00 file
		  q01 = hw1/katas/q01-cross-entropy/crossentropy.go: f`)
}

// The exact path goes before looser ones, and two that are as good are none.
func TestWhichFile(t *testing.T) {
	lay(t, tree{
		"c/loose/" + q05: "a", "c/loose/old/batchnorm.go": "b",
		"c/equal/one/" + q05: "a", "c/equal/two/" + q05: "b", "c/equal/" + q01: "c",
		"c/outer/" + q05: "a", "c/outer/backup/" + q05: "b",
		"c/theirs/solutions/q05-batch-norm/batchnorm.go": "no", "c/theirs/.kata/q05-batch-norm/batchnorm.go": "no", "c/theirs/" + q01: "a",
		"c/case.zip":     zipOf(t, tree{"q05-batch-norm/batchnorm.go": "a", "q05-batch-norm/BatchNorm.go": "b"}),
		"c/cases.zip":    zipOf(t, tree{"Batchnorm.go": "a", "BATCHNORM.go": "b"}),
		"c/both/hw1.zip": zipOf(t, tree{q01: "a"}), "c/both/" + q05: "b",
		"c/beside/q05-batch-norm/given.go": "no", "c/beside/q05-batch-norm/batchnorm.go": "a", "c/beside/q05-batch-norm/batchnorm_test.go": "no",
	})
	same(t, found(t, submission.Options{}, "c"), `
		beside||c/beside
		  q05 = q05-batch-norm/batchnorm.go: a
		both||c/both
		  q05 = katas/q05-batch-norm/batchnorm.go: b
		  all ! there are declared files beside it, so this was not opened: hw1.zip
		case||c/case.zip|11-02 10:00 file
		  q05 = q05-batch-norm/batchnorm.go: a
		  q05 ! q05-batch-norm/batchnorm.go was taken; this was not: q05-batch-norm/BatchNorm.go
		cases||c/cases.zip
		  q05 ! 2 files could be it: BATCHNORM.go, Batchnorm.go; none was taken
		equal||c/equal
		  q01 = katas/q01-cross-entropy/crossentropy.go: c
		  q05 ! 2 files could be it: one/katas/q05-batch-norm/batchnorm.go, two/katas/q05-batch-norm/batchnorm.go; none was taken
		loose||c/loose
		  q05 = katas/q05-batch-norm/batchnorm.go: a
		  q05 ! katas/q05-batch-norm/batchnorm.go was taken; this was not: old/batchnorm.go
		outer||c/outer
		  q05 = katas/q05-batch-norm/batchnorm.go: a
		  q05 ! katas/q05-batch-norm/batchnorm.go was taken; this was not: backup/katas/q05-batch-norm/batchnorm.go
		theirs||c/theirs
		  q01 = katas/q01-cross-entropy/crossentropy.go: a`)
}

// What the compiler takes stays as it is: a byte order mark and CRLF. So does an empty file, and one of the greatest size; one byte more is too much.
func TestContent(t *testing.T) {
	windows := "\ufeffpackage batchnorm\r\n\r\nvar s = `a\r\nb`\r\n"
	most := strings.Repeat("x", gate.Largest)
	lay(t, tree{
		"a/batchnorm.go": windows, "a/crossentropy.go": most, "a/sessionrun.go": most + "x",
		"b.zip":     zipOf(t, tree{"batchnorm.go": windows, "crossentropy.go": most, "sessionrun.go": most + "x"}),
		"c.tar.gz":  gzipOf(t, tarOf(t, tree{"batchnorm.go": windows, "crossentropy.go": most, "sessionrun.go": most + "x"})),
		"d/a.empty": "", "d/batchnorm.go": "",
	})
	if _, err := parser.ParseFile(token.NewFileSet(), "", windows, 0); err != nil {
		t.Error(err)
	}
	handles, err := submission.Find(t.Context(), katas, []string{"a", "b.zip", "c.tar.gz", "d"}, submission.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range handles[:3] {
		s := h.Read(t.Context())
		if got := string(s.Files["q05-batch-norm"].Content); got != windows {
			t.Errorf("%s: content %q, want %q", s.Student, got, windows)
		}
		if got, want := s.Files["q05-batch-norm"].SHA256, fmt.Sprintf("%x", sha256.Sum256([]byte(windows))); got != want {
			t.Errorf("%s: SHA-256 %q, want %s", s.Student, got, want)
		}
		if got := len(s.Files["q01-cross-entropy"].Content); got != gate.Largest {
			t.Errorf("%s: %d bytes, want %d", s.Student, got, gate.Largest)
		}
		want := []submission.Problem{{Kata: "q18-session-run", Message: "sessionrun.go has more than 256 KiB"}}
		if diff := cmp.Diff(want, s.Problems); diff != "" {
			t.Errorf("%s: problems mismatch (-want +got):\n%s", s.Student, diff)
		}
	}
	if f, ok := handles[3].Read(t.Context()).Files["q05-batch-norm"]; !ok || len(f.Content) != 0 || f.SHA256 != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("an empty file is %+v", f)
	}
}

// A time that is nonsense is none: it could not be written to a gradebook.
func TestNonsenseTimes(t *testing.T) {
	for _, at := range []time.Time{time.Unix(1<<50, 0), time.Unix(0, 0)} {
		lay(t, tree{"a.tar": tarOfHeaders(t, []*tar.Header{{Name: "batchnorm.go", Typeflag: tar.TypeReg, Format: tar.FormatGNU, ModTime: at}}, nil)})
		if s := read(t, "a.tar"); !s.Submitted.IsZero() || len(s.Files) != 1 {
			t.Errorf("a file of %v is %+v", at, s)
		}
	}
}

// Every kata's file is found in a zip of the whole workbook, and nothing of solutions/.
func TestWorkbook(t *testing.T) {
	w, err := workbook.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	files := tree{}
	for _, k := range w.Katas {
		files["whyhow-main/katas/"+k.Name+"/"+k.Package+".go"] = k.Name
		files["whyhow-main/solutions/"+k.Name+"/"+k.Package+".go"] = "no"
		files["whyhow-main/solutions/"+k.Name+"/alternatives/x/"+k.Package+".go"] = "no"
	}
	lay(t, tree{"kim.zip": zipOf(t, files)})
	handles, err := submission.Find(t.Context(), w.Katas, []string{"kim.zip"}, submission.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := handles[0].Read(t.Context())
	for _, k := range w.Katas {
		if got := string(s.Files[k.Name].Content); got != k.Name {
			t.Errorf("the file of %s is %q", k.Name, got)
		}
	}
	if len(s.Problems) > 0 {
		t.Errorf("it has problems: %v", s.Problems)
	}
}

func TestArguments(t *testing.T) {
	lay(t, tree{"class.csv": "student\n", "notes.txt": "", "crossentropy.go": "", "x.rar": "", "a/" + q01: "a", "b/" + q01: "b"})
	for arg, want := range map[string]string{
		"class.csv": "error: class.csv is no submission\nhint: if it is the class, --roster takes it",
		"notes.txt": "error: notes.txt is no submission\nhint: a submission is a folder, a git checkout, or a .zip, .tar, .tar.gz or .tgz",
		"none":      "error: there is no none\nhint: name folders, archives or git checkouts",
		"x.rar":     "x||x.rar\n  all ! x.rar is an archive that is not opened: ask for a .zip or .tar.gz",
		"crossentropy.go": "crossentropy.go||crossentropy.go\n  all ! crossentropy.go is a single file, which says not whose it is: " +
			"put it into a folder or an archive named after the student",
	} {
		same(t, found(t, submission.Options{}, arg), want)
	}
	// A folder is named after itself however it is typed.
	t.Chdir("a")
	same(t, found(t, submission.Options{}, "."), "a||.\n  q01 = "+q01+": a")
	ctx, cancel := context.WithCancel(t.Context())
	handles, err := submission.Find(ctx, katas, []string{"../b"}, submission.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if s := handles[0].Read(ctx); len(s.Problems) != 1 || s.Problems[0].Message != "it was interrupted" {
		t.Errorf("interrupted, it says %v", s.Problems)
	}
	if _, err := submission.Find(ctx, katas, []string{"../b"}, submission.Options{}); err != context.Canceled {
		t.Errorf("interrupted, Find says %v", err)
	}
}

// Nothing is written, not even beside what is read.
func TestWritesNothing(t *testing.T) {
	lay(t, tree{"c/a.zip": zipOf(t, tree{q01: "a"}), "c/b.tar.gz": gzipOf(t, tarOf(t, tree{q01: "a"})), "c/c/" + q01: "a"})
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	before := disk(t)
	found(t, submission.Options{}, "c")
	if diff := cmp.Diff(before, disk(t)); diff != "" {
		t.Errorf("the disk has changed (-before +after):\n%s", diff)
	}
}

func disk(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
