package workbook

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// SumsFile lists what the workbook gives to a learner, as sha256sum writes it: what judges, the stubs, and the texts that belong to them.
const SumsFile = "katas/SHA256SUMS"

// Judges is what judges a learner's code in one kata: tests, given code, golden cases, kit.
type Judges struct {
	Revision string   // the beginning of a SHA-256 over all of them as they are on disk
	Files    []string // by their paths from the root, those of kit left out
	Changed  []string // those that are not as the workbook has them, or are gone, kit's too
}

// Judges looks at the files that SHA256SUMS lists, but the learner's own and what is read by people alone.
func (k *Kata) Judges() (Judges, error) {
	listed, err := readSums(k.root)
	if err != nil {
		return Judges{}, err
	}
	var j Judges
	h := sha256.New()
	for _, s := range listed {
		own := strings.HasPrefix(s.Path, "katas/"+k.Name+"/")
		if !own && !strings.HasPrefix(s.Path, "katas/kit/") || s.Path == k.Display(k.File) || path.Ext(s.Path) == ".md" {
			continue
		}
		have := ""
		data, err := os.ReadFile(filepath.Join(k.root, filepath.FromSlash(s.Path)))
		switch {
		case err == nil:
			have = SumOf(Canonical(data))
		case !errors.Is(err, fs.ErrNotExist):
			return Judges{}, err
		}
		if own {
			j.Files = append(j.Files, s.Path)
		}
		if have != s.Sum {
			j.Changed = append(j.Changed, s.Path)
		}
		fmt.Fprintln(h, have, s.Path)
	}
	j.Revision = hex.EncodeToString(h.Sum(nil))[:12]
	return j, nil
}

// Sum is a line of SHA256SUMS.
type Sum struct {
	Sum  string // the SHA-256, in hex
	Path string // from the root, with slashes
}

// Listed reads SHA256SUMS, in the order of the paths. Without the file nothing is listed.
func (w *Workbook) Listed() ([]Sum, error) { return readSums(w.Root) }

func readSums(root string) ([]Sum, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(SumsFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Sum
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		hash, path, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return nil, fmt.Errorf("%s: %q is no line of it", SumsFile, lines.Text())
		}
		all = append(all, Sum{hash, path})
	}
	return all, nil
}

// Canonical is a file's content as git keeps it: a text's ends of lines are not what the system has.
func Canonical(data []byte) []byte {
	if bytes.Contains(data, []byte{0}) {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}

// SumOf is the SHA-256 of data, in hex.
func SumOf(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// Sums is what the list must be: every file of kit, of the katas and of the hints, but editors' files; and at the root what builds them, and the licence.
func (w *Workbook) Sums() (string, error) {
	var lines []string
	add := func(file string) error {
		data, err := os.ReadFile(file)
		if err == nil {
			lines = append(lines, SumOf(Canonical(data))+"  "+Display(w.Root, file)+"\n")
		}
		return err
	}
	for _, name := range []string{"go.mod", "go.sum", "LICENSE"} {
		if err := add(filepath.Join(w.Root, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	for _, dir := range []string{"hints", "katas"} {
		err := filepath.WalkDir(filepath.Join(w.Root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !isSource(path) {
				return err
			}
			return add(path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return strings.Join(lines, ""), nil
}

// isSource says whether a file is the workbook's: Go, data below testdata or beside it, and texts.
func isSource(path string) bool {
	return slices.Contains([]string{".go", ".json", ".gz", ".csv", ".txt", ".conf", ".md"}, filepath.Ext(path)) && filepath.Base(path)[0] != '.'
}

// CheckSums is nil if the list is as it must be.
func (w *Workbook) CheckSums() error {
	want, err := w.Sums()
	if err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(w.Root, SumsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if strings.ReplaceAll(string(have), "\r\n", "\n") != want {
		return Errorf("make sums writes it", "%s does not list the files as they are", SumsFile)
	}
	return nil
}

// WriteSums writes the list.
func (w *Workbook) WriteSums() error {
	text, err := w.Sums()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.Root, SumsFile), []byte(text), 0o666)
}
