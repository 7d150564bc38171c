package submission_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/submission"
)

// Archives that try something: what comes of each is q05's file where it is honest, and a problem that names what is not.
func TestHostileArchives(t *testing.T) {
	regular := func(names ...string) (all []*tar.Header) {
		for _, name := range names {
			all = append(all, &tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 1})
		}
		return all
	}
	content := func(headers []*tar.Header) string {
		files := tree{}
		for _, h := range headers {
			files[h.Name] = "x"
		}
		return tarOfHeaders(t, headers, files)
	}
	with := func(h *tar.Header) string { return content(append(regular("batchnorm.go"), h)) }
	whole := gzipOf(t, tarOf(t, tree{"batchnorm.go": "x", "more": strings.Repeat("0123456789", 1000)}))
	plain := zipOf(t, tree{"batchnorm.go": "package batchnorm // a text of some length, so that it is packed packed packed packed"})
	damaged := []byte(plain)
	damaged[len("PK..")+26+len("batchnorm.go")+10] ^= 0xff
	files := map[string]string{
		"up.tar":                       content(regular("batchnorm.go", "../crossentropy.go", "a/../../crossentropy.go", "../../../../etc/cron.d/crossentropy.go")),
		"absolute.tar":                 content(regular("batchnorm.go", "/crossentropy.go")),
		"drive.zip":                    zipOf(t, tree{"batchnorm.go": "x", "C:crossentropy.go": "x", `katas\q01-cross-entropy\crossentropy.go`: "x"}),
		"latin1.zip":                   zipOf(t, tree{"batchnorm.go": "x", "r\xe9sum\xe9/crossentropy.go": "x"}),
		"escape.zip":                   zipOf(t, tree{"batchnorm.go": "x", "\x1b[2J/crossentropy.go": "x"}),
		"symlink.tar":                  with(&tar.Header{Name: "crossentropy.go", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		"symlinked folder.tar":         with(&tar.Header{Name: "katas", Typeflag: tar.TypeSymlink, Linkname: "/work"}),
		"symlinked kata.tar":           with(&tar.Header{Name: "katas/q01-cross-entropy", Typeflag: tar.TypeSymlink, Linkname: "/work"}),
		"hard link.tar":                with(&tar.Header{Name: "crossentropy.go", Typeflag: tar.TypeLink, Linkname: "batchnorm.go"}),
		"fifo.tar":                     with(&tar.Header{Name: "crossentropy.go", Typeflag: tar.TypeFifo}),
		"device.tar":                   with(&tar.Header{Name: "crossentropy.go", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 5}),
		"folder.tar":                   with(&tar.Header{Name: "crossentropy.go/", Typeflag: tar.TypeDir}),
		"link before a looser one.tar": content(append(regular("batchnorm.go", "crossentropy.go"), &tar.Header{Name: q01, Typeflag: tar.TypeSymlink, Linkname: "x"})),
		"symlink.zip":                  zipWith(t, func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) }),
		"folder.zip":                   zipOf(t, tree{"batchnorm.go": "x", "crossentropy.go/": ""}),
		"twice.tar":                    content(regular("batchnorm.go", "crossentropy.go", "crossentropy.go")),
		"encrypted.zip":                zipWith(t, func(h *zip.FileHeader) { h.Flags |= 1 }),
		"method.zip":                   zipWith(t, func(h *zip.FileHeader) { h.Method = 99 }),
		"large.zip":                    zipOf(t, tree{"batchnorm.go": "x", "crossentropy.go": strings.Repeat("0", 10<<20)}),
		"torn.tar.gz":                  whole[:len(whole)-20],
		"torn.tar":                     tarOf(t, tree{"batchnorm.go": strings.Repeat("x", 4096)})[:2048],
		"torn.zip":                     plain[:len(plain)-30],
		"damaged.zip":                  string(damaged),
		"empty.zip":                    "",
		"nothing in it.zip":            zipOf(t, nil),
		"no archive.zip":               "Rar!\x1a\x07 and so on",
		"no archive.tar":               strings.Repeat("x", 5000),
		"misnamed.tgz":                 plain,
		"misnamed.zip":                 gzipOf(t, tarOf(t, tree{"batchnorm.go": "x"})),
		"no tar.tgz":                   gzipOf(t, strings.Repeat("x", 5000)),
		"sparse list.zip":              longList(t),
	}
	want := map[string]string{
		"up": "q05 ok\n" + `! "../crossentropy.go" is passed over: its name goes up with ..` + "\n" + `! "a/../../crossentropy.go" is passed over: its name goes up with ..` + "\n" +
			`! "../../../../etc/cron.d/crossentropy.go" is passed over: its name goes up with ..`,
		"absolute":                 "q05 ok\n" + `! "/crossentropy.go" is passed over: its name is absolute`,
		"drive":                    "q05 ok\n" + `! "C:crossentropy.go" is passed over: its name begins with a drive` + "\n" + `! "katas\\q01-cross-entropy\\crossentropy.go" is passed over: its name has a backslash`,
		"latin1":                   "q05 ok\n" + `! "r\xe9sum\xe9/crossentropy.go" is passed over: its name is not UTF-8`,
		"escape":                   "q05 ok\n" + `! "\x1b[2J/crossentropy.go" is passed over: its name has a control character`,
		"symlink":                  "q05 ok\nq01 ! crossentropy.go is a link, and no regular file",
		"symlinked folder":         "q05 ok\n! katas is a link, and links are not followed",
		"symlinked kata":           "q05 ok\nq01 ! katas/q01-cross-entropy is a link, and links are not followed",
		"hard link":                "q05 ok\nq01 ! crossentropy.go is a link, and no regular file",
		"fifo":                     "q05 ok\nq01 ! crossentropy.go is a device, pipe or socket, and no regular file",
		"device":                   "q05 ok\nq01 ! crossentropy.go is a device, pipe or socket, and no regular file",
		"folder":                   "q05 ok\nq01 ! crossentropy.go is a folder, and no regular file",
		"link before a looser one": "q05 ok\nq01 ! katas/q01-cross-entropy/crossentropy.go is a link, and no regular file",
		"twice":                    "q05 ok\nq01 ! 2 files could be it: crossentropy.go, crossentropy.go; none was taken",
		"encrypted":                "q05 ok\nq01 ! crossentropy.go: it is encrypted: pack it without a password",
		"method":                   "q05 ok\nq01 ! crossentropy.go: it is packed by method 99, which few programs know: pack it as a usual .zip",
		"large":                    "q05 ok\nq01 ! crossentropy.go has more than 256 KiB",
		"torn":                     "! the archive is broken: unexpected EOF",
		"damaged":                  "q05 ! batchnorm.go: it is broken: ",
		"empty":                    "! the archive is empty, not even a list of files is in it",
		"nothing in it":            "! it is empty: a kata's file is at katas/q01-cross-entropy/crossentropy.go, or is crossentropy.go alone",
		"no archive":               "! it is no .zip, .tar or .tar.gz, whatever its name says: ask for one of these",
		"misnamed":                 "q05 ok",
		"no tar":                   "! the archive is broken: archive/tar: invalid tar header",
		"sparse list":              "! it has more than 20000 files and folders",
	}
	want["torn.zip"] = "! the archive is broken: zip: not a valid zip file"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			lay(t, tree{name: files[name]})
			before := disk(t)
			s := read(t, name)
			expected, ok := want[name]
			if !ok {
				expected = want[strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), filepath.Ext(strings.TrimSuffix(name, ".gz")))]
			}
			if got := summary(s); expected == "" || !strings.HasPrefix(got, expected) || strings.Count(got, "\n") != strings.Count(expected, "\n") {
				t.Errorf("got %q, want %q", got, expected)
			}
			if diff := cmp.Diff(before, disk(t)); diff != "" {
				t.Errorf("the disk has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// read reads the one submission that an argument names.
func read(t *testing.T, arg string) submission.Submission {
	t.Helper()
	handles, err := submission.Find(t.Context(), katas, []string{arg}, submission.Options{})
	if err != nil || len(handles) != 1 {
		t.Fatalf("Find gives %d submissions and %v", len(handles), err)
	}
	return handles[0].Read(t.Context())
}

func summary(s submission.Submission) string {
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(s.Files)) {
		lines = append(lines, k[:3]+" ok")
	}
	for _, p := range s.Problems {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%.3s ! %s", p.Kata, p.Message)))
	}
	return strings.Join(lines, "\n")
}

// zipWith is a zip of batchnorm.go and of a crossentropy.go whose header is not as usual.
func zipWith(t *testing.T, change func(*zip.FileHeader)) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	addZip(t, z, &zip.FileHeader{Name: "batchnorm.go"}, "x")
	h := &zip.FileHeader{Name: "crossentropy.go", Method: zip.Store, UncompressedSize64: 1, CompressedSize64: 1}
	change(h)
	w, err := z.CreateRaw(h)
	if err == nil {
		_, err = w.Write([]byte("x"))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// longList is a zip that lists one file 20,001 times.
func longList(t *testing.T) string {
	one := zipOf(t, tree{"a": ""})
	start, end := strings.Index(one, "PK\x01\x02"), strings.Index(one, "PK\x05\x06")
	const n = 20_001
	tail := []byte(one[end:])
	binary.LittleEndian.PutUint16(tail[8:], n)
	binary.LittleEndian.PutUint16(tail[10:], n)
	binary.LittleEndian.PutUint32(tail[12:], uint32(n*(end-start)))
	return one[:start] + strings.Repeat(one[start:end], n) + string(tail)
}

// Bombs: what is in memory and how long it takes does not depend on what an archive says of itself.
func TestBombs(t *testing.T) {
	t.Run("a list of files of 9 MiB", func(t *testing.T) {
		one := longList(t)
		start, end := strings.Index(one, "PK\x01\x02"), strings.Index(one, "PK\x05\x06")
		list := strings.Repeat(one[start:end], 9)
		tail := []byte(one[end:])
		binary.LittleEndian.PutUint32(tail[12:], uint32(len(list)))
		lay(t, tree{"a.zip": one[:start] + list + string(tail)})
		if got, want := summary(read(t, "a.zip")), "! the archive's list of files has more than 8 MiB"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("an archive of 257 MiB", func(t *testing.T) {
		lay(t, tree{"c/a.zip": "PK", "c/b.tar.gz": "\x1f\x8b"})
		for _, name := range []string{"a.zip", "b.tar.gz"} {
			if err := os.Truncate("c/"+name, 257<<20); err != nil {
				t.Fatal(err)
			}
		}
		want := "! the archive has more than 256 MiB"
		if got := summary(read(t, "c/a.zip")) + "\n" + summary(read(t, "c/b.tar.gz")); got != want+"\n"+want {
			t.Errorf("got %q, want %q twice", got, want)
		}
	})
	t.Run("a .tar.gz that unpacks to 300 MiB", func(t *testing.T) {
		header := tarOf(t, tree{"zero": ""})[:512]
		b := []byte(header)
		copy(b[124:136], fmt.Sprintf("%011o\x00", 300<<20))
		copy(b[148:156], "        ")
		sum := 0
		for _, c := range b {
			sum += int(c)
		}
		copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
		block := gzipOf(t, string(make([]byte, 10<<20))) // a gzip may be several, one behind the other
		lay(t, tree{"a.tar.gz": gzipOf(t, tarOf(t, tree{"batchnorm.go": "x"})[:1024]) + gzipOf(t, string(b)) + strings.Repeat(block, 30)})
		if got, want := summary(read(t, "a.tar.gz")), "! the archive unpacks to more than 256 MiB"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("many files in a tar", func(t *testing.T) {
		header := tarOf(t, tree{"zero": ""})[:512]
		lay(t, tree{"a.tgz": gzipOf(t, strings.Repeat(header, 20_001))})
		if got, want := summary(read(t, "a.tgz")), "! it has more than 20000 files and folders"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("many problems", func(t *testing.T) {
		files := tree{"batchnorm.go": "x", "crossentropy.go/": ""}
		for i := range 1000 {
			files[fmt.Sprintf("../%04d", i)] = ""
		}
		lay(t, tree{"a.zip": zipOf(t, files)})
		s := read(t, "a.zip")
		if got, want := len(s.Problems), 22; got != want || s.Problems[20].Kata != katas[0].Name || s.Problems[21].Message != "there are 980 more such problems" {
			t.Errorf("%d problems, want %d; the last are %q", got, want, s.Problems[got-2:])
		}
	})
	t.Run("memory", func(t *testing.T) {
		lay(t, tree{"a.zip": zipOf(t, tree{"batchnorm.go": strings.Repeat("0", 64<<20)})})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s := read(t, "a.zip")
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 8*gate.Largest || summary(s) != "q05 ! batchnorm.go has more than 256 KiB" {
			t.Errorf("%d bytes were allocated for %q", got, summary(s))
		}
	})
}

// A folder on disk: nothing is read that is no regular file in it.
func TestHostileFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a right there that few have")
	}
	lay(t, tree{
		"secret.go": "secret", "elsewhere/q01-cross-entropy/crossentropy.go": "secret", "other/crossentropy.go": "secret",
		"c/link/katas/q05-batch-norm/": "", "c/folders/q05-batch-norm/batchnorm.go": "x", "c/dir/batchnorm.go/x": "x", "c/socket/batchnorm.txt": "x", "c/up/q05-batch-norm/": "",
	})
	for link, to := range map[string]string{
		"c/link/katas/q05-batch-norm/batchnorm.go": "../../../../secret.go", "c/folders/katas": "../../elsewhere", "c/whole": "../other", "c/up/q05-batch-norm/batchnorm.go": "/etc/passwd",
		"typed": "other",
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", "c/socket/batchnorm.go")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	same(t, found(t, submission.Options{}, "c", "typed"), `
		dir||c/dir
		  q05 ! batchnorm.go is a folder, and no regular file
		folders||c/folders
		  q05 = q05-batch-norm/batchnorm.go: x
		  all ! katas is a link, and links are not followed
		link||c/link
		  q05 ! katas/q05-batch-norm/batchnorm.go is a link, and no regular file
		socket||c/socket
		  q05 ! batchnorm.go is a device, pipe or socket, and no regular file
		typed||typed
		  q01 = crossentropy.go: secret
		up||c/up
		  q05 ! q05-batch-norm/batchnorm.go is a link, and no regular file
		whole||c/whole
		  all ! whole is a link, which is not followed`)
}

func TestManyFiles(t *testing.T) {
	submission.LowerMaxEntries(t, 10)
	lay(t, tree{"a/batchnorm.go": "x", "b/batchnorm.go": "x"})
	for i := range 11 {
		fixture.Write(t, fmt.Sprintf("a/%d.txt", i), "")
		fixture.Write(t, fmt.Sprintf("b/%d/%d.txt", i/5, i), "")
	}
	for _, name := range []string{"a", "b"} {
		if got, want := summary(read(t, name)), "! it has more than 10 files and folders"; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Names on screens: what they cannot do there, and that those that differ make keys that differ.
func TestNamesOnScreens(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such names there")
	}
	long := strings.Repeat("x", 120)
	lay(t, tree{
		"c/a\x1b[31mb.zip": zipOf(t, tree{q01: "a"}), "c/line\nbreak/" + q01: "b", "c/\u202eevil/" + q01: "c", "c/" + long + "1/" + q01: "d", "c/" + long + "2/" + q01: "e",
		"c/ /" + q01: "f", "c/na\u200cme/" + q01: "g", "c/\xff\xfe/" + q01: "h", "c/tab\t/" + q01: "i",
		"c/kim/\u202egnilcatni/" + q05: "j",
	})
	handles, err := submission.Find(t.Context(), katas, []string{"c"}, submission.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, h := range handles {
		s := h.Read(t.Context())
		harmless(t, s)
		if len(s.Files) != 1 {
			t.Errorf("%s has %d files, want 1", s.Student, len(s.Files))
		}
		keys = append(keys, s.Student)
	}
	want := []string{"(no name)", "a\ufffd[31mb", "kim", "line\ufffdbreak", "na\u200cme", "tab", long[:100] + "…" + "0", long[:100] + "…" + "5", "\ufffd", "\ufffdevil"}
	if len(keys) != len(want) || !slices.IsSorted(keys) {
		t.Fatalf("keys %q, want %q", keys, want)
	}
	for i := range keys {
		if keys[i] != want[i] && !strings.HasPrefix(want[i], "xxx") {
			t.Errorf("key %q, want %q", keys[i], want[i])
		}
	}
}

// harmless fails if something that is shown could move a cursor.
func harmless(t *testing.T, s submission.Submission) {
	t.Helper()
	shown := []string{s.Student, s.Name, s.Where}
	for _, p := range s.Problems {
		shown = append(shown, p.Message)
	}
	for _, f := range s.Files {
		shown = append(shown, f.Path)
	}
	for _, text := range shown {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
			return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
		}) {
			t.Errorf("%q is not harmless", text)
		}
	}
}
