package proof

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// hiding is a how step and its hidden test.
type hiding struct{ step, test string }

// unhidden is a comment by which a hidden test says why a how step has none.
var unhidden = regexp.MustCompile(`^//kata:nohidden (\S+) because (\S+ \S+ \S+.*)`)

// howSteps returns the tests of the how steps, in their order.
func (p *proof) howSteps() (tests []string) {
	for _, s := range p.kata.Steps {
		if s.Kind == workbook.How {
			tests = append(tests, s.Test)
		}
	}
	return tests
}

// hiddenSteps holds that every hidden test belongs to a how step, and that every how step has one or a reason for having none.
func (p *proof) hiddenSteps(f goFile) {
	file, steps := p.kata.HiddenTest(), p.howSteps()
	excused := map[string]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "//kata:nohidden") {
				continue
			}
			m := unhidden.FindStringSubmatch(c.Text)
			line := f.fset.Position(c.Pos()).Line
			if p.check(m != nil, file, "line %d: write //kata:nohidden, the how step, because, and why it has no hidden test", line) {
				p.check(slices.Contains(steps, m[1]), file, "line %d: %s is no how step", line, m[1])
				excused[m[1]] = true
			}
		}
	}
	hidden := map[string]string{}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && gotest.IsTest(fn) {
			s := gotest.Step{Test: fn.Name.Name, Kind: workbook.Hidden}
			p.check(strings.HasPrefix(s.Test, "TestHidden") && slices.Contains(steps, s.Of()), file, "%s belongs to no how step: the hidden test of TestX is TestHiddenX", s.Test)
			hidden[s.Of()] = s.Test
		}
	}
	for _, step := range steps {
		test, ok := hidden[step]
		if ok {
			p.hiding = append(p.hiding, hiding{step, test})
		}
		p.check(ok || excused[step], file, "there is no hidden test for the how step %s: write one, or say //kata:nohidden %s because …", step, step)
		p.check(!ok || !excused[step], file, "%s has a hidden test and a reason for having none: one of them is wrong", step)
	}
}

// half is the run of a step's hidden test on a reference in which that step and those before it are written, and the others are stubs.
type half struct {
	hiding
	gotest.Variant
}

// halfDone returns a run for each hidden test, and the values of the environment where each function is unwritten.
func (p *proof) halfDone(reference []byte) (halves []half, unwritten map[string][]string) {
	first, err := p.firstAsked(reference)
	if err != nil {
		return nil, nil // others say what does not parse
	}
	unwritten = map[string][]string{}
	steps := p.howSteps()
	for _, h := range p.hiding {
		own := slices.Index(steps, h.step)
		value := "up to " + h.step
		for function, step := range first {
			if step > own {
				unwritten[function] = append(unwritten[function], value)
			}
		}
		v := gotest.Variant{Name: value, Env: []string{mistakeVariable + "=" + value}, Only: []string{h.test}}
		halves = append(halves, half{h, v})
	}
	return halves, unwritten
}

// enough checks that a hidden test passes where its step and those before it are written.
func (p *proof) enough(h half, r *gotest.Report) {
	s := r.Steps[0]
	p.check(s.Status == gotest.Pass, p.kata.HiddenTest(), "%s does not pass (%s) where only %s and the steps before it are written: call no more than these ask for%s",
		h.test, s.Status, h.step, indent(s.Text()))
}

// LeastNoticed is the share of a step's planted mistakes that its hidden test must notice alone.
const LeastNoticed = 2. / 3

// bite checks that each hidden test notices enough of the planted mistakes of its step.
func (p *proof) bite(ctx context.Context, reference []byte) error {
	all, err := p.kata.Mistakes()
	if !p.hidden() || err != nil {
		return nil // others say so
	}
	if f, ok := p.parse(p.kata.HiddenTest()); ok {
		p.hiddenSteps(f)
	}
	var sound []planted
	var variants []gotest.Variant
	var by []hiding
	for _, h := range p.hiding {
		for _, m := range all {
			source, err := Apply(reference, m)
			if m.Step != h.step || err != nil {
				continue
			}
			v := variant(len(sound))
			v.Only = []string{h.test}
			sound, variants, by = append(sound, planted{Mistake: m, source: source}), append(variants, v), append(by, h)
		}
	}
	together, err := combine(reference, sound, nil)
	if err != nil || len(sound) == 0 {
		return nil
	}
	count, missed := map[hiding]int{}, map[hiding][]string{}
	options := gotest.Options{Hidden: true, Limit: longestStep, Jobs: runtime.GOMAXPROCS(0)}
	failed, err := p.runner.Variants(ctx, p.kata, gotest.Subject{Name: "mistakes", Source: together}, options, variants, func(i int, r *gotest.Report) {
		count[by[i]]++
		if r.Steps[0].Status == gotest.Pass {
			missed[by[i]] = append(missed[by[i]], sound[i].Name)
		}
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("the planted mistakes do not build together: %s", failed.Output)
	}
	for _, h := range p.hiding {
		slices.Sort(missed[h])
		noticed := count[h] - len(missed[h])
		p.check(float64(noticed) >= LeastNoticed*float64(count[h]), p.kata.HiddenTest(), "%s notices %d of the %d planted mistakes of %s alone, two thirds are wanted; it misses: %s",
			h.test, noticed, count[h], h.step, strings.Join(missed[h], "; "))
	}
	return err
}

// firstAsked returns, for each function of the contract, the index of the first how step that asks for it: whose visible test calls it, or something that calls
// it in the reference. What no how step asks for has an index behind the last.
func (p *proof) firstAsked(reference []byte) (map[string]int, error) {
	f, err := parseSource(reference)
	if err != nil {
		return nil, err
	}
	calls := uses{}
	calls.add(f.File, "")
	tests := uses{}
	for _, file := range workbook.Files(p.kata.Dir, "*_test.go") {
		test, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		tests.add(test, workbook.Module+"/katas/"+p.kata.Name)
	}
	first := map[string]int{}
	steps := p.howSteps()
	for i, step := range steps {
		asked := map[string]bool{}
		for name := range tests.reach(step) {
			name, ok := strings.CutPrefix(name, tested)
			if !ok && !strings.HasPrefix(name, ".") {
				continue
			}
			asked[name] = true
			maps.Copy(asked, calls.reach(name))
		}
		for _, fn := range f.functions() {
			if _, ok := first[fn.name]; !ok && asked[key(fn.FuncDecl)] {
				first[fn.name] = i
			}
		}
	}
	for _, fn := range f.functions() {
		if _, ok := first[fn.name]; !ok {
			first[fn.name] = len(steps)
		}
	}
	return first, nil
}

// uses are the names that the body of each function mentions, and the value of each variable. A method of any type is .Name, a function of the package
// that is tested begins with tested.
type uses map[string]map[string]bool

const tested = "kata "

// key is what uses calls a function.
func key(fn *ast.FuncDecl) string {
	if fn.Recv != nil {
		return "." + fn.Name.Name
	}
	return fn.Name.Name
}

// add adds what a file declares. path is the package that it tests.
func (m uses) add(f *ast.File, path string) {
	packages := map[string]string{}
	for _, i := range f.Imports {
		if imported, err := strconv.Unquote(i.Path.Value); err == nil {
			name := imported[strings.LastIndex(imported, "/")+1:]
			if i.Name != nil {
				name = i.Name.Name
			}
			packages[name] = imported
		}
	}
	note := func(name string, n ast.Node) {
		if m[name] == nil {
			m[name] = map[string]bool{}
		}
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				switch imported := ""; {
				case !ok:
					m[name]["."+n.Sel.Name] = true
					return true
				case x.Name == "t": // Run of a test is none of the kata's
				case packages[x.Name] == "":
					m[name]["."+n.Sel.Name], m[name][x.Name] = true, true
				default:
					if imported = packages[x.Name]; imported == path {
						m[name][tested+n.Sel.Name] = true
					}
				}
				return false
			case *ast.Ident:
				m[name][n.Name] = true
			}
			return true
		})
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			note(key(d), d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for _, name := range v.Names {
						note(name.Name, v)
					}
				}
			}
		}
	}
}

// reach returns what a name mentions, and what that mentions in turn.
func (m uses) reach(name string) map[string]bool {
	reached, next := map[string]bool{}, []string{name}
	for len(next) > 0 {
		name, next = next[0], next[1:]
		for other := range m[name] {
			if !reached[other] {
				reached[other] = true
				next = append(next, other)
			}
		}
	}
	return reached
}
