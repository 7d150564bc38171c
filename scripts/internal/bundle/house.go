package bundle

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"whyhow/scripts/internal/contract"
	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/workbook"
)

// Of returns what a workbook gives to those who solve the katas: stubs, visible tests and what these need, texts, go.mod and go.sum, the licence, the hints if they are
// wanted. A file may leave if SHA256SUMS lists it, it is as it is listed, and it is of a kind that may leave; a stub has to be a stub besides. The error names all files that
// should leave and may not, and has a hint. left are the files in the katas' folders that stay, for nothing lists them.
func Of(w *workbook.Workbook, katas []*workbook.Kata, hints bool) (b *Bundle, left []string, err error) {
	listed, err := w.Listed()
	if err != nil {
		return nil, nil, err
	}
	if len(listed) == 0 {
		return nil, nil, workbook.Errorf("git checkout -- "+workbook.SumsFile+" brings it back; make sums lists the files as they are", "without %s nobody knows what may leave the workbook", workbook.SumsFile)
	}
	h := &house{root: w.Root, hints: hints, katas: map[string]*workbook.Kata{}, listed: map[string]string{}, files: map[string][]byte{}}
	for _, l := range listed {
		h.listed[l.Path] = l.Sum
	}
	for _, k := range katas {
		if k.Err != nil {
			return nil, nil, k.Err
		}
		h.katas[k.Name] = k
	}
	h.needed()
	for _, l := range listed {
		switch kind := h.kind(l.Path); kind {
		case stays:
		case unknown:
			h.problem(l.Path, "it is of no kind that may leave: a kata has its stub, given.go, tests, testdata and README.md")
		default:
			h.take(l.Path, kind)
		}
	}
	h.packages()
	if len(h.stubs) > 0 {
		return nil, nil, workbook.Errorf("a fresh clone of the workbook has the stubs, and what is written here stays: make the export there",
			"no solution leaves the workbook, and these are stubs no longer:%s", lines(h.stubs))
	}
	if len(h.problems) > 0 {
		return nil, nil, workbook.Errorf("git checkout -- FILE brings one back; a change that is meant to leave is listed by make sums",
			"these files are not what the workbook lists in %s:%s", workbook.SumsFile, lines(h.problems))
	}
	b = &Bundle{}
	for name, data := range h.files {
		if err := b.Add(name, data); err != nil {
			return nil, nil, err
		}
	}
	left, err = h.left()
	return b, left, err
}

func lines(all []string) string { return "\n  " + strings.Join(all, "\n  ") }

// house is what may leave a workbook.
type house struct {
	root   string
	hints  bool
	katas  map[string]*workbook.Kata // by name
	listed map[string]string         // hashes by path

	files           map[string][]byte // what leaves
	stubs, problems []string          // a line each: no stubs any longer, and all else that keeps the rest from leaving
}

func (h *house) problem(name, format string, args ...any) {
	h.problems = append(h.problems, name+": "+fmt.Sprintf(format, args...))
}

// kind is what a file is to those who get it.
type kind int

const (
	unknown kind = iota // in a kata's folder, and nobody knows what it is there for
	stays
	stub // the learner's own file
	code // tests and given code
	text // all else: data, and what is read by people
)

// kind tells the kind of a listed file by its path. Packages are no kind of their own: they leave if something imports them.
func (h *house) kind(name string) kind {
	elements := strings.Split(name, "/")
	switch {
	case name == "go.mod" || name == "go.sum" || name == "LICENSE":
		return text
	case elements[0] == "hints" && len(elements) == 2:
		if h.hints && h.katas[strings.TrimSuffix(elements[1], ".md")] != nil {
			return text
		}
		return stays
	case elements[0] != "katas" || len(elements) < 3 || h.katas[elements[1]] == nil:
		return stays
	}
	k, base := h.katas[elements[1]], path.Base(name)
	switch {
	case elements[2] == "testdata" && len(elements) > 3:
		if isData(base) || base == "README.md" {
			return text
		}
	case len(elements) > 3:
		return stays // a package
	case base == k.Package+".go":
		return stub
	case base == "given.go" || strings.HasSuffix(base, "_test.go") && base != "hidden_test.go":
		return code
	case base == "README.md":
		return text
	}
	return unknown
}

func isData(base string) bool {
	return slices.Contains([]string{".json", ".csv", ".gz", ".txt"}, path.Ext(base))
}

// needed are the files without which a bundle is none.
func (h *house) needed() {
	want := []string{"go.mod"}
	for name, k := range h.katas {
		want = append(want, "katas/"+name+"/README.md", "katas/"+name+"/"+k.Package+".go", "katas/"+name+"/how_test.go")
		if h.hints {
			want = append(want, "hints/"+name+".md")
		}
	}
	slices.Sort(want)
	for _, name := range want {
		if h.listed[name] == "" {
			h.problem(name, "it is not listed")
		}
	}
}

// take has a file leave, or says why it may not.
func (h *house) take(name string, kind kind) {
	data, err := h.read(name)
	if err != nil {
		h.problem(name, "%v", err)
		return
	}
	if kind == stub {
		if written := notStub(data); written != "" {
			h.stubs = append(h.stubs, name+": "+written)
			return
		}
	}
	if sum := workbook.SumOf(data); sum != h.listed[name] {
		h.problem(name, "it is changed")
		return
	}
	if path.Ext(name) == ".go" {
		if err := h.openly(name, data); err != nil {
			h.problem(name, "%v", err)
			return
		}
	}
	h.files[name] = data
}

// read reads a regular file, behind no link.
func (h *house) read(name string) ([]byte, error) {
	at := h.root
	elements := strings.Split(name, "/")
	for i, e := range elements {
		at = filepath.Join(at, e)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, errors.New("it is gone")
		case err != nil:
			return nil, err
		case i < len(elements)-1 && !info.IsDir() || i == len(elements)-1 && !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s is a link, or no file", strings.Join(elements[:i+1], "/"))
		}
	}
	data, err := os.ReadFile(at)
	return workbook.Canonical(data), err
}

// notStub says what in a learner's file is written by now; "" if it is a stub: the body of every function is exactly its TODO, and there is no other function.
func notStub(source []byte) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		return "it does not parse"
	}
	var written []string
	literal := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if name := contract.FunctionName(n); !isTodo(n.Body, name) {
				written = append(written, name)
			}
			return false
		case *ast.FuncLit:
			literal = true
		}
		return true
	})
	switch {
	case len(written) > 0:
		return "it has code in " + strings.Join(written, ", ")
	case literal:
		return "it has code outside its functions"
	}
	return ""
}

// isTodo says whether a body is panic("TODO: name").
func isTodo(body *ast.BlockStmt, name string) bool {
	if body == nil || len(body.List) != 1 {
		return false
	}
	s, _ := body.List[0].(*ast.ExprStmt)
	if s == nil {
		return false
	}
	call, _ := s.X.(*ast.CallExpr)
	if call == nil || len(call.Args) != 1 {
		return false
	}
	fn, _ := call.Fun.(*ast.Ident)
	arg, _ := call.Args[0].(*ast.BasicLit)
	return fn != nil && fn.Name == "panic" && arg != nil && arg.Value == strconv.Quote("TODO: "+name)
}

// openly is nil for Go that everybody may build: no build constraint hides it, and it imports nothing of this module but what leaves with it.
func (h *house) openly(name string, source []byte) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if constraint.IsGoBuild(c.Text) || constraint.IsPlusBuild(c.Text) {
				return fmt.Errorf("it has a build constraint, as hidden tests have: %s", c.Text)
			}
		}
	}
	for _, p := range imports(f) {
		dir, own := strings.CutPrefix(p, workbook.Module+"/")
		if own && !h.mayImport(name, dir) {
			return fmt.Errorf("it imports %s, which stays", p)
		}
	}
	return nil
}

// mayImport says whether a file may import the package in dir: its own kata's, a package given below that, or one of kit.
func (h *house) mayImport(name, dir string) bool {
	from, to := strings.Split(name, "/"), strings.Split(dir, "/")
	return len(to) > 1 && to[0] == "katas" && (to[1] == from[1] || to[1] == "kit" && len(to) > 2)
}

func imports(f *ast.File) (paths []string) {
	for _, spec := range f.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// packages takes the packages that what leaves imports, and those that a solution may import: their code, what it embeds, and their README; not their tests.
func (h *house) packages() {
	var todo []string
	for _, k := range h.katas {
		todo = append(todo, gate.Imports(k)...)
	}
	add := func(source []byte) {
		if f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly); err == nil {
			todo = append(todo, imports(f)...)
		}
	}
	for name, data := range h.files {
		if path.Ext(name) == ".go" {
			add(data)
		}
	}
	done := map[string]bool{}
	for len(todo) > 0 {
		dir, own := strings.CutPrefix(todo[0], workbook.Module+"/")
		todo = todo[1:]
		if !own || done[dir] {
			continue
		}
		done[dir] = true
		for name := range h.listed {
			if path.Dir(name) != dir || h.files[name] != nil || strings.HasSuffix(name, "_test.go") || h.kind(name) != stays {
				continue
			}
			switch base := path.Base(name); {
			case path.Ext(base) == ".go":
				h.take(name, code)
				add(h.files[name])
			case isData(base) || base == "README.md":
				h.take(name, text)
			}
		}
	}
	slices.Sort(h.problems)
}

// left are the files in the katas' folders that nothing lists.
func (h *house) left() (all []string, err error) {
	for name := range h.katas {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(h.root, "katas", name), func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && h.listed[workbook.Display(h.root, file)] == "" {
				all = append(all, workbook.Display(h.root, file))
			}
			return err
		}))
	}
	slices.Sort(all)
	return all, err
}
