package proof

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// LeastKilled is the share of a kata's mutants that its visible tests must kill, those that are equivalent not counted.
const LeastKilled = 0.98

// longestStep is the CPU time that a how step may take on a mutant, a why step six times as much: many of them never end.
const longestStep = 2 * time.Second

// Mutation is what was found of the mutants of one kata.
type Mutation struct {
	Schema     int        `json:"schema"`
	Kata       string     `json:"kata"`
	Mutants    int        `json:"mutants"`    // that compile
	Equivalent int        `json:"equivalent"` // of these, as equivalents.yaml says
	Visible    int        `json:"visible"`    // of the others, killed by how or why steps
	Killed     int        `json:"killed"`     // of the others, killed by these or by the hidden test
	Survivors  []Survivor `json:"survivors"`  // of the others, not killed by how or why steps
	Problems   []string   `json:"problems"`
	Elapsed    float64    `json:"elapsed_seconds"`
}

// Survivor is a mutant that passes every how and why step.
type Survivor struct {
	In     string `json:"in"`
	Line   int    `json:"line"`   // of the reference
	Mutant string `json:"mutant"` // as equivalents.yaml names it
	Hidden bool   `json:"hidden"` // the hidden test kills it
}

// Killable is how many mutants are not equivalent.
func (m Mutation) Killable() int { return m.Mutants - m.Equivalent }

// Enough says whether the visible tests kill enough, and nothing else is wrong.
func (m Mutation) Enough() bool {
	return len(m.Problems) == 0 && float64(m.Visible) >= LeastKilled*float64(m.Killable())
}

// Mutate makes small changes in the reference of each kata and counts those that its tests notice. done gets each result as soon as it is
// there. An error means that the tool itself failed, or that ctx was cancelled.
func Mutate(ctx context.Context, r *gotest.Runner, katas []*workbook.Kata, done func(Mutation)) error {
	imports, err := exports(ctx, r, katas)
	if err != nil {
		return err
	}
	for _, k := range katas {
		start := time.Now()
		p := &proof{kata: k, root: r.Root, runner: r, imports: imports}
		found, err := p.mutate(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
		found.Schema, found.Kata, found.Problems, found.Elapsed = gotest.Schema, k.Name, append([]string{}, p.Problems...), time.Since(start).Seconds()
		done(found)
	}
	return nil
}

func (p *proof) mutate(ctx context.Context) (Mutation, error) {
	found := Mutation{Survivors: []Survivor{}}
	if !p.check(p.kata.Err == nil, filepath.Join(p.kata.Dir, "README.md"), "%v", p.kata.Err) {
		return found, nil
	}
	reference, err := workbook.ReadText(p.kata.Reference())
	if !p.check(err == nil, p.kata.Reference(), "%v", missing(err)) {
		return found, nil
	}
	all, err := p.newChecker().mutants(reference)
	if !p.check(err == nil, p.kata.Reference(), "%v", err) {
		return found, nil
	}
	found.Mutants = len(all)
	equivalent := p.equivalents(all)
	p.check(p.hidden(), p.kata.HiddenTest(), "it is missing")
	by, err := p.kill(ctx, reference, all)
	if err != nil {
		return found, err
	}
	if err := p.bite(ctx, reference); err != nil {
		return found, err
	}
	for i, m := range all {
		switch line, ok := equivalent[i]; {
		case ok:
			found.Equivalent++
			p.check(by[i] == "", p.equivalentsFile(), "line %d: it is killed, so it is not equivalent: %s", line, m)
			continue
		case by[i] != "":
			found.Killed++
		}
		if by[i] == workbook.How || by[i] == workbook.Why {
			found.Visible++
		} else {
			found.Survivors = append(found.Survivors, Survivor{In: m.In, Line: m.Line, Mutant: m.String(), Hidden: by[i] == workbook.Hidden})
		}
	}
	return found, nil
}

func (p *proof) equivalentsFile() string {
	return filepath.Join(p.kata.SolutionDir(), "equivalents.yaml")
}

// equivalents returns the line of equivalents.yaml for each mutant that stands there. An entry that is no mutant is a problem.
func (p *proof) equivalents(all []mutant) map[int]int {
	entries, err := p.kata.Equivalents()
	p.check(err == nil, p.equivalentsFile(), "%v", err)
	lines := map[int]int{}
	for _, e := range entries {
		for _, name := range e.Mutants {
			i := slices.IndexFunc(all, func(m mutant) bool { return m.In == e.In && m.String() == name })
			if !p.check(i >= 0, p.equivalentsFile(), "line %d: %s has no mutant %s", e.Line, e.In, name) {
				continue
			}
			p.check(lines[i] == 0, p.equivalentsFile(), "line %d: it stands in line %d too: %s", e.Line, lines[i], name)
			lines[i] = e.Line
		}
	}
	return lines
}

// kill runs all mutants and says what kind of test killed each: "" if none did. The reference goes with them: it must not be killed.
func (p *proof) kill(ctx context.Context, reference []byte, all []mutant) ([]workbook.Kind, error) {
	changed := make([]planted, len(all))
	variants := make([]gotest.Variant, len(all), len(all)+1)
	for i, m := range all {
		changed[i] = planted{Mistake: workbook.Mistake{In: m.In}, source: m.source, extra: m.extra}
		variants[i] = variant(i)
	}
	variants = append(variants, variant(len(all))) // no mutant has that number: it is the reference
	together, err := combine(reference, changed, nil)
	if err != nil {
		return nil, err
	}
	by := make([]workbook.Kind, len(all))
	options := gotest.Options{FailFast: true, Hidden: p.hidden(), Limit: longestStep, Jobs: runtime.GOMAXPROCS(0)}
	failed, err := p.runner.Variants(ctx, p.kata, gotest.Subject{Name: "mutants", Source: together}, options, variants, func(v int, r *gotest.Report) {
		i := slices.IndexFunc(r.Steps, func(s gotest.Step) bool { return s.Status != gotest.Pass && s.Status != gotest.Missing })
		switch {
		case i < 0:
		case v < len(all):
			by[v] = r.Steps[i].Kind
		default:
			p.check(false, p.kata.Reference(), "it does not pass %s (%s): nothing can be said of its mutants%s", r.Steps[i].Test, r.Steps[i].Status, indent(r.Steps[i].Text()))
		}
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("the mutants do not build together: %s", failed.Output)
	}
	return by, err
}

// mutants returns the mutants of a reference that compile.
func (c *checker) mutants(reference []byte) ([]mutant, error) {
	f := goFile{fset: c.fset, source: reference}
	var err error
	if f.File, err = parser.ParseFile(c.fset, "", reference, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	if err := c.types(f.File, info, nil); err != nil {
		return nil, err
	}
	var all []mutant
	read := map[string]int{}
	for _, m := range f.mutate(info) {
		if !c.compile(&m) {
			continue
		}
		name := m.In + "\n" + m.String()
		read[name]++
		m.Nth = read[name]
		all = append(all, m)
	}
	return all, nil
}

// compile says whether a mutant compiles. A variable whose only use is gone gets another: to read it changes nothing.
func (c *checker) compile(m *mutant) bool {
	for range 2 {
		f := goFile{fset: c.fset, source: m.source}
		var err error
		if f.File, err = parser.ParseFile(c.fset, "", m.source, parser.SkipObjectResolution); err != nil {
			return false
		}
		broken := false
		var uses []splice
		_ = c.types(f.File, nil, func(err error) {
			var at types.Error
			errors.As(err, &at)
			switch {
			case strings.HasPrefix(at.Msg, "declared and not used"):
				uses = append(uses, f.use(at.Pos))
			case strings.HasSuffix(at.Msg, "imported and not used"): // the reference, which is in the same build, uses it
			default:
				broken = true
			}
		})
		if broken || len(uses) == 0 {
			return !broken
		}
		m.source = spliced(m.source, uses)
	}
	return false
}

// use reads the variable that is declared at pos.
func (f goFile) use(pos token.Pos) (edit splice) {
	ast.PreorderStack(f.File, nil, func(n ast.Node, stack []ast.Node) bool {
		name, ok := n.(*ast.Ident)
		if !ok || name.Pos() != pos {
			return true
		}
		for i := len(stack) - 1; i >= 0; i-- {
			var body *ast.BlockStmt
			switch s := stack[i].(type) {
			case *ast.RangeStmt:
				body = s.Body
			case *ast.ForStmt:
				body = s.Body
			case *ast.IfStmt:
				body = s.Body
			case *ast.BlockStmt, *ast.CaseClause:
				edit = insertion(f.offset(stack[i+1].End()), "; _ = "+name.Name)
				return false
			}
			if body != nil {
				edit = insertion(f.offset(body.Lbrace)+1, " _ = "+name.Name+";")
				return false
			}
		}
		return true
	})
	return edit
}
