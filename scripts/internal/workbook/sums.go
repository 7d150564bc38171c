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
	"path/filepath"
	"slices"
	"strings"
)

// sumsFile lists what judges a learner's code, as sha256sum writes it: tests, given code, golden cases, kit.
const sumsFile = "katas/SHA256SUMS"

// Judges is what judges a learner's code in one kata: tests, given code, golden cases, kit.
type Judges struct {
	Revision string   // the beginning of a SHA-256 over all of them as they are on disk
	Files    []string // by their paths from the root, those of kit left out
	Changed  []string // those that are not as the workbook has them, or are gone, kit's too
}

// Judges looks at the files that SHA256SUMS lists.
func (k *Kata) Judges() (Judges, error) {
	listed, err := readSums(filepath.Join(k.root, sumsFile))
	if err != nil {
		return Judges{}, err
	}
	var j Judges
	h := sha256.New()
	for _, s := range listed {
		own := strings.HasPrefix(s.path, "katas/"+k.Name+"/")
		if !own && !strings.HasPrefix(s.path, "katas/kit/") {
			continue
		}
		have, err := sumOf(filepath.Join(k.root, filepath.FromSlash(s.path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Judges{}, err
		}
		if own {
			j.Files = append(j.Files, s.path)
		}
		if have != s.sum {
			j.Changed = append(j.Changed, s.path)
		}
		fmt.Fprintln(h, have, s.path)
	}
	j.Revision = hex.EncodeToString(h.Sum(nil))[:12]
	return j, nil
}

type sum struct{ sum, path string }

// readSums reads the list. Without one nothing is listed.
func readSums(file string) ([]sum, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []sum
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		hash, path, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return nil, fmt.Errorf("%s: %q is no line of it", sumsFile, lines.Text())
		}
		all = append(all, sum{hash, path})
	}
	return all, nil
}

// sumOf is the SHA-256 of a file. A text's ends of lines do not count: git may write them as the system has them.
func sumOf(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if !bytes.Contains(data, []byte{0}) {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:]), nil
}

// Sums is what the list must be: every file of kit and of the katas, but a learner's own, what is read by people alone, and editors' files.
func (w *Workbook) Sums() (string, error) {
	own := map[string]bool{}
	for _, k := range w.Katas {
		own[k.File] = true
	}
	var lines []string
	err := filepath.WalkDir(filepath.Join(w.Root, "katas"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || own[path] || strings.HasSuffix(path, ".md") || !isSource(path) {
			return err
		}
		s, err := sumOf(path)
		lines = append(lines, s+"  "+Display(w.Root, path)+"\n")
		return err
	})
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return strings.Join(lines, ""), err
}

// isSource says whether a file of the katas judges: Go, and data below testdata or beside it.
func isSource(path string) bool {
	return slices.Contains([]string{".go", ".json", ".gz", ".csv", ".txt", ".conf"}, filepath.Ext(path)) && filepath.Base(path)[0] != '.'
}

// CheckSums is nil if the list is as it must be.
func (w *Workbook) CheckSums() error {
	want, err := w.Sums()
	if err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(w.Root, sumsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if strings.ReplaceAll(string(have), "\r\n", "\n") != want {
		return Errorf("make sums writes it", "%s does not list the tests as they are", sumsFile)
	}
	return nil
}

// WriteSums writes the list.
func (w *Workbook) WriteSums() error {
	text, err := w.Sums()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.Root, sumsFile), []byte(text), 0o666)
}
