package proof

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"whyhow/scripts/internal/contract"
	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// tests checks the test files against the front matter and the rules of CONTRIBUTING.md.
func (p *proof) tests() {
	files := workbook.Files(p.kata.Dir, "*_test.go")
	hidden := p.kata.HiddenTest()
	if _, err := os.Stat(hidden); p.check(err == nil, hidden, "%v", missing(err)) {
		files = append(files, hidden)
		text, _ := workbook.ReadText(hidden)
		p.check(bytes.HasPrefix(text, []byte("//go:build hidden\n")), hidden, "line 1 must be //go:build hidden")
	}
	found := map[string][]string{}
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, file := range files {
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if !p.check(err == nil, file, "it does not parse: %v", err) {
			continue
		}
		parsed = append(parsed, f)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && gotest.IsTest(fn) {
				found[file] = append(found[file], fn.Name.Name)
			}
		}
	}
	how, why := filepath.Join(p.kata.Dir, "how_test.go"), filepath.Join(p.kata.Dir, "why_test.go")
	for _, part := range []struct {
		file string
		kind workbook.Kind
	}{{how, workbook.How}, {why, workbook.Why}} {
		var want []string
		for _, s := range p.kata.Steps {
			if s.Kind == part.kind {
				want = append(want, s.Test)
			}
		}
		p.check(len(want) > 0, part.file, "the front matter lists no %s step", part.kind)
		p.check(slices.Equal(found[part.file], want), part.file, "its test functions are %v, the %s steps of the front matter are %v: make them the same, in the same order",
			found[part.file], part.kind, want)
		delete(found, part.file)
	}
	p.check(slices.IsSortedFunc(p.kata.Steps, func(a, b workbook.Step) int {
		return cmp.Compare(slices.Index(workbook.Kinds, a.Kind), slices.Index(workbook.Kinds, b.Kind))
	}),
		filepath.Join(p.kata.Dir, "README.md"), "a how step stands after a why step: list how steps first")
	if len(found[hidden]) > 0 {
		if f, ok := p.parse(hidden); ok {
			p.hiddenSteps(f)
		}
	} else {
		p.check(false, hidden, "it has no test function")
	}
	delete(found, hidden)
	for file, tests := range found {
		p.check(len(tests) == 0, file, "%v stand here: move test functions to how_test.go or why_test.go", tests)
	}
	for _, f := range parsed {
		p.rescued(fset, f, parsed)
	}
}

// rescued checks that every test function, every function literal of a subtest's type and every function that is handed
// to Run by its name begins with defer check.Rescue on its own t, and that no check takes a stub's panic for an answer.
func (p *proof) rescued(fset *token.FileSet, f *ast.File, all []*ast.File) {
	file := fset.Position(f.Pos()).Filename
	require := func(name string, t *ast.FuncType, body *ast.BlockStmt, at token.Pos) {
		own := parameter(t)
		p.check(own != "" && own != "_" && len(body.List) > 0 && isRescue(body.List[0], own), file,
			"line %d: %s must begin with: defer check.Rescue(%s)", fset.Position(at).Line, name, orT(own))
	}
	byName := func(name string) {
		for _, other := range all {
			for _, d := range other.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == name && fn.Body != nil && subtest(fn.Type) && !gotest.IsTest(fn) {
					require("func "+name+", which is run as a subtest,", fn.Type, fn.Body, fn.Pos())
				}
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if gotest.IsTest(n) {
				require("func "+n.Name.Name, n.Type, n.Body, n.Pos())
			}
		case *ast.FuncLit:
			if subtest(n.Type) {
				require("the function of this subtest", n.Type, n.Body, n.Pos())
			}
		case *ast.CallExpr:
			selector, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			if selector.Sel.Name == "Run" && len(n.Args) == 2 {
				switch arg := n.Args[1].(type) {
				case *ast.Ident:
					byName(arg.Name)
				case *ast.SelectorExpr:
					byName(arg.Sel.Name)
				}
			}
			if pkg, ok := selector.X.(*ast.Ident); ok && (pkg.Name == "require" || pkg.Name == "assert") && strings.HasPrefix(selector.Sel.Name, "Panics") {
				p.check(false, file, "line %d: %s.%s passes on a stub: use check.Panics", fset.Position(n.Pos()).Line, pkg.Name, selector.Sel.Name)
			}
		}
		return true
	})
}

// subtest says whether t is func(*testing.T).
func subtest(t *ast.FuncType) bool {
	if t.Results != nil || t.Params.NumFields() != 1 {
		return false
	}
	star, ok := t.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	selector, ok := star.X.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "T"
}

func parameter(t *ast.FuncType) string {
	if t.Params.NumFields() != 1 || len(t.Params.List[0].Names) != 1 {
		return ""
	}
	return t.Params.List[0].Names[0].Name
}

func orT(name string) string {
	if name == "" || name == "_" {
		return "t"
	}
	return name
}

func isRescue(s ast.Stmt, t string) bool {
	d, ok := s.(*ast.DeferStmt)
	if !ok || len(d.Call.Args) != 1 {
		return false
	}
	arg, ok := d.Call.Args[0].(*ast.Ident)
	selector, isSelector := d.Call.Fun.(*ast.SelectorExpr)
	if !ok || !isSelector || arg.Name != t || selector.Sel.Name != "Rescue" {
		return false
	}
	pkg, ok := selector.X.(*ast.Ident)
	return ok && pkg.Name == "check"
}

// contract checks the form of the stub, and the reference against the stub.
func (p *proof) contract() {
	stub, ok := p.parse(p.kata.File)
	if !ok {
		return
	}
	formatted, err := format.Source(stub.source)
	p.check(err == nil && bytes.Equal(formatted, stub.source), p.kata.File, "it is not gofmt-clean: run gofmt -w on it")
	for _, d := range stub.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			name := contract.FunctionName(fn)
			want := fmt.Sprintf("{\n\tpanic(%q)\n}", "TODO: "+name)
			p.check(fn.Body != nil && stub.text(fn.Body) == want, p.kata.File, "the body of %s must be exactly panic(%q)", name, "TODO: "+name)
		}
	}
	if how, ok := p.parse(filepath.Join(p.kata.Dir, "how_test.go")); ok {
		p.independent(stub, how)
	}
	reference, ok := p.parse(p.kata.Reference())
	if !ok {
		return
	}
	p.conventions(stub, reference)
	want, got := contract.Exported(contract.Of(stub.fset, stub.File)), contract.Exported(contract.Of(reference.fset, reference.File))
	for _, w := range want {
		p.check(strings.TrimSpace(w.Doc) != "", p.kata.File, "%s has no doc comment", w.Name)
		i := slices.IndexFunc(got, func(g contract.Declaration) bool { return g.Name == w.Name })
		if !p.check(i >= 0, p.kata.Reference(), "%s of the stub is missing", w.Name) {
			continue
		}
		p.check(got[i].Text == w.Text, p.kata.Reference(), "%s differs from the stub's: it must be\n    %s", w.Name, strings.ReplaceAll(w.Text, "\n", "\n    "))
		p.check(got[i].Doc == w.Doc, p.kata.Reference(), "the doc comment of %s differs from the stub's", w.Name)
	}
	for _, g := range got {
		p.check(slices.ContainsFunc(want, func(w contract.Declaration) bool { return w.Name == g.Name }), p.kata.Reference(),
			"%s is exported, and the stub has no such name", g.Name)
	}
}

// goFile is a parsed file with its source.
type goFile struct {
	*ast.File
	fset   *token.FileSet
	source []byte
}

func (p *proof) parse(file string) (goFile, bool) {
	source, err := workbook.ReadText(file)
	if !p.check(err == nil, file, "%v", missing(err)) {
		return goFile{}, false
	}
	f := goFile{fset: token.NewFileSet(), source: source}
	f.File, err = parser.ParseFile(f.fset, file, source, parser.ParseComments|parser.SkipObjectResolution)
	return f, p.check(err == nil, file, "it does not parse: %v", err)
}

func (f goFile) offset(pos token.Pos) int { return f.fset.Position(pos).Offset }

func (f goFile) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

// gate checks that what a learner is given and every right answer may be submitted.
func (p *proof) gate() {
	files := []string{p.kata.File, p.kata.Reference()}
	if all, err := p.kata.Alternatives(); err == nil { // else alternatives says so
		for _, a := range all {
			files = append(files, a.File)
		}
	}
	for _, file := range files {
		source, err := gate.Read(file)
		if err != nil {
			continue // contract and alternatives say so
		}
		broken, err := gate.Check(p.kata, source)
		if err != nil {
			continue // it does not compile: others say so
		}
		var lines []string
		for _, v := range broken {
			lines = append(lines, v.String())
		}
		p.check(len(broken) == 0, file, "it could not be submitted: %s", strings.Join(lines, "; "))
	}
}
