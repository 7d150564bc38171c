package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"whyhow/scripts/internal/contract"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

const fewestMistakes = 6

// longestMistake is the CPU time that a how step may take on a mistake. Some never end; the others need the time to say what they are, and one that
// fills the memory takes three seconds to be found.
const longestMistake = 6 * time.Second

// mistakes checks that every planted mistake applies, compiles, makes its step fail and gets its diagnosis, and no other's.
func (p *proof) mistakes(ctx context.Context) error {
	file := filepath.Join(p.kata.SolutionDir(), "mistakes.yaml")
	all, err := p.kata.Mistakes()
	if !p.check(err == nil, file, "%v", missing(err)) {
		return nil
	}
	p.Mistakes = len(all)
	p.check(len(all) >= fewestMistakes, file, "it has %d mistakes: plant at least %d", len(all), fewestMistakes)
	for _, s := range p.kata.Steps {
		planted := slices.ContainsFunc(all, func(m workbook.Mistake) bool { return m.Step == s.Test })
		p.check(s.Kind == workbook.Why || planted, file, "no mistake for the how step %s: plant one", s.Test)
	}
	reference, err := workbook.ReadText(p.kata.Reference())
	if err != nil {
		return nil // contract says so
	}
	if p.wrong {
		p.Skipped = append(p.Skipped, p.display(file)+": no planted mistake is run before the reference passes the how steps")
		return nil
	}
	checker := p.newChecker()
	var sound []planted
	for _, m := range all {
		at := fmt.Sprintf("line %d: mistake %q: ", m.Line, m.Name)
		source, err := Apply(reference, m)
		if !p.check(err == nil, file, at+"%v", err) {
			continue
		}
		if err := checker.check(source); !p.check(err == nil, file, at+"it does not compile: %v", err) {
			continue
		}
		sound = append(sound, planted{Mistake: m, source: source})
	}
	if len(sound) == 0 {
		return nil
	}
	p.quiet.RLock()
	defer p.quiet.RUnlock()
	return p.runMistakes(ctx, reference, sound, func(m workbook.Mistake, r *gotest.Report) { p.diagnosed(file, all, m, r) })
}

// planted is a mistake with the reference that it was planted in.
type planted struct {
	workbook.Mistake
	source []byte
	extra  string // declarations that its function needs; source has them
}

// runMistakes runs every mistake, all from one build, and from the same the hidden tests on what is half done. If that fails, each mistake is built alone.
func (p *proof) runMistakes(ctx context.Context, reference []byte, all []planted, done func(workbook.Mistake, *gotest.Report)) error {
	variants := make([]gotest.Variant, len(all))
	for i, m := range all {
		variants[i] = variant(i)
		variants[i].Only = p.stepsFor(m)
	}
	halves, unwritten := p.halfDone(reference)
	for _, h := range halves {
		variants = append(variants, h.Variant)
	}
	together, err := combine(reference, all, unwritten)
	if err == nil {
		options := gotest.Options{Limit: longestMistake, Hidden: len(halves) > 0}
		failed, err := p.runner.Variants(ctx, p.kata, gotest.Subject{Name: "mistakes", Source: together}, options, variants, func(i int, r *gotest.Report) {
			if i < len(all) {
				done(all[i].Mistake, r)
			} else {
				p.enough(halves[i-len(all)], r)
			}
		})
		if err != nil || failed == nil {
			return err
		}
	}
	for _, m := range all {
		report, err := p.runner.Run(ctx, p.kata, gotest.Subject{Name: "mistake: " + m.Name, Source: m.source}, gotest.Options{NoVet: true, Limit: longestMistake, Only: p.stepsFor(m)}, nil)
		if err != nil {
			return err
		}
		done(m.Mistake, report)
	}
	return nil
}

// stepsFor returns the steps that a mistake runs: all how steps, and its own.
func (p *proof) stepsFor(m planted) (tests []string) {
	for _, s := range p.kata.Steps {
		if s.Kind == workbook.How || s.Test == m.Step {
			tests = append(tests, s.Test)
		}
	}
	return tests
}

// diagnosed checks that a mistake's step failed and said what it is, and that nothing said it is another one.
func (p *proof) diagnosed(file string, all []workbook.Mistake, m workbook.Mistake, r *gotest.Report) {
	at := fmt.Sprintf("line %d: mistake %q: ", m.Line, m.Name)
	if r.Build != nil {
		p.check(false, file, at+"it does not compile: %v", r.Build.First())
		return
	}
	var taken []string
	for _, s := range r.Steps {
		said := flat(s.Text())
		if s.Test == m.Step {
			caught := s.Status == gotest.Fail || s.Status == gotest.Crash || s.Status == gotest.Timeout
			if p.check(caught, file, at+"%s is %s: it must fail", s.Test, s.Status) {
				p.check(strings.Contains(said, flat(m.Says)), file, at+"%s does not print %q%s", s.Test, m.Says, indent(s.Text()))
			}
		}
		for _, other := range all {
			if flat(other.Says) != flat(m.Says) && strings.Contains(said, flat(other.Says)) {
				taken = append(taken, fmt.Sprintf("%s prints %q, what mistake %q must print", s.Test, other.Says, other.Name))
			}
		}
	}
	p.check(len(taken) == 0, file, at+"it is taken for another one: %s", strings.Join(taken, "; "))
}

// flat makes a text independent of how it was broken into lines.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// Apply plants a mistake in the reference. Every find must occur exactly once in the mistake's function, whose indentation is ignored, and no
// two may overlap.
func Apply(reference []byte, m workbook.Mistake) ([]byte, error) {
	f, err := parseSource(reference)
	if err != nil {
		return nil, fmt.Errorf("the reference does not parse: %w", err)
	}
	fn := f.function(m.In)
	if fn == nil {
		return nil, fmt.Errorf("the reference has no function %s", m.In)
	}
	start, end := f.offset(fn.Pos()), f.offset(fn.End())
	text, origin := stripIndentation(string(reference[start:end]))
	var edits []splice
	for _, e := range m.Edits {
		find, _ := stripIndentation(strings.TrimRight(e.Find, "\n"))
		if n := strings.Count(text, find); n != 1 {
			return nil, fmt.Errorf("find %q occurs %d times in %s: it must occur once", e.Find, n, m.In)
		}
		i := strings.Index(text, find)
		edits = append(edits, splice{from: start + origin[i], to: start + origin[i+len(find)], with: strings.TrimRight(e.Replace, "\n")})
	}
	slices.SortFunc(edits, func(a, b splice) int { return a.from - b.from })
	for i := 1; i < len(edits); i++ {
		if edits[i].from < edits[i-1].to {
			return nil, errors.New("two of its edits overlap")
		}
	}
	return append(spliced(reference, edits), "\n"+m.Declare+"\n"...), nil
}

func parseSource(source []byte) (goFile, error) {
	f := goFile{fset: token.NewFileSet(), source: source}
	var err error
	f.File, err = parser.ParseFile(f.fset, "", source, parser.SkipObjectResolution)
	return f, err
}

func (f goFile) function(name string) *ast.FuncDecl {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && contract.FunctionName(fn) == name {
			return fn
		}
	}
	return nil
}

// stripIndentation drops the blanks that begin each line. origin[i] is where byte i of the result was; it has one more
// element, for the end.
func stripIndentation(s string) (stripped string, origin []int) {
	var b strings.Builder
	beginning := true
	for i := range len(s) {
		if beginning && (s[i] == ' ' || s[i] == '\t') {
			continue
		}
		beginning = s[i] == '\n'
		b.WriteByte(s[i])
		origin = append(origin, i)
	}
	return b.String(), append(origin, len(s))
}

// mistakeVariable names the mistake that a combined program makes.
const mistakeVariable = "KATA_MISTAKE"

// variant is the run of a combined program that makes mistake i.
func variant(i int) gotest.Variant {
	return gotest.Variant{Name: strconv.Itoa(i), Env: []string{fmt.Sprintf("%s=%d", mistakeVariable, i)}}
}

// combine returns one program that makes the mistake whose index stands in its environment, and is the reference where there is none. A function with mistakes
// gets a copy for each, under another name, and begins by calling the one that is asked for. A function that is unwritten where one of some other values stands
// in the environment is a stub there.
func combine(reference []byte, all []planted, unwritten map[string][]string) ([]byte, error) {
	f, err := parseSource(reference)
	if err != nil {
		return nil, err
	}
	cases, copies := map[string]string{}, "\n\nvar kataMistake = kataos.Getenv(\""+mistakeVariable+"\")\n"
	for i, m := range all {
		changed, err := parseSource(m.source)
		if err != nil {
			return nil, err
		}
		fn := changed.function(m.In)
		if fn == nil || f.function(m.In) == nil {
			return nil, fmt.Errorf("%s is gone", m.In)
		}
		cases[m.In] += fmt.Sprintf("case \"%d\": %s; ", i, f.forward(f.function(m.In), copyName(i)))
		text, name := changed.text(fn), changed.offset(fn.Name.Pos())-changed.offset(fn.Pos())
		copies += "\n" + text[:name] + copyName(i) + text[name+len(fn.Name.Name):] + "\n" + m.Declare + "\n" + m.extra
	}
	for in, values := range unwritten {
		cases[in] += fmt.Sprintf("case %s: panic(%q); ", strings.Join(quoted(values), ", "), "TODO: "+in)
	}
	name := f.offset(f.Name.End())
	edits := []splice{insertion(name, `; import kataos "os"`)}
	for in, calls := range cases {
		fn := f.function(in)
		edits = append(edits, insertion(f.offset(fn.Body.Lbrace)+1, " switch kataMistake { "+calls+"}; "))
		edits = append(edits, f.nameless(fn)...)
	}
	return append(spliced(reference, edits), copies...), nil
}

func quoted(all []string) (out []string) {
	for _, s := range all {
		out = append(out, strconv.Quote(s))
	}
	return out
}

func copyName(i int) string { return fmt.Sprintf("kataMistake%d", i) }

// forward returns the statement by which fn hands its arguments on to callee, a copy of it.
func (f goFile) forward(fn *ast.FuncDecl, callee string) string {
	if fn.Recv != nil {
		callee = f.parameters(fn.Recv)[0] + "." + callee
	}
	if fn.Type.TypeParams != nil {
		var types []string
		for _, field := range fn.Type.TypeParams.List {
			for _, n := range field.Names {
				types = append(types, n.Name)
			}
		}
		callee += "[" + strings.Join(types, ", ") + "]"
	}
	arguments := f.parameters(fn.Type.Params)
	if n := len(fn.Type.Params.List); n > 0 {
		if _, variadic := fn.Type.Params.List[n-1].Type.(*ast.Ellipsis); variadic {
			arguments[len(arguments)-1] += "..."
		}
	}
	call := callee + "(" + strings.Join(arguments, ", ") + ")"
	if fn.Type.Results == nil {
		return call + "; return"
	}
	return "return " + call
}

// parameters returns the names of the parameters; those without get one of their own.
func (f goFile) parameters(fields *ast.FieldList) (names []string) {
	for _, field := range fields.List {
		if len(field.Names) == 0 {
			names = append(names, fmt.Sprintf("kata%d", f.offset(field.Type.Pos())))
		}
		for _, n := range field.Names {
			name := n.Name
			if name == "_" {
				name = fmt.Sprintf("kata%d", f.offset(n.Pos()))
			}
			names = append(names, name)
		}
	}
	return names
}

// nameless gives the parameters of fn without a name the one that parameters calls them by.
func (f goFile) nameless(fn *ast.FuncDecl) (edits []splice) {
	for _, fields := range []*ast.FieldList{fn.Recv, fn.Type.Params} {
		if fields == nil {
			continue
		}
		for _, field := range fields.List {
			if at := f.offset(field.Type.Pos()); len(field.Names) == 0 {
				edits = append(edits, insertion(at, fmt.Sprintf("kata%d ", at)))
			}
			for _, n := range field.Names {
				if at := f.offset(n.Pos()); n.Name == "_" {
					edits = append(edits, splice{from: at, to: at + 1, with: fmt.Sprintf("kata%d", at)})
				}
			}
		}
	}
	return edits
}

// checker compiles a reference with a mistake as far as its types: to link each would take the better part of a minute a kata.
type checker struct {
	fset     *token.FileSet
	packages types.Importer
	name     string
	others   []*ast.File // the further files of the kata, compiled with either
}

func (p *proof) newChecker() *checker {
	c := &checker{fset: token.NewFileSet(), name: p.kata.Package}
	c.packages = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		file, ok := p.imports[path]
		if !ok || file == "" {
			return nil, fmt.Errorf("package %s is not one that the solutions import, or does not compile", path)
		}
		return os.Open(file)
	})
	for _, file := range workbook.Files(p.kata.Dir, "*.go") {
		if file == p.kata.File || strings.HasSuffix(file, "_test.go") {
			continue
		}
		if f, err := parser.ParseFile(c.fset, file, nil, parser.SkipObjectResolution); err == nil {
			c.others = append(c.others, f)
		}
	}
	return c
}

func (c *checker) check(source []byte) error {
	f, err := parser.ParseFile(c.fset, "", source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	return c.types(f, nil, nil)
}

// types checks the types of a file with the others of its kata. Every error goes to found, which may be nil.
func (c *checker) types(f *ast.File, info *types.Info, found func(error)) error {
	config := types.Config{Importer: c.packages, Error: found}
	_, err := config.Check(c.name, c.fset, append(slices.Clone(c.others), f), info)
	return err
}

// exports returns the compiled form of every package that the katas and their solutions import, by its path. It is compiled as the tests are.
func exports(ctx context.Context, r *gotest.Runner, katas []*workbook.Kata) (map[string]string, error) {
	args := []string{"list", "-e", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, k := range katas {
		for _, folder := range []string{"katas", "solutions"} {
			if _, err := os.Stat(filepath.Join(r.Root, folder, k.Name)); err == nil {
				args = append(args, "./"+folder+"/"+k.Name)
			}
		}
	}
	cmd := r.Go(ctx, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export: %w\n%s", err, stderr.String())
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		all[path] = file
	}
	return all, nil
}
