// Package gate reads a learner's file before anything compiles it, and says what in it reaches beyond the kata: files, processes, memory that is
// not its own, the arithmetic of others, the verdict. It judges the text alone; what passes it still runs in a sandbox.
package gate

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"whyhow/scripts/internal/workbook"
)

// Largest is how many bytes a learner's file may have.
const Largest = 256 << 10

// Violation is a rule that a file breaks.
type Violation struct {
	Line    int    // from 1; 0: the whole file
	Message string // the rule, and what to use instead
}

func (v Violation) String() string {
	if v.Line == 0 {
		return v.Message
	}
	return fmt.Sprintf("line %d: %s", v.Line, v.Message)
}

// Read reads a learner's file for the gate: a regular file, no link, of at most Largest bytes.
func Read(file string) ([]byte, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, fmt.Errorf("%s changed while it was opened", file)
	}
	source, err := io.ReadAll(io.LimitReader(f, Largest+1))
	if err == nil && len(source) > Largest {
		err = fmt.Errorf("%s has more than %d KiB", file, Largest>>10)
	}
	return source, err
}

// Check returns the rules that a learner's file for the kata breaks, in the order of their lines. An error means that the file is no Go: the
// compiler says more.
func Check(k *workbook.Kata, source []byte) ([]Violation, error) {
	if len(source) > Largest {
		return []Violation{{0, fmt.Sprintf("the file has %d KiB, more than %d", len(source)>>10, Largest>>10)}}, nil
	}
	if !utf8.Valid(source) {
		return []Violation{{0, "the file is not UTF-8: save it as UTF-8 text"}}, nil
	}
	c := checker{fset: token.NewFileSet(), kata: k, allowed: map[string]bool{}}
	f, err := parser.ParseFile(c.fset, k.Package+".go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, first(err)
	}
	for _, p := range slices.Concat(everywhere, k.Allow) {
		c.allowed[p] = true
	}
	c.file(f)
	slices.SortStableFunc(c.found, func(a, b Violation) int { return a.Line - b.Line })
	return c.found, nil
}

// first is the first of the errors of a scanner or parser.
func first(err error) error {
	if list := scanner.ErrorList(nil); errors.As(err, &list) && len(list) > 0 {
		return list[0]
	}
	return err
}

// everywhere are the packages that every kata may import: what numeric code needs, and nothing that leaves the process.
var everywhere = []string{
	"bytes", "cmp", "errors", "fmt", "io", "iter", "maps", "math", "math/big", "math/bits", "math/cmplx", "math/rand/v2", "regexp", "slices", "sort",
	"strconv", "strings", "unicode", "unicode/utf8",
	"gonum.org/v1/gonum/blas", "gonum.org/v1/gonum/blas/blas64", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/mat", "gonum.org/v1/gonum/stat",
	workbook.Module + "/katas/kit/tensor",
}

// Imports are the packages that a submission for the kata may import, besides those that the kata gives.
func Imports(k *workbook.Kata) []string {
	return slices.DeleteFunc(slices.Concat(everywhere, k.Allow), func(p string) bool { return p == Goroutines })
}

// Goroutines, in a kata's front matter, allows goroutines, channels and select.
const Goroutines = "goroutines"

// instead says what to use in the place of a package.
var instead = map[string]string{
	"C":                        "cgo calls code that is not Go",
	"context":                  "this kata needs no context",
	"embed":                    "a kata reads no files",
	"io/ioutil":                "a kata reads no files",
	"log":                      "return an error, or panic where the comment says so",
	"math/rand":                "use math/rand/v2, or the generator that the function gets",
	"net":                      "a kata opens no connections",
	"os":                       "a kata reads no files and no environment",
	"os/exec":                  "a kata starts no programs",
	"plugin":                   "a kata loads no code",
	"reflect":                  "write it for the type that the function gets; generics may help",
	"runtime":                  "a kata does not depend on how it is run",
	"runtime/debug":            "a kata does not depend on how it is run",
	"sync":                     "this kata needs no goroutines",
	"sync/atomic":              "this kata needs no goroutines",
	"syscall":                  "a kata makes no system calls",
	"testing":                  "the tests are the kata's",
	"time":                     "a kata does not depend on time",
	"unsafe":                   "index the slice that you have; math.Float64bits gives the bits of a number",
	"github.com/google/go-cmp": "compare with ==, slices.Equal or mat.Equal",
}

// forbidden are functions and variables of packages that may be imported. A name that ends with * stands for all that begin so.
var forbidden = map[string][]string{
	"fmt":                            {"Print*", "Fprint*", "Scan*", "Fscan*"},
	"gonum.org/v1/gonum/blas/blas64": {"Use"},
}

var why = map[string]string{
	"fmt":                            "a kata returns what it finds; kata test -v shows what it prints, but a submission prints nothing",
	"gonum.org/v1/gonum/blas/blas64": "it would replace the arithmetic that the tests use too",
}

type checker struct {
	fset    *token.FileSet
	kata    *workbook.Kata
	allowed map[string]bool // imports, and Goroutines
	found   []Violation
}

func importPath(spec *ast.ImportSpec) string {
	p, _ := strconv.Unquote(spec.Path.Value)
	return p
}

func (c *checker) say(at token.Pos, format string, args ...any) {
	c.found = append(c.found, Violation{c.fset.PositionFor(at, false).Line, fmt.Sprintf(format, args...)})
}

func (c *checker) file(f *ast.File) {
	if f.Name.Name != c.kata.Package {
		c.say(f.Name.Pos(), "the file is package %s: make it package %s", f.Name.Name, c.kata.Package)
	}
	c.comments(f)
	for _, spec := range f.Imports {
		c.imported(spec)
	}
	uses := c.uses(f)
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			c.function(fn, uses)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		c.node(n, uses)
		return true
	})
}

// comments finds those that tell the compiler something.
func (c *checker) comments(f *ast.File) {
	for _, group := range f.Comments {
		for _, comment := range group.List {
			text := comment.Text
			for _, directive := range []string{"//go:", "//line ", "/*line ", "//export ", "//+build", "// +build", "//extern "} {
				if strings.HasPrefix(text, directive) {
					word, _, _ := strings.Cut(strings.TrimSpace(text[2:]), " ")
					c.say(comment.Pos(), "the comment %s%s speaks to the compiler: a kata needs none of these", text[:2], word)
				}
			}
		}
	}
}

func (c *checker) imported(spec *ast.ImportSpec) {
	p := importPath(spec)
	if spec.Name != nil && spec.Name.Name == "." {
		c.say(spec.Pos(), "import %s with its name: a dot hides where names come from", p)
		return
	}
	if c.allowed[p] || strings.HasPrefix(p, workbook.Module+"/katas/"+c.kata.Name+"/") {
		return
	}
	reason := instead[p]
	switch root, _, _ := strings.Cut(p, "/"); {
	case reason != "":
	case strings.HasPrefix(p, workbook.Module+"/solutions"):
		reason = "it holds the answers"
	case root == workbook.Module:
		reason = "it judges, or belongs to another kata"
	case strings.Contains(root, "."):
		reason = "the standard library and gonum's mat, floats and stat are there"
	default:
		reason = "a kata computes, and reaches nothing outside"
	}
	c.say(spec.Pos(), "a submission may not import %s: %s", p, reason)
}

// uses resolves the names of the file, as far as that goes without its imports: it tells a package from a variable of the same name, and a
// builtin function from one of the file's.
func (c *checker) uses(f *ast.File) map[*ast.Ident]types.Object {
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: nameless{}, Error: func(error) {}, DisableUnusedImportCheck: true}
	_, _ = config.Check(c.kata.Package, c.fset, []*ast.File{f}, &info) // what is wrong with the types, the compiler says
	return info.Uses
}

// nameless imports every package, empty.
type nameless struct{}

func (nameless) Import(p string) (*types.Package, error) {
	if p == "unsafe" {
		return types.Unsafe, nil
	}
	name := path.Base(p)
	if strings.HasPrefix(name, "v") && strings.Trim(name[1:], "0123456789") == "" {
		name = path.Base(path.Dir(p)) // math/rand/v2 is package rand
	}
	pkg := types.NewPackage(p, name)
	pkg.MarkComplete()
	return pkg, nil
}

func (c *checker) function(fn *ast.FuncDecl, uses map[*ast.Ident]types.Object) {
	if fn.Body == nil {
		c.say(fn.Pos(), "%s has no body: write it in Go", fn.Name.Name)
		return
	}
	if fn.Recv == nil && fn.Name.Name == "init" {
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			c.initial(n, uses)
			return true
		})
	}
}

// initial finds what an init function may not do: it may fill tables.
func (c *checker) initial(n ast.Node, uses map[*ast.Ident]types.Object) {
	const fills = "init may fill tables, and nothing else"
	switch n := n.(type) {
	case *ast.ForStmt:
		if n.Cond == nil {
			c.say(n.Pos(), "this loop has no condition: %s", fills)
		}
	case *ast.DeferStmt:
		c.say(n.Pos(), "defer: %s", fills)
	case *ast.Ident:
		if b, ok := uses[n].(*types.Builtin); ok && (b.Name() == "panic" || b.Name() == "recover") {
			c.say(n.Pos(), "%s: %s", b.Name(), fills)
		}
	}
}

func (c *checker) node(n ast.Node, uses map[*ast.Ident]types.Object) {
	switch n := n.(type) {
	case *ast.Ident:
		if b, ok := uses[n].(*types.Builtin); ok && (b.Name() == "print" || b.Name() == "println") {
			c.say(n.Pos(), "%s writes to standard error: a kata returns what it finds", b.Name())
		}
	case *ast.SelectorExpr:
		c.selector(n, uses)
	case *ast.GoStmt:
		c.concurrent(n.Pos(), "go")
	case *ast.ChanType:
		c.concurrent(n.Pos(), "chan")
	case *ast.SelectStmt:
		c.concurrent(n.Pos(), "select")
	case *ast.SendStmt:
		c.concurrent(n.Pos(), "<-")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			c.concurrent(n.Pos(), "<-")
		}
	}
}

func (c *checker) concurrent(at token.Pos, word string) {
	if !c.allowed[Goroutines] {
		c.say(at, "%s: this kata needs no goroutines and no channels; compute it in a loop", word)
	}
}

func (c *checker) selector(n *ast.SelectorExpr, uses map[*ast.Ident]types.Object) {
	x, ok := n.X.(*ast.Ident)
	if !ok {
		return
	}
	pkg, ok := uses[x].(*types.PkgName)
	if !ok {
		return
	}
	p := pkg.Imported().Path()
	for _, name := range forbidden[p] {
		start, all := strings.CutSuffix(name, "*")
		if n.Sel.Name == name || all && strings.HasPrefix(n.Sel.Name, start) {
			c.say(n.Pos(), "%s.%s: %s", x.Name, n.Sel.Name, why[p])
		}
	}
}
