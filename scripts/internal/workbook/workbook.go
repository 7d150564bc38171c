// Package workbook reads what is on disk: the katas and their steps, solutions, hints and planted mistakes. It writes nothing.
package workbook

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"whyhow/scripts/internal/markdown"
)

// Module is the module path in the workbook's go.mod.
const Module = "whyhow"

// An Error says what is wrong and what to do about it.
type Error struct {
	Err  error
	Hint string // one line, without the word "hint"; may be empty
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error with the hint and a message made as fmt.Errorf makes it.
func Errorf(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Hint: hint}
}

// HintOf returns the hint of the first *Error in err's chain, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// Workbook is a checkout.
type Workbook struct {
	Root  string // absolute, symbolic links resolved
	Katas []*Kata
}

// Kata is one question. If its files could not be read, Err says why and only Name, Number and Dir are sure to be set.
type Kata struct {
	Name    string // the folder's name, q05-batch-norm
	Number  string // the part before the first dash, q05
	Package string // the Go package's name
	Dir     string // absolute
	File    string // the file a learner edits, absolute

	Question string
	Title    string
	Level    int // 1, 2 or 3
	Minutes  int
	About    []string
	Allow    []string // what a submission may use beyond what every kata may: see gate
	Steps    []Step   // in order: how steps, then why steps

	Err error

	root string
}

// Kind says what a step asks.
type Kind string

const (
	How Kind = "how" // is it right?
	Why Kind = "why" // does it answer the question? Their tests are named TestWhy….

	Hidden Kind = "hidden" // is it what the reference gives, on inputs that no learner sees? They are no steps of a README.
)

// Kinds are all kinds, in the order in which their steps come.
var Kinds = []Kind{How, Why, Hidden}

// Step is one top-level test function.
type Step struct {
	Test    string
	Title   string
	Kind    Kind
	Points  int
	Minutes int
}

// Open finds the workbook around dir: the nearest folder upwards with the go.mod of module whyhow.
func Open(dir string) (*Workbook, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root := dir
	for ; !isRoot(root); root = filepath.Dir(root) {
		if root == filepath.Dir(root) {
			return nil, Errorf("run it in a checkout of the workbook, or name one: -C DIR",
				"%s is not in a workbook: no go.mod of module %s here or above", dir, Module)
		}
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(root, "katas"))
	if err != nil {
		return nil, Errorf("restore it: git checkout -- katas", "the workbook has no katas: %w", err)
	}
	w := &Workbook{Root: root}
	for _, e := range entries {
		dir := filepath.Join(root, "katas", e.Name())
		if _, err := os.Stat(filepath.Join(dir, "README.md")); e.IsDir() && (kataName.MatchString(e.Name()) || err == nil) {
			w.Katas = append(w.Katas, read(root, dir))
		}
	}
	slices.SortStableFunc(w.Katas, func(a, b *Kata) int { return number(a.Name) - number(b.Name) })
	return w, nil
}

func isRoot(dir string) bool {
	mod, err := ReadText(filepath.Join(dir, "go.mod"))
	return err == nil && moduleLine.Match(mod)
}

var (
	moduleLine = regexp.MustCompile(`(?m)^module\s+"?` + Module + `"?\s*(//.*)?$`)
	kataName   = regexp.MustCompile(`^q(\d\d+)-[a-z0-9-]+$`)
)

// number orders katas; a folder that was renamed comes last.
func number(name string) int {
	m := kataName.FindStringSubmatch(name)
	if m == nil {
		return 1 << 30
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

func read(root, dir string) *Kata {
	k := &Kata{Name: filepath.Base(dir), Dir: dir, root: root}
	k.Number, _, _ = strings.Cut(k.Name, "-")
	if !kataName.MatchString(k.Name) {
		k.Err = Errorf("give the folder its name back: git status shows what it was",
			"%s: a kata's folder is named qNN-topic, this one is not", k.Display(dir))
		return k
	}
	k.Package, k.Err = packageName(dir)
	if k.Err == nil {
		k.File = filepath.Join(dir, k.Package+".go")
		k.Err = k.readFrontMatter()
	}
	return k
}

// packageName reads the package clauses in dir. The tests' come first: they are not the learner's to change.
func packageName(dir string) (string, error) {
	files := Files(dir, "*.go")
	slices.SortStableFunc(files, func(a, b string) int { return rank(a) - rank(b) })
	var first error
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		if err == nil {
			return strings.TrimSuffix(f.Name.Name, "_test"), nil
		}
		if first == nil {
			first = err
		}
	}
	if first != nil {
		return "", first
	}
	return "", Errorf("restore it: git checkout -- "+filepath.Base(dir), "%s has no Go files", filepath.Base(dir))
}

// Files returns the files of dir whose names match the pattern, but those that Go passes over: names that begin with a
// dot, as an editor's lock does, or an underscore. The pattern is not for dir, which may have brackets in its name.
func Files(dir, pattern string) []string {
	names, err := fs.Glob(os.DirFS(dir), pattern)
	if err != nil {
		panic("workbook: " + pattern + ": " + err.Error())
	}
	var files []string
	for _, name := range names {
		if name[0] != '.' && name[0] != '_' {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

func rank(file string) int {
	if strings.HasSuffix(file, "_test.go") {
		return 0
	}
	return 1
}

type frontMatter struct {
	Question string
	Title    string
	Level    int
	Minutes  int
	About    []string
	Allow    []string
	Steps    []struct {
		Test    string
		Title   string
		Points  int
		Minutes int
	}
}

func (k *Kata) readFrontMatter() error {
	file := filepath.Join(k.Dir, "README.md")
	text, err := ReadText(file)
	if err != nil {
		return Errorf("restore it: git checkout -- "+k.Display(file), "%s: %w", k.Display(file), errors.Unwrap(err))
	}
	matter, _, err := splitFrontMatter(text)
	if err != nil {
		return fmt.Errorf("%s: %w", k.Display(file), err)
	}
	var m frontMatter
	if err := k.unmarshal(file, matter, &m); err != nil {
		return err
	}
	k.Question, k.Title, k.Level, k.Minutes, k.About, k.Allow = m.Question, m.Title, m.Level, m.Minutes, m.About, m.Allow
	seen := map[string]bool{}
	for i, s := range m.Steps {
		switch {
		case !strings.HasPrefix(s.Test, "Test"):
			return fmt.Errorf("%s: step %d: test %q is not the name of a test function", k.Display(file), i+1, s.Test)
		case seen[s.Test]:
			return fmt.Errorf("%s: step %d: %s is listed twice", k.Display(file), i+1, s.Test)
		}
		seen[s.Test] = true
		kind := How
		if strings.HasPrefix(s.Test, "TestWhy") {
			kind = Why
		}
		k.Steps = append(k.Steps, Step{Test: s.Test, Title: s.Title, Kind: kind, Points: s.Points, Minutes: s.Minutes})
	}
	switch {
	case k.Question == "" || k.Title == "":
		return fmt.Errorf("%s: the front matter needs a question and a title", k.Display(file))
	case len(k.Steps) == 0:
		return fmt.Errorf("%s: the front matter lists no steps", k.Display(file))
	}
	return nil
}

// unmarshal reads YAML that begins at the top of file, strictly. Its errors name the file and line and show the line.
func (k *Kata) unmarshal(file string, text []byte, v any) error {
	err := yaml.UnmarshalWithOptions(text, v, yaml.Strict())
	if err == nil {
		return nil
	}
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Errorf("%s:%d: %s\n%s", k.Display(file), at.GetToken().Position.Line, at.GetMessage(),
			strings.TrimRight(sourceOf(err), "\n"))
	}
	return fmt.Errorf("%s: %s", k.Display(file), yaml.FormatError(err, false, true))
}

// sourceOf returns the offending lines as go-yaml draws them, without the message above them.
func sourceOf(err error) string {
	_, source, _ := strings.Cut(yaml.FormatError(err, false, true), "\n")
	return source
}

// splitFrontMatter keeps the opening line as a comment in matter, so that line numbers are those of the file.
func splitFrontMatter(text []byte) (matter, body []byte, err error) {
	rest, ok := bytes.CutPrefix(text, []byte("---\n"))
	if !ok {
		return nil, nil, errors.New("line 1 must be ---, the beginning of the front matter")
	}
	matter, body, ok = bytes.Cut(rest, []byte("\n---\n"))
	if !ok {
		return nil, nil, errors.New("the front matter has no end: a line ---")
	}
	return append([]byte("#\n"), matter...), bytes.TrimLeft(body, "\n"), nil
}

// ReadText reads a text file with the ends of lines that git keeps, whatever a checkout or an unpacked archive made of them.
func ReadText(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), err
}

// Display names a file of the workbook by its path from the root, with slashes; any other file keeps its name.
func Display(root, file string) string {
	if rel, err := filepath.Rel(root, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// Display names a file of the workbook by its path from the root.
func (k *Kata) Display(file string) string { return Display(k.root, file) }

// Readme returns README.md without its front matter.
func (k *Kata) Readme() (string, error) {
	text, err := ReadText(filepath.Join(k.Dir, "README.md"))
	if err != nil {
		return "", err
	}
	_, body, err := splitFrontMatter(text)
	if err != nil {
		return "", fmt.Errorf("%s/README.md: %w", k.Name, err)
	}
	return string(body), nil
}

// Section returns the part of the README under "### Test: …", without that heading.
// It is fs.ErrNotExist if the README has no such part.
func (k *Kata) Section(test string) (string, error) {
	body, err := k.Readme()
	if err != nil {
		return "", err
	}
	for _, s := range markdown.Sections(body) {
		if name, _, _ := strings.Cut(s.Title, ":"); s.Level == 3 && strings.TrimSpace(name) == test {
			return s.Text, nil
		}
	}
	return "", fmt.Errorf("%s/README.md has no section ### %s: …: %w", k.Name, test, fs.ErrNotExist)
}
